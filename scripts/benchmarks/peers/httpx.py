"""`httpx` alone, or with aiohttp where the environment has it: what the SDK's bytes cost without an SDK."""

from __future__ import annotations

import asyncio
import importlib
import importlib.util
import json
from typing import Any

from scripts.benchmarks import sides

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
"""The same, without reading the certificates that plain http does not need, as in this SDK."""


def build_sides(target: sides.Target) -> dict[str, sides.Side]:
    """Return all sides."""
    library = importlib.import_module("httpx")
    make_async = library.AsyncClient
    if importlib.util.find_spec("httpx_aiohttp"):
        make_async = importlib.import_module("httpx_aiohttp").HttpxAiohttpClient
    options = {"base_url": target.base_url, "timeout": sides.PATIENCE, "trust_env": False}
    client, async_client, runner = library.Client(**options), make_async(**options), asyncio.Runner()
    # httpx opens 100 connections and lets other requests wait; the SDK opens as many as this, because agents take their time.
    # Keeping more of them is slower: httpcore looks at every idle connection whenever an exchange begins or ends.
    limits = library.Limits(max_connections=1000, max_keepalive_connections=20)
    with_1000 = make_async(**options, limits=limits)
    sent, body = target.ask, target.ask.body.encode()

    async def ask(client: Any) -> object:
        return (await client.post(sent.path, content=body, headers=sent.headers)).json()

    def open_stream(client: Any, task: str) -> Any:
        stream = target.stream
        return client.stream("POST", stream.path, content=target.stream_body(task), headers=stream.headers)

    def read_bytes(task: str) -> sides.Reading:
        with open_stream(client, task) as answer:
            return sides.Reading(int(task.split()[1]), sum(map(len, answer.iter_bytes())))

    def read_json(task: str) -> sides.Reading:
        # Splits at blank lines and trusts everything.
        reading, rest = sides.Reading(), b""
        with open_stream(client, task) as answer:
            for piece in answer.iter_bytes():
                *complete, rest = (rest + piece).split(b"\n\n")
                for event in complete:
                    sides.read_event(reading, json.loads(event[6:]))
        return reading

    return {
        "ask": sides.repeat(lambda: client.post(sent.path, content=body, headers=sent.headers).json()),
        "asks": sides.run_at_once(runner, lambda: ask(async_client)),
        "asks, 1,000 connections": sides.run_at_once(runner, lambda: ask(with_1000)),
        "bytes": read_bytes,
        "bytes, json": read_json,
    }
