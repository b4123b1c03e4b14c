"""A proxy before Redis that does to requests what proxies do: refuses commands, closes connections, loses answers, or says nothing."""

from __future__ import annotations

import contextlib
import re
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Literal, TypeAlias
from urllib.parse import urlsplit

Fate: TypeAlias = Literal["pass", "close", "lose", "silence"]
"""What becomes of a request: it passes, the connection is closed before it, or after it without an answer, or nothing happens."""


@contextlib.contextmanager
def proxying(redis_url: str, fate: Callable[[bytes], Fate | bytes]) -> Iterator[str]:
    """Serve on a free loopback port.

    Args:
        redis_url: The Redis behind it.
        fate: Decides about each request, which is the bytes of a command; bytes are an answer in Redis' place.

    Yields:
        The URL of the proxy.
    """
    behind = urlsplit(redis_url)
    address = behind.hostname or "", behind.port or 0
    leaving = threading.Event()

    def serve(client: socket.socket) -> None:
        with client, contextlib.suppress(OSError), socket.create_connection(address) as server:
            while request := client.recv(65536):
                decided = fate(request)
                if isinstance(decided, bytes):
                    client.sendall(decided)
                    continue
                if decided == "close":
                    return
                if decided == "silence":
                    leaving.wait(30)
                    return
                server.sendall(request)
                answer = server.recv(65536)
                if decided == "lose":
                    return
                client.sendall(answer)

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = listener.accept()
                threading.Thread(target=serve, args=(client,), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=accept, daemon=True).start()
        try:
            yield f"redis://127.0.0.1:{listener.getsockname()[1]}{behind.path}"
        finally:
            leaving.set()
            listener.shutdown(socket.SHUT_RDWR)


def refusing(
    *commands: str, error: str = "NOPERM no permission to run this command"
) -> Callable[[bytes], Fate | bytes]:
    """A fate that answers with an error wherever one of these commands is among those of a request, as a Redis does that forbids it."""

    def decide(request: bytes) -> Fate | bytes:
        asked = named(request)
        return f"-{error}\r\n".encode() * len(asked) if set(asked) & set(commands) else "pass"

    return decide


def closing(*commands: str) -> Callable[[bytes], Fate | bytes]:
    """A fate that closes the connection at commands, as a proxy that does not know them does."""
    return lambda request: "close" if set(named(request)) & set(commands) else "pass"


def named(request: bytes) -> list[str]:
    """The commands of a request, which may be several."""
    return [
        name.decode().upper() for name in re.findall(rb"(?:^|\r\n)\*\d+\r\n\$\d+\r\n(\w+)(?=\r\n)", request)
    ]
