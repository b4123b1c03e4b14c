from __future__ import annotations

import asyncio
import contextvars
import gc
import logging
import random
import socket
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import anyio
import anyio.lowlevel
import httpx
import pytest
from pytest_socket import SocketBlockedError, disable_socket
from starlette.types import Message, Receive, Scope, Send

from payman_sdk import PaymanClient
from payman_sdk.errors import APIConnectionError, ConfigurationError, OutcomeUnknownError
from payman_sdk.sandbox import ConnectionLost, Sandbox, ScriptedResponse, StreamFault
from payman_sdk.sandbox._server.asgi_exchange import SocketlessLoop
from payman_sdk.sandbox._server.transport import SandboxTransport
from tests.sandbox.browser import Page
from tests.sandbox.streams import opened, resubscribe, subscribe
from tests.sandbox.wire_client import WireClient
from tests.sandbox.workshop import Clock, Listener
from tests.tables import table

_PAY = "send 10 TSD to Test Payee"
_HEAD = {"id": "tsk", "message": {"role": "user", "parts": [{"type": "text", "text": _PAY}]}}
_NAME = "payman-sandbox-transport"
_NOWHERE = "https://sandbox.invalid"
_BOTH = pytest.mark.parametrize("backend", ["asyncio", "trio"])


@pytest.fixture(autouse=True)
def quiet(caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]) -> Iterator[None]:
    """Nothing of all that is logged or printed, and no thread is left."""
    _others[:] = threading.enumerate()
    yield
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert capfd.readouterr() == ("", "")
    assert _threads() == []


_others: list[threading.Thread] = []  # that ran before the test


def _threads() -> list[threading.Thread]:
    return [one for one in threading.enumerate() if one.name == _NAME and one not in _others]


def _wait_for_no_thread() -> None:
    for thread in _threads():
        thread.join(60)
    assert _threads() == []


@contextmanager
def _desk(**settings: Any) -> Iterator[WireClient]:
    """A client of a sandbox that serves nowhere."""
    sandbox = Sandbox(**settings)
    with httpx.Client(base_url=_NOWHERE, transport=sandbox.transport(), timeout=60) as http:
        yield WireClient(sandbox, sandbox.client_id, sandbox.client_secret, http)
    sandbox.check_invariants()
    sandbox.close()


@pytest.fixture
def wire_client() -> Iterator[WireClient]:
    with _desk() as wire_client:
        yield wire_client


@contextmanager
def _client(sandbox: Sandbox, **settings: Any) -> Iterator[PaymanClient]:
    with (
        httpx.Client(transport=sandbox.transport()) as http,
        sandbox.client(http_client=http, timeout=60, **settings) as client,
    ):
        yield client


# The same as over a socket.


@contextmanager
def _twins(**settings: Any) -> Iterator[tuple[WireClient, WireClient]]:
    """The same sandbox twice, to the last byte: behind a socket, and behind a transport."""

    def sandbox() -> Sandbox:
        return Sandbox(
            clients={"pm-test-1": "s3cret"},
            clock=lambda: 1_750_000_000.0,
            randomness=random.Random(7).randbytes,  # noqa: S311 (it is to be the same twice)
            **settings,
        )

    one, other = sandbox(), sandbox()
    with (
        one,
        httpx.Client(base_url=one.base_url, trust_env=False) as by_socket,
        httpx.Client(base_url=_NOWHERE, transport=other.transport()) as without,
    ):
        yield (
            WireClient(one, "pm-test-1", "s3cret", by_socket),
            WireClient(other, "pm-test-1", "s3cret", without),
        )
    one.close()
    other.close()


def _seen(answer: httpx.Response) -> tuple[object, ...]:
    hop = {"transfer-encoding", "connection"}  # about the connection, which is another
    headers = sorted((name, value) for name, value in answer.headers.multi_items() if name not in hop)
    # The phrase behind the status is the own idea of each version of Python.
    return answer.status_code, answer.http_version, headers, answer.content


