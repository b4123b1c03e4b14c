"""The way of a request: where connections lead, and whether httpx is watched or replaced.

This module does not import httpx: without that import, nothing of it is watched or replaced.
"""

from __future__ import annotations

import functools
import ssl
import sys
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from types import FunctionType
from typing import TYPE_CHECKING, Any, Final, cast

import httpcore

from payman_sdk._url import format_host_port

if TYPE_CHECKING:
    import httpx


PORTS: Final = {b"http": 80, b"https": 443}


class Route:
    """The way to a server: directly, or through a proxy; one that the environment names is for https only.

    Raises httpcore.UnsupportedProtocol, or ConfigurationError for an unusable proxy in the environment.
    """

    def __init__(
        self, url: httpcore.URL, certificates: ssl.SSLContext | None = None, proxy: str | None = None
    ) -> None:
        scheme = url.scheme
        if scheme not in PORTS:
            raise httpcore.UnsupportedProtocol("the address is neither of http nor of https")
        self.origin = url.origin
        self._certificates, self._given_proxy = certificates, proxy
        # Plain http is for a machine that the caller named: it passes no other that the caller did not name, too.
        if proxy is None and scheme == b"https":
            from payman_sdk._io.proxies import find_proxy

            proxy = find_proxy(f"https://{format_host_port(url.host.decode(), self.origin.port)}")
        self.proxy: httpx.Proxy | None = None
        if proxy is not None:
            import httpx

            self.proxy = httpx.Proxy(proxy)
            if self.proxy.url.scheme == "https":
                self.proxy.ssl_context = self.certificates
        self.is_socks = self.proxy is not None and self.proxy.url.scheme.startswith("socks")

    @property
    def certificates(self) -> ssl.SSLContext:
        """Whom to trust: nobody where no certificates were read, as for plain http."""
        if self._certificates is None:  # made late, for it takes as long as four asks
            self._certificates = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        return self._certificates

    def to(self, url: httpcore.URL) -> Route:
        """Return the way to the server of an address, with the same certificates and given proxy."""
        if url.scheme in PORTS and url.origin == self.origin:
            return self
        return Route(url, self._certificates, self._given_proxy)

    def make_connection(self, backend: Any, direct: Any, by_http: Any, by_socks: Any) -> Any:
        """Make an unconnected connection of httpcore, by the class of a direct one or of a pool for proxies.

        Such a pool is used for nothing else: interrupts spoil its locks.
        """
        if (proxy := self.proxy) is None:
            certificates = self.certificates if self.origin.scheme == b"https" else None
            return direct(self.origin, ssl_context=certificates, network_backend=backend)
        url, certificates = proxy.url, self.certificates
        address = httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path)
        if self.is_socks:
            maker = by_socks(address, proxy.raw_auth, certificates, network_backend=backend)
        else:
            encryption = certificates, proxy.ssl_context
            maker = by_http(address, proxy.raw_auth, proxy.headers.raw, *encryption, network_backend=backend)
        return maker.create_connection(self.origin)


def suppress_instrumentation(request: Mapping[str, Any] | None = None) -> AbstractContextManager[Any]:
    """Return a context in which no instrumentation of OpenTelemetry sees a request that has a query."""
    instrumentation: Any = sys.modules.get("opentelemetry.instrumentation.utils")
    if instrumentation is None or (request is not None and not request.get("params")):
        return nullcontext()
    suppressed: AbstractContextManager[Any] = instrumentation.suppress_http_instrumentation()
    return suppressed


def is_httpx_needed(*, sends_itself: bool) -> bool:
    """Return whether a client of httpx must send: one is watched, or a transport is replaced that own connections bypass."""
    if "httpx" not in sys.modules:
        return _OF_HTTPCORE.is_on()
    return get_clients().is_watched() or (sends_itself and get_transports().is_on())


def is_replaced() -> bool:
    """Return whether httpx or httpcore is replaced."""
    if "httpx" not in sys.modules:
        return _OF_HTTPCORE.is_on()
    return get_clients().is_on() or get_transports().is_on()


