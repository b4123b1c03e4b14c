"""What is noted of an ask while its flow runs.

The client's observer, which counts and notifies listeners, is `_telemetry/observer.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from payman_api.models import TaskState
from payman_sdk import errors
from payman_sdk._annotations import NamedTuple
from payman_sdk._core.effects import CallHook, Clock, Flow, NotifyHook, SendRequest
from payman_sdk._core.error_classes import describe_interruption, is_described, is_not_recorded
from payman_sdk._core.formatting import format_message
from payman_sdk._core.http import Transmission
from payman_sdk._core.task_response import STATES, Phase, get_phase, get_state, has_ended
from payman_sdk._text.logger import get_logger

if TYPE_CHECKING:
    from payman_api.models import Task
    from payman_sdk._core.events import StreamEvent
    from payman_sdk._core.hook_payloads import OnTask, Reason, TaskStateChange
    from payman_sdk._core.http import HTTPResponse
    from payman_sdk._core.requests import AskRequest

T = TypeVar("T")
log = get_logger()


def notify(listeners: tuple[Any, ...], report: Callable[[Any], None]) -> None:
    """Report an event to every listener; one that fails does no harm to the ask."""
    for listener in listeners:
        try:
            report(listener)
        except Exception as error:
            warn(error)


def warn(error: Exception) -> None:
    log.warning("Telemetry failed: %s", type(error).__name__)


def redact_state(state: str) -> str:
    """Return a state that is safe to show: the text of an unlisted one may repeat a secret."""
    return state if state in STATES else "unlisted"


class TokenRefreshBegan(NamedTuple):
    """An access token is about to be fetched."""

    reason: Reason


class ClientObserver(Protocol):
    """Observes what a client does: `payman_sdk._telemetry.observer.Observer`."""

    wrap_ask: Callable[..., Flow[Any]] | None
    """What the flow of every ask runs within."""

    @property
    def listeners(self) -> tuple[Any, ...]:
        """Who reads events at the moment."""
        ...

    def create_tracker(
        self, clock: Clock, task_id: str | None = None, on_task: OnTask | None = None
    ) -> Tracker:
        """Return a tracker for one ask, or for the request of a token; see `Tracker`."""
        ...

    def add_task(self, ask: AskRequest) -> None:
        """Record that an ask begins or continues."""
        ...

    def note_state(self, task_id: str, state: str) -> None: ...

    def count(self, name: str) -> None: ...

    def record_ask(self, watch: Tracker, task_id: str, outcome: str, error: BaseException | None) -> None:
        """Count an ask that has ended, and note the exception that it ended with."""
        ...


class Tracker:
    """Observes one ask: counts, and calls the hook of tasks. `task_id` is None for the request of a token."""

    answer: Callable[[], str] | None = None
    """What gives the text of the answer, once there is one."""
    state: str | None = None
    """The state of the task, where it is known."""
    listeners: tuple[Any, ...] = ()
    """Who reads events."""
    attempts = lookups = events = 0
    is_stream = is_reconciled = is_repeated = False
    was_sent = False
    """Whether a byte of the ask may have left."""
    may_be_stale = needs_connection = False
    """Whether the last answer may be older than its request (`Transmission.is_reused`), and whether connections are used once for that."""

    def __init__(
        self,
        observer: ClientObserver,
        clock: Clock,
        task_id: str | None = None,
        on_task: OnTask | None = None,
    ) -> None:
        self.observer, self._clock, self._task_id, self._on_task = observer, clock, task_id, on_task
        self._sends: dict[str, int] = {}  # how often each path was sent to before
        if on_task is not None:  # here, so that no import can fail after sending
            from payman_sdk._core.hook_payloads import TaskStateChange

            self._change: Callable[..., TaskStateChange] = TaskStateChange

    def track(self, flow: Flow[T], ask: AskRequest, *, is_stream: bool = False) -> Flow[T]:
        """Return the flow of an ask, looked on from its beginning to its end."""
        self.is_stream = self.is_stream or is_stream
        within = self.observer.wrap_ask
        looked_on = self._track(flow, ask)
        return looked_on if within is None else within(looked_on, ask, is_stream=is_stream)

    def _track(self, flow: Flow[T], ask: AskRequest) -> Flow[T]:
        outcome, error = "abandoned", None
        self.observer.add_task(ask)
        try:
            result = yield from flow
            outcome = _classify_state(self.state)
            return result
        except errors.PaymanError as failure:
            outcome, error = _classify_error(failure, self.state), failure
            raise
        except Exception as failure:
            # A fault of the SDK's own: what hooks raise does not come this way.
            if not self._may_have_arrived() or is_not_recorded(failure):
                raise
            outcome, error = "unknown", _build_fault_error(failure, ask)
            unforeseen = error
        except BaseException as interruption:
            self._describe(interruption, ask.get_ids())
            if not isinstance(interruption, GeneratorExit):
                yield from self._notify_interruption(ask)
            raise
        finally:  # also where the caller leaves, which closes the flow
            self.observer.record_ask(self, ask.task_id, outcome, error)
            self.record_end(ask, outcome, error)
            error = None
        # Raised out here, it carries nothing of the fault with it, which may say a secret.
        raise unforeseen

    def record_end(self, ask: AskRequest, outcome: str, error: errors.PaymanError | None) -> None:
        """Record how an ask has ended, beside the counts."""

    def describe(self, error: BaseException, ask: AskRequest) -> None:
        """Write the ids of the ask on what interrupts it before its flow has begun or after it has ended."""
        ids = ask.get_ids()
        if not is_described(error, ids):
            self._describe(error, ids)
        elif type(error) is errors.ConfigurationError and error.sent is None:
            # A hook has returned something to await, which shows after it was called.
            error.sent = self._may_have_arrived()
            if error.sent:
                self._describe(error, ids)

    def _describe(self, error: BaseException, ids: Mapping[str, str | None]) -> None:
        end = self.state if self.state is not None and has_ended(self.state) else None
        describe_interruption(error, ids, sent=self._may_have_arrived(), end=end)

    def convert_fault(self, fault: Exception) -> errors.APIConnectionError:
        """Return what a fault of the SDK's own means for an attempt that was sent.

        Raises the fault itself if nothing was sent, or if it is for the author of a test.
        """
        if not self._may_have_arrived() or is_not_recorded(fault):
            raise fault
        return errors.APIConnectionError(_describe_fault(fault), sent=True)

    def _notify_interruption(self, ask: AskRequest) -> Flow[None]:
        """Notify the hook that an ask which may have been sent was left, unless its end was seen."""
        has_end = self.state is not None and has_ended(self.state)
        if self._on_task is None or has_end or not self._may_have_arrived():
            return
        yield NotifyHook(self._on_task, self._change(ask.task_id, TaskState.UNKNOWN, is_final=False))

    def _may_have_arrived(self) -> bool:
        """Whether the ask may have been sent, now or before."""
        return self.was_sent or self.is_repeated

    def track_request(self, send: SendRequest) -> Flow[HTTPResponse]:
        """Return a flow that sends a request and returns its answer."""
        transmission = Transmission()
        try:
            answer: HTTPResponse = yield send._replace(transmission=transmission)
            return answer
        finally:
            self.may_be_stale = transmission.is_reused
            # Before the first attempt of an ask, only a token and a task are asked for.
            if transmission.sent and self.attempts:
                self.was_sent = True

    def record_failure(self, task_id: str, attempt: int, failure: errors.PaymanError, verdict: str) -> None:
        """Record what the failure of an attempt means."""
        notify(self.listeners, lambda one: one.record_failure(task_id, attempt, failure, verdict))

    def record_retry(self, attempt: int, failure: errors.PaymanError, delay: float) -> None:
        self.observer.count("retries")
        notify(self.listeners, lambda one: one.record_retry(attempt, failure, delay))

    def record_fetch(self, task_id: str, state: str | None) -> None:
        """Record a look-up of a task; the state is None if the agent does not know it."""
        self.lookups += 1
        self.observer.count("lookups")
        shown = None if state is None else redact_state(state)
        notify(self.listeners, lambda one: one.record_fetch(task_id, shown))

    def record_stream_open(self, task_id: str, *, is_again: bool) -> None:
        if is_again:
            self.observer.count("resumed")
        notify(self.listeners, lambda one: one.record_stream_open(task_id, is_again=is_again))

    def record_stream_break(self, task_id: str, failure: errors.PaymanError) -> None:
        """Record that a stream broke before its end."""
        notify(self.listeners, lambda one: one.record_stream_break(task_id, failure))

    def record_event(self, task_id: str, event: StreamEvent) -> CallHook | None:
        """Record an event before the reader gets it; return the step that calls the hook, as `record_state`."""
        if event["type"] == "status_update":
            return self.record_state(task_id, event["state"], partial(event.get, "status_message"))
        return None

    def track_state(self, task: Task) -> Flow[None]:
        """Record the state of a task, and call the hook if it is new."""
        hook = self.record_state(task.id, get_state(task), partial(format_message, task.status.message))
        if hook is not None:
            yield hook

    def record_state(self, task_id: str, state: str, message: Callable[[], str | None]) -> CallHook | None:
        """Record the state of a task; return the step that runs the hook if the state is new."""
        if state == self.state:
            return None
        self.state = state
        self.observer.note_state(task_id, state)
        notify(self.listeners, lambda one: one.record_state(task_id, redact_state(state)))
        if self._on_task is None:
            return None
        change = self._change(task_id, STATES.get(state, state), has_ended(state), message())
        return CallHook(self._on_task, change)


def _classify_state(state: str | None) -> str:
    """Return the outcome of an ask whose task is in this state; None if the state is unknown."""
    # Whatever nobody listed may still go on.
    return "in_progress" if state is None else _OUTCOMES.get(get_phase(state), "in_progress")


_OUTCOMES = {
    Phase.COMPLETED: "completed",
    Phase.FAILED: "failed",
    Phase.AWAITS_REPLY: "input_required",
    Phase.AWAITS_PERSON: "input_required",
}


def _describe_fault(fault: Exception) -> str:
    """Name a fault of the SDK's own by its class and place: what it says may repeat a secret."""
    import traceback

    last = traceback.extract_tb(fault.__traceback__)[-1:]
    place = "".join(f" in {frame.name}, line {frame.lineno}" for frame in last)
    return f"The SDK failed after the ask was sent, with {type(fault).__name__}{place}."


def _build_fault_error(fault: Exception, ask: AskRequest) -> errors.OutcomeUnknownError:
    """Make the error for an ask that was sent, and whose answer met a fault in the SDK."""
    return errors.OutcomeUnknownError(
        f"{_describe_fault(fault)} The outcome of the ask is undetermined.",
        next_step="Do not send it again; client.get_task(error.task_id) returns the outcome.",
        **ask.get_ids(),
        sent=True,
    )


def _classify_error(error: errors.PaymanError, state: str | None) -> str:
    if isinstance(error, errors.TaskFailedError):
        return _classify_state(state)
    return "unknown" if isinstance(error, errors.OutcomeUnknownError) else "errors"
