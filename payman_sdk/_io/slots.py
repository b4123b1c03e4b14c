"""The connections of a pool, each leased to one request at a time.

If a request does not end normally, its connection is closed and never used again. A connection without references is closed and no
longer counted, so that no interrupt makes the pool wait for it.
"""

from __future__ import annotations

import contextlib
import socket
import threading
import weakref
from collections import deque
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Iterator, Mapping
from typing import Any, cast

import httpcore

from payman_sdk._io.clock import monotonic
from payman_sdk._io.streams import OwnResponse

_BLANK_LINE = b"\r\n\r\n"
"""The end of a head, and of a body in chunks."""

KEPT_FOR = 5.0
"""Seconds that an idle connection is kept, as httpx keeps it."""


class Sockets:
    """The sockets of one connection, and what was read on them since the last request was written.

    `report` gets the steps of the request that has the connection, until its first byte leaves.
    """

    def __init__(self) -> None:
        self._all: list[socket.socket] = []
        self._is_unwanted = False
        self.report: Callable[[str, Mapping[str, Any]], Any] | None = None
        self._read, self._head_size, self._tail = 0, 0, b""

    def note_write(self) -> Callable[[str, Mapping[str, Any]], Any] | None:
        """Note that a request is written, so that what follows is its answer; return what gets a report of its first byte."""
        self._read, self._head_size, self._tail = 0, 0, b""
        report, self.report = self.report, None
        return report

    def note_read(self, data: bytes) -> bytes:
        """Note what was read."""
        seen = self._tail + data
        if not self._head_size and (end := seen.find(_BLANK_LINE)) >= 0:
            self._head_size = self._read - len(self._tail) + end + len(_BLANK_LINE)
        self._read += len(data)
        self._tail = seen[-len(_BLANK_LINE) :]
        return data

    def has_read_to_end(self, headers: Mapping[str, str]) -> bool:
        """Return whether nothing was read behind the answer with these headers.

        A whole head behind it is found when it is taken for the next answer: see `PooledResponse`.
        """
        if "transfer-encoding" in headers:
            return self._tail == _BLANK_LINE
        length = headers.get("content-length", "")
        return length.isascii() and length.isdecimal() and self._read == self._head_size + int(length)

    def keep(self, sock: socket.socket) -> None:
        """Keep a socket that has just been connected, or replaces one; refuse it if the pool was closed meanwhile."""
        self._all.append(sock)
        if self._is_unwanted:
            self.close()
            raise httpcore.ConnectError("the connections have been closed")

    def close(self) -> None:
        """Close them. Nobody may be using them."""
        self._is_unwanted = True
        for sock in self._all:
            with contextlib.suppress(OSError):
                sock.close()

    def shut_down(self) -> None:
        """End what another thread is doing on them; that thread then closes them.

        If they were closed here, the descriptor could be another socket's before that thread notices.
        """
        self._is_unwanted = True
        for sock in self._all:
            with contextlib.suppress(OSError):
                # The method of an SSLSocket takes the encryption off: the other thread would read what is left as it came.
                socket.socket.shutdown(sock, socket.SHUT_RDWR)


class Slot:
    """A connection of httpcore, and its sockets.

    It is not generic: since Python 3.12 a type variable with a bound keeps modules until the very end of the process.
    """

    __slots__ = ("__weakref__", "connection", "expires_at", "finalizer", "sockets")

    def __init__(self, sockets: Sockets, connection: Any) -> None:
        self.sockets = sockets
        self.connection = connection
        self.expires_at = 0.0
        self.finalizer = weakref.finalize(self, sockets.close)
        self.finalizer.atexit = False

    def is_usable(self) -> bool:
        """Whether another request can be sent on an idle connection."""
        return monotonic() < self.expires_at and not self.connection.has_expired()


