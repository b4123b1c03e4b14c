"""The server of the benchmarks: a separate process that writes canned bytes as fast as the socket takes them.

The bytes are encoded beforehand: whole answers, and streams of any length. A request names the stream that it wants, as the
text of the ask: its number of events, `task 1000`.
"""

import asyncio
import contextlib
import functools
import json
import multiprocessing
import re
from collections.abc import Generator, Iterator
from itertools import cycle, islice
from multiprocessing.connection import Connection
from uuid import UUID

from payman_api import PATHS

_NO_UUID = UUID(int=0)
"""All ids are made of it, until a request has its own."""

_TIMESTAMP = "2025-06-27T16:31:41.510422505Z"
_TEXT = "- **TSD Wallet** `tube.tense.cask/53`: 1,000.00 TSD\n" * 5
_WORDS = (
    "Here are your wallets:\n\n- **TSD ",
    "Wallet** – paytag `ridge.slate.tulip/52`\n- Spendable ",
    "balance: 1,000.00 TSD\n- Pending balance: ",
    "0.00 TSD and nothing else to ",
    "say about this one. The next ",
)
"""The texts of the chunks, over and over: six words or so, as in the sandbox."""

_BLOCK = 1000
"""How many events are written at once; a multiple of the number of texts."""


def _encode(**content: object) -> bytes:
    metadata = {"timestamp": _TIMESTAMP, "agentId": f"ai-{_NO_UUID}", "orgId": f"org-{_NO_UUID}"}
    result = {"id": f"tsk-{_NO_UUID}", **content, "metadata": metadata}
    answer = {"jsonrpc": "2.0", "id": f"req-{_NO_UUID}", "result": result, "error": None}
    return json.dumps(answer, ensure_ascii=False, separators=(",", ":")).encode()


def _encode_event(**content: object) -> bytes:
    return b"data: %b\n\n" % _encode(**content)


def _build_status(state: str, text: str) -> dict[str, object]:
    message = {"role": "agent", "parts": [{"type": "text", "text": text}]}
    return {"state": state, "message": message, "timestamp": _TIMESTAMP}


def _build_artifact(text: str, **more: bool) -> dict[str, object]:
    parts = [{"type": "text", "text": text}]
    return {"name": "response", "description": "AI Assistant Response", "parts": parts, "index": 0, **more}


def _encode_chunk(text: str, *, append: bool) -> bytes:
    return _encode_event(artifact=_build_artifact(text, append=append, lastChunk=False))


_WORKING = _build_status("WORKING", "Processing")
_COMPLETED = _build_status("COMPLETED", "Processing completed successfully")
_BEGIN = _encode_event(status=_WORKING, final=False) + _encode_chunk(_WORDS[0], append=False)
_CHUNKS = tuple(_encode_chunk(words, append=True) for words in _WORDS[1:] + _WORDS[:1])
_END = _encode_event(status=_COMPLETED, final=True)

_TOKEN = b'{"accessToken":"bench","tokenType":"Bearer","expiresIn":3600,"scope":""}'
_ANSWER = _encode(sessionId=f"ses-{_NO_UUID}", status=_COMPLETED, artifacts=[_build_artifact(_TEXT)])
_CHOICES = [{"index": 0, "message": {"role": "assistant", "content": _TEXT}, "finish_reason": "stop"}]
_CHAT = {"id": f"chatcmpl-{_NO_UUID}", "object": "chat.completion", "created": 1751041901, "model": "canned"}
"""The same text in the form of OpenAI's chat completions."""

_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b"
_STREAM_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
_COMPLETION = json.dumps({**_CHAT, "choices": _CHOICES}).encode()
_BODIES = {PATHS["create_token"].encode(): _TOKEN, b"/chat/completions": _COMPLETION}
_CANNED = {path: _HEAD % (len(body), body) for path, body in _BODIES.items()}


def iter_blocks(events: int) -> Iterator[bytes]:
    """Yield the events of a stream, at least 3, many at a time; the first and the last are not chunks."""
    yield _BEGIN
    for _ in range((events - 3) // _BLOCK):
        yield _join_chunks(_BLOCK)
    yield _join_chunks((events - 3) % _BLOCK) + _END


@functools.cache
def _join_chunks(count: int) -> bytes:
    return b"".join(islice(cycle(_CHUNKS), count))


def _join_ids(text: bytes) -> bytes:
    """Return the ids of an ask as its answer has them; nothing for a request without ids."""
    starts = [text.find(name) for name in (b"req-", b"tsk-")]
    return b"" if -1 in starts else b'","result":{"id":"'.join(text[at : at + 40] for at in starts)


_IDS = _join_ids(_ANSWER)


@functools.lru_cache(maxsize=4096)
def _split_at_ids(answer: bytes) -> list[bytes]:
    return answer.split(_IDS)


def iter_answer(request: bytes) -> Iterator[bytes]:
    """Yield the stream that a request names, or the canned answer of its path, as it goes over the wire."""
    path, ids = request.split(b" ", 2)[1].partition(b"?")[0], _join_ids(request) or _IDS
    if canned := _CANNED.get(path):
        yield canned
    elif stream := re.search(rb'"task (\d+)"', request):
        yield _STREAM_HEAD
        for block in iter_blocks(int(stream[1])):
            addressed = ids.join(_split_at_ids(block))
            yield b"%x\r\n%b\r\n" % (len(addressed), addressed)
        yield b"0\r\n\r\n"
    else:
        body = ids.join(_split_at_ids(_ANSWER))
        yield _HEAD % (len(body), body)


async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer the requests of a connection, and wait for a slower reader, until the client leaves."""
    with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            length = re.search(rb"content-length: *(\d+)", head.lower())
            body = await reader.readexactly(int(length[1]) if length else 0)
            for block in iter_answer(head + body):
                writer.write(block)
                await writer.drain()
    writer.close()


def _serve(port_to: Connection) -> None:
    async def main() -> None:
        server = await asyncio.start_server(answer, "127.0.0.1", 0, backlog=2048)
        port_to.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(main())


@contextlib.contextmanager
def run_server() -> Generator[str]:
    """Run the server, and yield its address."""
    here, there = multiprocessing.Pipe()
    server = multiprocessing.get_context("spawn").Process(target=_serve, args=(there,), daemon=True)
    server.start()
    there.close()
    try:
        yield f"http://127.0.0.1:{here.recv()}"
    finally:
        server.terminate()
        server.join()
