"""The server: the tools of a toolkit and the agent card, by standard streams, or over HTTP for who knows its token."""

import hmac
import os
import re
import socket
from collections.abc import Callable, Iterable
from contextlib import AbstractAsyncContextManager
from typing import Any

import anyio
import mcp
from mcp.server import Server
from mcp.server.stdio import stdio_server
from mcp.server.transport_security import TransportSecuritySettings
from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from payman_sdk._client.async_ import AsyncPaymanClient
from payman_sdk.agents.confirmation import Confirm
from payman_sdk.agents.limits import SpendingLimit
from payman_sdk.agents.mcp.served_tools import ServedTools, elicit
from payman_sdk.agents.stores import OperationStore
from payman_sdk.agents.toolkit import AsyncPaymanToolkit
from payman_sdk.errors import ConfigurationError


def mcp_server(
    client: AsyncPaymanClient,
    *,
    confirm: Confirm | None = elicit,
    run_id: str | None = None,
    limit: SpendingLimit | None = None,
    store: OperationStore | None = None,
    reader: AsyncPaymanClient | None = None,
) -> Server[Any]:
    """Return an MCP server with the tools of a toolkit, for `serve_stdio`, `http_app` or your own transport.

    Args:
        client: The client that sends everything.
        confirm: Who is asked before money moves: by default the person at the calling client. None asks nobody.
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


PATH = "/mcp"
_SHORTEST_TOKEN = 16
_LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
_HTTP = 80
_PATIENCE = 3
"""Seconds that running requests get when the server stops."""


async def serve_stdio(server: Server[Any]) -> None:
    """Serve the client that started this process, until it closes standard input.

    Meanwhile, what else is written to standard output goes to standard error.

    Args:
        server: What `mcp_server` gives.
    """
    open_streams: Callable[[], AbstractAsyncContextManager[Any]] = stdio_server
    if not hasattr(mcp, "MCPError"):
        from payman_sdk.agents.mcp.server_mcp1 import open_stdio

        open_streams = open_stdio
    async with open_streams() as (incoming, outgoing):
        await server.run(incoming, outgoing, server.create_initialization_options())


def http_app(server: Server[Any], *, token: str, port: int, hosts: Iterable[str] = ()) -> Starlette:
    """Return an ASGI application that serves at `/mcp`, by streamable HTTP.

    A request needs the token, as `Authorization: Bearer …`, for other users of this machine reach it too. Its `Host`, and its
    `Origin` if it has one, must be a name of the server: otherwise a page in a browser could call it.

    Args:
        server: What `mcp_server` gives; one application for each.
        token: A secret of 16 characters or more, without white space.
        port: The port that it is reached at.
        hosts: Its names beside those of loopback, such as `pay.example.com`; with `:port`, if that is another one.

    Raises:
        ConfigurationError: The token is none.

    Example:
        >>> from payman_sdk import AsyncPaymanClient
        >>> from payman_sdk.agents.mcp import http_app, mcp_server
        >>> client = AsyncPaymanClient(client_id="an-id", client_secret="a-secret")
        >>> app = http_app(mcp_server(client), token="a-long-enough-secret", port=8643)
    """
    if not isinstance(token, str) or not token.isascii() or not token.isprintable() or " " in token:
        raise ConfigurationError("The token of the MCP server has characters that no header can have.")
    if len(token) < _SHORTEST_TOKEN:
        raise ConfigurationError(
            f"The token of the MCP server has {len(token)} characters.",
            next_step=f"Give {_SHORTEST_TOKEN} or more that nobody can guess.",
        )
    names = [
        *_list_host_names(_LOOPBACK, port, is_usual=port == _HTTP),
        *_list_host_names(hosts, port, is_usual=True),
    ]
    security = TransportSecuritySettings(
        allowed_hosts=names,
        allowed_origins=[f"{scheme}://{name}" for name in names for scheme in ("http", "https")],
    )
    if hasattr(mcp, "MCPError"):
        app = server.streamable_http_app(streamable_http_path=PATH, transport_security=security)
    else:
        from payman_sdk.agents.mcp.server_mcp1 import build_app

        app = build_app(server, PATH, security)
    app.add_middleware(_BearerAuthMiddleware, token=token)
    return app


def listening(host: str, port: int) -> socket.socket:
    """Return a socket that listens; port 0 takes a free one.

    Raises:
        ConfigurationError: It cannot listen there.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        # asyncio turns Nagle's algorithm off only for sockets that name their protocol.
        sock = socket.socket(family, kind, protocol)
    except (OSError, UnicodeError) as error:
        raise ConfigurationError(f"{host} cannot be listened on: {error}.") from None
    try:
        if os.name == "posix":  # elsewhere the option lets two servers share a port
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(address)
        sock.listen()
    except OSError as error:
        sock.close()
        raise ConfigurationError(
            f"{host}, port {port}, cannot be listened on: {error}.",
            next_step="Choose another port; 0 takes a free one.",
        ) from None
    return sock


async def serve_http(app: Starlette, sock: socket.socket) -> None:
    """Serve an application on a socket until a signal stops the process, or the task is canceled.

    Args:
        app: What `http_app` gives.
        sock: What `listening` gives; closed at the end.
    """
    import uvicorn

    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        ws="none",
        timeout_graceful_shutdown=_PATIENCE,
    )
    serving = uvicorn.Server(config)

    async def serve() -> None:
        with anyio.CancelScope(shield=True):  # it ends in order, or sessions would be left open
            await serving.serve(sockets=[sock])
        group.cancel_scope.cancel()

    with sock:
        async with anyio.create_task_group() as group:
            group.start_soon(serve)
            try:
                await anyio.sleep_forever()
            finally:
                serving.should_exit = True


class _BearerAuthMiddleware:
    def __init__(self, app: ASGIApp, token: str) -> None:
        self._app, self._expected = app, f"Bearer {token}".encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            given = Headers(scope=scope).get("authorization", "").encode("latin-1")
            if not hmac.compare_digest(given, self._expected):
                refusal = PlainTextResponse(
                    "This server asks for its bearer token.", 401, {"WWW-Authenticate": "Bearer"}
                )
                return await refusal(scope, receive, send)
        return await self._app(scope, receive, send)


def _list_host_names(hosts: Iterable[str], port: int, *, is_usual: bool) -> list[str]:
    """Return the values that `Host` may have. The usual port, which may be that of a proxy, may be missing."""
    names: list[str] = []
    for host in hosts:
        has_port = re.fullmatch(r"[^:]+:[0-9]+|\[.*\]:[0-9]+", host)
        names += [host] if has_port else [f"{host}:{port}", *([host] if is_usual else [])]
    return names
