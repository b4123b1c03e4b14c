"""`anthropic`: a message, typed."""

from __future__ import annotations

import asyncio
import importlib
from typing import Any

from scripts.benchmarks.sides import ASKED, Side, Target, at_once, repeated

_MESSAGE: dict[str, Any] = {
    "model": "canned",
    "max_tokens": 100,
    "messages": [{"role": "user", "content": ASKED}],
}


def sides(target: Target) -> dict[str, Side]:
    """All sides."""
    runner, library = asyncio.Runner(), importlib.import_module("anthropic")
    options = {"api_key": "bench", "base_url": target.base_url, "max_retries": 0}
    client, async_client = library.Anthropic(**options), library.AsyncAnthropic(**options)
    return {
        "ask": repeated(lambda: client.messages.create(**_MESSAGE)),
        "asks": at_once(runner, lambda: async_client.messages.create(**_MESSAGE)),
    }
