"""The server of the benchmarks: a process of its own that writes canned bytes as fast as the socket takes them."""

from __future__ import annotations

import asyncio
import contextlib
import multiprocessing
import re
from collections.abc import Iterator
from multiprocessing.connection import Connection

from payman_api import PATHS
from scripts.benchmarks.canned import ANSWER, FIRST, REQUEST_ID, TASK_ID, TOKEN, blocks

_WANTED = re.compile(rb'"(task|numbered|chat|paused) (\d+)"')
"""Which stream a request wants, and of how many events; `paused` is a task's first event and then silence."""

_STREAM_HEAD = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n"
    b"Cache-Control: no-cache\r\n\r\n"
)


class CannedAnswers(asyncio.Protocol):
    """Answers a request that names a stream with that stream, one for a token with a token, others with the same task."""

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
        if wanted := _WANTED.search(request):
            self._to_write = _stream(wanted[1].decode(), int(wanted[2]))
            self._write()
            return
        body = TOKEN
        if PATHS["create_token"].encode() not in request[:200]:
            body = ANSWER
            for own in (REQUEST_ID.encode(), TASK_ID.encode()):
                at = request.find(own[:4])
                body = body.replace(own, request[at : at + len(own)])
        head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body)
        self._transport.write(head + body)

    def _write(self) -> None:
        for block in self._to_write:
            self._transport.write(block)
            if self._is_held:
                return


def _stream(kind: str, events: int) -> Iterator[bytes]:
    yield _STREAM_HEAD
    if kind == "paused":
        yield _http_chunk(FIRST)
        return
    for block in blocks(kind, events):
        if block:
            yield _http_chunk(block)
    yield b"0\r\n\r\n"


def _http_chunk(block: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(block), block)


def _serve(port_to: Connection) -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(CannedAnswers, "127.0.0.1", 0, backlog=2048)
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
