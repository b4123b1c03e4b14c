"""Ctrl-C, a cancellation, the end of a process: they pass, and say which ask they interrupted and whether it was sent."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from decimal import Decimal
from functools import partial
from importlib import import_module
from itertools import count
from pathlib import Path
from typing import Any

import anyio
import anyio.lowlevel
import anyio.to_thread
import httpx
import pytest

from payman_sdk import AsyncPaymanClient, PaymanClient
from payman_sdk._core.hook_payloads import TaskStateChange
from payman_sdk._io.runner import SyncRunner
from payman_sdk.errors import ConfigurationError, OutcomeUnknownError, PaymanError
from payman_sdk.types import Payment, PaymentOutcome
from tests import programs
from tests.conftest import Connect
from tests.peer import (
    ASK_PATH,
    GET_PATH,
    PLAIN,
    TOKEN_PATH,
    Peer,
    Request,
    answer,
    completed,
    reset,
    rpc,
    task_with,
)
from tests.streaming.wire import STREAM_PATH, status, stream
from tests.test_after_sending import Untouchable, said_by, settings

NOT_KNOWN = rpc(error={"code": -32001, "message": "Task not found"})
IDS = ("task_id", "request_id", "session_id", "idempotency_key")
STOPPED = KeyboardInterrupt("shared by everybody")


class Mine(BaseException):
    """A program's own way to stop."""


class Stubborn(BaseException):
    """Takes neither attributes nor notes."""

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(name)

    def add_note(self, note: str, /) -> None:
        raise TypeError


class Cutting(httpx.HTTPTransport):
    """A transport that is interrupted before or after it sends to a path."""

    def __init__(self, path: str, error: BaseException, *, is_sent: bool) -> None:
        super().__init__(verify=PLAIN, trust_env=False)
        self._path, self._error, self._is_sent = path, error, is_sent

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if request.url.path != self._path:
            return super().handle_request(request)
        if self._is_sent:
            super().handle_request(request).read()
        raise self._error


def interrupted(ask: Callable[[], Any]) -> BaseException:
    with pytest.raises(BaseException) as caught:
        ask()
    return caught.value


def notes(error: BaseException) -> list[str]:
    return [note for note in getattr(error, "__notes__", []) if note.startswith("Payman: ")]


def plainly(client: PaymanClient, **options: Any) -> Any:
    return client.ask("send 10 TSD to Test Payee", **options)


def streaming(client: PaymanClient, **options: Any) -> Any:
    with client.stream("send 10 TSD to Test Payee", **options) as stream:
        return stream.result()


@pytest.mark.parametrize(("ask", "path"), [(plainly, ASK_PATH), (streaming, STREAM_PATH)])
def test_what_interrupts_passes_with_the_ids(ask: Callable[..., Any], path: str, peer: Peer) -> None:
    """The very exception comes out, with the ids and a note; the hook learns that nothing is known any more."""
    peer.always(GET_PATH, NOT_KNOWN)
    for error in (
        KeyboardInterrupt(),
        SystemExit(3),
        GeneratorExit(),
        asyncio.CancelledError(),
        Mine("x"),
        STOPPED,
    ):
        changes: list[TaskStateChange] = []
        given = settings(peer, transport=Cutting(path, error, is_sent=True), on_task=changes.append)
        with PaymanClient(**given) as client:
            assert interrupted(partial(ask, client, idempotency_key="invoice-1")) is error
        sent = next(one for one in peer.requests if one.path == path).json
        known = [getattr(error, name) for name in IDS]
        assert known == [sent["params"]["id"], sent["id"], sent["params"]["sessionId"], "invoice-1"], error
        [note] = notes(error)
        assert "was sent" in note, error
        assert f"client.get_task('{sent['params']['id']}')" in note, error
        unknown = TaskStateChange(sent["params"]["id"], "unknown", is_final=False)
        assert changes == ([] if isinstance(error, GeneratorExit) else [unknown]), error
        assert client.stats().abandoned == 1, error
        peer.unscript()


