"""Send JSON-RPC requests to the agent with a valid token, and read each answer as a task or an exception."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from payman_api import ACCESS_TOKEN_HEADER
from payman_sdk._core.effects import Flow, SendRequest
from payman_sdk._core.error_classes import (
    PLAIN_REFUSALS,
    build_agent_error,
    build_error_response,
    build_status_error,
    build_unreadable_error,
)
from payman_sdk._core.http import (
    BufferedResponse,
    HTTPResponse,
    ResponseHeaders,
    is_event_stream,
    redact_answer,
)
from payman_sdk._core.task_reader import ParsedTask, find_task_id, read_task, unwrap_task
from payman_sdk._core.wire_json import as_list, as_object, decode_nested, read_json, unwrap_single
from payman_sdk._text.error_response import shorten
from payman_sdk.errors import PaymanError, TaskNotFoundError

if TYPE_CHECKING:
    from payman_sdk._core.auth.grants import AccessToken
    from payman_sdk._core.auth.tokens import TokenManager
    from payman_sdk._core.retry import CallContext

_ABOUT_ACCESS = {401, 403, 429}
"""HTTP statuses that concern the caller and not the request, whatever the body says."""


def call_agent(
    request: dict[str, Any], request_id: str, task_id: str, time: CallContext, *, renews: bool = True
) -> Flow[tuple[dict[str, Any], ParsedTask]]:
    """Send a request about a task, and return the JSON-RPC answer with the task in it.

    Raises as `send_authenticated` and `read_answer`. "Not found" counts only if it certainly answers
    this request: it makes the caller send an ask again.
    """
    answer: HTTPResponse = yield from send_authenticated(request, time, renews=renews)
    try:
        return read_answer(answer, request_id, task_id)
    except TaskNotFoundError as error:
        if not time.watch.may_be_stale or error.request_id == request_id:
            raise
        time.watch.needs_connection = True
    raise build_unreadable_error(answer, "a refusal that names no request")


def send_authenticated(
    request: dict[str, Any],
    time: CallContext,
    *,
    patience: float | None = None,
    is_stream: bool = False,
    renews: bool = True,
) -> Flow[HTTPResponse]:
    """Send a request with a valid token and return the answer; an event stream may be left open.

    A 401 invalidates the token. With `renews`, for reads, the request is sent once more with another. An ask is looked up first,
    because a 401 may come from a gateway that passed the request on.
    """
    tokens, patience = time.tokens, time.patience if patience is None else patience
    if time.options.headers:
        request = {**request, "headers": {**time.options.headers, **request.get("headers", {})}}

    def send(token: AccessToken) -> Flow[HTTPResponse]:
        headers = {**request.get("headers", {}), ACCESS_TOKEN_HEADER: token.value}
        if time.watch.needs_connection:  # the next request then has one on which nothing can be stale
            headers["Connection"] = "close"
        return time.watch.track_request(
            SendRequest({**request, "headers": headers}, time.deadline, patience, is_stream)
        )

    token = yield from _get_token(tokens, time.deadline)
    answer = yield from send(token)
    if answer.status_code == 401:
        tokens.invalidate(token)
        if renews:
            token = yield from _get_token(tokens, time.deadline)
            answer = yield from send(token)
    if is_stream and is_event_stream(answer):
        return answer
    # A server may repeat secrets in a success as well.
    body = redact_answer(answer.content, token.value)
    if body is not answer.content:
        answer = BufferedResponse(answer.status_code, answer.headers, body)
    if (failure := find_inconclusive_error(answer)) is not None:
        raise failure
    return answer


def _get_token(tokens: TokenManager, deadline: float) -> Flow[AccessToken]:
    try:
        return (yield from tokens.get(deadline))
    except PaymanError as error:
        error.sent = False  # the token request perhaps, what the token was wanted for certainly not
        raise


def read_answer(answer: HTTPResponse, request_id: str, task_id: str) -> tuple[dict[str, Any], ParsedTask]:
    """Read the JSON-RPC answer and the task in it, however odd, if it is the one that was meant and has a state.

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
        read, came, warnings = read_json(answer.content)
        read, came = decode_nested(read), decode_nested(came)
    except ValueError:
        read, came, warnings = None, None, []
    body = _extract_answer(read, request_id, task_id)
    said_id = None if body is None else body.get("id")
    if isinstance(said_id, str) and said_id != request_id:
        raise build_unreadable_error(answer, f"the answer to another request, {shorten(repr(said_id))}")
    error, result = (None, None) if body is None else (body.get("error"), body.get("result"))
    why = "neither result nor error"
    # What the agent says about this task counts for more than a status or an error that somebody put beside it.
    if body is not None and result is not None:
        found, why = _extract_task(result, task_id, is_ours=said_id == request_id)
        task = None if found is None else read_task(found, task_id, came)
        if task is not None:
            if said_id is not None and not isinstance(said_id, str | int | float):
                warnings.append("id: neither a text nor a number")
            if error:
                warnings.append("error: beside a result")
            task.warnings[:0] = warnings
            task.headers = ResponseHeaders(answer.headers)
            return body if read is came else _extract_answer(came, request_id, task_id) or body, task
        if found or (result and said_id == request_id):  # no status and no error beside a result is a refusal
            raise build_unreadable_error(answer, why)
    # The agent may not have been able to read the id. Any other, such as a number, makes it the refusal of another request.
    is_ours = said_id == request_id or (said_id is None and not result)
    refusal = build_agent_error(body, build_error_response(answer)) if is_ours else None
    if refusal is not None and said_id == request_id:
        refusal.request_id = request_id  # which proves that it answers this request
    if not answer.is_success:
        in_json_rpc = answer.status_code < 500 and answer.status_code not in _ABOUT_ACCESS
        if isinstance(refusal, TaskNotFoundError) and answer.status_code not in PLAIN_REFUSALS:
            in_json_rpc = False  # a gateway's words, perhaps; whoever believes them sends an ask again
        raise (refusal if in_json_rpc else None) or build_status_error(answer)
    if body is None:
        raise build_unreadable_error(answer, "no JSON object")
    if error is not None:
        got = "a JSON-RPC error without a code" if is_ours else "the refusal of another request"
        raise refusal or build_unreadable_error(answer, got)
    raise build_unreadable_error(answer, why)


def _extract_answer(came: Any, request_id: str, task_id: str) -> dict[str, Any] | None:
    """Return the JSON-RPC answer: also the only one of a list, and one made around a bare task."""
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

    If `is_ours`, the answer names the request, so it need not name the task.
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


def find_inconclusive_error(answer: HTTPResponse) -> PaymanError | None:
    """Return the error for an answer that leaves open if the request was processed, else None.

    A redirect or a 5xx may follow a processed request. 503 with Retry-After asks for another attempt.
    """
    status = answer.status_code
    asks_to_wait = status == 503 and "retry-after" in answer.headers
    if asks_to_wait or (status < 500 and status not in range(300, 400)):
        return None
    failure = build_status_error(answer, f"The server answered HTTP {status}")
    failure.sent = True
    return failure
