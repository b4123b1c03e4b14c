"""Who may reach a sandbox from other machines, and what needs its admin token."""

from __future__ import annotations

import base64
import binascii
import hmac
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field

from payman_sdk._url import is_loopback

_SHORTEST_TOKEN = 16


@dataclass(frozen=True)
class NetworkAccess:
    """How a sandbox that other machines can reach is guarded.

    Attributes:
        hosts: names and addresses that it answers to, in lower case.
        admin_token: opens the web page, the consent page and everything else that is not Payman's API.
    """

    hosts: frozenset[str]
    admin_token: str = field(repr=False)

    def is_admin(self, authorization: str | None) -> bool:
        """Whether an Authorization header carries the admin token: as a bearer token, or as the password of Basic."""
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
    """Return how a sandbox on this address is guarded; None where only this machine reaches it and nothing was given.

    Args:
        host: The address to serve on.
        allow_hosts: Names under which other machines reach it.
        admin_token: At least 16 printable characters; None makes one.

    Raises:
        ValueError: A name or the token cannot be one, or other machines reach the address and no name is allowed.
    """
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
