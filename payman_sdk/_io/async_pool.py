"""The client's own connections, for asyncio and trio: as `pool.py`, with separate connections for every event loop.

Their sockets belong to no event loop: they can be closed wherever and whenever nobody needs them any more. What asyncio itself makes
of a socket can be closed by its loop only, and complains when the loop has ended before.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, TypeVar

import anyio.lowlevel
import httpcore
import httpx

from payman_sdk._io.clock import monotonic
from payman_sdk._io.event_loops import PerLoop, TaskQueue, move_on_after, sleep
from payman_sdk._io.forks import defer_forks
from payman_sdk._io.routes import (
    TRANSPORTS,
    Route,
    Routes,
    from_httpcore,
    make_connection,
    send_intercepted_async,
    to_httpcore,
)
from payman_sdk._io.slots import PooledBody, Slot, Slots, Sockets
from payman_sdk._io.socket_waits import connect, find_addresses, is_readable, wait_for_socket

T = TypeVar("T")


class AsyncPool(httpx.AsyncBaseTransport):
    """Sends requests on its own connections, from any number of event loops, one after the other or at once.

    The arguments are those of `Pool`; the limit holds for each loop.
    """

    bears_interrupts = True
    """Whether a cancellation at any instant leaves it whole."""
    reports_sending = True
    """Whether a request's `trace` gets a report before a byte is sent."""

    def __init__(self, limit: int, certificates: ssl.SSLContext, routes: Routes) -> None:
        self._certificates = certificates
        self._limit = limit
        self.routes = routes
        self._is_closed = False
        self._leases = PerLoop(self._make_leases, _TaskLeases.abandon)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request, and return the answer with its body still to be read."""
        leases, route = self._leases.get(), self.routes.find(request.url)
        if TRANSPORTS.is_on():
            return await send_intercepted_async(request, self._certificates, route.proxy)
        slot = leases.take(route, _MANY)
        if slot is None:
            slot = await leases.acquire(route, request.extensions.get("timeout", {}).get("pool"))
        try:
            answer = await slot.connection.handle_async_request(to_httpcore(request))
            body = PooledBody(answer, slot, leases)
        except BaseException as error:
            leases.fail(slot, error)
        return from_httpcore(answer, body)

    async def aclose(self) -> None:
        """Close all connections; what other tasks are doing on them, in whichever loop, ends with an error."""
        self._is_closed = True
        for leases in self._leases.values():
            leases.close()

    def _make_leases(self) -> _TaskLeases:
        leases = _TaskLeases(self._limit, self._make_slot)
        leases.is_closed = self._is_closed
        return leases

    def _make_slot(self, route: Route) -> Slot[httpcore.AsyncConnectionInterface]:
        sockets = Sockets()
        kinds = httpcore.AsyncHTTPConnection, httpcore.AsyncHTTPProxy, httpcore.AsyncSOCKSProxy
        return Slot(route, sockets, make_connection(route, self._certificates, AsyncSockets(sockets), kinds))


class _TaskLeases(Slots[httpcore.AsyncConnectionInterface]):
    """The connections of one event loop, and the tasks that wait for one."""

    def __init__(self, limit: int, make: Callable[[Route], Slot[httpcore.AsyncConnectionInterface]]) -> None:
        super().__init__(limit, make)
        self._queue = TaskQueue(_LOOK)

    async def acquire(self, route: Route, seconds: float | None) -> Slot[httpcore.AsyncConnectionInterface]:
        """Lease a connection as soon as there is one; as that of the pool for threads."""
        with move_on_after(seconds):
            began = monotonic()
            limit: int | None = _MANY
            while (slot := self.take(route, limit)) is None:
                # Whoever closes the pool in another thread cannot wake a task of this loop.
                await self._queue.wait()
                if monotonic() - began >= _EASE:
                    limit = None
            return slot
        raise httpx.PoolTimeout("no connection came free")

    def wake_next(self) -> None:
        self._queue.wake_next()


_LOOK = 0.05
"""Seconds after which one who waits looks for itself."""

_MANY = 100
"""How many connections are opened without hesitation. Each costs more than to wait for one of a server that answers soon."""

_EASE = 0.05
"""Seconds that one waits for a connection to come free before it opens one more."""


_PIECE = 64 * 1024


class AsyncSockets(httpcore.AsyncNetworkBackend):
    """Connects; what it is given keeps every socket."""

    def __init__(self, keeper: Sockets) -> None:
        self._keeper = keeper

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Open a connection over TCP, to whichever address of the host answers first."""
        try:
            with move_on_after(timeout):
                sock = await connect(await find_addresses(host, port))
                self._keeper.keep(sock)
                return _SocketStream(sock)
        except OSError as error:
            raise httpcore.ConnectError(str(error)) from error
        raise httpcore.ConnectTimeout("timed out")

    async def sleep(self, seconds: float) -> None:
        await sleep(seconds)


