"""From the answer of an agent endpoint to its task, or to the exception that says what was got instead."""

from __future__ import annotations

from typing import Any

from payman_sdk._core.error_classes import find_code_class, find_status_class
from payman_sdk._core.http_response import HTTPResponse
from payman_sdk._core.task_reader import ParsedTask, find_task_id, read_task, unwrap_task
from payman_sdk._core.wire_json import as_list, as_object, decode_nested, parse_int, read_json, unwrap_single
from payman_sdk._text.error_response import (
    ErrorResponse,
    ResponseHeaders,
    format_sentence,
    shorten,
    summarize_body,
)
from payman_sdk.errors import PaymanError, ResponseValidationError

_ABOUT_ACCESS = {401, 403, 429}
"""HTTP statuses that say something about the caller and nothing about the request, whatever the body says."""


def read_answer(answer: HTTPResponse, request_id: str, task_id: str) -> tuple[dict[str, Any], ParsedTask]:
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


def _read_answer(answer: HTTPResponse, request_id: str, task_id: str) -> tuple[dict[str, Any], ParsedTask]:
    try:
        came, warnings = read_json(answer.content)
        came = decode_nested(came)
    except ValueError:
        came, warnings = None, []
    body = _extract_answer(came, request_id, task_id)
    said_id = None if body is None else body.get("id")
    if isinstance(said_id, str) and said_id != request_id:
        raise _build_unreadable_error(answer, f"the answer to another request, {shorten(repr(said_id))}")
    error, result = (None, None) if body is None else (body.get("error"), body.get("result"))
    why = "neither result nor error"
    # What the agent says about this task counts for more than a status or an error that somebody put beside it.
    if body is not None and result is not None:
        found, why = _extract_task(result, task_id, is_ours=said_id == request_id)
        task = None if found is None else read_task(found, task_id, came)
        if task is not None:
            _note_oddities(task, said_id, error, warnings)
            task.headers = ResponseHeaders(answer.headers)
            return body, task
        error = error if found is None else None
    # The agent may not have been able to read the id. Any other, such as a number, makes it the refusal of another request.
    is_ours = said_id is None or said_id == request_id
    refusal = build_agent_error(body, build_error_response(answer)) if is_ours else None
    if not answer.is_success:
        in_json_rpc = answer.status_code < 500 and answer.status_code not in _ABOUT_ACCESS
        raise (refusal if in_json_rpc else None) or _build_status_error(answer)
    if body is None:
        raise _build_unreadable_error(answer, "no JSON object")
    if error is not None:
        got = "a JSON-RPC error without a code" if is_ours else "the refusal of another request"
        raise refusal or _build_unreadable_error(answer, got)
    raise _build_unreadable_error(answer, why)


def _extract_answer(came: Any, request_id: str, task_id: str) -> dict[str, Any] | None:
    """Return the JSON-RPC answer in what came: also the only one of a list, and around a task that came without."""
    body = as_object(came)
    if (several := as_list(came)) is not None:
        objects = [one for one in map(as_object, several) if one is not None]
        ours = [one for one in objects if one.get("id") in (request_id, task_id)]
        body = as_object(unwrap_single(ours or objects))
    if body is None:
        return None
    bare_task = None if "result" in body or "error" in body else unwrap_task(body)
    is_bare = bare_task is not None and find_task_id(bare_task) == task_id
    return {"jsonrpc": "2.0", "id": request_id, "result": body} if is_bare else body


def _extract_task(result: Any, task_id: str, *, is_ours: bool) -> tuple[dict[str, Any] | None, str]:
    """Return the JSON of the task that was meant, or None; and what cannot be read otherwise.

    Args:
        result: The result of the answer.
        task_id: The id of the task.
        is_ours: Whether the answer names the request, so that it need not name the task.
    """
    task = unwrap_task(result)
    if task is None:
        return None, "no task"
    said_id = find_task_id(task)
    if said_id == task_id or (said_id in (None, "") and is_ours):
        return task, "a task without a state"
    if said_id in (None, ""):
        return None, "a task without an id"
    return None, f"another task, {shorten(repr(said_id))}"


def _note_oddities(task: ParsedTask, said_id: Any, error: Any, warnings: list[str]) -> None:
    """Note what is odd about the answer that a task came in."""
    if said_id is not None and not isinstance(said_id, str | int | float):
        warnings.append("id: neither a text nor a number")
    if error:
        warnings.append("error: beside a result")
    task.warnings[:0] = warnings


def find_inconclusive_error(answer: HTTPResponse) -> PaymanError | None:
    """Return the error for an answer that leaves open if the request was processed; None for one that says how it went.

    A redirect or a 5xx may follow a request that was processed. 503 with Retry-After asks for another attempt.
    """
    status = answer.status_code
    asks_to_wait = status == 503 and "retry-after" in answer.headers
    if asks_to_wait or (status < 500 and status not in range(300, 400)):
        return None
    failure = _build_status_error(answer, f"The server answered HTTP {status}")
    failure.sent = True
    return failure


def build_error_response(answer: HTTPResponse) -> ErrorResponse:
    """Return what an exception keeps of an answer."""
    return ErrorResponse(answer.status_code, answer.content, headers=answer.headers)


def build_agent_error(
    body: dict[str, Any] | None, response: ErrorResponse | None = None
) -> PaymanError | None:
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


def _build_status_error(answer: HTTPResponse, what: str = "Payman refused") -> PaymanError:
    response = build_error_response(answer)
    return find_status_class(answer.status_code)(f"{what}: {summarize_body(response)}.", response=response)


def _build_unreadable_error(answer: HTTPResponse, got: str) -> ResponseValidationError:
    response = build_error_response(answer)
    return ResponseValidationError(
        f"The agent's answer holds {got}: {summarize_body(response)}.",
        next_step="client.get_task(error.task_id) returns the outcome.",
        response=response,
    )
