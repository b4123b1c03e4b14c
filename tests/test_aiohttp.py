"""A client that asks for aiohttp's connections keeps all promises on them."""

from __future__ import annotations

import asyncio
import gc
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from payman_sdk.errors import APIConnectionError, OutcomeUnknownError
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
            ask(peer, max_retries=2, read_timeout=0.3, timeout=5)
        assert (caught.value.sent, len(peer.asks())) == (True, 1), broken


def test_nobody_listening_took_nothing() -> None:
    """A refused connection is tried again, and the error says that nothing was sent."""
    with Peer() as gone:
        pass
    tries: list[object] = []
    with pytest.raises(APIConnectionError) as caught:
        ask(gone, max_retries=1, timeout=3, on_retry=tries.append)
    assert (caught.value.sent, len(tries)) == (False, 1)


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
