"""Ask a person for consent: GET /oauth/authorize."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from ..._http import HttpOperation, build
from ...types import UNSET, Response, Unset

if TYPE_CHECKING:
    import httpx

    from ...client import AuthenticatedClient, Client
    from ...models.scope import Scope

_OPERATION: HttpOperation[str | None, str | None] = HttpOperation(
    __name__,
    {
        "200": ("text", "str"),
        "302": ("text", "str"),
        "303": None,
        "400": ("text", "str"),
    },
    (range(200, 201), range(302, 303), range(303, 304)),
    None,
    "https://app.paymanai.com",
)


def build_request(
    *,
    response_type: Literal["code"] = "code",
    client_id: str,
    redirect_uri: str,
    scope: Scope | str,
    state: str | Unset = UNSET,
    code_challenge: str | Unset = UNSET,
    code_challenge_method: str | Unset = UNSET,
) -> dict[str, Any]:
    """Return the keywords for `httpx.Client.build_request`; nothing is sent."""
    return build(
        "GET",
        "/oauth/authorize",
        query={
            "response_type": response_type,
            "client_id": client_id,
            "redirect_uri": redirect_uri,
            "scope": scope,
            "state": state,
            "code_challenge": code_challenge,
            "code_challenge_method": code_challenge_method,
        },
    )


def parse_answer(response: httpx.Response, *, raise_on_unexpected_status: bool = False) -> str | None:
    """Read an answer; None for a status that the spec does not have, or an error that is not as the spec has it.

    Raises:
        AttributeError, KeyError, TypeError, ValueError: The body of a success is not as the spec has it.
        errors.UnexpectedStatus: As asked for by `raise_on_unexpected_status`.
    """
    return _OPERATION.parse(response, raise_on_unexpected_status)


def sync_detailed(
    *,
    client: AuthenticatedClient | Client,
    response_type: Literal["code"] = "code",
    client_id: str,
    redirect_uri: str,
    scope: Scope | str,
    state: str | Unset = UNSET,
    code_challenge: str | Unset = UNSET,
    code_challenge_method: str | Unset = UNSET,
) -> Response[str | None]:
    """Ask a person for consent.

    A page for a browser, not for a program: the person signs in, sees who asks for which scopes, and
    agrees or does not. The browser is then sent to
    `redirect_uri` with `code` or, as OAuth has it, `error` in the query.

    Raises: As `parse_answer`, and httpx.HTTPError where the exchange failed.
    """
    return _OPERATION.send(
        client,
        build_request(
            response_type=response_type,
            client_id=client_id,
            redirect_uri=redirect_uri,
            scope=scope,
            state=state,
            code_challenge=code_challenge,
            code_challenge_method=code_challenge_method,
        ),
    )


async def asyncio_detailed(
    *,
    client: AuthenticatedClient | Client,
    response_type: Literal["code"] = "code",
    client_id: str,
    redirect_uri: str,
    scope: Scope | str,
    state: str | Unset = UNSET,
    code_challenge: str | Unset = UNSET,
    code_challenge_method: str | Unset = UNSET,
) -> Response[str | None]:
    """Do as `sync_detailed`, asynchronously."""
    return await _OPERATION.asend(
        client,
        build_request(
            response_type=response_type,
            client_id=client_id,
            redirect_uri=redirect_uri,
            scope=scope,
            state=state,
            code_challenge=code_challenge,
            code_challenge_method=code_challenge_method,
        ),
    )


def sync_parsed(
    *,
    client: AuthenticatedClient | Client,
    response_type: Literal["code"] = "code",
    client_id: str,
    redirect_uri: str,
    scope: Scope | str,
    state: str | Unset = UNSET,
    code_challenge: str | Unset = UNSET,
    code_challenge_method: str | Unset = UNSET,
) -> str | None:
    """Ask a person for consent, and return the body of a success; raise for anything else.

    Raises:
        errors.ErrorStatus, errors.UnexpectedStatus: The answer is not a success.
        errors.UnreadableAnswer: The body of a success is not as the spec has it. What was asked for may have been done.
        httpx.HTTPError: The exchange failed.
    """
    return _OPERATION.fetch(
        client,
        build_request(
            response_type=response_type,
            client_id=client_id,
            redirect_uri=redirect_uri,
            scope=scope,
            state=state,
            code_challenge=code_challenge,
            code_challenge_method=code_challenge_method,
        ),
    )


async def asyncio_parsed(
    *,
    client: AuthenticatedClient | Client,
    response_type: Literal["code"] = "code",
    client_id: str,
    redirect_uri: str,
    scope: Scope | str,
    state: str | Unset = UNSET,
    code_challenge: str | Unset = UNSET,
    code_challenge_method: str | Unset = UNSET,
) -> str | None:
    """Do as `sync_parsed`, asynchronously."""
    return await _OPERATION.afetch(
        client,
        build_request(
            response_type=response_type,
            client_id=client_id,
            redirect_uri=redirect_uri,
            scope=scope,
            state=state,
            code_challenge=code_challenge,
            code_challenge_method=code_challenge_method,
        ),
    )
