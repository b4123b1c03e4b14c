"""The event loops that the async client runs on."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import anyio

T = TypeVar("T")

LOOPS = ["asyncio", "trio"]


def run_on(loop: str, main: Callable[..., Awaitable[T]], *arguments: Any) -> T:
    """Runs a coroutine function on one of `LOOPS`."""
    return anyio.run(main, *arguments, backend=loop)
