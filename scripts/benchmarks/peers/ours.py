"""This SDK, as it is installed: without extras, or with those of its environment."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Literal

import httpx

from payman_sdk import AsyncPaymanClient, PaymanClient, PaymanConfig
from scripts.benchmarks.peers.httpx import unlimited
from scripts.benchmarks.sides import (
    ASKED,
    PATIENCE,
    AllOpen,
    Reading,
    Side,
    Target,
    at_once,
    in_threads,
    repeated,
)

FIRST_ASK = """
import json, sys
from payman_sdk import PaymanClient
with PaymanClient(client_id="bench", client_secret="bench", base_url=json.loads(sys.argv[1])[0]) as client:
    assert client.ask("list all wallets")["artifacts"]
"""


def sides(target: Target) -> dict[str, Side]:
    """All sides."""
    runner = asyncio.Runner()
    sdk, async_sdk, with_aiohttp = (
        Sdk(target.base_url),
        AsyncSdk(target.base_url),
        AsyncSdk(target.base_url, "aiohttp"),
    )

    def run(streams: Callable[[str, int, int], Awaitable[Reading]]) -> Side:
        async def reading(kind: str, events: int, streams_: int) -> Reading:
            return await streams(kind, events, streams_)

        return lambda kind, events, streams=1: runner.run(reading(kind, events, streams))

    return {
        "ask": repeated(lambda: sdk.client.ask(ASKED)),
        "asks": at_once(runner, lambda: async_sdk.client.ask(ASKED)),
        "asks, aiohttp": at_once(runner, lambda: with_aiohttp.client.ask(ASKED)),
        "threads": in_threads(target.base_url, sdk.asking),
        "stream": sdk.stream,
        "stream, first": sdk.first,
        "async stream": run(async_sdk.stream),
        "async stream, own connections": run(async_sdk.own_stream),
        "async stream, aiohttp": run(with_aiohttp.own_stream),
        "async stream, first": run(async_sdk.first),
    }


class Sdk:
    """`PaymanClient`."""

    def __init__(self, base_url: str) -> None:
        self._base_url = base_url
        self.client = PaymanClient(
            client_id="bench", client_secret="bench", base_url=base_url, timeout=PATIENCE
        )
        self.client.ask("get a token")

    def asking(self, client_id: str) -> Callable[[], object]:
        """What asks as another client."""
        client = PaymanClient(client_id=client_id, client_secret="bench", base_url=self._base_url)
        return lambda: client.ask(ASKED)

    def stream(self, kind: str, events: int, streams: int = 1) -> Reading:
        """Reads the new text of every event."""
        reading = Reading()
        with self.client.stream(f"{kind} {events}") as stream:
            for event in stream:
                reading.count += 1
                if event.type == "artifact_update":
                    reading.characters += len(event.delta)
        return reading

    def first(self, kind: str, events: int, streams: int) -> Reading:
        """Waits for the first event of one stream after the other."""
        reading = Reading(streams)
        for _ in range(streams):
            start = time.perf_counter()
            with self.client.stream(f"{kind} {events}") as stream:
                next(stream)
                reading.firsts.append(time.perf_counter() - start)
        return reading


class AsyncSdk:
    """`AsyncPaymanClient`: with connections of its own for asks, and with a given httpx client for streams."""

    def __init__(self, base_url: str, transport: Literal["aiohttp"] | None = None) -> None:
        config: PaymanConfig = {
            "client_id": "bench",
            "client_secret": "bench",
            "base_url": base_url,
            "timeout": PATIENCE,
        }
        self.client = AsyncPaymanClient(config, transport=transport)
        connections = httpx.AsyncClient(limits=unlimited(httpx), trust_env=False)
        self._for_streams = AsyncPaymanClient(config, http_client=connections)

    async def stream(self, kind: str, events: int, streams: int) -> Reading:
        """Opens all streams, and then reads the new text of every event."""
        return await self._stream(self._for_streams, kind, events, streams)

    async def own_stream(self, kind: str, events: int, streams: int) -> Reading:
        """The same with the connections that the client makes by itself."""
        return await self._stream(self.client, kind, events, streams)

    async def _stream(self, client: AsyncPaymanClient, kind: str, events: int, streams: int) -> Reading:
        reading, all_open = Reading(), AllOpen(streams)

        async def read() -> None:
            async with client.stream(f"{kind} {events}") as stream:
                await all_open.wait()
                async for event in stream:
                    reading.count += 1
                    if event.type == "artifact_update":
                        reading.characters += len(event.delta)

        await asyncio.gather(*(read() for _ in range(streams)))
        reading.opening = all_open.after
        return reading

    async def first(self, kind: str, events: int, streams: int) -> Reading:
        """Waits for the first event of one stream after the other."""
        reading = Reading(streams)
        for _ in range(streams):
            start = time.perf_counter()
            async with self._for_streams.stream(f"{kind} {events}") as stream:
                await anext(stream)
                reading.firsts.append(time.perf_counter() - start)
        return reading
