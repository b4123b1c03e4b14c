"""The event loops that the async client runs on, and whose connections it has there: aiohttp's on asyncio, unless it is told otherwise."""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable, Iterator
from typing import Any, TypeVar
from unittest import mock

import anyio

T = TypeVar("T")

ON_ASYNCIO = ["asyncio", "asyncio-httpx"]
LOOPS = [*ON_ASYNCIO, "trio"]


def run_on(loop: str, main: Callable[..., Awaitable[T]], *arguments: Any) -> T:
    """Runs a coroutine function on one of `LOOPS`."""
    with chosen(loop) as backend:
        return anyio.run(main, *arguments, backend=backend)


@contextlib.contextmanager
def chosen(loop: str) -> Iterator[str]:
    """Anyio's name for one of `LOOPS`; while `asyncio-httpx` is chosen, the extra `aiohttp` counts as not installed."""
    backend, _, without_aiohttp = loop.partition("-")
    if not without_aiohttp:
        yield backend
        return
    with mock.patch("payman_sdk.connections.has_aiohttp", return_value=False):
        yield backend
