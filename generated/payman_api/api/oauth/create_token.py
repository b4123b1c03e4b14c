"""Exchange a grant for an access token: POST /api/oauth2/token."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..._http import HttpOperation, build
from ...types import UNSET, Response, Unset

if TYPE_CHECKING:
    import httpx

    from ...client import AuthenticatedClient, Client
    from ...models.error_answer import ErrorAnswer
    from ...models.grant_type import GrantType
    from ...models.legacy_token_response import LegacyTokenResponse
    from ...models.oauth_error import OAuthError
    from ...models.token_response import TokenResponse

_OPERATION: HttpOperation[
    TokenResponse | LegacyTokenResponse | OAuthError | ErrorAnswer, TokenResponse | LegacyTokenResponse
] = HttpOperation(
    __name__,
    {
        "200": ("json", "TokenResponse | LegacyTokenResponse"),
        "400": ("json", "OAuthError"),
        "401": ("json", "OAuthError"),
        "429": ("json", "ErrorAnswer"),
        "5XX": ("json", "ErrorAnswer"),
    },
    (range(200, 201),),
)


def build_request(
    *,
    grant_type: GrantType,
    code: str | Unset = UNSET,
    refresh_token: str | Unset = UNSET,
    client_id: str | Unset = UNSET,
    redirect_uri: str | Unset = UNSET,
    code_verifier: str | Unset = UNSET,
    auth: tuple[str, str] | Unset = UNSET,
) -> dict[str, Any]:
    """Return the keywords for `httpx.Client.build_request`; nothing is sent."""
    return build(
        "POST",
        "/api/oauth2/token",
        query={
            "grant_type": grant_type,
            "code": code,
            "refresh_token": refresh_token,
            "client_id": client_id,
            "redirect_uri": redirect_uri,
            "code_verifier": code_verifier,
        },
        auth=auth,
    )


def parse_answer(
    response: httpx.Response, *, raise_on_unexpected_status: bool = False
) -> TokenResponse | LegacyTokenResponse | OAuthError | ErrorAnswer | None:
    """Read an answer; None for a status that the spec does not have, or an error that is not as the spec has it.

    Raises:
        AttributeError, KeyError, TypeError, ValueError: The body of a success is not as the spec has it.
        errors.UnexpectedStatus: As asked for by `raise_on_unexpected_status`.
    """
    return _OPERATION.parse(response, raise_on_unexpected_status)


def sync_detailed(
    *,
    client: AuthenticatedClient | Client,
    grant_type: GrantType,
    code: str | Unset = UNSET,
    refresh_token: str | Unset = UNSET,
    client_id: str | Unset = UNSET,
    redirect_uri: str | Unset = UNSET,
    code_verifier: str | Unset = UNSET,
    auth: tuple[str, str] | Unset = UNSET,
) -> Response[TokenResponse | LegacyTokenResponse | OAuthError | ErrorAnswer]:
    """Exchange a grant for an access token.

    Parameters travel in the query string; whether the server reads a form body is unknown. The URL of
    this request is therefore a secret: it can hold an
    authorization code, a refresh token or a verifier, and must not reach a log.

    A client with a secret authenticates with HTTP Basic. A public client has no secret: it sends
    `client_id` as a parameter and no Basic header.

    Raises: As `parse_answer`, and httpx.HTTPError where the exchange failed.
    """
    return _OPERATION.send(
        client,
        build_request(
            grant_type=grant_type,
            code=code,
            refresh_token=refresh_token,
            client_id=client_id,
            redirect_uri=redirect_uri,
            code_verifier=code_verifier,
            auth=auth,
        ),
    )


async def asyncio_detailed(
    *,
    client: AuthenticatedClient | Client,
    grant_type: GrantType,
    code: str | Unset = UNSET,
    refresh_token: str | Unset = UNSET,
    client_id: str | Unset = UNSET,
    redirect_uri: str | Unset = UNSET,
    code_verifier: str | Unset = UNSET,
    auth: tuple[str, str] | Unset = UNSET,
) -> Response[TokenResponse | LegacyTokenResponse | OAuthError | ErrorAnswer]:
    """Do as `sync_detailed`, asynchronously."""
    return await _OPERATION.asend(
        client,
        build_request(
            grant_type=grant_type,
            code=code,
            refresh_token=refresh_token,
            client_id=client_id,
            redirect_uri=redirect_uri,
            code_verifier=code_verifier,
            auth=auth,
        ),
    )


def sync_parsed(
    *,
    client: AuthenticatedClient | Client,
    grant_type: GrantType,
    code: str | Unset = UNSET,
    refresh_token: str | Unset = UNSET,
    client_id: str | Unset = UNSET,
    redirect_uri: str | Unset = UNSET,
    code_verifier: str | Unset = UNSET,
    auth: tuple[str, str] | Unset = UNSET,
) -> TokenResponse | LegacyTokenResponse:
    """Exchange a grant for an access token, and return the body of a success; raise for anything else.

    Raises:
        errors.ErrorStatus, errors.UnexpectedStatus: The answer is not a success.
        errors.UnreadableAnswer: The body of a success is not as the spec has it. What was asked for may have been done.
        httpx.HTTPError: The exchange failed.
    """
    return _OPERATION.fetch(
        client,
        build_request(
            grant_type=grant_type,
            code=code,
            refresh_token=refresh_token,
            client_id=client_id,
            redirect_uri=redirect_uri,
            code_verifier=code_verifier,
            auth=auth,
        ),
    )


async def asyncio_parsed(
    *,
    client: AuthenticatedClient | Client,
    grant_type: GrantType,
    code: str | Unset = UNSET,
    refresh_token: str | Unset = UNSET,
    client_id: str | Unset = UNSET,
    redirect_uri: str | Unset = UNSET,
    code_verifier: str | Unset = UNSET,
    auth: tuple[str, str] | Unset = UNSET,
) -> TokenResponse | LegacyTokenResponse:
    """Do as `sync_parsed`, asynchronously."""
    return await _OPERATION.afetch(
        client,
        build_request(
            grant_type=grant_type,
            code=code,
            refresh_token=refresh_token,
            client_id=client_id,
            redirect_uri=redirect_uri,
            code_verifier=code_verifier,
            auth=auth,
        ),
    )
