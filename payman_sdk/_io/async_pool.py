"""The client's own connections, for asyncio and trio: as `pool.py`, with separate connections for every event loop."""

from __future__ import annotations

import ssl
from collections.abc import Callable

import httpcore
import httpx

from payman_sdk._io.async_sockets import AsyncSockets
from payman_sdk._io.clock import monotonic
from payman_sdk._io.event_loops import PerLoop, TaskQueue, move_on_after
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
        self._queue = TaskQueue()

    async def acquire(self, route: Route, seconds: float | None) -> Slot[httpcore.AsyncConnectionInterface]:
        """Lease a connection as soon as there is one; as that of the pool for threads."""
        with move_on_after(seconds):
            began = monotonic()
            limit: int | None = _MANY
            while (slot := self.take(route, limit)) is None:
                # Whoever closes the pool in another thread cannot wake a task of this loop.
                await self._queue.wait(_LOOK)
                if monotonic() - began >= _EASE:
                    limit = None
            return slot
        raise httpx.PoolTimeout("no connection came free")

    def wake_next(self) -> None:
        """Wake the task that has waited longest."""
        self._queue.wake_next()


_LOOK = 0.05
"""Seconds after which one who waits looks for itself."""

_MANY = 100
"""How many connections are opened without hesitation. Each costs more than to wait for one of a server that answers soon."""

_EASE = 0.05
"""Seconds that one waits for a connection to come free before it opens one more."""
