"""The asynchronous runner: what is different when tasks ask, on asyncio and on trio."""

from __future__ import annotations

import asyncio
import inspect
import re
import socket
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import anyio.lowlevel
import httpx
import pytest

from payman_sdk import (
    AsyncConversation,
    AsyncPaymanClient,
    AsyncTaskStream,
    Conversation,
    FileTokenStore,
    MemoryTokenStore,
    PaymanClient,
    PaymanConfig,
    PaymanError,
    TaskStream,
)
from payman_sdk._core.effects import CallBlocking, Flow, SendRequest, Sleep, WithLock
from payman_sdk._io.async_runner import AsyncRunner
from payman_sdk._io.http import Timeouts
from payman_sdk._io.locks import ThreadLock, run_shielded
from payman_sdk.errors import (
    APIConnectionError,
    APITimeoutError,
    AuthenticationError,
    ConfigurationError,
    OutcomeUnknownError,
)
from payman_sdk.sandbox import Sandbox
from tests.conftest import SECRET
from tests.loops import LOOPS, cancel_when, run_on
from tests.peer import ASK_PATH, GET_PATH, TOKEN_PATH, Peer, Request, answer, chunked, rpc, token
from tests.tables import table
from tests.tasks.faults import REFUSED, SILENT, UNREADABLE

PATIENCE = Timeouts(connect=5, read=5)
REQUEST = {"method": "POST", "url": ASK_PATH, "json": {"id": "req-1", "params": {"id": "tsk-1"}}}


@pytest.fixture(params=LOOPS)
def run(request: pytest.FixtureRequest) -> Callable[[Callable[[], Awaitable[Any]]], Any]:
    """Runs a coroutine function on one of the event loops."""
    return partial(run_on, request.param)


Run = Callable[[Callable[[], Awaitable[Any]]], Any]


def connected(peer: Peer, **settings: Any) -> AsyncPaymanClient:
    config: PaymanConfig = {"client_id": "pm-test-1", "client_secret": SECRET, "base_url": peer.base_url}
    return AsyncPaymanClient({**config, "max_retries": 0}, **settings)


# One surface


def public(kind: type) -> dict[str, Any]:
    return {name: member for name, member in inspect.getmembers(kind) if not name.startswith("_")}


def test_the_two_clients_have_one_surface() -> None:
    """What belongs together has the same public names, and each the same signature and docstring but for the kind it is of."""
    for one, two in (
        (PaymanClient, AsyncPaymanClient),
        (Conversation, AsyncConversation),
        (TaskStream, AsyncTaskStream),
    ):
        sync, other = public(one), public(two)
        assert sync.keys() == other.keys()
        for name, member in sync.items():
            assert inspect.getdoc(member) == inspect.getdoc(other[name]), name
            if callable(member):
                signature, counterpart = (str(inspect.signature(each)) for each in (member, other[name]))
                assert counterpart.replace("Async", "") == signature, name


def test_what_does_io_is_awaited_and_the_rest_is_not() -> None:
    """Exactly what talks to somebody is a coroutine function of the async client and its conversations and streams."""
    asked = {"ask", "cancel_task", "get_task", "reply", "wait"}
    asked |= {"approve", "create_payee", "deny", "pay", "payees", "payment_status", "transactions", "wallets"}
    for kind, awaited in (
        (AsyncPaymanClient, asked | {"close", "get_access_token", "with_auth_code"}),
        (AsyncConversation, asked),
        (AsyncTaskStream, {"cancel", "close", "result", "show"}),
    ):
        members = public(kind).items()
        assert {name for name, member in members if inspect.iscoroutinefunction(member)} == awaited
    for sync in (PaymanClient, Conversation, TaskStream):
        assert not any(inspect.iscoroutinefunction(member) for member in public(sync).values())


# The runner


