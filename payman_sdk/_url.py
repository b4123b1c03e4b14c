"""Which addresses of servers are taken, and the hosts that a setting allows to be reached over plain http.

Such a host counts exactly as it is named. Whatever is not listed is refused, and Payman's own servers cannot be listed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from contextlib import suppress
from typing import TYPE_CHECKING, cast

from payman_api import AUTHORIZATION_SERVER, SERVERS
from payman_sdk._refusals import describe_type, refuse
from payman_sdk.errors import ConfigurationError

if TYPE_CHECKING:
    from ipaddress import IPv4Address, IPv6Address
    from urllib.parse import SplitResult

HTTP_HOSTS_SETTING, HTTP_HOSTS_VARIABLE = "allow_http_hosts", "PAYMAN_ALLOW_HTTP_HOSTS"
"""The setting, and its variable in the environment."""

_OF_PAYMAN = frozenset(server.partition(".")[2] for server in (*SERVERS.values(), AUTHORIZATION_SERVER))
"""The domains of Payman's servers."""


def is_loopback(host: str) -> bool:
    """Whether a host name or address is this machine, by its name alone and without asking a resolver."""
    return host == "localhost" or ((address := parse_ip(host)) is not None and address.is_loopback)


def parse_ip(host: str) -> IPv4Address | IPv6Address | None:
    """Return the address of IP that a host is; None for a name, and for what only some programs take for one."""
    import ipaddress  # imported where it is used, like everything here that most programs never get to

    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def read_host(parts: SplitResult) -> str:
    """Return the host of an address; an empty text if more than a host and a port is written in its place.

    Releases of Python differ in the host that they read in `[::1]evil.example` or `evil.example[::1]`.
    """
    host = parts.hostname or ""
    name, _, port = parts.netloc.partition(":")
    if name == host and port.isascii() and (not port or port.isdigit()):
        return host  # as nearly all, which need no pattern
    written = re.escape(f"[{host}]" if ":" in host else host)
    return host if re.fullmatch(rf"{written}(?::[0-9]*)?", parts.netloc, re.IGNORECASE) else ""


def find_url_problem(
    url: str, http_hosts: frozenset[str], fix: str = "Give an address such as https://agent.payman.ai."
) -> tuple[str, str] | None:
    """Return what is wrong with the address of a server, and what to do: the fix, where nothing else helps; None if nothing is wrong.

    Programs read an odd address in different ways, so that only plain ones are taken: scheme, host, port and path. Plain http
    reaches this machine and `http_hosts`, see `read_http_hosts`.
    """
    from urllib.parse import urlsplit

    try:
        parts = urlsplit(url)
        host, port = read_host(parts), parts.port
        ascii_host = _to_ascii(host)
    except ValueError:  # its message may repeat a password
        return "is not a URL", fix
    if "@" in parts.netloc:
        return "holds a user name or password", fix
    if parts.scheme not in {"https", "http"} or not _is_host(ascii_host, parts.netloc) or not _is_plain(url):
        return "is not an https address", fix
    if port == 0:  # which libraries take for none, and use that of the scheme
        return "has port 0, which no server listens on", fix
    if "?" in url or "#" in url:  # an empty one, too, would swallow the path of every request
        return "holds a query or a fragment", fix
    if parts.scheme == "http" and not is_loopback(host) and not is_http_allowed(parts, http_hosts):
        setting = f'{HTTP_HOSTS_SETTING}=["{host}"], or {HTTP_HOSTS_VARIABLE}={host} in the environment'
        allow = f", or allow plain http to this host of a private network: {setting}"
        problem = f"would send secrets over plain http to {host}, which {HTTP_HOSTS_SETTING} does not list"
        return problem, f"Use https{'' if is_of_payman(host) else allow}."
    return None


def normalize_url(url: str) -> str:
    """Return the address of a server in its usual spelling, so that all spellings are one server; anything else unchanged.

    Scheme and host are in lower case and ASCII, without the port of the scheme and without a dot or a slash at the end.
    """
    from urllib.parse import urlsplit

    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or "").removesuffix("."), parts.port
    except ValueError:
        return url.rstrip("/")
    if not host.isascii():
        import httpx  # which encodes it for every request

        with suppress(httpx.InvalidURL):
            host = httpx.URL(scheme="https", host=host).raw_host.decode().removesuffix(".")
    if ":" in host:
        host = f"[{_normalize(host) or host}]"
    if port not in (None, {"http": 80, "https": 443}.get(parts.scheme)):
        host = f"{host}:{port}"
    return parts._replace(netloc=host, path=parts.path.rstrip("/")).geturl()


