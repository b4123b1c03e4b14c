"""What is known of the transport that carries a request."""

from __future__ import annotations

import sys
from typing import Any, NamedTuple, cast

import httpcore
import httpx

from payman_sdk._io.interception import CLIENTS, TRANSPORTS
from payman_sdk._io.routes import Routes

_PORTS = {"http": 80, "https": 443}


class TransportInfo(NamedTuple):
    """What is known of a transport.

    Attributes:
        is_exact: What it raises says by its class whether the request was sent.
        is_watched: It reports when it sends, so that silence means that nothing was sent.
        is_discreet: What it raises repeats nothing of the request, and nobody else has a say.
        proxy: The address of the proxy that it connects to, if any, without a user's name.
    """

    is_exact: bool = False
    is_watched: bool = False
    is_discreet: bool = False
    proxy: str | None = None


UNKNOWN_TRANSPORT = TransportInfo()
"""What is known of a transport that anybody may have written."""


def get_transport_info(http: httpx.Client | httpx.AsyncClient, base_url: str) -> TransportInfo:
    """Return what is known of the transport that reaches an address, and of the client that hands it requests.

    Only their very classes are known: one that is derived from them, or whose methods are replaced, may send twice and raise what it
    likes. Transports of the SDK's own say `reports_sending` in their class.
    """
    try:
        return _find_transport_info(http, base_url)
    except Exception:  # somebody else's objects may break whoever looks at them
        return UNKNOWN_TRANSPORT


def _find_transport_info(http: httpx.Client | httpx.AsyncClient, base_url: str) -> TransportInfo:
    transport = getattr(http, "connections", None)
    find = getattr(http, "_transport_for_url", None)  # a later httpx may not say it any more
    if transport is None and find is not None:
        transport = find(httpx.URL(base_url))
    proxy = _find_proxy(transport, base_url)
    is_own = type(http).__module__.startswith("payman_sdk.")
    is_plain = is_own or type(http) is httpx.Client or type(http) is httpx.AsyncClient
    if not is_plain or not _REPLACED.isdisjoint(vars(http)) or not _REPLACED.isdisjoint(vars(transport)):
        return TransportInfo(proxy=proxy)
    kind = cast("Any", type(transport))
    is_of_httpx = kind is httpx.HTTPTransport or kind is httpx.AsyncHTTPTransport
    bridge = getattr(sys.modules.get("httpx_aiohttp"), "AiohttpTransport", object)
    is_bridge = kind is bridge or vars(kind).get("raises_exactly") is True
    reports = is_of_httpx or vars(kind).get("reports_sending") is True
    is_watched = reports and not (
        TRANSPORTS.is_on() or CLIENTS.is_on()
    )  # what stands in for them reports nothing
    # A client that was given may have hooks, which raise what they like.
    return TransportInfo(reports or is_bridge, is_watched, is_watched and is_own, proxy)


_REPLACED = frozenset({"send", "handle_request", "handle_async_request"})
"""Methods that a program may replace on an object."""


def format_host_port(host: str, port: int) -> str:
    """Write a host and a port, with brackets around an address of IPv6."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def parse_host_port(url: httpx.URL) -> tuple[str, int]:
    """Return the host and the port of an address. A user's name and the query, which may be secret, stay out."""
    return url.raw_host.decode("ascii", "replace"), url.port or _PORTS.get(url.scheme, 0)


def _find_proxy(transport: object, base_url: str) -> str | None:
    """The proxy on the way to an address, as own connections and those of httpx know it."""
    routes = getattr(transport, "routes", None)
    proxy = routes.find(httpx.URL(base_url)).proxy if isinstance(routes, Routes) else None
    if proxy is not None:
        host, port = parse_host_port(proxy.url)
        return f"{proxy.url.scheme}://{format_host_port(host, port or _PORT_OF_SOCKS)}"
    given = getattr(getattr(transport, "_pool", None), "_proxy_url", None)
    if not isinstance(given, httpcore.URL):
        return None
    return (
        f"{given.scheme.decode()}://{format_host_port(given.host.decode(), given.port or given.origin.port)}"
    )


_PORT_OF_SOCKS = 1080
