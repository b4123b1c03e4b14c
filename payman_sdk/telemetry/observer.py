"""Who is told what a client does: one `Observer` for the client, one `Watch` for each ask.

What is counted is counted always. Events are made only where somebody reads them: the log, from INFO on, or OpenTelemetry.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from payman_sdk.errors import ConfigurationError, OutcomeUnknownError, PaymanError, TaskFailedError
from payman_sdk.flows import Consult, Flow, Send
from payman_sdk.telemetry.stats import Stats

if TYPE_CHECKING:
    import httpx

    from payman_sdk.hooks import Reason, Renewal, TaskChange
    from payman_sdk.streaming.events import StreamEvent
    from payman_sdk.tasks.ask import Ask
    from payman_sdk.telemetry.events import Event, Reader
    from payman_sdk.telemetry.settings import Telemetry

T = TypeVar("T")

log = logging.getLogger("payman_sdk")

_OUTCOMES = {
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
        self._counts = dict.fromkeys(Stats._fields, 0)
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
        with self._lock:
            return Stats(**self._counts)

    def add(self, **counts: int) -> None:
        """Counts something."""
        with self._lock:
            for name, more in counts.items():
                self._counts[name] += more

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
            self.add(renewals=1)
            renewal = told(issued, None)
        except PaymanError as error:
            self.add(failed_renewals=1)
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
            f"telemetry is a {type(chosen).__name__}.", next_step="Use True, or a Telemetry."
        )
    try:
        from payman_sdk.telemetry.otel import Tracing
    except ImportError as error:
        raise ConfigurationError(
            "telemetry needs OpenTelemetry, which is not installed.",
            next_step="Install the extra: pip install 'paymanai-sdk[otel]'.",
        ) from error
    tracing = Tracing(chosen, base_url)
    return Observer((tracing.read,), tracing.within)


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
        self._sends: dict[str, int] = {}

    def over(self, flow: Flow[T], ask: Ask, *, is_stream: bool = False) -> Flow[T]:
        """The flow of an ask, looked on from its beginning to its end."""
        flow = self._over(flow, ask, is_stream=is_stream)
        within = self.observer.within
        return flow if within is None else within(flow, ask, is_stream=is_stream)

    def _over(self, flow: Flow[T], ask: Ask, *, is_stream: bool) -> Flow[T]:
        self._began_at, self.is_stream = self._clock(), is_stream
        self.observer.add(asks=1, streams=is_stream)
        if self.readers:
            from payman_sdk.telemetry.events import AskBegan

            tell(self.readers, AskBegan(ask, is_stream))
        try:
            result = yield from flow
        except BaseException as error:  # a caller who leaves closes the flow
            self._ended(ask, _outcome(error, self.state), error if isinstance(error, PaymanError) else None)
            raise
        self._ended(ask, _outcome(None, self.state), None)
        return result

    def _ended(self, ask: Ask, outcome: str, error: PaymanError | None) -> None:
        counts = {outcome: 1, "attempts": self.attempts, "events": self.events}
        if self.is_reconciled or self.is_repeated:
            counts |= {"reconciled": int(self.is_reconciled), "repeated": int(self.is_repeated)}
        self.observer.add(**counts)
        if self.readers:
            from payman_sdk.telemetry.events import AskEnded

            ended = AskEnded(
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
            tell(self.readers, ended)

    def sent(self, send: Send) -> Flow[httpx.Response]:
        """A flow that sends a request and returns its answer."""
        if not self.readers:
            plain: httpx.Response = yield send
            return plain
        from payman_sdk.telemetry.events import AttemptBegan, AttemptEnded

        path = str(send.request["url"]).partition("?")[0]
        resends = self._sends.get(path, 0)
        self._sends[path] = resends + 1
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
        self.observer.add(lookups=1)
        if self.readers:
            from payman_sdk.telemetry.events import LookedUp

            tell(self.readers, LookedUp(task_id, state))

    def opened(self, task_id: str, *, is_again: bool) -> None:
        """A stream is open."""
        if is_again:
            self.observer.add(resumed=1)
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
        if self.first_event is None:
            self.first_event = self._clock() - self._began_at
        if self.readers:
            from payman_sdk.telemetry.events import Heard

            tell(self.readers, Heard(task_id, events))
        for event in events:
            if event["type"] == "status_update":
                yield from self.stands(task_id, event["state"], partial(event.get, "status_message"))

    def stands(self, task_id: str, state: str, message: Callable[[], str | None]) -> Flow[None]:
        """A flow that takes note of how a task stands, and consults the hook where that is new."""
        if state == self.state:
            return
        self.state = state
        if self.readers:
            from payman_sdk.telemetry.events import Stands

            tell(self.readers, Stands(task_id, state))
        if self._on_task is not None:
            from payman_sdk.hooks import TaskChange as Changed
            from payman_sdk.responses import has_ended
            from payman_sdk.types import STATES

            yield Consult(
                self._on_task, Changed(task_id, STATES.get(state, state), has_ended(state), message())
            )


def tell(readers: tuple[Reader, ...], event: Event) -> None:
    """Tells readers of an event; one that fails does no harm to what was asked."""
    for read in readers:
        try:
            read(event)
        except Exception as error:
            log.warning("Telemetry failed: %s", type(error).__name__)


def _begun(readers: tuple[Reader, ...], reason: Reason) -> Callable[[Renewal | None], None]:
    """Tells readers that an access token is being fetched; what is returned tells them how that ended."""
    if not readers:
        return lambda renewal: None
    from payman_sdk.telemetry.events import RenewalBegan, RenewalEnded

    began = RenewalBegan(reason)
    tell(readers, began)
    return lambda renewal: tell(readers, RenewalEnded(began, renewal))


def _outcome(error: BaseException | None, state: str | None) -> str:
    match error:
        case None | TaskFailedError():
            return _OUTCOMES.get(state or "", "in_progress")
        case OutcomeUnknownError():
            return "unknown"
        case PaymanError():
            return "errors"
        case _:
            return "left"