def test_requests_have_the_same_answers_as_over_a_socket() -> None:
    """Status, headers and bytes are the same for each kind of answer, refusals and redirects among them."""
    page = "/oauth/authorize?response_type=code&client_id=pm-test-1&redirect_uri=https%3A%2F%2Fa.example%2Fb&state=x"

    def answers(wire_client: WireClient) -> list[tuple[object, ...]]:
        body = {"jsonrpc": "2.0", "id": "r", "method": "tasks/sendSubscribe", "params": _HEAD}
        message = {"role": "user", "parts": [{"type": "text", "text": "list all wallets ü"}]}
        call = {"jsonrpc": "2.0", "id": 1, "method": "tasks/send", "params": {"id": "t", "message": message}}
        http = wire_client.http
        several = [
            wire_client.post("/api/a2a/tasks/send", call),
            wire_client.post(
                "/api/a2a/tasks/get", call | {"method": "tasks/get", "params": {"id": "tsk-nowhere"}}
            ),
            wire_client.post("/api/a2a/tasks/send", b"\xff no JSON"),
            wire_client.post("/api/a2a/tasks/send", b""),
            wire_client.post("/api/a2a/tasks/send", b"x" * (1024 * 1024 + 1)),
            wire_client.post("/api/a2a/tasks/sendSubscribe", body),
            wire_client.post("/sandbox/tasks/a%2Fb%20c/approve", b""),
            http.post("/api/a2a/tasks/send", json=call),
            http.get("/api/a2a/tasks/send"),
            http.get("/nowhere%20at/%C3%A4?all=1"),
            http.head("/oauth/authorize?client_id=nobody"),
            http.get("/oauth/authorize?client_id=nobody"),
            http.get(page),
            http.get(page.replace("=code", "=token")),
            http.post("/api/oauth2/token?grant_type=client_credentials", auth=("pm-test-1", "wrong")),
            http.post(
                "/api/oauth2/token", data={"grant_type": "client_credentials", "client_id": "pm-test-1"}
            ),
            http.post("/api/oauth2/token?grant_type=magic", auth=("pm-test-1", "s3cret")),
        ]
        return [_seen(answer) for answer in several]

    with _twins() as (by_socket, without):
        one, other = answers(by_socket), answers(without)
    assert one == other
    assert sorted({status for status, *_ in one if isinstance(status, int)}) == [
        200,
        303,
        400,
        401,
        404,
        405,
        413,
    ]


@pytest.mark.slow
@table(
    "fault",
    [
        None,
        StreamFault(after_events=0),
        StreamFault(after_events=2),
        StreamFault(after_events=99),
        StreamFault(after_bytes=0),
        StreamFault(after_bytes=41),
        StreamFault(as_json=True),
        StreamFault(status=529),
    ],
    ids=str,
)
def test_streams_break_as_over_a_socket(fault: StreamFault | None) -> None:
    """Whatever goes wrong with a stream, the same bytes come, and then the same end or break."""
    with _twins() as (by_socket, without):
        for wire_client in (by_socket, without):
            wire_client.sandbox.inject_stream_faults(fault)
        collected = [subscribe(wire_client, _PAY, "tsk") for wire_client in (by_socket, without)]
        again = [resubscribe(wire_client, "tsk") for wire_client in (by_socket, without)]
    assert collected[0] == collected[1]
    assert again[0] == again[1]
    assert not again[0].broken


def test_an_answer_that_never_comes_is_a_broken_connection(wire_client: WireClient) -> None:
    """A connection that is hung up before the answer is a protocol error, and nothing is done twice by asking again."""
    wire_client.sandbox.script([ConnectionLost()])
    with pytest.raises(httpx.RemoteProtocolError, match="peer closed connection without sending a response"):
        wire_client.send(_PAY, "tsk")
    wire_client.send(_PAY, "tsk")
    assert wire_client.made == [(10, "Test Payee")]


def test_keep_alives_come_until_the_client_leaves(wire_client: WireClient) -> None:
    """Comments are heard one by one, and the stream can be left amid them."""
    wire_client.sandbox.inject_stream_faults(StreamFault(keep_alives=True))
    with opened(wire_client, "tasks/sendSubscribe", _HEAD) as answer:
        pieces = answer.iter_raw()
        assert [next(pieces) for _ in range(3)] == [b": keep-alive\n\n"] * 3
    assert wire_client.made == [(10, "Test Payee")]


