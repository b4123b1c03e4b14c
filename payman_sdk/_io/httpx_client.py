"""A client of httpx over own connections or a given transport, for programs that watch or mock httpx."""

from collections.abc import AsyncIterator, Generator, Iterator
from contextlib import contextmanager
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any

import httpcore
import httpx

from payman_sdk._io.given_client import TARGET, show_query
from payman_sdk._io.http import convert_address
from payman_sdk._io.routes import Route, get_transports


def create_client(way: Any) -> httpx.Client | httpx.AsyncClient:
    """Return a client that sends with own connections or a given transport, and keeps no cookies.

    Cookies of one person must not travel with another person's ask.
    """
    is_transport = isinstance(way, httpx.BaseTransport | httpx.AsyncBaseTransport)
    transport: Any = way if is_transport else PoolTransport(way)
    kind = httpx.AsyncClient if hasattr(way, "aclose") else httpx.Client
    no_cookies = CookieJar(DefaultCookiePolicy(allowed_domains=()))
    return kind(transport=transport, trust_env=False, cookies=no_cookies)


class PoolTransport(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """A transport that sends with own connections, or with one of httpx's where that is replaced."""

    def __init__(self, pool: Any) -> None:
        self._pool = pool

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        with _rename_errors():
            route: Route = self._pool.route.to(convert_address(request.url))
            if not get_transports().is_on():
                pool = self._find_pool(route)
                return self._to_httpx(pool.send(to_httpcore(request)), pool)
        with httpx.HTTPTransport(verify=route.certificates, proxy=route.proxy, trust_env=False) as transport:
            answer = transport.handle_request(show_query(request))
            answer.read()
            return answer

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        with _rename_errors():
            route: Route = self._pool.route.to(convert_address(request.url))
            if not get_transports().is_on():
                pool = self._find_pool(route)
                return self._to_httpx(await pool.send(to_httpcore(request)), pool)
        way: dict[str, Any] = {"verify": route.certificates, "proxy": route.proxy}
        async with httpx.AsyncHTTPTransport(**way, trust_env=False) as transport:
            answer = await transport.handle_async_request(show_query(request))
            await answer.aread()
            return answer

    def _find_pool(self, route: Route) -> Any:
        """Return own connections to a server; whoever watches httpx may have changed it."""
        pool = self._pool
        if route is pool.route or not hasattr(pool, "reports_sending"):  # aiohttp leads to any
            return pool
        return type(pool)(1, route)

    def _to_httpx(self, answer: Any, pool: Any) -> httpx.Response:
        body = _Body(answer, None if pool is self._pool else pool)
        return httpx.Response(
            answer.status_code, headers=answer.raw_headers, stream=body, extensions=answer.extensions
        )

    def close(self) -> None:
        self._pool.close()

    async def aclose(self) -> None:
        await self._pool.aclose()


def to_httpcore(request: httpx.Request) -> httpcore.Request:
    """Return the request, for own connections, with the query that its address was sent without."""
    extensions = dict(request.extensions)
    # Not left to httpcore: on the way through a proxy it would take the target for the whole address.
    target = extensions.pop(TARGET, None)
    address = convert_address(request.url)
    if target is not None:
        address.target = target
    core = httpcore.Request(request.method, address, content=request.stream, extensions=extensions)
    core.headers = request.headers.raw
    return core


class _Body(httpx.SyncByteStream, httpx.AsyncByteStream):
    """The body of an answer of own connections, as httpx wants it; a pool that was made for it is closed with it."""

    def __init__(self, answer: Any, pool: Any) -> None:
        self._answer, self._pool = answer, pool

    def __iter__(self) -> Iterator[bytes]:
        with _rename_errors():
            yield from self._answer.iter_raw()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        with _rename_errors():
            async for piece in self._answer.aiter_raw():
                yield piece

    def close(self) -> None:
        with _rename_errors():
            self._answer.close()
            if self._pool is not None:
                self._pool.close()

    async def aclose(self) -> None:
        with _rename_errors():
            await self._answer.aclose()
            if self._pool is not None:
                await self._pool.aclose()


@contextmanager
def _rename_errors() -> Generator[None]:
    """Raise the exception of httpx that bears the name of one of httpcore."""
    try:
        yield
    except Exception as error:
        for kind in type(error).__mro__:
            named = getattr(httpx, kind.__name__, None) if kind.__module__.startswith("httpcore") else None
            if isinstance(named, type) and issubclass(named, httpx.HTTPError):
                raise named(str(error)) from error
        raise
