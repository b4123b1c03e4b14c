"""Send money to a payee: POST /payments/send-payment."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...._http import HttpOperation, build
from ....types import Response

if TYPE_CHECKING:
    import httpx

    from ...client import AuthenticatedClient
    from ...models.rest_error import RestError
    from ...models.send_payment_request import SendPaymentRequest
    from ...models.send_payment_response import SendPaymentResponse

_OPERATION: HttpOperation[SendPaymentResponse | RestError, SendPaymentResponse] = HttpOperation(
    __name__,
    {
        "2XX": ("json", "SendPaymentResponse"),
        "4XX": ("json", "RestError"),
        "5XX": ("json", "RestError"),
    },
    (range(200, 300),),
    ("header", "x-payman-api-secret", ""),
)


def build_request(*, body: SendPaymentRequest) -> dict[str, Any]:
    """Return the keywords for `httpx.Client.build_request`; nothing is sent."""
    return build(
        "POST",
        "/payments/send-payment",
        body=body,
        accept="application/vnd.payman.v1+json",
    )


def parse_answer(
    response: httpx.Response, *, raise_on_unexpected_status: bool = False
) -> SendPaymentResponse | RestError | None:
    """Read an answer; None for a status that the spec does not have, or an error that is not as the spec has it.

    Raises:
        AttributeError, KeyError, TypeError, ValueError: The body of a success is not as the spec has it.
        errors.UnexpectedStatus: As asked for by `raise_on_unexpected_status`.
    """
    return _OPERATION.parse(response, raise_on_unexpected_status)


def sync_detailed(
    *, client: AuthenticatedClient, body: SendPaymentRequest
) -> Response[SendPaymentResponse | RestError]:
    """Send money to a payee.

    Money moves when this is answered with `INITIATED`, and also when the answer is lost: a payment has
    no idempotency key, and nothing looks it up. Never
    repeat a request that may have arrived.

    Raises: As `parse_answer`, and httpx.HTTPError where the exchange failed.
    """
    return _OPERATION.send(client, build_request(body=body))


async def asyncio_detailed(
    *, client: AuthenticatedClient, body: SendPaymentRequest
) -> Response[SendPaymentResponse | RestError]:
    """Do as `sync_detailed`, asynchronously."""
    return await _OPERATION.asend(client, build_request(body=body))


def sync_parsed(*, client: AuthenticatedClient, body: SendPaymentRequest) -> SendPaymentResponse:
    """Send money to a payee, and return the body of a success; raise for anything else.

    Raises:
        errors.ErrorStatus, errors.UnexpectedStatus: The answer is not a success.
        errors.UnreadableAnswer: The body of a success is not as the spec has it. What was asked for may have been done.
        httpx.HTTPError: The exchange failed.
    """
    return _OPERATION.fetch(client, build_request(body=body))


async def asyncio_parsed(*, client: AuthenticatedClient, body: SendPaymentRequest) -> SendPaymentResponse:
    """Do as `sync_parsed`, asynchronously."""
    return await _OPERATION.afetch(client, build_request(body=body))