def _story(client: PaymanClient) -> list[tuple[object, ...]]:
    """What a client is told when it pays in several ways."""
    asked = client.ask(_PAY, idempotency_key="invoice-1")
    again = client.ask(_PAY, idempotency_key="invoice-1")
    waits = client.ask("send 150 TSD to Test Payee")
    with client.stream("send 7 TSD to Test Payee") as stream:
        events = [type(event).__name__ for event in stream]
        streamed = stream.result()
    refused = client.ask("send 5000 TSD to Test Payee")
    question = client.ask("send 5 TSD")
    answers = [asked, again, waits, streamed, refused, question, client.ask("list my last 5 transactions")]
    reported = [(answer.status, answer.status_message, answer.text.partition("pd-")[0]) for answer in answers]
    return [*reported, tuple(events), (asked.task_id == again.task_id,)]


def test_money_moves_as_over_a_socket() -> None:
    """A client of the SDK is told the same, and the same is in the ledger, as over a socket."""
    with _twins() as (by_socket, without):
        with by_socket.sandbox.client(timeout=60) as client:
            one = _story(client)
        with _client(without.sandbox) as client:
            other = _story(client)
        assert one == other
        assert by_socket.made == without.made
        assert len(without.made) == 2
        assert by_socket.balance == without.balance
        assert without.sandbox.pending_payments[0].amount == 150


# Live.


def test_an_event_is_received_before_the_next_is_due() -> None:
    """A stream is handed on as it is told: by a clock that the test moves, one event at a time."""
    clock = Clock()
    with _desk(pace=1, clock=clock) as wire_client:
        listener = Listener(wire_client, "tasks/sendSubscribe", None, _HEAD)
        count = 1
        while listener.has(count) and not listener.so_far.results[-1].get("final"):
            clock.time += 1
            count += 1
        collected = listener.received.result(60)
        assert collected.events == resubscribe(wire_client, "tsk").events
        assert len(collected.events) == count > 3


def test_reply_and_approval() -> None:
    """A question is answered by a reply, and a payment that waits is approved, by the sandbox and by HTTP."""
    with _desk() as wire_client, _client(wire_client.sandbox) as client:
        wire_client.sandbox.script([ScriptedResponse("To whom?", state="input-required"), None])
        question = client.ask("send 5 TSD")
        assert question.requires_input
        assert client.reply(question, "send 5 TSD to Test Payee").state == "completed"
        by_hand, by_page = (client.ask(f"send {amount} TSD to Test Payee") for amount in (120, 130))
        wire_client.sandbox.approve(by_hand.task_id)
        assert wire_client.post(f"/sandbox/tasks/{by_page.task_id}/approve", b"").status_code == 200
        assert [client.get_task(asked.task_id).state for asked in (by_hand, by_page)] == ["completed"] * 2
        assert wire_client.balance == 1000 - 5 - 120 - 130


def test_a_request_is_answered_while_others_wait() -> None:
    """A stream that is open, and an ask that waits for its task, hold up nobody else."""
    clock = Clock()
    with _desk(pace=1, clock=clock) as wire_client, ThreadPoolExecutor(1) as pool:
        listener = Listener(wire_client, "tasks/sendSubscribe", None, _HEAD)
        assert listener.has(1)
        waiting = pool.submit(wire_client.send, "send 20 TSD to Test Payee", "other")
        while len(wire_client.made) < 2:
            time.sleep(0.001)
        assert wire_client.call("tasks/get", id="other")["result"]["status"]["state"] == "WORKING"
        assert not waiting.done()
        clock.time += 100
        assert waiting.result(60)["status"]["state"] == "COMPLETED"
        assert listener.received.result(60).events


def test_a_revoked_token_is_renewed() -> None:
    """A token that is refused is replaced by another, as over a socket."""
    sandbox = Sandbox()
    with _client(sandbox) as client:
        client.ask("hello")
        sandbox.revoke_tokens()
        assert client.ask("hello").state == "completed"
    assert [request.outcome for request in sandbox.token_requests] == ["issued", "issued"]


@_BOTH
def test_async_clients_ask_stream_and_renew(backend: str) -> None:
    """Under asyncio and under trio: asks at the same time, a stream, and a token that is renewed."""
    sandbox = Sandbox()

    async def run() -> None:
        async with (
            httpx.AsyncClient(transport=sandbox.transport()) as http,
            sandbox.async_client(http_client=http, timeout=60) as client,
        ):
            answers: list[str] = []

            async def pay(number: int) -> None:
                answers.append((await client.ask(f"send {number} TSD to Test Payee")).state)

            async with anyio.create_task_group() as group:
                for number in range(1, 21):
                    group.start_soon(pay, number)
            assert answers == ["completed"] * 20
            sandbox.revoke_tokens()
            async with client.stream("send 7 TSD to Test Payee") as stream:
                assert len([event async for event in stream]) > 2
            assert (await stream.result()).state == "completed"

    anyio.run(run, backend=backend)
    sandbox.check_invariants()
    assert sandbox.balance() == 1000 - sum(range(21)) - 7
    assert len(sandbox.token_requests) == 2
    sandbox.close()


