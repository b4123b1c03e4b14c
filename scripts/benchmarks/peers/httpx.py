"""`httpx` alone, or with aiohttp where the environment has it: what the SDK's bytes cost without an SDK."""

from __future__ import annotations

import asyncio
import importlib
import importlib.util

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
    sent, body = target.ask, target.ask.body.encode()

    async def ask() -> object:
        return (await async_client.post(sent.path, content=body, headers=sent.headers)).json()

    def read_bytes(task: str) -> sides.Reading:
        request = {"content": target.stream_body(task), "headers": target.stream.headers}
        with client.stream("POST", target.stream.path, **request) as answer:
            return sides.Reading(int(task.split()[1]), sum(map(len, answer.iter_bytes())))

    return {
        "ask": sides.repeat(lambda: client.post(sent.path, content=body, headers=sent.headers).json()),
        "asks": sides.run_at_once(runner, ask),
        "bytes": read_bytes,
    }
