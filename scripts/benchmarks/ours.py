"""Sides that need nothing but the SDK and what it needs: `client.stream`, and httpx alone."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from unittest import mock

import httpx

from payman_api import ACCESS_TOKEN_HEADER, PATHS
from payman_sdk import AsyncPaymanClient, PaymanClient
from scripts.benchmarks.canned import NO_UUID
from scripts.benchmarks.readers import Reading, Side

_LIMITS = httpx.Limits(max_connections=None, max_keepalive_connections=20)
"""As httpx has them, but for the 100 connections it opens at most: further streams would wait until one of these ends.

To keep more of them is no good: httpcore looks at every connection for every idle one whenever a stream begins or ends.
"""

_PATIENCE = 600.0
_HEADERS = {
    "Content-Type": "application/json",
    "Accept": "text/event-stream",
    ACCESS_TOKEN_HEADER: "bench",
}


def sides(base_url: str) -> dict[str, Side]:
    """All sides, for a server."""
    mock.patch("payman_sdk.tasks.agent.new_id", lambda kind: f"{kind}-{NO_UUID}").start()
    runner = asyncio.Runner()
    sdk, async_sdk, bare, async_bare = Sdk(base_url), AsyncSdk(base_url), Bare(base_url), AsyncBare(base_url)

    def run(streams: Callable[[str, int, int], Awaitable[Reading]]) -> Side:
        async def reading(kind: str, events: int, count: int) -> Reading:
            return await streams(kind, events, count)

        return lambda kind, events, count: runner.run(reading(kind, events, count))

    return {
        "stream": sdk.stream,
        "stream, first": sdk.first,
        "async stream": run(async_sdk.stream),
        "async stream, first": run(async_sdk.first),
        "bytes": bare.stream,
        "bytes, first": bare.first,
        "bytes, json": bare.parsed,
        "async bytes": run(async_bare.stream),
        "async bytes, first": run(async_bare.first),
    }


class Sdk:
    """`PaymanClient`."""

    def __init__(self, base_url: str) -> None:
        self._client = PaymanClient(
            client_id="bench", client_secret="bench", base_url=base_url, timeout=_PATIENCE
        )
        self._client.ask("get a token")

    def stream(self, kind: str, events: int, streams: int) -> Reading:
        """Reads the new text of every event."""
        reading = Reading(0, 0)
        with self._client.stream(f"{kind} {events}") as stream:
            for event in stream:
                reading.events += 1
                if event.type == "artifact_update":
                    reading.characters += len(event.delta)
        return reading

    def first(self, kind: str, events: int, streams: int) -> Reading:
        """Waits for the first event of one stream after the other."""
        reading = Reading(streams, 0)
        for _ in range(streams):
            start = time.perf_counter()
            with self._client.stream(f"{kind} {events}") as stream:
                next(stream)
                reading.firsts.append(time.perf_counter() - start)
        return reading


class AsyncSdk:
    """`AsyncPaymanClient`."""

    def __init__(self, base_url: str) -> None:
        self._client = AsyncPaymanClient(
            client_id="bench",
            client_secret="bench",
            base_url=base_url,
            timeout=_PATIENCE,
            http_client=httpx.AsyncClient(limits=_LIMITS, trust_env=False),
        )

    async def stream(self, kind: str, events: int, streams: int) -> Reading:
        """Opens all streams, and then reads the new text of every event."""
        reading, all_open = Reading(0, 0), AllOpen(streams)

        async def read() -> None:
            async with self._client.stream(f"{kind} {events}") as stream:
                await all_open.wait()
                async for event in stream:
                    reading.events += 1
                    if event.type == "artifact_update":
                        reading.characters += len(event.delta)

        await asyncio.gather(*(read() for _ in range(streams)))
        reading.opening = all_open.after
        return reading

    async def first(self, kind: str, events: int, streams: int) -> Reading:
        """Waits for the first event of one stream after the other."""
        reading = Reading(streams, 0)
        for _ in range(streams):
            start = time.perf_counter()
            async with self._client.stream(f"{kind} {events}") as stream:
                await anext(stream)
                reading.firsts.append(time.perf_counter() - start)
        return reading


class Bare:
    """`httpx.Client`, which is told nothing about events."""

    def __init__(self, base_url: str) -> None:
        self._client = httpx.Client(base_url=base_url, timeout=_PATIENCE, trust_env=False)
        self._body = captured(base_url)

    def _open(self, kind: str, events: int) -> AbstractContextManager[httpx.Response]:
        body = asking(self._body, kind, events)
        return self._client.stream("POST", PATHS["send_task_subscribe"], content=body, headers=_HEADERS)

    def stream(self, kind: str, events: int, streams: int) -> Reading:
        """Reads the bytes."""
        reading = Reading(events, 0)
        with self._open(kind, events) as answer:
            for piece in answer.iter_bytes():
                reading.characters += len(piece)
        return reading

    def parsed(self, kind: str, events: int, streams: int) -> Reading:
        """Splits the bytes at blank lines and reads the JSON, as a program would that trusts everything."""
        reading, rest = Reading(0, 0), b""
        with self._open(kind, events) as answer:
            for piece in answer.iter_bytes():
                *complete, rest = (rest + piece).split(b"\n\n")
                for event in complete:
                    reading.events += 1
                    if artifact := json.loads(event[6:])["result"].get("artifact"):
                        reading.characters += len(artifact["parts"][0]["text"])
        return reading

    def first(self, kind: str, events: int, streams: int) -> Reading:
        """Waits for the first bytes of one stream after the other."""
        reading = Reading(streams, 0)
        for _ in range(streams):
            start = time.perf_counter()
            with self._open(kind, events) as answer:
                next(answer.iter_bytes())
                reading.firsts.append(time.perf_counter() - start)
        return reading


class AsyncBare:
    """`httpx.AsyncClient`, which is told nothing about events."""

    def __init__(self, base_url: str) -> None:
        self._client = httpx.AsyncClient(
            base_url=base_url, timeout=_PATIENCE, limits=_LIMITS, trust_env=False
        )
        self._body = captured(base_url)

    def _open(self, kind: str, events: int) -> AbstractAsyncContextManager[httpx.Response]:
        body = asking(self._body, kind, events)
        return self._client.stream("POST", PATHS["send_task_subscribe"], content=body, headers=_HEADERS)

    async def stream(self, kind: str, events: int, streams: int) -> Reading:
        """Opens all streams, and then reads the bytes."""
        reading, all_open = Reading(events * streams, 0), AllOpen(streams)

        async def read() -> None:
            async with self._open(kind, events) as answer:
                await all_open.wait()
                async for piece in answer.aiter_bytes():
                    reading.characters += len(piece)

        await asyncio.gather(*(read() for _ in range(streams)))
        reading.opening = all_open.after
        return reading

    async def first(self, kind: str, events: int, streams: int) -> Reading:
        """Waits for the first bytes of one stream after the other."""
        reading = Reading(streams, 0)
        for _ in range(streams):
            start = time.perf_counter()
            async with self._open(kind, events) as answer:
                pieces = answer.aiter_bytes()
                await anext(pieces)
                reading.firsts.append(time.perf_counter() - start)
        return reading


class AllOpen:
    """Holds streams until all are open, and tells after how many seconds they were."""

    def __init__(self, streams: int) -> None:
        self._barrier = asyncio.Barrier(streams)
        self._start = time.perf_counter()
        self.after = 0.0

    async def wait(self) -> None:
        """Waits for the others."""
        await self._barrier.wait()
        self.after = self.after or time.perf_counter() - self._start


def captured(base_url: str) -> bytes:
    """What the SDK sends for a stream, so that others put the same bytes on the wire."""
    sent: list[httpx.Request] = []
    with (
        httpx.Client(event_hooks={"request": [sent.append]}, trust_env=False) as watched,
        PaymanClient(
            client_id="bench", client_secret="bench", base_url=base_url, http_client=watched
        ) as client,
        client.stream("task 3"),
    ):
        pass
    return sent[-1].content


def asking(body: bytes, kind: str, events: int) -> bytes:
    """The same body, for another stream."""
    return body.replace(b"task 3", f"{kind} {events}".encode())
