"""Streams that another thread or task closes while somebody waits for their next event, as a stop button does."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import anyio
import httpx
import pytest

from payman_sdk import AsyncPaymanClient, PaymanClient
from payman_sdk.errors import ConfigurationError
from tests.loops import LOOPS, run_on
from tests.peer import ASK_PATH, GET_PATH, PLAIN, Peer, Request, answer, completed, task_with
from tests.streaming.wire import RESUBSCRIBE_PATH, STREAM_PATH, WORKING, stream

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
def test_the_connection_of_an_answer_that_has_ended_is_another_asks(
    way: str, peer: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stream that broke waits to resume; whoever closes it then ends no other ask."""
    monkeypatch.setattr("payman_sdk._core.stream._FRUITLESS", 1000)
    has_come, go_on = threading.Event(), threading.Event()

    def do_slowly(request: Request) -> Iterator[bytes]:
        has_come.set()
        go_on.wait(SOON)
        yield from completed(request)

    def look_up(request: Request) -> Iterator[bytes]:
        state = "input-required" if request.json["params"]["id"] == "tsk-1" else "working"
        yield from task_with(status={"state": state})(request)

    async def main() -> str:
        given = settings(peer)
        peer.always(STREAM_PATH, stream(WORKING))
        peer.always(RESUBSCRIBE_PATH, answer(body=": nothing\n\n", media_type="text/event-stream"))
        peer.always(GET_PATH, look_up)
        peer.always(ASK_PATH, do_slowly)
        async with AsyncPaymanClient(**given, **TASKS[way]()) as client:
            reported = client.stream("Hello!")

            async def follow() -> None:
                async with reported:
                    async for _ in reported:
                        pass

            with anyio.fail_after(2 * SOON):
                following = asyncio.create_task(follow())
                while sum(one.path == RESUBSCRIBE_PATH for one in peer.requests) < 2:  # noqa: ASYNC110 (another thread's)
                    await anyio.sleep(0.001)
                await anyio.sleep(0.02)  # that has ended, and the stream waits to resume again
                asking = asyncio.create_task(client.reply("tsk-1", "approve"))
                assert await asyncio.to_thread(has_come.wait, SOON)
                await reported.close()
                go_on.set()
                answered = (await asking).status
                await following
        return answered

    assert asyncio.run(main()) == "completed"
    assert len(peer.asks()) == 1


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
