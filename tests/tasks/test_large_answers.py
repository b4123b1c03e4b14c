"""Answers that would fill the memory: as a whole, in events, in the answer of the token endpoint; and what the caller is told."""

from __future__ import annotations

import gzip
import json
import tracemalloc
import zlib
from collections.abc import Callable, Iterator
from functools import cache, partial
from typing import Any

import httpx
import pytest

from payman_api.models.artifact import Artifact as WireArtifact
from payman_api.models.text_part import TextPart
from payman_sdk import AsyncPaymanClient, PaymanClient
from payman_sdk._core.artifact_set import ArtifactSet
from payman_sdk._core.effects import SendRequest
from payman_sdk._io.http import Timeouts
from payman_sdk._io.runner import SyncRunner
from payman_sdk.errors import (
    APIConnectionError,
    APITimeoutError,
    OutcomeUnknownError,
    PaymanError,
    StreamInterruptedError,
)
from tests.loops import LOOPS, run_on
from tests.peer import (
    ASK_PATH,
    GET_PATH,
    TOKEN_PATH,
    Answer,
    HangUp,
    Peer,
    Request,
    answer,
    chunked,
    completed,
    head,
    task_for,
    task_with,
)

LIMIT = 100_000
STREAM_PATH = "/api/a2a/tasks/sendSubscribe"
TOKEN = {"accessToken": "an-access-token", "expiresIn": 3600}


