"""A client that asks for aiohttp's connections keeps all promises on them."""

from __future__ import annotations

import asyncio
import gc
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import aiohttp
import pytest

from payman_sdk import AsyncPaymanClient
from payman_sdk._io.aiohttp_transport import _Turns
from payman_sdk.errors import APIConnectionError, ConfigurationError, OutcomeUnknownError
from tests.conftest import SECRET
from tests.peer import ASK_PATH, GET_PATH, TOKEN_PATH, Peer, Request, completed, reset, token
from tests.test_connections import (
    NOBODY_TELLS,
    asked,
    connected,
    cut_body,
    cut_head,
    hung_up,
    nonsense,
    reset_body,
)


def ask(peer: Peer, **settings: Any) -> str:
    return asyncio.run(asked(peer, transport="aiohttp", **settings))


def test_what_was_sent_is_not_sent_again(peer: Peer) -> None:
    """A connection that breaks after the request leaves it open what became of it."""
    peer.always(GET_PATH, NOBODY_TELLS)
    for broken in (hung_up, reset, cut_head, cut_body, reset_body, nonsense, peer.never):
        peer.requests.clear()
        peer.always(ASK_PATH, broken)
        with pytest.raises(OutcomeUnknownError) as caught:
            ask(peer, max_retries=2, read_timeout=0.3, timeout=60)
        assert (caught.value.sent, len(peer.asks())) == (True, 1), broken


def test_nobody_listening_took_nothing() -> None:
    """A refused connection is tried again, and the error says that nothing was sent."""
    with Peer() as gone:
        pass
    tries: list[object] = []
    with pytest.raises(APIConnectionError) as caught:
        ask(gone, max_retries=1, timeout=3, on_retry=tries.append)
    assert (caught.value.sent, len(tries)) == (False, 1)


