from __future__ import annotations

import asyncio
import dataclasses
import gc
import json
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from starlette.types import Message, Receive, Scope, Send

from payman_sdk.errors import PaymanError
from payman_sdk.sandbox import ConnectionLost, HTTPError, Sandbox, SandboxRequest, StreamFault
from payman_sdk.sandbox._server import request_log
from payman_sdk.sandbox._server.request_log import RecordingMiddleware, RequestLog
from tests.sandbox.streams import opened, resubscribe, subscribe
from tests.sandbox.wire_client import WireClient
from tests.sandbox.workshop import workshop

_PAY = "send 10 TSD to Test Payee"
_PARAMS = {
    "id": "tsk-1",
    "sessionId": "ses-1",
    "message": {
        "role": "user",
        "parts": [
            {"type": "text", "text": "list"},
            {"type": "data", "data": {}},
            {"type": "text", "text": "all wallets"},
        ],
    },
    "metadata": {"order": 7},
}
_CALL = {"jsonrpc": "2.0", "id": "req-1", "method": "tasks/send", "params": _PARAMS}
_SEND = "/api/a2a/tasks/send"


@pytest.fixture
def wire_client() -> Iterator[WireClient]:
    """A client of a sandbox of its own, whose token request is forgotten."""
    sandbox = Sandbox()
    with httpx.Client(base_url="https://sandbox.invalid", transport=sandbox.transport(), timeout=60) as http:
        yield WireClient(sandbox, sandbox.client_id, sandbox.client_secret, http)
    sandbox.close()


def _asked(wire_client: WireClient) -> list[SandboxRequest]:
    """The requests after the one for the token."""
    first, *others = wire_client.sandbox.requests
    assert first.operation == "create_token"
    return others


def test_a_request_says_what_was_asked(wire_client: WireClient) -> None:
    """Everything about a message is read from its request: ids, words, metadata, and the body as it was."""
    assert wire_client.post(_SEND, _CALL).status_code == 200
    assert _asked(wire_client) == [
        SandboxRequest(
            method="POST",
            path=_SEND,
            operation="send_task",
            rpc_method="tasks/send",
            text="list\nall wallets",
            task_id="tsk-1",
            session_id="ses-1",
            request_id="req-1",
            metadata={"order": 7},
            body=_CALL,
            status=200,
        )
    ]


def test_what_the_sdk_sends_is_seen() -> None:
    """Asks, streams, look-ups and cancellations of the SDK's client are there in order, with their ids."""
    with Sandbox() as sandbox, sandbox.client() as client:
        answer = client.ask(_PAY, metadata={"order": 7}, idempotency_key="invoice-1")
        with client.stream("list all wallets") as stream:
            streamed = stream.result()
        client.get_task(answer.task_id)
        with pytest.raises(PaymanError):
            client.cancel_task(answer.task_id)
    seen = sandbox.requests
    assert [request.operation for request in seen] == [
        "create_token",
        "get_task",
        "send_task",
        "send_task_subscribe",
        "get_task",
        "cancel_task",
    ]
    assert [request.task_id for request in seen[1:]] == [
        answer.task_id,
        answer.task_id,
        streamed.task_id,
        answer.task_id,
        answer.task_id,
    ]
    assert (seen[2].text, seen[2].metadata, seen[2].request_id) == (_PAY, {"order": 7}, answer.request_id)
    assert seen[2].session_id == answer.session_id == seen[3].session_id
    assert {request.status for request in seen} == {200}


