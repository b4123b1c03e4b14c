"""Locks that flows can hold, and what is not to be stopped half-way."""

from __future__ import annotations

import os
import threading
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    import asyncio

T = TypeVar("T")


class ThreadLock:
    """A `Lock` for the threads of one process; trying it never blocks."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process = os.getpid()

    def acquire(self, *, timeout: float) -> bool:
        """Waits so many seconds for the lock; 0 only tries. Returns whether it is held now."""
        if self._process != os.getpid():
            # Whoever held it while the process forked lives on in the parent, and would never release it here.
            self._lock, self._process = threading.Lock(), os.getpid()
        return self._lock.acquire(timeout=timeout) if timeout > 0 else self._lock.acquire(blocking=False)

    def release(self) -> None:
        """Gives the lock back."""
        self._lock.release()


async def to_its_end(run: Callable[[], Awaitable[T]]) -> T:
    """Awaits something that may not be stopped half-way; a cancellation takes effect when it has ended.

    anyio's shields hold against anyio's and trio's cancellations, but not against asyncio's own `task.cancel()`.
    """
    # Imported where a loop runs already: programs without one do not wait for them.
    import asyncio

    import anyio

    with anyio.CancelScope(shield=True):
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:  # trio
            result = await run()
        else:
            result = await _ended(run, loop)
    return result  # pyright: ignore[reportPossiblyUnboundVariable, reportReturnType] # a shield that nobody cancels swallows nothing


async def _ended(run: Callable[[], Awaitable[T]], loop: asyncio.AbstractEventLoop) -> T:
    import asyncio

    async def ran() -> T:
        return await run()

    task, stopped = loop.create_task(ran()), False
    while not task.done():
        try:
            await asyncio.wait([task])
        except asyncio.CancelledError:
            stopped = True
    if stopped:
        if not task.cancelled():
            task.exception()  # looked at, so that asyncio does not report it as lost
        raise asyncio.CancelledError
    return task.result()
