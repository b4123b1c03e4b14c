"""The event stream that a flow has open, for either door: one at most, read piece by piece, closed whatever happens."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Iterator

import httpx

from payman_sdk.network import FAILURES


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
            answer.close()


class AsyncLine:
    """An open event stream of the door for tasks, or none."""

    def __init__(self) -> None:
        self._answer: httpx.Response | None = None
        self._pieces: AsyncIterator[bytes] | None = None

    def hold(self, answer: httpx.Response) -> None:
        """Keeps an answer whose body is still to be read."""
        self._answer, self._pieces = answer, answer.aiter_bytes()

    async def read(self) -> bytes | None:
        """The next piece as it comes, None at the end."""
        return None if self._pieces is None else await anext(self._pieces, None)

    async def close(self) -> None:
        """Lets the connection go, in a task that is being cancelled too."""
        if self._answer is None:
            return
        answer, self._answer = self._answer, None
        import anyio  # here, where a loop runs already: programs without one do not wait for it

        # httpx's generators stand one in the other, and trio objects to any that is left unfinished. A cancellation of the
        # innermost goes through them all.
        with anyio.CancelScope() as leaving, contextlib.suppress(*FAILURES):
            leaving.cancel()
            while await self.read() is not None:
                pass
        with anyio.CancelScope(shield=True):
            await answer.aclose()
