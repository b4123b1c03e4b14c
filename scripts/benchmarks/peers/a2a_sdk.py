"""`a2a-sdk`: a message in A2A 1.0, over JSON-RPC; it has an async client only."""

from __future__ import annotations

import asyncio
import importlib
from uuid import uuid4

from scripts.benchmarks.sides import ASKED, PATIENCE, Reading, Side, Target, at_once


def sides(target: Target) -> dict[str, Side]:
    """All sides."""
    library, types = importlib.import_module("a2a.client"), importlib.import_module("a2a.types")
    card = types.AgentCard(
        name="canned",
        supported_interfaces=[
            types.AgentInterface(
                protocol_binding="JSONRPC", protocol_version="1.0", url=f"{target.base_url}/a2a"
            )
        ],
    )
    # Of many asks at once some wait for longer than the 5 seconds of a client of its own.
    http = importlib.import_module("httpx").AsyncClient(timeout=PATIENCE)
    config = library.ClientConfig(streaming=False, httpx_client=http)
    runner, client = asyncio.Runner(), library.ClientFactory(config).create(card)

    async def ask() -> object:
        message = types.Message(
            role=types.Role.ROLE_USER, message_id=str(uuid4()), parts=[types.Part(text=ASKED)]
        )
        async for event in client.send_message(types.SendMessageRequest(message=message)):
            assert event.task.artifacts
        return None

    async def one_by_one(calls: int) -> Reading:
        for _ in range(calls):
            await ask()
        return Reading(calls)

    return {
        "ask": lambda calls: runner.run(one_by_one(calls)),
        "asks": at_once(runner, ask),
    }
