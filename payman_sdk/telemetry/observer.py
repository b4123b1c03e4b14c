"""Who is told what a client does: one `Observer` for the client, one `Watch` for each ask.

What is counted is counted always. Events are made only where somebody reads them: the log, from INFO on, or OpenTelemetry.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from payman_sdk.errors import ConfigurationError, OutcomeUnknownError, PaymanError, TaskFailedError
from payman_sdk.flows import Consult, Flow, Send

if TYPE_CHECKING:
    import httpx

    from payman_sdk.hooks import Reason, Renewal, TaskChange
    from payman_sdk.streaming.events import StreamEvent
    from payman_sdk.tasks.ask import Ask
    from payman_sdk.telemetry.events import AskEnded, Event, Reader
    from payman_sdk.telemetry.settings import Telemetry
    from payman_sdk.telemetry.stats import Stats

T = TypeVar("T")

log = logging.getLogger("payman_sdk")

OUTCOMES = ("completed", "failed", "input_required", "in_progress", "errors", "unknown", "left")
"""How an ask may end, in a word."""

_ENDS: dict[str | None, str] = {
    "completed": "completed",
    "failed": "failed",
    "canceled": "failed",
    "input-required": "input_required",
}
"""The states of a task that are outcomes of an ask; every other state is `in_progress`."""


class Within(Protocol):
    """Runs the flow of an ask within something, such as a span."""

    def __call__(self, flow: Flow[T], ask: Ask, *, is_stream: bool) -> Flow[T]:
        """The flow, within that."""
        ...


class Observer:
    """Counts what a client does, and tells its readers; safe to use from several threads at once.

    Args:
        readers: Who is told every event, beside the log.
        within: What the flow of every ask runs within.
    """

    def __init__(self, readers: tuple[Reader, ...] = (), within: Within | None = None) -> None:
        self.within = within
        self._readers = readers
        self._counts: dict[str, int] = defaultdict(int)
        self._lock = threading.Lock()

    @property
    def readers(self) -> tuple[Reader, ...]:
        """Who is told events at the moment."""
        if not log.isEnabledFor(logging.INFO):
            return self._readers
        from payman_sdk.telemetry.log import written

        return (*self._readers, written)

    def stats(self) -> Stats:
        """What was counted so far."""
        from payman_sdk.telemetry.stats import Stats

        with self._lock:
            return Stats(asks=sum(self._counts[name] for name in OUTCOMES), **self._counts)

    def count(self, name: str) -> None:
        """Counts one of something."""
        with self._lock:
            self._counts[name] += 1

    def ended(self, watch: Watch, outcome: str) -> None:
        """Counts an ask that has ended."""
        counts = self._counts
        with self._lock:
            counts[outcome] += 1
            counts["attempts"] += watch.attempts
            if watch.is_stream:
                counts["streams"] += 1
                counts["events"] += watch.events
            if watch.is_reconciled:
                counts["reconciled"] += 1
            if watch.is_repeated:
                counts["repeated"] += 1

    def forked(self) -> None:
        """Goes on in a child process: whoever counted in that moment lives on in the parent, and would never let go here."""
        self._lock = threading.Lock()

    def renewed(
        self, reason: Reason, flow: Flow[T], told: Callable[[T | None, PaymanError | None], Renewal | None]
    ) -> Flow[T]:
        """The flow of a renewal, which is told of.

        Args:
            reason: Why an access token is fetched.
            flow: What fetches it.
            told: What is to be told of what was fetched, or of what went wrong.
        """
        readers, renewal = self.readers, None
        ended = _begun(readers, reason)
        try:
            issued = yield from flow
            self.count("renewals")
            renewal = told(issued, None)
        except PaymanError as error:
            self.count("failed_renewals")
            renewal = told(None, error)
            raise
        finally:
            ended(renewal)
        return issued


def observer_for(telemetry: bool | Telemetry | None, base_url: str) -> Observer:
    """The observer of a client.

    Raises:
        ConfigurationError: Telemetry is wanted, and cannot be had.
    """
    if telemetry is None or telemetry is False:
        return Observer()
    from payman_sdk.telemetry.settings import Telemetry

    chosen = Telemetry() if telemetry is True else telemetry
    if not isinstance(chosen, Telemetry):
        raise ConfigurationError(
            "telemetry is neither a switch nor a Telemetry.", next_step="Use True, or a Telemetry."
        )
    try:
        from payman_sdk.telemetry.otel import Tracing
        from payman_sdk.telemetry.otel_metrics import Metrics
    except ImportError as error:
        raise ConfigurationError(
            "telemetry needs OpenTelemetry, which is not installed.",
            next_step="Install the extra: pip install 'paymanai-sdk[otel]'.",
        ) from error
    tracing = Tracing(chosen, base_url)
    return Observer((tracing.read, Metrics(chosen.meter_provider, tracing.server).read), tracing.within)


class Watch:
    """Looks on while one thing is asked for: counts, and tells the readers and the hook of tasks.

    Args:
        observer: The client's; without one nobody is told.
        clock: Seconds that only go forward; the clock of the door.
        task_id: The task it is about; None for a token.
        on_task: Called with a `TaskChange` whenever the task stands otherwise than before.
    """

    answer: Callable[[], str] | None = None
    """What gives the text of the answer, once there is one."""
    state: str | None = None
    """The state of the task, where one was told."""
    attempts = lookups = events = 0
    is_stream = is_reconciled = is_repeated = False
    first_event: float | None = None
    _began_at = 0.0
    _sends: Counter[str] | None = None

    def __init__(
        self,
        observer: Observer | None = None,
        clock: Callable[[], float] = time.monotonic,
        task_id: str | None = None,
        on_task: Callable[[TaskChange], Any] | None = None,
    ) -> None:
        self.observer = Observer() if observer is None else observer
        self.readers = self.observer.readers
        self._clock = clock
        self._task_id = task_id
        self._on_task = on_task

    def over(self, flow: Flow[T], ask: Ask, *, is_stream: bool = False) -> Flow[T]:
        """The flow of an ask, looked on from its beginning to its end."""
        if is_stream:
            self.is_stream = True
        within = self.observer.within
        looked_on = self._over(flow, ask)
        return looked_on if within is None else within(looked_on, ask, is_stream=is_stream)

    def _over(self, flow: Flow[T], ask: Ask) -> Flow[T]:
        if self.readers:
            from payman_sdk.telemetry.events import AskBegan

            self._began_at = self._clock()
            tell(self.readers, AskBegan(ask, self.is_stream))
        outcome, error = "left", None
        try:
            result = yield from flow
            outcome = _ENDS.get(self.state, "in_progress")
            return result
        except PaymanError as failure:
            outcome, error = _outcome(failure, self.state), failure
            raise
        finally:  # also where the caller leaves, which closes the flow
            self.observer.ended(self, outcome)
            if self.readers:
                tell(self.readers, self._ended(ask, outcome, error))
            error = None

    def _ended(self, ask: Ask, outcome: str, error: PaymanError | None) -> AskEnded:
        from payman_sdk.telemetry.events import AskEnded as Ended

        return Ended(
            ask=ask,
            is_stream=self.is_stream,
            outcome=outcome,
            state=self.state,
            error=error,
            seconds=self._clock() - self._began_at,
            first_event=self.first_event,
            attempts=self.attempts,
            lookups=self.lookups,
            events=self.events,
            is_reconciled=self.is_reconciled,
            is_repeated=self.is_repeated,
            answer=self.answer,
        )

    def sent(self, send: Send) -> Flow[httpx.Response]:
        """A flow that sends a request and returns its answer."""
        if not self.readers:
            plain: httpx.Response = yield send
            return plain
        from payman_sdk.telemetry.events import AttemptBegan, AttemptEnded

        path = str(send.request["url"]).partition("?")[0]
        if self._sends is None:
            self._sends = Counter()
        resends = self._sends[path]
        self._sends[path] += 1
        began = AttemptBegan(self._task_id, str(send.request["method"]).upper(), path, resends, {})
        sent_at = self._clock()
        tell(self.readers, began)
        if began.headers:
            send = send._replace(
                request={**send.request, "headers": {**send.request.get("headers", {}), **began.headers}}
            )
        status, failure = None, None
        try:
            answer: httpx.Response = yield send
            status = answer.status_code
        except BaseException as error:
            failure = type(error).__name__
            raise
        finally:
            tell(self.readers, AttemptEnded(began, status, failure, self._clock() - sent_at))
        return answer

    def judged(self, task_id: str, attempt: int, failure: PaymanError, verdict: str) -> None:
        """What the failure of an attempt means."""
        if self.readers:
            from payman_sdk.telemetry.events import Judged

            tell(self.readers, Judged(task_id, attempt, failure, verdict))

    def looked_up(self, task_id: str, state: str | None) -> None:
        """It was asked how a task stands; the state is None where the agent does not know it."""
        self.lookups += 1
        self.observer.count("lookups")
        if self.readers:
            from payman_sdk.telemetry.events import LookedUp

            tell(self.readers, LookedUp(task_id, state))

    def opened(self, task_id: str, *, is_again: bool) -> None:
        """A stream is open."""
        if is_again:
            self.observer.count("resumed")
        if self.readers:
            from payman_sdk.telemetry.events import StreamOpened

            tell(self.readers, StreamOpened(task_id, is_again))

    def broke(self, task_id: str, failure: PaymanError) -> None:
        """A stream broke before its end."""
        if self.readers:
            from payman_sdk.telemetry.events import StreamBroke

            tell(self.readers, StreamBroke(task_id, failure))

    def heard(self, task_id: str, events: list[StreamEvent]) -> Flow[None]:
        """A flow that takes note of what a stream tells, before its reader is told."""
        self.events += len(events)
        if self.readers:
            from payman_sdk.telemetry.events import Heard

            if self.first_event is None:
                self.first_event = self._clock() - self._began_at
            tell(self.readers, Heard(task_id, events))
        for event in events:
            if event["type"] == "status_update":
                consult = self.stands(task_id, event["state"], partial(event.get, "status_message"))
                if consult is not None:
                    yield consult

    def stands(self, task_id: str, state: str, message: Callable[[], str | None]) -> Consult | None:
        """Takes note of how a task stands; returns the step that consults the hook where that is new and there is one."""
        if state == self.state:
            return None
        self.state = state
        if self.readers:
            from payman_sdk.telemetry.events import Stands

            tell(self.readers, Stands(task_id, state))
        if self._on_task is None:
            return None
        from payman_sdk.hooks import TaskChange as Changed
        from payman_sdk.responses import has_ended
        from payman_sdk.types import STATES

        return Consult(self._on_task, Changed(task_id, STATES.get(state, state), has_ended(state), message()))


def tell(readers: tuple[Reader, ...], event: Event) -> None:
    """Tells readers of an event; one that fails does no harm to what was asked."""
    for read in readers:
        try:
            read(event)
        except Exception as error:
            warn(error)


def warn(error: Exception) -> None:
    """Says that telemetry failed, which does no harm to what was asked."""
    log.warning("Telemetry failed: %s", type(error).__name__)


def _begun(readers: tuple[Reader, ...], reason: Reason) -> Callable[[Renewal | None], None]:
    """Tells readers that an access token is being fetched; what is returned tells them how that ended."""
    if not readers:
        return lambda renewal: None
    from payman_sdk.telemetry.events import RenewalBegan, RenewalEnded

    began = RenewalBegan(reason)
    tell(readers, began)
    return lambda renewal: tell(readers, RenewalEnded(began, renewal))


def _outcome(error: PaymanError, state: str | None) -> str:
    match error:
        case TaskFailedError():
            return _ENDS.get(state, "in_progress")
        case OutcomeUnknownError():
            return "unknown"
        case _:
            return "errors"