def test_a_door_carries_out_steps(run: Run, peer: Peer) -> None:
    """Requests are sent, waits are waited, functions are called in a thread, inner flows are run."""
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    def inner() -> Flow[str]:
        yield Sleep(0.5)
        return "inner"

    def outer() -> Flow[tuple[int, bool, str, str]]:
        response: httpx.Response = yield SendRequest(REQUEST, 10)
        thread: int = yield CallBlocking(threading.get_ident)
        own: str = yield WithLock(inner(), 10)
        lent: str = yield WithLock(inner(), 10, ThreadLock())
        return response.status_code, thread != threading.get_ident(), own, lent

    async def main() -> tuple[int, bool, str, str]:
        async with httpx.AsyncClient(trust_env=False) as http:
            return await AsyncRunner(http, peer.base_url, PATIENCE, lambda: 0.0, sleep).run(outer())

    assert run(main) == (200, True, "inner", "inner")
    assert slept == [0.5, 0.5]


@pytest.mark.parametrize("own", [True, False])
def test_a_lock_that_is_not_had_in_time(own: bool, run: Run) -> None:
    """Neither the runner's lock nor a lent one is waited for beyond the time; the flow hears None."""
    lock = None if own else ThreadLock()

    def holding() -> Flow[str]:
        yield Sleep(1)
        return "held"

    def outer(until: float) -> Flow[Any]:
        return (yield WithLock(holding(), until, lock))

    async def main() -> list[Any]:
        in_hand, over, outcomes = anyio.Event(), anyio.Event(), []

        async def sleep(seconds: float) -> None:
            if seconds == 1:
                in_hand.set()
                await over.wait()

        async def first() -> None:
            outcomes.append(await runner.run(outer(10.0)))

        async with httpx.AsyncClient(trust_env=False) as http, anyio.create_task_group() as group:
            runner = AsyncRunner(http, "http://127.0.0.1:9", PATIENCE, lambda: 5.0, sleep)
            group.start_soon(first)
            await in_hand.wait()
            outcomes.append(await runner.run(outer(5.0)))
            over.set()
        return outcomes

    assert run(main) == [None, "held"]


@pytest.mark.parametrize("own", [True, False])
def test_flows_run_alone_one_after_the_other(own: bool, run: Run) -> None:
    """However many tasks want a lock, one flow runs under it at a time, and each of them does."""
    lock = None if own else ThreadLock()
    inside: list[int] = []
    most: list[int] = []

    def alone() -> Flow[None]:
        inside.append(1)
        most.append(len(inside))
        yield Sleep(0)
        inside.pop()

    def outer() -> Flow[None]:
        yield WithLock(alone(), float("inf"), lock)

    async def main() -> None:
        async with httpx.AsyncClient(trust_env=False) as http:
            runner = AsyncRunner(http, "http://127.0.0.1:9", PATIENCE)
            async with anyio.create_task_group() as group:
                for _ in range(20):
                    group.start_soon(runner.run, outer())

    run(main)
    assert most == [1] * 20


# Money


@pytest.mark.slow
@table("name", SILENT)
def test_a_fault_after_sending_leaves_the_outcome_open(name: str, run: Run, peer: Peer) -> None:
    """Whatever goes wrong after the request was sent, it was sent once, and where nothing can be learned, the error has its ids."""
    peer.always(ASK_PATH, SILENT[name])
    peer.always(GET_PATH, rpc(error={"code": -32601, "message": "no such method"}))

    async def main() -> None:
        async with connected(peer) as client:
            await client.ask("send 10 TSD to John Doe")

    with pytest.raises(OutcomeUnknownError) as raised:
        run(main)
    [ask] = peer.asks()
    assert (raised.value.task_id, raised.value.request_id) == (ask.json["params"]["id"], ask.json["id"])


EXPECTED: dict[str, PaymanError] = {}
"""What the other client makes of each fault: on both loops it is the same."""


