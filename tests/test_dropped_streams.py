"""Streams that are dropped before their end, without being closed: their connections go with them."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from httpx_aiohttp import AiohttpTransport

from payman_sdk import AsyncPaymanClient, PaymanClient
from tests.loops import LOOPS, run_on
from tests.peer import Peer
from tests.streaming.wire import STREAM_PATH, chunk, status, stream
from tests.test_after_sending import settings

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/fd").exists(), reason="descriptors cannot be counted here"
)

DROPS = 100
"""As many as there may be connections under threads; of those of other libraries a fifth, where it is only their use that is tested."""

DROPS_OF_TASKS = 40
"""Under tasks there may be a thousand connections."""

LIMITS = httpx.Limits(max_connections=2 * DROPS)
EVENTS = 2
"""So many are read, and more would come."""


@pytest.fixture
def endless(peer: Peer) -> Peer:
    """A server whose streams do not end."""
    peer.always(
        STREAM_PATH, stream(status("working"), chunk("one "), chunk("two ", append=True), then=peer.hang)
    )
    return peer


@pytest.fixture(autouse=True)
def _unclosed() -> Iterator[None]:
    """Trio and aiohttp say that what was dropped should have been closed, as it should."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        yield


def ways(loop: str) -> dict[str, Callable[[], dict[str, Any]]]:
    """Whose connections there may be."""
    made: dict[str, Callable[[], dict[str, Any]]] = {
        "own": dict,
        "httpx": lambda: {"transport": httpx.AsyncHTTPTransport(limits=LIMITS)},
    }
    if loop == "asyncio":
        made["aiohttp"] = lambda: {"transport": AiohttpTransport(limits=LIMITS)}
    return made


def descriptors(peer: Peer) -> int:
    """How many there are, but for the sockets of the server, which is in this process."""
    ours: set[str] = set()
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            remote, inode = line.split()[2], line.split()[9]
            if int(remote.rpartition(":")[2], 16) == peer.port:
                ours.add(f"socket:[{inode}]")
    count = 0
    for one in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(OSError):
            count += not (target := str(one.readlink())).startswith("socket:") or target in ours
    return count


async def drop(client: AsyncPaymanClient, drops: int, *, collects: bool) -> None:
    for _ in range(drops):
        opened = client.stream("Hello!")
        await opened.__aenter__()
        for _ in range(EVENTS):
            await anext(opened)
        del opened
        if collects:
            gc.collect(0)


@pytest.mark.slow
@pytest.mark.parametrize("loop", LOOPS)
def test_dropped_streams_of_tasks_leave_no_descriptors(loop: str, endless: Peer) -> None:
    """Many of them, whether garbage is collected meanwhile or not, and the client goes on."""

    async def main(way: dict[str, Any], collects: bool) -> None:
        async with AsyncPaymanClient(**settings(endless, **way)) as client:
            await drop(client, DROPS // 5 if way else DROPS_OF_TASKS, collects=collects)
            assert (await client.ask("Hello!")).status == "completed"

    for name, way in ways(loop).items():
        for collects in (True, False):
            gc.collect()
            before = descriptors(endless)
            run_on(loop, main, way(), collects)
            gc.collect()
            assert descriptors(endless) <= before, (name, collects)


@pytest.mark.slow
def test_dropped_streams_of_a_client_that_is_dropped_too(endless: Peer) -> None:
    """Nothing is closed by anybody: the client, its streams and the loop are all left as they are."""

    async def main() -> None:
        await drop(AsyncPaymanClient(**settings(endless)), DROPS_OF_TASKS, collects=False)

    gc.collect()
    before = descriptors(endless)
    asyncio.run(main())
    gc.collect()
    assert descriptors(endless) <= before


@pytest.mark.slow
def test_dropped_streams_of_threads_leave_no_descriptors(endless: Peer) -> None:
    """Their connections are closed as soon as they are dropped."""
    for name, way in {"own": {}, "httpx": {"transport": httpx.HTTPTransport(limits=LIMITS)}}.items():
        with PaymanClient(**settings(endless, **way)) as client:
            client.ask("Hello!")
            gc.collect()
            before = descriptors(endless)
            for _ in range(DROPS // 5 if way else DROPS):
                opened = client.stream("Hello!")
                opened.__enter__()
                for _ in range(EVENTS):
                    next(opened)
                del opened
            gc.collect()
            assert descriptors(endless) <= before + 1, name  # that of the ask may be open still
            assert client.ask("Hello!").status == "completed", name