def _to_ascii(host: str) -> str:
    """Return a host as it is looked up; raises ValueError."""
    # The codec, which takes a while to import, leaves these as they are.
    if host.isascii() and all(0 < len(label) < 64 for label in host.removesuffix(".").split(".")):
        if "xn--" in host:
            import httpx

            _ = httpx.URL(scheme="https", host=host).host  # which cannot be read if it encodes nothing
        return host
    return host.encode("idna").decode()


def _is_plain(url: str) -> bool:
    return url.isprintable() and "\\" not in url and not any(character.isspace() for character in url)


def _is_host(host: str, written: str) -> bool:
    """Whether a host is an address or a name of letters, digits, hyphens, underscores and dots."""
    if "[" in written:
        return (address := parse_ip(host)) is not None and address.version == 6
    return bool(host) and all(character.isalnum() or character in "-_." for character in host)


def format_url(url: str) -> str:
    """Return an address for a message: in ASCII, so that letters of other scripts look like no others."""
    return url.encode("ascii", "backslashreplace").decode()


def read_http_hosts(given: object, name: str = HTTP_HOSTS_SETTING) -> frozenset[str]:
    """Return the hosts of the setting, or of its variable, in the form in which `is_http_allowed` compares them.

    `given` is a list of `host` or `host:port`, or the text of the variable, with commas between them; `name` says where it was given.
    """
    if isinstance(given, str) and name != HTTP_HOSTS_SETTING:
        given = [entry.strip() for entry in given.split(",") if entry.strip()]
    if not isinstance(given, list | tuple | set | frozenset | None):
        refuse(name, f"is {describe_type(given)}", 'Give a list of hosts, such as ["sandbox"].')
    return frozenset(_read_entry(entry, name) for entry in cast("Iterable[object]", given or ()))


def is_http_allowed(parts: SplitResult, hosts: frozenset[str]) -> bool:
    """Whether the setting lists the host of an address, on any port or on the port of the address."""
    host = _normalize(parts.hostname or "")
    is_listed = not hosts.isdisjoint((host, format_host_port(host, parts.port or 80)))
    return bool(host) and is_listed and not is_of_payman(host)


def is_of_payman(host: str) -> bool:
    """Whether a host belongs to a domain of Payman's."""
    host = host.lower().removesuffix(".")
    return any(host == domain or host.endswith(f".{domain}") for domain in _OF_PAYMAN)


def _read_entry(entry: object, name: str) -> str:
    from urllib.parse import urlsplit

    text = entry.strip() if isinstance(entry, str) else ""
    try:
        parts = urlsplit(f"//{f'[{text}]' if text.count(':') > 1 and '[' not in text else text}")
        host, port = _normalize(read_host(parts)), parts.port
        is_exact = parts.netloc in (text, f"[{text}]") and (port is not None or text[-1:] != ":")
    except ValueError:
        host, port, is_exact = "", None, False
    if not host or not is_exact:
        raise ConfigurationError(
            f"{name} holds {entry!r}, which is not exactly a host."[:300],
            next_step="Give names such as sandbox or sandbox:8642, without scheme, path or wildcard.",
        )
    if is_of_payman(host):
        problem = f"holds {host}, but Payman's servers are reached over https only"
        refuse(name, problem, "Leave it out, and use an https address.")
    return host if port is None else format_host_port(host, port)


def format_host_port(host: str, port: int) -> str:
    """Write a host and a port, with brackets around an address of IPv6."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _normalize(host: str) -> str:
    """Return a host as it is compared; an empty text if it has other spellings, which programs may read in other ways."""
    if ":" in host:
        address = parse_ip(host)
        return "" if address is None else address.compressed
    name = host.lower().removesuffix(".")
    try:
        encoded = _to_ascii(name)
        is_plain = name.isascii() or encoded.encode().decode("idna") == name
    except ValueError:
        return ""
    return encoded if is_plain and _is_host(encoded, encoded) else ""
