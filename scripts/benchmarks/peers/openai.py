"""`openai`: a chat completion, typed; and the SDK's own ask and events, which it casts to `object`."""

from __future__ import annotations

import asyncio
import importlib
from typing import Any

from scripts.benchmarks.sides import ASKED, PATIENCE, Reading, Side, Target, at_once, heard, repeated

_CHAT: dict[str, Any] = {"model": "canned", "messages": [{"role": "user", "content": ASKED}]}


def sides(target: Target) -> dict[str, Side]:
    """All sides."""
    runner, openai = asyncio.Runner(), OpenAI(target)
    return {
        "ask": repeated(lambda: openai.client.chat.completions.create(**_CHAT)),
        "ask, untyped": repeated(openai.untyped_ask),
        "asks": at_once(runner, lambda: openai.async_client.chat.completions.create(**_CHAT)),
        "stream, untyped": openai.untyped,
        "stream, typed": openai.typed,
        "async stream, untyped": lambda kind, events: runner.run(openai.async_untyped(kind, events)),
    }


class OpenAI:
    """The clients of `openai`."""

    def __init__(self, target: Target) -> None:
        # Imported by name: the environment in which these scripts are type-checked has no peers.
        self._library = importlib.import_module("openai")
        self._chunk = importlib.import_module("openai.types.chat").ChatCompletionChunk
        self._target = target
        options = {"api_key": "bench", "base_url": target.base_url, "timeout": PATIENCE, "max_retries": 0}
        self.client = self._library.OpenAI(**options)
        self.async_client = self._library.AsyncOpenAI(**options)

    def untyped_ask(self) -> object:
        """Posts what the SDK posts."""
        answer: object = self.client.post(self._target.ask.path, body={"text": ASKED}, cast_to=object)
        return answer

    def _wanted(self, kind: str, events: int, cast_to: Any, stream: Any) -> dict[str, Any]:
        return {
            "path": self._target.stream.path,
            "body": {"text": f"{kind} {events}"},
            "cast_to": cast_to,
            "stream": True,
            "stream_cls": stream[cast_to],
        }

    def untyped(self, kind: str, events: int) -> Reading:
        """Reads the new text of every event of `openai.Stream`."""
        reading = Reading()
        for event in self.client.post(**self._wanted(kind, events, object, self._library.Stream)):
            heard(reading, event)
        return reading

    async def async_untyped(self, kind: str, events: int) -> Reading:
        """The same, of `openai.AsyncStream`."""
        reading = Reading()
        wanted = self._wanted(kind, events, object, self._library.AsyncStream)
        async for event in await self.async_client.post(**wanted):
            heard(reading, event)
        return reading

    def typed(self, kind: str, events: int) -> Reading:
        """Reads the new text of every chunk, which is one of OpenAI's own."""
        reading = Reading()
        for chunk in self.client.post(**self._wanted(kind, events, self._chunk, self._library.Stream)):
            reading.count += 1
            reading.characters += len(chunk.choices[0].delta.content)
        return reading