_LIBRARIES = frozenset({"httpx", "httpcore", "aiohttp"})
_WATCHERS = frozenset({"sentry_sdk", "opentelemetry", "ddtrace"})
"""Libraries whose wrappers only look on."""


class Interception:
    """Sees whether something replaces httpx: what a test has mocked must never reach a server.

    pytest-httpx and vcrpy replace methods of httpx's transports, respx those of httpx's clients or httpcore's connections, which
    own connections bypass. So httpx sends the request if one is neither the library's own nor a known watcher's wrapper. `places`
    are classes, or their replacements, each with the name of a method.
    """

    def __init__(self, *places: tuple[Any, str]) -> None:
        kinds: dict[type, None] = dict.fromkeys(kind for kind, _ in places)
        self._of_kinds = max(map(_judge, kinds))
        self._places = [(vars(kind).get, [name for one, name in places if one is kind]) for kind in kinds]
        self._last: tuple[list[Any], int] = [], _UNTOUCHED

    def is_on(self) -> bool:
        """Return whether one of the methods is replaced at the moment."""
        return self._look() == _REPLACED

    def is_watched(self) -> bool:
        """Return whether one of the methods is replaced at the moment, or somebody looks on."""
        return self._look() != _UNTOUCHED

    def _look(self) -> int:
        found = [one for get, names in self._places for one in map(get, names)]
        seen, verdict = self._last
        if found != seen:
            verdict = max(self._of_kinds, *map(_judge, found))
            self._last = found, verdict
        return verdict


_UNTOUCHED, _WATCHED, _REPLACED = range(3)


def _judge(function: Any) -> int:
    verdict = _UNTOUCHED
    while function is not None and _find_library(function) in _WATCHERS:
        verdict, function = _WATCHED, getattr(function, "__wrapped__", None)
    return verdict if function is None or _find_library(function) in _LIBRARIES else _REPLACED


def _find_library(function: object) -> str:
    """Return who wrote a function or a class, or who wraps it; anything else counts as a wrapper."""
    if issubclass(type(function), type):
        return str(cast("type", function).__module__).partition(".")[0]
    if type(function) is FunctionType:  # `functools.wraps` does not change its globals
        return str(function.__globals__.get("__name__", "")).partition(".")[0]
    # Wrappers of wrapt, and of the copies of it that libraries bring, do not say whose they are; what they call does.
    kind: type[object] = type(function)
    owner: object = getattr(function, "_self_wrapper", kind)
    return str(getattr(owner, "__module__", "")).partition(".")[0]


_HTTPCORE: Final[tuple[tuple[type, str], ...]] = (
    (httpcore.ConnectionPool, "handle_request"),
    (httpcore.HTTPConnection, "handle_request"),
    (httpcore.AsyncConnectionPool, "handle_async_request"),
    (httpcore.AsyncHTTPConnection, "handle_async_request"),
)
_OF_HTTPCORE: Final = Interception(*_HTTPCORE)


_watch: Final = functools.lru_cache(maxsize=16)(Interception)


def get_clients() -> Interception:
    """Return where httpx's clients can be watched: `send`, and all private methods, for `send` may use them."""
    import httpx

    return _watch_clients(httpx.Client, httpx.AsyncClient)


@functools.lru_cache(maxsize=16)
def _watch_clients(*kinds: Any) -> Interception:
    return Interception(
        *(
            (kind, name)
            for kind in kinds
            for name in {"send", *vars(cast("type", kind))}
            if name == "send" or (name.startswith("_") and not name.startswith("__"))
        )
    )


def get_transports() -> Interception:
    """Return where httpx's transports, and httpcore below them, can be watched."""
    import httpx

    return _watch(
        (httpx.HTTPTransport, "handle_request"),
        (httpx.AsyncHTTPTransport, "handle_async_request"),
        *_HTTPCORE,
    )
