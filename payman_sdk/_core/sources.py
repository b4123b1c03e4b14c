"""Where the server and the credentials come from, and whether they may meet.

A server receives credentials only if the source that named the server gave them, too. Code, flags and the environment are one
source: whoever runs the program decides about all of them. A file in the working directory is another, for it may come with a
cloned repository. Payman's own servers may get the credentials of any source.
"""

from __future__ import annotations

from attrs import field, frozen

from payman_api import SERVERS
from payman_sdk.errors import ConfigurationError


@frozen
class FoundSetting:
    """A setting and where it was found.

    Args:
        value: The value.
        source: Its place, in words: "PAYMAN_BASE_URL in the environment".
        is_from_file: Whether a file in the working directory holds it.
    """

    value: str = field(repr=False)
    source: str
    is_from_file: bool = False


def is_payman_url(base_url: str) -> bool:
    """Whether an address is exactly that of a server of Payman's."""
    return base_url.removesuffix("/") in SERVERS.values()


def check_sources(server: FoundSetting, *credentials: FoundSetting | None) -> None:
    """Refuse a server whose credentials come from another source.

    Args:
        server: The address of the server.
        *credentials: What would be sent to it.

    Raises:
        ConfigurationError: The server is not one of Payman's, and something else named it than gave the credentials.
    """
    if is_payman_url(server.value):
        return
    for found in credentials:
        if found is not None and found.is_from_file != server.is_from_file:
            raise ConfigurationError(
                f"{format_url(server.value)}, from {server.source}, gets no credentials from another source,"
                f" and there is {found.source}.",
                next_step="Name the server where the credentials are: both in the environment, or both in the file.",
            )


def format_url(url: str) -> str:
    """An address for a message: in ASCII, so that letters of other scripts look like no others."""
    return url.encode("ascii", "backslashreplace").decode()