def test_what_came_before_sending_says_that_nothing_was_sent(peer: Peer, connect: Connect) -> None:
    """An interruption of the token request, of a guard, of connecting: no hook hears of a task that there is not."""
    with Peer() as gone:
        pass

    def stop(_: object) -> None:
        raise KeyboardInterrupt

    class Connecting(httpx.HTTPTransport):
        def handle_request(self, request: httpx.Request) -> httpx.Response:
            if request.url.path == ASK_PATH:
                request.extensions["trace"]("connection.connect_tcp.started", {"host": "h", "port": 1})
                raise KeyboardInterrupt
            return super().handle_request(request)

    ways: list[dict[str, Any]] = [
        {"transport": Cutting(TOKEN_PATH, KeyboardInterrupt(), is_sent=True)},
        {"before_send": stop},
        {"transport": Connecting()},
        {"base_url": gone.base_url, "max_retries": 1, "on_retry": stop},
    ]
    for given in ways:
        changes: list[TaskStateChange] = []
        client = connect(on_task=changes.append, **given)
        error = interrupted(partial(client.ask, "send 10 TSD to Test Payee"))
        assert type(error) is KeyboardInterrupt, given
        [note] = notes(error)
        assert note.startswith("Payman: Nothing was sent"), given
        assert getattr(error, "task_id", "").startswith("tsk-"), given
        assert changes == [], given
    assert peer.asks() == []


def test_what_was_retried_says_that_it_may_have_been_sent(peer: Peer, connect: Connect) -> None:
    """Once an attempt may have arrived, an interruption of a later pause, of a look-up or of a hook says so."""

    def stop(_: object) -> None:
        raise KeyboardInterrupt

    peer.always(ASK_PATH, answer(429, retry_after_ms="1"))
    errors = [interrupted(partial(connect(max_retries=1, on_retry=stop).ask, "Hello!"))]
    peer.always(ASK_PATH, reset)
    looking = connect(transport=Cutting(GET_PATH, KeyboardInterrupt(), is_sent=False))
    errors.append(interrupted(partial(looking.ask, "Hello!")))
    for error in errors:
        assert "was sent" in notes(error)[0]


def test_a_task_whose_end_was_seen_is_not_unknown(peer: Peer, connect: Connect) -> None:
    """A hook that is interrupted while it hears how a task ended is not called again."""
    changes: list[TaskStateChange] = []

    def stop(change: TaskStateChange) -> None:
        changes.append(change)
        raise KeyboardInterrupt

    error = interrupted(partial(connect(on_task=stop).ask, "Hello!"))
    assert getattr(error, "task_id", None) == peer.asks()[0].json["params"]["id"]
    assert [change.state for change in changes] == ["completed"]
    [note] = notes(error)
    assert "The ask was sent, and its task is completed: task tsk-" in note


def test_a_hook_that_cannot_be_awaited_says_that_the_ask_was_sent(peer: Peer, connect: Connect) -> None:
    """That it returns a coroutine shows when it was called, and then the ask has been carried out."""

    async def look(_: object) -> None: ...

    ways: list[tuple[str, Callable[[PaymanClient], object]]] = [
        ("ask", lambda client: client.ask("Hello!", on_task=lambda change: look(change))),
        ("pay", lambda client: client.pay("A", "1", "TSD", on_task=lambda change: look(change))),
    ]
    for name, ask in ways:
        error = interrupted(partial(ask, connect()))
        assert isinstance(error, ConfigurationError), name
        assert (error.sent, error.task_id) == (True, peer.asks()[-1].json["params"]["id"]), name
        assert "was sent" in notes(error)[0], name
    with pytest.raises(ConfigurationError) as caught:
        connect().ask("Hello!", before_send=lambda ask: look(ask))
    assert (caught.value.sent, notes(caught.value)) == (False, [])


def test_an_exception_that_refuses_notes_passes(peer: Peer, connect: Connect) -> None:
    """An exception that takes no attribute comes out as it is, also where a hook fails while it does."""

    def fail(_: object) -> None:
        raise ValueError("the hook's")

    error = Stubborn()
    client = connect(transport=Cutting(ASK_PATH, error, is_sent=True), on_task=fail)
    assert interrupted(partial(client.ask, "Hello!")) is error


def test_an_interruption_in_a_callback_carries_the_ids(peer: Peer, connect: Connect) -> None:
    """Ctrl-C in `on_message` leaves the stream at once, with the ids."""
    closed_at = []

    def stop(_: object) -> None:
        closed_at.append(time.monotonic())
        raise KeyboardInterrupt

    peer.always(STREAM_PATH, completed)
    error = interrupted(partial(connect().ask, "Hello!", on_message=stop))
    assert getattr(error, "task_id", "").startswith("tsk-")
    assert time.monotonic() - closed_at[0] < 10


# --- tasks


def held(peer: Peer, came: threading.Event, request: Request) -> Iterator[bytes]:
    """An answer that does not come, and says that the request did."""
    came.set()
    yield from peer.never(request)


async def cancelled_natively(call: Callable[[], Any], when: Callable[[], Any]) -> BaseException:
    """What a task raises that asyncio cancels."""
    task = asyncio.ensure_future(call())
    await when()
    task.cancel()
    try:
        await task
    except BaseException as error:
        return error
    raise AssertionError("it was not cancelled")


