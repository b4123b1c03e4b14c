"""The client's own connections, for threads: a transport of httpx that no interrupt, no fork and no other thread can spoil."""

from __future__ import annotations

import ssl
from collections.abc import Callable

import httpcore
import httpx

from payman_sdk._io.deadlines import DeadlineBackend
from payman_sdk._io.forks import renew_after_fork
from payman_sdk._io.locks import WaiterQueue
from payman_sdk._io.routes import (
    TRANSPORTS,
    Route,
    Routes,
    from_httpcore,
    make_connection,
    send_intercepted,
    to_httpcore,
)
from payman_sdk._io.slots import PooledBody, Slot, Slots, Sockets


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
            body = PooledBody(answer, slot, leases)
        except BaseException as error:
            leases.fail(slot, error)
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
        kinds = httpcore.HTTPConnection, httpcore.HTTPProxy, httpcore.SOCKSProxy
        return Slot(
            route, sockets, make_connection(route, self._certificates, DeadlineBackend(sockets), kinds)
        )


class _ThreadLeases(Slots[httpcore.ConnectionInterface]):
    """The connections, and the threads that wait for one."""

    def __init__(self, limit: int, make: Callable[[Route], Slot[httpcore.ConnectionInterface]]) -> None:
        super().__init__(limit, make)
        self._bell = WaiterQueue()

    def acquire(self, route: Route, seconds: float | None) -> Slot[httpcore.ConnectionInterface]:
        """Lease a connection as soon as there is one; refuse after so many seconds without one, and once the pool is closed."""
        slot = self._bell.wait_for(lambda: self.take(route), seconds)
        if slot is None:
            raise httpx.PoolTimeout("no connection came free")
        return slot

    def wake_next(self) -> None:
        """Wake the thread that has waited longest."""
        if self._bell.waiting:
            self._bell.notify()

    def close(self) -> None:
        super().close()
        self._bell.notify_all()
