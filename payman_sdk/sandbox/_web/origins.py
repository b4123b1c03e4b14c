"""Access: the sandbox's names, the origins of changes, and headers for browsers."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit

from starlette.types import Scope

from payman_sdk._url import is_loopback, read_host

COOKIE = "payman-sandbox"
PAGE = "/web"
"""Where the web page is; everything below it is the page's."""

HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self'; "
        "form-action 'self'; frame-ancestors 'none'; base-uri 'none'; require-trusted-types-for 'script'; "
        "trusted-types 'none'"
    ),
    "X-Frame-Options": "DENY",  # for browsers that do not know frame-ancestors
    "X-Content-Type-Options": "nosniff",
    # Nobody else gets a referrer. With `no-referrer`, browsers send forms with `Origin: null`, as a sandboxed frame of
    # somebody else's does, and it would reveal nothing.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}

_PORTS = {"http": 80, "https": 443}


def is_page(path: str) -> bool:
    """Whether a path is the web page's; whoever goes to the root is led there."""
    return path in ("/", PAGE) or path.startswith(f"{PAGE}/")


def build_link(path: str, **query: object) -> str:
    return f"{PAGE}/{path}?{urlencode(query)}" if query else f"{PAGE}/{path}"


@dataclass(frozen=True)
class RequestOrigin:
    """The target and the origin of a request.

    `origin` is the page that made a browser send it, or None; `site` is its relation to this one (`Sec-Fetch-Site`). `hosts` are
    the `Host` headers. `is_by_socket`: it came over a network, not from this process. `allowed_hosts` are more host names, on any
    port, because containers map ports.
    """

    scheme: str
    port: int | None
    hosts: tuple[str, ...]
    origin: str | None
    site: str | None
    is_by_socket: bool = True
    allowed_hosts: frozenset[str] = frozenset()

    @classmethod
    def from_scope(cls, scope: Scope, allowed_hosts: frozenset[str] = frozenset()) -> RequestOrigin:
        def read_header(name: bytes) -> tuple[str, ...]:
            return tuple(value.decode("latin-1") for key, value in scope["headers"] if key == name)

        origins, sites = read_header(b"origin"), read_header(b"sec-fetch-site")
        server = scope.get("server")
        return cls(
            scope["scheme"],
            server[1] if server else None,
            read_header(b"host"),
            ", ".join(origins) if origins else None,
            ", ".join(sites) if sites else None,
            server is None or _is_address(server[0]),
            allowed_hosts,
        )

    @property
    def is_host_ours(self) -> bool:
        """Return whether the Host is an allowed name, or one of this machine's own with the sandbox's port."""
        if len(self.hosts) != 1:
            return False
        try:
            parts = urlsplit(f"//{self.hosts[0]}")
            name, port = read_host(parts), parts.port
        except ValueError:
            return False
        if parts.netloc != self.hosts[0]:
            return False
        if name in self.allowed_hosts:
            return True
        if not is_loopback(name):
            return False
        usual = _PORTS.get(self.scheme)
        return (port or usual) == (self.port or usual)

    @property
    def is_same_origin(self) -> bool:
        return self.origin is not None and self.origin.lower() == f"{self.scheme}://{self.hosts[0]}".lower()


def find_page_refusal(asked: RequestOrigin) -> str | None:
    if not asked.is_host_ours:
        return (
            "This page is only there under the sandbox's own address: 127.0.0.1 or localhost with its port, or a name given "
            "with --allow-host."
        )
    return None


def find_change_refusal(asked: RequestOrigin) -> str | None:
    """Return why the headers forbid a change; None if they allow it."""
    if refusal := find_page_refusal(asked):
        return refusal
    if asked.origin is None and asked.site is None:
        return "The request does not say which page it comes from; use a browser."
    if (asked.origin is not None and not asked.is_same_origin) or asked.site not in (None, "same-origin"):
        return "The request comes from another page."
    return None


def find_consent_refusal(asked: RequestOrigin, *, is_change: bool) -> str | None:
    """Return why the consent page is not shown, or a decision on it is not taken; None if it may be.

    Any page may link to the consent page, but a decision must come from the page itself. The page sends no referrer, so browsers
    send its form with `Origin: null`, as from a sandboxed frame of another site. Only `Sec-Fetch-Site`, which a page cannot set,
    distinguishes the two. Other programs send neither header; they need the ticket in the form.
    """
    if asked.is_by_socket and (refusal := find_page_refusal(asked)):
        return refusal
    if not is_change or (asked.origin is None and asked.site is None):
        return None
    is_hidden = asked.origin == "null" and asked.site == "same-origin"
    if (asked.origin is not None and not asked.is_same_origin and not is_hidden) or asked.site not in (
        None,
        "same-origin",
    ):
        return "The request comes from another page."
    return None


def find_api_refusal(asked: RequestOrigin) -> str | None:
    """Return why a browser may not use the API. Only browsers send an Origin; a request without one is answered.

    A page that hides its origin (`null`) may not set the headers that carry tokens, so it can do nothing.
    """
    if asked.origin is None or (asked.is_host_ours and (asked.is_same_origin or asked.origin == "null")):
        return None
    return "the Origin is not the sandbox's own; pages of other addresses may not use it"


class CSRFTokens:
    """Tokens for forms, each for the cookie of a browser. `randomness` is not the sandbox's own, which a test may have seeded."""

    def __init__(self, randomness: Callable[[int], bytes] = secrets.token_bytes) -> None:
        self._key, self._randomness = randomness(32), randomness

    def choose_cookie(self, given: str | None) -> str:
        if given is not None and re.fullmatch("[0-9a-f]{64}", given):
            return given
        return self._randomness(32).hex()

    def make_token(self, cookie: str) -> str:
        return hmac.new(self._key, cookie.encode(), hashlib.sha256).hexdigest()

    def is_valid(self, cookie: str | None, token: str | None) -> bool:
        expected = self.make_token(cookie or "")
        return hmac.compare_digest(expected.encode(), (token or "").encode()) and bool(cookie)


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
