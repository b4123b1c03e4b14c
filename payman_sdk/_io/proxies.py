"""The proxy that the environment names for a server, chosen as curl does.

An unreadable entry of NO_PROXY matches nothing, unlike in httpx. The error for an unusable proxy names its variable.
"""

import contextlib
import ipaddress
import os
import re
import sys
from collections.abc import Mapping
from urllib.parse import urlsplit

from payman_sdk._refusals import refuse
from payman_sdk._secrets import SecretStr
from payman_sdk._url import is_loopback

_SCHEMES = frozenset({"http", "https", "socks5", "socks5h"})


def find_proxy(url: str, environ: Mapping[str, str] = os.environ) -> str | None:
    """Return the proxy that this process uses for a server, or None for a direct connection; raises ConfigurationError.

    `https_proxy` counts, else `all_proxy`; then the same names in upper case: plain http passes no proxy of the environment. An
    empty variable counts as unset. docs/guides/networking.md has the rules of `no_proxy` and `NO_PROXY`, which are curl's. This
    machine is always reached directly. Without such a variable, the system's settings count on macOS and Windows.
    """
    host = urlsplit(url).hostname or ""
    if not host or is_loopback(host):
        return None
    if sys.platform in {"darwin", "win32"} and not any(name.lower().endswith("_proxy") for name in environ):
        from urllib.request import getproxies, proxy_bypass

        named = {} if proxy_bypass(host) else getproxies()
        proxy = named.get("https") or named.get("all")
        return check_proxy("the system's settings", proxy) if proxy else None
    if _is_excepted(host, _get_variable(environ, "no_proxy")[1]):
        return None
    for name in ("https_proxy", "all_proxy"):
        variable, value = _get_variable(environ, name)
        if value:
            return check_proxy(variable, value)
    return None


def _get_variable(environ: Mapping[str, str], name: str) -> tuple[str, str]:
    """Return the variable that holds a value, and the value."""
    for variable in (name, name.upper()):
        if value := environ.get(variable, "").strip():
            return variable, value
    return name, ""


def _is_excepted(host: str, exceptions: str) -> bool:
    if exceptions == "*":
        return True
    entries = re.split(r"[,\s]+", exceptions)
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        names = [_normalize_host(entry.removeprefix(".")) for entry in entries]
        dotted = f".{_normalize_host(host)}"
        return any(name and dotted.endswith(f".{name}") for name in names)
    return any(_contains(address, entry) for entry in entries)


def _contains(address: ipaddress.IPv4Address | ipaddress.IPv6Address, entry: str) -> bool:
    """Whether an address or a range has the address. As in curl, a range of no bits is its first address."""
    network, _, length = entry.partition("/")
    digits = re.match(r"\d{0,9}(?=\D|$)", length)
    if digits is None or length.startswith("-"):
        return False
    bits = int(digits[0] or 0) or address.max_prefixlen
    with contextlib.suppress(ValueError):
        return address in ipaddress.ip_network(f"{network}/{bits}", strict=False)
    return False


def _normalize_host(name: str) -> str:
    """Return a host name in the form in which names are compared."""
    name = name.removesuffix(".").lower()
    try:
        return name if name.isascii() else name.encode("idna").decode()
    except ValueError:
        return name


def check_proxy(variable: str, value: str) -> str:
    """Return the address of a proxy that httpx can read, too; see `read_proxy`."""
    proxy = read_proxy(variable, value)
    import httpx

    is_readable = False
    with contextlib.suppress(httpx.InvalidURL):
        is_readable = bool(httpx.URL(proxy).host)
    if not is_readable:
        refuse(variable, "is not an address", _FIX)
    return proxy


def read_proxy(variable: str, value: str) -> str:
    """Return the address of a proxy. Nothing of it is repeated in an error: it may hold a password.

    `variable` is what names it. `http://` counts where the address has no scheme. A secret stays one.

    Raises:
        ConfigurationError: It cannot be used as a proxy.
    """
    proxy = value if "://" in value else "http://" + value
    if problem := _find_problem(SecretStr(proxy)):
        refuse(variable, problem, _FIX)
    if proxy.lower().startswith("socks"):
        from importlib.util import find_spec

        if find_spec("socksio") is None:
            fix = "Install it: pip install 'httpx[socks]'."
            refuse(variable, "names a SOCKS proxy, which needs socksio", fix)
    return proxy


_FIX = "Give an address such as http://proxy.example:3128."


def _find_problem(secret: SecretStr) -> str | None:
    proxy = secret.reveal()
    try:
        parts = urlsplit(proxy)
        scheme, host, port = parts.scheme, parts.hostname or "", parts.port
        if not proxy.isprintable() or any(character.isspace() for character in proxy):
            return "holds white space or a control character"
        if scheme not in _SCHEMES:
            return f"names a proxy of a kind that is not supported ({', '.join(sorted(_SCHEMES))} are)"
        ipaddress.ip_address(host) if ":" in host else host.encode("idna")
    except ValueError:  # its message may repeat a password
        return "is not an address"
    return None if host and port != 0 else "is not an address with a host"