def test_every_path_and_refusal_counts(wire_client: WireClient) -> None:
    """What is refused, unknown or unreadable is there too, with the status of its answer."""
    http = wire_client.http
    http.post(_SEND, json=_CALL)
    http.get(_SEND)
    http.post("/nowhere%20at/all?q=1", json={"a": 1})
    http.get("/.well-known/agent.json")
    http.get("/oauth/authorize?client_id=nobody")
    wire_client.post("/sandbox/tasks/tsk-9/approve", b"")
    for body in (
        b"no JSON",
        b"[1]",
        b'{"params": {"message": {"parts": 5}, "metadata": []}, "id": [], "method": 7}',
        b"",
    ):
        wire_client.post(_SEND, body)
    wire_client.post(_SEND, b"\xff" + b"x" * 1024 * 1024)
    assert [
        (request.method, request.path, request.operation, request.status) for request in _asked(wire_client)
    ] == [
        ("POST", _SEND, "send_task", 401),
        ("GET", _SEND, "send_task", 405),
        ("POST", "/nowhere at/all", None, 404),
        ("GET", "/.well-known/agent.json", "get_agent_card", 200),
        ("GET", "/oauth/authorize", "authorize", 400),
        ("POST", "/sandbox/tasks/tsk-9/approve", None, 404),
        *[("POST", _SEND, "send_task", 200)] * 4,
        ("POST", _SEND, "send_task", 413),
    ]
    assert _asked(wire_client)[0].text == "list\nall wallets"
    bodies = [request.body for request in _asked(wire_client)[6:]]
    assert bodies[:2] == [None, [1]]
    assert bodies[2]["method"] == 7
    assert bodies[3:] == [None, None]
    for request in _asked(wire_client)[6:]:
        found = (request.rpc_method, request.text, request.task_id, request.request_id, request.metadata)
        assert found == (None,) * 5


@pytest.mark.parametrize(
    ("written", "read"), [("tasks/send", "tasks/send"), ("tasks.send", "tasks/send"), (None, None)]
)
def test_methods_are_read_as_the_sandbox_reads_them(
    wire_client: WireClient, written: str | None, read: str | None
) -> None:
    """A method that is written with a dot is the same method; the body tells how it was written."""
    wire_client.post(_SEND, _CALL | {"method": written})
    [request] = _asked(wire_client)
    assert (request.rpc_method, request.body["method"]) == (read, written)


@pytest.mark.parametrize(
    "body", [b"[" * 60_000, b'{"params": {"id": "\\ud800"}}', b"\xef\xbb\xbf{}", b"NaN", b'{"a":' * 9_000]
)
def test_no_body_breaks_the_list(wire_client: WireClient, body: bytes) -> None:
    """Bodies that are hard to read are listed like others."""
    gc.disable()  # what it collects amid a recursion that is too deep cannot be finalized there
    try:
        wire_client.post(_SEND, body)
        [request] = _asked(wire_client)
    finally:
        gc.enable()
    assert (request.status, request.operation) == (200, "send_task")
    assert repr(request).startswith("<SandboxRequest send_task")


def test_no_secret_is_kept() -> None:
    """Neither queries nor headers nor what OAuth sends is in a request, wherever a client puts its secrets."""
    secret = "hush-hush"
    with Sandbox(clients={"pm-1": secret}) as sandbox, sandbox.client() as client:
        client.ask("hello")
        with httpx.Client(base_url=sandbox.base_url, trust_env=False) as http:
            token = "/api/oauth2/token"
            http.post(f"{token}?grant_type=refresh_token&refresh_token={secret}", auth=("pm-1", secret))
            http.post(token, json={"client_secret": secret})
            http.post(token, data={"client_secret": secret})
            http.post("/oauth/token", json={"client_secret": secret})
            http.post("/api/OAuth2/tokens", json={"client_secret": secret})
            http.post(f"/oauth/authorize?code={secret}", json={"code": secret})
            headers = {"x-payman-access-token": secret, "x-other": secret}
            http.post(f"{_SEND}?token={secret}", json=_CALL, headers=headers)
        access = sandbox.issue_token()["accessToken"]
        everything = "".join(f"{dataclasses.asdict(request)} {request!r}" for request in sandbox.requests)
    assert len(sandbox.requests) == 9
    assert secret not in everything
    assert str(access) not in everything
    assert "list" in everything


def test_a_request_that_hangs_is_there_already() -> None:
    """A request is listed before it is answered, and its status comes with the answer."""
    with workshop() as shop:
        waiting = shop.send("list all wallets")
        shop.until(lambda: len(shop.wire_client.sandbox.requests) == 2)
        shop.until(lambda: shop.wire_client.sandbox.requests[-1].text)
        hanging = shop.wire_client.sandbox.requests[-1]
        assert (hanging.operation, hanging.task_id, hanging.status) == ("send_task", "tsk", None)
        assert not waiting.done()
        shop.tell()
        waiting.result(60)
        assert shop.wire_client.sandbox.requests[1] == dataclasses.replace(hanging, status=200)


def test_the_status_of_a_stream_comes_with_its_head(wire_client: WireClient) -> None:
    """Of a stream that has begun and does not end, the status is known."""
    wire_client.sandbox.inject_stream_faults(StreamFault(keep_alives=True))
    with opened(wire_client, "tasks/sendSubscribe", _PARAMS):
        assert _asked(wire_client)[0].status == 200


