"""What flows report to an observer: small events, made only where somebody listens, and the tracker of an ask that makes them.

They are for readers inside of the SDK. `RetryDetails` and `TokenRefresh`, which hooks are given as well, are in `payman_sdk._core.hook_payloads`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple, TypeAlias, TypeVar

from payman_sdk._core.effects import CallHook, Clock, Flow, SendRequest
from payman_sdk._core.hook_payloads import OnTask, Reason, RetryDetails, TokenRefresh
from payman_sdk._core.task_response import STATES
from payman_sdk._core.tracking import ClientObserver, Tracker
from payman_sdk._text.logger import get_logger
from payman_sdk.errors import PaymanError

if TYPE_CHECKING:
    from payman_sdk._core.events import StreamEvent
    from payman_sdk._core.http import HTTPResponse
    from payman_sdk._core.requests import AskRequest

T = TypeVar("T")

log = get_logger()

UNLISTED = "unlisted"
"""Shown for a state that is not listed: the server's text may repeat what it was sent."""


def redact_state(state: str) -> str:
    """Return the part of a state that is safe to show."""
    return state if state in STATES else UNLISTED


class AskBegan(NamedTuple):
    """An ask, a stream or a reply begins. It holds the text, which only permitted listeners may show."""

    ask: AskRequest
    is_stream: bool


class AttemptBegan(NamedTuple):
    """A request is about to be sent; the task is None for a token request. The path has no query, for that may carry secrets.

    Readers may add to the headers. `resends` says how often the same was sent before.
    """

    task_id: str | None
    method: str
    path: str
    resends: int
    headers: dict[str, str]


class AttemptEnded(NamedTuple):
    """A request was answered, with the head of a stream at least, or failed.

    `error` is the class of what was raised in place of an answer.
    """

    began: AttemptBegan
    status_code: int | None
    error: str | None
    seconds: float


class FailureClassified(NamedTuple):
    """An attempt failed, and the failure was classified: `FATAL`, `RETRYABLE`, `TURNED_AWAY` or `AMBIGUOUS`."""

    task_id: str
    attempt: int
    failure: PaymanError
    verdict: str


class TaskFetched(NamedTuple):
    """A look-up of a task; the state is None if the agent does not know the task."""

    task_id: str
    state: str | None


class StateChanged(NamedTuple):
    """A task has changed state."""

    task_id: str
    state: str


class StreamOpened(NamedTuple):
    """A stream is open, or, once it broke, open again."""

    task_id: str
    is_again: bool


class StreamBroke(NamedTuple):
    """A stream broke; it resumes, or a look-up follows the task."""

    task_id: str
    failure: PaymanError


class EventReceived(NamedTuple):
    """A stream delivered an event."""

    task_id: str
    event: StreamEvent


class TokenRefreshBegan(NamedTuple):
    """An access token is about to be fetched."""

    reason: Reason


class TokenRefreshEnded(NamedTuple):
    """It was fetched, or not; the renewal is None where who needed it was cancelled."""

    began: TokenRefreshBegan
    renewal: TokenRefresh | None


class AskEnded(NamedTuple):
    """An ask has ended, and its tracker knows what it took. `outcome` is one of the outcomes in `Stats`."""

    ask: AskRequest
    watch: EventTracker
    outcome: str
    state: str | None
    error: PaymanError | None
    seconds: float


Event: TypeAlias = (
    AskBegan
    | AttemptBegan
    | AttemptEnded
    | FailureClassified
    | RetryDetails
    | TaskFetched
    | StateChanged
    | StreamOpened
    | StreamBroke
    | EventReceived
    | TokenRefreshBegan
    | TokenRefreshEnded
    | AskEnded
)
Listener: TypeAlias = Callable[[Event], None]


class EventTracker(Tracker):
    """Notifies listeners of one ask, beside counting it. `first_event` are the seconds until the first event of a stream."""

    def __init__(
        self,
        observer: ClientObserver,
        clock: Clock,
        task_id: str | None,
        on_task: OnTask | None,
        listeners: tuple[Listener, ...],
    ) -> None:
        super().__init__(observer, clock, task_id, on_task)
        self.listeners = listeners
        self._began_at = 0.0
        self.first_event: float | None = None
        self._sends: Counter[str] = Counter()

    def _track(self, flow: Flow[T], ask: AskRequest) -> Flow[T]:
        self._began_at = self._clock()
        notify(self.listeners, AskBegan(ask, self.is_stream))
        return (yield from super()._track(flow, ask))

    def record_end(self, ask: AskRequest, outcome: str, error: PaymanError | None) -> None:
        state = None if self.state is None else redact_state(self.state)
        ended = AskEnded(ask, self, outcome, state, error, self._clock() - self._began_at)
        notify(self.listeners, ended)

    def send(self, send: SendRequest) -> Flow[HTTPResponse]:
        path = str(send.request["url"]).partition("?")[0]
        resends = self._sends[path]
        self._sends[path] += 1
        began = AttemptBegan(self._task_id, str(send.request["method"]).upper(), path, resends, {})
        sent_at = self._clock()
        notify(self.listeners, began)
        if began.headers:
            send = send._replace(
                request={**send.request, "headers": {**send.request.get("headers", {}), **began.headers}}
            )
        status, failure = None, None
        try:
            answer: HTTPResponse = yield send
            status = answer.status_code
        except BaseException as error:
            failure = type(error).__name__
            raise
        finally:
            notify(self.listeners, AttemptEnded(began, status, failure, self._clock() - sent_at))
        return answer

    def record_failure(self, task_id: str, attempt: int, failure: PaymanError, verdict: str) -> None:
        notify(self.listeners, FailureClassified(task_id, attempt, failure, verdict))

    def record_retry(self, attempt: int, failure: PaymanError, delay: float, task_id: str | None) -> None:
        super().record_retry(attempt, failure, delay, task_id)
        notify(self.listeners, RetryDetails(attempt, failure, delay, task_id))

    def record_fetch(self, task_id: str, state: str | None) -> None:
        super().record_fetch(task_id, state)
        notify(self.listeners, TaskFetched(task_id, None if state is None else redact_state(state)))

    def record_stream_open(self, task_id: str, *, is_again: bool) -> None:
        super().record_stream_open(task_id, is_again=is_again)
        notify(self.listeners, StreamOpened(task_id, is_again))

    def record_stream_break(self, task_id: str, failure: PaymanError) -> None:
        notify(self.listeners, StreamBroke(task_id, failure))

    def record_event(self, task_id: str, event: StreamEvent) -> CallHook | None:
        if self.first_event is None:
            self.first_event = self._clock() - self._began_at
        notify(self.listeners, EventReceived(task_id, event))
        return super().record_event(task_id, event)

    def record_state(self, task_id: str, state: str, message: Callable[[], str | None]) -> CallHook | None:
        is_new = state != self.state
        hook = super().record_state(task_id, state, message)
        if is_new:
            notify(self.listeners, StateChanged(task_id, redact_state(state)))
        return hook


def notify(listeners: tuple[Listener, ...], event: Event) -> None:
    """Hand an event to every listener; one that fails does no harm to the ask."""
    for listener in listeners:
        try:
            listener(event)
        except Exception as error:
            warn(error)


def warn(error: Exception) -> None:
    log.warning("Telemetry failed: %s", type(error).__name__)
