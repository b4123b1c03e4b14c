"""The connections of aiohttp, for who asks for them: `transport="aiohttp"`."""

from __future__ import annotations

import contextlib
import os
from collections.abc import AsyncIterator, Iterable
from typing import Any, TypeAlias, cast

import aiohttp
import httpcore
from yarl import URL

from payman_sdk._io.event_loops import PerLoop, TaskQueue, get_asyncio_loop
from payman_sdk._io.http import SDK_AGENT, build_request, get_limits, write_host
from payman_sdk._io.routes import Interception, Route
from payman_sdk._io.streams import OwnResponse
from payman_sdk._refusals import refuse
from payman_sdk.errors import ConfigurationError


class AiohttpPool:
    """Sends requests with aiohttp, in any number of asyncio's event loops. Raises ConfigurationError for a SOCKS proxy."""

    sends_itself = True
    build_request = staticmethod(build_request)
    raises_exactly = True
    """Whether what it raises says by its class whether the request was sent."""

    def __init__(self, limit: int, route: Route) -> None:
        if route.is_socks:
            fix = "Leave transport to the client, or name an HTTP proxy."
            refuse("aiohttp", "cannot use a SOCKS proxy", fix)
        self._limit = limit
        self.route = route
        self._way: dict[str, Any] = {}
        if (proxy := route.proxy) is not None:
            self._way = {"proxy": str(proxy.url), "proxy_headers": proxy.headers}
            self._way["proxy_auth"] = aiohttp.BasicAuth(*proxy.auth) if proxy.auth else None
        self._process = os.getpid()
        self._is_closed = False
        self._abandoned: list[_Sessions] = []
        self._sessions = PerLoop(self._make, self._end)

    def check_usable(self) -> None:
        """Refuse trio's event loops, and one in which no connections can be made, before a request is handed over."""
        fix = "Leave transport to the client."
        if get_asyncio_loop() is None:
            refuse("aiohttp", "works on asyncio only", fix)
        try:
            self._sessions.get()
        except Exception as error:
            raise ConfigurationError(
                f"aiohttp cannot start: {type(error).__name__}.", next_step=fix
            ) from error

    async def send(self, request: httpcore.Request) -> AiohttpResponse:
        """Send a request with the connections of the loop that runs here."""
        if self._is_closed:
            raise httpcore.ConnectError("the connections are closed")
        session, silent, turns = self._sessions.get()
        limits = get_limits(request)
        timeout = aiohttp.ClientTimeout(sock_connect=limits.get("connect"), connect=limits.get("pool"))
        body = b"".join(cast("Iterable[bytes]", request.stream))
        headers = {name.decode(): value.decode() for name, value in request.headers}
        headers["User-Agent"] = _USER_AGENT
        await turns.take()
        try:
            answer = await (silent if b"?" in request.url.target else session).request(
                request.method.decode(),
                _to_yarl(request.url),
                headers=headers,
                data=body or None,
                allow_redirects=False,
                timeout=timeout,
                **self._way,
            )
        except BaseException as error:
            turns.end()
            _raise_renamed(error)
            raise
        return AiohttpResponse(answer, turns)

    async def aclose(self) -> None:
        """Close the connections of the loop that runs here, and forget the others."""
        self._is_closed = True
        if get_asyncio_loop() is not None and (made := self._sessions.pop()) is not None:
            await made[0].close()

    def _make(self) -> _Sessions:
        connector = aiohttp.TCPConnector(limit=self._limit, ssl=self.route.certificates)
        session = silent = _open_session(connector)
        if session.trace_configs:
            # Spans hold whole addresses, and the query of a token request holds secrets.
            silent = _open_session(connector)
            silent.trace_configs.clear()
        return session, silent, _Turns()

    def _end(self, made: _Sessions) -> None:
        """Close what belonged to an ended loop; the parent process keeps its own."""
        if self._process != os.getpid():
            self._abandoned.append(made)
            return
        with contextlib.suppress(Exception):
            for _ in made[0].close().__await__():
                pass


def _open_session(connector: aiohttp.TCPConnector) -> aiohttp.ClientSession:
    # Cookies of one person must not travel with what another asks.
    return aiohttp.ClientSession(
        connector=connector, cookie_jar=aiohttp.DummyCookieJar(), auto_decompress=False
    )


def _to_yarl(address: httpcore.URL) -> URL:
    """Return an address as aiohttp wants it; httpcore would write one of IPv6 without its brackets."""
    written = b"%b://%b%b" % (address.scheme, write_host(address), address.target)
    return URL(written.decode(), encoded=True)


_USER_AGENT = f"{SDK_AGENT} aiohttp/{aiohttp.__version__}"


_NAMES: tuple[tuple[tuple[type[Exception], ...], type[Exception]], ...] = (
    ((aiohttp.ClientHttpProxyError, aiohttp.ClientProxyConnectionError), httpcore.ProxyError),
    ((aiohttp.ConnectionTimeoutError,), httpcore.ConnectTimeout),
    ((aiohttp.ClientConnectorError,), httpcore.ConnectError),
    ((aiohttp.InvalidURL,), httpcore.UnsupportedProtocol),
    ((aiohttp.ServerTimeoutError, TimeoutError), httpcore.ReadTimeout),
    ((aiohttp.ClientConnectionError, aiohttp.ClientPayloadError, OSError), httpcore.ReadError),
    ((aiohttp.ClientError,), httpcore.RemoteProtocolError),
)
"""What aiohttp raises, and what httpcore would raise. All but the first four may come after sending."""

_BEFORE_SENDING = 4
_REQUESTS = Interception((aiohttp.ClientSession, "request"), (aiohttp.ClientSession, "_request"))


def _raise_renamed(error: BaseException) -> None:
    """Raise httpcore's name for an exception of aiohttp; return for any other.

    If aiohttp's methods are replaced, a sent request may fail to connect when it is repeated.
    """
    for kinds, name in _NAMES[_BEFORE_SENDING if _REQUESTS.is_on() else 0 :]:
        if isinstance(error, kinds):
            raise name(str(error)) from error


_MANY = 100
"""How many requests go out at once without hesitation. A connection costs more than a short wait for a free one."""

_EASE = 0.05
"""Seconds that a further request waits for another to end before it opens a connection."""


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


_Sessions: TypeAlias = tuple[aiohttp.ClientSession, aiohttp.ClientSession, _Turns]
"""What sends in an event loop; the second session is for requests that nobody may trace."""


class AiohttpResponse(OwnResponse):
    """An answer whose body is still to be read; its end lets another request go."""

    def __init__(self, answer: aiohttp.ClientResponse, turns: _Turns) -> None:
        super().__init__(answer.status, answer.raw_headers, {})
        self._answer = answer
        self._turns: _Turns | None = turns

    @property
    def is_closed(self) -> bool:
        return self._turns is None

    async def aiter_raw(self) -> AsyncIterator[bytes]:
        try:
            async for piece in self._answer.content.iter_chunked(_PIECE):
                yield piece
        except Exception as error:
            _raise_renamed(error)
            raise
        await self.aclose()

    async def aclose(self) -> None:
        """Close the body, once."""
        turns, self._turns = self._turns, None
        if turns is None:
            return
        try:
            self._answer.release()
            await self._answer.wait_for_close()
        except Exception as error:
            _raise_renamed(error)
            raise
        finally:
            turns.end()


_PIECE = 16 * 1024
