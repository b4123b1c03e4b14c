"""OAuth grants: the token requests of an application, the token in their answers, and whose it is."""

from __future__ import annotations

import math
from typing import Any, NotRequired, TypedDict, TypeGuard, cast

from payman_api.api.oauth import create_token
from payman_api.models import GrantType, LegacyTokenResponse, TokenResponse
from payman_api.types import UNSET, Unset
from payman_sdk._annotations import NamedTuple, support_pydantic
from payman_sdk._core.error_classes import build_error_response, find_status_class
from payman_sdk._core.http import HTTPResponse
from payman_sdk._core.wire_json import parse_object
from payman_sdk._secrets import SecretStr, build_basic_credentials, sent_secrets
from payman_sdk._text.error_response import shorten, summarize_body
from payman_sdk.errors import AuthenticationError, ResponseValidationError

_UNSAID_LIFETIME = 3600.0
"""Seconds a token is taken to live when its answer does not say."""


class AccessToken(NamedTuple):
    """An access token. `lifetime` counts from its issue, in seconds; `expires_at` is on the clock of the client."""

    value: SecretStr
    lifetime: float
    expires_at: float


class IssuedToken(NamedTuple):
    """What the token endpoint issued. Its values are in no `repr`."""

    access_token: AccessToken
    refresh_token: SecretStr | None
    scope: str | None


class TokenOwner(NamedTuple):
    """Whose token it is, and what gets the next one.

    Requests are keywords for httpx; their parameters travel in the query [D]. A public client has no secret: it sends its id as a
    parameter, and no Basic header [P].

    Only with `has_own_account` may the application's credentials get a token. In place of a person's token, it would spend from
    another account.
    """

    client_id: str
    client_secret: SecretStr | None
    base_url: str
    has_own_account: bool

    @property
    def name(self) -> str:
        """The owner as stores write it down."""
        acting = "" if self.has_own_account else " for a person"
        return f"{self.client_id}{acting} at {self.base_url}"

    def build_code_request(self, code: str, **known: str | None) -> dict[str, Any]:
        """Return the request that exchanges a code [D]; `redirect_uri` and `code_verifier` go with it where they are known [P]."""
        return self.build_request(GrantType.AUTHORIZATION_CODE, code=code, **known)

    def build_request(self, grant_type: GrantType, **parameters: str | None) -> dict[str, Any]:
        """Return the request for a token of a grant; a parameter that is None is left out."""
        given: dict[str, Any] = {name: value for name, value in parameters.items() if value is not None}
        request = create_token.build_request(
            grant_type=grant_type, client_id=UNSET if self.client_secret else self.client_id, **given
        )
        if self.client_secret:
            credentials = build_basic_credentials(self.client_id, self.client_secret)
            request["headers"] = {"Authorization": credentials}
        return request


class TokenInfo(TypedDict):
    """A token, as `with_token` takes it and `get_access_token` gives it."""

    # The API's spelling.
    accessToken: str
    """What opens the API."""
    expiresIn: int
    """Seconds it still lives."""
    refreshToken: NotRequired[str]
    """What gets the next one."""


support_pydantic(TokenInfo)


def is_read_only(scope: str | None) -> bool:
    """Return whether a token of these scopes can only read; False if a scope is unknown, or all are."""
    from payman_api.models import Scope

    reading = {one.value for one in Scope if one.value.startswith("read_")}
    names = (scope or "").replace(",", " ").split()
    return bool(names) and reading.issuperset(names)


def is_header_safe(token: Any) -> TypeGuard[str]:
    """Whether a header carries a token unchanged: whether it is visible ASCII."""
    is_text = isinstance(token, str) and token.isascii() and token.isprintable()
    return bool(is_text and token and " " not in token)


def parse_token_response(answer: HTTPResponse, sent_at: float) -> IssuedToken:
    """Return the token in an answer of the token endpoint, in camelCase or snake_case.

    The token counts as issued at `sent_at`, on the client's clock, when the request was sent.

    Raises:
        AuthenticationError: The server refused: 400, 401 or 403.
        APIStatusError: Another error status.
        ResponseValidationError: The answer holds no token; its values are not repeated.
    """
    if not answer.is_success:
        raise _build_refusal(answer)
    token = _parse_token(answer, sent_at)
    if token is None:
        # The shape of the answer and none of its values: they may be secrets.
        raise ResponseValidationError(
            f"The token endpoint answered without a usable token: {shorten(_describe_shape(answer))}.",
            next_step="An access token (accessToken) and its lifetime in seconds (expiresIn) were expected.",
            status_code=answer.status_code,
        )
    return token


def _parse_token(answer: HTTPResponse, sent_at: float) -> IssuedToken | None:
    """Return the token; None for nonsense. Nothing is raised here, where a traceback would hold the token."""
    try:
        parsed = create_token.parse_answer(response=cast("Any", answer))
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None
    if not isinstance(parsed, TokenResponse | LegacyTokenResponse):
        return None
    lifetime = _parse_lifetime(parsed.expires_in)
    if lifetime is None or not is_header_safe(parsed.access_token):
        return None
    access_token = AccessToken(SecretStr(parsed.access_token), lifetime, sent_at + lifetime)
    refresh_token = SecretStr(parsed.refresh_token) if is_header_safe(parsed.refresh_token) else None
    sent_secrets.add(access_token.value)
    sent_secrets.add(refresh_token)
    return IssuedToken(access_token, refresh_token, parsed.scope if isinstance(parsed.scope, str) else None)


def _parse_lifetime(expires_in: Any) -> float | None:
    """Return the seconds that a token lives; None for nonsense. RFC 6749 lets a server omit it; a 401 then ends the token [P]."""
    if expires_in is None or isinstance(expires_in, Unset):
        return _UNSAID_LIFETIME
    try:
        lifetime = math.nan if isinstance(expires_in, bool) else float(expires_in)
    except (TypeError, ValueError, OverflowError):
        return None
    return lifetime if 0 < lifetime < math.inf else None


_CHECK = "Check client_id, client_secret and the environment they belong to."
_BEGIN_AGAIN = (
    "A code or refresh token is valid once, and not for long: send the person to a new authorization_url."
)


def _build_refusal(answer: HTTPResponse) -> Exception:
    response = build_error_response(answer)
    refused = answer.status_code in {400, 401, 403}
    error_class = AuthenticationError if refused else find_status_class(answer.status_code)
    body = parse_object(answer.content) or {}
    # RFC 6749, section 5.2, as far as it is there.
    said = {key: body[key] for key in ("error", "error_description") if isinstance(body.get(key), str)}
    reason = said.get("error_description") or said.get("error")
    next_step = "Check base_url." if answer.status_code in {404, 405} else _CHECK if refused else ""
    if refused and said.get("error") == "invalid_grant":
        next_step = _BEGIN_AGAIN
    failure = error_class(
        f"Payman issued no access token: {shorten(reason).removesuffix('.') if reason else summarize_body(response)}.",
        next_step=next_step,
        response=response,
    )
    if isinstance(failure, AuthenticationError):
        failure.error, failure.error_description = said.get("error"), said.get("error_description")
    return failure


def _describe_shape(answer: HTTPResponse) -> str:
    body = parse_object(answer.content)
    if body is None:
        return f"{len(answer.content)} bytes of {answer.headers.get('content-type', 'no content type')}"
    return "{" + ", ".join(f"{key}: {type(value).__name__}" for key, value in body.items()) + "}"
