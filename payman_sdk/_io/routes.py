"""The way of a request: what goes into its request line, where connections lead, and the words of httpx for those of httpcore."""

from __future__ import annotations

import ssl
import sys
from contextlib import AbstractContextManager, nullcontext
from types import FunctionType
from typing import Any, Final, cast

import httpcore
import httpx

from payman_sdk._io.proxies import find_proxy

TARGET: Final = "target"
"""The extension of httpx and httpcore that holds what goes into the request line."""


def hide_query(request: httpx.Request) -> None:
    """Take the query out of the address of a request; `show_query` puts it back."""
    if request.url.query:
        request.extensions = {**request.extensions, TARGET: request.url.raw_path}
        request.url = request.url.copy_with(query=None)


def show_query(request: httpx.Request) -> httpx.Request:
    """Give a request its query back, for those that stand in for a server: mocks and recordings."""
    extensions = dict(request.extensions)
    target = extensions.pop(TARGET, None)
    if target is not None:
        request.extensions, request.url = extensions, request.url.copy_with(raw_path=target)
    return request


def suppress_instrumentation(request: httpx.Request) -> AbstractContextManager[Any]:
    """Return a context in which no instrumentation of OpenTelemetry sees a request that has a query."""
    instrumentation: Any = sys.modules.get("opentelemetry.instrumentation.utils")
    if instrumentation is None or not (request.url.query or TARGET in request.extensions):
        return nullcontext()
    suppressed: AbstractContextManager[Any] = instrumentation.suppress_http_instrumentation()
    return suppressed


_PORTS = {b"http": 80, b"https": 443}


class Route:
    """The way to a server: directly, or through a proxy; one that the environment names is for https only.

    Raises:
        httpx.UnsupportedProtocol: The address is neither of http nor of https.
        ConfigurationError: The environment names a proxy that cannot be used.
    """

    __slots__ = ("is_socks", "origin", "proxy")

    def __init__(self, url: httpx.URL, certificates: ssl.SSLContext, proxy: str | None = None) -> None:
        scheme = url.raw_scheme
        if scheme not in _PORTS:
            raise httpx.UnsupportedProtocol("the address is neither of http nor of https")
        self.origin = httpcore.Origin(scheme, url.raw_host, url.port or _PORTS[scheme])
        # Plain http is for a machine that the caller named: it passes no other that the caller did not name, too.
        found = proxy or (find_proxy(str(url)) if scheme == b"https" else None)
        self.proxy = httpx.Proxy(found) if found else None
        self.is_socks = self.proxy is not None and self.proxy.url.scheme.startswith("socks")
        if self.proxy is not None and self.proxy.url.scheme == "https":
            self.proxy.ssl_context = certificates


class Routes:
    """The ways to servers, each looked up once. Without a proxy, the environment names one for each."""

    def __init__(self, certificates: ssl.SSLContext, proxy: str | None = None) -> None:
        self._certificates, self._proxy = certificates, proxy
        self._known: dict[tuple[bytes, bytes, int | None], Route] = {}

    def find(self, url: httpx.URL) -> Route:
        """Return the way to the server of an address; `Route` says which are refused."""
        server = url.raw_scheme, url.raw_host, url.port
        route = self._known.get(server)
        if route is None:
            route = self._known[server] = Route(url, self._certificates, self._proxy)
        return route


def make_connection(
    route: Route, certificates: ssl.SSLContext, backend: Any, kinds: tuple[Any, Any, Any]
) -> Any:
    """Make a connection of httpcore that is not connected yet, by the class of a direct one or of a pool for proxies.

    Such a pool is used for nothing else: interrupts spoil its locks.
    """
    direct, by_http, by_socks = kinds
    if (proxy := route.proxy) is None:
        return direct(route.origin, ssl_context=certificates, network_backend=backend)
    url = proxy.url
    address = httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path)
    if route.is_socks:
        maker = by_socks(address, proxy.raw_auth, certificates, network_backend=backend)
    else:
        encryption = certificates, proxy.ssl_context
        maker = by_http(address, proxy.raw_auth, proxy.headers.raw, *encryption, network_backend=backend)
    return maker.create_connection(route.origin)


def to_httpcore(request: httpx.Request) -> httpcore.Request:
    """Return the request, for httpcore, with the query that its address was sent without."""
    url, extensions = request.url, dict(request.extensions)
    # Not left to httpcore: on the way through a proxy it would take the target for the whole address.
    target = extensions.pop(TARGET, url.raw_path)
    address = httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=target)
    core = httpcore.Request(request.method, address, content=request.stream, extensions=extensions)
    core.headers = request.headers.raw  # httpcore would look at each once more, whether it is bytes
    return core


