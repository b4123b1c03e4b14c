"""Who may reach a sandbox: other requests are answered before anything is looked up or read."""

import base64
import binascii
import hmac
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from payman_api import PATHS, rest
from payman_sdk._url import is_loopback
from payman_sdk.sandbox._web.origins import (
    HEADERS,
    PAGE,
    RequestOrigin,
    find_api_refusal,
    find_change_refusal,
    find_consent_refusal,
    find_page_refusal,
    is_page,
)

_SHORTEST_TOKEN = 16


@dataclass(frozen=True)
class NetworkAccess:
    """How a sandbox that other machines can reach is guarded: its `hosts`, in lower case, and its `admin_token`.

    The token opens the web page, the consent page and all else that is not Payman's API.
    """

    hosts: frozenset[str]
    admin_token: str = field(repr=False)

    def is_admin(self, authorization: str | None) -> bool:
        """Whether an Authorization header has the admin token: as a bearer token, or as the password of Basic."""
        scheme, _, value = (authorization or "").strip().partition(" ")
        given = value.strip()
        if scheme.lower() == "basic":
            try:
                given = base64.b64decode(given, validate=True).decode().partition(":")[2]
            except (binascii.Error, UnicodeDecodeError):
                return False
        elif scheme.lower() != "bearer":
            return False
        return hmac.compare_digest(given.encode(), self.admin_token.encode())


def check_access(host: str, allow_hosts: Iterable[str], admin_token: str | None) -> NetworkAccess | None:
    """Return how a sandbox on this address is guarded; None if only this machine reaches it. Raises ValueError."""
    if isinstance(allow_hosts, str):
        raise ValueError("allow_hosts must be a collection of names, not a string")
    names = frozenset(str(name).lower() for name in allow_hosts)
    for name in names:
        if not re.fullmatch(r"[0-9a-z_.:-]{1,255}", name) or name.count(":") == 1:
            raise ValueError(
                f"allow_hosts holds {name!r}: give a host name or an address, without scheme and port"
            )
    if not is_loopback(host) and not names:
        raise ValueError(
            f"host {host} lets other machines in: name the hosts under which they reach the sandbox with allow_hosts, "
            "or use 127.0.0.1"
        )
    if admin_token is not None and not re.fullmatch(rf"[!-~]{{{_SHORTEST_TOKEN},}}", admin_token):
        raise ValueError(
            f"admin_token has to have at least {_SHORTEST_TOKEN} printable characters of ASCII, without spaces"
        )
    if is_loopback(host) and not names and admin_token is None:
        return None
    return NetworkAccess(names, admin_token or secrets.token_urlsafe(24))


_REST = urlsplit(rest.SERVERS["LIVE"]).path
_OPEN = re.compile(
    "|".join(
        re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(path))
        for path in (
            *(path for operation, path in PATHS.items() if operation != "authorize"),
            *(_REST + path for path in rest.PATHS.values()),
            f"{PAGE}/identity",
        )
    )
)
"""What needs no admin token: Payman's APIs, whose requests carry tokens or secrets themselves, and the identity."""


class SecurityMiddleware:
    """An ASGI application that browsers reach from its own pages only, and other machines only as allowed."""

    def __init__(self, app: ASGIApp, access: NetworkAccess | None = None) -> None:
        self._app, self._access = app, access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        refused = self._find_refusal(scope) if scope["type"] == "http" else None
        await (refused or self._app)(scope, receive, send)

    def _find_refusal(self, scope: Scope) -> Response | None:
        access = self._access
        asked = RequestOrigin.from_scope(scope, access.hosts if access else frozenset())
        if access is not None and asked.is_by_socket:
            if not asked.is_host_ours:
                reason = "the Host is not a name that the sandbox was started with; see --allow-host"
                return JSONResponse({"error": "foreign_host", "error_description": reason}, 403)
            if not _OPEN.fullmatch(scope["path"]) and not access.is_admin(_read_authorization(scope)):
                asks = {"WWW-Authenticate": 'Basic realm="Payman sandbox", charset="UTF-8"'}
                return PlainTextResponse(
                    "The admin token of the sandbox is needed.\n", 401, {**HEADERS, **asks}
                )
        return _find_browser_refusal(scope, asked)


def _read_authorization(scope: Scope) -> str | None:
    values = [value for name, value in scope["headers"] if name == b"authorization"]
    return values[0].decode("latin-1") if len(values) == 1 else None


def _find_browser_refusal(scope: Scope, asked: RequestOrigin) -> Response | None:
    reads = scope["method"] in ("GET", "HEAD")
    if scope["path"] == PATHS["authorize"]:
        reason, nothing = find_consent_refusal(asked, is_change=not reads), "Nothing was allowed."
    elif not is_page(scope["path"]):
        reason = find_api_refusal(asked)
        said = {"error": "foreign_origin", "error_description": reason}
        return None if reason is None else JSONResponse(said, 403)
    else:
        reason, nothing = (
            find_page_refusal(asked) if reads else find_change_refusal(asked),
            "Nothing was changed.",
        )
    if reason is None:
        return None
    return PlainTextResponse(f"{reason}\n{nothing}\n", 403, dict(HEADERS))
