"""Checks that come first: requests that may not be are answered before anything is looked up or read."""

from __future__ import annotations

from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from payman_api import PATHS
from payman_sdk.sandbox._web.origins import (
    HEADERS,
    RequestOrigin,
    find_api_refusal,
    find_change_refusal,
    find_consent_refusal,
    find_page_refusal,
    is_page,
)


class SecurityMiddleware:
    """An ASGI application that browsers reach from its own pages only.

    Args:
        app: the application.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the application answer, or refuse."""
        refused = _find_refusal(scope) if scope["type"] == "http" else None
        await (refused or self._app)(scope, receive, send)


def _find_refusal(scope: Scope) -> Response | None:
    asked, reads = RequestOrigin.from_scope(scope), scope["method"] in ("GET", "HEAD")
    if scope["path"] == PATHS["authorize"]:
        reason, nothing = find_consent_refusal(asked, is_change=not reads), "Nothing was allowed."
    elif not is_page(scope["path"]):
        reason = find_api_refusal(asked)
        said = {"error": "foreign_origin", "error_description": reason}
        return None if reason is None else JSONResponse(said, 403)
    else:
        reason, nothing = (
            find_page_refusal(asked) if reads else find_change_refusal(asked),
            "Nothing was changed.",
        )
    if reason is None:
        return None
    return PlainTextResponse(f"{reason}\n{nothing}\n", 403, dict(HEADERS))
