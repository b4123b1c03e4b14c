"""What a flow of the toolkit may ask for, and the two shells that carry it out. All decisions are in flows."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from types import TracebackType
from typing import Any, NamedTuple, Self, TypeAlias, TypeVar, assert_never, cast

from payman_sdk.flows import Lock

T = TypeVar("T")


class Invoke(NamedTuple):
    """Call this function of the client's or the user's; what it returns is awaited where that can be."""

    function: Callable[[], Any]


class Call(NamedTuple):
    """Call this function of the store's, which may block; the outcome is what it returns."""

    function: Callable[[], Any]


class Sleep(NamedTuple):
    """Do nothing for so many seconds."""

    seconds: float


Step: TypeAlias = Invoke | Call | Sleep
Flow: TypeAlias = Generator[Step, Any, T]


def run(flow: Flow[T]) -> T:
    """Carries a flow out in this thread."""
    try:
        step = next(flow)
        while True:
            outcome, failure = None, None
            try:
                match step:
                    case Invoke(function) | Call(function):
                        outcome = function()
                    case Sleep(seconds):
                        time.sleep(seconds)
                    case unheard:
                        assert_never(unheard)
            except Exception as error:
                failure = error
            step = flow.send(outcome) if failure is None else flow.throw(failure)
    except StopIteration as end:
        return cast("T", end.value)
    finally:
        flow.close()


async def run_async(flow: Flow[T]) -> T:
    """Carries a flow out on asyncio or trio."""
    from inspect import isawaitable

    import anyio

    try:
        step = next(flow)
        while True:
            outcome, failure = None, None
            try:
                match step:
                    case Invoke(function):
                        outcome = function()
                        outcome = await outcome if isawaitable(outcome) else outcome
                    case Call(function):
                        outcome = await _in_thread(function)
                    case Sleep(seconds):
                        await anyio.sleep(seconds)
                    case unheard:
                        assert_never(unheard)
            except Exception as error:
                failure = error
            step = flow.send(outcome) if failure is None else flow.throw(failure)
    except StopIteration as end:
        return cast("T", end.value)
    finally:
        flow.close()


async def _in_thread(function: Callable[[], T]) -> T:
    """Calls a function in a thread of its own, to its end: what is half written when its caller leaves would be read by the next."""
    import anyio
    import anyio.to_thread

    from payman_sdk.locks import to_its_end

    return await to_its_end(
        lambda: anyio.to_thread.run_sync(function, limiter=anyio.CapacityLimiter(1)),
    )


_FIRST_PAUSE, _LONGEST_PAUSE = 0.005, 0.1
"""Seconds between two tries of a lock."""


class Hold:
    """Holds a lock as long as its block lasts, once it was taken; it is let go whatever becomes of the flow."""

    def __init__(self, lock: Lock) -> None:
        self._lock = lock
        self._is_held = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._is_held:
            self._is_held = False
            self._lock.release()

    def taken(self, seconds: float) -> Flow[bool]:
        """A flow that waits so many seconds for the lock; 0 tries once. Returns whether it is held now."""
        pause, waited = _FIRST_PAUSE, 0.0
        while not (yield Call(self._try)):
            if waited >= seconds:
                return False
            yield Sleep(pause)
            waited += pause
            pause = min(2 * pause, _LONGEST_PAUSE)
        return True

    def _try(self) -> bool:
        # Noted here and not by the flow: who is cancelled while this runs in a thread does not hear of it.
        self._is_held = self._lock.acquire(timeout=0)
        return self._is_held
