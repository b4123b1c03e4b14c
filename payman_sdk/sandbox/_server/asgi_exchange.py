"""One request to the application without a server between: ASGI on one side, the answer piece by piece on the other."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from starlette.types import ASGIApp, Message, Scope

from payman_sdk._text.logger import get_logger
from payman_sdk.sandbox._server.client_connection import ClientConnection
from payman_sdk.sandbox._server.event_loop_thread import EventLoopThread

logger = get_logger(__name__)


@dataclass(frozen=True)
class ResponseHead:
    """The beginning of an answer: its status and its headers."""

    status: int
    headers: list[tuple[bytes, bytes]]


@dataclass(frozen=True)
class ResponseEnd:
    """The answer has ended; `broken` says whether the connection was closed before it was complete."""

    broken: bool


Piece: TypeAlias = ResponseHead | bytes | ResponseEnd
"""What comes of an answer at a time: its head, then its body bit by bit, then its end."""


class ASGIExchange:
    """One request and its answer. The application runs in the background; the client may be in any thread.

    Args:
        app: the application.
        scope: the request.
        body: all of the request's body.
        background: where the application runs.
    """

    def __init__(self, app: ASGIApp, scope: Scope, body: bytes, background: EventLoopThread) -> None:
        self._app, self._body, self._background = app, body, background
        self._scope = ClientConnection(self, background.leaving).add_to_scope(scope)
        self._came: deque[Piece] = deque()
        self._wake: Callable[[], object] | None = None
        self._lock = threading.Lock()
        self._is_read = False
        self._over = asyncio.Event()

    # The client's side, from any thread.

    def start(self) -> bool:
        """Have the application answer; returns whether it still can."""
        return self._background.start(self._run)

    def take_piece(self, wake: Callable[[], object]) -> Piece | None:
        """Return the next piece of the answer; if there is none yet, `wake` is called in the background when there is.

        The end can be taken again and again.
        """
        with self._lock:
            if not self._came:
                self._wake = wake
                return None
            return self._came[0] if isinstance(self._came[0], ResponseEnd) else self._came.popleft()

    def disconnect(self) -> None:
        """Report to the application that the client is gone; nothing happens if the answer is complete."""
        self._background.call_soon(self.close)

    # The application's side, in the background. It sees what a server would let it see.

    async def _run(self) -> None:
        try:
            await self._app(self._scope, self._receive, self._send)
        except Exception:
            logger.exception("The sandbox failed")
        finally:
            self.close()

    async def _receive(self) -> Message:
        if not self._is_read and not self._over.is_set():
            self._is_read = True
            return {"type": "http.request", "body": self._body, "more_body": False}
        await self._over.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Message) -> None:
        if self._over.is_set():  # nobody reads it
            return
        if message["type"] == "http.response.start":
            self._put(ResponseHead(message["status"], list(message.get("headers", ()))))
            return
        if message.get("body") and self._scope["method"] != "HEAD":
            self._put(bytes(message["body"]))
        if not message.get("more_body", False):
            self._end(broken=False)

    def close(self) -> None:
        """Hang up, after what has been sent."""
        if not self._over.is_set():
            self._end(broken=True)

    def abort(self) -> None:
        """Hang up; there is nothing here that would be sent only later."""
        self.close()

    def _end(self, *, broken: bool) -> None:
        self._over.set()
        self._put(ResponseEnd(broken))

    def _put(self, piece: Piece) -> None:
        with self._lock:
            self._came.append(piece)
            wake, self._wake = self._wake, None
        if wake is not None:
            wake()