@pytest.mark.slow
@table("name", [*REFUSED, *UNREADABLE])
def test_other_faults_are_errors_of_ours(name: str, run: Run, peer: Peer) -> None:
    """Refusals and unreadable answers come out as they do from the other client."""
    peer.always(ASK_PATH, REFUSED[name][0] if name in REFUSED else UNREADABLE[name])
    peer.always(GET_PATH, rpc(error={"code": -32601, "message": "no such method"}))
    if name not in EXPECTED:
        with connected_sync(peer) as client, pytest.raises(PaymanError) as expected:
            client.ask("Hello!")
        EXPECTED[name] = expected.value.with_traceback(None)

    async def main() -> None:
        async with connected(peer) as client:
            await client.ask("Hello!")

    with pytest.raises(PaymanError) as raised:
        run(main)
    assert type(raised.value) is type(EXPECTED[name])
    assert nameless(raised.value)[:80] == nameless(EXPECTED[name])[:80]


def nameless(error: PaymanError) -> str:
    """What an error says, without the ids that every ask has of its own."""
    return re.sub(r"(req|tsk|ses)-[0-9a-f-]{36}", r"\1-…", error.message)


def connected_sync(peer: Peer) -> PaymanClient:
    return PaymanClient(client_id="pm-test-1", client_secret=SECRET, base_url=peer.base_url, max_retries=0)


def test_nobody_there(run: Run) -> None:
    """A connection that is never made leaves nothing open."""

    async def main() -> None:
        async with AsyncPaymanClient(
            client_id="x", client_secret="y", base_url=f"http://127.0.0.1:{nobody.getsockname()[1]}"
        ) as client:
            await client.ask("Hello!")

    with socket.socket() as nobody, pytest.raises(APIConnectionError) as raised:
        nobody.bind(("127.0.0.1", 0))  # taken, and nobody listens there
        run(main)
    assert not raised.value.sent


def test_the_deadline_holds_against_a_server_that_drips(run: Run, peer: Peer) -> None:
    """A body that never ends is left at the deadline, and the outcome is open."""

    def drip() -> Iterator[bytes]:
        while not peer.stopping.wait(0.01):
            yield b" "

    async def main() -> None:
        async with connected(peer, timeout=60) as client:
            await client.ask(
                "Hello!"
            )  # fetches the token, so that the next ask has all its time for the answer
            peer.always(ASK_PATH, chunked(drip))
            for seconds in (0.3, 3, 30):  # a busy machine may need more to send it
                with suppress(APITimeoutError):
                    await client.ask("Hello!", timeout=seconds)

    with pytest.raises(OutcomeUnknownError, match="deadline"):
        run(main)


# Cancellation


def test_a_cancelled_ask_leaves_the_client_usable(run: Run, peer: Peer) -> None:
    """Cancelling an ask gives its connection back, its locks too, and the next ask is answered."""
    peer.script(ASK_PATH, peer.never)

    async def main() -> str:
        http = httpx.AsyncClient(trust_env=False, limits=httpx.Limits(max_connections=1))
        async with http, connected(peer, http_client=http) as client:
            await cancel_when(peer.asks, client.ask, "first")
            return str((await client.ask("second")).status)

    assert run(main) == "completed"


def test_a_renewal_under_way_is_not_lost_to_a_cancellation(run: Run, peer: Peer) -> None:
    """Whoever is cancelled while a refresh token is being spent ends afterwards; its successor is kept."""
    arrived, go_on = threading.Event(), threading.Event()

    def slow(request: Request) -> Iterator[bytes]:
        arrived.set()
        go_on.wait(30)
        yield from token("access-2", refresh_token="refresh-2")(request)

    peer.always(TOKEN_PATH, slow)
    store = MemoryTokenStore()

    async def main() -> str | None:
        client = AsyncPaymanClient.with_token(
            "pm-test-1", {"refreshToken": "refresh-1"}, base_url=peer.base_url, token_store=store
        )
        async with client, anyio.create_task_group() as group:
            group.start_soon(client.ask, "cancelled")
            await anyio.to_thread.run_sync(arrived.wait)
            group.cancel_scope.cancel()
            go_on.set()
        return client._connection.tokens.refresh_token if client._connection else None

    assert run(main) == "refresh-2"
    kept = store.load()
    assert kept is not None
    assert kept.refresh_token == "refresh-2"
    assert peer.asks() == []


