"""The connections of a client that was given none."""

from __future__ import annotations

import functools
import importlib.util
import json
import os
import ssl
import weakref
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies

import httpx

from payman_sdk.config import is_loopback
from payman_sdk.errors import ConfigurationError
from payman_sdk.punctual import make_punctual

_LIMITS_UNDER_THREADS = httpx.Limits(max_connections=100, max_keepalive_connections=100)
"""As many idle connections as connections. With fewer, httpcore trims idle ones, and under threads it happens that it closes one
that another thread has just been given: that ask breaks after it was sent."""

_LIMITS_OF_TASKS = httpx.Limits(max_connections=1000, max_keepalive_connections=20)
"""Each open stream holds a connection. More idle ones cost more than they save: httpcore looks at each at every request."""

_PROXIED = frozenset({"http", "https", "all"})
"""What httpx looks for a proxy of."""


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
    """The connections of a client that was given none, or only a transport. What is said to this machine goes through no proxy."""
    try:
        http: httpx.Client = _direct(OwnClient, httpx.Client)(
            **_connections(base_url), limits=_LIMITS_UNDER_THREADS, transport=transport
        )
    except _UNUSABLE as error:
        raise _unusable(error) from error
    if transport is None:
        make_punctual(http)
    return http


def own_async_http_client(
    base_url: str, transport: httpx.AsyncBaseTransport | None = None
) -> httpx.AsyncClient:
    """The same for the other door; on asyncio with aiohttp's connections, where the extra `aiohttp` is installed.

    Where the environment names a proxy, httpx's own serve all the same: it reads no environment for a transport that it is given.
    """
    try:
        direct, connections = _direct(OwnAsyncClient, httpx.AsyncClient), _connections(base_url)
        http: httpx.AsyncClient
        is_proxied = connections["trust_env"] and not _PROXIED.isdisjoint(getproxies())
        if transport is not None or is_proxied or not has_aiohttp():
            http = direct(**connections, limits=_LIMITS_OF_TASKS, transport=transport)
        else:
            from payman_sdk.aiohttp_connections import AiohttpOnAsyncio

            faster = AiohttpOnAsyncio(connections["verify"], _LIMITS_OF_TASKS)
            http = direct(**connections, limits=_LIMITS_OF_TASKS, transport=faster)
            weakref.finalize(http, faster.abandon)
        return http
    except _UNUSABLE as error:
        raise _unusable(error) from error


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
    with httpx.Client(trust_env=False, verify=_nobody()) as plain:
        return {name.title(): value for name, value in plain.headers.items()}


def _connections(base_url: str) -> dict[str, Any]:
    server = urlsplit(base_url)
    is_elsewhere = not is_loopback(server.hostname or "")
    variables = ("SSL_CERT_FILE", "SSL_CERT_DIR") if is_elsewhere else ()
    if server.scheme == "http":
        certificates = _nobody()
    else:
        certificates = _certificates(is_elsewhere, *(os.environ.get(name) for name in variables))
    return {"trust_env": is_elsewhere, "verify": certificates}


def _nobody() -> ssl.SSLContext:
    """Trusts nobody, where nothing is encrypted: to read the certificates takes longer than the first ask."""
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


@functools.lru_cache(maxsize=8)
def _certificates(trust_env: bool, *variables: str | None) -> ssl.SSLContext:
    """The certificates that are trusted. Reading them takes longer than an ask, so clients of one process share them.

    What httpx takes from the environment is named too, so that another value of it is not answered with what was read before.
    """
    return httpx.create_ssl_context(trust_env=trust_env)


_UNUSABLE = (httpx.InvalidURL, ImportError, OSError, ValueError)
"""What httpx raises for variables of the environment that it cannot use."""


def _unusable(error: Exception) -> ConfigurationError:
    return ConfigurationError(
        f"httpx cannot be set up: {type(error).__name__}.",
        next_step="Check the environment's variables for proxies (HTTPS_PROXY, ALL_PROXY) and certificates (SSL_CERT_FILE).",
    )
