"""What each event loop has for itself: connections and locks of one loop are of no use in another."""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Callable
from typing import Any, Generic, TypeVar
from weakref import WeakKeyDictionary

from payman_sdk._io.forks import renew_after_fork

T = TypeVar("T")


def get_asyncio_loop() -> asyncio.AbstractEventLoop | None:
    """The loop of asyncio whose task this is; None on trio, which may be a guest in such a loop."""
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        return None
    return loop if asyncio.current_task(loop) is not None else None


def get_running_loop() -> Any:
    """The loop of asyncio, or the token of trio's, that runs here."""
    return get_asyncio_loop() or sys.modules["trio"].lowlevel.current_trio_token()


def _do_nothing(*_: object) -> None:
    pass


class PerLoop(Generic[T]):
    """One value for each event loop that runs; safe to use from several threads, each with a loop, at once.

    Args:
        make: Makes the value, in the loop that it is for.
        end: Called with the value of a loop that has ended, in any thread.
    """

    def __init__(self, make: Callable[[], T], end: Callable[[T], object] = _do_nothing) -> None:
        self._make = make
        self._end = end
        self._lock = threading.RLock()
        self._values: WeakKeyDictionary[Any, T] = WeakKeyDictionary()
        renew_after_fork(self)

    def get(self) -> T:
        """The value of the loop that runs here."""
        loop = get_running_loop()
        value = self._values.get(loop)
        if value is None:
            with self._lock:
                self._end_with_loops()
                value = self._values[loop] = self._make()
        return value

    def pop(self) -> T | None:
        """Forget all values, and return that of the loop that runs here, if any."""
        with self._lock:
            value = self._values.get(get_running_loop())
            self._values = WeakKeyDictionary()
        return value

    def values(self) -> list[T]:
        """The values of all loops."""
        with self._lock:
            return list(self._values.values())

    def begin_anew(self) -> None:
        """Have no values in a process that has just been forked: loops of the parent do not run there."""
        values = list(self._values.values())
        self._lock, self._values = threading.RLock(), WeakKeyDictionary()
        for value in values:
            self._end(value)

    def _end_with_loops(self) -> None:
        for loop in [loop for loop in self._values if _has_ended(loop)]:
            value = self._values.pop(loop, None)
            if value is not None:
                self._end(value)


def _has_ended(loop: Any) -> bool:
    if isinstance(loop, asyncio.AbstractEventLoop):
        return loop.is_closed()
    try:
        loop.run_sync_soon(_do_nothing, idempotent=True)
    except Exception:  # trio's RunFinishedError, whose module may not be imported any more
        return True
    return False