@_BOTH
def test_async_events_are_received_before_the_next_is_due(backend: str) -> None:
    """An async stream is handed on event by event too, while other tasks of its loop run."""
    clock = Clock()
    sandbox = Sandbox(pace=1, clock=clock)

    async def run() -> None:
        async with (
            httpx.AsyncClient(transport=sandbox.transport()) as http,
            sandbox.async_client(http_client=http, timeout=1000, read_timeout=500) as client,
            client.stream(_PAY) as stream,
        ):
            turns = 0

            async def others() -> None:
                nonlocal turns
                while True:
                    turns += 1
                    await anyio.lowlevel.checkpoint()

            async with anyio.create_task_group() as group:
                group.start_soon(others)
                collected = 0
                async for _ in stream:
                    collected += 1
                    clock.time += 1  # the next one is due only now
                group.cancel_scope.cancel()
            assert turns > collected > 3

    anyio.run(run, backend=backend)
    sandbox.close()


@pytest.mark.slow
def test_fifty_threads_at_once() -> None:
    """Fifty threads share one client, and each gets the answer to its own question."""
    sandbox = Sandbox()
    together = threading.Barrier(50)
    with _client(sandbox) as client, ThreadPoolExecutor(50) as pool:

        def pay(number: int) -> bool:
            together.wait(60)
            answer = client.ask(f"send 0.{number:02} TSD to Test Payee")
            return answer.state == "completed" and f"**0.{number:02} TSD**" in answer.text

        assert all(pool.map(pay, range(1, 51)))
        assert len(_threads()) == 1
    assert sandbox.balance() * 100 == 100_000 - sum(range(51))
    sandbox.check_invariants()
    assert len(sandbox.token_requests) == 1
    sandbox.close()


# The bare protocol, with applications of the tests' own.

App = Callable[[Scope, Receive, Send], Awaitable[None]]
_START: Message = {"type": "http.response.start", "status": 200, "headers": []}
_END: Message = {"type": "http.response.body"}


class _Patient:
    """An application that begins an answer, or does not, and then waits until the client is gone."""

    def __init__(self, *said: Message) -> None:
        self.said = said
        self.reached, self.gone = threading.Event(), threading.Event()
        self.received: list[Message] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        for message in self.said:
            await send(message)
        self.reached.set()
        while (message := await receive())["type"] != "http.disconnect":
            self.received.append(message)
        await send({"type": "http.response.body", "body": b"too late", "more_body": True})
        assert (await receive())["type"] == "http.disconnect"
        self.gone.set()


_BEGUN = (_START, {"type": "http.response.body", "body": b"one", "more_body": True})


def _get(app: App, **settings: Any) -> httpx.Client:
    return httpx.Client(base_url=_NOWHERE, transport=SandboxTransport(app), **settings)


def test_what_the_application_sees() -> None:
    """The scope and the body are those of the request, and messages come in the order of ASGI."""
    seen: list[Any] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(scope)
        seen.append(await receive())
        await send(
            {
                "type": "http.response.start",
                "status": 418,
                "headers": [(b"set-cookie", b"a=1"), (b"set-cookie", b"b=2")],
            }
        )
        await send(
            {"type": "http.response.body", "body": b"x"}
            if scope["method"] == "POST"
            else {"type": "http.response.body"}
        )
        seen.append(await receive())

    with _get(app) as http:
        answer = http.post(
            "/a%2Fb/%C3%BC?q=%20", content=iter([b"one", b"two"]), headers=[("X-A", "1"), ("x-a", "2")]
        )
        assert (answer.status_code, answer.content) == (418, b"x")
        assert answer.headers.get_list("set-cookie") == ["a=1", "b=2"]
        assert http.get("https://other.example:81").content == b""
    scope, request, after = seen[:3]
    reported = {
        name: scope[name]
        for name in ("type", "method", "scheme", "path", "raw_path", "query_string", "server")
    }
    assert reported == {
        "type": "http",
        "method": "POST",
        "scheme": "https",
        "path": "/a/b/ü",
        "raw_path": b"/a%2Fb/%C3%BC",
        "query_string": b"q=%20",
        "server": ("sandbox.invalid", None),
    }
    assert [pair for pair in scope["headers"] if pair[0] == b"x-a"] == [(b"x-a", b"1"), (b"x-a", b"2")]
    assert request == {"type": "http.request", "body": b"onetwo", "more_body": False}
    assert after == {"type": "http.disconnect"}
    assert (seen[3]["server"], seen[3]["path"]) == (("other.example", 81), "/")


