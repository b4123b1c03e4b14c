"""TLS on any stream of httpcore, such as one that has TLS already."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any, TypeVar

import httpcore

from payman_sdk._io.forks import defer_forks

T = TypeVar("T")

PIECE = 64 * 1024
"""Bytes that are read at a time."""


class raise_as:  # noqa: N801 (it reads as a verb, as `contextlib.suppress` does)
    """Raise what a socket or a stream fails with in the block by the name that httpcore has for it."""

    def __init__(self, kind: type[httpcore.NetworkError]) -> None:
        self._kind = kind

    def __enter__(self) -> None:
        pass

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        if isinstance(error, OSError | httpcore.NetworkError) and not isinstance(error, self._kind):
            raise self._kind(str(error)) from error


CONNECTING, READING, WRITING = map(raise_as, (httpcore.ConnectError, httpcore.ReadError, httpcore.WriteError))


class TlsLayer:
    """TLS on a stream: what the streams for threads and for tasks have in common."""

    def __init__(self, stream: Any, context: ssl.SSLContext, host: str | None) -> None:
        self._stream = stream
        self._came, self._goes = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._came, self._goes, server_hostname=host)

    def get_extra_info(self, info: str) -> Any:
        if info == "ssl_object":
            return self._tls
        if info == "is_readable" and (self._came.pending or self._tls.pending()):
            return True
        return self._stream.get_extra_info(info)

    def _take(self, data: bytes) -> None:
        """Take what has come from the server; nothing is its end."""
        self._came.write(data)
        if not data:
            self._came.write_eof()


class TlsStream(TlsLayer, httpcore.NetworkStream):
    """TLS for threads; no read or write of the stream below takes longer than that one allows."""

    def shake_hands(self) -> None:
        """Agree on keys, and see that the server is the one that is meant."""
        self._run(self._tls.do_handshake, None)
        self._stream.write(self._goes.read())

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        with READING, suppress(ssl.SSLZeroReturnError, ssl.SSLEOFError):
            return self._run(partial(self._tls.read, max_bytes), timeout)
        return b""

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        rest = memoryview(buffer)
        with WRITING:
            while rest:
                rest = rest[self._run(partial(self._tls.write, rest), timeout) :]
                self._stream.write(self._goes.read(), timeout)

    def close(self) -> None:
        self._stream.close()

    def _run(self, step: Callable[[], T], timeout: float | None) -> T:
        """Take a step of the protocol, once there is from the server what it needs."""
        while True:
            with suppress(ssl.SSLWantReadError), defer_forks():  # for the locks of OpenSSL
                return step()
            self._stream.write(self._goes.read(), timeout)
            self._take(self._stream.read(PIECE, timeout))
