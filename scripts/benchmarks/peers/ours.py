"""This SDK, as it is installed: without extras, or with those of its environment."""

from __future__ import annotations

import asyncio
import importlib.util

from payman_sdk import AsyncPaymanClient, PaymanClient, PaymanConfig
from scripts.benchmarks import sides

FIRST_ASK = """
import json, sys
from payman_sdk import PaymanClient
with PaymanClient(client_id="bench", client_secret="bench", base_url=json.loads(sys.argv[1])[0]) as client:
    assert client.ask("list all wallets")["artifacts"]
"""


def build_sides(target: sides.Target) -> dict[str, sides.Side]:
    """Return all sides."""
    runner = asyncio.Runner()
    config: PaymanConfig = {"client_id": "bench", "client_secret": "bench", "base_url": target.base_url}
    config["timeout"] = sides.PATIENCE
    client = PaymanClient(config)
    has_aiohttp = importlib.util.find_spec("aiohttp") is not None
    async_client = AsyncPaymanClient(config, transport="aiohttp" if has_aiohttp else None)
    client.ask("get a token")

    def read(task: str) -> sides.Reading:
        reading = sides.Reading()
        with client.stream(task) as stream:
            for event in stream:
                reading.count += 1
                if event.type == "artifact_update":
                    reading.characters += len(event.delta)
        return reading

    return {
        "ask": sides.repeat(lambda: client.ask(sides.ASKED)),
        "asks": sides.run_at_once(runner, lambda: async_client.ask(sides.ASKED)),
        "stream": read,
    }
