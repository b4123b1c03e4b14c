"""What nobody can be faster than: a socket that sends the bytes and reads an answer, so it shows the cost of the server."""

from __future__ import annotations

import socket
from urllib.parse import urlsplit

from scripts.benchmarks import sides


def build_sides(target: sides.Target) -> dict[str, sides.Side]:
    """Return all sides."""
    address, request = urlsplit(target.base_url), target.ask.encode()
    connection = socket.create_connection((address.hostname, address.port))
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def ask() -> None:
        connection.sendall(request)
        head, _, body = connection.recv(65536).partition(b"\r\n\r\n")
        missing = int(head.rpartition(b"Content-Length: ")[2]) - len(body)
        while missing > 0:
            missing -= len(connection.recv(65536))

    return {"ask": sides.repeat(ask)}
