"""The server: the tools of a toolkit, and the agent card, as MCP clients see them."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Awaitable, Callable
from typing import Any, get_args

from mcp import MCPError
from mcp.server import Server, ServerRequestContext
from mcp.server.request_state import RequestStateBoundary, RequestStateSecurity
from mcp_types import (
    INVALID_PARAMS,
    CallToolRequestParams,
    CallToolResult,
    InputRequiredResult,
    ListResourcesResult,
    ListToolsResult,
    PaginatedRequestParams,
    ReadResourceRequestParams,
    ReadResourceResult,
    Resource,
    TextContent,
    TextResourceContents,
    ToolAnnotations,
)
from mcp_types import Tool as ListedTool

from payman_sdk._client.async_ import AsyncPaymanClient
from payman_sdk._core.events import ArtifactUpdate, StatusUpdate
from payman_sdk._text.error_response import shorten
from payman_sdk._version import __version__
from payman_sdk.agents.confirmation import Confirm
from payman_sdk.agents.limits import SpendingLimit
from payman_sdk.agents.mcp.card import URI, fetch_agent_card
from payman_sdk.agents.mcp.elicitation import bind_call, elicit
from payman_sdk.agents.results import OperationResult, OperationStatus
from payman_sdk.agents.stores import OperationStore
from payman_sdk.agents.toolkit import AsyncPaymanToolkit
from payman_sdk.agents.tools import Tool
from payman_sdk.errors import PaymanError

Context = ServerRequestContext[Any, Any]

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

    async def list_tools(context: Context, params: PaginatedRequestParams | None) -> ListToolsResult:
        if reader is not None:  # whether free words are offered depends on its token
            with contextlib.suppress(PaymanError):
                await reader.get_access_token()
        return ListToolsResult(tools=[_describe_tool(tool) for tool in toolkit.tools])

    async def call_tool(
        context: Context, params: CallToolRequestParams
    ) -> CallToolResult | InputRequiredResult:
        tool = next((one for one in toolkit.tools if one.name == params.name), None)
        if tool is None:
            raise MCPError(INVALID_PARAMS, f"Unknown tool {shorten(params.name)}.")
        with bind_call(context, params) as asking:
            result = await tool.call(params.arguments or {}, _make_reporter(context))
        return asking.question or _format_result(result)

    async def list_resources(context: Context, params: PaginatedRequestParams | None) -> ListResourcesResult:
        card = Resource(
            uri=URI,
            name="agent-card",
            description="What Payman's agent says it can do.",
            mime_type="application/json",
        )
        return ListResourcesResult(resources=[card])

    async def read_resource(context: Context, params: ReadResourceRequestParams) -> ReadResourceResult:
        if params.uri != URI:
            raise MCPError(INVALID_PARAMS, f"Unknown resource {shorten(params.uri)}. Read {URI}.")
        kind, text = await fetch_agent_card(client)
        return ReadResourceResult(contents=[TextResourceContents(uri=URI, mime_type=kind, text=text)])

    server: Server[Any] = Server(
        "payman",
        version=__version__,
        on_list_tools=list_tools,
        on_call_tool=call_tool,
        on_list_resources=list_resources,
        on_read_resource=read_resource,
    )
    # What a client gives back of a question is what it was given: sealed with a key that ends with this process.
    server.middleware.append(
        RequestStateBoundary(RequestStateSecurity.ephemeral(), default_audience="payman")
    )
    return server


def _describe_tool(tool: Tool[Any]) -> ListedTool:
    moves_money = tool.spec.moves_money
    hints = ToolAnnotations(
        read_only_hint=not moves_money,
        destructive_hint=moves_money,
        idempotent_hint=True,  # an operation is paid once, and a reply given once
        open_world_hint=True,
    )
    return ListedTool(
        name=tool.name,
        description=tool.description,
        input_schema=tool.parameters,
        output_schema=_RESULT,
        annotations=hints,
    )


def _format_result(result: OperationResult) -> CallToolResult:
    return CallToolResult(
        content=[TextContent(text=result.text)],
        structured_content=result.as_dict(),
        is_error=result.is_error,
    )


def _make_reporter(context: Context) -> Callable[[Any], Awaitable[None]] | None:
    """Return the function that reports progress to a client; None if the client did not ask for it."""
    if context.meta is None or context.meta.get("progress_token") is None:
        return None
    numbers = itertools.count(1)

    async def report(event: Any) -> None:
        await context.session.report_progress(next(numbers), message=_format_event(event))

    return report


def _format_event(event: Any) -> str:
    """Return an event in a line."""
    if isinstance(event, ArtifactUpdate):
        return shorten(event.artifact.content.rstrip().rpartition("\n")[2])
    if isinstance(event, StatusUpdate):
        return shorten(event.status_message or str(event.state))
    return "working"
