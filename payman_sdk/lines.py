"""The event stream that a flow has open, for either door: one at most, read piece by piece, closed whatever happens."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import AsyncIterator, Iterator

import httpx

log = logging.getLogger("payman_sdk")

_LEAVING = 2.0
"""Seconds that letting a connection go may take."""


class Line:
    """An open event stream of the door for threads, or none."""

    def __init__(self) -> None:
        self._answer: httpx.Response | None = None
        self._pieces: Iterator[bytes] = iter(())

    def hold(self, answer: httpx.Response) -> None:
        """Keeps an answer whose body is still to be read."""
        self._answer, self._pieces = answer, answer.iter_bytes()

    def read(self) -> bytes | None:
        """The next piece as it comes, None at the end."""
        return next(self._pieces, None)

    def close(self) -> None:
        """Lets the connection go."""
        if self._answer is not None:
            answer, self._answer = self._answer, None
            close_quietly(answer)


class AsyncLine:
    """An open event stream of the door for tasks, or none."""

    def __init__(self) -> None:
        self._answer: httpx.Response | None = None
        self._http: httpx.AsyncClient | None = None
        self._pieces: AsyncIterator[bytes] | None = None

    def hold(self, answer: httpx.Response, http: httpx.AsyncClient) -> None:
        """Keeps an answer whose body is still to be read, and the client whose it is."""
        self._answer, self._pieces, self._http = answer, answer.aiter_bytes(), http

    async def read(self) -> bytes | None:
        """The next piece as it comes, None at the end."""
        return None if self._pieces is None else await anext(self._pieces, None)

    async def close(self) -> None:
        """Lets the connection go, in a task that is being cancelled too."""
        if self._answer is None:
            return
        answer, self._answer = self._answer, None
        import anyio  # here, where a loop runs already: programs without one do not wait for it

        from payman_sdk.pool_repair import repair_pools

        # httpx's generators stand one in the other, and trio objects to any that is left unfinished. A cancellation of the
        # innermost goes through them all.
        try:
            with anyio.CancelScope() as leaving, contextlib.suppress(Exception):
                leaving.cancel()
                while await self.read() is not None:
                    pass
        finally:
            await aclose_quietly(answer)
            if self._http is not None:
                await repair_pools(self._http, answer.request.extensions)


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

    from payman_sdk.timers import move_on_after

    try:
        with anyio.CancelScope(shield=True), move_on_after(_LEAVING):
            await answer.aclose()
    except Exception as error:
        log.debug("A connection could not be let go: %s", type(error).__name__)
