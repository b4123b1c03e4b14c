"""`httpx` alone: what it costs to send the SDK's own bytes and to read the answer as JSON, or to read a stream."""

from __future__ import annotations

import asyncio
import importlib
import json
import time
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from typing import Any

from scripts.benchmarks.sides import PATIENCE, AllOpen, Reading, Side, Target, at_once, repeated

FIRST_ASK = """
import json, sys
import httpx
base_url, *requests = json.loads(sys.argv[1])
with httpx.Client(base_url=base_url) as client:
    for path, headers, body in requests[:2]:
        answer = client.post(path, content=body.encode(), headers=headers).json()
assert answer["result"]
"""
"""The two requests of a first ask: one for the token, and the ask."""

FIRST_ASK_WITHOUT_CERTIFICATES = FIRST_ASK.replace("base_url=base_url", "base_url=base_url, verify=False")
"""The same, without reading the certificates that plain http does not need, as this SDK does it too."""


def sides(target: Target) -> dict[str, Side]:
    """All sides."""
    return sides_of("httpx", target)


def sides_of(module: str, target: Target) -> dict[str, Side]:
    """All sides of a library whose API is that of httpx."""
    # Imported by name: the environment in which these scripts are type-checked has not all of them.
    library = importlib.import_module(module)
    runner = asyncio.Runner()
    bare, async_bare = Bare(library, target), AsyncBare(library, target)

    def run(streams: Callable[[str, int, int], Awaitable[Reading]]) -> Side:
        async def reading(kind: str, events: int, streams_: int) -> Reading:
            return await streams(kind, events, streams_)

        return lambda kind, events, streams=1: runner.run(reading(kind, events, streams))

    return {
        "ask": repeated(bare.ask),
        "asks": at_once(runner, async_bare.ask),
        "asks, unlimited": at_once(runner, async_bare.ask_unlimited),
        "bytes": bare.stream,
        "bytes, first": bare.first,
        "bytes, json": bare.parsed,
        "async bytes": run(async_bare.stream),
        "async bytes, first": run(async_bare.first),
    }


class Bare:
    """`httpx.Client`, which is told nothing about events."""

    def __init__(self, library: Any, target: Target) -> None:
        self._target = target
        self._body = target.ask.body.encode()
        self._client = library.Client(base_url=target.base_url, timeout=PATIENCE, trust_env=False)

    def ask(self) -> object:
        """Posts a body that was encoded beforehand, and reads the answer as JSON."""
        sent = self._target.ask
        return self._client.post(sent.path, content=self._body, headers=sent.headers).json()

    def _open(self, kind: str, events: int) -> AbstractContextManager[Any]:
        sent, body = self._target.stream, self._target.streaming(kind, events)
        opened: AbstractContextManager[Any] = self._client.stream(
            "POST", sent.path, content=body, headers=sent.headers
        )
        return opened

    def stream(self, kind: str, events: int, streams: int = 1) -> Reading:
        """Reads the bytes."""
        reading = Reading(events)
        with self._open(kind, events) as answer:
            for piece in answer.iter_bytes():
                reading.characters += len(piece)
        return reading

    def parsed(self, kind: str, events: int, streams: int = 1) -> Reading:
        """Splits the bytes at blank lines and reads the JSON, as a program would that trusts everything."""
        reading, rest = Reading(), b""
        with self._open(kind, events) as answer:
            for piece in answer.iter_bytes():
                *complete, rest = (rest + piece).split(b"\n\n")
                for event in complete:
                    reading.count += 1
                    if artifact := json.loads(event[6:])["result"].get("artifact"):
                        reading.characters += len(artifact["parts"][0]["text"])
        return reading

    def first(self, kind: str, events: int, streams: int) -> Reading:
        """Waits for the first bytes of one stream after the other."""
        reading = Reading(streams)
        for _ in range(streams):
            start = time.perf_counter()
            with self._open(kind, events) as answer:
                next(answer.iter_bytes())
                reading.firsts.append(time.perf_counter() - start)
        return reading


class AsyncBare:
    """`httpx.AsyncClient`, which is told nothing about events."""

    def __init__(self, library: Any, target: Target) -> None:
        self._target = target
        self._body = target.ask.body.encode()
        options = {"base_url": target.base_url, "timeout": PATIENCE, "trust_env": False}
        self._client = library.AsyncClient(**options)
        self._unlimited = library.AsyncClient(**options, limits=unlimited(library))

    async def ask(self) -> object:
        """Posts a body that was encoded beforehand, and reads the answer as JSON."""
        return await self._ask(self._client)

    async def ask_unlimited(self) -> object:
        """The same with as many connections as there are asks, where httpx has 100 and lets the others wait."""
        return await self._ask(self._unlimited)

    async def _ask(self, client: Any) -> object:
        sent = self._target.ask
        return (await client.post(sent.path, content=self._body, headers=sent.headers)).json()

    def _open(self, kind: str, events: int) -> AbstractAsyncContextManager[Any]:
        sent, body = self._target.stream, self._target.streaming(kind, events)
        opened: AbstractAsyncContextManager[Any] = self._unlimited.stream(
            "POST", sent.path, content=body, headers=sent.headers
        )
        return opened

    async def stream(self, kind: str, events: int, streams: int) -> Reading:
        """Opens all streams, and then reads the bytes."""
        reading, all_open = Reading(events * streams), AllOpen(streams)

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
        reading = Reading(streams)
        for _ in range(streams):
            start = time.perf_counter()
            async with self._open(kind, events) as answer:
                pieces = answer.aiter_bytes()
                await anext(pieces)
                reading.firsts.append(time.perf_counter() - start)
        return reading


def unlimited(library: Any) -> Any:
    """The limits of httpx, but for the 100 connections it opens at most: others would wait until one of these ends.

    To keep more of them is no good: httpcore looks at every connection for every idle one whenever an exchange begins or ends.
    """
    return library.Limits(max_connections=None, max_keepalive_connections=20)
