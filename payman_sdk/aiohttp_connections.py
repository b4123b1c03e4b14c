"""Connections of aiohttp for an httpx client, on asyncio; on trio, which aiohttp does not know, httpx's own.

httpx-aiohttp does the work. What it does not do is done here: each event loop gets connections of its own, no cookie is kept,
and a failure says whether the request may have reached the server. (httpx-aiohttp 0.2 calls a connection that broke after the
request was sent a `ConnectTimeout`, which is what says that nothing was sent.)
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator

import aiohttp
import httpx
import httpx_aiohttp
from aiohttp.connector import Connection


class AiohttpOnAsyncio(httpx.AsyncBaseTransport):
    """A transport for httpx with connections of aiohttp where an event loop of asyncio runs.

    Args:
        certificates: Whom to trust.
        limits: How many connections.
    """

    def __init__(self, certificates: ssl.SSLContext, limits: httpx.Limits) -> None:
        self._certificates = certificates
        self._limits = limits
        self._elsewhere = httpx.AsyncHTTPTransport(verify=certificates, limits=limits, trust_env=False)
        self._by_loop: dict[asyncio.AbstractEventLoop, httpx_aiohttp.AiohttpTransport] = {}

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Sends it, and gives the answer with its body still to be read."""
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            return await self._elsewhere.handle_async_request(request)
        transport = self._by_loop.get(loop) or self._begun(loop)
        try:
            answer = await transport.handle_async_request(request)
        except _FAILURES as error:
            if isinstance(error, ValueError) and _has_unsendable_header(request):
                raise httpx.LocalProtocolError("a header that cannot be sent") from error
            raise _as_of_httpx(error) from error
        answer.stream = _Body(answer.stream)
        if answer.status_code < _FIRST_FINAL:
            await answer.aclose()
            raise httpx.RemoteProtocolError("the status is none that an answer ends with")
        return answer

    async def aclose(self) -> None:
        """Closes all connections."""
        await self._elsewhere.aclose()
        transports, self._by_loop = self._by_loop, {}
        for loop, transport in transports.items():
            if loop is asyncio.get_running_loop():
                await transport.aclose()
            else:
                _abandon(transport)

    def abandon(self) -> None:
        """Closes what can be closed without an event loop, so that aiohttp does not complain of a client that was dropped."""
        transports, self._by_loop = self._by_loop, {}
        for transport in transports.values():
            _abandon(transport)

    def _begun(self, loop: asyncio.AbstractEventLoop) -> httpx_aiohttp.AiohttpTransport:
        for ended in [other for other in self._by_loop if other.is_closed()]:
            _abandon(self._by_loop.pop(ended))
        transport = httpx_aiohttp.AiohttpTransport(
            verify=self._certificates, limits=self._limits, trust_env=False, client=self._session()
        )
        self._by_loop[loop] = transport
        return transport

    def _session(self) -> aiohttp.ClientSession:
        connections = aiohttp.TCPConnector(
            limit=self._limits.max_connections or 0,
            keepalive_timeout=self._limits.keepalive_expiry,
            ssl=self._certificates,
        )
        return aiohttp.ClientSession(
            connector=connections, cookie_jar=aiohttp.DummyCookieJar(), response_class=_Answer
        )


class _Answer(aiohttp.ClientResponse):
    """An answer without the words beside its status: httpx-aiohttp breaks at those that are no UTF-8, and nobody reads them."""

    async def start(self, connection: Connection) -> aiohttp.ClientResponse:
        """Reads the head."""
        await super().start(connection)
        self.reason = None
        return self


class _Body(httpx.AsyncByteStream):
    """A body whose failures are httpx's."""

    def __init__(self, body: object) -> None:
        assert isinstance(body, httpx.AsyncByteStream)  # noqa: S101 (httpx-aiohttp gives no other)
        self._body = body

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            async for piece in self._body:
                yield piece
        except _FAILURES as error:
            raise _as_of_httpx(error) from error

    async def aclose(self) -> None:
        try:
            await self._body.aclose()
        except _FAILURES as error:
            raise _as_of_httpx(error) from error


def _abandon(transport: httpx_aiohttp.AiohttpTransport) -> None:
    session = transport.client
    if isinstance(session, aiohttp.ClientSession):
        # Connections are closed at once; what the coroutine would wait for after that, nobody waits for.
        closing = session.close()
        with contextlib.suppress(StopIteration):
            closing.send(None)
        closing.close()


def _has_unsendable_header(request: httpx.Request) -> bool:
    """Whether a header would go on in another line, which aiohttp refuses before it writes anything."""
    return any(
        sign in text for pair in request.headers.raw for text in pair for sign in (b"\r", b"\n", b"\0")
    )


_FIRST_FINAL = 200
"""Statuses below go before an answer, and are none: 101 was not asked for."""

_FAILURES = (httpx.HTTPError, aiohttp.ClientError, OSError, ValueError)
"""What comes out of httpx-aiohttp when a request fails."""


def _as_of_httpx(error: BaseException) -> httpx.HTTPError:
    """The exception of httpx that says the same. aiohttp's messages may hold the address, and with it a secret."""
    cause = error.__cause__ if isinstance(error, httpx.HTTPError) and error.__cause__ is not None else error
    match cause:
        case aiohttp.ConnectionTimeoutError():
            return httpx.ConnectTimeout("no connection")
        case aiohttp.ServerTimeoutError():
            return httpx.ReadTimeout("no answer")
        case aiohttp.ClientConnectorError():
            return httpx.ConnectError(cause.strerror or type(cause).__name__)
        case aiohttp.InvalidURL() | aiohttp.NonHttpUrlClientError():
            return httpx.UnsupportedProtocol(type(cause).__name__)
        case aiohttp.ServerDisconnectedError():
            return httpx.RemoteProtocolError("the server closed the connection without an answer")
        case OSError():
            return httpx.ReadError(cause.strerror or type(cause).__name__)
        case aiohttp.ClientConnectionError():
            return httpx.ReadError("the connection was closed")
        case aiohttp.ClientPayloadError():
            return httpx.RemoteProtocolError("the answer ended before its end")
        case aiohttp.ClientError():
            return httpx.RemoteProtocolError(type(cause).__name__)
        case ValueError():  # an answer may be the cause as well as a request
            return httpx.RemoteProtocolError(type(cause).__name__)
        case _:
            return error if isinstance(error, httpx.HTTPError) else httpx.ReadError(type(cause).__name__)
