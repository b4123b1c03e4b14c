"""Reading what somebody else has written, from files and from the network: bounded in size and time."""

import time
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

import httpx

from scripts.regeneration import RegenerationError


class Limits(NamedTuple):
    """How much is read of a document that comes from outside.

    Args:
        size: The most bytes it may have.
        depth: How many objects and lists may be inside each other; too many, and the YAML parser takes Python down with it.
        values: The most values it may hold once aliases are followed; a few lines of YAML can hold billions.
        silence: How many seconds a server may say nothing.
        duration: How many seconds the whole answer may take.
    """

    size: int = 10_000_000
    depth: int = 100
    values: int = 500_000
    silence: float = 10.0
    duration: float = 60.0


LIMITS = Limits()


def is_url(source: str) -> bool:
    """Return whether a source is an address, not a file."""
    return "://" in source


def read(source: str) -> bytes:
    """Read a file or a URL whole.

    Raises:
        RegenerationError: It cannot be read, or is more than a document is.
    """
    return _fetch(source) if is_url(source) else read_file(Path(source))


def beside(source: str, path: str) -> str:
    """Return the file or URL of what is below the folder of another."""
    if not is_url(source):
        return str(Path(source).parent / path)
    return source.partition("#")[0].partition("?")[0].rpartition("/")[0] + "/" + quote(path)


def read_file(path: Path) -> bytes:
    """Read a file whole.

    Raises:
        RegenerationError: It cannot be read, or is more than a document is.
    """
    try:
        with path.open("rb") as file:
            content = file.read(LIMITS.size + 1)
    except OSError as error:
        raise RegenerationError(f"{path} cannot be read: {error}") from error
    if len(content) > LIMITS.size:
        raise RegenerationError(f"{path} cannot be read: it has more than {LIMITS.size:,} bytes.")
    return content


def _fetch(url: str) -> bytes:
    until, content = time.monotonic() + LIMITS.duration, bytearray()
    headers = {"Accept": "application/yaml, application/json, */*"}
    try:
        if not url.lower().startswith(("http://", "https://")):
            raise ValueError("only http and https are.")
        with (
            httpx.Client(timeout=LIMITS.silence, follow_redirects=True, max_redirects=5) as client,
            client.stream("GET", url, headers=headers) as answer,
        ):
            if answer.status_code != 200:
                raise ValueError(f"it answers {answer.status_code}.")
            for piece in answer.iter_bytes():
                content += piece
                if len(content) > LIMITS.size:
                    raise ValueError(f"it sends more than {LIMITS.size:,} bytes.")
                if time.monotonic() > until:
                    raise ValueError(f"after {LIMITS.duration:g} seconds it was still sending.")
    except httpx.InvalidURL:  # whose words, and what looks like its path, may be a part of a password
        said = "it is not valid. Percent-encode what is special in its user and password."
        raise RegenerationError(f"The address cannot be read: {said}") from None
    except (httpx.HTTPError, ValueError) as error:
        said = str(error) or type(error).__name__
        if isinstance(error, httpx.TimeoutException):
            said = f"it said nothing for {LIMITS.silence:g} seconds."
        raise RegenerationError(f"{shown(url)} cannot be read: {said}") from error
    return bytes(content)


def shown(source: str) -> str:
    """Return a source as it may be shown: an address without a password before its host or a token in its query."""
    if not is_url(source):
        return source
    return str(httpx.URL(source).copy_with(userinfo=b"", query=None, fragment=None))
