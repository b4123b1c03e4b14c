"""Answers that are there before their request: a server that sends two for one leaves the second to whoever asks next.

It answers nothing. Were it believed, a refusal would say that nothing was done, and what still waits to be written would be sent
with the next request of that connection: a payment that was reported as refused would be made.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from payman_sdk import AsyncPaymanClient, PaymanClient
from payman_sdk.errors import PaymanError
from tests.loops import LOOPS, run_on
from tests.peer import ASK_PATH, Answer, Peer, Request, completed, head
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


async def ask_twice_async(text: str, settings: Mapping[str, Any]) -> Any:
    async with AsyncPaymanClient(**settings) as client:
        await client.ask("Hello!")
        try:
            return await client.ask(text)
        except PaymanError as error:
            return error
        finally:
            await client.ask("Hello again!")


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
