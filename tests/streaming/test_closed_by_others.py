"""Streams that another thread or task closes while somebody waits for their next event, as a stop button does."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

import anyio
import httpx
import pytest

from payman_sdk import AsyncPaymanClient, PaymanClient
from payman_sdk.errors import ConfigurationError
from tests.loops import LOOPS, run_on
from tests.peer import PLAIN, Peer
from tests.streaming.wire import STREAM_PATH, WORKING, stream

Ways = Mapping[str, Callable[[], dict[str, Any]]]
THREADS: Ways = {
    "own": dict,
    "a transport": lambda: {"transport": httpx.HTTPTransport(verify=PLAIN)},
}
TASKS: Ways = {
    "own": dict,
    "a transport": lambda: {"transport": httpx.AsyncHTTPTransport(verify=PLAIN)},
}
SOON = 5
"""Seconds in which a reader notices; its own time is ten times as long."""


def settings(peer: Peer) -> dict[str, Any]:
    peer.always(STREAM_PATH, stream(WORKING, then=peer.hang))
    return {"client_id": "pm-test-1", "client_secret": "s3cret", "base_url": peer.base_url, "timeout": 50}


@pytest.mark.parametrize("way", THREADS)
def test_a_thread_finds_no_more_events(way: str, peer: Peer) -> None:
    """And other asks keep their connections."""
    with PaymanClient(**settings(peer), **THREADS[way]()) as client:
        reported, read = client.stream("Hello!"), list[str]()
        has_begun = threading.Event()

        def follow() -> None:
            with reported:
                for event in reported:
                    read.append(event.type)
                    has_begun.set()
            read.append("the end")

        reader = threading.Thread(target=follow)
        reader.start()
        assert has_begun.wait(SOON)
        time.sleep(0.05)  # it waits for the next event
        reported.close()
        assert client.ask("Another!").status == "completed"
        reader.join(SOON)
        assert read == ["status_update", "the end"]
        with pytest.raises(ConfigurationError, match="left before its end"):
            reported.result()


@pytest.mark.parametrize("way", TASKS)
@pytest.mark.parametrize("loop", LOOPS)
def test_a_task_finds_no_more_events(loop: str, way: str, peer: Peer) -> None:
    """And asks that get the descriptors of its connection keep them, also if it is cancelled."""

    async def main() -> list[str]:
        read = list[str]()
        async with AsyncPaymanClient(**settings(peer), **TASKS[way]()) as client:
            reported, has_begun = client.stream("Hello!"), anyio.Event()

            async def follow() -> None:
                async with reported:
                    async for event in reported:
                        read.append(event.type)
                        has_begun.set()
                read.append("the end")

            with anyio.fail_after(SOON):
                async with anyio.create_task_group() as tasks:
                    tasks.start_soon(follow)
                    await has_begun.wait()
                    await anyio.sleep(0.05)
                    await reported.close()
                    for number in range(3):
                        read.append((await client.ask(f"ask {number}")).status)
        return read

    assert sorted(run_on(loop, main)) == ["completed"] * 3 + ["status_update", "the end"]