def test_asyncios_own_cancel_does_not_lose_a_renewal_either() -> None:
    """`task.cancel()` and `wait_for` know no shields; what may not be stopped half-way ends all the same."""
    ended: list[str] = []

    async def work() -> str:
        await asyncio.sleep(0.05)
        ended.append("work")
        return "done"

    async def main() -> None:
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(run_shielded(work), 0.01)
        assert ended == ["work"]
        task = asyncio.ensure_future(run_shielded(work))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert ended == ["work", "work"]
        assert await run_shielded(work) == "done"

    asyncio.run(main())


def test_what_fails_in_a_shield_fails_outside(run: Run) -> None:
    """An exception of what is not to be stopped comes out."""

    async def work() -> None:
        await anyio.lowlevel.checkpoint()
        raise LookupError("inside")

    with pytest.raises(LookupError, match="inside"):
        run(partial(run_shielded, work))


def test_a_cancelled_wait_for_a_lock_leaves_it_free(run: Run, tmp_path: Path) -> None:
    """A task that is cancelled while it waits for a store's lock does not take it along."""
    store, other = (FileTokenStore(tmp_path / "token.json") for _ in range(2))

    def nothing() -> Flow[str]:
        yield Sleep(0)
        return "ran"

    async def main() -> str:
        async with httpx.AsyncClient(trust_env=False) as http:
            runner = AsyncRunner(http, "http://127.0.0.1:9", PATIENCE)

            def outer() -> Flow[str]:
                ran: str = yield WithLock(nothing(), float("inf"), store.lock)
                return ran

            assert other.lock.acquire(timeout=0)
            with anyio.move_on_after(0.1) as given_up:
                await runner.run(outer())
            assert given_up.cancelled_caught
            other.lock.release()
            return await runner.run(outer())

    assert run(main) == "ran"


# Constructors


def test_every_constructor(run: Run) -> None:
    """Credentials, the environment, a token and a code make async clients as they make the others."""
    with Sandbox() as sandbox:
        config: Any = {
            "client_id": sandbox.client_id,
            "client_secret": sandbox.client_secret,
            "base_url": sandbox.base_url,
        }

        async def main() -> list[str]:
            clients = [
                AsyncPaymanClient(config),
                AsyncPaymanClient.with_credentials(config),
                AsyncPaymanClient.with_token(config, sandbox.issue_token()),
                await AsyncPaymanClient.with_auth_code(config, sandbox.issue_code()),
            ]
            statuses: list[str] = []
            for client in clients:
                async with client:
                    statuses.append((await client.ask("test connection")).status)
                    assert await client.get_access_token()
                    assert not client.is_access_token_expired()
            return statuses

        assert run(main) == ["completed"] * 4


def test_a_refused_code_leaves_nothing_open(run: Run, peer: Peer) -> None:
    """A code that is refused is an error, and the client that was being made is closed."""
    peer.always(TOKEN_PATH, answer(400, '{"error": "invalid_grant"}'))

    async def main() -> None:
        await AsyncPaymanClient.with_auth_code(
            {"client_id": "x", "client_secret": "y", "base_url": peer.base_url}, "spent"
        )

    with pytest.raises(AuthenticationError) as raised:
        run(main)
    assert raised.value.error == "invalid_grant"


def test_a_closed_client_says_so(run: Run, peer: Peer) -> None:
    """After `close`, twice too, an ask is refused; a given httpx client stays open."""

    async def main() -> None:
        async with httpx.AsyncClient(trust_env=False) as http:
            client = connected(peer, http_client=http)
            assert (await client.ask("Hello!")).status == "completed"
            await client.close()
            await client.close()
            assert not http.is_closed
            with pytest.raises(ConfigurationError, match="closed"):
                await client.ask("Hello!")

    run(main)


def test_the_wrong_kind_of_httpx_client_is_named(run: Run) -> None:
    """A synchronous httpx client is refused by name, before anything is asked."""

    async def main() -> None:
        with httpx.Client() as http, pytest.raises(ConfigurationError, match=r"httpx\.AsyncClient"):
            AsyncPaymanClient(client_id="x", client_secret="y", http_client=http)  # type: ignore[arg-type]

    run(main)
