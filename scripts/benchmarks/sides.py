"""What runs in the environments of the peers: for each a function that builds its sides, and the program of its first ask.

A side does one thing a number of times, and gives a reading. The environments of all peers import this module, so it needs nothing but
Python. Libraries are imported by name: the environment in which these scripts are type-checked does not have all of them, and has
another `payman_sdk` than the published one.
"""

import asyncio
import gc
import importlib
import importlib.util
import json
import os
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple, Self

PATIENCE = 600.0
"""The time limit, in seconds, of clients whose default would end a long stream."""

ASKED = "list all wallets"


class Sent(NamedTuple):
    """A request as the SDK sends it, captured once, so that others put the same bytes on the wire."""

    path: str
    headers: dict[str, str]
    body: str


class Target(NamedTuple):
    """The server, and what the SDK sends to it for a token, for an ask and for a stream of 3 events."""

    base_url: str
    token: Sent
    ask: Sent
    stream: Sent

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a target that was written as JSON."""
        base_url, *requests = json.loads(text)
        return cls(base_url, *(Sent(*request) for request in requests))


@dataclass
class Reading:
    """One round of one side.

    Attributes:
        count: How many calls were made or events read.
        seconds: From the first request to the last answer.
        busy: How many seconds the process computed; in the others it waited.
        size: The most memory that the process has had, in bytes.
    """

    count: int = 0
    seconds: float = 0.0
    busy: float = 0.0
    size: int = 0


Side = Callable[..., Reading]
"""Does what it is named for, with the arguments that the row gives it."""


def repeat(call: Callable[[], object]) -> Side:
    """Return a side that makes one call after the other."""

    def side(calls: int) -> Reading:
        for _ in range(calls):
            call()
        return Reading(calls)

    return side


def run_at_once(runner: asyncio.Runner, call: Callable[[], Awaitable[object]]) -> Side:
    """Return a side that makes all calls at once."""

    async def call_all(calls: int) -> Reading:
        await asyncio.gather(*(call() for _ in range(calls)))
        return Reading(calls)

    return lambda calls: runner.run(call_all(calls))


def measure_peak() -> int:
    """Return the most memory that this process has had, in bytes; programs run the source of this function, too."""
    try:
        # `ru_maxrss` begins, on Linux, with the peak of the process that started this one.
        with open("/proc/self/status") as status:  # noqa: PTH123 (programs would pay for pathlib)
            return int(status.read().partition("VmHWM:")[2].split()[0]) * 1024
    except (OSError, IndexError, ValueError):
        import resource

        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return most if sys.platform == "darwin" else most * 1024


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
        with client.stream(task) as stream:
            lengths = [len(event.delta) if event.type == "artifact_update" else 0 for event in stream]
        return Reading(len(lengths))

    asks = run_at_once(runner, lambda: async_client.ask(ASKED))
    return {"ask": repeat(lambda: client.ask(ASKED)), "asks": asks, "stream": read}


def build_httpx(target: Target) -> Sides:
    """Build `httpx` alone, or with aiohttp where the environment has it: what the SDK's bytes cost without an SDK."""
    library = importlib.import_module("httpx")
    make_async = library.AsyncClient
    if importlib.util.find_spec("httpx_aiohttp"):
        make_async = importlib.import_module("httpx_aiohttp").HttpxAiohttpClient
    options = {"base_url": target.base_url, "timeout": PATIENCE, "trust_env": False}
    client, async_client, runner = library.Client(**options), make_async(**options), asyncio.Runner()
    sent, streamed, body = target.ask, target.stream, target.ask.body.encode()

    async def ask() -> object:
        return (await async_client.post(sent.path, content=body, headers=sent.headers)).json()

    def read_bytes(task: str) -> Reading:
        content = streamed.body.replace("task 3", task).encode()
        with client.stream("POST", streamed.path, content=content, headers=streamed.headers) as answer:
            assert sum(map(len, answer.iter_bytes()))
        return Reading(int(task.split()[1]))

    one = repeat(lambda: client.post(sent.path, content=body, headers=sent.headers).json())
    return {"ask": one, "asks": run_at_once(runner, ask), "bytes": read_bytes}


def build_openai(target: Target) -> Sides:
    """Build `openai`: a chat completion, typed; and the SDK's events, which it casts to `object`."""
    runner, library = asyncio.Runner(), importlib.import_module("openai")
    options = {"api_key": "bench", "base_url": target.base_url, "timeout": PATIENCE, "max_retries": 0}
    client, async_client = library.OpenAI(**options), library.AsyncOpenAI(**options)
    chat: dict[str, Any] = {"model": "canned", "messages": [{"role": "user", "content": ASKED}]}

    def read(task: str) -> Reading:
        options = {"stream": True, "stream_cls": library.Stream[object]}
        events = client.post(target.stream.path, body={"text": task}, cast_to=object, **options)
        artifacts = (event["result"].get("artifact") for event in events)
        lengths = [len(artifact["parts"][0]["text"]) if artifact else 0 for artifact in artifacts]
        return Reading(len(lengths))

    asks = run_at_once(runner, lambda: async_client.chat.completions.create(**chat))
    return {"ask": repeat(lambda: client.chat.completions.create(**chat)), "asks": asks, "stream": read}


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
