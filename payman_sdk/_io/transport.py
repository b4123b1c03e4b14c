"""The connections of a client that was given none."""

from __future__ import annotations

import os
import ssl
from collections.abc import Callable
from typing import Literal, TypeAlias
from urllib.parse import urlsplit

import httpx

from payman_sdk._io.certificates import create_ssl_context, load_given
from payman_sdk._io.http import BareAsyncClient, BareClient
from payman_sdk._io.proxies import check_proxy
from payman_sdk._io.routes import Routes
from payman_sdk._secrets import SecretStr
from payman_sdk.errors import ConfigurationError

Transport: TypeAlias = (
    httpx.BaseTransport
    | httpx.AsyncBaseTransport
    | Callable[[], httpx.BaseTransport]
    | Callable[[], httpx.AsyncBaseTransport]
    | Literal["aiohttp"]
)
"""A transport of httpx, a function that makes one, or `aiohttp` for the one that the extra of this name has."""
Verify: TypeAlias = ssl.SSLContext | str | os.PathLike[str] | bool
"""Whom to trust: a context, or a file of certificates; True for the certificates of the environment."""

_MOST_UNDER_THREADS = 100
_MOST_OF_TASKS = 1000
"""How many connections there may be at most; each open stream holds one."""


def check_kind(value: object, kind: type, name: str) -> None:
    """Refuse a client or a transport for the other runner, and what is neither."""
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
    """Return the same for asyncio and trio; "aiohttp" as a transport are the connections of that."""
    if transport is None:
        from payman_sdk._io.async_pool import AsyncPool  # here, because an event loop takes a while to import

        return BareAsyncClient(AsyncPool(_MOST_OF_TASKS, *_build_routes(base_url, proxy, verify)))
    from payman_sdk._io.given_transport import AsyncUserTransport, check_transport

    check_transport(transport, httpx.AsyncBaseTransport)
    if transport == "aiohttp":
        from payman_sdk._io.aiohttp_transport import AiohttpPool

        return BareAsyncClient(AiohttpPool(_MOST_OF_TASKS, *_build_routes(base_url, proxy, verify), base_url))
    way = AsyncUserTransport(transport)
    return BareAsyncClient(way, transport if isinstance(transport, httpx.AsyncBaseTransport) else None)


def _build_routes(base_url: str, proxy: SecretStr | None, verify: object) -> tuple[ssl.SSLContext, Routes]:
    """Whom to trust, and the ways to servers; that to the client's own is looked up at once, so that an unusable proxy is known."""
    certificates = load_given(verify) or create_ssl_context(urlsplit(base_url).scheme, os.environ)
    routes = Routes(certificates, None if proxy is None else check_proxy("proxy", proxy.reveal()))
    routes.find(httpx.URL(base_url))
    return certificates, routes
