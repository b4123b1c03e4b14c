"""Streams of the scripted peer: what it tells, and how it breaks off."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

from payman_api import PATHS
from tests.peer import Answer, HangUp, Request, head

STREAM_PATH = PATHS["send_task_subscribe"]
RESUBSCRIBE_PATH = PATHS["resubscribe_task"]
CANCEL_PATH = PATHS["cancel_task"]

Piece = Callable[[Request], bytes]
"""A piece of a stream, made for the request that is answered."""


def event(id: str | None = None, **result: Any) -> Piece:  # noqa: A002 - the protocol's name
    """An event with a result of the request's task."""
    return said(lambda request: {"id": request.json["params"]["id"], **result}, id)


def said(result: Callable[[Request], Any], number: str | None = None) -> Piece:
    """An event with any result at all, in its JSON-RPC envelope."""

    def write(request: Request) -> bytes:
        envelope = {"jsonrpc": "2.0", "id": request.json["id"], "result": result(request), "error": None}
        return data(json.dumps(envelope), number)(request)

    return write


def data(text: str, number: str | None = None) -> Piece:
    """An event with this data."""
    mark = f"id: {number}\n" if number else ""
    return lambda _: f"{mark}data: {text}\n\n".encode()


def literally(content: bytes) -> Piece:
    """These bytes."""
    return lambda _: content


def status(state: str, *, final: bool = False, **members: Any) -> Piece:
    """A status update."""
    return event(status={"state": state, **members}, final=final)


def chunk(text: str, *, index: int = 0, append: bool = True, last: bool = False, **members: Any) -> Piece:
    """A chunk of an artifact's text."""
    artifact = {
        "name": "response",
        "parts": [{"type": "text", "text": text}],
        "index": index,
        "append": append,
        "lastChunk": last,
        **members,
    }
    return event(artifact=artifact)


WORKING = status("WORKING")
DONE = status("COMPLETED", final=True)


def stream(*pieces: Piece, ends: bool = True, then: Callable[[], None] | None = None) -> Answer:
    """A stream of these pieces.

    Args:
        pieces: What it tells, each written at once.
        ends: Whether the body ends properly; else the connection is closed.
        then: Called before it ends.
    """

    def write(request: Request) -> Iterator[bytes]:
        yield head(200, {"content-type": "text/event-stream", "transfer-encoding": "chunked"})
        for piece in pieces:
            content = piece(request)
            yield b"%x\r\n%s\r\n" % (len(content), content)
        if then is not None:
            then()
        if not ends:
            raise HangUp
        yield b"0\r\n\r\n"

    return write


def find_cuts(body: bytes, step: int = 10) -> list[int]:
    """Return where to cut a stream: around every end of a line, within every character of several bytes, and after each `step` bytes."""
    around = {place + beside for place, byte in enumerate(body) if byte == ord("\n") for beside in (0, 1, 2)}
    within = {place for place, byte in enumerate(body) if byte & 0xC0 == 0x80}
    return sorted({*around, *within, *range(0, len(body), step)})
