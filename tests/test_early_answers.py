"""Answers that are there before their request: a server that sends two for one leaves the second to whoever asks next.

It answers nothing. Were it believed, a refusal would say that nothing was done, and what still waits to be written would be sent
with the next request of that connection: a payment that was reported as refused would be made.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import httpx
import pytest

from payman_sdk import AsyncPaymanClient, PaymanClient
from payman_sdk._io.slots import Sockets
from payman_sdk.errors import PaymanError
from tests.loops import LOOPS, run_on
from tests.peer import ASK_PATH, GET_PATH, PLAIN, Answer, Peer, Request, answer, completed, head, rpc
from tests.tables import table

REFUSED = b'{"jsonrpc": "2.0", "id": null, "error": {"code": -32600, "message": "Invalid Request"}}'
EARLY: Mapping[str, bytes] = {
    "400": head(400, {"content-length": "0"}),
    "403, and the connection ends": head(403, {"content-length": "0", "connection": "close"}),
    "a refusal of nobody knows what": head(200, {"content-length": str(len(REFUSED))}) + REFUSED,
    "401": head(401, {"content-length": "0"}),
    "503": head(503, {"content-length": "0", "retry-after": "0"}),
    "the head of a refusal": head(404, {"content-length": "1000"}),
    "a hint, then a refusal": head(103, {}) + head(422, {"content-length": "0"}),
    "no HTTP": b"Bad Request",
    "empty lines": b"\r\n\r\n",
}


def followed_by(early: bytes) -> Answer:
    """The answer of an agent that has done what it was asked, and something more in the same packet."""

    def write(request: Request) -> Iterator[bytes]:
        yield b"".join(completed(request)) + early

    return write


def ask_twice(text: str, settings: Mapping[str, Any]) -> Any:
    with PaymanClient(**settings) as client:
        client.ask("Hello!")
        try:
            return client.ask(text)
        except PaymanError as error:
            return error
        finally:
            client.ask("Hello again!")
            if "http_client" in settings:
                settings["http_client"].close()


async def ask_twice_async(text: str, settings: Mapping[str, Any]) -> Any:
    async with AsyncPaymanClient(**settings) as client:
        await client.ask("Hello!")
        try:
            return await client.ask(text)
        except PaymanError as error:
            return error
        finally:
            await client.ask("Hello again!")
            if "http_client" in settings:
                await settings["http_client"].aclose()


@pytest.mark.slow
@table(
    "early, size", [*((early, 0) for early in EARLY), ("400", 70_000), ("a hint, then a refusal", 200_000)]
)
def test_an_answer_that_was_there_before_is_none(early: str, size: int) -> None:
    """Also to an ask that is written in several packets."""
    text = "send 10 TSD to Test Payee".ljust(size)
    for way in ("threads", *LOOPS):
        with Peer() as peer:
            settings = {
                "client_id": "pm-test-1",
                "client_secret": "s3cret-of-a-test",
                "base_url": peer.base_url,
                "settle_time": 0,
            }
            peer.script(ASK_PATH, followed_by(EARLY[early]))
            outcome = (
                ask_twice(text, settings)
                if way == "threads"
                else run_on(way, ask_twice_async, text, settings)
            )
        # What was asked is done once, and reported as done. Of several packets the first are on their way when the answer is
        # seen; without a time to settle they may arrive after the second try, as the same task.
        params = [request.json["params"] for request in peer.asks()]
        asked = [(one["id"], one["message"]["parts"][0]["text"]) for one in params]
        if size:
            asked = list(dict.fromkeys(asked))
        assert [words for _, words in asked] == ["Hello!", text, "Hello again!"], way
        assert getattr(outcome, "status", outcome) == "completed", way


WAYS: Mapping[str, Any] = {
    "threads": dict,
    "trio": dict,
    "a client": lambda: {"http_client": httpx.Client(verify=PLAIN)},
    "a transport": lambda: {"transport": httpx.HTTPTransport(verify=PLAIN)},
    "asyncio": dict,
    "a client for tasks": lambda: {"http_client": httpx.AsyncClient(verify=PLAIN)},
    "a transport for tasks": lambda: {"transport": httpx.AsyncHTTPTransport(verify=PLAIN)},
}


@pytest.mark.slow
@table("way, is_half", [(way, is_half) for way in WAYS for is_half in (False, True)])
def test_no_refusal_is_believed_that_may_have_been_there_before(way: str, is_half: bool) -> None:
    """A given client reuses a connection whatever lies on it, and half a head passes for the answer once the other half comes."""
    with Peer() as peer:
        early = EARLY["400"]
        half = len(early) // 2 if is_half else len(early)

        def do_first(request: Request) -> Iterator[bytes]:
            yield b"".join(completed(request)) + early[:half]

        def do_second(request: Request) -> Iterator[bytes]:
            peer.learn(request)
            yield early[half:] + b"".join(completed(request))

        peer.script(ASK_PATH, do_first, do_second)
        settings = {"client_id": "pm-test-1", "client_secret": "s3cret-of-a-test", "base_url": peer.base_url}
        settings |= {"settle_time": 0, "timeout": 10} | WAYS[way]()
        is_async = way in LOOPS or way.endswith("tasks")
        loop = way if way in LOOPS else "asyncio"
        outcome = run_on(loop, ask_twice_async, "pay", settings) if is_async else ask_twice("pay", settings)
    assert getattr(outcome, "status", outcome) == "completed"
    words = [request.json["params"]["message"]["parts"][0]["text"] for request in peer.asks()]
    assert words == ["Hello!", "pay", "Hello again!"]


def test_a_refusal_on_a_used_connection_is_looked_up_and_passed_on() -> None:
    """It comes out as it is, and proves nothing; one that names the request does."""
    with Peer() as peer:
        given: Any = {
            "client_id": "pm-test-1",
            "client_secret": "s3cret-of-a-test",
            "base_url": peer.base_url,
        }
        for error in ({"code": -32602, "message": "no"}, None):
            refusal = rpc(error=error) if error else answer(400)
            peer.script(ASK_PATH, completed, refusal)
            with (
                httpx.Client(verify=PLAIN) as http_client,
                PaymanClient(http_client=http_client, **given) as client,
            ):
                client.ask("Hello!")
                with pytest.raises(PaymanError) as caught:
                    client.ask("pay")
            assert caught.value.sent is (False if error else None)
    assert [request.path for request in peer.requests].count(GET_PATH) == 1


def test_not_found_is_believed_only_where_it_names_the_look_up() -> None:
    """On a used connection of a given client: whoever believes what was there before sends the ask again."""
    with Peer() as peer:
        peer.script(ASK_PATH, completed, answer(502))
        nobodys = b'{"jsonrpc": "2.0", "id": null, "error": {"code": -32001, "message": "Task not found"}}'
        unknown = answer(body=nobodys)
        peer.script(GET_PATH, unknown, unknown, completed)
        with (
            httpx.Client(verify=PLAIN) as http_client,
            PaymanClient(
                client_id="pm-test-1",
                client_secret="s3cret-of-a-test",
                base_url=peer.base_url,
                http_client=http_client,
                settle_time=0,
            ) as client,
        ):
            client.ask("Hello!")
            assert client.ask("pay").status == "completed"
            assert len(peer.asks()) == 2
            # Two look-ups later it comes on a new connection, and is believed.
            peer.always(GET_PATH, unknown)
            assert client.ask("pay more", idempotency_key="more").status == "completed"
    assert len(peer.asks()) == 3


def test_what_is_noted_of_a_long_answer_stays_small() -> None:
    """The ciphertext of a stream has no blank line, and each of its reads costs the same."""
    sockets = Sockets()
    for _ in range(200):
        sockets.note_read(b"x" * 100_000)
    assert len(sockets._tail) <= 4
    assert not sockets.has_read_to_end({"content-length": "0"})
    sockets.note_write()
    for byte in b"HTTP/1.1 200 OK\r\n\r\n" + b"y" * 9:
        sockets.note_read(bytes([byte]))
    assert sockets.has_read_to_end({"content-length": "9"})
    assert not sockets.has_read_to_end({"content-length": "8"})
