"""Locks that flows can hold, and calls that a cancellation must not stop half-way."""

from __future__ import annotations

import contextlib
import math
import threading
import time
from collections import deque
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, runtime_checkable

from payman_sdk._io.clock import monotonic
from payman_sdk._io.forks import renew_after_fork

if TYPE_CHECKING:
    import asyncio

    from payman_sdk._core.effects import Lock

T = TypeVar("T")


class WaiterQueue:
    """Wakes threads that wait for something, one at a time.

    An interrupt can break a `threading.Condition` for good. Here, at worst a thread looks again a moment later. Each of `waiting`
    tries once more after it has entered itself.
    """

    def __init__(self) -> None:
        self.waiting: deque[threading.Lock] = deque()

    def wait_for(self, attempt: Callable[[], T | None], seconds: float | None) -> T | None:
        """Try until it succeeds, again after each notification; return None after so many seconds; None waits for ever."""
        until = math.inf if seconds is None else monotonic() + seconds
        mine: threading.Lock | None = None
        while (result := attempt()) is None and (left := until - monotonic()) > 0:
            if mine is None:  # try once more before waiting: whatever is freed from now on notifies
                mine = threading.Lock()
                mine.acquire()
                self.waiting.append(mine)
                continue
            if not mine.acquire(timeout=min(left, _LOOK)):
                with contextlib.suppress(ValueError):
                    self.waiting.remove(mine)
            mine = None
        if mine is not None:
            try:
                self.waiting.remove(mine)
            except ValueError:  # the notification came too late for this thread
                self.notify()
        return result

    def notify(self) -> None:
        """Wake the thread that has waited longest."""
        with contextlib.suppress(IndexError):
            self.waiting.popleft().release()

    def notify_all(self) -> None:
        while self.waiting:
            self.notify()


_LOOK = 0.05
"""Seconds after which a waiting thread looks by itself."""


class LockHolder:
    """The holder of a `ThreadLock`: the thread inside `with ticket.held:`.

    That block releases its C lock in one step, so the ticket of an interrupted holder expires.
    """

    __slots__ = ("_loop", "held")

    def __init__(self, loop: asyncio.AbstractEventLoop | None = None) -> None:
        self.held = threading.Lock()
        self._loop = loop

    def has_run_out(self) -> bool:
        """Whether the holder has left the block, or its event loop has ended inside it."""
        return not self.held.locked() or (self._loop is not None and self._loop.is_closed())


class ThreadLock:
    """A `Lock` for the threads of one process; trying it never blocks."""

    def __init__(self) -> None:
        self.begin_anew()
        renew_after_fork(self)

    def begin_anew(self) -> None:
        """Be free in a forked child, where no thread of the parent could release it."""
        self._guard = threading.RLock()
        self._bell = WaiterQueue()
        self._holder: LockHolder | None = None

    def take(self, ticket: LockHolder, *, timeout: float) -> bool:
        """Wait at most `timeout` seconds for the lock; 0 only tries. Return whether the ticket holds it now."""
        return self._bell.wait_for(lambda: self._try(ticket) or None, timeout) is not None

    def drop(self, ticket: LockHolder) -> None:
        """Release the lock, if the ticket holds it."""
        with self._guard:
            if self._holder is ticket:
                self._holder = None
        self._bell.notify()

    def acquire(self, *, timeout: float) -> bool:
        """Wait at most `timeout` seconds for the lock; 0 only tries. Return whether it is held."""
        ticket = LockHolder()
        ticket.held.acquire()
        return self.take(ticket, timeout=timeout)

    def release(self) -> None:
        """Release the lock, whoever holds it."""
        if (holder := self._holder) is not None:
            self.drop(holder)

    def _try(self, ticket: LockHolder) -> bool:
        with self._guard:
            if self._holder is None or self._holder.has_run_out():
                self._holder = ticket
            return self._holder is ticket


