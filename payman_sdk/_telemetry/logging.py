"""What the logger `payman_sdk` says of events: at INFO a line for each ask, at DEBUG every decision. Retries warn for themselves.

Nothing is said of what was asked and answered, and no failure's own words: a server may repeat in them what it was sent.
"""

from __future__ import annotations

import logging
from typing import assert_never

from payman_sdk._core.hook_payloads import RetryDetails
from payman_sdk._telemetry import events
from payman_sdk._text.logger import get_logger
from payman_sdk.errors import PaymanError

log = get_logger()

_MEANING = {
    "FATAL": "it would fail again",
    "RETRYABLE": "nothing was sent, so it may be sent again",
    "TURNED_AWAY": "it was turned away; the task is looked up before it is sent again",
    "AMBIGUOUS": "it may have arrived; the task is looked up",
}
_ENDS = {
    "completed": "completed",
    "failed": "failed",
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


def log_event(event: events.Event) -> None:
    if isinstance(event, events.AskEnded):
        log.info("%s", _summarize(event))
    elif log.isEnabledFor(logging.DEBUG):
        match event:
            case events.AskBegan(ask, is_stream):
                kind = "reply" if ask.is_reply else "stream" if is_stream else "ask"
                log.debug("%s: a new %s in %s, %s", ask.task_id, kind, ask.session_id, ask.request_id)
            case events.AttemptBegan(task_id, method, path, resends):
                again = f", attempt {resends + 1}" if resends else ""
                log.debug("%s: %s %s%s", task_id or "token", method, path, again)
            case events.AttemptEnded(began, status, error, seconds):
                log.debug("%s: %s in %.3f s", began.task_id or "token", error or f"HTTP {status}", seconds)
            case events.FailureClassified(task_id, attempt, failure, verdict):
                log.debug(
                    "%s: attempt %d: %s, so %s", task_id, attempt, _describe_error(failure), _MEANING[verdict]
                )
            case events.TaskFetched(task_id, state):
                log.debug("%s: looked up, %s", task_id, state or "the agent does not know it")
            case events.StateChanged(task_id, state):
                log.debug("%s: %s", task_id, state)
            case events.StreamOpened(task_id, is_again):
                log.debug("%s: the stream is open%s", task_id, " again" if is_again else "")
            case events.StreamBroke(task_id, failure):
                log.debug("%s: the stream broke: %s; resuming it", task_id, _describe_error(failure))
            case events.EventReceived(task_id, received):
                log.debug("%s: event, %s", task_id, received["type"])
            case events.TokenRefreshBegan(reason):
                log.debug("token: fetching one, because %s", _REASONS[reason])
            case events.TokenRefreshEnded(_, renewal):
                said = "left" if renewal is None else f"valid for {renewal.expires_in or 0:.0f} s"
                if renewal is not None and renewal.error is not None:
                    said = _describe_error(renewal.error)
                log.debug("token: %s", said)
            case RetryDetails():
                pass
            case unlisted:
                assert_never(unlisted)


def _summarize(ended: events.AskEnded) -> str:
    said = [f"{ended.ask.task_id} {_ENDS[ended.outcome]} after {ended.seconds:.3f} s"]
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