def from_httpcore(
    answer: httpcore.Response, body: httpx.SyncByteStream | httpx.AsyncByteStream
) -> httpx.Response:
    """Return the answer, for httpx, with a body of ours."""
    extensions = cast("dict[str, Any]", answer.extensions)
    return httpx.Response(answer.status, headers=answer.headers, stream=body, extensions=extensions)


def send_intercepted(
    request: httpx.Request, certificates: ssl.SSLContext, proxy: httpx.Proxy | None
) -> httpx.Response:
    """Send a request with a transport of httpx's, for whoever replaces that, and read the answer."""
    with httpx.HTTPTransport(verify=certificates, proxy=proxy, trust_env=False) as transport:
        answer = transport.handle_request(show_query(request))
        answer.read()
        return answer


async def send_intercepted_async(
    request: httpx.Request, certificates: ssl.SSLContext, proxy: httpx.Proxy | None
) -> httpx.Response:
    async with httpx.AsyncHTTPTransport(verify=certificates, proxy=proxy, trust_env=False) as transport:
        answer = await transport.handle_async_request(show_query(request))
        await answer.aread()
        return answer


def to_httpx_error(error: BaseException) -> httpx.HTTPError | None:
    """Return the exception of httpx that bears the name of one of httpcore; None for any other."""
    for kind in type(error).__mro__:
        if kind.__module__.partition(".")[0] == "httpcore":
            named = getattr(httpx, kind.__name__, None)
            if isinstance(named, type) and issubclass(named, httpx.HTTPError):
                return named(str(error))
    return None


_LIBRARIES = frozenset({"httpx", "httpcore"})
_WATCHERS = frozenset({"sentry_sdk", "opentelemetry", "ddtrace"})
"""Libraries whose wrappers only look on."""


class Interception:
    """Sees whether something replaces httpx: what a test has mocked must never reach a server.

    Mocks replace methods. Those of pytest-httpx and vcrpy belong to httpx's transports, those of respx to httpx's clients or
    httpcore's connections. A test may patch any of them. The SDK's own connections use none of these methods. So they check first,
    and pass a request to httpx if one of the methods is neither the library's own nor a known watcher's wrapper.

    Args:
        places: The classes, each with the name of a method.
    """

    def __init__(self, *places: tuple[type, str]) -> None:
        kinds = dict.fromkeys(kind for kind, _ in places)
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
            verdict = max(map(_judge, found))
            self._last = found, verdict
        return verdict


_UNTOUCHED, _WATCHED, _REPLACED = range(3)


def _judge(function: Any) -> int:
    verdict = _UNTOUCHED
    while function is not None and _find_library(function) in _WATCHERS:
        verdict, function = _WATCHED, getattr(function, "__wrapped__", None)
    return verdict if function is None or _find_library(function) in _LIBRARIES else _REPLACED


def _find_library(function: object) -> str:
    """Return who wrote a function, or who wraps it; what is not a plain function is a wrapper, whatever it pretends to be."""
    if type(function) is FunctionType:  # `functools.wraps` does not change its globals
        return str(function.__globals__.get("__name__", "")).partition(".")[0]
    # Wrappers of wrapt, and of the copies of it that libraries bring, do not say whose they are; what they call does.
    kind: type[object] = type(function)
    owner: object = getattr(function, "_self_wrapper", kind)
    return str(getattr(owner, "__module__", "")).partition(".")[0]


CLIENTS = Interception(
    *(
        (kind, name)
        for kind in (httpx.Client, httpx.AsyncClient)
        for name in vars(kind)
        if name == "send" or (name.startswith("_") and not name.startswith("__"))
    )
)
"""What httpx's clients do with a request: `send`, and all that is not public, whatever it is called, for `send` may go through it."""

TRANSPORTS = Interception(
    *(
        (kind, "handle_request")
        for kind in (httpx.HTTPTransport, httpcore.ConnectionPool, httpcore.HTTPConnection)
    ),
    *(
        (kind, "handle_async_request")
        for kind in (httpx.AsyncHTTPTransport, httpcore.AsyncConnectionPool, httpcore.AsyncHTTPConnection)
    ),
)
"""What httpx's transports, and httpcore below them, do with a request."""
