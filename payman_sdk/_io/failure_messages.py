"""Describe a transport and the failure of a request, without addresses or headers, which may be secret."""

from __future__ import annotations

import os
import re
import socket
import ssl
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, cast

import httpcore

from payman_sdk._annotations import NamedTuple
from payman_sdk._core.http import Transmission
from payman_sdk._io.http import convert_address
from payman_sdk._io.routes import PORTS, Route, is_replaced
from payman_sdk._url import format_host_port

if TYPE_CHECKING:
    import httpx

    from payman_sdk._io.http import AnyRequest


class TransportInfo(NamedTuple):
    """What is known of a transport.

    Attributes:
        is_exact: The class of its exception says whether the request was sent.
        is_watched: It reports when it sends, so silence means that nothing was sent. Its exceptions repeat nothing of the request.
        proxy: The address of its proxy, if any, without a user's name.
    """

    is_exact: bool = False
    is_watched: bool = False
    proxy: str | None = None


UNKNOWN_TRANSPORT = TransportInfo()
"""What is known of a transport that anybody may have written."""


def get_transport_info(http: object) -> TransportInfo:
    """Return what is known of the transport that a client sends with.

    Only the exact classes of known transports count. A subclass, or one with replaced methods, may send twice and raise anything.
    Those of the SDK have `reports_sending` or `raises_exactly`.
    """
    transport: object = getattr(http, "connections", None)
    try:
        if transport is None or not type(http).__module__.startswith("payman_sdk."):
            return UNKNOWN_TRANSPORT
        proxy = _find_proxy(transport)
        if not _REPLACED.isdisjoint(vars(http)) or not _REPLACED.isdisjoint(vars(transport)):
            return TransportInfo(proxy=proxy)
        kind: type[object] = type(transport)
        bridge = getattr(sys.modules.get("httpx_aiohttp"), "AiohttpTransport", object)
        is_bridge = kind is bridge or vars(kind).get("raises_exactly") is True
        is_of_httpx = kind in list_kinds("HTTPTransport", "AsyncHTTPTransport")
        reports = is_of_httpx or vars(kind).get("reports_sending") is True
        # A mock of httpx reports nothing.
        is_watched = reports and not is_replaced()
        return TransportInfo(reports or is_bridge, is_watched, proxy)
    except Exception:  # somebody else's objects may break whoever looks at them
        return UNKNOWN_TRANSPORT


_REPLACED = frozenset({"send", "handle_request", "handle_async_request"})
"""Methods that a program may replace on an object."""


def list_kinds(*names: str) -> tuple[type, ...]:
    """Return the classes of these names in httpx and httpcore. Without httpx imported, no exception is one of its."""
    libraries = [sys.modules[name] for name in ("httpx", "httpcore") if name in sys.modules]
    found = (getattr(library, name, None) for library in libraries for name in names)
    return tuple(kind for kind in found if isinstance(kind, type))


def _parse_host_port(url: httpx.URL | httpcore.URL) -> tuple[str, int]:
    """Return the host and the port of an address, without user name and query, which may be secret."""
    parsed = url if isinstance(url, httpcore.URL) else convert_address(url)
    return parsed.host.decode("ascii", "replace"), parsed.port or PORTS.get(parsed.scheme, 0)


def _find_proxy(transport: object) -> str | None:
    """Return the proxy on the way to the server, as own connections know it."""
    route = getattr(transport, "route", None)
    proxy = route.proxy if isinstance(route, Route) else None
    if proxy is None:
        return None
    host, port = _parse_host_port(proxy.url)
    return f"{proxy.url.scheme}://{format_host_port(host, port or _PORT_OF_SOCKS)}"


_PORT_OF_SOCKS = 1080


_DISCREET = ("TimeoutException", "NetworkError", "RemoteProtocolError", "DecodingError")
"""What says nothing of the request, where httpx or httpcore raised it."""

_BASES = (*_DISCREET[:2], "HTTPError", "ProtocolError", "ProxyError", "UnsupportedProtocol")
"""What all exceptions of httpx and httpcore derive from."""

