"""Which addresses of servers are taken."""

from __future__ import annotations

from typing import NamedTuple

from payman_sdk._http_hosts import HTTP_HOSTS_SETTING, HTTP_HOSTS_VARIABLE, is_http_allowed, is_of_payman


class URLProblem(NamedTuple):
    """What is wrong with an address.

    Attributes:
        text: For the middle of a sentence.
        next_step: What to do, where it is not to give another address.
    """

    text: str
    next_step: str | None = None


def is_loopback(host: str) -> bool:
    """Whether a host name or address is this machine, by its name alone and without asking a resolver."""
    if host == "localhost":
        return True
    import ipaddress  # imported where it is used, like everything here that most programs never get to

    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def find_url_problem(url: str, http_hosts: frozenset[str] = frozenset()) -> URLProblem | None:
    """Return what is wrong with the address of a server, None if nothing is.

    Programs read an odd address in different ways, so that only plain ones are taken: scheme, host, port and path.

    Args:
        url: The address.
        http_hosts: Hosts beside this machine that may be reached over http, see `read_http_hosts`.
    """
    from urllib.parse import urlsplit

    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
        ascii_host = host.encode("idna").decode()
    except ValueError:  # its message may repeat a password
        return URLProblem("is not a URL")
    if "@" in parts.netloc:
        return URLProblem("holds a user name or password")
    if parts.scheme not in {"https", "http"} or not _is_host(ascii_host, parts.netloc) or not _is_plain(url):
        return URLProblem("is not an https address")
    if "?" in url or "#" in url:  # an empty one, too, would swallow the path of every request
        return URLProblem("holds a query or a fragment")
    if parts.scheme == "http" and not is_loopback(host) and not is_http_allowed(parts, http_hosts):
        setting = f'{HTTP_HOSTS_SETTING}=["{host}"], or {HTTP_HOSTS_VARIABLE}={host} in the environment'
        return URLProblem(
            f"would send secrets over plain http to {host}, which {HTTP_HOSTS_SETTING} does not list",
            "Use https."
            if is_of_payman(host)
            else f"Use https, or allow plain http to this host of a private network: {setting}.",
        )
    return None


def _is_plain(url: str) -> bool:
    return url.isprintable() and "\\" not in url and not any(character.isspace() for character in url)


def _is_host(host: str, written: str) -> bool:
    """Whether a host is an address or a name of letters, digits, hyphens, underscores and dots."""
    if "[" in written:
        import ipaddress

        try:
            return ipaddress.ip_address(host).version == 6
        except ValueError:
            return False
    return bool(host) and all(character.isalnum() or character in "-_." for character in host)
