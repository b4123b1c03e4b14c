"""Hosts that may be reached over plain http: a setting for networks that are private, such as that of containers.

A host counts exactly as it is named. Whatever is not listed is refused, and Payman's own servers cannot be listed.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, cast

from payman_api import AUTHORIZATION_SERVER, SERVERS
from payman_sdk.errors import ConfigurationError

if TYPE_CHECKING:
    from urllib.parse import SplitResult

HTTP_HOSTS_SETTING, HTTP_HOSTS_VARIABLE = "allow_http_hosts", "PAYMAN_ALLOW_HTTP_HOSTS"
"""The setting, and its variable in the environment."""

_OF_PAYMAN = frozenset(server.partition(".")[2] for server in (*SERVERS.values(), AUTHORIZATION_SERVER))
"""The domains of Payman's servers."""


def read_http_hosts(given: object, name: str = HTTP_HOSTS_SETTING) -> frozenset[str]:
    """Return the hosts of the setting, or of its variable, in the form in which `is_http_allowed` compares them.

    Args:
        given: A list of `host` or `host:port`, or the text of the variable, with commas between them; None for none.
        name: Where it was given.

    Raises:
        ConfigurationError: An entry is not exactly a host, or is a server of Payman's.
    """
    if isinstance(given, str) and name != HTTP_HOSTS_SETTING:
        given = [entry.strip() for entry in given.split(",") if entry.strip()]
    if not isinstance(given, list | tuple | set | frozenset | None):
        raise ConfigurationError(
            f"{name} is a {type(given).__name__}.", next_step='Give a list of hosts, such as ["sandbox"].'
        )
    return frozenset(_read_entry(entry, name) for entry in cast("Iterable[object]", given or ()))


def is_http_allowed(parts: SplitResult, hosts: frozenset[str]) -> bool:
    """Whether the setting lists the host of an address, on any port or on the port of the address."""
    host = _normalize(parts.hostname or "")
    return (
        bool(host) and not is_of_payman(host) and not hosts.isdisjoint((host, _join(host, parts.port or 80)))
    )


def is_of_payman(host: str) -> bool:
    """Whether a host belongs to a domain of Payman's."""
    host = host.lower().removesuffix(".")
    return any(host == domain or host.endswith(f".{domain}") for domain in _OF_PAYMAN)


def _read_entry(entry: object, name: str) -> str:
    from urllib.parse import (
        urlsplit,
    )  # imported where it is used, like everything here that most programs never get to

    text = entry.strip() if isinstance(entry, str) else ""
    try:
        parts = urlsplit(f"//{f'[{text}]' if text.count(':') > 1 and '[' not in text else text}")
        host, port = _normalize(parts.hostname or ""), parts.port
        written = parts.hostname or ""
        rest = parts.netloc.lower().removeprefix(f"[{written}]" if ":" in written else written)
        is_exact = not any((parts.path, parts.query, parts.fragment, "#" in text, "?" in text))
        is_exact = is_exact and (rest == "" if port is None else rest.startswith(":"))
    except ValueError:
        host, port, is_exact = "", None, False
    if not host or not is_exact:
        raise ConfigurationError(
            f"{name} holds {entry!r}, which is not exactly a host."[:300],
            next_step="Give names such as sandbox or sandbox:8642, without scheme, path or wildcard.",
        )
    if is_of_payman(host):
        raise ConfigurationError(
            f"{name} holds {host}, but Payman's servers are reached over https only.",
            next_step="Leave it out, and use an https address.",
        )
    return host if port is None else _join(host, port)


def _join(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _normalize(host: str) -> str:
    """Return a host as it is compared; an empty text if it has other spellings, which programs may read in other ways."""
    if ":" in host:
        import ipaddress

        try:
            return ipaddress.ip_address(host).compressed
        except ValueError:
            return ""
    name = host.lower().removesuffix(".")
    try:
        encoded = name.encode("idna").decode()
        is_plain = name.isascii() or encoded.encode().decode("idna") == name
    except ValueError:
        return ""
    is_plain = is_plain and all(character.isalnum() or character in "-_." for character in encoded)
    return encoded if is_plain else ""
