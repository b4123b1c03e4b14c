"""The connections of aiohttp, for who asks for them: `transport="aiohttp"`."""

from __future__ import annotations

import contextlib
import os
import ssl

import aiohttp
import httpx
from httpx_aiohttp import AiohttpTransport

from payman_sdk._io.event_loops import PerLoop, get_asyncio_loop
from payman_sdk._io.interception import TRANSPORTS
from payman_sdk._io.routes import Routes, send_intercepted_async, show_query
from payman_sdk.errors import ConfigurationError


class AiohttpPool(httpx.AsyncBaseTransport):
    """Sends requests with aiohttp, in any number of event loops of asyncio's.

    Args:
        limit: How many connections there may be in each loop.
        certificates: Whom to trust.
        routes: The ways to servers.
        base_url: The server. All requests go the way that leads to it.

    Raises:
        ConfigurationError: The way leads through a SOCKS proxy.
    """

    raises_exactly = True
    """Whether what it raises says by its class whether the request was sent."""

    def __init__(self, limit: int, certificates: ssl.SSLContext, routes: Routes, base_url: str) -> None:
        route = routes.find(httpx.URL(base_url))
        if route.is_socks:
            raise ConfigurationError(
                "aiohttp cannot use a SOCKS proxy.",
                next_step="Leave transport to the client, or name an HTTP proxy.",
            )
        self._limit = limit
        self._certificates = certificates
        self.routes = routes
        self._proxy = route.proxy
        self._process = os.getpid()
        self._is_closed = False
        self._abandoned: list[AiohttpTransport] = []
        self._transports = PerLoop(self._make, self._end)

    def check_usable(self) -> None:
        """See that the event loop is one of asyncio's.

        Raises:
            ConfigurationError: It is trio's.
        """
        if get_asyncio_loop() is None:
            error = ConfigurationError(
                "aiohttp works on asyncio only.", next_step="Leave transport to the client."
            )
            error.sent = False
            raise error

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request with the connections of the loop that runs here."""
        if TRANSPORTS.is_on():
            return await send_intercepted_async(request, self._certificates, self._proxy)
        if self._is_closed:
            raise httpx.ConnectError("the connections are closed")
        return await self._transports.get().handle_async_request(show_query(request))

    async def aclose(self) -> None:
        """Close the connections of the loop that runs here, and forget the others."""
        self._is_closed = True
        if get_asyncio_loop() is None:
            return
        self._transports.get()  # which closes those of loops that have ended
        if (made := self._transports.pop()) is not None:
            await made.aclose()

    def _make(self) -> AiohttpTransport:
        # Cookies of one person must not travel with what another asks.
        session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=self._limit, ssl=self._certificates),
            cookie_jar=aiohttp.DummyCookieJar(),
        )
        return AiohttpTransport(verify=self._certificates, proxy=self._proxy, client=session)

    def _end(self, transport: AiohttpTransport) -> None:
        """Close what belonged to a loop that has ended; what belongs to the parent process is left to it."""
        if self._process != os.getpid():
            self._abandoned.append(transport)
            return
        with contextlib.suppress(Exception):
            for _ in transport.get_client().close().__await__():
                pass
