"""The server of the benchmarks: a process of its own that writes canned bytes as fast as the socket takes them."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import functools
import json
import multiprocessing
import re
import time
from collections.abc import Iterator
from multiprocessing.connection import Connection

from payman_api import PATHS
from scripts.benchmarks.canned import (
    ANSWER,
    ANSWERS_OF_OTHERS,
    FIRST,
    REQUEST_ID,
    SHORT_TOKEN,
    TASK_ID,
    TOKEN,
    addressed,
    blocks,
    ids_of,
)

_WANTED = re.compile(rb'"(task|brief|numbered|chat|paused) (\d+)"')
"""Which stream a request wants, and of how many events; `paused` is a task's first event and then silence."""

_STREAM_HEAD = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n"
    b"Cache-Control: no-cache\r\n\r\n"
)


def _whole(body: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (
        len(body),
        body,
    )


_TOKEN_PATH = PATHS["create_token"].encode()
_CANNED = {path.encode(): _whole(json.dumps(answer).encode()) for path, answer in ANSWERS_OF_OTHERS.items()}


class Counts:
    """What was asked of the server so far."""

    def __init__(self) -> None:
        self.requests = self.tokens = 0
        self._known: set[bytes] = set()

    def token(self, request: bytes) -> bytes:
        """An answer with a token; one that is over in a second for a client id that begins with `expiring` and is new."""
        self.tokens += 1
        basic = re.search(rb"(?i)authorization: basic (\S+)", request)
        client = base64.b64decode(basic[1]) if basic else b""
        is_short = client.startswith(b"expiring") and client not in self._known
        self._known.add(client)
        return _whole(SHORT_TOKEN if is_short else TOKEN)

    def __str__(self) -> str:
        counts = {"requests": self.requests, "tokens": self.tokens, "busy": time.process_time()}
        return json.dumps(counts)


class CannedAnswers(asyncio.Protocol):
    """Answers a request that names a stream with that stream, one for a token with a token, others with the same task."""

    def __init__(self, counts: Counts) -> None:
        self._counts = counts

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remembers where to write to."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._received = b""
        self._to_write: Iterator[bytes] = iter(())
        self._is_held = False

    def data_received(self, data: bytes) -> None:
        """Answers every whole request that has come in."""
        self._received += data
        while (end := self._received.find(b"\r\n\r\n")) >= 0:
            head = self._received[:end].lower()
            at = head.find(b"content-length:")
            length = int(head[at + 15 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
            if len(self._received) < end + 4 + length:
                return
            request, self._received = self._received[: end + 4 + length], self._received[end + 4 + length :]
            self._answer(request)

    def pause_writing(self) -> None:
        """The reader is slower; waits for it."""
        self._is_held = True

    def resume_writing(self) -> None:
        """Goes on."""
        self._is_held = False
        self._write()

    def _answer(self, request: bytes) -> None:
        self._counts.requests += 1
        path = request.split(b" ", 2)[1].partition(b"?")[0]
        if canned := _CANNED.get(path):
            self._transport.write(canned)
        elif path == _TOKEN_PATH:
            self._transport.write(self._counts.token(request))
        elif path == b"/counted":
            self._transport.write(_whole(str(self._counts).encode()))
        elif wanted := _WANTED.search(request):
            self._to_write = _stream(wanted[1].decode(), int(wanted[2]), ids_of(request))
            self._write()
        else:
            body = ANSWER
            for own in (REQUEST_ID.encode(), TASK_ID.encode()):
                if (at := request.find(own[:4])) >= 0:
                    body = body.replace(own, request[at : at + len(own)])
            self._transport.write(_whole(body))

    def _write(self) -> None:
        for block in self._to_write:
            self._transport.write(block)
            if self._is_held:
                return


def _stream(kind: str, events: int, ids: bytes | None) -> Iterator[bytes]:
    yield _STREAM_HEAD
    if kind == "paused":
        yield _http_chunk(addressed(FIRST, ids))
        return
    for block in blocks(kind, events):
        if block:
            yield _http_chunk(addressed(block, ids))
    yield b"0\r\n\r\n"


def _http_chunk(block: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(block), block)


def _serve(port_to: Connection) -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        answering = functools.partial(CannedAnswers, Counts())
        server = await loop.create_server(answering, "127.0.0.1", 0, backlog=2048)
        port_to.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(main())


@contextlib.contextmanager
def serving() -> Iterator[str]:
    """Runs the server, and gives its address."""
    here, there = multiprocessing.Pipe()
    server = multiprocessing.get_context("spawn").Process(target=_serve, args=(there,), daemon=True)
    server.start()
    try:
        yield f"http://127.0.0.1:{here.recv()}"
    finally:
        server.terminate()
        server.join()