@pytest.mark.parametrize(
    ("mishap", "status"),
    [
        (ConnectionLost(), None),
        (ConnectionLost(taken=False), None),
        (HTTPError(503), 503),
        (StreamFault(after_events=0), 200),
        (StreamFault(status=502), 502),
    ],
    ids=str,
)
def test_what_goes_wrong_shows_in_the_status(
    wire_client: WireClient, mishap: Any, status: int | None
) -> None:
    """A dropped connection has no status; a failure has its own; a stream that breaks had begun."""
    wire_client.sandbox.script([mishap])
    try:
        subscribe(wire_client, _PAY, "tsk")
    except httpx.RemoteProtocolError:
        assert status is None
    assert [request.status for request in _asked(wire_client)] == [status]


def test_a_client_that_left_got_no_answer() -> None:
    """A client that gives up before the answer got none, though the sandbox goes on."""
    with workshop() as shop:
        with pytest.raises(httpx.ReadTimeout):
            shop.wire_client.http.post(
                _SEND, json=_CALL, headers={"x-payman-access-token": shop.wire_client.token}, timeout=0.05
            )
        shop.tell("tsk-1")
        shop.wire_client.sandbox.stop()  # nothing is answered any more
        assert shop.wire_client.sandbox.requests[1].status is None
        assert shop.wire_client.sandbox.requests[-1].status == 200


def test_both_ways_in_are_in_one_list_and_outlive_a_restart() -> None:
    """Requests by socket and by transport are in one list, which stopping and starting leaves alone."""
    sandbox = Sandbox()
    with httpx.Client(base_url="https://sandbox.invalid", transport=sandbox.transport()) as http:
        http.get("/one")
    for path in ("/two", "/three"):
        with sandbox, httpx.Client(base_url=sandbox.base_url, trust_env=False) as http:
            http.get(path)
    assert [request.path for request in sandbox.requests] == ["/one", "/two", "/three"]
    sandbox.close()
    assert len(sandbox.requests) == 3


def test_the_list_is_a_copy_and_its_requests_do_not_change(wire_client: WireClient) -> None:
    """Whatever is done with what was read, the next reader sees what was asked."""
    wire_client.post(_SEND, _CALL)
    listed = wire_client.sandbox.requests
    with pytest.raises(dataclasses.FrozenInstanceError):
        listed[1].status = 500  # type: ignore[misc]
    listed[1].body.clear()
    listed[1].metadata.clear()  # type: ignore[union-attr]
    listed.clear()
    assert _asked(wire_client)[0].body == _CALL
    assert _asked(wire_client)[0].metadata == {"order": 7}


def test_a_request_is_shown_in_one_short_line(wire_client: WireClient) -> None:
    """The repr names the operation, the words, the task and the status, and cuts what is long."""
    wire_client.send("hello", "tsk-7")
    wire_client.send("x" * 1000, "tsk-8")
    wire_client.call("tasks/get", id="tsk-7")
    wire_client.http.get("/nowhere")
    shown = [repr(request) for request in _asked(wire_client)]
    assert shown == [
        "<SandboxRequest send_task 'hello' tsk-7: 200>",
        f"<SandboxRequest send_task '{'x' * 60}…' tsk-8: 200>",
        "<SandboxRequest get_task tsk-7: 200>",
        "<SandboxRequest GET /nowhere: 404>",
    ]
    assert repr(SandboxRequest("GET", "/x")) == "<SandboxRequest GET /x: no answer>"


