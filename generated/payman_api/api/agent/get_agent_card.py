"""Read the agent card: GET /.well-known/agent.json."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..._http import HttpOperation, build
from ...types import Response

if TYPE_CHECKING:
    import httpx

    from ...client import AuthenticatedClient, Client
    from ...models.agent_card import AgentCard
    from ...models.error_answer import ErrorAnswer

_OPERATION: HttpOperation[AgentCard | ErrorAnswer, AgentCard] = HttpOperation(
    __name__,
    {
        "200": ("json", "AgentCard"),
        "404": ("json", "ErrorAnswer"),
        "429": ("json", "ErrorAnswer"),
        "5XX": ("json", "ErrorAnswer"),
    },
    (range(200, 201),),
)


def build_request() -> dict[str, Any]:
    """Return the keywords for `httpx.Client.build_request`; nothing is sent."""
    return build(
        "GET",
        "/.well-known/agent.json",
    )


def parse_answer(
    response: httpx.Response, *, raise_on_unexpected_status: bool = False
) -> AgentCard | ErrorAnswer | None:
    """Read an answer; None for a status that the spec does not have, or an error that is not as the spec has it.

    Raises:
        AttributeError, KeyError, TypeError, ValueError: The body of a success is not as the spec has it.
        errors.UnexpectedStatus: As asked for by `raise_on_unexpected_status`.
    """
    return _OPERATION.parse(response, raise_on_unexpected_status)


def sync_detailed(*, client: AuthenticatedClient | Client) -> Response[AgentCard | ErrorAnswer]:
    """Read the agent card.

    What the agent can do and where it is, as A2A agents publish it. It needs no token.

    Raises: As `parse_answer`, and httpx.HTTPError where the exchange failed.
    """
    return _OPERATION.send(client, build_request())


async def asyncio_detailed(*, client: AuthenticatedClient | Client) -> Response[AgentCard | ErrorAnswer]:
    """Do as `sync_detailed`, asynchronously."""
    return await _OPERATION.asend(client, build_request())


def sync_parsed(*, client: AuthenticatedClient | Client) -> AgentCard:
    """Read the agent card, and return the body of a success; raise for anything else.

    Raises:
        errors.ErrorStatus, errors.UnexpectedStatus: The answer is not a success.
        errors.UnreadableAnswer: The body of a success is not as the spec has it. What was asked for may have been done.
        httpx.HTTPError: The exchange failed.
    """
    return _OPERATION.fetch(client, build_request())


async def asyncio_parsed(*, client: AuthenticatedClient | Client) -> AgentCard:
    """Do as `sync_parsed`, asynchronously."""
    return await _OPERATION.afetch(client, build_request())
