"""What an error answer says: its exception, whether it refuses, and how long to wait."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Mapping
from typing import Any

from payman_sdk import errors
from payman_sdk._core.http import HTTPResponse
from payman_sdk._core.wire_json import as_object, parse_int
from payman_sdk._error_base import CLASSES
from payman_sdk._text.error_response import ErrorResponse, format_sentence, shorten, summarize_body

_NEXT_STEPS = {
    401: "Check the credentials, and the environment they belong to.",
    403: "Check the scopes of the token.",
    404: "Check base_url.",
    429: "Wait, or raise max_retries.",
}

PLAIN_REFUSALS = frozenset({400, 403, 404, 405, 406, 411, 413, 414, 415, 422, 431, 451})
"""HTTP statuses of requests that were refused before anything was done. Every other error status leaves it open."""

AGENT_REFUSALS = frozenset({-32700, -32600, -32601, -32602, -32001, -32002, -32003, -32004})
"""JSON-RPC codes with which the agent refuses a request. Every other code leaves open what was done."""


_MARK = "Payman: "
"""How the SDK's note on an exception begins; there is one at most, as some are raised again and again."""


def find_status_class(status_code: int) -> type[errors.APIStatusError]:
    """Return the class for an HTTP status; `APIStatusError` itself for one without a class."""
    base = errors.APIStatusError
    found: type[errors.APIStatusError] | None = CLASSES.get((base, status_code))
    return found or (errors.ServerError if status_code >= 500 else base)


def find_code_class(code: int) -> type[errors.AgentError]:
    """Return the class for a JSON-RPC error code; `AgentError` itself for one without a class."""
    found: type[errors.AgentError] = CLASSES.get((errors.AgentError, code), errors.AgentError)
    return found


def build_error_response(answer: HTTPResponse) -> ErrorResponse:
    return ErrorResponse(answer.status_code, answer.content, headers=answer.headers)


def build_agent_error(
    body: dict[str, Any] | None, response: ErrorResponse | None = None
) -> errors.PaymanError | None:
    """Return the error for a JSON-RPC error; None where the body holds none."""
    members = as_object((body or {}).get("error")) or {}
    given, message = members.get("code"), members.get("message")
    code = None if isinstance(given, bool | str) else parse_int(given)
    if code is None:
        return None
    said = message if isinstance(message, str) and message else "no message"
    what = f"The agent answered with error {code}: {format_sentence(shorten(said))}"
    failure = find_code_class(code)(what, response=response)
    failure.code, failure.data = code, members.get("data")
    return failure


def build_status_error(answer: HTTPResponse, what: str = "Payman refused") -> errors.PaymanError:
    response, status = build_error_response(answer), answer.status_code
    said = f"{what}: {summarize_body(response)}."
    return find_status_class(status)(said, next_step=_NEXT_STEPS.get(status, ""), response=response)


def build_unreadable_error(answer: HTTPResponse, got: str) -> errors.ResponseValidationError:
    response = build_error_response(answer)
    return errors.ResponseValidationError(
        f"The agent's answer holds {got}: {summarize_body(response)}.",
        next_step="client.get_task(error.task_id) returns the outcome.",
        response=response,
    )


def parse_retry_after(failure: errors.PaymanError, now: Callable[[], float]) -> float | None:
    """Return for how many seconds the server wants to be left alone, or None.

    It is in `retry-after-ms`, or in `Retry-After` as seconds or a date, by its own clock if it sends the time.
    """
    if failure.response is None:
        return None
    headers = failure.response.headers
    for name, in_a_second in (("retry-after-ms", 1000), ("retry-after", 1)):
        with contextlib.suppress(ValueError):
            seconds = float(headers.get(name, "")) / in_a_second
            if math.isfinite(seconds):
                return max(0.0, seconds)
    if "retry-after" not in headers:
        return None
    with contextlib.suppress(ValueError, OverflowError):
        return max(0.0, _read_date(headers["retry-after"]) - read_sending_time(headers, now))
    return None


def read_sending_time(headers: Mapping[str, str], now: Callable[[], float]) -> float:
    """Return when an answer was sent, in seconds since 1970, `now` by default. Raises ValueError or OverflowError."""
    return _read_date(headers["date"]) if "date" in headers else now()


def _read_date(text: str) -> float:
    from email.utils import parsedate_to_datetime

    return parsedate_to_datetime(text).timestamp()


def describe_interruption(
    error: BaseException, ids: Mapping[str, str | None], *, sent: bool, end: str | None = None
) -> None:
    """Write the ids of the interrupted ask on an exception, and a note. An exception that takes neither stays as it is.

    `end` is the final state of the task, if it was seen.
    """
    for name, value in ids.items():
        with contextlib.suppress(Exception):
            setattr(error, name, value)
    task_id = ids["task_id"]
    note = (
        f"{_MARK}The ask was sent, and its {'outcome is unknown' if end is None else f'task is {end}'}: task {task_id}. "
        f"client.get_task({task_id!r}) returns its state. Do not send it again."
        if sent
        else f"{_MARK}Nothing was sent: the ask (task {task_id}) was interrupted before it was sent."
    )
    with contextlib.suppress(Exception):
        notes = [one for one in getattr(error, "__notes__", ()) if not str(one).startswith(_MARK)]
        error.__notes__ = [*notes, note]


def is_described(error: BaseException, ids: Mapping[str, str | None]) -> bool:
    """Whether an exception is the SDK's or a cassette's, or has this very note already."""
    with contextlib.suppress(Exception):  # an exception may break whoever looks at it
        is_ours = isinstance(error, errors.PaymanError) or getattr(error, "task_id", None) == ids["task_id"]
        return is_ours or (isinstance(error, Exception) and is_not_recorded(error))
    return False


def is_not_recorded(error: Exception) -> bool:
    """Return whether vcrpy raised this for a request that a cassette lacks. Nothing was sent, and it passes unchanged."""
    return type(error).__module__ == "vcr.errors"
