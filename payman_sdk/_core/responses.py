"""From the answer of an agent endpoint to its task, or to the exception that says what was got instead."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from payman_sdk._core.part_normalization import a_list, alone, an_object, whole_number
from payman_sdk._core.task_reader import ReadTask, read_task, task_id_in, unwrapped
from payman_sdk._core.wire_json import decoded, read_json
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

if TYPE_CHECKING:
    import httpx

_ABOUT_ACCESS = {401, 403, 429}
"""HTTP statuses that say something about the caller and nothing about the request, whatever the body says."""


def read_answer(answer: httpx.Response, request_id: str, task_id: str) -> tuple[dict[str, Any], ReadTask]:
    """Read the JSON-RPC answer, and the task in it, which has to be the one that was meant.

    An answer about that task is read however odd it is, as long as its state can be recognised.

    Raises:
        APIStatusError: An HTTP error status.
        AgentError: A JSON-RPC error; with an HTTP status of 401, 403, 429 or 5xx, that is what counts.
        ResponseValidationError: Anything that is neither.
    """
    try:
        return _read_answer(answer, request_id, task_id)
    except PaymanError as error:
        failure = error.with_traceback(None)
    # Raised out here, it shows no frame that holds what the server said, which may be a secret.
    failure.__context__ = None
    raise failure


def _read_answer(answer: httpx.Response, request_id: str, task_id: str) -> tuple[dict[str, Any], ReadTask]:
    try:
        came, warnings = read_json(answer.content)
        came = decoded(came)
    except ValueError:
        came, warnings = None, []
    body = _answer_in(came, request_id, task_id)
    said_id = None if body is None else body.get("id")
    if isinstance(said_id, str) and said_id != request_id:
        raise _unreadable(answer, f"the answer to another request, {shortened(repr(said_id))}")
    error, result = (None, None) if body is None else (body.get("error"), body.get("result"))
    why = "neither result nor error"
    # What the agent says about this task counts for more than a status or an error that somebody put beside it.
    if body is not None and result is not None:
        found, why = _task_in(result, task_id, is_ours=said_id == request_id)
        task = None if found is None else read_task(found, task_id, came)
        if task is not None:
            _note_oddities(task, said_id, error, warnings)
            return body, task
        error = error if found is None else None
    if not answer.is_success:
        in_json_rpc = answer.status_code < 500 and answer.status_code not in _ABOUT_ACCESS
        raise (agent_error(body, error_response(answer)) if in_json_rpc else None) or _status_error(answer)
    if body is None:
        raise _unreadable(answer, "no JSON object")
    if error is not None:
        is_readable = said_id is None or isinstance(said_id, str | int | float)
        failure = agent_error(body, error_response(answer)) if is_readable else None
        raise failure or _unreadable(answer, "a JSON-RPC error without a code")
    raise _unreadable(answer, why)


def _answer_in(came: Any, request_id: str, task_id: str) -> dict[str, Any] | None:
    """The JSON-RPC answer in what came: also the only one of a list, and around a task that came without."""
    body = an_object(came)
    if (several := a_list(came)) is not None:
        objects = [one for one in map(an_object, several) if one is not None]
        ours = [one for one in objects if one.get("id") in (request_id, task_id)]
        body = an_object(alone(ours or objects))
    if body is None:
        return None
    told = None if "result" in body or "error" in body else unwrapped(body)
    is_bare = told is not None and task_id_in(told) == task_id
    return {"jsonrpc": "2.0", "id": request_id, "result": body} if is_bare else body


def _task_in(result: Any, task_id: str, *, is_ours: bool) -> tuple[dict[str, Any] | None, str]:
    """The JSON of the task that was meant, or None; and what cannot be read otherwise.

    Args:
        result: The result of the answer.
        task_id: The id of the task.
        is_ours: Whether the answer names the request, so that it need not name the task.
    """
    task = unwrapped(result)
    if task is None:
        return None, "no task"
    said_id = task_id_in(task)
    if said_id == task_id or (said_id in (None, "") and is_ours):
        return task, "a task without a state"
    if said_id in (None, ""):
        return None, "a task without an id"
    return None, f"another task, {shortened(repr(said_id))}"


def _note_oddities(task: ReadTask, said_id: Any, error: Any, warnings: list[str]) -> None:
    """Notes what is odd about the answer that a task came in."""
    if said_id is not None and not isinstance(said_id, str | int | float):
        warnings.append("id: neither a text nor a number")
    if error:
        warnings.append("error: beside a result")
    task.warnings[:0] = warnings


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
    members = an_object((body or {}).get("error"))
    if members is None:
        return None
    given, message = members.get("code"), members.get("message")
    code = None if isinstance(given, bool | str) else whole_number(given)
    if code is None:
        return None
    said = message if isinstance(message, str) and message else "no message"
    failure = class_of_code(code)(
        f"The agent answered with error {code}: {sentence(shortened(said))}", response=response
    )
    failure.code, failure.data = code, members.get("data")
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
