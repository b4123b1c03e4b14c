"""Deadlines to the point, for threads: no single operation on a socket lasts longer than what is left of the time.

httpx limits each operation alone, and reads an answer with many, so that a server that drips can hold its caller for long.
A network backend of httpcore sees every operation. Looking up the address of a host is the one thing that cannot be limited.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterable
from typing import Any

import httpcore

from payman_sdk._io.clock import monotonic
from payman_sdk._io.forks import defer_forks
from payman_sdk._io.slots import Sockets


class _Deadline(threading.local):
    at: float | None = None


_deadline = _Deadline()


class deadline_scope:  # noqa: N801 (it reads as a verb, as `contextlib.suppress` does)
    """End whatever this thread does on the client's own connections in the block within so many seconds.

    It is not made with `contextlib`, which writes on an exception on its way: some refuse that.
    """

    __slots__ = ("_before", "_seconds")

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    def __enter__(self) -> None:
        self._before, _deadline.at = _deadline.at, monotonic() + self._seconds

    def __exit__(self, *_: object) -> None:
        _deadline.at = self._before


def _get_seconds_left(timeout: float | None, failure: type[Exception]) -> float | None:
    """Return the seconds that an operation may take."""
    if _deadline.at is None:
        return timeout
    left = _deadline.at - monotonic()
    if left <= 0:
        raise failure("timed out")
    return left if timeout is None else min(timeout, left)


class DeadlineBackend(httpcore.NetworkBackend):
    """Connects, and keeps the deadline of `deadline_scope` in whatever is done on the connection.

    What it is given keeps every socket.
    """

    def __init__(self, keeper: Sockets) -> None:
        self._keeper = keeper
        self._backend = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """Open a connection over TCP."""
        left = _get_seconds_left(timeout, httpcore.ConnectTimeout)
        return _DeadlineNetworkStream(
            self._backend.connect_tcp(host, port, left, local_address, socket_options), self._keeper
        )


_PACKET = 64 * 1024
"""Bytes that are sent at once."""


class _DeadlineNetworkStream(httpcore.NetworkStream):
    def __init__(self, stream: httpcore.NetworkStream, keeper: Sockets) -> None:
        self._stream = stream
        self._keeper = keeper
        self._unsent, self._has_read = b"", False
        keeper.keep(stream.get_extra_info("socket"))

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        self._has_read = True
        if self._unsent:
            # A server may have answered and closed before it has read the whole request.
            with contextlib.suppress(httpcore.WriteError):
                self._flush(timeout)
        return self._stream.read(max_bytes, _get_seconds_left(timeout, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        # httpcore writes head and body one by one; together they are one packet.
        self._unsent, self._has_read = self._unsent + buffer, False
        if len(self._unsent) > _PACKET:
            self._flush(timeout)

    def _flush(self, timeout: float | None) -> None:
        unsent, self._unsent = self._unsent, b""
        self._stream.write(unsent, _get_seconds_left(timeout, httpcore.WriteTimeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: Any, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        left = _get_seconds_left(timeout, httpcore.ConnectTimeout)
        with defer_forks():  # OpenSSL has locks for the whole process, which a child could find taken
            return _DeadlineNetworkStream(
                self._stream.start_tls(ssl_context, server_hostname, left), self._keeper
            )

    def get_extra_info(self, info: str) -> Any:
        return self._has_read if info == "has_read" else self._stream.get_extra_info(info)
