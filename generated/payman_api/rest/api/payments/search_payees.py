"""Search payees: GET /payments/search-payees."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from ... import errors
from ...models.payee import Payee
from ...models.rest_error import RestError
from ...types import UNSET, Response, Unset

if TYPE_CHECKING:
    import httpx

    from ...client import AuthenticatedClient, Client


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
    """Give the keywords for `httpx.Client.build_request`; nothing is sent."""

    params: dict[str, Any] = {}

    params["name"] = name

    params["contactEmail"] = contact_email

    params["contactPhoneNumber"] = contact_phone_number

    params["contactTaxId"] = contact_tax_id

    params["accountNumber"] = account_number

    params["routingNumber"] = routing_number

    params["agentReference"] = agent_reference

    params["cryptoAddress"] = crypto_address

    params["cryptoCurrency"] = crypto_currency

    params["cryptoChain"] = crypto_chain

    params = {k: v for k, v in params.items() if v is not UNSET and v is not None}

    _kwargs: dict[str, Any] = {
        "method": "GET",
        "url": "/payments/search-payees",
        "params": params,
    }
    _kwargs.setdefault("headers", {})["Accept"] = "application/vnd.payman.v1+json"
    return _kwargs


def parse_answer(
    response: httpx.Response, *, raise_on_unexpected_status: bool = False
) -> RestError | list[Payee] | None:
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
        _response_2xx = response.json()
        if not isinstance(_response_2xx, list):
            raise TypeError(f"response_2XX must be a list, got {type(_response_2xx).__name__}")
        response_2xx = []
        for response_2xx_item_data in _response_2xx:
            response_2xx_item = Payee.from_dict(response_2xx_item_data)

            response_2xx.append(response_2xx_item)

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
) -> Response[RestError | list[Payee]]:
    return Response(
        status_code=response.status_code,
        content=response.content,
        headers=response.headers,
        parsed=parse_answer(response, raise_on_unexpected_status=client.raise_on_unexpected_status),
    )


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
) -> Response[RestError | list[Payee]]:
    """Search payees.

    Without a parameter, all of them.

    Raises:
        AttributeError, KeyError, TypeError, ValueError: The body of a success is not as the spec has it.
        errors.UnexpectedStatus: As the client asks for by `raise_on_unexpected_status`.
        httpx.HTTPError: The exchange failed.
    """
    response = client.get_httpx_client().request(
        **build_request(
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
        )
    )
    return _build_response(client=client, response=response)


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
) -> Response[RestError | list[Payee]]:
    """Do as `sync_detailed`, asynchronously."""
    response = await client.get_async_httpx_client().request(
        **build_request(
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
        )
    )
    return _build_response(client=client, response=response)


def _read(response: httpx.Response) -> list[Payee]:
    return cast("list[Payee]", errors.read(parse_answer, response, (range(200, 300),)))


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
    return _read(
        client.get_httpx_client().request(
            **build_request(
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
            )
        )
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
    return _read(
        await client.get_async_httpx_client().request(
            **build_request(
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
            )
        )
    )
