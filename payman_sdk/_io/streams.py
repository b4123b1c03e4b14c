"""The answer that is being read, for either runner: one at most, decompressed piece by piece, closed whatever happens."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import AsyncIterator, Callable, Iterator
from typing import TypeAlias

import httpx

from payman_sdk._io.decompression import Decompressor
from payman_sdk._io.signals import defer_on_trio

log = logging.getLogger("payman_sdk")

Guard: TypeAlias = Callable[[], contextlib.AbstractContextManager[object]]

_LEAVING = 2.0
"""Seconds that letting a connection go may take."""


class OpenStream:
    """An open answer of the runner for threads, or none."""

    def __init__(self) -> None:
        self._answer: httpx.Response | None = None
        self._pieces: Iterator[bytes] = iter(())
        self._guard: Guard = contextlib.nullcontext

    def keep(self, answer: httpx.Response, guard: Guard) -> None:
        """Keep an answer whose body is still to be read, so that `close` closes it.

        Args:
            answer: The answer.
            guard: Makes what keeps interrupts away meanwhile.
        """
        self._answer, self._guard = answer, guard

    def open(self) -> None:
        """Begins to read its body.

        Raises:
            UnreadableAnswerError: The body is encoded in a way that is not read.
        """
        if self._answer is not None:
            self._pieces = _pieces_of(self._answer)

    def read(self) -> bytes | None:
        """Return the next piece as it comes, None at the end."""
        return next(self._pieces, None)

    def close(self) -> None:
        """Lets the connection go."""
        if self._answer is None:
            return
        with self._guard():
            if self._answer is not None:
                close_quietly(self._answer)
            # Generators that are left half-way do what is left of their work when they go.
            self._answer, self._pieces = None, iter(())


class AsyncOpenStream:
    """An open answer of the runner for tasks, or none."""

    def __init__(self) -> None:
        self._answer: httpx.Response | None = None
        self._http: httpx.AsyncClient | None = None
        self._wire: AsyncIterator[bytes] | None = None
        self._ready: Iterator[bytes] = iter(())
        self._decompressor = Decompressor("")

    def keep(self, answer: httpx.Response, http: httpx.AsyncClient) -> None:
        """Keep an answer whose body is still to be read, and the client whose it is."""
        self._answer, self._http = answer, http
        self._wire, self._ready = None, iter(())

    def open(self) -> None:
        """Begins to read its body.

        Raises:
            UnreadableAnswerError: The body is encoded in a way that is not read.
        """
        answer = self._answer
        if answer is None:
            return
        if answer.is_stream_consumed:  # a hook has read it, or it was never sent
            self._ready = iter((answer.content,))
        else:
            self._decompressor = Decompressor(answer.headers.get("content-encoding", ""))
            self._wire = answer.aiter_raw()

    async def read(self) -> bytes | None:
        """Return the next piece as it comes, None at the end."""
        while (piece := next(self._ready, None)) is None:
            raw = None if self._wire is None else await _read_next(self._wire)
            if raw is None:
                self._wire = None
                return None
            self._ready = self._decompressor.feed(raw)
        return piece

    @defer_on_trio
    async def close(self) -> None:
        """Lets the connection go, in a task that is being cancelled too."""
        if self._answer is None:
            return
        answer, self._answer = self._answer, None
        if self._wire is None:
            await aclose_quietly(answer)
            return
        wire, self._wire = self._wire, None
        import anyio  # here, where a loop runs already: programs without one do not wait for it

        from payman_sdk._io.pool_repair import repair_pools

        # httpx's generators stand one in the other, and trio objects to any that is left unfinished. A cancellation of the
        # innermost goes through them all.
        try:
            with anyio.CancelScope() as leaving, contextlib.suppress(Exception):
                leaving.cancel()
                while await _read_next(wire) is not None:
                    pass
        finally:
            await aclose_quietly(answer)
            if self._http is not None:
                await repair_pools(self._http, answer.request.extensions)


async def _read_next(pieces: AsyncIterator[bytes]) -> bytes | None:
    """Return the next piece, None at the end. The default of `anext` ends the process where an interrupt comes amid it (CPython 131670)."""
    try:
        return await anext(pieces)
    except StopAsyncIteration:
        return None


def _pieces_of(answer: httpx.Response) -> Iterator[bytes]:
    if answer.is_stream_consumed:  # a hook has read it, or it was never sent
        return iter((answer.content,))
    decompressor = Decompressor(answer.headers.get("content-encoding", ""))
    return (piece for raw in answer.iter_raw() for piece in decompressor.feed(raw))


def close_quietly(answer: httpx.Response) -> None:
    """Let the connection of an answer go. A failure of that changes nothing of what was answered."""
    if answer.is_closed:
        return
    try:
        answer.close()
    except Exception as error:
        log.debug("A connection could not be let go: %s", type(error).__name__)


async def aclose_quietly(answer: httpx.Response) -> None:
    """Let the connection of an answer go, in a task that is being cancelled too."""
    if answer.is_closed:
        return
    import anyio

    from payman_sdk._io.event_loops import move_on_after

    try:
        with anyio.CancelScope(shield=True), move_on_after(_LEAVING):
            await answer.aclose()
    except Exception as error:
        log.debug("A connection could not be let go: %s", type(error).__name__)
