"""Which exception an HTTP status, a JSON-RPC error code or an answer that cannot be read is."""

from __future__ import annotations

from typing import Any

from payman_sdk import errors
from payman_sdk._core.http_response import HTTPResponse
from payman_sdk._core.wire_json import as_object, parse_int
from payman_sdk._text.error_response import ErrorResponse, format_sentence, shorten, summarize_body

_BY_STATUS: dict[int, type[errors.APIStatusError]] = {
    400: errors.BadRequestError,
    401: errors.AuthenticationError,
    403: errors.PermissionDeniedError,
    404: errors.NotFoundError,
    409: errors.ConflictError,
    422: errors.UnprocessableEntityError,
    429: errors.RateLimitError,
}

_BY_CODE: dict[int, type[errors.AgentError]] = {
    -32700: errors.InvalidJSONError,
    -32600: errors.InvalidRequestError,
    -32601: errors.MethodNotFoundError,
    -32602: errors.InvalidParamsError,
    -32603: errors.InternalAgentError,
    -32001: errors.TaskNotFoundError,
    -32002: errors.TaskNotCancelableError,
    -32003: errors.PushNotificationsNotSupportedError,
    -32004: errors.UnsupportedOperationError,
}


def find_status_class(status_code: int) -> type[errors.APIStatusError]:
    """Return the class for an HTTP status; `APIStatusError` itself for one without a class."""
    return _BY_STATUS.get(status_code, errors.ServerError if status_code >= 500 else errors.APIStatusError)


def find_code_class(code: int) -> type[errors.AgentError]:
    """Return the class for a JSON-RPC error code; `AgentError` itself for one without a class."""
    return _BY_CODE.get(code, errors.AgentError)


def build_error_response(answer: HTTPResponse) -> ErrorResponse:
    """Return what an exception keeps of an answer."""
    return ErrorResponse(answer.status_code, answer.content, headers=answer.headers)


def build_agent_error(
    body: dict[str, Any] | None, response: ErrorResponse | None = None
) -> errors.PaymanError | None:
    """Return the error for a JSON-RPC error; None where the body holds none.

    Args:
        body: The JSON-RPC answer.
        response: The answer of HTTP that it came in, unless it came in a stream.
    """
    members = as_object((body or {}).get("error"))
    if members is None:
        return None
    given, message = members.get("code"), members.get("message")
    code = None if isinstance(given, bool | str) else parse_int(given)
    if code is None:
        return None
    said = message if isinstance(message, str) and message else "no message"
    failure = find_code_class(code)(
        f"The agent answered with error {code}: {format_sentence(shorten(said))}", response=response
    )
    failure.code, failure.data = code, members.get("data")
    return failure


def build_status_error(answer: HTTPResponse, what: str = "Payman refused") -> errors.PaymanError:
    """Return the error for an answer with an HTTP error status."""
    response = build_error_response(answer)
    return find_status_class(answer.status_code)(f"{what}: {summarize_body(response)}.", response=response)


def build_unreadable_error(answer: HTTPResponse, got: str) -> errors.ResponseValidationError:
    """Return the error for an answer of the agent that is neither a task nor an error."""
    response = build_error_response(answer)
    return errors.ResponseValidationError(
        f"The agent's answer holds {got}: {summarize_body(response)}.",
        next_step="client.get_task(error.task_id) returns the outcome.",
        response=response,
    )
