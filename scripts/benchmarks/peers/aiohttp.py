"""`aiohttp` alone."""

from __future__ import annotations

import asyncio
import importlib
from typing import Any

from scripts.benchmarks.sides import Side, Target, at_once


def sides(target: Target) -> dict[str, Side]:
    """All sides."""
    runner, sent, body = asyncio.Runner(), target.ask, target.ask.body.encode()
    library = importlib.import_module("aiohttp")

    async def made() -> Any:  # a session belongs to a running loop
        return library.ClientSession(target.base_url)

    session = runner.run(made())

    async def ask() -> object:
        async with session.post(sent.path, data=body, headers=sent.headers) as answer:
            return await answer.json()

    return {"asks": at_once(runner, ask)}