async def cancelled_by_scope(call: Callable[[], Any], when: Callable[[], Any]) -> BaseException:
    """What comes out of a scope of anyio that is cancelled, which keeps it to itself."""
    seen: list[BaseException] = []

    async def run() -> None:
        try:
            await call()
        except BaseException as error:
            seen.append(error)
            raise

    with anyio.CancelScope() as scope:
        async with anyio.create_task_group() as group:
            group.start_soon(run)
            await when()
            scope.cancel()
    return seen[0]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("backend", "cancelled"),
    [("asyncio", cancelled_natively), ("asyncio", cancelled_by_scope), ("trio", cancelled_by_scope)],
)
@pytest.mark.parametrize("transport", [None, httpx.AsyncHTTPTransport])
def test_a_cancellation_carries_the_ids(
    backend: str, cancelled: Callable[..., Any], transport: Any, peer: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A task that is cancelled while the agent works: the ids, the note, and a hook that may wait, but not for ever."""
    monkeypatch.setattr("payman_sdk._io.async_runner._NOTICE", 0.1)
    came = threading.Event()
    for path in (ASK_PATH, STREAM_PATH):
        peer.always(path, partial(held, peer, came))
    changes: list[TaskStateChange] = []

    async def hear(change: TaskStateChange) -> None:
        await anyio.lowlevel.checkpoint()
        changes.append(change)
        await anyio.sleep(60)

    async def arrived() -> None:
        await anyio.to_thread.run_sync(came.wait)
        came.clear()

    async def main() -> None:
        given = {} if transport is None else {"transport": transport()}
        async with AsyncPaymanClient(**settings(peer, on_task=hear, **given)) as client:

            async def stream() -> None:
                async with client.stream("Hello!") as opened:
                    await opened.result()

            for call, path in ((partial(client.ask, "Hello!"), ASK_PATH), (stream, STREAM_PATH)):
                error = await cancelled(call, arrived)
                [sent] = [request.json for request in peer.requests if request.path == path]
                assert getattr(error, "task_id", None) == sent["params"]["id"]
                assert "was sent" in notes(error)[0]
                assert [change.state for change in changes] == ["unknown"]
                changes.clear()
            assert client.stats().abandoned == 2

    anyio.run(main, backend=backend)


def test_a_cancellation_before_sending_says_so(peer: Peer) -> None:
    """A task that is cancelled while it waits for its token has sent nothing."""
    came = threading.Event()
    peer.always(TOKEN_PATH, partial(held, peer, came))

    async def arrived() -> None:
        await anyio.to_thread.run_sync(came.wait)

    async def main() -> BaseException:
        async with AsyncPaymanClient(**settings(peer, timeout=0.3)) as client:
            return await cancelled_natively(partial(client.ask, "Hello!"), arrived)

    error = anyio.run(main)
    assert isinstance(error, asyncio.CancelledError)
    assert notes(error)[0].startswith("Payman: Nothing was sent")


def broken(*_: object, **__: object) -> None:
    raise AttributeError("hunted-secret")


def broken_once(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Have a function of the SDK fail the first time that it is called."""
    module, _, attribute = name.rpartition(".")
    function, calls = getattr(import_module(module), attribute), count()

    def call(*given: Any, **named: Any) -> Any:
        return function(*given, **named) if next(calls) else broken()

    monkeypatch.setattr(name, call)


def test_a_fault_of_ours_after_sending_is_looked_into(
    peer: Peer, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An AttributeError in the SDK's own reading of an answer is no reason to say that nothing was done, or to send again."""
    broken_once(monkeypatch, "payman_sdk._core.rpc.read_answer")
    assert connect(max_retries=2).ask("Hello!").status == "completed"
    assert len(peer.asks()) == 1
    broken_once(monkeypatch, "payman_sdk._core.stream.read_answer")
    with connect(max_retries=2).stream("Hello!") as stream:
        assert stream.result().status == "completed"
    monkeypatch.setattr("payman_sdk._core.tracking.Tracker.track_state", broken)
    with pytest.raises(OutcomeUnknownError, match="AttributeError in broken, line ") as caught:
        connect().ask("Hello!")
    assert caught.value.sent
    assert caught.value.task_id == peer.asks()[-1].json["params"]["id"]
    assert "hunted-secret" not in said_by(caught.value)


def test_a_fault_of_ours_before_sending_comes_out(
    peer: Peer, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where nothing was sent, a fault is a fault."""
    monkeypatch.setattr("payman_sdk._core.send.call_agent", broken)
    with pytest.raises(AttributeError):
        connect().ask("Hello!")
    assert peer.asks() == []


def test_a_stream_that_is_left_by_an_interruption_closes_at_once(peer: Peer, connect: Connect) -> None:
    """Ctrl-C in the block of a stream comes out as it is, and nobody waits for the rest of the stream."""
    peer.always(STREAM_PATH, stream(status("working"), then=peer.hang))
    changes: list[TaskStateChange] = []
    client = connect(on_task=changes.append)
    error = KeyboardInterrupt()

    def leave() -> None:
        with client.stream("Hello!") as opened:
            next(opened)
            raise error

    async def leave_async() -> None:
        async with AsyncPaymanClient(**settings(peer)) as other, other.stream("Hello!") as opened:
            await anext(opened)
            raise STOPPED_ASYNC

    began = time.monotonic()
    assert interrupted(leave) is error
    for backend in ("asyncio", "trio"):
        assert interrupted(partial(anyio.run, leave_async, backend=backend)) is STOPPED_ASYNC
    assert time.monotonic() - began < 5
    assert [change.state for change in changes] == ["working"]
    assert "was sent" in notes(error)[0]
    assert str(getattr(error, "task_id", "")).startswith("tsk-")


STOPPED_ASYNC = Mine("in a loop")


@pytest.mark.slow
def test_ctrl_c_at_random_instants_leaves_clients_whole() -> None:
    """Asks and streams of threads, asyncio and trio: no hang, nothing foreign, and the ids. The same program does it thousands of times."""
    arguments = ["--interrupts", "120", "--threads", "0", "--schemes", "http"]
    root = Path(__file__).parents[1]
    environ = {**os.environ, "PYTHONPATH": f"{root}{os.pathsep}{root / 'generated'}"}
    done = programs.run(
        [sys.executable, "-W", "ignore", "-m", "tests.stress.interrupts", *arguments],
        capture_output=True, text=True, timeout=60, check=False, env=environ, cwd=root,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


def test_an_interrupt_after_the_end_of_the_flow_carries_the_ids(
    peer: Peer, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C while an ask that has its answer tidies up: the caller has no answer, and learns which ask it was."""
    advance = SyncRunner.advance

    def stop(*given: Any) -> None:
        with contextlib.suppress(PaymanError):
            advance(*given)
        raise KeyboardInterrupt

    client = connect()
    client.get_access_token()
    waiting = Payment(
        outcome=PaymentOutcome.AWAITING_APPROVAL,
        payee="A",
        amount=Decimal(1),
        currency="TSD",
        task_id="tsk-1",
    )
    calls: list[Callable[[], object]] = [
        partial(client.ask, "Hello!"),
        partial(client.reply, "tsk-1", "Yes."),
        partial(client.pay, "A", "1", "TSD"),
        partial(client.approve, waiting),
        partial(client.deny, waiting),
        partial(client.create_payee, "A", "TEST_RAILS"),
    ]
    monkeypatch.setattr(SyncRunner, "advance", stop)
    peer.always(GET_PATH, task_with(status={"state": "input-required"}))
    for call in calls:
        before = len(peer.asks())
        error = interrupted(call)
        assert getattr(error, "task_id", None) == peer.asks()[before].json["params"]["id"], call
        assert "was sent" in notes(error)[0], call


@pytest.mark.parametrize("interrupt", [KeyboardInterrupt, SystemExit])
def test_an_interrupt_after_the_end_of_a_stream_carries_the_ids(
    peer: Peer, connect: Connect, interrupt: type[BaseException]
) -> None:
    """Ctrl-C at the instant at which a reader learns that no event is left, before it has read the result."""
    peer.always(STREAM_PATH, stream(status("working"), status("completed", final=True)))

    def read(raised: type[BaseException]) -> None:
        with connect().stream("Hello!") as answer:
            for _ in answer.text_stream:
                pass
            raise raised

    with pytest.raises(interrupt) as left:
        read(interrupt)
    assert left.value.task_id == peer.requests[-1].json["params"]["id"]  # type: ignore[attr-defined]
    assert "its task is completed" in notes(left.value)[0]
    with pytest.raises(ValueError) as own:
        read(ValueError)
    assert not notes(own.value)


def test_an_exception_that_breaks_who_looks_at_it_comes_out(peer: Peer, connect: Connect) -> None:
    """The caller gets that very exception. It takes neither ids nor a note, and nothing replaces it."""
    peer.always(STREAM_PATH, stream(status("working"), status("completed", final=True)))
    error = Untouchable()
    caught: list[BaseException] = []
    try:
        with connect().stream("Hello!"):
            raise error
    except Exception as one:
        caught.append(one)
    assert [one is error for one in caught] == [True]