@runtime_checkable
class HolderLock(Protocol):
    """A lock that is held by tickets, such as a `ThreadLock`."""

    def take(self, ticket: LockHolder, *, timeout: float) -> bool:
        """Wait at most `timeout` seconds for the lock; 0 only tries. Return whether the ticket holds it now."""
        ...

    def drop(self, ticket: LockHolder) -> None:
        """Release the lock, if the ticket holds it."""


def poll(attempt: Callable[[], bool], timeout: float, *, longest_pause: float = 0.05) -> bool:
    """Try until it succeeds, with pauses from 10 ms on; return whether it has in time."""
    end, pause = monotonic() + timeout, 0.01
    while not attempt():
        if (left := end - monotonic()) <= 0:
            return False
        time.sleep(min(pause, left))
        pause = min(2 * pause, longest_pause)
    return True


class LayeredLock(ThreadLock):
    """A `Lock` of two layers: one between the threads of a process, and inside it one between processes or machines.

    If a thread that has the first finds the second taken, an interrupted thread has left it behind.
    """

    def begin_anew(self) -> None:
        """Leave to the parent what it holds."""
        super().begin_anew()
        self._forget_outer()

    def take(self, ticket: LockHolder, *, timeout: float) -> bool:
        """Wait at most `timeout` seconds for the lock; 0 only tries. Return whether the ticket holds it now."""
        end, is_taken = monotonic() + timeout, False
        if super().take(ticket, timeout=timeout):
            try:
                is_taken = self._take_outer(max(0.0, end - monotonic()))
            finally:
                if not is_taken:
                    super().drop(ticket)
        return is_taken

    def drop(self, ticket: LockHolder) -> None:
        """Release the lock, if the ticket holds it."""
        if self._holder is ticket:
            try:
                self._drop_outer()
            finally:
                super().drop(ticket)

    def _take_outer(self, timeout: float) -> bool:
        """Take the second layer. If this process has it already, count it as taken."""
        raise NotImplementedError

    def _drop_outer(self) -> None:
        """Release the second layer, if this process has it."""
        raise NotImplementedError

    def _forget_outer(self) -> None:
        """Forget the second layer without releasing it."""
        raise NotImplementedError


class _PlainLockAdapter:
    """Adapts a program's own lock, which has no tickets."""

    def __init__(self, lock: Lock) -> None:
        self._lock = lock
        self._is_held = False

    def take(self, ticket: LockHolder, *, timeout: float) -> bool:
        self._is_held = self._lock.acquire(timeout=timeout)
        return self._is_held

    def drop(self, ticket: LockHolder) -> None:
        if self._is_held:
            self._is_held = False
            self._lock.release()


def adapt_lock(lock: Lock) -> HolderLock:
    """Return the lock in a form that tickets can hold."""
    return lock if isinstance(lock, HolderLock) else _PlainLockAdapter(lock)


async def run_shielded(run: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Await a call to its end; a cancellation takes effect after it. anyio's shields do not stop asyncio's `task.cancel()`."""
    # Imported late: programs without an event loop do not need them.
    import asyncio

    import anyio

    from payman_sdk._io.event_loops import get_asyncio_loop

    with anyio.CancelScope(shield=True):
        if (loop := get_asyncio_loop()) is None:
            result = await run()
        else:
            task = loop.create_task(run())
            # Documented for extensions of asyncio. `asyncio.run` at its end, and other programs, cancel all tasks that they see.
            asyncio._unregister_task(task)
            result = await _run_to_end(task)
    return result  # pyright: ignore[reportPossiblyUnboundVariable, reportReturnType] # a shield that nobody cancels swallows nothing


async def _run_to_end(task: asyncio.Task[T]) -> T:
    import asyncio

    stopped = False
    while not task.done():
        try:
            await asyncio.wait([task])
        except asyncio.CancelledError:
            stopped = True
    if stopped:
        if not task.cancelled():
            task.exception()  # read it, so that asyncio does not log it as never retrieved
        raise asyncio.CancelledError
    return task.result()
