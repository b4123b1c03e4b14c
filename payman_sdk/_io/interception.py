"""Whether something replaces httpx: what a test has mocked must never reach a server.

Mocks replace methods. Those of pytest-httpx and vcrpy belong to httpx's transports, those of respx to httpx's clients or
httpcore's connections. A test may patch any of them. The SDK's own connections use none of these methods. So they check first,
and pass a request to httpx if one of the methods is neither the library's own nor a known watcher's wrapper.
"""

from __future__ import annotations

from types import FunctionType
from typing import Any

import httpcore
import httpx

_LIBRARIES = frozenset({"httpx", "httpcore"})
_WATCHERS = frozenset({"sentry_sdk", "opentelemetry", "ddtrace"})
"""Libraries whose wrappers only look on."""


class Interception:
    """Looks at methods of classes.

    Args:
        places: The classes, each with the name of a method.
    """

    def __init__(self, *places: tuple[type, str]) -> None:
        self._places = [(vars(kind), name) for kind, name in places]
        self._harmless: list[Any] = []
        self._untouched: list[Any] = []

    def is_on(self) -> bool:
        """Return whether one of the methods is replaced at the moment."""
        found = [members.get(name) for members, name in self._places]
        if found != self._harmless:
            if not all(map(_is_harmless, found)):
                return True
            self._harmless = found
        return False

    def is_watched(self) -> bool:
        """Return whether one of the methods is replaced at the moment, or somebody looks on."""
        found = [members.get(name) for members, name in self._places]
        if found != self._untouched:
            if not all(map(_is_untouched, found)):
                return True
            self._untouched = found
        return False


def _is_harmless(function: Any) -> bool:
    while _find_library(function) in _WATCHERS:
        inner = getattr(function, "__wrapped__", None)
        if inner is None:
            return True
        function = inner
    return _is_untouched(function)


def _is_untouched(function: Any) -> bool:
    return function is None or _find_library(function) in _LIBRARIES


def _find_library(function: Any) -> str:
    """Return who wrote a function, or who wraps it; what is not a plain function is a wrapper, whatever it pretends to be."""
    if type(function) is FunctionType:  # `functools.wraps` does not change its globals
        return str(function.__globals__.get("__name__", "")).partition(".")[0]
    # Wrappers of wrapt, and of the copies of it that libraries bring, do not say whose they are; what they call does.
    owner = getattr(function, "_self_wrapper", type(function))
    return str(getattr(owner, "__module__", "")).partition(".")[0]


CLIENTS = Interception(
    *(
        (kind, name)
        for kind in (httpx.Client, httpx.AsyncClient)
        for name in (
            "send",
            "_send_handling_auth",
            "_send_handling_redirects",
            "_send_single_request",
            "_transport_for_url",
        )
    )
)
"""What httpx's clients do with a request."""

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