@pytest.mark.parametrize("reported", [(), (_START,), _BEGUN, (*_BEGUN, *_BEGUN[1:])])
def test_an_application_that_stops_short_is_a_broken_connection(
    reported: tuple[Message, ...], caplog: pytest.LogCaptureFixture
) -> None:
    """An application that returns or fails amid its answer breaks it off; what it said before is heard."""

    async def returns(scope: Scope, receive: Receive, send: Send) -> None:
        for message in reported:
            await send(message)

    async def fails(scope: Scope, receive: Receive, send: Send) -> None:
        await returns(scope, receive, send)
        raise ZeroDivisionError("amid")

    for app in (returns, fails):
        collected: list[bytes] = []
        with _get(app) as http, pytest.raises(httpx.RemoteProtocolError), http.stream("GET", "/") as answer:
            for piece in answer.iter_raw():
                collected.append(piece)  # noqa: PERF402 (what came before the break is wanted)
        assert collected == [b"one"] * (len(reported) - 1)
    assert [record.message for record in caplog.records] == ["The sandbox failed"]
    caplog.clear()


def test_leaving_early_reports_the_application() -> None:
    """Who closes an answer amid its body is gone for the application, at once and not when the transport ends."""
    app = _Patient(*_BEGUN)
    with _get(app) as http:
        with http.stream("POST", "/", content=b"all of it") as answer:
            assert next(answer.iter_raw()) == b"one"
            assert app.reached.wait(60)
            assert not app.gone.is_set()
        assert app.gone.wait(60)
    assert app.received == [{"type": "http.request", "body": b"all of it", "more_body": False}]


@_BOTH
def test_leaving_an_async_answer_early_reports_the_application(backend: str) -> None:
    """The same for asyncio and trio."""
    app = _Patient(*_BEGUN)

    async def run() -> None:
        async with httpx.AsyncClient(base_url=_NOWHERE, transport=SandboxTransport(app)) as http:
            async with http.stream("GET", "/"):
                assert await anyio.to_thread.run_sync(app.reached.wait, 5)
                assert not app.gone.is_set()
            assert await anyio.to_thread.run_sync(app.gone.wait, 5)

    anyio.run(run, backend=backend)


def test_a_complete_answer_ends_the_exchange() -> None:
    """The application is told that there is nobody to wait for once its answer is complete, however late it is read."""
    done = threading.Event()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send(_START)
        await send({"type": "http.response.body", "body": b"all"})
        assert (await receive())["type"] == "http.disconnect"
        done.set()

    with _get(app) as http:
        with http.stream("GET", "/") as answer:
            assert done.wait(60)
            assert answer.read() == b"all"
        again = http.build_request("GET", "/", timeout=60)
        body = SandboxTransport(app).handle_request(again).stream
        assert isinstance(body, httpx.SyncByteStream)
        assert (list(body), list(body)) == ([b"all"], [])
    del body
    gc.collect()
    _wait_for_no_thread()


@_BOTH
def test_what_comes_at_once_leaves_turns_to_other_tasks(backend: str) -> None:
    """A task that reads an answer which is there already lets others have their turns between its pieces."""
    app = _Patient(_START, *[{"type": "http.response.body", "body": b"x", "more_body": True}] * 100, _END)

    async def run() -> None:
        async with (
            httpx.AsyncClient(base_url=_NOWHERE, transport=SandboxTransport(app)) as http,
            http.stream("GET", "/") as answer,
            anyio.create_task_group() as group,
        ):
            assert await anyio.to_thread.run_sync(app.reached.wait, 5)
            turns = pieces = 0

            async def others() -> None:
                nonlocal turns
                while True:
                    turns += 1
                    await anyio.lowlevel.checkpoint()

            group.start_soon(others)
            async for _ in answer.aiter_raw():
                pieces += 1
            assert pieces == 100
            assert turns > 30
            group.cancel_scope.cancel()

    anyio.run(run, backend=backend)


