"""Delete a payee: DELETE /payments/payees/{id}."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast
from urllib.parse import quote

from ... import errors
from ...models.delete_payee_response import DeletePayeeResponse
from ...models.rest_error import RestError
from ...types import Response

if TYPE_CHECKING:
    import httpx

    from ...client import AuthenticatedClient, Client


def build_request(
    id: str,
) -> dict[str, Any]:
    """Give the keywords for `httpx.Client.build_request`; nothing is sent."""

    _kwargs: dict[str, Any] = {
        "method": "DELETE",
        "url": "/payments/payees/{id}".format(
            id=quote(str(id), safe=""),
        ),
    }
    _kwargs.setdefault("headers", {})["Accept"] = "application/vnd.payman.v1+json"
    return _kwargs


def parse_answer(
    response: httpx.Response, *, raise_on_unexpected_status: bool = False
) -> DeletePayeeResponse | RestError | None:
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
        response_2xx = DeletePayeeResponse.from_dict(response.json())

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
) -> Response[DeletePayeeResponse | RestError]:
    return Response(
        status_code=response.status_code,
        content=response.content,
        headers=response.headers,
        parsed=parse_answer(response, raise_on_unexpected_status=client.raise_on_unexpected_status),
    )


def sync_detailed(
    id: str,
    *,
    client: AuthenticatedClient,
) -> Response[DeletePayeeResponse | RestError]:
    """Delete a payee.

    Raises:
        AttributeError, KeyError, TypeError, ValueError: The body of a success is not as the spec has it.
        errors.UnexpectedStatus: As the client asks for by `raise_on_unexpected_status`.
        httpx.HTTPError: The exchange failed.
    """
    response = client.get_httpx_client().request(
        **build_request(
            id=id,
        )
    )
    return _build_response(client=client, response=response)


async def asyncio_detailed(
    id: str,
    *,
    client: AuthenticatedClient,
) -> Response[DeletePayeeResponse | RestError]:
    """Do as `sync_detailed`, asynchronously."""
    response = await client.get_async_httpx_client().request(
        **build_request(
            id=id,
        )
    )
    return _build_response(client=client, response=response)


def _read(response: httpx.Response) -> DeletePayeeResponse:
    return cast("DeletePayeeResponse", errors.read(parse_answer, response, (range(200, 300),)))


def sync_parsed(
    id: str,
    *,
    client: AuthenticatedClient,
) -> DeletePayeeResponse:
    """Delete a payee, and return the body of a success; raise for anything else.

    Raises:
        errors.ErrorStatus, errors.UnexpectedStatus: The answer is not a success.
        errors.UnreadableAnswer: The body of a success is not as the spec has it. What was asked for may have been done.
        httpx.HTTPError: The exchange failed.
    """
    return _read(
        client.get_httpx_client().request(
            **build_request(
                id=id,
            )
        )
    )


async def asyncio_parsed(
    id: str,
    *,
    client: AuthenticatedClient,
) -> DeletePayeeResponse:
    """Do as `sync_parsed`, asynchronously."""
    return _read(
        await client.get_async_httpx_client().request(
            **build_request(
                id=id,
            )
        )
    )
