"""`openai`: a chat completion, typed; and the SDK's events, which it casts to `object`."""

from __future__ import annotations

import asyncio
import importlib
from typing import Any

from scripts.benchmarks import sides


def build_sides(target: sides.Target) -> dict[str, sides.Side]:
    """Return all sides."""
    # Imported by name: the environment in which these scripts are type-checked does not have it.
    runner, library = asyncio.Runner(), importlib.import_module("openai")
    options = {"api_key": "bench", "base_url": target.base_url, "timeout": sides.PATIENCE, "max_retries": 0}
    client, async_client = library.OpenAI(**options), library.AsyncOpenAI(**options)
    chat: dict[str, Any] = {"model": "canned", "messages": [{"role": "user", "content": sides.ASKED}]}

    def read(task: str) -> sides.Reading:
        reading, options = sides.Reading(), {"stream": True, "stream_cls": library.Stream[object]}
        for event in client.post(target.stream.path, body={"text": task}, cast_to=object, **options):
            reading.count += 1
            if artifact := event["result"].get("artifact"):
                reading.characters += len(artifact["parts"][0]["text"])
        return reading

    return {
        "ask": sides.repeat(lambda: client.chat.completions.create(**chat)),
        "asks": sides.run_at_once(runner, lambda: async_client.chat.completions.create(**chat)),
        "stream": read,
    }
