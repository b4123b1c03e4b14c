"""`httpx` with the connections of aiohttp."""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Awaitable, Callable
from typing import Any

from scripts.benchmarks.sides import PATIENCE, Side, Target, at_once


def sides(target: Target) -> dict[str, Side]:
    """All sides."""
    runner, sent, body = asyncio.Runner(), target.ask, target.ask.body.encode()
    library = importlib.import_module("httpx_aiohttp")

    def asking(**options: Any) -> Callable[[], Awaitable[object]]:
        client = library.HttpxAiohttpClient(
            base_url=target.base_url, timeout=PATIENCE, trust_env=False, **options
        )

        async def ask() -> object:
            return (await client.post(sent.path, content=body, headers=sent.headers)).json()

        return ask

    # Others wait for one of 100 connections; the SDK opens one for each ask, up to 1,000, because agents take their time.
    unlimited = importlib.import_module("httpx").Limits(max_connections=1000, max_keepalive_connections=20)
    return {"asks": at_once(runner, asking()), "asks, unlimited": at_once(runner, asking(limits=unlimited))}
