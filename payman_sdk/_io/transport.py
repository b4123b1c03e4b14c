"""The connections of a client that was given none."""

from __future__ import annotations

import functools
import json
import os
import ssl
from collections.abc import Callable, Mapping
from typing import Any, Literal
from urllib.parse import urlsplit

import httpx

from payman_sdk._io.certificates import create_ssl_context, create_untrusting_context, load_given
from payman_sdk._io.interception import CLIENTS
from payman_sdk._io.proxies import check_proxy
from payman_sdk._io.routes import Routes, show_query
from payman_sdk._secrets import SecretStr
from payman_sdk.errors import ConfigurationError

_MOST_UNDER_THREADS = 100
_MOST_OF_TASKS = 1000
"""How many connections there may be at most; each open stream holds one."""


class BareClient(httpx.Client):
    """An httpx client that sends what it is given, and nothing else.

    httpx handles authentication, redirects, cookies and hooks for every request. That takes as long as all the work of the SDK
    for an ask. Cookies would also be wrong: those of one person must not travel with another person's ask.

    Args:
        way: What it sends with, and closes when it is closed.
        connections: What that is, should it only stand before the connections.
    """

    def __init__(self, way: httpx.BaseTransport, connections: httpx.BaseTransport | None = None) -> None:
        super().__init__(transport=way, trust_env=False)
        self._way = way
        self.connections = connections or way
        self.bears_interrupts = getattr(way, "bears_interrupts", False)

    def check_usable(self) -> None:
        """Refuse a transport that was given for another process or event loop.

        Raises:
            ConfigurationError: It cannot be used here.
        """
        if (check := getattr(self._way, "check_usable", None)) is not None:
            check()

    def build_request(self, method: str, url: httpx.URL | str, **given: Any) -> httpx.Request:
        """Return the request, with the headers that httpx always sends and none that it remembers."""
        return _build_request(method, url, given, self.timeout)

    def send(self, request: httpx.Request, *, stream: bool = False, **_: Any) -> httpx.Response:
        """Hands it to the connections."""
        if _is_for_httpx(request):
            return super().send(request, stream=stream, auth=None, follow_redirects=False)
        answer = self._way.handle_request(request)
        answer.request = request
        if not stream:
            answer.read()
        return answer


class BareAsyncClient(httpx.AsyncClient):
    """The same for tasks."""

    def __init__(
        self, way: httpx.AsyncBaseTransport, connections: httpx.AsyncBaseTransport | None = None
    ) -> None:
        super().__init__(transport=way, trust_env=False)
        self._way = way
        self.connections = connections or way
        self.bears_interrupts = getattr(way, "bears_interrupts", False)

    def check_usable(self) -> None:
        """Refuse a transport that was given for another process or event loop.

        Raises:
            ConfigurationError: It cannot be used here.
        """
        if (check := getattr(self._way, "check_usable", None)) is not None:
            check()

    def build_request(self, method: str, url: httpx.URL | str, **given: Any) -> httpx.Request:
        """Return the request, with the headers that httpx always sends and none that it remembers."""
        return _build_request(method, url, given, self.timeout)

    async def send(self, request: httpx.Request, *, stream: bool = False, **_: Any) -> httpx.Response:
        """Hands it to the connections."""
        if _is_for_httpx(request):
            return await super().send(request, stream=stream, auth=None, follow_redirects=False)
        answer = await self._way.handle_async_request(request)
        answer.request = request
        if not stream:
            await answer.aread()
        return answer


def _is_for_httpx(request: httpx.Request) -> bool:
    """Whether a client of httpx is to send it: something replaces that, or looks on and finds no query in the address."""
    if CLIENTS.is_on():
        show_query(request)
        return True
    return CLIENTS.is_watched() and not request.url.query


def check_kind(value: object, kind: type, name: str) -> None:
    """Refuse a client or a transport for the other runner, and what is neither.

    Raises:
        ConfigurationError: It is something else than `kind`.
    """
    if value is not None and not isinstance(value, kind):
        # A secret is a str to whoever gave it.
        given = "str" if isinstance(value, str) else type(value).__name__
        raise ConfigurationError(f"{name} is a {given}.", next_step=f"Give an httpx.{kind.__name__}.")