def test_nothing_of_the_caller_reaches_the_application() -> None:
    """The application runs in a context of its own, as it would behind a socket."""
    mine: contextvars.ContextVar[str] = contextvars.ContextVar("mine", default="nothing")
    seen: list[str] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(mine.get())
        await send(_START)
        await send(_END)

    token = mine.set("the caller's")
    with _get(app) as http:
        http.get("/")
        http.get("/")
    mine.reset(token)
    assert seen == ["nothing", "nothing"]


@_BOTH
@pytest.mark.parametrize("said", [(), _BEGUN])
def test_a_canceled_task_leaves(backend: str, said: tuple[Message, ...]) -> None:
    """A task that is canceled while it waits, for the head or for the body, is gone for the application at once."""
    app = _Patient(*said)

    async def run() -> None:
        async with httpx.AsyncClient(base_url=_NOWHERE, transport=SandboxTransport(app)) as http:

            async def listen() -> None:
                async with http.stream("GET", "/") as answer:
                    await answer.aread()

            async with anyio.create_task_group() as group:
                group.start_soon(listen)
                assert await anyio.to_thread.run_sync(app.reached.wait, 5)
                assert not app.gone.is_set()
                group.cancel_scope.cancel()
            assert await anyio.to_thread.run_sync(app.gone.wait, 5)

    anyio.run(run, backend=backend)


@_BOTH
@pytest.mark.parametrize("said", [(), _BEGUN])
def test_read_timeouts_hold(backend: str, said: tuple[Message, ...]) -> None:
    """Silence longer than the read timeout, before the head or after, is a ReadTimeout, and the client is gone then."""
    app = _Patient(*said)
    with _get(app, timeout=0.05) as http, pytest.raises(httpx.ReadTimeout, match="timed out"):
        http.get("/")
    assert app.gone.wait(60)
    other = _Patient(*said)

    async def run() -> None:
        transport = SandboxTransport(other)
        async with httpx.AsyncClient(base_url=_NOWHERE, transport=transport, timeout=0.05) as http:
            with pytest.raises(httpx.ReadTimeout, match="timed out"):
                await http.get("/")
            assert await anyio.to_thread.run_sync(other.gone.wait, 5)

    anyio.run(run, backend=backend)


def test_pieces_that_come_in_time_are_not_timeout() -> None:
    """The read timeout is of each silence, not of the whole answer."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send(_START)
        for _ in range(6):
            await asyncio.sleep(0.03)
            await send({"type": "http.response.body", "body": b"x", "more_body": True})
        await send(_END)

    with _get(app, timeout=0.12) as http:
        assert http.get("/").content == b"xxxxxx"


@pytest.mark.parametrize("said", [(), _BEGUN])
def test_closing_amid_an_exchange_breaks_it_off(said: tuple[Message, ...]) -> None:
    """A thread that waits for an answer is not left waiting when the transport is closed, and the thread behind it ends."""
    app = _Patient(*said)
    transport = SandboxTransport(app)
    http = httpx.Client(base_url=_NOWHERE, transport=transport, timeout=None)  # noqa: S113 (it must not help)
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(http.get, "/")
        assert app.reached.wait(60)
        transport.close()
        assert _threads() == []
        with pytest.raises(httpx.RemoteProtocolError, match="peer closed connection"):
            waiting.result(60)
    with pytest.raises(httpx.ConnectError, match="closed"):
        http.get("/")
    transport.close()
    http.close()


def test_closing_amid_many_beginnings_leaves_nobody_waiting() -> None:
    """Requests that come while the transport is being closed are answered, broken off or refused, and none hangs."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await asyncio.sleep(0)
        await send(_START)
        await send({"type": "http.response.body", "body": b"x"})

    for _ in range(20):
        transport = SandboxTransport(app)
        http = httpx.Client(base_url=_NOWHERE, transport=transport, timeout=60)
        together = threading.Barrier(5)

        def ask(together: threading.Barrier = together, http: httpx.Client = http) -> int:
            together.wait(60)
            for count in range(1000):
                try:
                    assert http.get("/").content == b"x"
                except (httpx.RemoteProtocolError, httpx.ConnectError):
                    return count
            return -1

        with ThreadPoolExecutor(4) as pool:
            asked = [pool.submit(ask) for _ in range(4)]
            together.wait(60)
            time.sleep(0.005)
            transport.close()
            assert all(future.result(60) >= 0 for future in asked)
        http.close()


