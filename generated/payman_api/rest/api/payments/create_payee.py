"""Create a payee: POST /payments/payees."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...._base import Other
from ...._http import HttpOperation, build
from ....types import Response

if TYPE_CHECKING:
    import httpx

    from ...client import AuthenticatedClient
    from ...models.payee import Payee
    from ...models.payee_crypto_address import PayeeCryptoAddress
    from ...models.payee_payman_wallet import PayeePaymanWallet
    from ...models.payee_test_rails import PayeeTestRails
    from ...models.payee_us_ach import PayeeUsAch
    from ...models.rest_error import RestError

_OPERATION: HttpOperation[Payee | RestError, Payee] = HttpOperation(
    __name__,
    {
        "2XX": ("json", "Payee"),
        "4XX": ("json", "RestError"),
        "5XX": ("json", "RestError"),
    },
    (range(200, 300),),
    ("header", "x-payman-api-secret", ""),
)


def build_request(
    *, body: PayeeCryptoAddress | PayeePaymanWallet | PayeeTestRails | PayeeUsAch | Other
) -> dict[str, Any]:
    """Return the keywords for `httpx.Client.build_request`; nothing is sent."""
    return build(
        "POST",
        "/payments/payees",
        body=body,
        accept="application/vnd.payman.v1+json",
    )


def parse_answer(
    response: httpx.Response, *, raise_on_unexpected_status: bool = False
) -> Payee | RestError | None:
    """Read an answer; None for a status that the spec does not have, or an error that is not as the spec has it.

    Raises:
        AttributeError, KeyError, TypeError, ValueError: The body of a success is not as the spec has it.
        errors.UnexpectedStatus: As asked for by `raise_on_unexpected_status`.
    """
    return _OPERATION.parse(response, raise_on_unexpected_status)


def sync_detailed(
    *,
    client: AuthenticatedClient,
    body: PayeeCryptoAddress | PayeePaymanWallet | PayeeTestRails | PayeeUsAch | Other,
) -> Response[Payee | RestError]:
    """Create a payee.

    Sent twice, it creates two. What a payee needs depends on its type.

    Raises: As `parse_answer`, and httpx.HTTPError where the exchange failed.
    """
    return _OPERATION.send(client, build_request(body=body))


async def asyncio_detailed(
    *,
    client: AuthenticatedClient,
    body: PayeeCryptoAddress | PayeePaymanWallet | PayeeTestRails | PayeeUsAch | Other,
) -> Response[Payee | RestError]:
    """Do as `sync_detailed`, asynchronously."""
    return await _OPERATION.asend(client, build_request(body=body))


def sync_parsed(
    *,
    client: AuthenticatedClient,
    body: PayeeCryptoAddress | PayeePaymanWallet | PayeeTestRails | PayeeUsAch | Other,
) -> Payee:
    """Create a payee, and return the body of a success; raise for anything else.

    Raises:
        errors.ErrorStatus, errors.UnexpectedStatus: The answer is not a success.
        errors.UnreadableAnswer: The body of a success is not as the spec has it. What was asked for may have been done.
        httpx.HTTPError: The exchange failed.
    """
    return _OPERATION.fetch(client, build_request(body=body))


async def asyncio_parsed(
    *,
    client: AuthenticatedClient,
    body: PayeeCryptoAddress | PayeePaymanWallet | PayeeTestRails | PayeeUsAch | Other,
) -> Payee:
    """Do as `sync_parsed`, asynchronously."""
    return await _OPERATION.afetch(client, build_request(body=body))
