"""A client of httpx over own connections or a given transport, for programs that watch or mock httpx."""

from collections.abc import AsyncIterator, Generator, Iterator
from contextlib import contextmanager
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any

import httpcore
import httpx

from payman_sdk._io.given_client import TARGET, show_query
from payman_sdk._io.http import convert_address
from payman_sdk._io.routes import get_transports


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
    """A transport that sends with own connections.

    One of httpx's sends where that is replaced, or where somebody who watches httpx sends a request to another server.
    """

    def __init__(self, pool: Any) -> None:
        self._pool = pool

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if (way := self._find_other_way(request)) is not None:
            with httpx.HTTPTransport(**way, trust_env=False) as transport:
                answer = transport.handle_request(show_query(request))
                answer.read()
                return answer
        with _rename_errors():
            return _to_httpx(self._pool.send(to_httpcore(request)))

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if (way := self._find_other_way(request)) is not None:
            async with httpx.AsyncHTTPTransport(**way, trust_env=False) as transport:
                answer = await transport.handle_async_request(show_query(request))
                await answer.aread()
                return answer
        with _rename_errors():
            return _to_httpx(await self._pool.send(to_httpcore(request)))

    def _find_other_way(self, request: httpx.Request) -> dict[str, Any] | None:
        """Return the settings of httpx's transport; None if own connections send."""
        route, address = self._pool.route, convert_address(request.url)
        if address.origin == route.origin and not get_transports().is_on():
            return None
        return {"verify": route.certificates, "proxy": route.to(address).proxy}

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


def _to_httpx(answer: Any) -> httpx.Response:
    return httpx.Response(
        answer.status_code, headers=answer.raw_headers, stream=_Body(answer), extensions=answer.extensions
    )


class _Body(httpx.SyncByteStream, httpx.AsyncByteStream):
    """The body of an answer of own connections, as httpx wants it."""

    def __init__(self, answer: Any) -> None:
        self._answer = answer

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

    async def aclose(self) -> None:
        with _rename_errors():
            await self._answer.aclose()


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
