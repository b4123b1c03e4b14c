"""Pools of few connections: who waits for one has sent nothing, and a task that is cancelled leaves none behind."""

from __future__ import annotations

import asyncio
import contextlib
import random
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import anyio
import anyio.lowlevel
import anyio.to_thread
import httpx
import pytest
from httpx_aiohttp import AiohttpTransport

import payman_sdk._io.transport
from payman_sdk import AsyncPaymanClient, PaymanClient
from payman_sdk._io.clock import monotonic
from payman_sdk._io.event_loops import TaskQueue
from payman_sdk.errors import APITimeoutError
from tests.loops import LOOPS, run_on, wait_until
from tests.peer import ASK_PATH, Peer, Request, completed
from tests.streaming.wire import STREAM_PATH, status, stream
from tests.test_after_sending import Wrapped, settings

LIMITS = httpx.Limits(max_connections=3)


def ways(loop: str) -> list[str]:
    """Whose connections there may be; aiohttp's know no other loop than asyncio's."""
    return ["own", "transport", "wrapped", "http_client", *(["bridge"] if loop == "asyncio" else [])]


@contextlib.asynccontextmanager
async def connected(
    way: str, peer: Peer, limits: httpx.Limits, **more: Any
) -> AsyncIterator[AsyncPaymanClient]:
    """A client with few connections, whosever they are."""
    given: dict[str, Any] = {}
    http: httpx.AsyncClient | None = None
    if way == "transport":
        given = {"transport": httpx.AsyncHTTPTransport(limits=limits)}
    elif way == "wrapped":
        given = {"transport": Wrapped(limits=limits)}
    elif way == "http_client":
        http = httpx.AsyncClient(limits=limits, trust_env=False)
        given = {"http_client": http}
    elif way == "bridge":
        given = {"transport": AiohttpTransport(limits=limits)}
    async with AsyncPaymanClient(**settings(peer, **given, **more)) as client:
        yield client
    if http is not None:
        await http.aclose()


@pytest.mark.parametrize("loop", LOOPS)
def test_nobody_waits_for_its_turn_longer_than_agreed(loop: str) -> None:
    """One timer serves all: also those that come while it runs, and those that come when all others have gone."""
    seconds = 0.02

    async def main() -> None:
        queue, waited = TaskQueue(seconds), list[float]()
        patient = TaskQueue(60.0)

        async def wait(delay: float) -> None:
            await anyio.sleep(delay)
            began = monotonic()
            await queue.wait()
            waited.append(monotonic() - began)

        for delays in ([0.0] * 40 + [seconds / 2] * 40, [0.0]):
            waited.clear()
            async with anyio.create_task_group() as group:
                for delay in delays:
                    group.start_soon(wait, delay)
            assert len(waited) == len(delays)
            assert min(waited) >= seconds - 0.001

        async with anyio.create_task_group() as group:  # the first is woken, the second is not
            for _ in range(2):
                group.start_soon(patient.wait)
            await wait_until(lambda: len(patient._waiting) == 2)
            patient.wake_next()
            await anyio.lowlevel.checkpoint()
            assert len(patient._waiting) == 1
            group.cancel_scope.cancel()
        assert not patient._waiting

    run_on(loop, main)


@pytest.mark.slow
@pytest.mark.parametrize("loop", LOOPS)
def test_waiting_for_a_free_connection_sends_nothing(
    loop: str, peer: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where all connections are taken, the error says that nothing was sent."""
    limits = httpx.Limits(max_connections=1)
    monkeypatch.setattr(payman_sdk._io.transport, "_MOST_OF_TASKS", 1)
    came = threading.Event()

    def hold() -> None:
        came.set()
        peer.hang()

    peer.always(STREAM_PATH, stream(status("working"), then=hold))

    async def main() -> None:
        for way in ways(loop):
            async with connected(way, peer, limits, max_retries=0) as client:
                await client.get_access_token()
                async with client.stream("Hello!"):
                    await anyio.to_thread.run_sync(came.wait)
                    with pytest.raises(APITimeoutError) as caught:
                        await client.ask("send 10 TSD to Test Payee", timeout=0.6)
                assert caught.value.sent is False, way
                assert "No connection to 127.0.0.1:" in str(caught.value) or way == "bridge", way
            came.clear()

    run_on(loop, main)
    assert peer.asks() == []


def test_a_thread_that_waits_for_a_free_connection_sends_nothing(peer: Peer) -> None:
    """The same for threads."""
    came = threading.Event()

    def hold() -> None:
        came.set()
        peer.hang()

    peer.always(STREAM_PATH, stream(status("working"), then=hold))
    transport = httpx.HTTPTransport(limits=httpx.Limits(max_connections=1))
    with (
        PaymanClient(**settings(peer, transport=transport, max_retries=0)) as client,
        client.stream("Hello!"),
    ):
        came.wait()
        with pytest.raises(APITimeoutError, match="was free in time") as caught:
            client.ask("send 10 TSD to Test Payee", timeout=0.2)
    assert caught.value.sent is False
    assert peer.asks() == []


# --- cancellations


async def cancel_by_scope(asks: list[Callable[[], Any]], after: float) -> None:
    with anyio.CancelScope() as scope:
        async with anyio.create_task_group() as group:
            for ask in asks:
                group.start_soon(ask)
            await anyio.sleep(after)
            scope.cancel()


async def cancel_natively(asks: list[Callable[[], Any]], after: float) -> None:
    tasks = [asyncio.ensure_future(ask()) for ask in asks]
    await asyncio.sleep(after)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("loop", "cancel"),
    [
        ("asyncio", cancel_natively),
        ("asyncio", cancel_by_scope),
        ("trio", cancel_by_scope),
    ],
)
def test_cancelled_asks_leave_the_pool_whole(
    loop: str, cancel: Callable[..., Any], peer: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many tasks are cancelled, in whatever they do, all connections can be used at once afterwards."""
    monkeypatch.setattr(payman_sdk._io.transport, "_MOST_OF_TASKS", 3)
    chance = random.Random(17)  # noqa: S311 (the same in every run)
    together = threading.Barrier(3)

    def all_at_once(request: Request) -> Iterator[bytes]:
        # What was cancelled may arrive late.
        if request.json["params"]["message"]["parts"][0]["text"] == "all at once":
            together.wait(60)
        yield from completed(request)

    async def main() -> None:
        for way in ways(loop):
            peer.always(ASK_PATH, completed)
            peer.always(STREAM_PATH, stream(status("working"), status("completed", final=True)))
            async with connected(way, peer, LIMITS) as client:
                await client.get_access_token()

                async def read(client: AsyncPaymanClient = client) -> None:
                    async with client.stream("Hello!") as opened:
                        await opened.result()

                async def ask(text: str = "Hello!", client: AsyncPaymanClient = client) -> None:
                    await client.ask(text)

                for _ in range(500 // len(ways(loop)) // 10):
                    await cancel([chance.choice((ask, read)) for _ in range(10)], chance.random() * 0.015)
                peer.always(ASK_PATH, all_at_once)
                with anyio.fail_after(20):
                    async with anyio.create_task_group() as group:
                        for _ in range(3):
                            group.start_soon(ask, "all at once")

    run_on(loop, main)