def test_connections_that_cannot_be_made_have_sent_nothing(
    peer: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are made before a request is handed over, so an error says that nothing was sent."""

    def fail(*_: object, **__: object) -> None:
        raise TypeError("broken")

    for place in ("TCPConnector", "ClientSession"):
        with monkeypatch.context() as patch:
            patch.setattr(aiohttp, place, fail)
            with pytest.raises(ConfigurationError, match="aiohttp") as caught:
                ask(peer, max_retries=0, timeout=5)
        assert (caught.value.sent, peer.requests) == (False, []), place


def test_a_replaced_aiohttp_may_have_sent_what_it_fails_to_connect_with(
    peer: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A program's own function in aiohttp's place may repeat a request, and fail to connect the second time."""
    genuine = aiohttp.ClientSession._request

    async def repeat(session: aiohttp.ClientSession, method: str, url: Any, **given: Any) -> Any:
        answer = await genuine(session, method, url, **given)
        if url.path != ASK_PATH:
            return answer
        answer.close()
        return await genuine(session, method, "http://127.0.0.1:1/", **given)

    peer.always(ASK_PATH, completed)
    peer.always(GET_PATH, NOBODY_TELLS)
    monkeypatch.setattr(aiohttp.ClientSession, "_request", repeat)
    with pytest.raises(OutcomeUnknownError) as caught:
        ask(peer, max_retries=2, timeout=60)
    assert (caught.value.sent, len(peer.asks())) == (True, 1)


def test_instrumentation_sees_no_query(peer: Peer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sentry's and others' spans hold whole addresses; the query of a token request holds a refresh token."""
    genuine = aiohttp.ClientSession.__init__
    watch, seen = aiohttp.TraceConfig(), list[str]()

    async def note(_: object, __: object, about: aiohttp.TraceRequestStartParams) -> None:
        seen.append(str(about.url))

    def trace(session: aiohttp.ClientSession, *args: Any, **given: Any) -> None:
        genuine(session, *args, **given, trace_configs=[watch])

    watch.on_request_start.append(note)
    monkeypatch.setattr(aiohttp.ClientSession, "__init__", trace)
    peer.always(ASK_PATH, completed)

    async def main() -> None:
        async with AsyncPaymanClient.with_token(
            {"client_id": "pm-test-1", "client_secret": SECRET, "base_url": peer.base_url},
            {"refreshToken": "hunted"},
            transport="aiohttp",
        ) as client:
            await client.ask("Hello!")

    asyncio.run(main())
    gc.collect()  # no session says that it was not closed
    assert seen == [peer.base_url + ASK_PATH]
    assert "hunted" in peer.requests[0].target


def test_an_address_of_ipv6_is_reached() -> None:
    """The brackets around it reach aiohttp, and the server in the header `Host`."""
    try:
        peer = Peer(host="::1")
    except OSError:
        pytest.skip("this machine has no IPv6")
    with peer:
        peer.always(ASK_PATH, completed)
        assert ask(peer) == "completed"
        assert {request.headers["host"] for request in peer.requests} == {f"[::1]:{peer.port}"}


def test_no_cookie_and_no_warning_is_left(peer: Peer) -> None:
    """Each loop has connections of its own, which end with it; a cookie of one answer travels with no other ask."""

    def with_cookie(request: Request) -> Iterator[bytes]:
        head, _, body = b"".join(completed(request)).partition(b"\r\n\r\n")
        yield head + b"\r\nSet-Cookie: who=me; Path=/\r\n\r\n" + body

    peer.always(ASK_PATH, with_cookie)
    client = connected(peer, transport="aiohttp", base_url=peer.base_url.replace("127.0.0.1", "localhost"))

    async def main() -> None:
        for _ in range(2):
            await client.ask("Hello!")
        await client.close()

    asyncio.run(main())
    gc.collect()
    assert [request.headers.get("cookie") for request in peer.asks()] == [None, None]


def test_requests_take_turns_where_answers_come_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """A hundred are under way at once while others end; those that wait for long answers go out after some milliseconds."""
    monkeypatch.setattr("payman_sdk._io.aiohttp_transport._EASE", 60.0)

    class Load:
        """So many requests, which all last until `ends` is set."""

        def __init__(self, turns: _Turns, count: int) -> None:
            self.ends, self.all_out = asyncio.Event(), asyncio.Event()
            self.now = self.most = 0
            self.tasks = [asyncio.create_task(self._send(turns, count)) for _ in range(count)]

        async def _send(self, turns: _Turns, count: int) -> None:
            await turns.take()
            self.now += 1
            self.most = max(self.most, self.now)
            if self.now == count:
                self.all_out.set()
            await self.ends.wait()
            self.now -= 1
            turns.end()

    async def main() -> None:
        short = Load(_Turns(), 250)
        await asyncio.sleep(0)
        short.ends.set()
        await asyncio.gather(*short.tasks)
        assert short.most == 100

        turns = _Turns()
        long = Load(turns, 103)
        await asyncio.sleep(0)
        assert long.most == 100
        turns.end()  # wakes the first that waits, which is canceled before it goes: the next one goes in its place
        long.tasks[100].cancel()
        await asyncio.wait(long.tasks[100:101])
        await asyncio.sleep(0)
        assert (long.tasks[100].cancelled(), long.now, turns._count, len(turns._queue._waiting)) == (
            True,
            101,
            100,
            1,
        )
        for task in long.tasks:
            task.cancel()
        await asyncio.wait(long.tasks)

        monkeypatch.setattr("payman_sdk._io.aiohttp_transport._EASE", 0.001)
        late = Load(_Turns(), 150)
        await late.all_out.wait()
        late.ends.set()
        await asyncio.gather(*late.tasks)

    asyncio.run(asyncio.wait_for(main(), 30))


@pytest.mark.slow
def test_other_loops_and_processes_have_their_own(peer: Peer) -> None:
    """After the end of a loop, and in a child process, a client goes on with new connections."""
    peer.always(TOKEN_PATH, token())
    peer.always(ASK_PATH, completed)
    program = """
import asyncio, os, sys
from payman_sdk import AsyncPaymanClient
client = AsyncPaymanClient.with_token("pm-1", {"accessToken": "a", "expiresIn": 3600}, base_url=sys.argv[1], transport="aiohttp")
async def ask():
    return (await client.ask("Hello!")).status
said = [asyncio.run(ask()), asyncio.run(ask())]
async def fork():
    said = [await client.ask("Hello!")]
    if (child := os.fork()) == 0:
        return child
    assert os.waitpid(child, 0)[1] == 0
    said.append(await client.ask("Hello!"))
    return len(said)
child = asyncio.run(fork())
if child == 0:
    print(asyncio.run(ask()), flush=True)
    os._exit(0)
print(said, child)
asyncio.run(client.close())
"""
    done = subprocess.run(
        [sys.executable, "-c", program, peer.base_url],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stdout == "completed\n['completed', 'completed'] 2\n", done.stderr
    assert "Unclosed" not in done.stderr
