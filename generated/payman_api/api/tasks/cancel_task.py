"""Call a task off: POST /api/a2a/tasks/cancel."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..._http import HttpOperation, build
from ...types import Response

if TYPE_CHECKING:
    import httpx

    from ...client import AuthenticatedClient
    from ...models.cancel_task_request import CancelTaskRequest
    from ...models.error_answer import ErrorAnswer
    from ...models.task_response import TaskResponse

_OPERATION: HttpOperation[TaskResponse | ErrorAnswer, TaskResponse] = HttpOperation(
    __name__,
    {
        "200": ("json", "TaskResponse"),
        "400": ("json", "ErrorAnswer"),
        "401": ("json", "ErrorAnswer"),
        "403": ("json", "ErrorAnswer"),
        "404": ("json", "ErrorAnswer"),
        "429": ("json", "ErrorAnswer"),
        "5XX": ("json", "ErrorAnswer"),
    },
    (range(200, 201),),
    ("header", "x-payman-access-token", ""),
)


def build_request(*, body: CancelTaskRequest) -> dict[str, Any]:
    """Return the keywords for `httpx.Client.build_request`; nothing is sent."""
    return build(
        "POST",
        "/api/a2a/tasks/cancel",
        body=body,
    )


def parse_answer(
    response: httpx.Response, *, raise_on_unexpected_status: bool = False
) -> TaskResponse | ErrorAnswer | None:
    """Read an answer; None for a status that the spec does not have, or an error that is not as the spec has it.

    Raises:
        AttributeError, KeyError, TypeError, ValueError: The body of a success is not as the spec has it.
        errors.UnexpectedStatus: As asked for by `raise_on_unexpected_status`.
    """
    return _OPERATION.parse(response, raise_on_unexpected_status)


def sync_detailed(
    *, client: AuthenticatedClient, body: CancelTaskRequest
) -> Response[TaskResponse | ErrorAnswer]:
    """Call a task off.

    Gives the task as it then stands, or the JSON-RPC error -32002 if it is too late.

    Raises: As `parse_answer`, and httpx.HTTPError where the exchange failed.
    """
    return _OPERATION.send(client, build_request(body=body))


async def asyncio_detailed(
    *, client: AuthenticatedClient, body: CancelTaskRequest
) -> Response[TaskResponse | ErrorAnswer]:
    """Do as `sync_detailed`, asynchronously."""
    return await _OPERATION.asend(client, build_request(body=body))


def sync_parsed(*, client: AuthenticatedClient, body: CancelTaskRequest) -> TaskResponse:
    """Call a task off, and return the body of a success; raise for anything else.

    Raises:
        errors.ErrorStatus, errors.UnexpectedStatus: The answer is not a success.
        errors.UnreadableAnswer: The body of a success is not as the spec has it. What was asked for may have been done.
        httpx.HTTPError: The exchange failed.
    """
    return _OPERATION.fetch(client, build_request(body=body))


async def asyncio_parsed(*, client: AuthenticatedClient, body: CancelTaskRequest) -> TaskResponse:
    """Do as `sync_parsed`, asynchronously."""
    return await _OPERATION.afetch(client, build_request(body=body))
