"""Redirect URIs: which are usable, which belong to a client, and where they lead.

Usable are https, http to this machine, and an app's own scheme (RFC 8252); never with a fragment (RFC 6749, section 3.1.2).
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Mapping
from urllib.parse import SplitResult, urlencode, urlsplit

_LONGEST = 2000
# The characters of RFC 3986, of which none can break out of a header.
_CHARACTERS = re.compile(r"[A-Za-z0-9\-._~:/?\[\]@!$&'()*+,;=%]+")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*:.")
# No app's own, but the browser's: some run or show what is in the URI.
_BROWSERS = frozenset(
    "about blob chrome data file filesystem ftp ftps intent javascript jar mailto resource tel vbscript view-source ws wss".split()  # noqa: SIM905 (words read better as words)
)
_HOST = re.compile(r"[A-Za-z0-9.\-]+")


def check(uri: str) -> None:
    """Refuse a redirect URI that no browser should be sent to with a code.

    Raises:
        ValueError: saying what is wrong with it.
    """
    if len(uri) > _LONGEST:
        raise ValueError(f"redirect_uri is longer than {_LONGEST} characters")
    if "#" in uri:
        raise ValueError("redirect_uri has a fragment; leave out the # and what follows it")
    if not _CHARACTERS.fullmatch(uri) or not _SCHEME.match(uri):
        raise ValueError("redirect_uri is not an absolute URI such as https://shop.example/back")
    try:
        parts = urlsplit(uri)
        _ = parts.port
    except ValueError:
        raise ValueError("redirect_uri has no proper host and port") from None
    if parts.username is not None or parts.password is not None:
        raise ValueError("redirect_uri has a user in it; leave out the @ and what is before it")
    match parts.scheme:
        case "https" if parts.hostname:
            return
        case "http" if _is_loopback(parts):
            return
        case "http":
            raise ValueError("redirect_uri is plain http; use https, or http to 127.0.0.1, ::1 or localhost")
        case "https" | "localhost":
            raise ValueError("redirect_uri has no scheme or no host; write it as https://shop.example/back")
        case scheme if scheme in _BROWSERS:
            raise ValueError(
                f"redirect_uri cannot begin with {scheme}: use https or a scheme of the app's own"
            )
        case _:
            return


def is_registered(uri: str, registered: Iterable[str]) -> bool:
    """Whether it is one of the registered ones: the same, or, to this machine, the same but for the port (RFC 8252)."""
    return any(
        uri == own or (_strip_port(uri) is not None and _strip_port(uri) == _strip_port(own))
        for own in registered
    )


def add_parameters(uri: str, parameters: Mapping[str, str]) -> str:
    """Return the URI with more parameters in its query."""
    joint = "?" if "?" not in uri else "" if uri.endswith(("?", "&")) else "&"
    return f"{uri}{joint}{urlencode(parameters)}"


def format_origin(uri: str) -> str:
    """Where it leads, for people to read: scheme, host and port, or an app's scheme."""
    parts = urlsplit(uri)
    if parts.scheme not in ("http", "https") or parts.hostname is None:
        return f"{parts.scheme}:"
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{parts.scheme}://{host}{'' if parts.port is None else f':{parts.port}'}"


def format_csp_source(uri: str) -> str:
    """Where it leads, as a source of a Content-Security-Policy, which knows no IPv6 addresses."""
    parts = urlsplit(uri)
    if parts.scheme in ("http", "https") and _HOST.fullmatch(parts.hostname or ""):
        return format_origin(uri)
    return f"{parts.scheme}:"


def _is_loopback(parts: SplitResult) -> bool:
    if parts.hostname == "localhost":
        return True
    try:
        return ipaddress.ip_address(parts.hostname or "").is_loopback
    except ValueError:
        return False


def _strip_port(uri: str) -> tuple[str | None, str, str] | None:
    parts = urlsplit(uri)
    if parts.scheme != "http" or not _is_loopback(parts):
        return None
    return parts.hostname, parts.path, parts.query
