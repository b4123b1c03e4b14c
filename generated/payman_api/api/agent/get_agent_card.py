"""Read the agent card: GET /.well-known/agent.json."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from ... import errors
from ...models.agent_card import AgentCard
from ...models.error_answer import ErrorAnswer
from ...types import Response

if TYPE_CHECKING:
    import httpx

    from ...client import AuthenticatedClient, Client


def build_request() -> dict[str, Any]:
    """Give the keywords for `httpx.Client.build_request`; nothing is sent."""

    _kwargs: dict[str, Any] = {
        "method": "GET",
        "url": "/.well-known/agent.json",
    }
    return _kwargs


def parse_answer(
    response: httpx.Response, *, raise_on_unexpected_status: bool = False
) -> AgentCard | ErrorAnswer | None:
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
        response_200 = AgentCard.from_dict(response.json())

        return response_200

    try:
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
) -> Response[AgentCard | ErrorAnswer]:
    return Response(
        status_code=response.status_code,
        content=response.content,
        headers=response.headers,
        parsed=parse_answer(response, raise_on_unexpected_status=client.raise_on_unexpected_status),
    )


def sync_detailed(
    *,
    client: AuthenticatedClient | Client,
) -> Response[AgentCard | ErrorAnswer]:
    """Read the agent card.

    What the agent can do and where it is, as A2A agents publish it. It needs no token.

    Raises:
        AttributeError, KeyError, TypeError, ValueError: The body of a success is not as the spec has it.
        errors.UnexpectedStatus: As the client asks for by `raise_on_unexpected_status`.
        httpx.HTTPError: The exchange failed.
    """
    response = client.get_httpx_client().request(**build_request())
    return _build_response(client=client, response=response)


async def asyncio_detailed(
    *,
    client: AuthenticatedClient | Client,
) -> Response[AgentCard | ErrorAnswer]:
    """Do as `sync_detailed`, asynchronously."""
    response = await client.get_async_httpx_client().request(**build_request())
    return _build_response(client=client, response=response)


def _read(response: httpx.Response) -> AgentCard:
    return cast("AgentCard", errors.read(parse_answer, response, (range(200, 201),)))


def sync_parsed(
    *,
    client: AuthenticatedClient | Client,
) -> AgentCard:
    """Read the agent card, and return the body of a success; raise for anything else.

    Raises:
        errors.ErrorStatus, errors.UnexpectedStatus: The answer is not a success.
        errors.UnreadableAnswer: The body of a success is not as the spec has it. What was asked for may have been done.
        httpx.HTTPError: The exchange failed.
    """
    return _read(client.get_httpx_client().request(**build_request()))


async def asyncio_parsed(
    *,
    client: AuthenticatedClient | Client,
) -> AgentCard:
    """Do as `sync_parsed`, asynchronously."""
    return _read(await client.get_async_httpx_client().request(**build_request()))
