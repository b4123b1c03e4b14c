"""The event loops that the async client runs on."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

import anyio

T = TypeVar("T")

LOOPS = ["asyncio", "trio"]


async def wait_until(condition: Callable[[], object]) -> None:
    """Wait until a condition holds, however long that takes; a test that waits in vain hits its own timeout."""
    while not condition():  # noqa: ASYNC110 (what a server has seen sets no event)
        await anyio.sleep(0.001)


async def cancel_when(
    condition: Callable[[], object], call: Callable[..., Coroutine[Any, Any, object]], *arguments: Any
) -> None:
    """Begin a call, and cancel it when a condition holds."""
    async with anyio.create_task_group() as group:
        group.start_soon(call, *arguments)
        await wait_until(condition)
        group.cancel_scope.cancel()


def run_on(loop: str, main: Callable[..., Awaitable[T]], *arguments: Any) -> T:
    """Runs a coroutine function on one of `LOOPS`."""
    return anyio.run(main, *arguments, backend=loop)
