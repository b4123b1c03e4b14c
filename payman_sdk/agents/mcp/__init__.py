"""The tools for models as a server of the Model Context Protocol. Needs the extra `mcp`.

Versions 1 and 2 of the official SDK serve them.

`payman mcp` is all of it as a command. A program makes a server with `mcp_server`, and serves it with `serve_stdio`, or with `http_app`
under any ASGI server.
"""

from payman_sdk._refusals import build_missing_error

try:
    from payman_sdk.agents.mcp.served_tools import CannotAskError, elicit
    from payman_sdk.agents.mcp.server import http_app, listening, mcp_server, serve_http, serve_stdio
except ModuleNotFoundError as error:
    if (error.name or "").startswith("payman"):
        raise
    raise build_missing_error(f"Serving tools by MCP needs {error.name}", "mcp") from error

__all__ = ["CannotAskError", "elicit", "http_app", "listening", "mcp_server", "serve_http", "serve_stdio"]
