"""Sides of other libraries, which live in an environment of their own; see `environment.py`."""

from __future__ import annotations

import asyncio
import importlib
import json
from collections.abc import Awaitable, Callable
from typing import Any

from scripts.benchmarks.readers import Reading, Side

_PATH = "/stream"
_PATIENCE = 600.0


def sides(base_url: str) -> dict[str, Side]:
    """All sides, for a server."""
    runner = asyncio.Runner()

    def run(streams: Callable[[str, int], Awaitable[Reading]]) -> Side:
        async def reading(kind: str, events: int) -> Reading:
            return await streams(kind, events)

        return lambda kind, events, _: runner.run(reading(kind, events))

    httpx_sse, openai = HttpxSse(base_url), OpenAI(base_url)
    return {
        "httpx-sse": httpx_sse.stream,
        "async httpx-sse": run(httpx_sse.async_stream),
        "openai, untyped": openai.untyped,
        "async openai, untyped": run(openai.async_untyped),
        "openai, typed": openai.typed,
    }


def _heard(reading: Reading, event: Any) -> None:
    """Reads the new text of an event that is JSON and nothing more."""
    reading.events += 1
    if artifact := event["result"].get("artifact"):
        reading.characters += len(artifact["parts"][0]["text"])


class HttpxSse:
    """`httpx_sse`, and `json.loads` for every event."""

    def __init__(self, base_url: str) -> None:
        # Imported by name: the environment in which these scripts are type-checked has no peers.
        self._module, httpx = importlib.import_module("httpx_sse"), importlib.import_module("httpx")
        self._client = httpx.Client(base_url=base_url, timeout=_PATIENCE)
        self._async_client = httpx.AsyncClient(base_url=base_url, timeout=_PATIENCE)

    def stream(self, kind: str, events: int, streams: int) -> Reading:
        """Reads the new text of every event."""
        reading = Reading(0, 0)
        request = {"text": f"{kind} {events}"}
        with self._module.connect_sse(self._client, "POST", _PATH, json=request) as source:
            for event in source.iter_sse():
                _heard(reading, json.loads(event.data))
        return reading

    async def async_stream(self, kind: str, events: int) -> Reading:
        """The same, of an `httpx.AsyncClient`."""
        reading = Reading(0, 0)
        request = {"text": f"{kind} {events}"}
        connecting = self._module.aconnect_sse(self._async_client, "POST", _PATH, json=request)
        async with connecting as source:
            async for event in source.aiter_sse():
                _heard(reading, json.loads(event.data))
        return reading


class OpenAI:
    """`openai.Stream` over the task's events, cast to `object`; and typed, over chunks of its own."""

    def __init__(self, base_url: str) -> None:
        self._module = importlib.import_module("openai")
        self._chunk = importlib.import_module("openai.types.chat").ChatCompletionChunk
        options = {"api_key": "bench", "base_url": base_url, "timeout": _PATIENCE, "max_retries": 0}
        self._client = self._module.OpenAI(**options)
        self._async_client = self._module.AsyncOpenAI(**options)

    def _wanted(self, kind: str, events: int, cast_to: Any, stream: Any) -> dict[str, Any]:
        return {
            "path": _PATH,
            "body": {"text": f"{kind} {events}"},
            "cast_to": cast_to,
            "stream": True,
            "stream_cls": stream[cast_to],
        }

    def untyped(self, kind: str, events: int, streams: int) -> Reading:
        """Reads the new text of every event."""
        reading = Reading(0, 0)
        for event in self._client.post(**self._wanted(kind, events, object, self._module.Stream)):
            _heard(reading, event)
        return reading

    async def async_untyped(self, kind: str, events: int) -> Reading:
        """The same, of an `AsyncOpenAI`."""
        reading = Reading(0, 0)
        wanted = self._wanted(kind, events, object, self._module.AsyncStream)
        async for event in await self._async_client.post(**wanted):
            _heard(reading, event)
        return reading

    def typed(self, kind: str, events: int, streams: int) -> Reading:
        """Reads the new text of every chunk."""
        reading = Reading(0, 0)
        for chunk in self._client.post(**self._wanted(kind, events, self._chunk, self._module.Stream)):
            reading.events += 1
            reading.characters += len(chunk.choices[0].delta.content)
        return reading
