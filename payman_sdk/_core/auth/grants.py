"""OAuth grants: the token requests of an application, and the token in their answers."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

from payman_api.api.oauth import create_token
from payman_api.models.grant_type import GrantType
from payman_api.models.legacy_token_response import LegacyTokenResponse
from payman_api.models.token_response import TokenResponse
from payman_api.types import UNSET, Unset
from payman_sdk._core.formatting import json_object
from payman_sdk._secrets import Secret, basic_credentials, sent_secrets
from payman_sdk.errors import (
    AuthenticationError,
    ErrorResponse,
    ResponseValidationError,
    class_of_status,
    shortened,
    shown,
)

if TYPE_CHECKING:
    import httpx

_UNSAID_LIFETIME = 3600.0
"""Seconds a token is taken to live when its answer does not say."""


class IssuedToken(NamedTuple):
    """What the token endpoint issued. Its values are in no `repr`.

    Args:
        access_token: What goes into the header.
        lifetime: Seconds it lives from when it was issued.
        expires_at: When it ends, on the clock of the client.
        refresh_token: What gets the next one; None where the answer holds none.
        scope: What it allows, as the server said it.
    """

    access_token: Secret
    lifetime: float
    expires_at: float
    refresh_token: Secret | None
    scope: str | None


class Application(NamedTuple):
    """Who asks for tokens. Requests are keywords for httpx; their parameters travel in the query, as Payman wants them [D].

    An application without a secret is a public client: it sends its id as a parameter, and no Basic header [P].
    """

    client_id: str
    client_secret: Secret | None = None

    def client_credentials(self) -> dict[str, Any]:
        """The request for a token of the application's own account [D]."""
        return self._identified(GrantType.CLIENT_CREDENTIALS)

    def authorization_code(
        self, code: str, *, redirect_uri: str | None = None, code_verifier: str | None = None
    ) -> dict[str, Any]:
        """The request that exchanges a code [D]; address and verifier go with it where they are known [P]."""
        return self._identified(
            GrantType.AUTHORIZATION_CODE, code=code, redirect_uri=redirect_uri, code_verifier=code_verifier
        )

    def refresh(self, refresh_token: str) -> dict[str, Any]:
        """The request for a new token in place of an old one [D]."""
        return self._identified(GrantType.REFRESH_TOKEN, refresh_token=refresh_token)

    def _identified(self, grant_type: GrantType, **parameters: str | None) -> dict[str, Any]:
        given: dict[str, Any] = {name: value for name, value in parameters.items() if value is not None}
        request = create_token.build_request(
            grant_type=grant_type, client_id=UNSET if self.client_secret else self.client_id, **given
        )
        if not self.client_secret:
            return request
        return {
            **request,
            "headers": {"Authorization": basic_credentials(self.client_id, self.client_secret)},
        }


def is_carried(token: str) -> bool:
    """Whether a header carries a token unchanged: whether it is visible ASCII."""
    return bool(token) and token.isascii() and token.isprintable() and " " not in token


def read_token(answer: httpx.Response, sent_at: float) -> IssuedToken:
    """The token in an answer of the token endpoint, in camelCase or snake_case.

    Args:
        answer: The answer, read whole.
        sent_at: The time on the client's clock when the request was sent: the token is not older than that.

    Raises:
        AuthenticationError: The server refused: 400, 401 or 403.
        APIStatusError: Another error status.
        ResponseValidationError: The answer holds no token; its values are not repeated.
    """
    if not answer.is_success:
        raise _refusal(answer)
    token = _token_in(answer, sent_at)
    if token is None:
        raise _nonsense(answer)
    return token


def _token_in(answer: httpx.Response, sent_at: float) -> IssuedToken | None:
    """The token; None for nonsense. Nothing is raised here, where a traceback would hold the token."""
    try:
        parsed = create_token.parse_answer(response=answer)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None
    if not isinstance(parsed, TokenResponse | LegacyTokenResponse):
        return None
    lifetime = _lifetime(parsed.expires_in)
    if lifetime is None or not is_carried(parsed.access_token):
        return None
    refresh_token, scope = parsed.refresh_token, parsed.scope
    issued = IssuedToken(
        Secret(parsed.access_token),
        lifetime,
        sent_at + lifetime,
        Secret(refresh_token) if isinstance(refresh_token, str) and is_carried(refresh_token) else None,
        scope if isinstance(scope, str) else None,
    )
    sent_secrets.add(issued.access_token)
    sent_secrets.add(issued.refresh_token)
    return issued


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
    response = ErrorResponse(answer.status_code, answer.content, headers=answer.headers)
    refused = answer.status_code in {400, 401, 403}
    error_class = AuthenticationError if refused else class_of_status(answer.status_code)
    said = _oauth_error(answer)
    reason = said.get("error_description") or said.get("error")
    failure = error_class(
        f"Payman issued no access token: {shortened(reason).removesuffix('.') if reason else shown(response)}.",
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
    return ResponseValidationError(
        f"The token endpoint answered without a usable token: {shortened(_shape(answer))}.",
        next_step="An access token (accessToken) and its lifetime in seconds (expiresIn) were expected.",
        status_code=answer.status_code,
    )


def _shape(answer: httpx.Response) -> str:
    body = json_object(answer)
    if body is None:
        return f"{len(answer.content)} bytes of {answer.headers.get('content-type', 'no content type')}"
    return "{" + ", ".join(f"{key}: {type(value).__name__}" for key, value in body.items()) + "}"