class _Stream(httpcore.AsyncNetworkStream):
    """A stream that TLS can be started on."""

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.AsyncNetworkStream:
        try:
            with move_on_after(timeout):
                encrypted = _TlsStream(self, ssl_context, server_hostname)
                await encrypted.shake_hands()
                return encrypted
        except (OSError, httpcore.NetworkError) as error:
            raise httpcore.ConnectError(str(error)) from error
        raise httpcore.ConnectTimeout("timed out")


class _SocketStream(_Stream):
    """A connected socket."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._unsent, self._has_read = b"", False

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        self._has_read = True
        if self._unsent:
            # A server may have answered and closed before it has read the whole request.
            with contextlib.suppress(httpcore.WriteError):
                await self._flush(timeout)
        try:
            try:
                data = self._sock.recv(max_bytes)
            except BlockingIOError:
                if not await wait_for_socket(self._sock, timeout, to_write=False):
                    raise httpcore.ReadTimeout("timed out") from None
                return self._sock.recv(max_bytes)
        except OSError as error:
            raise httpcore.ReadError(str(error)) from error
        await anyio.lowlevel.checkpoint()
        return data

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        # httpcore writes head and body one by one; together they are one packet.
        self._unsent, self._has_read = self._unsent + buffer, False
        if len(self._unsent) > _PIECE:
            await self._flush(timeout)

    async def _flush(self, timeout: float | None) -> None:
        rest, self._unsent = memoryview(self._unsent), b""
        try:
            while rest:
                try:
                    rest = rest[self._sock.send(rest) :]
                except BlockingIOError:
                    if not await wait_for_socket(self._sock, timeout, to_write=True):
                        raise httpcore.WriteTimeout("timed out") from None
        except OSError as error:
            raise httpcore.WriteError(str(error)) from error

    async def aclose(self) -> None:
        self._sock.close()

    def get_extra_info(self, info: str) -> Any:
        match info:
            case "socket":
                return self._sock
            case "client_addr":
                return self._sock.getsockname()
            case "server_addr":
                return self._sock.getpeername()
            case "is_readable":
                return is_readable(self._sock)
            case "has_read":
                return self._has_read
            case _:
                return None


class _TlsStream(_Stream):
    """TLS on any stream, be it a socket or another such stream."""

    def __init__(
        self, stream: httpcore.AsyncNetworkStream, context: ssl.SSLContext, host: str | None
    ) -> None:
        self._stream = stream
        self._came, self._goes = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._came, self._goes, server_hostname=host)

    async def shake_hands(self) -> None:
        """Agree on keys, and see that the server is the one that is meant."""
        await self._run(self._tls.do_handshake, None)
        await self._flush(None)

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        try:
            return await self._run(partial(self._tls.read, max_bytes), timeout)
        except (ssl.SSLZeroReturnError, ssl.SSLEOFError):
            return b""
        except OSError as error:
            raise httpcore.ReadError(str(error)) from error

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        rest = memoryview(buffer)
        try:
            while rest:
                rest = rest[await self._run(partial(self._tls.write, rest), timeout) :]
        except OSError as error:
            raise httpcore.WriteError(str(error)) from error
        await self._flush(timeout)

    async def aclose(self) -> None:
        await self._stream.aclose()

    def get_extra_info(self, info: str) -> Any:
        if info == "ssl_object":
            return self._tls
        if info == "is_readable" and (self._came.pending or self._tls.pending()):
            return True
        return self._stream.get_extra_info(info)

    async def _run(self, step: Callable[[], T], timeout: float | None) -> T:
        """Take a step of the protocol, once there is from the server what it needs."""
        while True:
            try:
                with defer_forks():  # OpenSSL has locks for the whole process, which a child could find taken
                    return step()
            except ssl.SSLWantReadError:
                await self._exchange(timeout)

    async def _flush(self, timeout: float | None) -> None:
        if self._goes.pending:
            await self._stream.write(self._goes.read(), timeout)

    async def _exchange(self, timeout: float | None) -> None:
        """Send what has to go before more can come, and wait for that."""
        await self._flush(timeout)
        if data := await self._stream.read(_PIECE, timeout):
            self._came.write(data)
        else:
            self._came.write_eof()