# Ends.


@pytest.mark.slow
def test_an_ask_whose_transport_is_closed_ends_unknown() -> None:
    """The SDK's client says that the outcome is unknown when the transport is closed while the payment is on its way."""
    sandbox = Sandbox()
    sandbox.script([ConnectionLost(silent=True)])
    transport = sandbox.transport()
    with (
        httpx.Client(transport=transport) as http,
        sandbox.client(http_client=http, timeout=1) as client,
        ThreadPoolExecutor(1) as pool,
    ):
        client.get_access_token()  # the time of the ask is for the ask
        asked: Future[Any] = pool.submit(client.ask, _PAY)
        while not sandbox.payments and not asked.done():
            time.sleep(0.001)
        transport.close()
        with pytest.raises(OutcomeUnknownError):
            asked.result(60)
    assert len(sandbox.payments) == 1
    sandbox.close()


def test_after_the_end_errors_are_clear() -> None:
    """Closed clients say so; a closed transport is a server that cannot be reached, and the ask was not sent."""
    sandbox = Sandbox()
    http = httpx.Client(transport=sandbox.transport())
    with sandbox.client(http_client=http, timeout=60, max_retries=0) as client:
        client.ask("hello")
        sandbox.close()
        with pytest.raises(
            APIConnectionError, match=r"transport has been closed.*Sandbox\.transport\(\)"
        ) as raised:
            client.ask("hello")
        assert raised.value.sent is False
        http.close()
        with pytest.raises(ConfigurationError, match="closed"):
            client.ask("hello")
    with pytest.raises(RuntimeError, match="closed"):
        http.get(_NOWHERE)


@_BOTH
def test_a_canceled_client_closes_its_transport(backend: str) -> None:
    """Leaving `async with` in a task that is canceled ends the thread too."""
    sandbox = Sandbox()

    async def run() -> None:
        with anyio.CancelScope() as scope:
            async with httpx.AsyncClient(transport=sandbox.transport(), base_url=_NOWHERE) as http:
                await http.get("/.well-known/agent.json")
                scope.cancel()
                await anyio.sleep(1)
        assert _threads() == []

    anyio.run(run, backend=backend)
    sandbox.close()


def test_what_nobody_closes_ends_with_its_last_user() -> None:
    """A transport that is dropped takes its thread with it; a body that is still read keeps it alive."""
    sandbox = Sandbox()
    http = httpx.Client(transport=sandbox.transport(), base_url=_NOWHERE)
    answer = http.send(http.build_request("GET", "/.well-known/agent.json"), stream=True)
    gone = weakref.ref(http)
    del http
    gc.collect()
    assert gone() is None
    assert b"Payman sandbox" in answer.read()
    assert len(_threads()) == 1
    del answer
    gc.collect()
    _wait_for_no_thread()
    unused = weakref.ref(sandbox.transport())
    assert unused() is None
    sandbox.close()


@pytest.mark.slow
def test_a_program_that_closes_nothing_ends() -> None:
    """A program that forgets its client, and an answer that it was reading, ends, and nothing is said about it."""
    program = f"""
import httpx
from payman_sdk.sandbox import Sandbox
http = httpx.Client(transport=Sandbox().transport(), base_url="{_NOWHERE}")
answer = http.send(http.build_request("GET", "/.well-known/agent.json"), stream=True)
"""
    command = [sys.executable, "-X", "dev", "-W", "error", "-c", program]
    ended = subprocess.run(command, capture_output=True, timeout=30, check=False)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, b"", b"")


def test_a_transport_that_was_never_used_has_no_thread() -> None:
    """A thread begins with the first request, and none begins after the end."""
    transport = Sandbox().transport()
    assert _threads() == []
    transport.close()
    with pytest.raises(httpx.ConnectError, match="closed"):
        transport.handle_request(httpx.Request("GET", _NOWHERE))


# Where sockets are forbidden.


@pytest.mark.disable_socket
def test_with_sockets_disabled() -> None:
    """Under pytest-socket's `--disable-socket`, without exceptions, everything works but starting the sandbox."""
    sandbox = Sandbox()
    with pytest.warns(UserWarning, match="tried to use socket"), pytest.raises(SocketBlockedError):
        sandbox.start()
    with _client(sandbox) as client:
        assert client.ask(_PAY).state == "completed"
        with client.stream(_PAY) as stream:
            assert len(list(stream)) > 2
    assert len(sandbox.payments) == 2
    sandbox.close()


