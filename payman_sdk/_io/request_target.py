"""Queries that nobody on the way sees: those of token requests, which carry secrets [D].

Programs that watch HTTP (spans, breadcrumbs, logs, hooks) write down the address of a request. So the address of a token request
has no query; it travels beside the request, as httpx's extension `target`, and the connections complete the request with it. Where it
is not known that they do, the address keeps its query, and instrumentations of OpenTelemetry are kept from looking.
"""

from __future__ import annotations

import sys
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Final

import httpx

from payman_sdk._io.interception import TRANSPORTS

TARGET: Final = "target"
"""The extension of httpx and httpcore that holds what goes into the request line."""

_KEEPS_TARGET: Final = "completes_requests"
"""What a transport says that completes requests by itself."""
_OF_HTTPX: Final = (
    (httpx.HTTPTransport, "handle_request"),
    (httpx.AsyncHTTPTransport, "handle_async_request"),
)
"""The transports of httpx that hand requests to httpcore, which completes them; and the methods that do."""


def hide_query(http: httpx.Client | httpx.AsyncClient, request: httpx.Request) -> None:
    """Take the query out of the address of a request, if the connections of its client are known to put it back."""
    if request.url.query and _completes(_transport_of(http, request.url), request.url):
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
    """A context in which no instrumentation of OpenTelemetry sees a request whose address has a query."""
    instrumentation: Any = sys.modules.get("opentelemetry.instrumentation.utils")
    if not request.url.query or instrumentation is None:  # without that module there are none
        return nullcontext()
    suppressed: AbstractContextManager[Any] = instrumentation.suppress_http_instrumentation()
    return suppressed


def _transport_of(http: httpx.Client | httpx.AsyncClient, url: httpx.URL) -> object:
    """What a client sends a request with; None where that cannot be found out."""
    own: object = getattr(http, "connections", None)
    if own is not None:
        return own
    find: Any = getattr(http, "_transport_for_url", None)
    return find(url) if callable(find) else None


def _completes(transport: object, url: httpx.URL) -> bool:
    if getattr(transport, _KEEPS_TARGET, False) is True:
        return True
    for kind, method in _OF_HTTPX:
        if isinstance(transport, kind):
            bases = type(transport).__mro__
            is_own = any(method in vars(base) for base in bases[: bases.index(kind)])
            is_plain = not is_own and not TRANSPORTS.is_on()
            return is_plain and not (url.scheme == "http" and _has_proxy(transport))
    return False


def _has_proxy(transport: object) -> bool:
    """Whether plain requests may go through a proxy, which wants the whole address in the request line."""
    pool = type(getattr(transport, "_pool", None)).__name__
    return pool not in {"ConnectionPool", "AsyncConnectionPool"}
