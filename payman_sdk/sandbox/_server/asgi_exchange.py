"""One request to the application without a server: ASGI on one side, the answer piece by piece on the other.

The application's event loop runs in a thread that opens no socket, so it runs where a test suite has forbidden sockets.
"""

import asyncio
import contextlib
import contextvars
import queue
import threading
from collections import deque
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, TypeAlias

from starlette.types import ASGIApp, Message, Scope

from payman_sdk._text.logger import get_logger
from payman_sdk.sandbox._server.serving import ClientConnection, keep_real_time


class _WakeableSelector:
    """What the loop waits at: there is nothing to select from, and other threads wake it."""

    def __init__(self) -> None:
        # Putting into it may happen anywhere, also in the middle of a garbage collection; a Condition could block there.
        self._rung: queue.SimpleQueue[None] = queue.SimpleQueue()

    def wake(self) -> None:
        self._rung.put(None)

    def select(self, timeout: float | None = None) -> list[object]:
        """Wait until it rings or the time ends; the name is the one that asyncio calls."""
        with contextlib.suppress(queue.Empty):
            self._rung.get(timeout=timeout)
            while True:
                self._rung.get_nowait()
        return []


class SocketlessLoop(asyncio.BaseEventLoop):
    """asyncio without input and output: callbacks, timers, tasks and threads, no sockets and no files.

    Python's own loops open a pair of sockets to be woken by. Its documentation ("Extending") has custom loops inherit from
    `BaseEventLoop` and fill in the selector, the processing of its events, and how to wake the loop.
    """

    def __init__(self) -> None:
        super().__init__()
        self._selector = _WakeableSelector()
        keep_real_time(self)

    def _process_events(self, event_list: list[object]) -> None:
        """Nothing ever comes in."""

    def _write_to_self(self) -> None:
        self._selector.wake()


class EventLoopThread:
    """Runs coroutines in its own thread until `stop()`. `leaving` is set, in the thread, once it is to end."""

    def __init__(self, name: str) -> None:
        self.leaving = asyncio.Event()
        self._loop = SocketlessLoop()
        self._lock = threading.Lock()
        self._left = False
        self._tasks: set[asyncio.Task[None]] = set()
        # A daemon: a program that forgets to close a client can end all the same.
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def start(self, work: Callable[[], Coroutine[Any, Any, None]]) -> bool:
        """Run a coroutine; returns whether that is still possible."""
        with self._lock:  # what is started before `stop()` is begun, and then canceled
            if not self._left:
                # A new context: the caller's may say that trio runs here.
                self._loop.call_soon_threadsafe(self._begin, work, context=contextvars.Context())
            return not self._left

    def _begin(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        task = self._loop.create_task(work())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def call_soon(self, call: Callable[[], object]) -> None:
        """Call something in the thread; nothing happens if that has ended."""
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(call)

    def stop(self) -> None:
        """End the thread, and all that runs in it, without waiting for it."""
        with self._lock:
            self._left = True
            self.call_soon(self.leaving.set)

    def join(self) -> None:
        if threading.current_thread() is not self._thread:
            self._thread.join()

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._wait_for_stop())

    async def _wait_for_stop(self) -> None:
        await self.leaving.wait()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


logger = get_logger(__name__)


@dataclass(frozen=True)
class ResponseHead:
    """The beginning of an answer: its status and its headers."""

    status: int
    headers: list[tuple[bytes, bytes]]


@dataclass(frozen=True)
class ResponseEnd:
    """The end of the answer; `broken` says whether the connection was closed before it."""

    broken: bool


Piece: TypeAlias = ResponseHead | bytes | ResponseEnd
"""A piece of the answer: its head, then its body bit by bit, then its end."""


class ASGIExchange:
    """One request and its answer. The application runs in the background; the client may be in any thread."""

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

        The end can be taken repeatedly.
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
