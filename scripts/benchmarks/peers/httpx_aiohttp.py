"""`httpx` with the connections of aiohttp."""

from __future__ import annotations

import asyncio
import importlib

from scripts.benchmarks.sides import PATIENCE, Side, Target, at_once


def sides(target: Target) -> dict[str, Side]:
    """All sides."""
    runner, sent, body = asyncio.Runner(), target.ask, target.ask.body.encode()
    client = importlib.import_module("httpx_aiohttp").HttpxAiohttpClient(
        base_url=target.base_url, timeout=PATIENCE, trust_env=False
    )

    async def ask() -> object:
        return (await client.post(sent.path, content=body, headers=sent.headers)).json()

    return {"asks": at_once(runner, ask)}
