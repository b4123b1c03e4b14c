"""Delete a payee: DELETE /payments/payees/{id}."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...._http import HttpOperation, build
from ....types import Response

if TYPE_CHECKING:
    import httpx

    from ...client import AuthenticatedClient
    from ...models.delete_payee_response import DeletePayeeResponse
    from ...models.rest_error import RestError

_OPERATION: HttpOperation[DeletePayeeResponse | RestError, DeletePayeeResponse] = HttpOperation(
    __name__,
    {
        "2XX": ("json", "DeletePayeeResponse"),
        "4XX": ("json", "RestError"),
        "5XX": ("json", "RestError"),
    },
    (range(200, 300),),
    ("header", "x-payman-api-secret", ""),
)


def build_request(id: str) -> dict[str, Any]:
    """Return the keywords for `httpx.Client.build_request`; nothing is sent."""
    return build(
        "DELETE",
        "/payments/payees/{id}",
        path={"id": id},
        accept="application/vnd.payman.v1+json",
    )


def parse_answer(
    response: httpx.Response, *, raise_on_unexpected_status: bool = False
) -> DeletePayeeResponse | RestError | None:
    """Read an answer; None for a status that the spec does not have, or an error that is not as the spec has it.

    Raises:
        AttributeError, KeyError, TypeError, ValueError: The body of a success is not as the spec has it.
        errors.UnexpectedStatus: As asked for by `raise_on_unexpected_status`.
    """
    return _OPERATION.parse(response, raise_on_unexpected_status)


def sync_detailed(id: str, *, client: AuthenticatedClient) -> Response[DeletePayeeResponse | RestError]:
    """Delete a payee.

    A payee that is deleted can be paid no more.

    Raises: As `parse_answer`, and httpx.HTTPError where the exchange failed.
    """
    return _OPERATION.send(client, build_request(id=id))


async def asyncio_detailed(
    id: str, *, client: AuthenticatedClient
) -> Response[DeletePayeeResponse | RestError]:
    """Do as `sync_detailed`, asynchronously."""
    return await _OPERATION.asend(client, build_request(id=id))


def sync_parsed(id: str, *, client: AuthenticatedClient) -> DeletePayeeResponse:
    """Delete a payee, and return the body of a success; raise for anything else.

    Raises:
        errors.ErrorStatus, errors.UnexpectedStatus: The answer is not a success.
        errors.UnreadableAnswer: The body of a success is not as the spec has it. What was asked for may have been done.
        httpx.HTTPError: The exchange failed.
    """
    return _OPERATION.fetch(client, build_request(id=id))


async def asyncio_parsed(id: str, *, client: AuthenticatedClient) -> DeletePayeeResponse:
    """Do as `sync_parsed`, asynchronously."""
    return await _OPERATION.afetch(client, build_request(id=id))
