"""Keep objects for each event loop, and wait in real time even if a test has frozen the loop's clock."""

import asyncio
import contextlib
import math
import sys
import threading
from collections import OrderedDict
from collections.abc import Callable
from types import TracebackType
from typing import Any, Generic, TypeVar
from weakref import WeakKeyDictionary

import anyio
import anyio.lowlevel
import anyio.to_thread

from payman_sdk._io.clock import is_patched, monotonic
from payman_sdk._io.forks import renew_after_fork

T = TypeVar("T")


def get_asyncio_loop() -> asyncio.AbstractEventLoop | None:
    """Return asyncio's loop of this task; None on trio, which may be a guest in such a loop."""
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        return None
    return loop if asyncio.current_task(loop) is not None else None


def get_running_loop() -> Any:
    """Return the loop of asyncio, or the token of trio's, that runs here."""
    return get_asyncio_loop() or sys.modules["trio"].lowlevel.current_trio_token()


def _do_nothing(*_: object) -> None:
    pass


class PerLoop(Generic[T]):
    """One value for each running event loop, for threads that each have one. `end` gets the values of ended loops."""

    def __init__(self, make: Callable[[], T], end: Callable[[T], object] = _do_nothing) -> None:
        self._make = make
        self._end = end
        self._lock = threading.RLock()
        self._values: WeakKeyDictionary[Any, T] = WeakKeyDictionary()
        renew_after_fork(self)

    def get(self) -> T:
        """Return the value of the loop that runs here."""
        loop = get_running_loop()
        if (value := self._values.get(loop)) is None:
            with self._lock:
                self._end_with_loops()
                value = self._values[loop] = self._make()
        return value

    def pop(self) -> T | None:
        """Forget all values, and return that of the loop that runs here, if any."""
        with self._lock:
            self._end_with_loops()
            value = self._values.get(get_running_loop())
            self._values = WeakKeyDictionary()
        return value

    def values(self) -> list[T]:
        with self._lock:
            return list(self._values.values())

    def begin_anew(self) -> None:
        """Drop all values in a forked process: loops of the parent do not run there."""
        values = list(self._values.values())
        self._lock, self._values = threading.RLock(), WeakKeyDictionary()
        for value in values:
            self._end(value)

    def _end_with_loops(self) -> None:
        for loop in [loop for loop in self._values if _has_ended(loop)]:
            if (value := self._values.pop(loop, None)) is not None:
                self._end(value)


def _has_ended(loop: Any) -> bool:
    if isinstance(loop, asyncio.AbstractEventLoop):
        return loop.is_closed()
    try:
        loop.run_sync_soon(_do_nothing, idempotent=True)
    except Exception:  # trio's RunFinishedError, whose module may not be imported any more
        return True
    return False


class move_on_after:  # noqa: N801 (it reads as a verb, as that of anyio does)
    """Cancel what the block waits for after so many seconds of real time; None never does.

    anyio's own uses the loop's clock, which jumps if a test freezes time. `contextlib` sets attributes on a passing exception,
    which some exceptions refuse.
    """

    def __init__(self, seconds: float | None) -> None:
        self._scope = anyio.CancelScope()
        self._timer = RealTimer(self._scope.cancel, seconds)

    def __enter__(self) -> anyio.CancelScope:
        scope = self._scope.__enter__()
        self._timer.start()
        return scope

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool:
        self._timer.stop()
        return bool(self._scope.__exit__(kind, error, traceback))


class TaskQueue:
    """Tasks of one event loop that wait for something, each for its turn, `seconds` at most."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._waiting: OrderedDict[anyio.Event, float] = OrderedDict()
        self._timer: RealTimer | None = None

    async def wait(self) -> None:
        """Wait for this task's turn, until its time has passed."""
        came = anyio.Event()
        self._waiting[came] = monotonic() + self._seconds
        # One timer for all: to set and to stop hundreds, or to cancel their tasks, takes longer than what they wait for.
        if self._timer is None:
            self._timer = RealTimer(self._wake_late, self._seconds)
            self._timer.start()
        try:
            await came.wait()
        except BaseException:
            if self._waiting.pop(came, None) is None:  # it was woken, and does not need that any more
                self.wake_next()
            raise

    def _wake_late(self) -> None:
        """Wake the tasks whose time has passed: those that came first."""
        timer, self._timer, now = self._timer, None, monotonic()
        while (left := next(iter(self._waiting.values()), math.inf) - now) <= _SOON:
            self.wake_next()
        if timer is not None and self._waiting:
            self._timer = timer
            timer.start_again(left)

    def wake_next(self) -> None:
        """Wake the task that has waited longest."""
        if self._waiting:
            self._waiting.popitem(last=False)[0].set()


async def sleep(seconds: float) -> None:
    """Wait so many seconds of real time."""
    until = monotonic() + seconds
    await anyio.lowlevel.checkpoint()
    while (left := until - monotonic()) > 0:
        if is_patched():
            with move_on_after(left):
                await anyio.Event().wait()
        else:
            await anyio.sleep(left)  # comes early where the loop's clock is moved meanwhile


async def run_in_thread(function: Callable[[], T]) -> T:
    """Call a function that may block in a new thread. All of anyio's threads may be waiting for the lock whose holder calls."""
    return await anyio.to_thread.run_sync(function, limiter=anyio.CapacityLimiter(1))


class RealTimer:
    """Calls a function in this loop after so many seconds of real time, never early; with None, never at all.

    On asyncio, the loop's own timer is set again if it comes early because its clock was moved. While a clock is replaced, a thread
    waits instead: the loop's timers would come late or never. On trio, a task waits.
    """

    def __init__(self, end: Callable[[], object], seconds: float | None) -> None:
        self._end = end
        self._until = monotonic() + (math.inf if seconds is None else seconds)
        self._loop = get_asyncio_loop()
        self._stop: Callable[[], None] = _do_nothing

    def start(self) -> None:
        left = self._until - monotonic()
        if left <= _SOON:
            self._end()
        elif left == math.inf:
            return
        elif is_patched():
            self._start_thread(left)
        elif self._loop is None:
            self._start_task()
        else:
            self._stop = self._loop.call_later(left, self.start).cancel

    def start_again(self, seconds: float) -> None:
        """Call it once more, so many seconds from now."""
        self._until = monotonic() + seconds
        self.start()

    def stop(self) -> None:
        """Call nothing any more."""
        self._stop()

    def _start_task(self) -> None:
        trio = sys.modules["trio"]
        own = trio.CancelScope()

        async def wait() -> None:
            with own:
                while (left := self._until - monotonic()) > _SOON and not is_patched():
                    await trio.sleep(left)
                self.start()

        self._stop = own.cancel
        trio.lowlevel.spawn_system_task(wait)

    def _start_thread(self, seconds: float) -> None:
        loop: Any = self._loop or get_running_loop()
        call_soon = loop.run_sync_soon if self._loop is None else loop.call_soon_threadsafe

        def end() -> None:
            with contextlib.suppress(Exception):  # the loop has ended
                call_soon(self._end)

        thread = threading.Timer(min(seconds, threading.TIMEOUT_MAX), end)
        thread.daemon = True
        thread.start()
        self._stop = thread.cancel


_SOON = 0.001
"""Seconds that a loop may call early."""
