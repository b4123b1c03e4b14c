"""Read what can be spent in a currency: GET /balances/currencies/{currency}."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from .... import errors
from ...._http import Answers, build, read_answer
from ....types import Response

if TYPE_CHECKING:
    import httpx

    from ...client import AuthenticatedClient, Client
    from ...models.rest_error import RestError

_ANSWERS: Answers = {
    "2XX": ("json", "float"),
    "4XX": ("json", "RestError"),
    "5XX": ("json", "RestError"),
}


def build_request(
    currency: str,
) -> dict[str, Any]:
    """Return the keywords for `httpx.Client.build_request`; nothing is sent."""
    return build(
        "GET",
        "/balances/currencies/{currency}",
        path={
            "currency": currency,
        },
        accept="application/vnd.payman.v1+json",
    )


def parse_answer(
    response: httpx.Response, *, raise_on_unexpected_status: bool = False
) -> float | RestError | None:
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
    found: float | RestError | None = read_answer(response, _ANSWERS, __name__, raise_on_unexpected_status)
    return found


def _build_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Response[float | RestError]:
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
) -> Response[float | RestError]:
    """Read what can be spent in a currency.

    A JSON number, in units of the currency.

    Raises:
        AttributeError, KeyError, TypeError, ValueError: The body of a success is not as the spec has it.
        errors.UnexpectedStatus: As the client asks for by `raise_on_unexpected_status`.
        httpx.HTTPError: The exchange failed.
    """
    response = client.get_httpx_client().request(
        **client.prepare(
            build_request(
                currency=currency,
            ),
            ("header", "x-payman-api-secret", ""),
        )
    )
    return _build_response(client=client, response=response)


async def asyncio_detailed(
    currency: str,
    *,
    client: AuthenticatedClient,
) -> Response[float | RestError]:
    """Do as `sync_detailed`, asynchronously."""
    response = await client.get_async_httpx_client().request(
        **client.prepare(
            build_request(
                currency=currency,
            ),
            ("header", "x-payman-api-secret", ""),
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
            **client.prepare(
                build_request(
                    currency=currency,
                ),
                ("header", "x-payman-api-secret", ""),
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
            **client.prepare(
                build_request(
                    currency=currency,
                ),
                ("header", "x-payman-api-secret", ""),
            )
        )
    )
