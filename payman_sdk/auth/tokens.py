"""The token of a client: fetched on first need, kept, renewed before its end, dropped when the server refuses it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from payman_api import ACCESS_TOKEN_HEADER
from payman_sdk.auth.grants import ClientCredentials, Token, read_token
from payman_sdk.errors import APIConnectionError
from payman_sdk.flows import Alone, Flow, Send

if TYPE_CHECKING:
    import httpx

_MARGIN = 60.0
"""Seconds before its end from which a token counts as expired; at most half of its lifetime."""


class Tokens:
    """Holds the current token and tells how to get another.

    Args:
        grant: What gets a token.
        clock: Seconds that only go forward.
    """

    def __init__(self, grant: ClientCredentials, clock: Callable[[], float]) -> None:
        self._grant = grant
        self._clock = clock
        self._current: Token | None = None

    def usable(self) -> Token | None:
        """The current token, None where there is none or it is at its end."""
        token = self._current
        if token is None or token.expires_at - self._clock() <= min(_MARGIN, token.lifetime / 2):
            return None
        return token

    def obtain(self, deadline: float) -> Flow[Token]:
        """A flow that returns a token to use now; one fetch for any number of callers.

        Raises:
            AuthenticationError: Payman refused.
            APIConnectionError: It could not be asked.
        """
        token = self.usable()
        if token is None:
            token = yield Alone(self._renew(deadline))
        return token

    def forget(self, refused: Token) -> None:
        """Drops a token that the server refused, unless another has taken its place."""
        if self._current == refused:
            self._current = None

    def _renew(self, deadline: float) -> Flow[Token]:
        # Whoever waited for the lock finds the token that the one before has fetched.
        token = self.usable()
        if token is None:
            sent_at = self._clock()
            try:
                answer: httpx.Response = yield Send(self._grant.request(), deadline)
            except APIConnectionError as error:
                error.message = f"No access token could be fetched. {error.message}"
                error.sent = False  # the token request perhaps, what the token was wanted for certainly not
                raise
            token = self._current = read_token(answer, sent_at)
        return token


def authorized(request: dict[str, Any], tokens: Tokens, deadline: float) -> Flow[httpx.Response]:
    """A flow that sends a request with a valid token and returns the answer.

    A 401 drops the token that was refused, and the request is sent once more with another: it was not processed.
    """
    token = yield from tokens.obtain(deadline)
    answer: httpx.Response = yield Send(_signed(request, token), deadline)
    if answer.status_code == 401:
        tokens.forget(token)
        token = yield from tokens.obtain(deadline)
        answer = yield Send(_signed(request, token), deadline)
    return answer


def _signed(request: dict[str, Any], token: Token) -> dict[str, Any]:
    return {**request, "headers": {**request.get("headers", {}), ACCESS_TOKEN_HEADER: token.value}}
