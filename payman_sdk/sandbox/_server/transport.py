"""A transport of httpx that reaches the sandbox without a socket: for test suites that block the network."""

import asyncio
import contextlib
import sys
import threading
import weakref
from collections.abc import AsyncIterator, Callable, Iterator
from functools import partial

import anyio
import anyio.lowlevel
import anyio.to_thread
import httpx
from starlette.types import ASGIApp, Scope

from payman_sdk._io.event_loops import move_on_after
from payman_sdk._io.forks import renew_after_fork
from payman_sdk.sandbox._server.asgi_exchange import (
    ASGIExchange,
    EventLoopThread,
    Piece,
    ResponseEnd,
    ResponseHead,
)


class SandboxTransport(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """Hands requests to an ASGI application in the same process; `Sandbox.transport()` makes one.

    It works for `httpx.Client` and `httpx.AsyncClient`, under asyncio and trio, with any host and number of concurrent requests,
    from any threads. Answers arrive as they are sent, and the application notices a client that leaves. A closed connection raises
    `httpx.RemoteProtocolError`. Of the timeouts, only the read timeout applies, because nothing connects.

    The application's thread ends with `close()` and with the transport itself.
    """

    reports_sending = True

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._is_closed = False
        self.begin_anew()
        renew_after_fork(self)

    def begin_anew(self) -> None:
        """Start a new thread in a process that has just been forked."""
        self._lock = threading.Lock()
        self._background: EventLoopThread | None = None

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Answer a request of a `httpx.Client`.

        Raises httpx.ConnectError if the transport is closed, ReadTimeout, or RemoteProtocolError if the sandbox closed the
        connection.
        """
        exchange = self._make_exchange(request, request.read())
        if (report := request.extensions.get("trace")) is not None:
            report(*_describe_first_step(exchange))
        body = _ResponseStream(self, _start_exchange(exchange), _get_read_timeout(request))
        return _build_response(body.read_piece(), body)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Answer a request of a `httpx.AsyncClient`; errors are those of `handle_request`."""
        exchange = self._make_exchange(request, await request.aread())
        if (report := request.extensions.get("trace")) is not None:
            await report(*_describe_first_step(exchange))
        body = _AsyncResponseStream(self, _start_exchange(exchange), _get_read_timeout(request))
        return _build_response(await body.read_piece(), body)

    def close(self) -> None:
        """End the thread; answers that are not complete break off. Closing twice is harmless."""
        with self._lock:
            self._is_closed = True
            background = self._background
        if background is not None:
            background.stop()
            background.join()

    async def aclose(self) -> None:
        """As `close`, for whoever must not block."""
        with anyio.CancelScope(shield=True):  # a client that is canceled closes too
            await anyio.to_thread.run_sync(self.close)

    def _make_exchange(self, request: httpx.Request, body: bytes) -> ASGIExchange | httpx.ConnectError:
        """Return the exchange for a request, or the reason why there can be none."""
        with self._lock:
            if self._background is None and not self._is_closed:
                self._background = EventLoopThread("payman-sandbox-transport")
                # The thread knows nothing of the transport, so that it is collected when nobody uses it any more. When the
                # process ends, the thread simply ends with it.
                weakref.finalize(self, self._background.stop).atexit = False
            background = None if self._is_closed else self._background
        if background is None:
            return httpx.ConnectError(_CLOSED)
        return ASGIExchange(self._app, _build_scope(request), body, background)


_CLOSED = "this transport has been closed: make another one with Sandbox.transport()"


def _start_exchange(exchange: ASGIExchange | httpx.ConnectError) -> ASGIExchange:
    if isinstance(exchange, httpx.ConnectError):
        raise exchange
    if not exchange.start():
        raise httpx.ConnectError(_CLOSED)
    return exchange


def _describe_first_step(exchange: ASGIExchange | httpx.ConnectError) -> tuple[str, dict[str, object]]:
    """Return httpcore's report of the step before a request is sent."""
    if isinstance(exchange, httpx.ConnectError):
        return "sandbox.connect.failed", {"exception": exchange}
    return "sandbox.send_request_headers.started", {}


class _ResponseStream(httpx.SyncByteStream):
    """The body of an answer, as it comes, for threads."""

    def __init__(self, transport: SandboxTransport, exchange: ASGIExchange, patience: float | None) -> None:
        self._transport = transport  # as long as somebody reads it has to live
        self._exchange, self._patience = exchange, patience

    def read_piece(self) -> Piece:
        """Return the next piece; leaves when it does not come."""
        try:
            came = threading.Event()
            while (piece := self._exchange.take_piece(came.set)) is None:
                if not came.wait(self._patience):
                    raise httpx.ReadTimeout("timed out")
            return piece
        except BaseException:
            self.close()
            raise

    def __iter__(self) -> Iterator[bytes]:
        while isinstance(piece := self.read_piece(), bytes):
            yield piece
        _check_complete(piece)

    def close(self) -> None:
        self._exchange.disconnect()


class _AsyncResponseStream(httpx.AsyncByteStream):
    """The same for asyncio and trio."""

    def __init__(self, transport: SandboxTransport, exchange: ASGIExchange, patience: float | None) -> None:
        self._transport = transport
        self._exchange, self._patience = exchange, patience

    async def read_piece(self) -> Piece:
        """Return the next piece; leaves when it does not come, and when the task is canceled."""
        try:
            await anyio.lowlevel.checkpoint()  # other tasks get their turn, however fast the pieces come
            came = anyio.Event()
            wake = partial(_get_threadsafe_caller(), came.set)
            with move_on_after(self._patience):
                while (piece := self._exchange.take_piece(wake)) is None:
                    await came.wait()
                return piece
            raise httpx.ReadTimeout("timed out")
        except BaseException:
            self._exchange.disconnect()
            raise

    def __aiter__(self) -> AsyncIterator[bytes]:
        # No generator: trio objects to one that is left unfinished.
        return self

    async def __anext__(self) -> bytes:
        piece = await self.read_piece()
        if isinstance(piece, bytes):
            return piece
        _check_complete(piece)
        raise StopAsyncIteration

    async def aclose(self) -> None:
        self._exchange.disconnect()


def _build_response(head: Piece, body: httpx.SyncByteStream | httpx.AsyncByteStream) -> httpx.Response:
    if not isinstance(head, ResponseHead):
        raise httpx.RemoteProtocolError("peer closed connection without sending a response")
    extensions = {"http_version": b"HTTP/1.1"}
    return httpx.Response(head.status, headers=head.headers, stream=body, extensions=extensions)


def _check_complete(end: Piece) -> None:
    if not isinstance(end, ResponseEnd) or end.broken:
        raise httpx.RemoteProtocolError("peer closed connection without sending complete message body")


def _get_read_timeout(request: httpx.Request) -> float | None:
    seconds: float | None = request.extensions.get("timeout", {}).get("read")
    return seconds


def _build_scope(request: httpx.Request) -> Scope:
    url = request.url
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": request.method,
        "scheme": url.scheme,
        "path": url.path,
        "raw_path": url.raw_path.partition(b"?")[0],
        "query_string": url.query,
        "root_path": "",
        "headers": [(name.lower(), value) for name, value in request.headers.raw],
        "client": None,
        "server": (url.host, url.port),
    }


def _get_threadsafe_caller() -> Callable[[Callable[[], object]], object]:
    """Return what has this event loop call something, from any thread."""
    trio = sys.modules.get("trio")
    if trio is not None:
        with contextlib.suppress(RuntimeError):
            trio.lowlevel.current_task()  # trio may be a guest in a loop of asyncio's
            return partial(_call_if_running, trio.lowlevel.current_trio_token().run_sync_soon)
    return partial(_call_if_running, asyncio.get_running_loop().call_soon_threadsafe)


def _call_if_running(soon: Callable[[Callable[[], object]], object], call: Callable[[], object]) -> None:
    with contextlib.suppress(RuntimeError):  # a loop that has ended has nobody who waits
        soon(call)
