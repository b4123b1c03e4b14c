"""How a request gets the token that is valid now, and another where the server refuses that one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from payman_api import ACCESS_TOKEN_HEADER
from payman_sdk._core.answer_scan import redact_answer
from payman_sdk._core.effects import Flow, Send
from payman_sdk._io.http import is_event_stream
from payman_sdk._telemetry.tracker import Watch
from payman_sdk.errors import PaymanError

if TYPE_CHECKING:
    import httpx

    from payman_sdk._core.auth.tokens import Token, Tokens


def authorized(
    request: dict[str, Any],
    tokens: Tokens,
    deadline: float,
    patience: float | None = None,
    *,
    is_stream: bool = False,
    watch: Watch | None = None,
    renews: bool = True,
) -> Flow[httpx.Response]:
    """Send a request with a valid token and return the answer; an event stream is left open where one is wanted.

    A 401 invalidates the token that was refused. With `renews`, the request is sent once more with another token: right for what only
    reads. An ask is looked up first, because a 401 may come from a gateway that passed the request on.
    """
    watch = watch or Watch()
    token = yield from _obtained(tokens, deadline)
    answer = yield from watch.sent(Send(_signed(request, token), deadline, patience, is_stream))
    if answer.status_code == 401:
        tokens.forget(token)
        if renews:
            token = yield from _obtained(tokens, deadline)
            answer = yield from watch.sent(Send(_signed(request, token), deadline, patience, is_stream))
    return answer if is_stream and is_event_stream(answer) else _redacted(answer, token)


def _redacted(answer: httpx.Response, token: Token) -> httpx.Response:
    """The answer, without the secrets that a server may repeat in a success as well."""
    body = redact_answer(answer.content, token.value)
    if body is answer.content:
        return answer
    import httpx

    headers = {name: answer.headers[name] for name in ("content-type",) if name in answer.headers}
    return httpx.Response(answer.status_code, headers=headers, content=body)


def _obtained(tokens: Tokens, deadline: float) -> Flow[Token]:
    try:
        return (yield from tokens.obtain(deadline))
    except PaymanError as error:
        error.sent = False  # the token request perhaps, what the token was wanted for certainly not
        raise


def _signed(request: dict[str, Any], token: Token) -> dict[str, Any]:
    return {**request, "headers": {**request.get("headers", {}), ACCESS_TOKEN_HEADER: token.value}}
