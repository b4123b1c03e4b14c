"""Create a payee: POST /payments/payees."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from ... import errors
from ...models.payee import Payee
from ...models.payee_crypto_address import PayeeCryptoAddress
from ...models.payee_payman_wallet import PayeePaymanWallet
from ...models.payee_test_rails import PayeeTestRails
from ...models.payee_us_ach import PayeeUsAch
from ...models.rest_error import RestError
from ...types import Response

if TYPE_CHECKING:
    import httpx

    from ...client import AuthenticatedClient, Client


def build_request(
    *,
    body: PayeeCryptoAddress | PayeePaymanWallet | PayeeTestRails | PayeeUsAch,
) -> dict[str, Any]:
    """Give the keywords for `httpx.Client.build_request`; nothing is sent."""
    headers: dict[str, Any] = {}

    _kwargs: dict[str, Any] = {
        "method": "POST",
        "url": "/payments/payees",
    }

    if isinstance(body, PayeeCryptoAddress):
        _kwargs["json"] = body.to_dict()
    elif isinstance(body, PayeePaymanWallet):
        _kwargs["json"] = body.to_dict()
    elif isinstance(body, PayeeTestRails):
        _kwargs["json"] = body.to_dict()
    else:
        _kwargs["json"] = body.to_dict()

    headers["Content-Type"] = "application/json"
    _kwargs["headers"] = headers
    _kwargs.setdefault("headers", {})["Accept"] = "application/vnd.payman.v1+json"
    return _kwargs


def parse_answer(
    response: httpx.Response, *, raise_on_unexpected_status: bool = False
) -> Payee | RestError | None:
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
    if 200 <= response.status_code <= 299:
        response_2xx = Payee.from_dict(response.json())

        return response_2xx

    try:
        if 400 <= response.status_code <= 499:
            response_4xx = RestError.from_dict(response.json())

            return response_4xx

        if 500 <= response.status_code <= 599:
            response_5xx = RestError.from_dict(response.json())

            return response_5xx

    except (AttributeError, KeyError, TypeError, ValueError):
        return None
    if raise_on_unexpected_status:
        raise errors.UnexpectedStatus(response.status_code, response.content)
    return None


def _build_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Response[Payee | RestError]:
    return Response(
        status_code=response.status_code,
        content=response.content,
        headers=response.headers,
        parsed=parse_answer(response, raise_on_unexpected_status=client.raise_on_unexpected_status),
    )


def sync_detailed(
    *,
    client: AuthenticatedClient,
    body: PayeeCryptoAddress | PayeePaymanWallet | PayeeTestRails | PayeeUsAch,
) -> Response[Payee | RestError]:
    """Create a payee.

    Raises:
        AttributeError, KeyError, TypeError, ValueError: The body of a success is not as the spec has it.
        errors.UnexpectedStatus: As the client asks for by `raise_on_unexpected_status`.
        httpx.HTTPError: The exchange failed.
    """
    response = client.get_httpx_client().request(
        **build_request(
            body=body,
        )
    )
    return _build_response(client=client, response=response)


async def asyncio_detailed(
    *,
    client: AuthenticatedClient,
    body: PayeeCryptoAddress | PayeePaymanWallet | PayeeTestRails | PayeeUsAch,
) -> Response[Payee | RestError]:
    """Do as `sync_detailed`, asynchronously."""
    response = await client.get_async_httpx_client().request(
        **build_request(
            body=body,
        )
    )
    return _build_response(client=client, response=response)


def _read(response: httpx.Response) -> Payee:
    return cast("Payee", errors.read(parse_answer, response, (range(200, 300),)))


def sync_parsed(
    *,
    client: AuthenticatedClient,
    body: PayeeCryptoAddress | PayeePaymanWallet | PayeeTestRails | PayeeUsAch,
) -> Payee:
    """Create a payee, and return the body of a success; raise for anything else.

    Raises:
        errors.ErrorStatus, errors.UnexpectedStatus: The answer is not a success.
        errors.UnreadableAnswer: The body of a success is not as the spec has it. What was asked for may have been done.
        httpx.HTTPError: The exchange failed.
    """
    return _read(
        client.get_httpx_client().request(
            **build_request(
                body=body,
            )
        )
    )


async def asyncio_parsed(
    *,
    client: AuthenticatedClient,
    body: PayeeCryptoAddress | PayeePaymanWallet | PayeeTestRails | PayeeUsAch,
) -> Payee:
    """Do as `sync_parsed`, asynchronously."""
    return _read(
        await client.get_async_httpx_client().request(
            **build_request(
                body=body,
            )
        )
    )
