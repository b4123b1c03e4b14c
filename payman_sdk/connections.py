"""The connections of a client that was given none."""

from __future__ import annotations

import functools
import importlib.util
import json
import os
import weakref
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import httpx

from payman_sdk.certificates import trust_nobody, trusted_certificates
from payman_sdk.errors import ConfigurationError
from payman_sdk.proxies import find_proxy
from payman_sdk.punctual import make_punctual

_LIMITS_UNDER_THREADS = httpx.Limits(max_connections=100, max_keepalive_connections=100)
"""As many idle connections as connections. With fewer, httpcore trims idle ones, and under threads it happens that it closes one
that another thread has just been given: that ask breaks after it was sent."""

_LIMITS_OF_TASKS = httpx.Limits(max_connections=1000, max_keepalive_connections=20)
"""Each open stream holds a connection. More idle ones cost more than they save: httpcore looks at each at every request."""


class OwnClient(httpx.Client):
    """An httpx client that sends what it is given, and nothing else.

    httpx asks on the way of every request for authentication, redirects, cookies and hooks, which takes as long as all that the
    SDK does for an ask. Cookies would be worse than slow: those of one person must not travel with what another asks.
    """

    def build_request(self, method: str, url: httpx.URL | str, **given: Any) -> httpx.Request:
        """The request, with the headers that httpx always sends and none that it remembers."""
        return _request(method, url, given, self.timeout)

    def send(self, request: httpx.Request, *, stream: bool = False, **_: Any) -> httpx.Response:
        """Hands it to the connections."""
        answer = self._transport_for_url(request.url).handle_request(request)
        answer.request = request
        if not stream:
            answer.read()
        return answer


class OwnAsyncClient(httpx.AsyncClient):
    """The same for tasks."""

    def build_request(self, method: str, url: httpx.URL | str, **given: Any) -> httpx.Request:
        """The request, with the headers that httpx always sends and none that it remembers."""
        return _request(method, url, given, self.timeout)

    async def send(self, request: httpx.Request, *, stream: bool = False, **_: Any) -> httpx.Response:
        """Hands it to the connections."""
        answer = await self._transport_for_url(request.url).handle_async_request(request)
        answer.request = request
        if not stream:
            await answer.aread()
        return answer


def check_given(value: object, kind: type, name: str) -> None:
    """Refuses a client or a transport that is of the other door, or none at all.

    Raises:
        ConfigurationError: It is something else than `kind`.
    """
    if value is not None and not isinstance(value, kind):
        # A secret is a str to whoever gave it.
        given = "str" if isinstance(value, str) else type(value).__name__
        raise ConfigurationError(f"{name} is a {given}.", next_step=f"Give an httpx.{kind.__name__}.")


def own_http_client(base_url: str, transport: httpx.BaseTransport | None = None) -> httpx.Client:
    """The connections of a client that was given none, or only a transport. What is said to this machine goes through no proxy.

    Raises:
        ConfigurationError: A variable of the environment names a proxy or certificates that cannot be used.
    """
    http: httpx.Client = _direct(OwnClient, httpx.Client)(
        **_connections(base_url, transport), limits=_LIMITS_UNDER_THREADS
    )
    if transport is None:
        make_punctual(http)
    return http


def own_async_http_client(
    base_url: str, transport: httpx.AsyncBaseTransport | None = None
) -> httpx.AsyncClient:
    """The same for the other door; on asyncio with aiohttp's connections, where the extra `aiohttp` is installed.

    Where the environment names a proxy, httpx's own serve all the same.

    Raises:
        ConfigurationError: A variable of the environment names a proxy or certificates that cannot be used.
    """
    direct, connections = _direct(OwnAsyncClient, httpx.AsyncClient), _connections(base_url, transport)
    if transport is not None or connections["proxy"] or not has_aiohttp():
        plain: httpx.AsyncClient = direct(**connections, limits=_LIMITS_OF_TASKS)
        return plain
    from payman_sdk.aiohttp_connections import AiohttpOnAsyncio

    faster = AiohttpOnAsyncio(connections["verify"], _LIMITS_OF_TASKS)
    http: httpx.AsyncClient = direct(**(connections | {"transport": faster}), limits=_LIMITS_OF_TASKS)
    weakref.finalize(http, faster.abandon)
    return http


@functools.cache
def has_aiohttp() -> bool:
    """Whether the extra `aiohttp` is installed."""
    return importlib.util.find_spec("httpx_aiohttp") is not None


def _direct(direct: Any, plain: Any) -> Any:
    """The client that takes the direct way, or a plain one, should httpx no longer say by which transport an address is reached."""
    return direct if hasattr(plain, "_transport_for_url") else plain


def _request(
    method: str, url: httpx.URL | str, given: dict[str, Any], timeout: httpx.Timeout
) -> httpx.Request:
    if isinstance(own := given.pop("timeout", None), httpx.Timeout | float | int):
        timeout = httpx.Timeout(own)
    headers: dict[str, str] = {**_headers(), **(given.pop("headers", None) or {})}
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
def _headers() -> Mapping[str, str]:
    """What httpx sends with every request: what it accepts, and its name."""
    with httpx.Client(trust_env=False, verify=trust_nobody()) as plain:
        return {name.title(): value for name, value in plain.headers.items()}


def _connections(base_url: str, transport: object) -> dict[str, Any]:
    """What a client of httpx is made with. httpx itself reads nothing of the environment: it breaks at what it cannot read."""
    certificates = trusted_certificates(urlsplit(base_url).scheme, os.environ)
    found = find_proxy(base_url) if transport is None else None
    proxy = httpx.Proxy(found) if found else None
    if proxy is not None and proxy.url.scheme == "https":
        proxy.ssl_context = certificates
    return {"trust_env": False, "verify": certificates, "proxy": proxy, "transport": transport}
