"""The logger `payman_sdk`: at INFO a line for each ask, at DEBUG every decision. Retries warn for themselves.

It logs neither asks and answers nor the words of failures, in which a server may repeat them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from payman_sdk._core.retry import FailureClass
from payman_sdk._telemetry import events
from payman_sdk._text.logger import get_logger
from payman_sdk.errors import PaymanError

if TYPE_CHECKING:
    from payman_sdk._core.events import StreamEvent
    from payman_sdk._core.hook_payloads import TokenRefresh
    from payman_sdk._core.requests import AskRequest
    from payman_sdk._core.tracking import TokenRefreshBegan

log = get_logger()

_ENDS = {
    "input_required": "waits for input",
    "in_progress": "is still in progress",
    "errors": "ended with an error",
    "unknown": "has an unknown outcome",
    "abandoned": "was left by its caller",
}
_REASONS = {
    "first": "the client has none yet",
    "ending": "it expires soon",
    "ended": "it has expired",
    "refused": "Payman refused it",
    "code": "a code is exchanged",
}


class LogWriter(events.Listener):
    """Writes what flows report to the log."""

    def record_begin(self, ask: AskRequest, *, is_stream: bool) -> None:
        kind = "reply" if ask.is_reply else "stream" if is_stream else "ask"
        log.debug("%s: a new %s in %s, %s", ask.task_id, kind, ask.session_id, ask.request_id)

    def record_attempt(self, began: events.AttemptBegan) -> None:
        again = f", attempt {began.resends + 1}" if began.resends else ""
        log.debug("%s: %s %s%s", began.task_id or "token", began.method, began.path, again)

    def record_answer(
        self, began: events.AttemptBegan, status_code: int | None, error: str | None, seconds: float
    ) -> None:
        log.debug("%s: %s in %.3f s", began.task_id or "token", error or f"HTTP {status_code}", seconds)

    def record_failure(self, task_id: str, attempt: int, failure: PaymanError, verdict: str) -> None:
        said = _describe_error(failure)
        log.debug("%s: attempt %d: %s, so %s", task_id, attempt, said, FailureClass[verdict].value)

    def record_fetch(self, task_id: str, state: str | None) -> None:
        log.debug("%s: looked up, %s", task_id, state or "the agent does not know it")

    def record_state(self, task_id: str, state: str) -> None:
        log.debug("%s: %s", task_id, state)

    def record_stream_open(self, task_id: str, *, is_again: bool) -> None:
        log.debug("%s: the stream is open%s", task_id, " again" if is_again else "")

    def record_stream_break(self, task_id: str, failure: PaymanError) -> None:
        log.debug("%s: the stream broke: %s; resuming it", task_id, _describe_error(failure))

    def record_event(self, task_id: str, event: StreamEvent) -> None:
        log.debug("%s: event, %s", task_id, event["type"])

    def record_refresh(self, began: TokenRefreshBegan) -> None:
        log.debug("token: fetching one, because %s", _REASONS[began.reason])

    def record_refresh_end(self, began: TokenRefreshBegan, refresh: TokenRefresh | None) -> None:
        said = "left" if refresh is None else f"valid for {refresh.expires_in or 0:.0f} s"
        if refresh is not None and refresh.error is not None:
            said = _describe_error(refresh.error)
        log.debug("token: %s", said)

    def record_end(self, ended: events.AskEnded) -> None:
        log.info("%s", _summarize(ended))


def _summarize(ended: events.AskEnded) -> str:
    said = [f"{ended.ask.task_id} {_ENDS.get(ended.outcome, ended.outcome)} after {ended.seconds:.3f} s"]
    said += [f"{_describe_error(ended.error)}"] if ended.error is not None else []
    watch = ended.watch
    said += ["known already"] if watch.is_repeated else [_format_count(watch.attempts, "attempt")]
    said += [_format_count(watch.lookups, "look-up")] if watch.lookups else []
    said += ["reconciled"] if watch.is_reconciled else []
    said += [_format_count(watch.events, "event")] if watch.is_stream else []
    return f"{', '.join(said)} [{ended.ask.session_id}, {ended.ask.request_id}]"


def _format_count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _describe_error(error: PaymanError) -> str:
    status = f" (HTTP {error.status_code})" if error.status_code is not None else ""
    return f"{type(error).__name__}{status}"