def build_http_client(
    base_url: str,
    transport: httpx.BaseTransport | Callable[[], httpx.BaseTransport] | None = None,
    proxy: SecretStr | None = None,
    verify: object = None,
) -> BareClient:
    """Return the connections of a client that was given none, or only a transport.

    Args:
        base_url: The client's server.
        transport: What to send with instead of connections of the SDK's.
        proxy: The proxy to send through. Without it the environment counts, and this machine is reached directly.
        verify: Whom to trust: a context, or a file of certificates.

    Raises:
        ConfigurationError: A setting or a variable of the environment names a proxy or certificates that cannot be used.
    """
    if transport is None:
        from payman_sdk._io.pool import Pool

        return BareClient(Pool(_MOST_UNDER_THREADS, *_build_routes(base_url, proxy, verify)))
    from payman_sdk._io.given_transport import UserTransport

    way = UserTransport(transport)
    return BareClient(way, way.transport)


def build_async_http_client(
    base_url: str,
    transport: httpx.AsyncBaseTransport
    | Callable[[], httpx.AsyncBaseTransport]
    | Literal["aiohttp"]
    | None = None,
    proxy: SecretStr | None = None,
    verify: object = None,
) -> BareAsyncClient:
    """Return the same for asyncio and trio; "aiohttp" as a transport are the connections of that.

    Raises:
        ConfigurationError: A variable of the environment names a proxy or certificates that cannot be used.
    """
    if transport is None:
        from payman_sdk._io.async_pool import AsyncPool  # here, because an event loop takes a while to import

        return BareAsyncClient(AsyncPool(_MOST_OF_TASKS, *_build_routes(base_url, proxy, verify)))
    from payman_sdk._io.given_transport import check_transport

    check_transport(transport, httpx.AsyncBaseTransport)
    if transport == "aiohttp":
        from payman_sdk._io.aiohttp_transport import AiohttpPool

        return BareAsyncClient(AiohttpPool(_MOST_OF_TASKS, *_build_routes(base_url, proxy, verify), base_url))
    from payman_sdk._io.async_given_transport import AsyncUserTransport

    way = AsyncUserTransport(transport)
    return BareAsyncClient(way, transport if isinstance(transport, httpx.AsyncBaseTransport) else None)


def _build_routes(base_url: str, proxy: SecretStr | None, verify: object) -> tuple[ssl.SSLContext, Routes]:
    """Whom to trust, and the ways to servers; that to the client's own is looked up at once, so that an unusable proxy is known."""
    certificates = load_given(verify) or create_ssl_context(urlsplit(base_url).scheme, os.environ)
    routes = Routes(certificates, None if proxy is None else check_proxy("proxy", proxy.reveal()))
    routes.find(httpx.URL(base_url))
    return certificates, routes


def _build_request(
    method: str, url: httpx.URL | str, given: dict[str, Any], timeout: httpx.Timeout
) -> httpx.Request:
    if isinstance(own := given.pop("timeout", None), httpx.Timeout | float | int):
        timeout = httpx.Timeout(own)
    headers: dict[str, str] = {**_build_headers(), **(given.pop("headers", None) or {})}
    given["extensions"] = {"timeout": timeout.as_dict()}
    if (content := given.pop("json", None)) is None:
        return httpx.Request(method, url, headers=headers, **given)
    # What httpx would do with `json`, without making all headers a second time for the two that are missing.
    body, url = _JSON.encode(content).encode(), httpx.URL(url)
    headers |= {"Host": url.netloc.decode("ascii"), "Content-Length": str(len(body))}
    request = httpx.Request(method, url, headers=headers, stream=httpx.ByteStream(body), **given)
    request.read()
    return request


_JSON = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))


@functools.cache
def _build_headers() -> Mapping[str, str]:
    """Return what httpx sends with every request: what it accepts, and its name."""
    with httpx.Client(trust_env=False, verify=create_untrusting_context()) as plain:
        return {name.title(): value for name, value in plain.headers.items()}