class Slots:
    """The connections of a pool, in one process and one event loop; safe to use from several threads at once."""

    def __init__(self, limit: int, make: Callable[[], Slot]) -> None:
        self.is_closed = False
        self._limit = limit
        self._make = make
        self._lock = threading.RLock()
        # Slots leave it when nobody refers to them, by a callback that no interrupt can stop: it is not code of Python.
        self._all: set[weakref.ref[Slot]] = set()
        self._idle: deque[Slot] = deque()
        self._finalizers: set[weakref.finalize[[], Slot]] = set()

    def take(self, limit: int | None = None) -> Slot | None:
        """Lease an idle connection, or a new one; None at the limit. Raises httpcore.ConnectError in a closed pool."""
        while self._idle:
            with contextlib.suppress(IndexError):
                slot = self._idle.pop()
                if slot.is_usable():
                    return slot
                self.discard(slot)
        return self._take_new(self._limit if limit is None else min(limit, self._limit))

    def release(self, slot: Slot, *, in_order: bool) -> None:
        """End a lease; the connection is used again only if everything was read."""
        try:
            if in_order and not self.is_closed and slot.connection.is_idle():
                self._keep(slot)
            else:
                self.discard(slot)
        finally:
            self.wake_next()

    def _keep(self, slot: Slot) -> None:
        now = monotonic()
        slot.expires_at = now + KEPT_FOR
        self._idle.append(slot)
        if self.is_closed:
            self._close_idle()
        else:
            self._close_expired(now)

    def discard(self, slot: Slot) -> None:
        slot.sockets.close()
        slot.finalizer.detach()
        self._all.discard(weakref.ref(slot))

    def close(self) -> None:
        """Close all connections; what is under way on leased ones ends with an error."""
        self.is_closed = True
        self._close_idle()
        for slot in self._list_open():
            slot.sockets.shut_down()

    def abandon(self) -> None:
        """Close all connections where nobody is left who could use them, or hold a lock."""
        self.is_closed = True
        for slot in self._list_open():
            slot.sockets.close()
        self._idle.clear()

    def _take_new(self, limit: int) -> Slot | None:
        with self._lock:
            if self.is_closed:
                raise httpcore.ConnectError("the connections have been closed")
            if len(self._all) >= limit:
                return None
            self._finish_closing()
            slot = self._make()
            self._finalizers.add(slot.finalizer)
            self._all.add(weakref.ref(slot, self._all.discard))
            return slot

    def _finish_closing(self) -> None:
        """Close what was dropped during an interrupt, which stops finalizers and is lost in them."""
        for finalizer in list(self._finalizers):
            if finalizer.peek() is None:
                finalizer()
                self._finalizers.discard(finalizer)

    def _close_idle(self) -> None:
        with contextlib.suppress(IndexError):
            while True:
                self.discard(self._idle.popleft())

    def _close_expired(self, now: float) -> None:
        """Close the oldest connections; the one that was used last is always used next."""
        with contextlib.suppress(IndexError):
            while self._idle[0].expires_at < now:
                slot = self._idle.popleft()
                if slot.expires_at >= now:  # another thread has taken the one that was seen to be old
                    self._idle.append(slot)
                    return
                self.discard(slot)

    def _list_open(self) -> list[Slot]:
        return [slot for entry in list(self._all) if (slot := entry()) is not None]

    def wake_next(self) -> None:
        """Wake the one who has waited longest for a connection."""
        raise NotImplementedError


class PooledResponse(OwnResponse):
    """An answer whose body is still to be read, for threads or for tasks; its end ends the lease of the connection.

    Raises httpcore.RemoteProtocolError if the server had sent it before the request, behind an earlier answer.
    """

    def __init__(self, answer: httpcore.Response, slot: Slot, leases: Slots) -> None:
        extensions = cast("dict[str, Any]", answer.extensions)
        stream = extensions.get("network_stream")
        if stream is not None and stream.get_extra_info("has_read") is False:
            raise httpcore.RemoteProtocolError("the answer was there before the request")
        super().__init__(answer.status, answer.headers, extensions)
        self._answer = answer
        self._slot: Slot | None = slot
        self._leases = leases

    @property
    def is_closed(self) -> bool:
        return self._slot is None

    def iter_raw(self) -> Iterator[bytes]:
        try:
            yield from cast("Iterable[bytes]", self._answer.stream)
        except BaseException:
            self._end_lease(in_order=False)
            raise

    async def aiter_raw(self) -> AsyncIterator[bytes]:
        try:
            async for piece in cast("AsyncIterable[bytes]", self._answer.stream):
                yield piece
        except BaseException:
            self._end_lease(in_order=False)
            raise
        await self.aclose()

    def close(self) -> None:
        is_whole = False
        if self._slot is not None:
            try:
                self._answer.close()
                is_whole = True
            finally:
                self._end_lease(in_order=is_whole)

    async def aclose(self) -> None:
        is_whole = False
        if self._slot is not None:
            try:
                await self._answer.aclose()
                is_whole = True
            finally:
                self._end_lease(in_order=is_whole)

    def _end_lease(self, *, in_order: bool) -> None:
        """Let the connection go, once."""
        slot, self._slot = self._slot, None
        if slot is not None:
            in_order = in_order and slot.sockets.has_read_to_end(self.headers)
            self._leases.release(slot, in_order=in_order)
