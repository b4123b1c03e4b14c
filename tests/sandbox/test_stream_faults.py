from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from payman_sdk.sandbox import Sandbox, StreamFault
from payman_sdk.sandbox._agent.turn import TaskArtifact
from tests.sandbox.streams import (
    ReceivedStream,
    listened,
    opened,
    own_desk,
    read_until_dropped,
    resubscribe,
    subscribe,
)
from tests.sandbox.wire_client import WireClient
from tests.streaming.wire import find_cuts
from tests.tables import table

SOON = 25.0
"""Seconds in which a sandbox stops on a busy machine; what it does not wait for would not end at all."""

_PAY = "send 10 TSD to Test Payee"
_HEAD = {"id": "tsk", "message": {"role": "user", "parts": [{"type": "text", "text": _PAY}]}}


@pytest.fixture(autouse=True)
def quiet(caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]) -> Iterator[None]:
    """Nothing of all that is logged or printed."""
    yield
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert capfd.readouterr() == ("", "")


@pytest.fixture
def own() -> Iterator[WireClient]:
    """A client of a sandbox whose next streams are the test's own."""
    with own_desk() as wire_client:
        yield wire_client


def test_dropped_after_each_number_of_events(own: WireClient) -> None:
    """After any number of whole events the connection is dropped; those before it have come, and resuming gives the rest."""
    whole = subscribe(own, _PAY, "tsk")
    for count in range(len(whole.events) + 1):
        own.sandbox.inject_stream_faults(StreamFault(after_events=count))
        received = resubscribe(own, "tsk")
        assert (received.broken, received.status, received.kind) == (True, 200, "text/event-stream")
        assert received.events == whole.events[:count]
        assert whole.body.startswith(received.body)
        assert received.body.endswith(b"\n\n") or not count
        rest = resubscribe(own, "tsk", received.ids[-1] if count else None)
        assert received.body + rest.body == whole.body
        assert not rest.broken


@pytest.mark.slow
def test_dropped_at_any_byte(own: WireClient) -> None:
    """The connection can be dropped after any byte of the body, and exactly those before it have come."""
    whole = subscribe(own, "test connection", "ü").body
    sizes = [one for one in find_cuts(whole, 5) if one <= len(whole)]
    own.sandbox.inject_stream_faults(*(StreamFault(after_bytes=size) for size in sizes))
    assert len(sizes) > 100
    for size in sizes:
        assert read_until_dropped(own, "ü") == whole[:size]
    assert resubscribe(own, "ü") == ReceivedStream(whole, False, "text/event-stream", 200)


def test_fault_beyond_the_end_changes_nothing(own: WireClient) -> None:
    """A stream that ends before its fault is whole, and the fault is spent."""
    whole = subscribe(own, _PAY, "tsk")
    for fault in (
        StreamFault(after_events=len(whole.events) + 1),
        StreamFault(after_bytes=len(whole.body) + 1),
    ):
        own.sandbox.inject_stream_faults(fault)
        assert resubscribe(own, "tsk") == whole


def test_broken_send_is_carried_out_once(own: WireClient) -> None:
    """A payment whose stream breaks at once is made, and is not made again by asking again."""
    own.sandbox.inject_stream_faults(StreamFault(after_bytes=0))
    assert subscribe(own, _PAY, "tsk") == ReceivedStream(b"", True, "text/event-stream", 200)
    assert own.made == [(10, "Test Payee")]
    assert own.call("tasks/get", id="tsk")["result"]["status"]["state"] == "COMPLETED"
    assert not subscribe(own, _PAY, "tsk").broken
    assert own.made == [(10, "Test Payee")]


def test_json_instead_of_a_stream(own: WireClient) -> None:
    """`as_json` answers with the finished task, as `tasks/get` does."""
    own.sandbox.inject_stream_faults(StreamFault(as_json=True), StreamFault(as_json=True))
    first, second = subscribe(own, _PAY, "tsk"), resubscribe(own, "tsk")
    task = own.call("tasks/get", id="tsk")["result"]
    for received in (first, second):
        assert received.json == {"jsonrpc": "2.0", "id": "req-s", "result": task, "error": None}
    assert own.made == [(10, "Test Payee")]


@pytest.mark.parametrize("status", [400, 502, 529])
def test_status_instead_of_a_stream(own: WireClient, status: int) -> None:
    """`status` answers with that status; the payment was made all the same."""
    own.sandbox.inject_stream_faults(StreamFault(status=status))
    received = subscribe(own, _PAY, "tsk")
    assert (received.status, received.json["error"]) == (status, "stream_fault")
    assert own.made == [(10, "Test Payee")]


