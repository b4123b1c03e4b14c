"""A proxy before a database that breaks a connection at a given message of the client: before it arrives, or before its answer does."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Self


class BrokenLine:
    """Serves on a free loopback port.

    Args:
        connect: Makes a connection to the database.

    Attributes:
        port: Where it listens.
        messages: How many messages of clients it has seen since `arm`.
    """

    def __init__(self, connect: Callable[[], socket.socket]) -> None:
        self._connect = connect
        self._guard = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.arm(None)

    def arm(self, last: int | None, *, loses_answer: bool = False) -> None:
        """Break at the message of that number, from 0; None breaks nothing."""
        with self._guard:
            self.messages, self._last, self._loses_answer = 0, last, loses_answer

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server, is_lost = self._connect(), threading.Event()
                for pump in (self._pump_messages, self._pump_answers):
                    threading.Thread(target=pump, args=(client, server, is_lost), daemon=True).start()

    def _pump_messages(self, client: socket.socket, server: socket.socket, is_lost: threading.Event) -> None:
        with _closing(client, server):
            while message := client.recv(65536):
                with self._guard:
                    is_last = self.messages == self._last
                    self.messages += 1
                if is_last and not self._loses_answer:
                    return
                if is_last:
                    is_lost.set()
                server.sendall(message)

    def _pump_answers(self, client: socket.socket, server: socket.socket, is_lost: threading.Event) -> None:
        with _closing(client, server):
            while (answer := server.recv(65536)) and not is_lost.is_set():
                client.sendall(answer)


@contextlib.contextmanager
def _closing(*ends: socket.socket) -> Iterator[None]:
    with contextlib.suppress(OSError):
        yield
    for end in ends:
        with contextlib.suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
        end.close()
