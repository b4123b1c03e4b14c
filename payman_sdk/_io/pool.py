"""The client's own connections, for threads: no interrupt, no fork and no other thread can spoil them.

No operation on a socket lasts longer than the time left. By itself, httpcore limits each operation alone, so a slow server could
hold its caller for long. The pool's network backend sees every operation. Only the look-up of a host's address has no limit.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from typing import Any

import httpcore

from payman_sdk._io.clock import monotonic
from payman_sdk._io.forks import defer_forks, renew_after_fork
from payman_sdk._io.http import build_request, get_limits, take_report
from payman_sdk._io.locks import WaiterQueue
from payman_sdk._io.routes import Route
from payman_sdk._io.slots import PooledResponse, Slot, Slots, Sockets
from payman_sdk._io.tls import CONNECTING, TlsStream


class Pool:
    """Sends requests on its own connections to one server, `limit` at most; safe to use from several threads at once."""

    # It passes by httpx's transports, an interrupt leaves it whole, and `trace` gets a report before a byte is sent.
    sends_itself = reports_sending = True
    build_request = staticmethod(build_request)

    def __init__(self, limit: int, route: Route) -> None:
        self._limit = limit
        self.route = route
        self._leases = _ThreadLeases(limit, self._make_slot)
        renew_after_fork(self)

    def send(self, request: httpcore.Request) -> PooledResponse:
        """Send a request, and return the answer with its body still to be read."""
        leases = self._leases
        slot = leases.take()
        if slot is None:
            slot = leases.acquire(get_limits(request).get("pool"))
        try:
            if self.route.proxy is None:  # else only httpcore knows which bytes are for the proxy
                request, slot.sockets.report = take_report(request)
            return PooledResponse(slot.connection.handle_request(request), slot, leases)
        except BaseException:
            leases.release(slot, in_order=False)
            raise

    def close(self) -> None:
        """Close all connections; what other threads are doing on them ends with an error."""
        self._leases.close()

    def begin_anew(self) -> None:
        """Have new connections in a process that has just been forked."""
        inherited, self._leases = self._leases, _ThreadLeases(self._limit, self._make_slot)
        self._leases.is_closed = inherited.is_closed
        inherited.abandon()

    def _make_slot(self) -> Slot:
        sockets = Sockets()
        kinds = httpcore.HTTPConnection, httpcore.HTTPProxy, httpcore.SOCKSProxy
        return Slot(sockets, self.route.make_connection(DeadlineBackend(sockets), *kinds))


class _ThreadLeases(Slots):
    """The connections, and the threads that wait for one."""

    def __init__(self, limit: int, make: Callable[[], Slot]) -> None:
        super().__init__(limit, make)
        self._bell = WaiterQueue()

    def acquire(self, seconds: float | None) -> Slot:
        """Lease a connection as soon as there is one; refuse after so many seconds, and once the pool is closed."""
        slot = self._bell.wait_for(self.take, seconds)
        if slot is None:
            raise httpcore.PoolTimeout("no connection came free")
        return slot

    def wake_next(self) -> None:
        if self._bell.waiting:
            self._bell.notify()

    def close(self) -> None:
        super().close()
        self._bell.notify_all()


class _Deadline(threading.local):
    at: float | None = None


_deadline = _Deadline()


class deadline_scope:  # noqa: N801 (it reads as a verb, as `contextlib.suppress` does)
    """End what this thread does on the client's own connections in the block within so many seconds.

    `contextlib` is not used, as it writes on exceptions, which some refuse.
    """

    __slots__ = ("_before", "_seconds")

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    def __enter__(self) -> None:
        self._before, _deadline.at = _deadline.at, monotonic() + self._seconds

    def __exit__(self, *_: object) -> None:
        _deadline.at = self._before


def _get_seconds_left(timeout: float | None, failure: type[Exception]) -> float | None:
    if _deadline.at is None:
        return timeout
    left = _deadline.at - monotonic()
    if left <= 0:
        raise failure("timed out")
    return left if timeout is None else min(timeout, left)


class DeadlineBackend(httpcore.NetworkBackend):
    """Connects, and keeps the deadline of `deadline_scope` in whatever is done on the connection.

    It keeps every socket, and reports steps until the first byte of a request leaves. The reports of all steps would take a
    twentieth of an ask.
    """

    def __init__(self, keeper: Sockets) -> None:
        self._keeper = keeper
        self._backend = httpcore.SyncBackend()

    def connect_tcp(
        self, host: str, port: int, timeout: float | None = None, *more: Any, **given: Any
    ) -> httpcore.NetworkStream:
        if (report := self._keeper.report) is not None:
            report("connection.connect_tcp.started", {"host": host, "port": port})
        with CONNECTING:
            found = [one[4] for one in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
        addresses = [host] if "%" in host else [str(one[0]) for one in found]  # which lack the zone
        until = monotonic() + (_LONG if timeout is None else timeout)
        while True:
            # Each address gets its share of the time; Python's own function would give each all of it.
            share = max(0.001, until - monotonic()) / len(addresses)
            left = _get_seconds_left(share, httpcore.ConnectTimeout)
            try:
                stream = self._backend.connect_tcp(addresses.pop(0), port, left, *more, **given)
                return _DeadlineNetworkStream(stream, self._keeper)
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                if not addresses:
                    raise


_LONG = 1e6
"""Seconds that stand for no limit."""
_PIECE = 16 * 1024
"""Bytes that are written at a time: httpcore gives each send of a large body all of the time that is left."""


class _DeadlineNetworkStream(httpcore.NetworkStream):
    def __init__(self, stream: httpcore.NetworkStream, keeper: Sockets) -> None:
        self._stream = stream
        self._keeper = keeper
        self._has_read = False
        keeper.keep(stream.get_extra_info("socket"))

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        self._has_read = True
        left = _get_seconds_left(timeout, httpcore.ReadTimeout)
        return self._keeper.note_read(self._stream.read(max_bytes, left))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        if (report := self._keeper.note_write()) is not None:
            report("http11.send_request_headers.started", {})
        self._has_read = False
        for start in range(0, len(buffer), _PIECE):
            piece = buffer[start : start + _PIECE]
            self._stream.write(piece, _get_seconds_left(timeout, httpcore.WriteTimeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: Any, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        left = _get_seconds_left(timeout, httpcore.ConnectTimeout)
        if self.get_extra_info("ssl_object") is not None:
            # TLS inside of TLS: httpcore's own gives each of many reads all of the time.
            keeper, self._keeper = self._keeper, Sockets()  # requests are written to the new stream
            inner = TlsStream(self, ssl_context, server_hostname)
            try:
                with CONNECTING, deadline_scope(_LONG if left is None else left):
                    inner.shake_hands()
            except httpcore.TimeoutException as error:
                raise httpcore.ConnectTimeout(str(error)) from error
            return _DeadlineNetworkStream(inner, keeper)
        with defer_forks():  # OpenSSL has locks for the whole process, which a child could find taken
            stream = self._stream.start_tls(ssl_context, server_hostname, left)
        return _DeadlineNetworkStream(stream, self._keeper)

    def get_extra_info(self, info: str) -> Any:
        return self._has_read if info == "has_read" else self._stream.get_extra_info(info)