def test_keep_alives_and_nothing_else(own: WireClient) -> None:
    """`keep_alives` sends comments until the client has enough of them."""
    own.sandbox.inject_stream_faults(StreamFault(keep_alives=True))
    seen = b""
    with opened(own, "tasks/sendSubscribe", _HEAD) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        for chunk in answer.iter_raw():
            seen += chunk
            if len(seen) >= 42:
                break
    assert seen == b": keep-alive\n\n" * (len(seen) // 14)
    assert own.made == [(10, "Test Payee")]


def test_faults_come_in_order_and_end(own: WireClient) -> None:
    """Each stream takes one fault, None is a whole one, and after the last all are whole; errors are no streams."""
    whole = subscribe(own, _PAY, "tsk")
    own.sandbox.inject_stream_faults(StreamFault(after_events=1), None)
    own.sandbox.inject_stream_faults(StreamFault(after_events=2))
    own.sandbox.inject_stream_faults()
    assert resubscribe(own, "tsk-nowhere").json["error"]["code"] == -32001
    own.call("tasks/get", id="tsk")
    own.send("hello")
    counts = [len(resubscribe(own, "tsk").events) for _ in range(5)]
    assert counts == [1, len(whole.events), 2, len(whole.events), len(whole.events)]


def test_faults_of_one_sandbox_are_its_own(own: WireClient) -> None:
    """Another sandbox's streams do not break."""
    own.sandbox.inject_stream_faults(StreamFault(after_bytes=0))
    with own_desk() as other:
        assert not subscribe(other, _PAY, "tsk").broken
    assert subscribe(own, _PAY, "tsk").broken


def test_other_connections_hold(own: WireClient) -> None:
    """A dropped stream takes its own connection with it and no other; the same client simply connects again."""
    whole = subscribe(own, _PAY, "tsk")
    own.sandbox.inject_stream_faults(*[StreamFault(after_events=1), None] * 8)
    together = threading.Barrier(4)

    def listen(_: int) -> list[bool]:
        together.wait(60)
        return [resubscribe(own, "tsk").broken for _ in range(4)]

    with ThreadPoolExecutor(4) as pool:
        broken = [one for several in pool.map(listen, range(4)) for one in several]
    assert sorted(broken) == [False] * 8 + [True] * 8
    assert resubscribe(own, "tsk") == whole


def test_stop_ends_a_hanging_stream() -> None:
    """Stopping the sandbox breaks streams without end, and takes no time for it."""
    with own_desk() as wire_client:
        wire_client.sandbox.inject_stream_faults(*[StreamFault(keep_alives=True)] * 3)
        begun = threading.Barrier(4)

        def listen(number: int) -> ReceivedStream:
            with opened(wire_client, "tasks/sendSubscribe", _HEAD | {"id": f"tsk-{number}"}) as answer:
                begun.wait(60)
                return listened(answer)

        with ThreadPoolExecutor(3) as pool:
            received = [pool.submit(listen, number) for number in range(3)]
            begun.wait(60)
            start = time.perf_counter()
            wire_client.sandbox.stop()
            took = time.perf_counter() - start
            assert all(one.result(60).broken for one in received)
        assert took < SOON
        assert len(wire_client.payments) == 3


def _lengthen(wire_client: WireClient, task_id: str) -> int:
    """Make a task's answer larger than what a connection holds back for a client that does not read; its size."""
    size = 16 * 1024 * 1024
    wire_client.send("hello", task_id)
    with wire_client.sandbox.service.store.transaction() as tx:
        tx.execute("UPDATE artifacts SET content = ?", (TaskArtifact.from_text("x" * size).to_json(),))
    return size


@pytest.mark.slow
def test_all_that_was_sent_arrives_before_the_drop(own: WireClient) -> None:
    """However much is under way when the connection is dropped, it arrives."""
    size = _lengthen(own, "tsk")
    own.sandbox.inject_stream_faults(StreamFault(after_events=2))
    received = resubscribe(own, "tsk")
    assert received.broken
    assert len(received.results[1]["artifact"]["parts"][0]["text"]) == size


@pytest.mark.slow
def test_stop_does_not_wait_for_a_client_that_does_not_read(own: WireClient) -> None:
    """A client that neither reads nor leaves does not hold up the end, whether its stream runs or was dropped."""
    _lengthen(own, "tsk")
    own.sandbox.inject_stream_faults(StreamFault(after_events=2))
    with (
        opened(own, "tasks/resubscribe", {"id": "tsk"}),
        opened(own, "tasks/resubscribe", {"id": "tsk"}),
    ):
        start = time.perf_counter()
        own.sandbox.stop()
        assert time.perf_counter() - start < SOON


def test_stopped_sandbox_streams_again() -> None:
    """A sandbox that broke a stream by stopping streams as before once it is started again, and keeps its faults."""
    sandbox = Sandbox()
    for _ in range(2):
        with sandbox, httpx.Client(base_url=sandbox.base_url) as http:
            wire_client = WireClient(sandbox, sandbox.client_id, sandbox.client_secret, http)
            assert not subscribe(wire_client, _PAY, "tsk").broken
            sandbox.inject_stream_faults(StreamFault(keep_alives=True), StreamFault(keep_alives=True))
            with opened(wire_client, "tasks/resubscribe", {"id": "tsk"}):
                sandbox.stop()
        with sandbox, httpx.Client(base_url=sandbox.base_url) as http:
            wire_client.http = http
            with opened(wire_client, "tasks/resubscribe", {"id": "tsk"}) as answer:
                assert next(answer.iter_raw()).startswith(b":")
    assert wire_client.made == [(10, "Test Payee")]
    sandbox.close()


def _asgi(wire_client: WireClient, *, leaves_after: int) -> list[dict[str, Any]]:
    """What the application sends, without a server, to a client that leaves after so many messages."""
    sent: list[dict[str, Any]] = []

    async def request() -> None:
        gone = asyncio.Event()
        body = b'{"jsonrpc":"2.0","id":1,"method":"tasks/resubscribe","params":{"id":"tsk"}}'
        incoming: list[dict[str, Any]] = [{"type": "http.request", "body": body}]

        async def receive() -> dict[str, Any]:
            if incoming:
                return incoming.pop(0)
            await gone.wait()
            return {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            sent.append(message)
            if len(sent) == leaves_after:
                gone.set()

        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": "POST",
            "path": "/api/a2a/tasks/resubscribe",
            "raw_path": b"/api/a2a/tasks/resubscribe",
            "query_string": b"",
            "root_path": "",
            "scheme": "http",
            "server": ("127.0.0.1", 80),
            "client": ("127.0.0.1", 1),
            "headers": [(b"x-payman-access-token", wire_client.token.encode())],
        }
        await asyncio.wait_for(wire_client.sandbox.app(scope, receive, send), 10)

    asyncio.run(request())
    return sent


def test_stream_ends_with_its_client(own: WireClient) -> None:
    """When the client leaves, its stream ends, and so does one that has no end of its own."""
    subscribe(own, _PAY, "tsk")
    own.sandbox.inject_stream_faults(StreamFault(keep_alives=True))
    sent = _asgi(own, leaves_after=3)
    assert [message.get("body") for message in sent] == [None, b": keep-alive\n\n", b": keep-alive\n\n"]


def test_drop_without_a_server_is_an_error(own: WireClient) -> None:
    """Where the application runs in another server, which it cannot ask to hang up, a dropped stream raises."""
    whole = subscribe(own, _PAY, "tsk")
    own.sandbox.inject_stream_faults(StreamFault(after_events=1))
    with pytest.raises(ConnectionAbortedError, match="inject_stream_faults"):
        _asgi(own, leaves_after=0)
    sent = _asgi(own, leaves_after=0)
    assert b"".join(message.get("body", b"") for message in sent).count(b"data:") == len(whole.events)


@table(
    "wrong",
    [
        {},
        {"as_json": False},
        {"after_events": 1, "after_bytes": 1},
        {"after_events": 0, "as_json": True},
        {"keep_alives": True, "status": 500},
        {"after_events": -1},
        {"after_bytes": -1},
        {"after_events": True},
        {"after_bytes": 1.0},
        {"status": 200},
        {"status": 600},
        {"status": 0},
        {"as_json": 1},
    ],
)
def test_nonsense_is_refused(wrong: dict[str, Any]) -> None:
    """A fault that is nothing, two things, or impossible is a ValueError."""
    with pytest.raises(ValueError, match=r"a StreamFault is one thing|must be"):
        StreamFault(**wrong)


def test_what_is_not_a_fault_is_refused(own: WireClient) -> None:
    """Something else than a StreamFault or None is a TypeError, and nothing of it is taken."""
    faults: Any = (StreamFault(after_bytes=0), "drop")
    with pytest.raises(TypeError, match="'drop'"):
        own.sandbox.inject_stream_faults(*faults)
    assert not subscribe(own, _PAY, "tsk").broken
