"""The server: the tools of a toolkit, and the agent card, as MCP clients see them."""

from __future__ import annotations

from typing import Any

import mcp
from mcp.server import Server

from payman_sdk._client.async_ import AsyncPaymanClient
from payman_sdk.agents.confirmation import Confirm
from payman_sdk.agents.limits import SpendingLimit
from payman_sdk.agents.mcp.elicitation import elicit
from payman_sdk.agents.mcp.served_tools import ServedTools
from payman_sdk.agents.stores import OperationStore
from payman_sdk.agents.toolkit import AsyncPaymanToolkit


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
