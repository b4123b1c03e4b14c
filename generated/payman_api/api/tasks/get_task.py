"""Look a task up: POST /api/a2a/tasks/get."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from ... import errors
from ...models.error_answer import ErrorAnswer
from ...models.get_task_request import GetTaskRequest
from ...models.task_response import TaskResponse
from ...types import Response

if TYPE_CHECKING:
    import httpx

    from ...client import AuthenticatedClient, Client


def build_request(
    *,
    body: GetTaskRequest,
) -> dict[str, Any]:
    """Give the keywords for `httpx.Client.build_request`; nothing is sent."""
    headers: dict[str, Any] = {}

    _kwargs: dict[str, Any] = {
        "method": "POST",
        "url": "/api/a2a/tasks/get",
    }
    _kwargs["json"] = body.to_dict()

    headers["Content-Type"] = "application/json"
    _kwargs["headers"] = headers
    return _kwargs


def parse_answer(
    response: httpx.Response, *, raise_on_unexpected_status: bool = False
) -> ErrorAnswer | TaskResponse | None:
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
    if response.status_code == 200:
        response_200 = TaskResponse.from_dict(response.json())

        return response_200

    try:
        if response.status_code == 400:
            response_400 = ErrorAnswer.from_dict(response.json())

            return response_400

        if response.status_code == 401:
            response_401 = ErrorAnswer.from_dict(response.json())

            return response_401

        if response.status_code == 403:
            response_403 = ErrorAnswer.from_dict(response.json())

            return response_403

        if response.status_code == 404:
            response_404 = ErrorAnswer.from_dict(response.json())

            return response_404

        if response.status_code == 429:
            response_429 = ErrorAnswer.from_dict(response.json())

            return response_429

        if 500 <= response.status_code <= 599:
            response_5xx = ErrorAnswer.from_dict(response.json())

            return response_5xx

    except (AttributeError, KeyError, TypeError, ValueError):
        return None
    if raise_on_unexpected_status:
        raise errors.UnexpectedStatus(response.status_code, response.content)
    return None


def _build_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Response[ErrorAnswer | TaskResponse]:
    return Response(
        status_code=response.status_code,
        content=response.content,
        headers=response.headers,
        parsed=parse_answer(response, raise_on_unexpected_status=client.raise_on_unexpected_status),
    )


def sync_detailed(
    *,
    client: AuthenticatedClient,
    body: GetTaskRequest,
) -> Response[ErrorAnswer | TaskResponse]:
    """Look a task up.

    Gives the task as it stands, or the JSON-RPC error -32001 if the server does not know it.

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
    body: GetTaskRequest,
) -> Response[ErrorAnswer | TaskResponse]:
    """Do as `sync_detailed`, asynchronously."""
    response = await client.get_async_httpx_client().request(
        **build_request(
            body=body,
        )
    )
    return _build_response(client=client, response=response)


def _read(response: httpx.Response) -> TaskResponse:
    return cast("TaskResponse", errors.read(parse_answer, response, (range(200, 201),)))


def sync_parsed(
    *,
    client: AuthenticatedClient,
    body: GetTaskRequest,
) -> TaskResponse:
    """Look a task up, and return the body of a success; raise for anything else.

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
    body: GetTaskRequest,
) -> TaskResponse:
    """Do as `sync_parsed`, asynchronously."""
    return _read(
        await client.get_async_httpx_client().request(
            **build_request(
                body=body,
            )
        )
    )
