"""What flows report to an observer: the listeners inside the SDK, and the tracker of an ask that reports to them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from payman_sdk._core.effects import CallHook, Flow, SendRequest, T
from payman_sdk._core.tracking import TokenRefreshBegan, Tracker, notify, redact_state
from payman_sdk.errors import PaymanError

if TYPE_CHECKING:
    from payman_sdk._core.events import StreamEvent
    from payman_sdk._core.hook_payloads import TokenRefresh
    from payman_sdk._core.http import HTTPResponse
    from payman_sdk._core.requests import AskRequest


class AttemptBegan(NamedTuple):
    """A request is about to be sent; the task is None for a token request. The path has no query, which may carry secrets.

    Readers may add to the headers. `resends` says how often the same was sent before.
    """

    task_id: str | None
    method: str
    path: str
    resends: int
    headers: dict[str, str]


class AskEnded(NamedTuple):
    """An ask has ended, and its tracker knows what it took. `outcome` is one of the outcomes in `Stats`."""

    ask: AskRequest
    watch: EventTracker
    outcome: str
    state: str | None
    error: PaymanError | None
    seconds: float


class Listener:
    """Reads what flows report, with one method for each event. Those that a listener does not override do nothing."""

    def record_begin(self, ask: AskRequest, *, is_stream: bool) -> None:
        """Record that an ask, a stream or a reply begins. It holds the text, which only permitted listeners may show."""

    def record_attempt(self, began: AttemptBegan) -> None:
        """Record that a request is about to be sent."""

    def record_answer(
        self, began: AttemptBegan, status_code: int | None, error: str | None, seconds: float
    ) -> None:
        """Record that a request was answered, with the head of a stream at least, or failed with an exception of class `error`."""

    def record_failure(self, task_id: str, attempt: int, failure: PaymanError, verdict: str) -> None:
        """Record how the failure of an attempt was classified: `FATAL`, `RETRYABLE`, `TURNED_AWAY` or `AMBIGUOUS`."""

    def record_retry(self, attempt: int, failure: PaymanError, delay: float) -> None:
        """Record that an attempt failed, and that another follows."""

    def record_fetch(self, task_id: str, state: str | None) -> None:
        """Record a look-up of a task; the state is None if the agent does not know the task."""

    def record_state(self, task_id: str, state: str) -> None:
        """Record that a task has changed state."""

    def record_stream_open(self, task_id: str, *, is_again: bool) -> None:
        """Record that a stream is open, or, once it broke, open again."""

    def record_stream_break(self, task_id: str, failure: PaymanError) -> None:
        """Record that a stream broke; it resumes, or a look-up follows the task."""

    def record_event(self, task_id: str, event: StreamEvent) -> None:
        """Record an event that a stream delivered."""

    def record_refresh(self, began: TokenRefreshBegan) -> None:
        """Record that an access token is about to be fetched."""

    def record_refresh_end(self, began: TokenRefreshBegan, refresh: TokenRefresh | None) -> None:
        """Record that it was fetched, or not; the refresh is None where who needed it was canceled."""

    def record_end(self, ended: AskEnded) -> None:
        """Record that an ask has ended."""


class EventTracker(Tracker):
    """Notifies listeners of one ask, beside counting it. `first_event` are the seconds until the first event of a stream."""

    first_event: float | None = None
    _began_at = 0.0

    def _track(self, flow: Flow[T], ask: AskRequest) -> Flow[T]:
        self._began_at = self._clock()
        notify(self.listeners, lambda one: one.record_begin(ask, is_stream=self.is_stream))
        return (yield from super()._track(flow, ask))

    def record_end(self, ask: AskRequest, outcome: str, error: PaymanError | None) -> None:
        state = None if self.state is None else redact_state(self.state)
        ended = AskEnded(ask, self, outcome, state, error, self._clock() - self._began_at)
        notify(self.listeners, lambda one: one.record_end(ended))

    def track_request(self, send: SendRequest) -> Flow[HTTPResponse]:
        path = str(send.request["url"]).partition("?")[0]
        resends = self._sends[path] = self._sends.get(path, -1) + 1
        began = AttemptBegan(self._task_id, str(send.request["method"]).upper(), path, resends, {})
        sent_at = self._clock()
        notify(self.listeners, lambda one: one.record_attempt(began))
        if began.headers:
            headers = {**send.request.get("headers", {}), **began.headers}
            send = send._replace(request={**send.request, "headers": headers})
        status, failure = None, None
        try:
            answer = yield from super().track_request(send)
            status = answer.status_code
        except BaseException as error:
            failure = type(error).__name__
            raise
        finally:
            seconds = self._clock() - sent_at
            notify(self.listeners, lambda one: one.record_answer(began, status, failure, seconds))
        return answer

    def record_event(self, task_id: str, event: StreamEvent) -> CallHook | None:
        if self.first_event is None:
            self.first_event = self._clock() - self._began_at
        notify(self.listeners, lambda one: one.record_event(task_id, event))
        return super().record_event(task_id, event)
