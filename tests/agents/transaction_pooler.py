"""A pooler before PostgreSQL that gives every transaction another session, as PgBouncer may do."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Self

_SOCKET = ".s.PGSQL.5432"
_PLAIN = {80877103, 80877104}
"""Requests for TLS and for GSSAPI."""


class TransactionPooler:
    """Listens in a folder, and shares sessions of a server among its clients by transactions.

    Args:
        folder: Where it listens; its path has to be short.
        server: The folder of the server's socket.

    Attributes:
        sessions: How many sessions of the server it has opened.
        transactions: How many transactions it has passed on.
    """

    def __init__(self, folder: Path, server: Path) -> None:
        self._server = str(server / _SOCKET)
        self._idle: deque[socket.socket] = deque()
        self._clients = list[socket.socket]()
        self._threads = list[threading.Thread]()
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(folder / _SOCKET))
        self._listener.listen(50)
        self.sessions = self.transactions = 0

    def __enter__(self) -> Self:
        self._start(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        for one in (self._listener, *self._clients):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(60)
        for one in (self._listener, *self._idle):
            one.close()

    def _start(self, function: Callable[..., None], *given: object) -> None:
        thread = threading.Thread(target=function, args=given, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                self._clients.append(client)
                self._start(self._serve, client)

    def _serve(self, client: socket.socket) -> None:
        with client, contextlib.suppress(OSError, EOFError):
            startup = _read(client, 4)
            startup += _read(client, struct.unpack("!i", startup)[0] - 4)
            while struct.unpack("!i", startup[4:8])[0] in _PLAIN:
                client.sendall(b"N")
                startup = _read(client, 4)
                startup += _read(client, struct.unpack("!i", startup)[0] - 4)
            session = self._open(startup)
            client.sendall(session[1])
            self._idle.append(session[0])
            while True:
                self._pass_on(client, startup)

    def _open(self, startup: bytes) -> tuple[socket.socket, bytes]:
        """Open a session, and return it with what it said."""
        session, said = socket.socket(socket.AF_UNIX), b""
        session.connect(self._server)
        session.sendall(startup)
        while said[-6:-1] != b"Z\0\0\0\5":
            said += _read_message(session)
        self.sessions += 1
        return session, said

    def _pass_on(self, client: socket.socket, startup: bytes) -> None:
        """Pass one transaction on, in the session that has been idle for longest, or a new one where none is."""
        message = _read_message(client)
        try:
            session = self._idle.popleft()
        except IndexError:
            session, _ = self._open(startup)
        try:
            while True:
                session.sendall(message)
                if message[:1] in (b"Q", b"S"):  # what the server answers
                    answer = b""
                    while answer[:1] != b"Z":
                        answer = _read_message(session)
                        client.sendall(answer)
                    if answer[-1:] == b"I":
                        break
                message = _read_message(client)
        except BaseException:
            session.close()  # which ends its transaction
            raise
        self.transactions += 1
        self._idle.append(session)


def _read(peer: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        if not (piece := peer.recv(size - len(data))):
            raise EOFError
        data += piece
    return data


def _read_message(peer: socket.socket) -> bytes:
    head = _read(peer, 5)
    return head + _read(peer, struct.unpack("!i", head[1:])[0] - 4)