def _ask_of(sandbox: Sandbox) -> Callable[[], Awaitable[str]]:
    async def ask() -> str:
        async with (
            httpx.AsyncClient(transport=sandbox.transport()) as http,
            sandbox.async_client(http_client=http, timeout=60) as client,
        ):
            return (await client.ask(_PAY)).state

    return ask


def test_async_with_sockets_disabled() -> None:
    """An event loop that exists before sockets are disabled is enough: the transport itself needs none."""
    sandbox = Sandbox()

    async def run() -> str:
        disable_socket()  # undone by pytest-socket when the test ends
        return await _ask_of(sandbox)()

    assert asyncio.run(run()) == "completed"
    sandbox.close()


@_BOTH
def test_async_with_unix_sockets_allowed(backend: str) -> None:
    """With `--allow-unix-socket`, which event loops need, both kinds of event loop work."""
    sandbox = Sandbox()
    disable_socket(allow_unix_socket=True)
    assert anyio.run(_ask_of(sandbox), backend=backend) == "completed"
    sandbox.close()


@pytest.mark.block_network
def test_with_the_network_blocked() -> None:
    """Under pytest-recording's `block_network` a client works, while a connection to a started sandbox is refused."""
    with Sandbox() as sandbox, _client(sandbox) as client:
        assert client.ask(_PAY).state == "completed"
        with pytest.raises(RuntimeError, match="Network is disabled"), socket.socket() as connection:
            connection.connect(("127.0.0.1", int(sandbox.base_url.rpartition(":")[2])))
        assert anyio.run(_ask_of(sandbox)) == "completed"


def test_the_loop_has_timers_threads_and_wakes() -> None:
    """The loop without sockets runs timers in order, waits for threads, and is woken by other threads while it sleeps."""
    order: list[str] = []

    async def run() -> None:
        loop = asyncio.get_running_loop()
        loop.call_later(0.02, order.append, "second")
        loop.call_later(0.01, order.append, "first")
        await asyncio.sleep(0.03)
        assert await anyio.to_thread.run_sync(lambda: "thread") == "thread"
        woken = asyncio.Event()
        timer = threading.Timer(0.01, loop.call_soon_threadsafe, [woken.set])
        timer.start()
        await asyncio.wait_for(woken.wait(), 5)
        timer.join()

    with asyncio.Runner(loop_factory=SocketlessLoop) as runner:
        runner.run(run())
    assert order == ["first", "second"]


# Addresses.


def test_clients_of_a_sandbox_that_was_never_started() -> None:
    """Without an address a client needs an http client of its own, and asks a name that leads nowhere."""
    sandbox = Sandbox()
    with pytest.raises(RuntimeError, match="no address before it is started"):
        sandbox.client()
    with pytest.raises(RuntimeError, match="no address before it is started"):
        sandbox.async_client()
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(str(request.url.copy_with(query=None)))
        return httpx.Response(400)

    for started in (False, True):
        if started:
            sandbox.start()
        with (
            httpx.Client(transport=httpx.MockTransport(answer)) as http,
            sandbox.client(http_client=http) as client,
            pytest.raises(Exception, match="400"),
        ):
            client.ask("hello")
    assert asked == [f"{_NOWHERE}/api/oauth2/token", f"{sandbox.base_url}/api/oauth2/token"]
    sandbox.close()


def test_a_started_sandbox_answers_both_ways() -> None:
    """Socket and transport reach the same agent, and stopping the server leaves the transport alone."""
    with Sandbox() as sandbox:
        with sandbox.client() as client:
            asked = client.ask(_PAY)
        with _client(sandbox) as client:
            assert client.get_task(asked.task_id).text == asked.text
            sandbox.stop()
            assert client.get_task(asked.task_id).text == asked.text


def test_the_consent_page_sends_the_browser_back() -> None:
    """The redirect of the consent page, a 303, comes through with its code."""
    with _desk() as wire_client:
        where = {
            "response_type": "code",
            "client_id": wire_client.client_id,
            "redirect_uri": "https://a.example/back",
            "scope": "read_balance",
            "state": "s",
        }
        page = Page(wire_client.http.get("/oauth/authorize", params=where))
        answer = page.press(wire_client.http, "allow")
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("https://a.example/back?code=")
