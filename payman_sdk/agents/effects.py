"""What a flow of the toolkit may ask for, and the two shells that carry it out. All decisions are in flows."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from typing import Any, NamedTuple, TypeAlias, TypeVar, assert_never, cast

from payman_sdk.errors import ConfigurationError

T = TypeVar("T")


class Invoke(NamedTuple):
    """Call this function of the client's or the user's; what it returns is awaited where that can be."""

    function: Callable[[], Any]


class CallStore(NamedTuple):
    """Call this function of the store, which may block, and return its result."""

    function: Callable[[], Any]


class Delay(NamedTuple):
    """Do nothing for so many seconds."""

    seconds: float


ToolkitEffect: TypeAlias = Invoke | CallStore | Delay
Flow: TypeAlias = Generator[ToolkitEffect, Any, T]


def run(flow: Flow[T]) -> T:
    """Carries a flow out in this thread."""
    try:
        step = next(flow)
        while True:
            outcome, failure = None, None
            try:
                match step:
                    case Invoke(function):
                        outcome = _reject_awaitable(function())
                    case CallStore(function):
                        outcome = function()
                    case Delay(seconds):
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

    from payman_sdk._io.event_loops import sleep

    try:
        step = next(flow)
        while True:
            outcome, failure = None, None
            try:
                match step:
                    case Invoke(function):
                        outcome = function()
                        outcome = await outcome if isawaitable(outcome) else outcome
                    case CallStore(function):
                        outcome = await _run_in_thread(function)
                    case Delay(seconds):
                        await sleep(seconds)
                    case unheard:
                        assert_never(unheard)
            except Exception as error:
                failure = error
            step = flow.send(outcome) if failure is None else flow.throw(failure)
    except StopIteration as end:
        return cast("T", end.value)
    finally:
        flow.close()


def _reject_awaitable(returned: Any) -> Any:
    from inspect import isawaitable, iscoroutine

    if isawaitable(returned):
        if iscoroutine(returned):
            returned.close()
        raise ConfigurationError(
            "confirm is a coroutine function, which PaymanToolkit cannot await.",
            next_step="Pass a regular function, or use AsyncPaymanToolkit.",
        )
    return returned


async def _run_in_thread(function: Callable[[], T]) -> T:
    """Call a function in a new thread, to its end, so that an abandoned caller leaves nothing half written."""
    from payman_sdk._io.event_loops import run_in_thread
    from payman_sdk._io.locks import run_shielded

    return await run_shielded(lambda: run_in_thread(function))
