"""Search payees: GET /payments/search-payees."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...._http import HttpOperation, build
from ....types import UNSET, Response, Unset

if TYPE_CHECKING:
    import httpx

    from ...client import AuthenticatedClient
    from ...models.payee import Payee
    from ...models.rest_error import RestError

_OPERATION: HttpOperation[list[Payee] | RestError, list[Payee]] = HttpOperation(
    __name__,
    {
        "2XX": ("json", "list[Payee]"),
        "4XX": ("json", "RestError"),
        "5XX": ("json", "RestError"),
    },
    (range(200, 300),),
    ("header", "x-payman-api-secret", ""),
)


def build_request(
    *,
    name: str | Unset = UNSET,
    contact_email: str | Unset = UNSET,
    contact_phone_number: str | Unset = UNSET,
    contact_tax_id: str | Unset = UNSET,
    account_number: str | Unset = UNSET,
    routing_number: str | Unset = UNSET,
    agent_reference: str | Unset = UNSET,
    crypto_address: str | Unset = UNSET,
    crypto_currency: str | Unset = UNSET,
    crypto_chain: str | Unset = UNSET,
) -> dict[str, Any]:
    """Return the keywords for `httpx.Client.build_request`; nothing is sent."""
    return build(
        "GET",
        "/payments/search-payees",
        query={
            "name": name,
            "contactEmail": contact_email,
            "contactPhoneNumber": contact_phone_number,
            "contactTaxId": contact_tax_id,
            "accountNumber": account_number,
            "routingNumber": routing_number,
            "agentReference": agent_reference,
            "cryptoAddress": crypto_address,
            "cryptoCurrency": crypto_currency,
            "cryptoChain": crypto_chain,
        },
        accept="application/vnd.payman.v1+json",
    )


def parse_answer(
    response: httpx.Response, *, raise_on_unexpected_status: bool = False
) -> list[Payee] | RestError | None:
    """Read an answer; None for a status that the spec does not have, or an error that is not as the spec has it.

    Raises:
        AttributeError, KeyError, TypeError, ValueError: The body of a success is not as the spec has it.
        errors.UnexpectedStatus: As asked for by `raise_on_unexpected_status`.
    """
    return _OPERATION.parse(response, raise_on_unexpected_status)


def sync_detailed(
    *,
    client: AuthenticatedClient,
    name: str | Unset = UNSET,
    contact_email: str | Unset = UNSET,
    contact_phone_number: str | Unset = UNSET,
    contact_tax_id: str | Unset = UNSET,
    account_number: str | Unset = UNSET,
    routing_number: str | Unset = UNSET,
    agent_reference: str | Unset = UNSET,
    crypto_address: str | Unset = UNSET,
    crypto_currency: str | Unset = UNSET,
    crypto_chain: str | Unset = UNSET,
) -> Response[list[Payee] | RestError]:
    """Search payees.

    Without a parameter, all of them.

    Raises: As `parse_answer`, and httpx.HTTPError where the exchange failed.
    """
    return _OPERATION.send(
        client,
        build_request(
            name=name,
            contact_email=contact_email,
            contact_phone_number=contact_phone_number,
            contact_tax_id=contact_tax_id,
            account_number=account_number,
            routing_number=routing_number,
            agent_reference=agent_reference,
            crypto_address=crypto_address,
            crypto_currency=crypto_currency,
            crypto_chain=crypto_chain,
        ),
    )


async def asyncio_detailed(
    *,
    client: AuthenticatedClient,
    name: str | Unset = UNSET,
    contact_email: str | Unset = UNSET,
    contact_phone_number: str | Unset = UNSET,
    contact_tax_id: str | Unset = UNSET,
    account_number: str | Unset = UNSET,
    routing_number: str | Unset = UNSET,
    agent_reference: str | Unset = UNSET,
    crypto_address: str | Unset = UNSET,
    crypto_currency: str | Unset = UNSET,
    crypto_chain: str | Unset = UNSET,
) -> Response[list[Payee] | RestError]:
    """Do as `sync_detailed`, asynchronously."""
    return await _OPERATION.asend(
        client,
        build_request(
            name=name,
            contact_email=contact_email,
            contact_phone_number=contact_phone_number,
            contact_tax_id=contact_tax_id,
            account_number=account_number,
            routing_number=routing_number,
            agent_reference=agent_reference,
            crypto_address=crypto_address,
            crypto_currency=crypto_currency,
            crypto_chain=crypto_chain,
        ),
    )


def sync_parsed(
    *,
    client: AuthenticatedClient,
    name: str | Unset = UNSET,
    contact_email: str | Unset = UNSET,
    contact_phone_number: str | Unset = UNSET,
    contact_tax_id: str | Unset = UNSET,
    account_number: str | Unset = UNSET,
    routing_number: str | Unset = UNSET,
    agent_reference: str | Unset = UNSET,
    crypto_address: str | Unset = UNSET,
    crypto_currency: str | Unset = UNSET,
    crypto_chain: str | Unset = UNSET,
) -> list[Payee]:
    """Search payees, and return the body of a success; raise for anything else.

    Raises:
        errors.ErrorStatus, errors.UnexpectedStatus: The answer is not a success.
        errors.UnreadableAnswer: The body of a success is not as the spec has it. What was asked for may have been done.
        httpx.HTTPError: The exchange failed.
    """
    return _OPERATION.fetch(
        client,
        build_request(
            name=name,
            contact_email=contact_email,
            contact_phone_number=contact_phone_number,
            contact_tax_id=contact_tax_id,
            account_number=account_number,
            routing_number=routing_number,
            agent_reference=agent_reference,
            crypto_address=crypto_address,
            crypto_currency=crypto_currency,
            crypto_chain=crypto_chain,
        ),
    )


async def asyncio_parsed(
    *,
    client: AuthenticatedClient,
    name: str | Unset = UNSET,
    contact_email: str | Unset = UNSET,
    contact_phone_number: str | Unset = UNSET,
    contact_tax_id: str | Unset = UNSET,
    account_number: str | Unset = UNSET,
    routing_number: str | Unset = UNSET,
    agent_reference: str | Unset = UNSET,
    crypto_address: str | Unset = UNSET,
    crypto_currency: str | Unset = UNSET,
    crypto_chain: str | Unset = UNSET,
) -> list[Payee]:
    """Do as `sync_parsed`, asynchronously."""
    return await _OPERATION.afetch(
        client,
        build_request(
            name=name,
            contact_email=contact_email,
            contact_phone_number=contact_phone_number,
            contact_tax_id=contact_tax_id,
            account_number=account_number,
            routing_number=routing_number,
            agent_reference=agent_reference,
            crypto_address=crypto_address,
            crypto_currency=crypto_currency,
            crypto_chain=crypto_chain,
        ),
    )
