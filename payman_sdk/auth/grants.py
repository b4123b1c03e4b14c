"""OAuth grants: the token request a client sends, and the token it reads from the answer."""

from __future__ import annotations

import base64
import math
import re
from typing import TYPE_CHECKING, Any

from attrs import field, frozen

from payman_api.api.oauth import create_token
from payman_api.models.grant_type import GrantType
from payman_api.models.legacy_token_response import LegacyTokenResponse
from payman_api.models.token_response import TokenResponse
from payman_api.types import Unset
from payman_sdk.errors import (
    AuthenticationError,
    ErrorResponse,
    ResponseValidationError,
    class_of_status,
    shortened,
    shown,
)
from payman_sdk.responses import json_object

if TYPE_CHECKING:
    import httpx

_UNSAID_LIFETIME = 3600.0
"""Seconds a token is taken to live when its answer does not say."""

_CARRIED = re.compile(r"[!-~]+")
"""What a header carries unchanged: visible ASCII."""


@frozen
class Token:
    """An access token. Its value is in no `repr`.

    Args:
        value: What goes into the header.
        lifetime: Seconds it lives from when it was issued.
        expires_at: When it ends, on the clock of the client.
    """

    value: str = field(repr=False)
    lifetime: float
    expires_at: float


@frozen
class ClientCredentials:
    """The client credentials grant: the application acts for its own account [D]."""

    client_id: str
    client_secret: str = field(repr=False)

    def request(self) -> dict[str, Any]:
        """The token request, as keywords for httpx. Its parameters travel in the query, as Payman wants them [D]."""
        request = create_token.build_request(grant_type=GrantType.CLIENT_CREDENTIALS)
        pair = base64.b64encode(f"{self.client_id}:{self.client_secret}".encode()).decode()
        return {**request, "headers": {"Authorization": f"Basic {pair}"}}


def read_token(answer: httpx.Response, now: float) -> Token:
    """The token in an answer of the token endpoint, in camelCase or snake_case.

    Args:
        answer: The answer, read whole.
        now: The time on the client's clock when the request was sent.

    Raises:
        AuthenticationError: The server refused: 400, 401 or 403.
        APIStatusError: Another error status.
        ResponseValidationError: The answer holds no token; its values are not repeated.
    """
    if not answer.is_success:
        raise _refusal(answer)
    try:
        parsed = create_token.parse_answer(response=answer)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        parsed = None
    if not isinstance(parsed, TokenResponse | LegacyTokenResponse):
        raise _nonsense(answer)
    lifetime = _lifetime(parsed.expires_in)
    if lifetime is None or not _CARRIED.fullmatch(parsed.access_token):
        raise _nonsense(answer)
    return Token(parsed.access_token, lifetime, now + lifetime)


def _lifetime(expires_in: Any) -> float | None:
    """Seconds a token lives; None for nonsense. RFC 6749 allows a server not to say, and a 401 will tell then [P]."""
    if expires_in is None or isinstance(expires_in, Unset):
        return _UNSAID_LIFETIME
    if isinstance(expires_in, bool) or not isinstance(expires_in, int | float | str):
        return None
    try:
        lifetime = float(expires_in)
    except (ValueError, OverflowError):
        return None
    return lifetime if 0 < lifetime < math.inf else None


def _refusal(answer: httpx.Response) -> Exception:
    response = ErrorResponse(answer.status_code, answer.content, answer.headers.get("content-type", ""))
    refused = answer.status_code in {400, 401, 403}
    error_class = AuthenticationError if refused else class_of_status(answer.status_code)
    said = _oauth_error(answer)
    reason = said.get("error_description") or said.get("error")
    failure = error_class(
        f"Payman issued no access token: {shortened(reason) if reason else shown(response)}.",
        next_step="Check client_id, client_secret and the environment they belong to." if refused else "",
        response=response,
    )
    if isinstance(failure, AuthenticationError):
        failure.error, failure.error_description = said.get("error"), said.get("error_description")
    return failure


def _oauth_error(answer: httpx.Response) -> dict[str, str]:
    """The `error` and `error_description` of RFC 6749, section 5.2, as far as they are there."""
    body = json_object(answer) or {}
    return {key: body[key] for key in ("error", "error_description") if isinstance(body.get(key), str)}


def _nonsense(answer: httpx.Response) -> ResponseValidationError:
    """Tells the shape of an answer and none of its values: they may be secrets."""
    body = json_object(answer)
    shape = (
        f"{len(answer.content)} bytes of {answer.headers.get('content-type', 'no content type')}"
        if body is None
        else "{" + ", ".join(f"{key}: {type(value).__name__}" for key, value in body.items()) + "}"
    )
    return ResponseValidationError(
        f"The token endpoint answered without a usable token: {shortened(shape)}.",
        next_step="An access token (accessToken) and its lifetime in seconds (expiresIn) were expected.",
        status_code=answer.status_code,
    )
