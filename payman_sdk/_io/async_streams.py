"""The answer that the runner for tasks is reading; `streams.py` has the one for threads.

If a task is canceled while httpcore gives it a connection or takes one back, that connection has no owner and counts for ever
(httpcore 1.0). `repair_pools` returns it to the pool. Only private attributes show that. If a later httpx or httpcore lacks them,
nothing is repaired.
"""

import contextlib
import logging
from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Any, cast

import anyio
import anyio.lowlevel
import httpcore

from payman_sdk._io.event_loops import move_on_after
from payman_sdk._io.http import OwnConnections
from payman_sdk._io.signals import defer_on_trio
from payman_sdk._io.streams import Decompressor, OpenResponse, shut_down

_DEEPEST = 3
"""How many transports may be wrapped in each other."""


async def repair_pools(http: Any, extensions: Mapping[str, Any]) -> None:
    """Close what belongs to no request any more, and give its place to those who wait; own connections need no repair.

    The extensions of the stopped request identify it.
    """
    if isinstance(http, OwnConnections) and http.way.sends_itself:
        return
    for pool in _iter_pools(http):
        with contextlib.suppress(AttributeError, ValueError):
            stray = _remove_orphans(pool, extensions)
            with anyio.CancelScope(shield=True):
                await pool._close_connections(stray)


def _remove_orphans(pool: Any, extensions: Mapping[str, Any]) -> list[Any]:
    """Remove the connections without an owner, at once, so that no cancellation comes between."""
    for request in [one for one in pool._requests if one.request.extensions is extensions]:
        pool._requests.remove(request)
    held = {id(request.connection) for request in pool._requests}
    stray = [one for one in pool._connections if id(one) not in held and not _is_in_order(one)]
    for connection in stray:
        pool._connections.remove(connection)
    return [*stray, *pool._assign_requests_to_connections()]


def _is_in_order(connection: httpcore.AsyncConnectionInterface) -> bool:
    """Whether the pool itself knows what to do with a connection."""
    return connection.is_idle() or connection.is_closed() or connection.has_expired()


def _iter_pools(holder: object, depth: int = _DEEPEST) -> Iterator[Any]:
    """Yield the pools of a client or a transport, and of the transports in it."""
    import httpx

    values: list[Any] = list(getattr(holder, "__dict__", {}).values())
    for value in values:
        held: list[Any] = list(cast("dict[str, Any]", value).values()) if isinstance(value, dict) else [value]
        for one in held:
            if isinstance(one, httpcore.AsyncConnectionPool):
                yield one
            elif isinstance(one, httpx.AsyncBaseTransport) and depth:
                yield from _iter_pools(one, depth - 1)


log = logging.getLogger("payman_sdk")

_LEAVING = 2.0
"""Seconds that letting a connection go may take."""


class AsyncOpenStream:
    """An open answer of the runner for tasks, or none."""

    def __init__(self) -> None:
        self._answer: OpenResponse | None = None
        self._sender: tuple[Any, Mapping[str, Any]] | None = None
        self._wire: AsyncIterator[bytes] | None = None
        self._ready: Iterator[bytes] = iter(())
        self._decompressor: Decompressor | None = None  # of a body that is not plain

    def open(self, answer: OpenResponse, http: Any, extensions: Mapping[str, Any]) -> None:
        """Begin to read the body of an answer, given its sender and its request's extensions; refuse an unknown encoding."""
        self._answer, self._sender = answer, (http, extensions)
        self._wire, self._ready = None, iter(())
        if answer.is_stream_consumed:  # a hook has read it, or it was never sent
            self._ready = iter((answer.content,))
        else:
            encoding = answer.headers.get("content-encoding", "")
            self._decompressor = Decompressor(encoding) if encoding else None
            self._wire = answer.aiter_raw()

    async def read(self) -> bytes | None:
        if (piece := next(self._ready, None)) is not None:
            # A large body takes a while to decompress, and the deadline may pass meanwhile.
            await anyio.lowlevel.checkpoint()
        while piece is None:
            raw = None if self._wire is None else await _read_next(self._wire)
            if raw is None:
                self._wire = None
                return None
            if self._decompressor is None:
                return raw
            self._ready = self._decompressor.feed(raw)
            piece = next(self._ready, None)
        return piece

    async def interrupt(self) -> None:
        """Have whoever reads in another task stop, and close it then."""
        if (answer := self._answer) is not None and not shut_down(answer):
            await aclose_quietly(answer)

    @defer_on_trio
    async def close(self) -> None:
        """Let the connection go, in a task that is being canceled too."""
        if self._answer is None:
            return
        answer, self._answer = self._answer, None
        if self._wire is None:
            await aclose_quietly(answer)
            return
        wire, self._wire = self._wire, None
        # httpx's generators stand one in the other, and trio objects to any that is left unfinished. A cancellation of the
        # innermost goes through them all.
        try:
            with anyio.CancelScope() as leaving, contextlib.suppress(Exception):
                leaving.cancel()
                while await _read_next(wire) is not None:
                    pass
        finally:
            await aclose_quietly(answer)
            if self._sender is not None:
                await repair_pools(*self._sender)


async def _read_next(pieces: AsyncIterator[bytes]) -> bytes | None:
    """Return the next piece, None at the end. With a default, an interrupt amid `anext` ends the process (CPython 131670)."""
    try:
        return await anext(pieces)
    except StopAsyncIteration:
        return None


async def aclose_quietly(answer: OpenResponse) -> None:
    """Let the connection of an answer go, in a task that is being canceled too."""
    if answer.is_closed:
        return
    try:
        with anyio.CancelScope(shield=True), move_on_after(_LEAVING):
            await answer.aclose()
    except Exception as error:
        log.debug("Could not release a connection: %s", type(error).__name__)
