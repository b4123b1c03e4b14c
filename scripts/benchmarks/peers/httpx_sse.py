"""`httpx_sse`, and `json.loads` for every event."""

from __future__ import annotations

import asyncio
import importlib
import json

from scripts.benchmarks.sides import PATIENCE, Reading, Side, Target, heard


def sides(target: Target) -> dict[str, Side]:
    """All sides."""
    library, httpx = importlib.import_module("httpx_sse"), importlib.import_module("httpx")
    client = httpx.Client(base_url=target.base_url, timeout=PATIENCE, trust_env=False)
    async_client = httpx.AsyncClient(base_url=target.base_url, timeout=PATIENCE, trust_env=False)
    runner, sent = asyncio.Runner(), target.stream

    def stream(kind: str, events: int) -> Reading:
        reading, body = Reading(), target.streaming(kind, events)
        opened = library.connect_sse(client, "POST", sent.path, content=body, headers=sent.headers)
        with opened as source:
            for event in source.iter_sse():
                heard(reading, json.loads(event.data))
        return reading

    async def async_stream(kind: str, events: int) -> Reading:
        reading, body = Reading(), target.streaming(kind, events)
        opened = library.aconnect_sse(async_client, "POST", sent.path, content=body, headers=sent.headers)
        async with opened as source:
            async for event in source.aiter_sse():
                heard(reading, json.loads(event.data))
        return reading

    return {
        "stream": stream,
        "async stream": lambda kind, events: runner.run(async_stream(kind, events)),
    }
