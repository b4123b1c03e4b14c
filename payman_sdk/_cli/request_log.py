"""Report each request of a sandbox while it serves, and delay each on request.

A separate thread prints lines: a pipe that nobody reads must not stop the sandbox.
"""

from __future__ import annotations

import os
import select
import sys
import threading
from collections import deque
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
    """Report the requests of an ASGI application, except for the web page's, once each is answered or its stream begins."""

    def __init__(
        self, app: Application, report: Callable[[SandboxRequest], None], latency: Callable[[], float]
    ) -> None:
        self._app, self._report, self._latency = app, report, latency

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request to the application."""
        from asyncio import sleep

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
            await sleep(late)
        try:
            await RecordingMiddleware(self._app, log)(scope, receive, send_logged)
        finally:
            if not is_reported:
                self._report(log.list_requests()[0])


def format_request(request: SandboxRequest) -> str:
    """Return a request on one line: method, path, status and text, without secrets."""
    status = "no answer" if request.status is None else str(request.status)
    said = "" if request.text is None else " ".join(request.text.split())
    said = sanitize(said, one_line=True, max_length=_WORDS)
    words = f' "{said}"' if said else f" {request.task_id}" if request.task_id else ""
    return sanitize(f"{request.method} {request.path} {status}{words}", one_line=True, max_length=_LINE)


_MOST_WAITING = 1_000
_LAST_WAIT = 1.0
"""Lines that wait to be printed, and seconds that the last ones get when the sandbox ends."""


class RequestPrinter:
    """Prints requests on the terminal, once it is on; never makes its caller wait.

    It drops lines that come too fast; a later line says how many. `write` prints one line. `is_writable` waits for at most so many
    seconds until a line can be printed at once.
    """

    def __init__(
        self, write: Callable[[str], None], is_writable: Callable[[float], bool] | None = None
    ) -> None:
        self.is_on = False
        self._write, self._is_writable = write, is_writable or _is_output_writable
        self._lines: deque[str] = deque()
        self._dropped = 0
        self._changed = threading.Condition()
        self._is_closing = self._is_closed = False
        self._thread: threading.Thread | None = None

    def __call__(self, request: SandboxRequest) -> None:
        """Print a request soon, or drop it where too many wait."""
        if not self.is_on:
            return
        with self._changed:
            if self._thread is None:
                self._thread = threading.Thread(target=self._print_lines, name="payman-requests", daemon=True)
                self._thread.start()
            if len(self._lines) < _MOST_WAITING:
                self._lines.append(format_request(request))
                self._changed.notify()
            else:
                self._dropped += 1

    def close(self) -> None:
        """Print what waits, for a second at most."""
        self.is_on = False
        with self._changed:
            self._is_closing = True
            self._changed.notify()
        if self._thread is not None:
            self._thread.join(_LAST_WAIT)
            self._is_closed = True
            self._thread.join()

    def _print_lines(self) -> None:
        while (line := self._take_line()) is not None:
            while not self._is_writable(0.1):
                if self._is_closed:
                    return
            self._write(line)

    def _take_line(self) -> str | None:
        with self._changed:
            while True:
                if self._lines:
                    return self._lines.popleft()
                if self._dropped:
                    dropped, self._dropped = self._dropped, 0
                    return f"({dropped} requests were not printed, because the output was not read in time)"
                if self._is_closing:
                    return None
                self._changed.wait()


def _is_output_writable(seconds: float) -> bool:
    """Return whether a short line fits into standard output: a blocked thread would hold up the end of the process."""
    if os.name != "posix":
        return True
    try:
        return bool(select.select([], [sys.stdout], [], seconds)[1])
    except (OSError, ValueError):  # closed, or no file: writing says what is wrong
        return True
