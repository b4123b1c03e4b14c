"""From the answer of an agent endpoint to its task, or to the exception that says what was got instead."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from payman_api.models.json_rpc_error import JsonRpcError
from payman_api.models.task_response import TaskResponse
from payman_api.types import Unset
from payman_sdk.errors import (
    ErrorResponse,
    PaymanError,
    ResponseValidationError,
    class_of_code,
    class_of_status,
    sentence,
    shortened,
    shown,
)
from payman_sdk.responses import json_object

if TYPE_CHECKING:
    import httpx

    from payman_api.models.task import Task

_ABOUT_ACCESS = {401, 403, 429}
"""HTTP statuses that say something about the caller and nothing about the request, whatever the body says."""


def read_answer(answer: httpx.Response, request_id: str, task_id: str) -> tuple[dict[str, Any], Task]:
    """The JSON-RPC answer as it came, and the task in it, which has to be the one that was meant.

    Raises:
        APIStatusError: An HTTP error status.
        AgentError: A JSON-RPC error; with an HTTP status of 401, 403, 429 or 5xx, that is what counts.
        ResponseValidationError: Anything that is neither.
    """
    body = json_object(answer)
    if body is not None and body.get("id") not in (None, request_id):
        raise _unreadable(answer, f"the answer to another request, {shortened(repr(body['id']))}")
    if not answer.is_success:
        in_json_rpc = answer.status_code < 500 and answer.status_code not in _ABOUT_ACCESS
        raise (agent_error(body, error_response(answer)) if in_json_rpc else None) or _status_error(answer)
    if body is None:
        raise _unreadable(answer, "no JSON object")
    if body.get("error") is not None:
        raise agent_error(body, error_response(answer)) or _unreadable(
            answer, "a JSON-RPC error without a code"
        )
    if body.get("result") is None:
        raise _unreadable(answer, "neither result nor error")
    try:
        task = TaskResponse.from_dict(body).result
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise _unreadable(answer, f"no task ({type(error).__name__}: {error})") from error
    if task is None or isinstance(task, Unset):
        raise _unreadable(answer, "no task")
    if task.id != task_id:
        raise _unreadable(answer, f"another task, {shortened(repr(task.id))}")
    return body, task


def nothing_said(answer: httpx.Response) -> PaymanError | None:
    """Return the error for an answer that leaves open if the request was processed; None for one that says how it went.

    A redirect or a 5xx may follow a request that was processed. 503 with Retry-After asks for another attempt.
    """
    status = answer.status_code
    asks_to_wait = status == 503 and "retry-after" in answer.headers
    if asks_to_wait or (status < 500 and status not in range(300, 400)):
        return None
    failure = _status_error(answer, f"The server answered HTTP {status}")
    failure.sent = True
    return failure


def error_response(answer: httpx.Response) -> ErrorResponse:
    """What an exception keeps of an answer."""
    return ErrorResponse(answer.status_code, answer.content, headers=answer.headers)


def agent_error(body: dict[str, Any] | None, response: ErrorResponse | None = None) -> PaymanError | None:
    """The error for a JSON-RPC error; None where the body holds none.

    Args:
        body: The JSON-RPC answer.
        response: The answer of HTTP that it came in, unless it came in a stream.
    """
    try:
        error = JsonRpcError.from_dict((body or {})["error"])
    except (ValueError, TypeError, KeyError, AttributeError):
        return None
    if not isinstance(error.code, int):
        return None
    said = error.message if isinstance(error.message, str) and error.message else "no message"
    failure = class_of_code(error.code)(
        f"The agent answered with error {error.code}: {sentence(shortened(said))}", response=response
    )
    failure.code, failure.data = error.code, None if isinstance(error.data, Unset) else error.data
    return failure


def _status_error(answer: httpx.Response, what: str = "Payman refused") -> PaymanError:
    response = error_response(answer)
    return class_of_status(answer.status_code)(f"{what}: {shown(response)}.", response=response)


def _unreadable(answer: httpx.Response, got: str) -> ResponseValidationError:
    response = error_response(answer)
    return ResponseValidationError(
        f"The agent's answer holds {got}: {shown(response)}.",
        next_step="Whether the ask was carried out, client.get_task(error.task_id) can tell.",
        response=response,
    )