@cache
def _bomb(size: int = 30_000_000, wbits: int = 31) -> bytes:
    compressor = zlib.compressobj(9, zlib.DEFLATED, wbits)
    return (
        b"".join(compressor.compress(b" " * 1_000_000) for _ in range(size // 1_000_000)) + compressor.flush()
    )


def _encoded(make: Callable[[], bytes], encoding: str = "gzip", status: int = 200) -> Answer:
    """An answer whose body is made when it is sent, which takes time."""
    return lambda request: answer(status, make(), content_encoding=encoding)(request)


def _endless() -> Answer:
    def pieces() -> Iterator[bytes]:
        while True:
            yield b" " * 50_000

    return chunked(pieces)


def _of_a_task(padding: bytes) -> Answer:
    """An answer that is right, but for its size."""

    def write(request: Request) -> Iterator[bytes]:
        document = {"jsonrpc": "2.0", "id": request.json["id"], "result": task_for(request)}
        yield from _encoded(lambda: gzip.compress(json.dumps(document).encode() + padding))(request)

    return write


ANSWERS: dict[str, Answer] = {
    "gzip": _encoded(_bomb),
    "zlib": _encoded(partial(_bomb, wbits=15), "deflate"),
    "raw deflate": _encoded(partial(_bomb, wbits=-15), "deflate"),
    "many files of gzip": _encoded(lambda: gzip.compress(b" " * 50_000) * 1000),
    "gzip in gzip": _encoded(lambda: gzip.compress(_bomb()), "gzip, gzip"),
    "gzip in gzip, in two headers": _encoded(
        lambda: gzip.compress(_bomb()), "gzip\r\ncontent-encoding: gzip"
    ),
    "brotli": _encoded(lambda: b"?", "br"),
    "an endless body": _endless(),
    "a length beyond all bounds": lambda _: iter([head(200, {"content-length": "9" * 30}), b"x" * 10]),
    "a refusal": _encoded(_bomb, status=400),
    "a gateway's refusal": _encoded(_bomb, status=502),
    "the right answer, and blanks": _of_a_task(b" " * LIMIT),
}


def _client(peer: Peer, **settings: Any) -> PaymanClient:
    given: Any = {"client_id": "pm-1", "base_url": peer.base_url, "max_retries": 0, "timeout": 10}
    peer.always(GET_PATH, completed)
    config: Any = {**given, "max_answer_bytes": LIMIT, **settings}
    return PaymanClient.with_token(config, TOKEN)


@pytest.mark.slow
def test_an_answer_too_large_is_looked_up(peer: Peer) -> None:
    """What was asked may have been done: the task says whether it was."""
    with _client(peer, max_retries=2) as client:
        for name, write in ANSWERS.items():
            peer.always(ASK_PATH, write)
            before = len(peer.asks())
            assert client.ask("Hello!").status == "completed", name
            assert len(peer.asks()) == before + 1, name


@pytest.mark.slow
def test_an_answer_too_large_is_never_called_not_done(peer: Peer) -> None:
    """Where the look-up is answered in the same way, nobody knows; memory and connections do not suffer."""
    tracemalloc.start()
    try:
        with _client(peer, timeout=1) as client:
            for name, write in ANSWERS.items():
                peer.always(ASK_PATH, write)
                peer.always(GET_PATH, write)
                with pytest.raises(OutcomeUnknownError) as raised:
                    client.ask("Hello!")
                assert raised.value.sent is True, name
            peer.always(ASK_PATH, task_with())
            assert client.ask("Hello!").status == "completed"
        assert tracemalloc.get_traced_memory()[1] < 20_000_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("loop", LOOPS)
def test_the_async_client_bounds_answers_too(loop: str, peer: Peer) -> None:
    peer.always(GET_PATH, completed)

    async def main() -> None:
        config: Any = {"client_id": "pm-1", "base_url": peer.base_url, "max_retries": 0, "timeout": 10}
        config["max_answer_bytes"] = LIMIT
        async with AsyncPaymanClient.with_token(config, TOKEN) as client:
            for name, write in ANSWERS.items():
                peer.always(ASK_PATH, write)
                assert (await client.ask("Hello!")).status == "completed", name

    run_on(loop, main)


@pytest.mark.slow
def test_a_given_client_is_bounded_too(peer: Peer) -> None:
    """Also one whose hooks have answers of an error read before them, and one that has read the answer itself."""

    def reading(response: httpx.Response) -> None:
        response.read()

    peer.always(GET_PATH, completed)
    for hooks in ([], [httpx.Response.raise_for_status], [reading]):
        with httpx.Client(trust_env=False, event_hooks={"response": hooks}) as http:
            client = PaymanClient.with_token(
                {"client_id": "pm-1", "base_url": peer.base_url, "max_retries": 0, "max_answer_bytes": LIMIT},
                TOKEN,
                http_client=http,
            )
            for name in (
                "gzip",
                "gzip in gzip",
                "a refusal",
                "a gateway's refusal",
                "the right answer, and blanks",
            ):
                peer.always(ASK_PATH, ANSWERS[name])
                assert client.ask("Hello!").status == "completed", (name, hooks)
            assert peer.asks()[-1].headers["accept-encoding"] == "gzip, deflate"


def test_a_token_too_large(peer: Peer) -> None:
    """What the token was wanted for was certainly not done."""
    for name in ("gzip", "gzip in gzip", "an endless body", "a gateway's refusal"):
        peer.always(TOKEN_PATH, ANSWERS[name])
        with (
            PaymanClient(
                client_id="pm-1",
                client_secret=f"secret of {name}",
                base_url=peer.base_url,
                max_retries=0,
                max_answer_bytes=LIMIT,
            ) as client,
            pytest.raises(APIConnectionError, match="No access token could be fetched") as raised,
        ):
            client.ask("Hello!")
        assert raised.value.sent is False, name
    assert peer.asks() == []


def _streamed(pieces: Callable[[Request], Iterator[bytes]], encoding: str = "") -> Answer:
    def write(request: Request) -> Iterator[bytes]:
        headers = {"content-type": "text/event-stream", "connection": "close"}
        yield head(200, headers | ({"content-encoding": encoding} if encoding else {}))
        yield from pieces(request)
        raise HangUp

    return write


def _event(request: Request, **result: Any) -> bytes:
    reported = {
        "jsonrpc": "2.0",
        "id": request.json["id"],
        "result": {"id": request.json["params"]["id"], **result},
    }
    return f"data: {json.dumps(reported)}\n\n".encode()


def _artifact(request: Request, index: int = 0, *, append: bool = True, size: int = 900) -> bytes:
    parts = [{"type": "text", "text": "x" * size}]
    return _event(request, artifact={"index": index, "append": append, "parts": parts})


def _lines_without_end(_: Request) -> Iterator[bytes]:
    yield b"data: "
    while True:
        yield b"a" * 10_000


STREAMS: dict[str, Answer] = {
    "a line": _streamed(_lines_without_end),
    "an event of many lines": _streamed(lambda _: iter([b"data: " + b"a" * 1000 + b"\n"] * 1000)),
    "a bomb of one event": _streamed(lambda _: iter([gzip.compress(b"data: " + b"a" * 10_000_000)]), "gzip"),
    "an artifact that grows": _streamed(lambda request: iter([_artifact(request)] * 1000)),
    "many artifacts": _streamed(lambda request: (_artifact(request, index, size=1) for index in range(1000))),
    "data": _streamed(
        lambda request: iter(
            [
                _event(
                    request,
                    artifact={
                        "index": 0,
                        "append": True,
                        "parts": [{"type": "data", "data": {"a": [0] * 300}}],
                    },
                )
            ]
            * 1000
        )
    ),
    "two encodings": _streamed(lambda _: iter([b"?"]), "gzip, gzip"),
}


def test_a_stream_too_large_ends(peer: Peer) -> None:
    """Its task is not sent again; what had come is on the error."""
    with _client(peer, max_event_bytes=50_000) as client:
        peer.always(GET_PATH, answer(403))
        for name, write in STREAMS.items():
            peer.always(STREAM_PATH, write)
            before = len(peer.requests)
            with pytest.raises(OutcomeUnknownError) as raised, client.stream("Hello!") as stream:
                for _ in stream:
                    pass
            assert raised.value.sent is True, name
            if name != "two encodings":
                assert isinstance(raised.value, StreamInterruptedError), name
            assert len([one for one in peer.requests[before:] if one.path == STREAM_PATH]) == 1, name


def test_a_stream_of_very_many_small_events_costs_what_is_kept_of_it(peer: Peer) -> None:
    """Statuses, unknown events, comments and artifacts that are replaced do not count; nothing is kept of most of them."""

    def reported(request: Request) -> Iterator[bytes]:
        for number in range(1000):
            yield (
                _event(request, status={"state": "working", "timestamp": f"{number}"}, final=False)
                + _event(request, weather=number)
                + b": a comment\n\n"
                + _artifact(request, append=False, size=10 + number % 7)
            )
        yield _event(request, status={"state": "completed"}, final=True)

    peer.always(STREAM_PATH, _streamed(reported))
    with _client(peer, max_answer_bytes=500_000) as client, client.stream("Hello!") as stream:
        assert sum(1 for _ in stream) >= 3000
        assert stream.result().status == "completed"


@pytest.mark.slow
def test_the_memory_of_a_stream_is_bounded() -> None:
    """Of an artifact that is replaced again and again some versions are remembered, and of events some fingerprints."""
    artifacts = ArtifactSet()
    artifacts.rejoin()
    for number in range(10_000):
        list(artifacts.add_all([WireArtifact(parts=[TextPart(text=f"{number} of many")])]))
        artifacts.grow(0, 100_000)
    assert artifacts.size < 10_000_000
    assert len(artifacts._replaced[0]) < 256
    assert not any(map(artifacts.was_seen, range(100_000)))
    assert artifacts.was_seen(99_999)
    assert not artifacts.was_seen(0)


def test_decompressing_ends_at_the_deadline() -> None:
    """A body that decompresses without end, within the limit, holds nobody longer than was agreed."""
    now = [0.0]

    def clock() -> float:
        now[0] += 0.01
        return now[0]

    def handle(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, headers={"content-encoding": "gzip"}, stream=_Once(_bomb()))

    with httpx.Client(transport=httpx.MockTransport(handle)) as http:
        runner = SyncRunner(http, "https://payman.example", Timeouts(5, 60), clock=clock)

        def flow() -> Any:
            return (yield SendRequest({"method": "GET", "url": "/"}, deadline=2.0))

        with pytest.raises(APITimeoutError) as raised:
            runner.run(flow())
    assert raised.value.sent is True
    assert now[0] < 4


class _Once(httpx.SyncByteStream):
    def __init__(self, body: bytes) -> None:
        self._body = body

    def __iter__(self) -> Iterator[bytes]:
        yield self._body


def test_odd_json_does_no_harm(peer: Peer) -> None:
    """Numbers of a million digits, nesting without end, very many headers: an outcome or ids, and no exception of Python's own."""

    def odd(text: str) -> Answer:
        def write(request: Request) -> Iterator[bytes]:
            said = f'{{"jsonrpc": "2.0", "id": "{request.json["id"]}", "result": {text}}}'
            yield from answer(200, said)(request)

        return write

    shapes = {
        "digits": '{"id": %s}' % ("9" * 50_000),
        "an exponent": '{"id": 1e999999999}',
        "lists": "[" * 30_000 + "]" * 30_000,
        "objects": '{"a":' * 15_000 + "1" + "}" * 15_000,
        "unclosed": "[" * 50_000,
        "names": "{" + ",".join(f'"n{number}": 1' for number in range(5000)) + "}",
        "halves of characters": '{"id": "\\ud800\\ud800"}',
    }
    with _client(peer) as client:
        for name, text in shapes.items():
            peer.always(ASK_PATH, odd(text))
            assert client.ask("Hello!").status == "completed", name
    with _client(peer, timeout=0.5) as client:
        peer.always(ASK_PATH, answer(200, "{}", **{f"x_{number}": "a" * 1000 for number in range(200)}))
        peer.always(GET_PATH, answer(200, "{}", **{f"x_{number}": "a" * 1000 for number in range(200)}))
        with pytest.raises(PaymanError):
            client.ask("Hello!")
