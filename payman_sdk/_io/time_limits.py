"""How long stores may take, and what becomes of a call that takes longer.

A keyring may wait for a person, a client of Redis for a server, and neither can be stopped. So such a call runs in a separate thread:
whoever has waited long enough leaves it behind. The renewal of a token sets the limit, for it knows how much time the ask has.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Generator
from contextvars import ContextVar, copy_context
from typing import Generic, TypeVar

from payman_sdk._io.clock import monotonic
from payman_sdk._io.locks import ThreadLock

T = TypeVar("T")

_end: ContextVar[float | None] = ContextVar("payman_store_end", default=None)


class LateError(Exception):
    """A call did not return in time; it goes on."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"no answer within {seconds:.3g} s")


@contextlib.contextmanager
def limit_time(seconds: float) -> Generator[None]:
    """Let whatever a store is asked in the block be over in so many seconds, as far as the store can be left behind."""
    before = _end.set(monotonic() + seconds)
    try:
        yield
    finally:
        _end.reset(before)


def get_time_left(most: float) -> float:
    """Return the seconds that a store may take: what is left of the limit, and no more than that many."""
    end = _end.get()
    return most if end is None else max(0.0, min(most, end - monotonic()))


def call_within(function: Callable[[], T], seconds: float, *, ended: Callable[[], object] | None = None) -> T:
    """Call a function in a thread, and wait for so many seconds.

    Args:
        function: What may block.
        seconds: How long to wait.
        ended: Called in the thread when the function has returned or raised, however late.

    Raises:
        LateError: It has not returned yet.
    """
    call = _Call(function, ended)
    try:
        call.start()
    except RuntimeError:  # no thread can be had, as at the end of a process
        call.run()
    if not call.done.wait(seconds):
        raise LateError(seconds)
    return call.get_result()


class CallQueue:
    """Calls to one place, one after the other; the next waits for one that was left behind."""

    def __init__(self) -> None:
        self._busy = ThreadLock()

    def call(self, function: Callable[[], T], seconds: float) -> T:
        """Call a function as `call_within` does, once the calls before it have ended."""
        end = monotonic() + seconds
        if not self._busy.acquire(timeout=seconds):
            raise LateError(seconds)
        return call_within(function, max(0.0, end - monotonic()), ended=self._busy.release)

    def call_when_idle(self, function: Callable[[], object]) -> None:
        """Call a function now, or in a thread when the call that was left behind has ended."""
        if self._busy.acquire(timeout=0):
            self._busy.release()
            function()
            return

        def wait() -> None:
            self._busy.acquire(timeout=threading.TIMEOUT_MAX)
            self._busy.release()
            function()

        threading.Thread(target=wait, daemon=True, name="payman-store").start()


class _Call(Generic[T]):
    """One call, and what came of it."""

    def __init__(self, function: Callable[[], T], ended: Callable[[], object] | None) -> None:
        self.done = threading.Event()
        self._function, self._ended, self._context = function, ended, copy_context()
        self._outcome: tuple[T] | BaseException | None = None

    def start(self) -> None:
        threading.Thread(target=self.run, daemon=True, name="payman-store").start()

    def run(self) -> None:
        try:
            self._outcome = (self._context.run(self._function),)
        except BaseException as error:
            self._outcome = error
        finally:
            if self._ended is not None:
                self._ended()
            self.done.set()

    def get_result(self) -> T:
        outcome, self._outcome = self._outcome, None
        if isinstance(outcome, BaseException):
            raise outcome
        assert outcome is not None  # noqa: S101 (it is done)
        return outcome[0]
