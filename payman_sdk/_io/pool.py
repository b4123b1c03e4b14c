"""The client's own connections, for threads: a transport of httpx that no interrupt, no fork and no other thread can spoil."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterable, Iterator
from typing import cast

import httpcore
import httpx

from payman_sdk._io.deadlines import DeadlineBackend
from payman_sdk._io.forks import renew_after_fork
from payman_sdk._io.interception import TRANSPORTS
from payman_sdk._io.locks import WaiterQueue
from payman_sdk._io.routes import (
    Route,
    Routes,
    from_httpcore,
    parse_proxy_url,
    send_intercepted,
    to_httpcore,
    to_httpx_error,
)
from payman_sdk._io.slots import Slot, Slots, Sockets


class Pool(httpx.BaseTransport):
    """Sends requests on its own connections; safe to use from several threads at once.

    Args:
        limit: How many connections there may be.
        certificates: Whom to trust.
        routes: The ways to servers.
    """

    bears_interrupts = True
    """Whether a KeyboardInterrupt at any instant leaves it whole."""
    reports_sending = True
    """Whether a request's `trace` gets a report before a byte is sent."""

    def __init__(self, limit: int, certificates: ssl.SSLContext, routes: Routes) -> None:
        self._certificates = certificates
        self._limit = limit
        self.routes = routes
        self._leases = _ThreadLeases(limit, self._make_slot)
        renew_after_fork(self)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request, and return the answer with its body still to be read."""
        leases, route = self._leases, self.routes.find(request.url)
        if TRANSPORTS.is_on():
            return send_intercepted(request, self._certificates, route.proxy)
        slot = leases.take(route)
        if slot is None:
            slot = leases.acquire(route, request.extensions.get("timeout", {}).get("pool"))
        try:
            answer = slot.connection.handle_request(to_httpcore(request))
            body = _PooledBody(answer, slot, leases)
        except BaseException as error:
            leases.release(slot, in_order=False)
            if (renamed := to_httpx_error(error)) is None:
                raise
            raise renamed from error
        return from_httpcore(answer, body)

    def close(self) -> None:
        """Close all connections; what other threads are doing on them ends with an error."""
        self._leases.close()

    def begin_anew(self) -> None:
        """Have new connections in a process that has just been forked."""
        inherited, self._leases = self._leases, _ThreadLeases(self._limit, self._make_slot)
        self._leases.is_closed = inherited.is_closed
        inherited.abandon()

    def _make_slot(self, route: Route) -> Slot[httpcore.ConnectionInterface]:
        sockets = Sockets()
        backend = DeadlineBackend(sockets)
        proxy = route.proxy
        if proxy is None:
            connection: httpcore.ConnectionInterface = httpcore.HTTPConnection(
                route.origin, ssl_context=self._certificates, network_backend=backend
            )
            return Slot(route, sockets, connection)
        # A pool of httpcore's makes the connection, and is used for nothing else: interrupts spoil its locks.
        if route.is_socks:
            maker: httpcore.ConnectionPool = httpcore.SOCKSProxy(
                parse_proxy_url(proxy), proxy.raw_auth, self._certificates, network_backend=backend
            )
        else:
            maker = httpcore.HTTPProxy(
                parse_proxy_url(proxy),
                proxy.raw_auth,
                proxy.headers.raw,
                self._certificates,
                proxy.ssl_context,
                network_backend=backend,
            )
        return Slot(route, sockets, maker.create_connection(route.origin))


class _ThreadLeases(Slots[httpcore.ConnectionInterface]):
    """The connections, and the threads that wait for one."""

    def __init__(self, limit: int, make: Callable[[Route], Slot[httpcore.ConnectionInterface]]) -> None:
        super().__init__(limit, make)
        self._bell = WaiterQueue()

    def acquire(self, route: Route, seconds: float | None) -> Slot[httpcore.ConnectionInterface]:
        """Lease a connection as soon as there is one.

        Raises:
            httpx.PoolTimeout: There was none in time.
            httpx.ConnectError: The pool has been closed.
        """
        slot = self._bell.wait_for(lambda: self.take(route), seconds)
        if slot is None:
            raise httpx.PoolTimeout("no connection came free")
        return slot

    def release(self, slot: Slot[httpcore.ConnectionInterface], *, in_order: bool) -> None:
        """End a lease; the connection is used again only if all that was to be read has been read."""
        try:
            if in_order:
                self.give_back(slot)
            else:
                self.discard(slot)
        finally:
            self._bell.notify()

    def close(self) -> None:
        super().close()
        self._bell.notify_all()


class _PooledBody(httpx.SyncByteStream):
    """The body of an answer, which ends the lease of its connection."""

    def __init__(
        self, answer: httpcore.Response, slot: Slot[httpcore.ConnectionInterface], leases: _ThreadLeases
    ) -> None:
        self._answer = answer
        self._slot: Slot[httpcore.ConnectionInterface] | None = slot
        self._leases = leases

    def __iter__(self) -> Iterator[bytes]:
        try:
            yield from cast("Iterable[bytes]", self._answer.stream)
        except BaseException as error:
            self._end_lease(in_order=False)
            if (renamed := to_httpx_error(error)) is None:
                raise
            raise renamed from error

    def close(self) -> None:
        """Let the connection go."""
        if self._slot is None:
            return
        try:
            self._answer.close()
        except BaseException as error:
            self._end_lease(in_order=False)
            if (renamed := to_httpx_error(error)) is None:
                raise
            raise renamed from error
        self._end_lease(in_order=True)

    def _end_lease(self, *, in_order: bool) -> None:
        slot, self._slot = self._slot, None
        if slot is not None:
            self._leases.release(slot, in_order=in_order)
