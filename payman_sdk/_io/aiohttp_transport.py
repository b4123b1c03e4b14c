"""The connections of aiohttp, for who asks for them: `transport="aiohttp"`."""

from __future__ import annotations

import contextlib
import os
import ssl
from collections.abc import AsyncIterator
from typing import cast

import aiohttp
import httpx
from httpx_aiohttp import AiohttpTransport

from payman_sdk._io.event_loops import PerLoop, TaskQueue, get_asyncio_loop
from payman_sdk._io.routes import TRANSPORTS, Routes, send_intercepted_async, show_query
from payman_sdk.errors import ConfigurationError


class AiohttpPool(httpx.AsyncBaseTransport):
    """Sends requests with aiohttp, in any number of event loops of asyncio's.

    The arguments are those of `AsyncPool`, and the server: all requests go the way that leads to it.

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
        """Refuse an event loop of trio's."""
        if get_asyncio_loop() is None:
            raise ConfigurationError(
                "aiohttp works on asyncio only.", next_step="Leave transport to the client.", sent=False
            )

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request with the connections of the loop that runs here."""
        if TRANSPORTS.is_on():
            return await send_intercepted_async(request, self._certificates, self._proxy)
        if self._is_closed:
            raise httpx.ConnectError("the connections are closed")
        transport, turns = self._transports.get()
        await turns.take()
        try:
            answer = await transport.handle_async_request(show_query(request))
        except BaseException:
            turns.end()
            raise
        answer.stream = _CountedBody(cast("httpx.AsyncByteStream", answer.stream), turns)
        return answer

    async def aclose(self) -> None:
        """Close the connections of the loop that runs here, and forget the others."""
        self._is_closed = True
        if get_asyncio_loop() is None:
            return
        self._transports.get()  # which closes those of loops that have ended
        if (made := self._transports.pop()) is not None:
            await made[0].aclose()

    def _make(self) -> tuple[AiohttpTransport, _Turns]:
        # Cookies of one person must not travel with what another asks.
        session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=self._limit, ssl=self._certificates),
            cookie_jar=aiohttp.DummyCookieJar(),
        )
        return AiohttpTransport(verify=self._certificates, proxy=self._proxy, client=session), _Turns()

    def _end(self, made: tuple[AiohttpTransport, _Turns]) -> None:
        """Close what belonged to a loop that has ended; what belongs to the parent process is left to it."""
        transport, _ = made
        if self._process != os.getpid():
            self._abandoned.append(transport)
            return
        with contextlib.suppress(Exception):
            for _ in transport.get_client().close().__await__():
                pass


_MANY = 100
"""How many requests go out at once without hesitation. A connection costs more than to wait for one of a server that answers soon."""

_EASE = 0.05
"""Seconds that a request beyond them waits for another to end before it opens one more connection."""


class _Turns:
    """Spaces out the requests of one event loop, so that few connections serve many short requests."""

    def __init__(self) -> None:
        self._count = 0
        self._queue = TaskQueue(_EASE)

    async def take(self) -> None:
        """Return when few enough requests are under way, or after some milliseconds."""
        if self._count >= _MANY:
            await self._queue.wait()
        self._count += 1

    def end(self) -> None:
        """Note that a request has ended, and let the one that has waited longest go."""
        self._count -= 1
        if self._count < _MANY:
            self._queue.wake_next()


class _CountedBody(httpx.AsyncByteStream):
    """A body whose end lets another request go."""

    def __init__(self, body: httpx.AsyncByteStream, turns: _Turns) -> None:
        self._body = body
        self._turns: _Turns | None = turns

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self._body.__aiter__()

    async def aclose(self) -> None:
        """Close the body, once."""
        turns, self._turns = self._turns, None
        try:
            await self._body.aclose()
        finally:
            if turns is not None:
                turns.end()