def test_the_newest_are_kept(wire_client: WireClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """The list has a limit, and so has each body: what is older, or larger than 64 KiB, is not kept."""
    assert request_log.MOST_REQUESTS == 10_000
    log = RequestLog()
    for number in range(10_010):
        log.begin("GET", f"/{number}")
    assert [request.path for request in log.list_requests()] == [f"/{number}" for number in range(10, 10_010)]
    for size in (64 * 1024, 64 * 1024 + 1):
        wire_client.post(_SEND, b'"' + b"x" * (size - 2) + b'"')
    kept, too_large = _asked(wire_client)
    assert kept.body == "x" * (64 * 1024 - 2)
    assert (too_large.body, too_large.status) == (None, 200)


@pytest.mark.slow
def test_many_threads_at_once(wire_client: WireClient) -> None:
    """Requests of many threads are all listed, whole, while others read the list."""
    together = threading.Barrier(9)
    done = threading.Event()

    def ask(worker: int) -> None:
        together.wait(60)
        for number in range(20):
            wire_client.send(f"question {worker}", f"tsk-{worker}-{number}")

    def read() -> int:
        together.wait(60)
        longest = 0
        while not done.is_set():
            now = len(wire_client.sandbox.requests)
            assert now >= longest
            longest = now
            time.sleep(0.001)
        return longest

    with ThreadPoolExecutor(9) as pool:
        reading = pool.submit(read)
        asking = [pool.submit(ask, worker) for worker in range(8)]
        for future in asking:
            future.result(60)
        done.set()
        assert reading.result(60) > 1
    seen = _asked(wire_client)
    assert {(request.task_id, request.text) for request in seen} == {
        (f"tsk-{worker}-{number}", f"question {worker}") for worker in range(8) for number in range(20)
    }
    assert len(seen) == 160


def test_resubscribing_is_listed(wire_client: WireClient) -> None:
    """A stream that is taken up again is a request of its own."""
    subscribe(wire_client, _PAY, "tsk")
    resubscribe(wire_client, "tsk")
    assert [(request.operation, request.rpc_method, request.task_id) for request in _asked(wire_client)] == [
        ("send_task_subscribe", "tasks/sendSubscribe", "tsk"),
        ("resubscribe_task", "tasks/resubscribe", "tsk"),
    ]


def _watched(
    *received: Message, said: tuple[Message, ...] = (), fails: bool = False, path: str = _SEND
) -> tuple[list[Message], Any]:
    """What an application sends on through the log, and what is listed, where it receives and says this."""
    log, coming, sent = RequestLog(), list(received), list[Message]()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        for _ in received:
            assert (await receive()) is not None
        for message in said:
            await send(message)
        if fails:
            raise ZeroDivisionError

    async def receive() -> Message:
        return coming.pop(0)

    async def send(message: Message) -> None:
        assert log.list_requests()[0].status == message["status"] or received
        sent.append(message)

    async def run() -> None:
        await RecordingMiddleware(app, log)({"type": "http", "method": "POST", "path": path}, receive, send)

    if fails:
        with pytest.raises(ZeroDivisionError):
            asyncio.run(run())
    else:
        asyncio.run(run())
    assert coming == []
    return sent, log.list_requests()[0]


_START: Message = {"type": "http.response.start", "status": 200, "headers": []}


def test_messages_pass_unchanged_and_bodies_in_pieces_are_put_together() -> None:
    """The log passes on the very messages, reads nothing by itself, and sees a body only when it is whole."""
    raw = json.dumps(_CALL).encode()
    first: Message = {"type": "http.request", "body": raw[:9], "more_body": True}
    rest: Message = {"type": "http.request", "body": raw[9:]}
    sent, request = _watched(first, rest, said=(_START,))
    assert sent == [_START]
    assert sent[0] is _START
    assert (request.body, request.status) == (_CALL, 200)
    assert _watched(first)[1].body is None
    assert _watched(first, rest, path="/api/OAuth2/tokens")[1].body is None
    assert _watched()[1] == SandboxRequest("POST", _SEND, "send_task")


def test_failures_of_the_sandbox_are_500() -> None:
    """An application that fails before it answers is answered for with 500; afterwards the status stands.

    It is there before the client can have the answer.
    """
    assert _watched(fails=True)[1].status == 500
    assert _watched(said=(_START,), fails=True)[1].status == 200
    gone: Message = {"type": "http.disconnect"}
    assert _watched(gone, said=(_START,))[1].status is None
    assert _watched(gone, fails=True)[1].status is None


def test_other_scopes_pass() -> None:
    """What is no HTTP request is let through and not listed."""
    log, seen = RequestLog(), list[str]()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(scope["type"])

    async def nothing(*_: object) -> Any:
        raise AssertionError

    asyncio.run(_run(RecordingMiddleware(app, log), {"type": "lifespan"}, nothing))
    assert (seen, log.list_requests()) == (["lifespan"], [])


async def _run(app: RecordingMiddleware, scope: Scope, nothing: Any) -> None:
    await app(scope, nothing, nothing)
