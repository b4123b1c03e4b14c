"""Read what can be spent in a currency: GET /balances/currencies/{currency}."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast
from urllib.parse import quote

from ... import errors
from ...models.rest_error import RestError
from ...types import Response

if TYPE_CHECKING:
    import httpx

    from ...client import AuthenticatedClient, Client


def build_request(
    currency: str,
) -> dict[str, Any]:
    """Give the keywords for `httpx.Client.build_request`; nothing is sent."""

    _kwargs: dict[str, Any] = {
        "method": "GET",
        "url": "/balances/currencies/{currency}".format(
            currency=quote(str(currency), safe=""),
        ),
    }
    _kwargs.setdefault("headers", {})["Accept"] = "application/vnd.payman.v1+json"
    return _kwargs


def parse_answer(
    response: httpx.Response, *, raise_on_unexpected_status: bool = False
) -> RestError | float | None:
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
        response_2xx = cast(float, response.json())
        if not isinstance(response_2xx, int | float):
            raise TypeError(f"the body must be int | float, got {type(response_2xx).__name__}")
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
) -> Response[RestError | float]:
    return Response(
        status_code=response.status_code,
        content=response.content,
        headers=response.headers,
        parsed=parse_answer(response, raise_on_unexpected_status=client.raise_on_unexpected_status),
    )


def sync_detailed(
    currency: str,
    *,
    client: AuthenticatedClient,
) -> Response[RestError | float]:
    """Read what can be spent in a currency.

    Raises:
        AttributeError, KeyError, TypeError, ValueError: The body of a success is not as the spec has it.
        errors.UnexpectedStatus: As the client asks for by `raise_on_unexpected_status`.
        httpx.HTTPError: The exchange failed.
    """
    response = client.get_httpx_client().request(
        **build_request(
            currency=currency,
        )
    )
    return _build_response(client=client, response=response)


async def asyncio_detailed(
    currency: str,
    *,
    client: AuthenticatedClient,
) -> Response[RestError | float]:
    """Do as `sync_detailed`, asynchronously."""
    response = await client.get_async_httpx_client().request(
        **build_request(
            currency=currency,
        )
    )
    return _build_response(client=client, response=response)


def _read(response: httpx.Response) -> float:
    return cast("float", errors.read(parse_answer, response, (range(200, 300),)))


def sync_parsed(
    currency: str,
    *,
    client: AuthenticatedClient,
) -> float:
    """Read what can be spent in a currency, and return the body of a success; raise for anything else.

    Raises:
        errors.ErrorStatus, errors.UnexpectedStatus: The answer is not a success.
        errors.UnreadableAnswer: The body of a success is not as the spec has it. What was asked for may have been done.
        httpx.HTTPError: The exchange failed.
    """
    return _read(
        client.get_httpx_client().request(
            **build_request(
                currency=currency,
            )
        )
    )


async def asyncio_parsed(
    currency: str,
    *,
    client: AuthenticatedClient,
) -> float:
    """Do as `sync_parsed`, asynchronously."""
    return _read(
        await client.get_async_httpx_client().request(
            **build_request(
                currency=currency,
            )
        )
    )
