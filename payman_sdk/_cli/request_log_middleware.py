"""Report each request of a sandbox while it serves, and delay each if asked to."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import TYPE_CHECKING, Any

from payman_sdk._text.sanitizer import sanitize

if TYPE_CHECKING:
    from payman_sdk.sandbox import SandboxRequest

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

_WORDS, _LINE = 60, 300
"""Characters of what was said, and of a line."""


class RequestLogMiddleware:
    """Report the requests of an ASGI application.

    Args:
        app: The application.
        report: Called with every request, once it is answered or its stream begins. Requests for the web page are left out.
        latency: Returns the seconds to wait before a request is handled.
    """

    def __init__(
        self, app: Application, report: Callable[[SandboxRequest], None], latency: Callable[[], float]
    ) -> None:
        self._app, self._report, self._latency = app, report, latency

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request to the application."""
        from payman_sdk.sandbox._server.request_log import RecordingMiddleware, RequestLog
        from payman_sdk.sandbox._web.origins import is_page

        if scope["type"] != "http" or is_page(scope["path"]):
            await self._app(scope, receive, send)
            return

        log = RequestLog()
        is_reported = False

        async def send_logged(message: Message) -> None:
            nonlocal is_reported
            if not is_reported and message["type"] == "http.response.start":
                is_reported = True
                self._report(log.list_requests()[0])
            await send(message)

        if late := self._latency():
            await asyncio.sleep(late)
        try:
            await RecordingMiddleware(self._app, log)(scope, receive, send_logged)
        finally:
            if not is_reported:
                self._report(log.list_requests()[0])


def format_request(request: SandboxRequest) -> str:
    """Return a request on one line: method, path, status and what was said; no secrets are in it.

    Example:
        >>> from payman_sdk._cli.request_log_middleware import format_request
        >>> from payman_sdk.sandbox import SandboxRequest
        >>> format_request(SandboxRequest("POST", "/api/a2a/tasks/send", text="list all wallets", status=200))
        'POST /api/a2a/tasks/send 200 "list all wallets"'
    """
    status = "no answer" if request.status is None else str(request.status)
    said = "" if request.text is None else " ".join(request.text.split())
    said = sanitize(said, one_line=True, max_length=_WORDS)
    words = f' "{said}"' if said else f" {request.task_id}" if request.task_id else ""
    return sanitize(f"{request.method} {request.path} {status}{words}", one_line=True, max_length=_LINE)
