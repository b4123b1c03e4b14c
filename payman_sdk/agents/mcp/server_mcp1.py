"""The server, with version 1 of the official SDK, which frameworks such as CrewAI and Semantic Kernel pin."""

import contextlib
import itertools
import os
import sys
from collections.abc import AsyncGenerator
from importlib import import_module
from typing import Any

import anyio
from attrs import define
from starlette.applications import Starlette
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from payman_sdk._text.error_response import shorten
from payman_sdk._version import __version__
from payman_sdk.agents.mcp.served_tools import (
    CARD,
    SCHEMA,
    URI,
    ServedTools,
    fetch_agent_card,
    wait_for_answer,
)


@define
class Mcp1Call:
    """A call of a tool, as far as its client can be asked something: in the middle of it."""

    context: Any

    @property
    def capabilities(self) -> Any:
        """What the client says it can do."""
        return getattr(self.context.session.client_params, "capabilities", None)

    async def ask(self, message: str, state: str) -> Any:
        """Ask, and wait for the answer."""
        return await wait_for_answer(self.context.session.elicit(message, SCHEMA, self.context.request_id))


def build_server(tools: ServedTools) -> Any:
    """Return the server."""
    # That version has other modules than the one that type checkers see.
    types: Any = import_module("mcp.types")
    error: Any = import_module("mcp.shared.exceptions").McpError
    server: Any = import_module("mcp.server.lowlevel").Server("payman", version=__version__)

    def refuse(message: str) -> Exception:
        refusal: Exception = error(types.ErrorData(code=types.INVALID_PARAMS, message=message))
        return refusal

    async def list_tools(_: Any) -> Any:
        return types.ServerResult(types.ListToolsResult.model_validate({"tools": await tools.list()}))

    async def call_tool(request: Any) -> Any:
        context, numbers = server.request_context, itertools.count(1)
        token = getattr(context.meta, "progressToken", None)

        async def report(line: str) -> None:
            await context.session.send_progress_notification(
                token, next(numbers), message=line, related_request_id=str(context.request_id)
            )

        name, arguments = request.params.name, request.params.arguments
        result = await tools.call(name, arguments, Mcp1Call(context), None if token is None else report)
        if result is None:
            raise refuse(f"Unknown tool {shorten(name)}.")
        return types.ServerResult(types.CallToolResult.model_validate(result))

    async def list_resources(_: Any) -> Any:
        return types.ServerResult(types.ListResourcesResult.model_validate({"resources": [CARD]}))

    async def read_resource(request: Any) -> Any:
        if str(request.params.uri) != URI:
            raise refuse(f"Unknown resource {shorten(str(request.params.uri))}. Read {URI}.")
        kind, text = await fetch_agent_card(tools.client)
        content = {"uri": URI, "mimeType": kind, "text": text}
        return types.ServerResult(types.ReadResourceResult.model_validate({"contents": [content]}))

    # Its decorators check arguments by themselves and give out what is raised: the tools do that in their own words.
    server.request_handlers |= {
        types.ListToolsRequest: list_tools,
        types.CallToolRequest: call_tool,
        types.ListResourcesRequest: list_resources,
        types.ReadResourceRequest: read_resource,
    }
    return server


def build_app(server: Any, path: str, security: Any) -> Starlette:
    """Return an ASGI application that serves by streamable HTTP."""
    manager: Any = import_module("mcp.server.streamable_http_manager").StreamableHTTPSessionManager(
        server, security_settings=security
    )

    class Endpoint:
        async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
            await manager.handle_request(scope, receive, send)

    @contextlib.asynccontextmanager
    async def run(_: Starlette) -> AsyncGenerator[None]:
        async with manager.run():
            yield

    return Starlette(routes=[Route(path, Endpoint())], lifespan=run)


@contextlib.asynccontextmanager
async def open_stdio() -> AsyncGenerator[tuple[Any, Any]]:
    """Open the standard streams for the protocol; meanwhile what else is written to standard output goes to standard error."""
    stdio_server: Any = import_module("mcp.server.stdio").stdio_server
    sys.stdout.flush()
    descriptor = os.dup(1)
    os.dup2(2, 1)
    with os.fdopen(descriptor, "w", encoding="utf-8") as out:
        try:
            async with stdio_server(stdout=anyio.wrap_file(out)) as streams:
                yield streams
        finally:
            os.dup2(descriptor, 1)
