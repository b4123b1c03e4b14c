"""Exchange a grant for an access token: POST /api/oauth2/token."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from ... import errors
from ...models.error_answer import ErrorAnswer
from ...models.grant_type import GrantType
from ...models.legacy_token_response import LegacyTokenResponse
from ...models.oauth_error import OAuthError
from ...models.token_response import TokenResponse
from ...types import UNSET, Response, Unset, encode_basic

if TYPE_CHECKING:
    import httpx

    from ...client import AuthenticatedClient, Client


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
    """Give the keywords for `httpx.Client.build_request`; nothing is sent."""

    params: dict[str, Any] = {}

    json_grant_type = grant_type.value
    params["grant_type"] = json_grant_type

    params["code"] = code

    params["refresh_token"] = refresh_token

    params["client_id"] = client_id

    params["redirect_uri"] = redirect_uri

    params["code_verifier"] = code_verifier

    params = {k: v for k, v in params.items() if v is not UNSET and v is not None}

    _kwargs: dict[str, Any] = {
        "method": "POST",
        "url": "/api/oauth2/token",
        "params": params,
    }
    if not isinstance(auth, Unset):
        _kwargs.setdefault("headers", {})["Authorization"] = encode_basic(auth)
    return _kwargs


def parse_answer(
    response: httpx.Response, *, raise_on_unexpected_status: bool = False
) -> ErrorAnswer | LegacyTokenResponse | TokenResponse | OAuthError | None:
    """Read an answer.

    Args:
        response: The answer, its body read.
        raise_on_unexpected_status: Whether to raise for a status that the spec does not have.

    Returns:
        What the spec has for the status; None for a status it does not have, and for an error status whose body is not as the spec has it.

    Raises:
        AttributeError, KeyError, TypeError, ValueError: The body of a success is not as the spec has it.
        errors.UnexpectedStatus: As asked for by `raise_on_unexpected_status`.
    """
    if response.status_code == 200:

        def _parse_response_200(data: object) -> LegacyTokenResponse | TokenResponse:
            try:
                if not isinstance(data, dict):
                    raise TypeError
                response_200_type_0 = TokenResponse.from_dict(data)

                return response_200_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            try:
                if not isinstance(data, dict):
                    raise TypeError
                response_200_type_1 = LegacyTokenResponse.from_dict(data)

                return response_200_type_1
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            raise TypeError(
                f"response_200 must be LegacyTokenResponse | TokenResponse, got {type(data).__name__}"
            )

        response_200 = _parse_response_200(response.json())

        return response_200

    try:
        if response.status_code == 400:
            response_400 = OAuthError.from_dict(response.json())

            return response_400

        if response.status_code == 401:
            response_401 = OAuthError.from_dict(response.json())

            return response_401

        if response.status_code == 429:
            response_429 = ErrorAnswer.from_dict(response.json())

            return response_429

        if 500 <= response.status_code <= 599:
            response_5xx = ErrorAnswer.from_dict(response.json())

            return response_5xx

    except (AttributeError, KeyError, TypeError, ValueError):
        return None
    if raise_on_unexpected_status:
        raise errors.UnexpectedStatus(response.status_code, response.content)
    return None


def _build_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Response[ErrorAnswer | LegacyTokenResponse | TokenResponse | OAuthError]:
    return Response(
        status_code=response.status_code,
        content=response.content,
        headers=response.headers,
        parsed=parse_answer(response, raise_on_unexpected_status=client.raise_on_unexpected_status),
    )


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
) -> Response[ErrorAnswer | LegacyTokenResponse | TokenResponse | OAuthError]:
    """Exchange a grant for an access token.

    Parameters travel in the query string; whether the server reads a form body is unknown. The URL of
    this request is therefore a secret: it can hold an
    authorization code, a refresh token or a verifier, and must not reach a log.

    A client with a secret authenticates with HTTP Basic. A public client has no secret: it sends
    `client_id` as a parameter and no Basic header.

    Raises:
        AttributeError, KeyError, TypeError, ValueError: The body of a success is not as the spec has it.
        errors.UnexpectedStatus: As the client asks for by `raise_on_unexpected_status`.
        httpx.HTTPError: The exchange failed.
    """
    response = client.get_httpx_client().request(
        **build_request(
            grant_type=grant_type,
            code=code,
            refresh_token=refresh_token,
            client_id=client_id,
            redirect_uri=redirect_uri,
            code_verifier=code_verifier,
            auth=auth,
        )
    )
    return _build_response(client=client, response=response)


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
) -> Response[ErrorAnswer | LegacyTokenResponse | TokenResponse | OAuthError]:
    """Do as `sync_detailed`, asynchronously."""
    response = await client.get_async_httpx_client().request(
        **build_request(
            grant_type=grant_type,
            code=code,
            refresh_token=refresh_token,
            client_id=client_id,
            redirect_uri=redirect_uri,
            code_verifier=code_verifier,
            auth=auth,
        )
    )
    return _build_response(client=client, response=response)


def _read(response: httpx.Response) -> LegacyTokenResponse | TokenResponse:
    return cast(
        "LegacyTokenResponse | TokenResponse", errors.read(parse_answer, response, (range(200, 201),))
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
) -> LegacyTokenResponse | TokenResponse:
    """Exchange a grant for an access token, and return the body of a success; raise for anything else.

    Raises:
        errors.ErrorStatus, errors.UnexpectedStatus: The answer is not a success.
        errors.UnreadableAnswer: The body of a success is not as the spec has it. What was asked for may have been done.
        httpx.HTTPError: The exchange failed.
    """
    return _read(
        client.get_httpx_client().request(
            **build_request(
                grant_type=grant_type,
                code=code,
                refresh_token=refresh_token,
                client_id=client_id,
                redirect_uri=redirect_uri,
                code_verifier=code_verifier,
                auth=auth,
            )
        )
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
) -> LegacyTokenResponse | TokenResponse:
    """Do as `sync_parsed`, asynchronously."""
    return _read(
        await client.get_async_httpx_client().request(
            **build_request(
                grant_type=grant_type,
                code=code,
                refresh_token=refresh_token,
                client_id=client_id,
                redirect_uri=redirect_uri,
                code_verifier=code_verifier,
                auth=auth,
            )
        )
    )
