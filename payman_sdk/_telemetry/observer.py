"""Reports what a client does: one `Observer` for the client, and one `Tracker` for each ask.

Counts are always kept. Listeners exist only if somebody reads them: the log, from INFO on, or OpenTelemetry.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from payman_api.models import TaskState
from payman_sdk._annotations import NamedTuple
from payman_sdk._core.effects import Clock, Flow
from payman_sdk._core.task_response import STATES, has_ended
from payman_sdk._io.forks import StepLock
from payman_sdk._refusals import build_missing_error, refuse
from payman_sdk._text.logger import get_logger

if TYPE_CHECKING:
    from payman_sdk._core.hook_payloads import OnTask
    from payman_sdk._core.requests import AskRequest
    from payman_sdk._core.tracking import Tracker
    from payman_sdk._telemetry.events import Listener
    from payman_sdk._telemetry.settings import Stats, Telemetry

log = get_logger()

_MOST = 1000
"""Tasks that are remembered."""

OUTCOMES = ("completed", "failed", "input_required", "in_progress", "errors", "unknown", "abandoned")
"""How an ask may end, in a word."""


class TaskEntry(NamedTuple):
    """A task of a client: an entry of `client.tasks`. It does not hold the text of the ask, which may be private.

    Attributes:
        task_id: The id of the task (`tsk-…`), for `client.get_task`.
        session_id: The id of its session (`ses-…`).
        request_id: The id of the newest request for it (`req-…`).
        idempotency_key: The key that the caller gave the ask, if any.
        state: The last known state; `unknown` if no answer has arrived.
        is_final: Whether it has ended.
        error: The name of the exception that the ask ended with, if it did.
    """

    task_id: str
    session_id: str
    request_id: str
    idempotency_key: str | None = None
    state: TaskState | str = TaskState.UNKNOWN
    is_final: bool = False
    error: str | None = None


class Observer:
    """Counts what a client does, and notifies listeners; safe to use from several threads at once.

    `readers` get every event; the flow of every ask runs within `within`.
    """

    def __init__(
        self, readers: tuple[Listener, ...] = (), within: Callable[..., Flow[Any]] | None = None
    ) -> None:
        self.wrap_ask = within
        self._listeners = readers
        self._counts: dict[str, int] = defaultdict(int)
        self._tasks: dict[str, TaskEntry] = {}
        self._steps = StepLock()

    @property
    def listeners(self) -> tuple[Listener, ...]:
        """Who gets events at the moment."""
        if not log.isEnabledFor(logging.INFO):
            return self._listeners
        from payman_sdk._telemetry.logging import LogWriter

        return (*self._listeners, LogWriter())

    def create_tracker(
        self, clock: Clock, task_id: str | None = None, on_task: OnTask | None = None
    ) -> Tracker:
        from payman_sdk._core.tracking import Tracker

        listeners = self.listeners
        if not listeners:
            return Tracker(self, clock, task_id, on_task)
        from payman_sdk._telemetry.events import EventTracker

        tracker = EventTracker(self, clock, task_id, on_task)
        tracker.listeners = listeners
        return tracker

    def get_stats(self) -> Stats:
        from payman_sdk._telemetry.settings import Stats

        with self._steps.lock:
            return Stats(asks=sum(self._counts[name] for name in OUTCOMES), **self._counts)

    def count(self, name: str) -> None:
        with self._steps.lock:
            self._counts[name] += 1

    def record_ask(self, watch: Tracker, task_id: str, outcome: str, error: BaseException | None) -> None:
        counts = self._counts
        with self._steps.lock:
            if error is not None and (known := self._tasks.get(task_id)) is not None:
                self._tasks[task_id] = known._replace(error=type(error).__name__)
            counts[outcome] += 1
            counts["attempts"] += watch.attempts
            counts["streams"] += watch.is_stream
            counts["events"] += watch.events
            counts["reconciled"] += watch.is_reconciled
            counts["deduplicated"] += watch.is_repeated

    def list_tasks(self) -> list[TaskEntry]:
        with self._steps.lock:
            return list(self._tasks.values())

    def add_task(self, ask: AskRequest) -> None:
        with self._steps.lock:
            known = self._tasks.pop(ask.task_id, None)
            entry = TaskEntry(ask.task_id, ask.session_id, ask.request_id, ask.idempotency_key)
            if known is not None:  # a reply
                entry = known._replace(request_id=ask.request_id, error=None)
            self._tasks[ask.task_id] = entry
            while len(self._tasks) > _MOST:
                self._tasks.pop(next(iter(self._tasks)), None)

    def note_state(self, task_id: str, state: str) -> None:
        """Note the state of a task, however it was seen."""
        with self._steps.lock:
            if (known := self._tasks.get(task_id)) is not None:
                self._tasks[task_id] = known._replace(
                    state=STATES.get(state, state), is_final=has_ended(state), error=None
                )


def create_observer(telemetry: bool | Telemetry | None, base_url: str) -> Observer:
    """Return the observer of a client; raises ConfigurationError."""
    if telemetry is None or telemetry is False:
        return Observer()
    from payman_sdk._telemetry.settings import Telemetry

    chosen = Telemetry() if telemetry is True else telemetry
    if not isinstance(chosen, Telemetry):
        refuse("telemetry", "is neither a bool nor a Telemetry", "Use True, or a Telemetry.")
    try:
        from payman_sdk._telemetry.otel import Metrics, Tracing
    except ImportError as error:
        raise build_missing_error("telemetry needs OpenTelemetry, which is not installed", "otel") from error
    tracing = Tracing(chosen, base_url)
    return Observer((tracing, Metrics(chosen.meter_provider, tracing.server)), tracing.wrap_ask)
