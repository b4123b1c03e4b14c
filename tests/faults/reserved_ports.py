"""Ports on loopback that stay one's own while nobody listens on them: only there is a connection truly refused."""

from __future__ import annotations

import contextlib
import socket
import struct

HOST = "127.0.0.1"
_RESET = struct.pack("ii", 1, 0)


class Port:
    """A port that is kept. While nobody listens on it, connections to it are refused.

    Another listener may be given the port as well, if it sets SO_REUSEADDR, as servers do.
    """

    def __init__(self) -> None:
        # Bound, and never listening: nobody else is given the port then, and a listener of ours can be.
        self._keeper = _bound(0)
        self.number: int = self._keeper.getsockname()[1]

    def listener(self) -> socket.socket:
        """A socket that listens, and does not block; connections are taken from now on."""
        listener = _bound(self.number)
        listener.listen(64)
        listener.setblocking(False)
        return listener

    def close(self) -> None:
        """Lets the port go."""
        self._keeper.close()


def _bound(port: int) -> socket.socket:
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((HOST, port))
    except OSError:
        bound.close()
        raise
    return bound


def end_with_a_reset(connection: socket.socket) -> None:
    """Makes the closing of a connection a reset."""
    with contextlib.suppress(OSError):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
