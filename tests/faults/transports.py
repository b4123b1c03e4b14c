"""Connections that raise an exception of another library once the server has the request."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from typing import Any

import httpcore
import httpx

from tests.faults.http1 import MARK


class LibraryError(Exception):
    """The error of a library that nobody has heard of."""


RAISED: tuple[Callable[[], Exception], ...] = (
    lambda: RuntimeError("Event loop is closed"),
    lambda: LibraryError("connection in a bad state"),
    lambda: KeyError("headers"),
    lambda: ValueError("I/O operation on closed file"),
    lambda: AttributeError("'NoneType' object has no attribute 'send'"),
    lambda: OSError(9, "Bad file descriptor"),
    lambda: ssl.SSLError(1, "decryption failed"),
    lambda: TimeoutError("timed out"),
    lambda: asyncio.InvalidStateError("invalid state"),
    lambda: EOFError("end of stream"),
    lambda: AssertionError("state"),
    lambda: UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte"),
    lambda: ExceptionGroup("unhandled errors in a TaskGroup", [LibraryError("one")]),
    lambda: StopIteration(),
    lambda: httpx.StreamClosed(),
    lambda: httpx.InvalidURL("moved"),
)
"""What they raise."""


def raise_if_marked(answer: Any) -> None:
    """Raise the exception that an answer is marked with."""
    share = answer.headers.get(MARK)
    if share is not None:
        raise RAISED[min(int(float(share) * len(RAISED)), len(RAISED) - 1)]()


class RaisingPool:
    """Connections that raise where an answer is marked.

    Args:
        pool: What sends.
    """

    def __init__(self, pool: Any) -> None:
        self._pool = pool

    def send(self, request: httpcore.Request) -> Any:
        """Send a request; raise in place of an answer that is marked."""
        answer = self._pool.send(request)
        if MARK in answer.headers:
            answer.close()
        raise_if_marked(answer)
        return answer

    def __getattr__(self, name: str) -> Any:
        return getattr(self._pool, name)


class AsyncRaisingPool(RaisingPool):
    """The same for tasks."""

    async def send(self, request: httpcore.Request) -> Any:
        """Send a request; raise in place of an answer that is marked."""
        answer = await self._pool.send(request)
        if MARK in answer.headers:
            await answer.aclose()
        raise_if_marked(answer)
        return answer
