"""The client's own connections, for asyncio and trio: as `pool.py`, with separate connections for every event loop.

Their sockets belong to no event loop, so they can be closed anywhere.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

import anyio.lowlevel
import httpcore

from payman_sdk._io.clock import monotonic
from payman_sdk._io.event_loops import PerLoop, TaskQueue, move_on_after
from payman_sdk._io.forks import defer_forks
from payman_sdk._io.http import build_request, get_limits, take_report
from payman_sdk._io.routes import Route
from payman_sdk._io.slots import PooledResponse, Slot, Slots, Sockets
from payman_sdk._io.socket_waits import connect, find_addresses, is_readable, wait_for_socket
from payman_sdk._io.tls import CONNECTING, PIECE, READING, WRITING, TlsLayer

T = TypeVar("T")


class AsyncPool:
    """Sends requests on its own connections to one server, from any number of event loops, for each of which the limit counts."""

    sends_itself = reports_sending = True
    build_request = staticmethod(build_request)

    def __init__(self, limit: int, route: Route) -> None:
        self._limit = limit
        self.route = route
        self._is_closed = False
        self._leases = PerLoop(self._make_leases, _TaskLeases.abandon)

    async def send(self, request: httpcore.Request) -> PooledResponse:
        """Send a request, and return the answer with its body still to be read."""
        leases = self._leases.get()
        slot = leases.take(_MANY)
        if slot is None:
            slot = await leases.acquire(get_limits(request).get("pool"))
        try:
            if self.route.proxy is None:
                request, slot.sockets.report = take_report(request)
            return PooledResponse(await slot.connection.handle_async_request(request), slot, leases)
        except BaseException:
            leases.release(slot, in_order=False)
            raise

    async def aclose(self) -> None:
        """Close all connections; the work of other tasks on them, in any loop, ends with an error."""
        self._is_closed = True
        for leases in self._leases.values():
            leases.close()

    def _make_leases(self) -> _TaskLeases:
        leases = _TaskLeases(self._limit, self._make_slot)
        leases.is_closed = self._is_closed
        return leases

    def _make_slot(self) -> Slot:
        sockets = Sockets()
        kinds = httpcore.AsyncHTTPConnection, httpcore.AsyncHTTPProxy, httpcore.AsyncSOCKSProxy
        return Slot(sockets, self.route.make_connection(AsyncSockets(sockets), *kinds))


class _TaskLeases(Slots):
    """The connections of one event loop, and the tasks that wait for one."""

    def __init__(self, limit: int, make: Callable[[], Slot]) -> None:
        super().__init__(limit, make)
        self._queue = TaskQueue(_LOOK)

    async def acquire(self, seconds: float | None) -> Slot:
        """Lease a connection as soon as there is one; as that of the pool for threads."""
        with move_on_after(seconds):
            began = monotonic()
            limit: int | None = _MANY
            while (slot := self.take(limit)) is None:
                # Whoever closes the pool in another thread cannot wake a task of this loop.
                await self._queue.wait()
                if monotonic() - began >= _EASE:
                    limit = None
            return slot
        raise httpcore.PoolTimeout("no connection came free")

    def wake_next(self) -> None:
        self._queue.wake_next()


_LOOK = 0.05
"""Seconds after which one who waits looks for itself."""

_MANY = 100
"""How many connections are opened without hesitation. Each costs more than a short wait for a free one."""

_EASE = 0.05
"""Seconds that one waits for a connection to come free before it opens one more."""


class AsyncSockets(httpcore.AsyncNetworkBackend):
    """Connects; what it is given keeps every socket."""

    def __init__(self, keeper: Sockets) -> None:
        self._keeper = keeper

    async def connect_tcp(
        self, host: str, port: int, timeout: float | None = None, *_: Any, **__: Any
    ) -> httpcore.AsyncNetworkStream:
        """Open a connection over TCP, to whichever address of the host answers first."""
        if self._keeper.report is not None:
            await self._keeper.report("connection.connect_tcp.started", {"host": host, "port": port})
        with CONNECTING, move_on_after(timeout):
            sock = await connect(await find_addresses(host, port))
            self._keeper.keep(sock)
            return _SocketStream(sock, self._keeper)
        raise httpcore.ConnectTimeout("timed out")


class _Stream(httpcore.AsyncNetworkStream):
    """A stream that TLS can be started on, which reports the first byte of a request that is written to it."""

    _keeper: Sockets

    async def _report_writing(self) -> None:
        if (report := self._keeper.note_write()) is not None:
            await report("http11.send_request_headers.started", {})

    async def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.AsyncNetworkStream:
        with CONNECTING, move_on_after(timeout):
            encrypted = _TlsStream(self, ssl_context, server_hostname)
            # Requests are written to the new stream.
            encrypted._keeper, self._keeper = self._keeper, Sockets()
            await encrypted.shake_hands()
            return encrypted
        raise httpcore.ConnectTimeout("timed out")


class _SocketStream(_Stream):
    """A connected socket."""

    def __init__(self, sock: socket.socket, keeper: Sockets) -> None:
        self._sock, self._keeper = sock, keeper
        self._unsent, self._has_read = b"", False

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        self._has_read = True
        if self._unsent:
            # A server may have answered and closed before it has read the whole request.
            with contextlib.suppress(httpcore.WriteError):
                await self._flush(timeout)
        with READING:
            try:
                data = self._sock.recv(max_bytes)
            except BlockingIOError:
                if not await wait_for_socket(self._sock, timeout, to_write=False):
                    raise httpcore.ReadTimeout("timed out") from None
                return self._keeper.note_read(self._sock.recv(max_bytes))
        await anyio.lowlevel.checkpoint()
        return self._keeper.note_read(data)

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        await self._report_writing()
        # httpcore writes head and body one by one; together they are one packet.
        self._unsent, self._has_read = self._unsent + buffer, False
        if len(self._unsent) > PIECE:
            await self._flush(timeout)

    async def _flush(self, timeout: float | None) -> None:
        rest, self._unsent = memoryview(self._unsent), b""
        with WRITING:
            while rest:
                try:
                    rest = rest[self._sock.send(rest) :]
                except BlockingIOError:
                    if not await wait_for_socket(self._sock, timeout, to_write=True):
                        raise httpcore.WriteTimeout("timed out") from None

    async def aclose(self) -> None:
        self._sock.close()

    def get_extra_info(self, info: str) -> Any:
        known: dict[str, Callable[[], Any]] = {
            "socket": lambda: self._sock,
            "client_addr": self._sock.getsockname,
            "server_addr": self._sock.getpeername,
            "is_readable": lambda: is_readable(self._sock),
            "has_read": lambda: self._has_read,
        }
        return known[info]() if info in known else None


class _TlsStream(TlsLayer, _Stream):
    """TLS for tasks, on a socket or on another such stream."""

    async def shake_hands(self) -> None:
        """Agree on keys, and see that the server is the one that is meant."""
        await self._run(self._tls.do_handshake, None)
        await self._flush(None)

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        with READING, contextlib.suppress(ssl.SSLZeroReturnError, ssl.SSLEOFError):
            return self._keeper.note_read(await self._run(partial(self._tls.read, max_bytes), timeout))
        return b""

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        await self._report_writing()
        rest = memoryview(buffer)
        with WRITING:
            while rest:
                rest = rest[await self._run(partial(self._tls.write, rest), timeout) :]
        await self._flush(timeout)

    async def aclose(self) -> None:
        await self._stream.aclose()

    async def _run(self, step: Callable[[], T], timeout: float | None) -> T:
        """Take a step of the protocol, once there is from the server what it needs."""
        while True:
            with contextlib.suppress(ssl.SSLWantReadError), defer_forks():  # for the locks of OpenSSL
                return step()
            await self._flush(timeout)
            self._take(await self._stream.read(PIECE, timeout))

    async def _flush(self, timeout: float | None) -> None:
        if self._goes.pending:
            await self._stream.write(self._goes.read(), timeout)
