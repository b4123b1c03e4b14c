"""The server: the tools of a toolkit, and the agent card, as MCP clients see them."""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable
from typing import Any, get_args

import mcp
from mcp.server import Server

from payman_sdk._client.async_ import AsyncPaymanClient
from payman_sdk._core.events import ArtifactUpdate, StatusUpdate
from payman_sdk._text.error_response import shorten
from payman_sdk.agents.confirmation import Confirm
from payman_sdk.agents.limits import SpendingLimit
from payman_sdk.agents.mcp.card import URI
from payman_sdk.agents.mcp.elicitation import ElicitationCall, bind_call, elicit
from payman_sdk.agents.results import OperationResult, OperationStatus
from payman_sdk.agents.stores import OperationStore
from payman_sdk.agents.toolkit import AsyncPaymanToolkit
from payman_sdk.agents.tools import Tool
from payman_sdk.errors import PaymanError

CARD = {
    "uri": URI,
    "name": "agent-card",
    "description": "What Payman's agent says it can do.",
    "mimeType": "application/json",
}
"""The resource, as the protocol writes it."""

_RESULT = {
    "type": "object",
    "properties": {
        "text": {"type": "string"},
        "status": {"type": "string", "enum": list(get_args(OperationStatus))},
        **{
            name: {"type": ["string", "null"]}
            for name in ("operation", "task_id", "payee", "amount", "currency", "reason", "payment_id")
        },
        "items": {
            "type": ["array", "null"],
            "items": {"type": "object", "additionalProperties": {"type": ["string", "null"]}},
        },
    },
    "required": ["text", "status"],
    "additionalProperties": False,
}


def mcp_server(
    client: AsyncPaymanClient,
    *,
    confirm: Confirm | None = elicit,
    run_id: str | None = None,
    limit: SpendingLimit | None = None,
    store: OperationStore | None = None,
    reader: AsyncPaymanClient | None = None,
) -> Server[Any]:
    """Return a server of the Model Context Protocol with the tools of a toolkit, for `serve_stdio`, `http_app` or a program's own transport.

    Args:
        client: The client that everything is sent with.
        confirm: Who is asked before money moves: by default the person at the client that calls. None asks nobody.
        run_id: See `AsyncPaymanToolkit`, as for the others.
        limit: How much may be paid.
        store: Where operations are written down.
        reader: A client for what only reads.

    Raises:
        ConfigurationError: One of them cannot be used.

    Example:
        >>> import asyncio
        >>> from mcp import Client
        >>> from payman_sdk.agents.mcp import mcp_server
        >>> from payman_sdk.sandbox import Sandbox
        >>> async def main() -> None:
        ...     async with sandbox.async_client() as payman, Client(mcp_server(payman)) as client:
        ...         result = await client.call_tool("payman_wallets", {})
        ...         print(result.structured_content["items"][0]["balance"])
        >>> with Sandbox() as sandbox:
        ...     asyncio.run(main())
        1000.00
    """
    toolkit = AsyncPaymanToolkit(
        client, run_id=run_id, confirm=confirm, limit=limit, store=store, reader=reader
    )

    tools = ServedTools(toolkit, client, reader)
    if hasattr(mcp, "MCPError"):
        from payman_sdk.agents.mcp.server_mcp2 import build_server
    else:
        from payman_sdk.agents.mcp.server_mcp1 import build_server
    return build_server(tools)


class ServedTools:
    """What a server serves, whichever version of the official SDK it is made with.

    Args:
        toolkit: The tools.
        client: The client that the agent card is fetched with.
        reader: The client for what only reads.
    """

    def __init__(
        self, toolkit: AsyncPaymanToolkit, client: AsyncPaymanClient, reader: AsyncPaymanClient | None
    ) -> None:
        self._toolkit, self.client, self._reader = toolkit, client, reader

    async def list(self) -> list[dict[str, Any]]:
        """Return the tools, as the protocol writes them."""
        if self._reader is not None:  # whether free words are offered depends on its token
            with contextlib.suppress(PaymanError):
                await self._reader.get_access_token()
        return [_describe_tool(tool) for tool in self._toolkit.tools]

    async def call(
        self,
        name: str,
        arguments: dict[str, Any] | None,
        asking: ElicitationCall,
        report: Callable[[str], Awaitable[object]] | None,
    ) -> dict[str, Any] | None:
        """Call a tool and return its result, as the protocol writes it; None where there is no such tool.

        Args:
            name: Its name.
            arguments: Its arguments.
            asking: The call, whose client is asked for a confirmation.
            report: Tells the client of progress, in a line.
        """
        tool = next((one for one in self._toolkit.tools if one.name == name), None)
        if tool is None:
            return None

        async def report_event(event: Any) -> None:
            if report is not None:
                await report(_format_event(event))

        with bind_call(asking):
            result = await tool.call(arguments or {}, report_event if report is not None else None)
        return _format_result(result)


def _describe_tool(tool: Tool[Any]) -> dict[str, Any]:
    moves_money = tool.spec.moves_money
    return {
        "name": tool.name,
        "description": tool.description,
        "inputSchema": spread_types(tool.parameters),
        "outputSchema": _RESULT,
        "annotations": {
            "readOnlyHint": not moves_money,
            "destructiveHint": moves_money,
            "idempotentHint": True,  # an operation is paid once, and a reply given once
            "openWorldHint": True,
        },
    }


def spread_types(parameters: dict[str, Any]) -> dict[str, Any]:
    """Return a schema whose members have one type or `anyOf`: clients such as Semantic Kernel fail at a list of types.

    Example:
        >>> spread_types({"type": "object", "properties": {"memo": {"type": ["string", "null"]}}})["properties"]
        {'memo': {'anyOf': [{'type': 'string'}, {'type': 'null'}]}}
    """
    members = {
        name: member
        if isinstance(member["type"], str)
        else {
            "anyOf": [{"type": one} for one in member["type"]],
            **{key: value for key, value in member.items() if key != "type"},
        }
        for name, member in parameters["properties"].items()
    }
    return {**parameters, "properties": members}


def _format_result(result: OperationResult) -> dict[str, Any]:
    return {
        "content": [{"type": "text", "text": result.text}],
        "structuredContent": result.as_dict(),
        "isError": result.is_error,
    }


def _format_event(event: Any) -> str:
    """Return an event in a line."""
    if isinstance(event, ArtifactUpdate):
        return shorten(event.artifact.content.rstrip().rpartition("\n")[2])
    if isinstance(event, StatusUpdate):
        return shorten(event.status_message or str(event.state))
    return "working"
