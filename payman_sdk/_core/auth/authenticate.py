"""How a request gets the token that is valid now, and another where the server refuses that one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from payman_api import ACCESS_TOKEN_HEADER
from payman_sdk._core.effects import Flow, SendRequest
from payman_sdk._core.http_response import HTTPResponse, RedactedResponse, is_event_stream, redact_answer
from payman_sdk._core.tracking import Tracker
from payman_sdk.errors import PaymanError

if TYPE_CHECKING:
    from payman_sdk._core.auth.tokens import AccessToken, TokenManager


def send_authenticated(
    request: dict[str, Any],
    tokens: TokenManager,
    deadline: float,
    patience: float | None = None,
    *,
    is_stream: bool = False,
    watch: Tracker | None = None,
    renews: bool = True,
    headers: Mapping[str, str] | None = None,
) -> Flow[HTTPResponse]:
    """Send a request with a valid token and return the answer; an event stream is left open where one is wanted.

    A 401 invalidates the token that was refused. With `renews`, the request is sent once more with another token: right for what only
    reads. An ask is looked up first, because a 401 may come from a gateway that passed the request on.
    """
    watch = watch or Tracker()
    if headers:
        request = {**request, "headers": {**headers, **request.get("headers", {})}}
    token = yield from _get_token(tokens, deadline)
    answer = yield from watch.track_request(SendRequest(_sign(request, token), deadline, patience, is_stream))
    if answer.status_code == 401:
        tokens.invalidate(token)
        if renews:
            token = yield from _get_token(tokens, deadline)
            answer = yield from watch.track_request(
                SendRequest(_sign(request, token), deadline, patience, is_stream)
            )
    return answer if is_stream and is_event_stream(answer) else _redact_answer(answer, token)


def _redact_answer(answer: HTTPResponse, token: AccessToken) -> HTTPResponse:
    """Return the answer, without the secrets that a server may repeat in a success as well."""
    body = redact_answer(answer.content, token.value)
    if body is answer.content:
        return answer
    return RedactedResponse(answer.status_code, answer.headers, body)


def _get_token(tokens: TokenManager, deadline: float) -> Flow[AccessToken]:
    try:
        return (yield from tokens.get(deadline))
    except PaymanError as error:
        error.sent = False  # the token request perhaps, what the token was wanted for certainly not
        raise


def _sign(request: dict[str, Any], token: AccessToken) -> dict[str, Any]:
    return {**request, "headers": {**request.get("headers", {}), ACCESS_TOKEN_HEADER: token.value}}
