"""Deadlines to the point, for threads: no single operation on a socket lasts longer than what is left of the time.

httpx limits each operation alone, and reads an answer with many, so that a server that drips can hold its caller for long.
A network backend of httpcore sees every operation. Looking up the address of a host is the one thing that cannot be limited.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Generator, Iterable
from typing import Any

import httpcore
import httpx

from payman_sdk.clock import monotonic


class _Deadline(threading.local):
    at: float | None = None


_deadline = _Deadline()


@contextlib.contextmanager
def within(seconds: float) -> Generator[None]:
    """Whatever this thread does on punctual connections in the block is over in so many seconds."""
    before, _deadline.at = _deadline.at, monotonic() + seconds
    try:
        yield
    finally:
        _deadline.at = before


def make_punctual(http: httpx.Client) -> None:
    """Makes the connections of a client punctual, those through proxies too.

    httpx has no public place for a network backend; where a later one has none at all, its own limits hold.
    """
    for transport in (getattr(http, "_transport", None), *getattr(http, "_mounts", {}).values()):
        pool = getattr(transport, "_pool", None)
        backend = getattr(pool, "_network_backend", None)
        if isinstance(backend, httpcore.NetworkBackend):
            setattr(pool, "_network_backend", _Backend(backend))  # noqa: B010 (whose attribute it is, no checker knows)


def _left(timeout: float | None, failure: type[Exception]) -> float | None:
    """The seconds that an operation may take."""
    if _deadline.at is None:
        return timeout
    left = _deadline.at - monotonic()
    if left <= 0:
        raise failure("timed out")
    return left if timeout is None else min(timeout, left)


class _Backend(httpcore.NetworkBackend):
    def __init__(self, backend: httpcore.NetworkBackend) -> None:
        self._backend = backend

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        left = _left(timeout, httpcore.ConnectTimeout)
        return _Stream(self._backend.connect_tcp(host, port, left, local_address, socket_options))

    def connect_unix_socket(
        self, path: str, timeout: float | None = None, socket_options: Iterable[Any] | None = None
    ) -> httpcore.NetworkStream:
        left = _left(timeout, httpcore.ConnectTimeout)
        return _Stream(self._backend.connect_unix_socket(path, left, socket_options))

    def sleep(self, seconds: float) -> None:
        self._backend.sleep(seconds)


class _Stream(httpcore.NetworkStream):
    def __init__(self, stream: httpcore.NetworkStream) -> None:
        self._stream = stream

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, _left(timeout, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, _left(timeout, httpcore.WriteTimeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: Any, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        left = _left(timeout, httpcore.ConnectTimeout)
        return _Stream(self._stream.start_tls(ssl_context, server_hostname, left))

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)
