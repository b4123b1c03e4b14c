"""What the peers do: for each a function that builds its sides, and the program of its first ask.

Libraries are imported by name: the environment in which these scripts are type-checked does not have all of them, and has another
`payman_sdk` than the published one.
"""

from __future__ import annotations

import asyncio
import gc
import importlib
import importlib.util
import json
import os
import time
from dataclasses import asdict
from typing import Any

from scripts.benchmarks.sides import ASKED, PATIENCE, Reading, Side, Target, measure_peak, repeat, run_at_once

Sides = dict[str, Side]
"""Functions by name that do one thing a number of times."""

HTTPX_FIRST_ASK = """
import json, sys
import httpx
base_url, *requests = json.loads(sys.argv[1])
with httpx.Client(base_url=base_url) as client:
    for path, headers, body in requests[:2]:
        answer = client.post(path, content=body.encode(), headers=headers).json()
assert answer["result"]
"""
"""The two requests of a first ask: one for the token, and the ask."""

HTTPX_FIRST_ASK_WITHOUT_CERTIFICATES = HTTPX_FIRST_ASK.replace(
    "base_url=base_url", "base_url=base_url, verify=False"
)
"""The same, without reading the certificates that plain http does not need, as in this SDK."""

FIRST_ASK = """
import json, sys
from payman_sdk import PaymanClient
with PaymanClient(client_id="bench", client_secret="bench", base_url=json.loads(sys.argv[1])[0]) as client:
    assert client.ask("list all wallets")["artifacts"]
"""

PUBLISHED_FIRST_ASK = """
import json, sys
from payman_sdk import PaymanClient
client = PaymanClient.with_credentials({"client_id": "bench", "client_secret": "bench"})
client.base_url = json.loads(sys.argv[1])[0]
assert client.ask("list all wallets")["artifacts"]
"""


def build_ours(target: Target) -> Sides:
    """Build this SDK, as it is installed: without extras, or with those of its environment."""
    from payman_sdk import AsyncPaymanClient, PaymanClient, PaymanConfig

    runner = asyncio.Runner()
    config: PaymanConfig = {"client_id": "bench", "client_secret": "bench", "base_url": target.base_url}
    config["timeout"] = PATIENCE
    client = PaymanClient(config)
    has_aiohttp = importlib.util.find_spec("aiohttp") is not None
    async_client = AsyncPaymanClient(config, transport="aiohttp" if has_aiohttp else None)
    client.ask("get a token")

    def read(task: str) -> Reading:
        reading = Reading()
        with client.stream(task) as stream:
            for event in stream:
                reading.count += 1
                if event.type == "artifact_update":
                    reading.characters += len(event.delta)
        return reading

    return {
        "ask": repeat(lambda: client.ask(ASKED)),
        "asks": run_at_once(runner, lambda: async_client.ask(ASKED)),
        "stream": read,
    }


def build_httpx(target: Target) -> Sides:
    """Build `httpx` alone, or with aiohttp where the environment has it: what the SDK's bytes cost without an SDK."""
    library = importlib.import_module("httpx")
    make_async = library.AsyncClient
    if importlib.util.find_spec("httpx_aiohttp"):
        make_async = importlib.import_module("httpx_aiohttp").HttpxAiohttpClient
    options = {"base_url": target.base_url, "timeout": PATIENCE, "trust_env": False}
    client, async_client, runner = library.Client(**options), make_async(**options), asyncio.Runner()
    sent, body = target.ask, target.ask.body.encode()

    async def ask() -> object:
        return (await async_client.post(sent.path, content=body, headers=sent.headers)).json()

    def read_bytes(task: str) -> Reading:
        request = {"content": target.stream_body(task), "headers": target.stream.headers}
        with client.stream("POST", target.stream.path, **request) as answer:
            return Reading(int(task.split()[1]), sum(map(len, answer.iter_bytes())))

    return {
        "ask": repeat(lambda: client.post(sent.path, content=body, headers=sent.headers).json()),
        "asks": run_at_once(runner, ask),
        "bytes": read_bytes,
    }


def build_openai(target: Target) -> Sides:
    """Build `openai`: a chat completion, typed; and the SDK's events, which it casts to `object`."""
    runner, library = asyncio.Runner(), importlib.import_module("openai")
    options = {"api_key": "bench", "base_url": target.base_url, "timeout": PATIENCE, "max_retries": 0}
    client, async_client = library.OpenAI(**options), library.AsyncOpenAI(**options)
    chat: dict[str, Any] = {"model": "canned", "messages": [{"role": "user", "content": ASKED}]}

    def read(task: str) -> Reading:
        reading, options = Reading(), {"stream": True, "stream_cls": library.Stream[object]}
        for event in client.post(target.stream.path, body={"text": task}, cast_to=object, **options):
            reading.count += 1
            if artifact := event["result"].get("artifact"):
                reading.characters += len(artifact["parts"][0]["text"])
        return reading

    return {
        "ask": repeat(lambda: client.chat.completions.create(**chat)),
        "asks": run_at_once(runner, lambda: async_client.chat.completions.create(**chat)),
        "stream": read,
    }


def build_published(target: Target) -> Sides:
    """Build the client that was published before, `paymanai-sdk` 1.0.8."""
    library = importlib.import_module("payman_sdk")
    client = library.PaymanClient.with_credentials({"client_id": "bench", "client_secret": "bench"})
    client.base_url = target.base_url
    return {"ask": repeat(lambda: client.ask(ASKED))}


BUILDERS = {"ours": build_ours, "httpx": build_httpx, "openai": build_openai, "published": build_published}


def main(target: str, client: str, name: str, arguments: str) -> None:
    """Run a side twice, and print its second reading, of a warm process, as JSON."""
    side = BUILDERS[client](Target.parse(target))[name]
    reading = Reading()
    for _ in range(2):
        gc.collect()
        seconds, busy = time.perf_counter(), time.process_time()
        reading = side(**json.loads(arguments))
        reading.busy = time.process_time() - busy
        reading.seconds = time.perf_counter() - seconds
    reading.size = measure_peak()
    print(json.dumps(asdict(reading)), flush=True)
    os._exit(0)  # the sides close nothing, and some libraries would complain of it
