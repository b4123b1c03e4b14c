"""Which addresses of servers are taken."""

from __future__ import annotations


def is_loopback(host: str) -> bool:
    """Whether a host name or address is this machine, by its name alone and without asking a resolver."""
    if host == "localhost":
        return True
    import ipaddress  # imported where it is used, like everything here that most programs never get to

    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def find_url_problem(url: str) -> str | None:
    """Return what is wrong with the address of a server, None if nothing is; for the middle of a sentence.

    Programs read an odd address in different ways, so that only plain ones are taken: scheme, host, port and path.
    """
    from urllib.parse import urlsplit

    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
        ascii_host = host.encode("idna").decode()
    except ValueError:  # its message may repeat a password
        return "is not a URL"
    if "@" in parts.netloc:
        return "holds a user name or password"
    if parts.scheme not in {"https", "http"} or not _is_host(ascii_host, parts.netloc) or not _is_plain(url):
        return "is not an https address"
    if "?" in url or "#" in url:  # an empty one, too, would swallow the path of every request
        return "holds a query or a fragment"
    if parts.scheme == "http" and not is_loopback(host):
        return f"would send secrets over plain http to {host}; http is for this machine only (localhost, 127.0.0.1)"
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