_LONGEST_CHAIN = 16
"""How many causes back an exception is looked at."""


def describe_failure(
    error: BaseException | None,
    transmission: Transmission,
    request: AnyRequest,
    knowledge: TransportInfo,
    *,
    sent: bool,
) -> str:
    """Return a sentence on a request without an answer: where it went, and what went wrong."""
    reason = describe_cause(error, knowledge, transmission)
    place = _describe_place(request, transmission, knowledge)
    if sent and is_timeout(error):
        return f"No answer in time from {place}: {reason}."
    if sent:
        return f"The connection to {place} broke: {reason}."
    if isinstance(error, list_kinds("PoolTimeout")) or (error is None and not transmission.was_seen):
        return f"No connection to {place} was free in time."
    return f"Could not connect to {place}: {reason}."


def _describe_place(request: AnyRequest, transmission: Transmission, knowledge: TransportInfo) -> str:
    """Return the host and port of a request, and the proxy on the way."""
    server, peer = _parse_host_port(request.url), transmission.peer
    place = format_host_port(*server)
    if knowledge.proxy is not None:
        return f"{place} (via proxy {knowledge.proxy})"
    # A transport that wraps another may lead anywhere.
    return place if peer is None or peer == server else f"{place} (via {format_host_port(*peer)})"


def describe_cause(
    error: BaseException | None, knowledge: TransportInfo, transmission: Transmission | None = None
) -> str:
    """Return why no answer came, in words that repeat nothing of the request."""
    if error is None:
        is_sent = transmission is None or transmission.sends
        return "it was not complete at the deadline" if is_sent else "timed out"
    if is_of_library(error) or isinstance(error, OSError):
        for one in iter_causes(error):
            if (said := _get_system_message(one)) is not None:
                return said
    cause = error.__cause__
    failed = None if transmission is None else transmission.failure
    was_seen = failed is not None and (error is failed or cause is failed)
    refusal = error if isinstance(error, httpcore.ProxyError) else cause
    if isinstance(error, list_kinds("ProxyError")) and isinstance(refusal, httpcore.ProxyError):
        status = str(refusal)[:3]
        return f"the proxy answered {status}" if status.isdigit() else "the proxy refused"
    if (was_seen or knowledge.is_watched) and isinstance(error, list_kinds(*_DISCREET)):
        return re.sub(r"^_ssl\.c:\d+: ", "", str(error)).rstrip(".") or type(error).__name__
    return "timed out" if is_timeout(error) else type(error).__name__


def _get_system_message(error: BaseException) -> str | None:
    """Return the system's message for a failure, by its number: a text with it may be anybody's."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return "the certificate is not trusted"
    if isinstance(error, ssl.SSLError):
        return "TLS failed"
    if isinstance(error, socket.gaierror):
        return "the name of the host cannot be resolved"
    if isinstance(error, BlockingIOError):
        return None  # a socket that was waited for since
    if isinstance(error, OSError) and isinstance(error.errno, int) and error.errno > 0:
        return os.strerror(error.errno).lower()
    return None


def is_of_library(error: object) -> bool:
    """Return whether an exception is one of httpx's or httpcore's."""
    return isinstance(error, list_kinds(*_BASES))


def is_timeout(error: BaseException | None) -> bool:
    """Return whether an exception says that the time was over; None is a deadline."""
    return error is None or isinstance(error, (*list_kinds("TimeoutException"), TimeoutError))


def iter_causes(error: BaseException | None, *, enters_groups: bool = True) -> Iterator[BaseException]:
    """Yield an exception, its cause, that one's cause and so on; of a group, also its first exception."""
    one: Any = error  # a group of exceptions is generic, which no checker can narrow to
    for _ in range(_LONGEST_CHAIN):
        if one is None:
            return
        yield one
        is_entered = enters_groups and isinstance(one, BaseExceptionGroup)
        one = cast("Any", one).exceptions[0] if is_entered else one.__cause__ or one.__context__
