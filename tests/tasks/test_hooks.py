"""Hooks: `before_send` guards what is sent, `on_retry` hears of what is sent again; what they raise is the user's own."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, TypeAlias

import anyio
import anyio.lowlevel
import httpx
import pytest

from payman_sdk import AsyncPaymanClient, PaymanClient
from payman_sdk._core.effects import CallHook, Emit, Flow
from payman_sdk._core.hook_payloads import OutgoingAsk, RetryDetails
from payman_sdk._core.requests import AskRequest as AnAsk
from payman_sdk.errors import (
    APIConnectionError,
    ConfigurationError,
    PaymanError,
    RateLimitError,
    ServerError,
)
from payman_sdk.sandbox import Sandbox
from tests.conftest import SECRET, Connect
from tests.deadlines import with_enough_time
from tests.loops import LOOPS, run_on
from tests.peer import ASK_PATH, GET_PATH, Answer, Peer, answer, completed, reset, rpc, task_with
from tests.steps import Clock, driven, sent_whole, streamed, time_of, token_answer
from tests.streaming.wire import RESUBSCRIBE_PATH, STREAM_PATH
from tests.tables import table

TEXT = "send 10 TSD to Test Payee"
NOT_KNOWN = rpc(error={"code": -32001, "message": "Task not found"})
BUSY = answer(429, retry_after_ms="5")

Ask: TypeAlias = Callable[..., Any]


def plainly(client: PaymanClient, **options: Any) -> Any:
    return client.ask(TEXT, **options)


def raw(client: PaymanClient, **options: Any) -> Any:
    return client.ask(TEXT, raw=True, **options)


def streaming(client: PaymanClient, **options: Any) -> Any:
    with client.stream(TEXT, **options) as stream:
        return stream.result()


def received(client: PaymanClient, **options: Any) -> Any:
    return client.ask(TEXT, on_message=lambda _: None, **options)


def replied(client: PaymanClient, **options: Any) -> Any:
    return client.reply("tsk-waits", TEXT, **options)


def replied_and_heard(client: PaymanClient, **options: Any) -> Any:
    return client.reply("tsk-waits", TEXT, on_message=lambda _: None, **options)


async def plainly_later(client: AsyncPaymanClient, **options: Any) -> Any:
    return await client.ask(TEXT, **options)


async def streaming_later(client: AsyncPaymanClient, **options: Any) -> Any:
    async with client.stream(TEXT, **options) as stream:
        return await stream.result()


async def heard_later(client: AsyncPaymanClient, **options: Any) -> Any:
    return await client.ask(TEXT, on_message=lambda _: None, **options)


async def replied_later(client: AsyncPaymanClient, **options: Any) -> Any:
    return await client.reply("tsk-waits", TEXT, **options)


@pytest.fixture(autouse=True)
def _task_that_waits(request: pytest.FixtureRequest, peer: Peer) -> None:
    """A reply goes to a task that the agent knows; one that was turned away goes out again if the agent knows none afterwards."""
    if "replied" in request.node.name:
        peer.script(GET_PATH, task_with(status={"state": "input-required"}))


WAYS: list[Ask] = [plainly, raw, streaming, received, replied, replied_and_heard]
LATER: list[Ask] = [plainly_later, streaming_later, heard_later, replied_later]
ways = pytest.mark.parametrize("ask", WAYS)
later = pytest.mark.parametrize("ask", LATER)
loops = pytest.mark.parametrize("loop", LOOPS)


@pytest.fixture(autouse=True)
def _streams_end(peer: Peer) -> None:
    """The peer answers a streamed ask whole."""
    peer.always(STREAM_PATH, completed)


def on_a_loop(loop: str, peer: Peer, ask: Ask, config: dict[str, Any], **options: Any) -> Any:
    """Asks the peer with a client for tasks."""

    async def main() -> Any:
        given: dict[str, Any] = {
            "client_id": "pm-test-1",
            "client_secret": SECRET,
            "base_url": peer.base_url,
            **config,
        }
        async with AsyncPaymanClient(**given) as client:
            return await ask(client, **options)

    return run_on(loop, main)


def sends(peer: Peer) -> list[dict[str, Any]]:
    """The bodies of the asks that came, of whatever kind."""
    return [request.json for request in peer.requests if request.path in (ASK_PATH, STREAM_PATH)]


class Guard:
    """A hook that remembers what it is given, and how much had been sent by then."""

    def __init__(self, peer: Peer) -> None:
        self._peer = peer
        self.seen: list[Any] = []
        self.sent_before: list[int] = []

    def __call__(self, about: Any) -> None:
        self.seen.append(about)
        self.sent_before.append(len(self._peer.requests))

    async def awaited(self, about: Any) -> None:
        await anyio.lowlevel.checkpoint()
        self(about)


@pytest.fixture
def guard(peer: Peer) -> Guard:
    return Guard(peer)


class TooMuch(Exception):  # noqa: N818 - the user's own exceptions have the names the user likes
    """What a user's guard raises."""


def refuse(_: object) -> None:
    raise TooMuch("too much")


async def refuse_later(_: object) -> None:
    await anyio.lowlevel.checkpoint()
    raise TooMuch("too much")


def always(value: object) -> Callable[[object], object]:
    """Return a hook that returns this value."""

    def hook(_: object) -> object:
        return value

    return hook


# --- before_send


def assert_saw_what_was_sent(guard: Guard, peer: Peer) -> None:
    """The hook was given, before anything went out, what went out then."""
    [outgoing] = guard.seen
    [body] = sends(peer)
    params = body["params"]
    assert outgoing == OutgoingAsk(
        TEXT,
        params["id"] == "tsk-waits",
        task_id=params["id"],
        request_id=body["id"],
        session_id=params["sessionId"],
        idempotency_key=None,
    )
    assert guard.sent_before == [0]


@ways
@pytest.mark.parametrize("is_option", [True, False])
def test_a_guard_sees_what_is_about_to_be_sent(
    ask: Ask, is_option: bool, guard: Guard, peer: Peer, connect: Connect
) -> None:
    """`before_send`, of the client or of one ask, sees the text and the ids that are sent then, before even a token is fetched."""
    given = {"before_send": guard}
    ask(connect(**{} if is_option else given), **given if is_option else {})
    assert_saw_what_was_sent(guard, peer)


@loops
@later
@pytest.mark.parametrize("is_awaited", [True, False])
def test_a_guard_of_tasks(loop: str, ask: Ask, is_awaited: bool, guard: Guard, peer: Peer) -> None:
    """A client for tasks awaits a guard that is a coroutine function, and takes one that is not."""
    on_a_loop(loop, peer, ask, {"before_send": guard.awaited if is_awaited else guard})
    assert_saw_what_was_sent(guard, peer)


def test_the_guard_of_an_ask_takes_the_place_of_the_clients(
    guard: Guard, peer: Peer, connect: Connect
) -> None:
    """An ask with a guard of its own is not seen by the client's; None is no guard of its own."""
    client = connect(before_send=refuse)
    assert client.ask(TEXT, before_send=guard).status == "completed"
    with pytest.raises(TooMuch):
        client.ask(TEXT, before_send=None)
    with pytest.raises(TooMuch):
        client.ask(TEXT, {"before_send": None})
    assert (len(guard.seen), len(sends(peer))) == (1, 1)


@ways
def test_what_a_guard_raises_comes_out(ask: Ask, peer: Peer, connect: Connect) -> None:
    """The very exception of the guard comes out, and nothing at all is sent, not even for a token."""
    refusal = TooMuch("too much")

    def guard(_: OutgoingAsk) -> None:
        raise refusal

    with pytest.raises(TooMuch) as caught:
        ask(connect(), before_send=guard)
    assert caught.value is refusal
    assert (refusal.__cause__, refusal.__context__) == (None, None)
    assert peer.requests == []


@ways
def test_a_guard_that_returns_false_blocks(ask: Ask, peer: Peer, connect: Connect) -> None:
    """A hook that answers "may this be sent?" with False blocks it, and the error says how to block; other values send it."""
    with pytest.raises(ConfigurationError, match=r"before_send returned False.*Raise an exception") as caught:
        ask(connect(), before_send=always(False))
    assert (caught.value.sent, peer.requests) == (False, [])
    assert caught.value.task_id is not None
    assert ask(connect(), before_send=always(0)) is not None


@loops
@later
def test_a_guard_of_tasks_that_returns_false_blocks(loop: str, ask: Ask, peer: Peer) -> None:
    """The same for tasks."""

    async def is_allowed(_: object) -> bool:
        return False

    with pytest.raises(ConfigurationError, match="before_send returned False"):
        on_a_loop(loop, peer, ask, {}, before_send=is_allowed)
    assert peer.requests == []


@loops
@later
@table("guard", [refuse, refuse_later])
def test_what_a_guard_of_tasks_raises_comes_out(loop: str, ask: Ask, guard: Any, peer: Peer) -> None:
    """The same for tasks."""
    with pytest.raises(TooMuch, match="too much"):
        on_a_loop(loop, peer, ask, {}, before_send=guard)
    assert peer.requests == []


@pytest.mark.parametrize(
    "kind", [KeyboardInterrupt, SystemExit, TimeoutError, StopIteration, httpx.ReadError]
)
def test_any_exception_of_a_guard_comes_out(
    kind: type[BaseException], peer: Peer, client: PaymanClient
) -> None:
    """Whatever a guard raises is no failure of the network, and no reason to try again."""

    def guard(_: OutgoingAsk) -> None:
        raise kind("mine")

    with pytest.raises(kind) as caught:
        client.ask(TEXT, before_send=guard, max_retries=2)
    assert caught.value.args == ("mine",)
    assert peer.requests == []


@pytest.mark.parametrize("ask", [plainly, streaming])
def test_an_error_of_ours_in_a_guard_is_the_users(ask: Ask, peer: Peer, connect: Connect) -> None:
    """A guard that asks with another client, and fails, fails with that very error, and nothing is tried again."""
    mine = APIConnectionError("The guard's own.", sent=False)

    def guard(_: OutgoingAsk) -> None:
        raise mine

    with pytest.raises(APIConnectionError) as caught:
        ask(connect(max_retries=2), before_send=guard)
    assert caught.value is mine
    assert (mine.message, mine.sent) == ("The guard's own.", False)
    assert peer.requests == []


@ways
def test_a_guard_is_asked_once(ask: Ask, guard: Guard, peer: Peer, connect: Connect) -> None:
    """However often an ask is sent again, its guard was asked once."""
    for path in (ASK_PATH, STREAM_PATH):
        peer.script(path, BUSY, answer(401), BUSY)
    ask(connect(max_retries=2, before_send=guard))
    assert (len(guard.seen), len(sends(peer))) == (1, 4)


@pytest.mark.parametrize("ask", [plainly, raw, streaming, received])
def test_a_guard_is_not_asked_about_what_was_lost(
    ask: Ask, guard: Guard, peer: Peer, connect: Connect
) -> None:
    """Nor is it asked again where an ask that got lost is looked up and sent again."""
    for path in (ASK_PATH, STREAM_PATH):
        peer.script(path, reset)
    peer.always(GET_PATH, NOT_KNOWN)
    peer.always(RESUBSCRIBE_PATH, NOT_KNOWN)
    ask(connect(max_retries=1, before_send=guard))
    assert (len(guard.seen), len(sends(peer))) == (1, 2)


@pytest.mark.parametrize("ask", [plainly, raw, streaming, received])
def test_a_guard_and_a_key(ask: Ask, guard: Guard, peer: Peer, connect: Connect) -> None:
    """With a key, the guard is asked only where the task is not there yet, and sees the key."""
    client = connect(before_send=guard)
    peer.script(GET_PATH, completed)
    ask(client, idempotency_key="invoice-42")
    assert guard.seen == []
    peer.script(GET_PATH, NOT_KNOWN)
    ask(client, idempotency_key="invoice-42")
    [outgoing] = guard.seen
    assert (outgoing.idempotency_key, outgoing.task_id) == ("invoice-42", sends(peer)[0]["params"]["id"])
    assert guard.sent_before == [3]  # the token, and a look each time
    with pytest.raises(TooMuch):
        ask(client, idempotency_key="invoice-43", before_send=refuse)
    assert len(sends(peer)) == 1


@pytest.mark.parametrize("way", ["plain", "stream"])
def test_the_time_of_a_guard_is_not_the_asks(way: str) -> None:
    """A person who takes an hour to say yes takes no time from the ask."""
    clock = Clock()
    an_ask = AnAsk(text=TEXT, task_id="tsk-1", request_id="req-1", session_id="ses-1")
    done = {"jsonrpc": "2.0", "id": "req-1", "result": {"id": "tsk-1", "status": {"state": "completed"}}}

    def guard(_: OutgoingAsk) -> None:
        clock.now += 3600

    def flow() -> Flow[None]:
        """The flow, with the guard consulted, and what is told let go."""
        if way == "plain":
            inner: Flow[Any] = sent_whole(an_ask, time_of(clock, 10), guard)
        else:
            inner = streamed(an_ask, time_of(clock, 10), guard).run()
        outcome: Any = None
        while True:
            try:
                step = inner.send(outcome)
            except StopIteration:
                return
            match step:
                case CallHook(function, about):
                    outcome = function(about)
                case Emit():
                    outcome = None
                case _:
                    outcome = yield step

    outcome, sent = driven(flow(), [token_answer(), httpx.Response(200, json=done)], clock=clock)
    assert outcome is None
    assert [step.deadline for step in sent] == [4610, 4610]


def test_a_guard_that_is_slow(peer: Peer, client: PaymanClient) -> None:
    """The same by a real clock."""
    waiting = threading.Event()

    def ask(seconds: float) -> str | None:
        return client.ask(
            TEXT, before_send=lambda _: str(waiting.wait(1.2 * seconds)), timeout=seconds
        ).status

    assert with_enough_time(0.25, ask) == "completed"


@ways
def test_a_coroutine_function_is_not_a_guard_of_threads(ask: Ask, peer: Peer, connect: Connect) -> None:
    """A client for threads, which would not await its guard, refuses it rather than send unguarded."""
    with pytest.raises(
        ConfigurationError, match="coroutine function, which PaymanClient cannot await"
    ) as caught:
        ask(connect(before_send=refuse_later))
    assert "AsyncPaymanClient" in str(caught.value)
    assert peer.requests == []


@ways
def test_what_a_guard_returns_to_await_was_not_awaited(ask: Ask, peer: Peer, connect: Connect) -> None:
    """It shows after the hook was called; the error says that nothing was sent."""
    with pytest.raises(ConfigurationError, match="cannot await") as caught:
        ask(connect(), before_send=always(refuse_later(None)))
    assert (caught.value.sent, peer.requests) == (False, [])


def test_a_guard_may_ask_itself(guard: Guard) -> None:
    """A guard may use a client of its own, such as to look at the balance first."""
    with Sandbox() as sandbox, sandbox.client() as own:

        def balance_first(outgoing: OutgoingAsk) -> None:
            guard(outgoing)
            assert "1,000" in own.ask("what's my TSD wallet balance?").text

        with sandbox.client(before_send=balance_first) as client:
            assert client.ask(TEXT).status == "completed"
        assert (len(guard.seen), len(sandbox.payments)) == (1, 1)


# --- on_retry


def assert_heard(seen: list[Any], peer: Peer) -> None:
    """Of two refusals that asked for 5 ms, each was told before the next attempt."""
    assert [(one.attempt, type(one.reason), one.delay) for one in seen] == [
        (1, RateLimitError, 0.005),
        (2, ServerError, 0.0),
    ]
    assert all(isinstance(one, RetryDetails) for one in seen)
    assert {one.task_id for one in seen} == {body["params"]["id"] for body in sends(peer)}
    assert [one.reason.status_code for one in seen] == [429, 503]


@ways
@pytest.mark.parametrize("is_option", [True, False])
def test_every_retry_is_reported(
    ask: Ask, is_option: bool, guard: Guard, peer: Peer, connect: Connect
) -> None:
    """`on_retry`, of the client or of one ask, hears of every attempt that failed, before the next one."""
    for path in (ASK_PATH, STREAM_PATH):
        peer.script(path, BUSY, answer(503, retry_after="0"))
    given = {"on_retry": guard}
    ask(connect(max_retries=2, **{} if is_option else given), **given if is_option else {})
    assert_heard(guard.seen, peer)
    # The token, a look before a reply to a task that is known by its id alone, and what failed.
    first = 3 if ask in (replied, replied_and_heard) else 2
    assert [sent for sent in guard.sent_before if sent in (2, 3)][:1] == [first]
    assert guard.sent_before == sorted(guard.sent_before)


@loops
@later
@pytest.mark.parametrize("is_awaited", [True, False])
def test_every_retry_of_tasks_is_reported(
    loop: str, ask: Ask, is_awaited: bool, guard: Guard, peer: Peer
) -> None:
    """The same for tasks, awaited where it can be."""
    for path in (ASK_PATH, STREAM_PATH):
        peer.script(path, BUSY, answer(503, retry_after="0"))
    on_a_loop(loop, peer, ask, {"on_retry": guard.awaited if is_awaited else guard, "max_retries": 2})
    assert_heard(guard.seen, peer)


def test_what_is_not_repeated_is_not_reported(guard: Guard, peer: Peer, connect: Connect) -> None:
    """Neither a success nor a refusal nor the last failure is followed by anything, so nothing is told of them."""
    client = connect(max_retries=1, on_retry=guard)
    client.ask(TEXT)
    peer.script(ASK_PATH, answer(403))
    with pytest.raises(PaymanError):
        client.ask(TEXT)
    assert guard.seen == []
    peer.script(ASK_PATH, BUSY, BUSY)
    with pytest.raises(RateLimitError):
        client.ask(TEXT)
    assert len(guard.seen) == 1
    peer.script(ASK_PATH, answer(429, retry_after="3600"))
    with pytest.raises(RateLimitError):
        client.ask(TEXT)
    assert len(guard.seen) == 1
    peer.script(ASK_PATH, answer(401))
    client.ask(TEXT)
    assert len(guard.seen) == 1


@pytest.mark.parametrize("ask", [plainly, streaming])
@pytest.mark.parametrize("fault", [BUSY, reset, answer(500)])
def test_what_a_hook_of_retries_raises_comes_out(
    ask: Ask, fault: Answer, peer: Peer, connect: Connect
) -> None:
    """The very exception of the hook comes out, and the ask is not sent again."""
    for path in (ASK_PATH, STREAM_PATH):
        peer.always(path, fault)
    peer.always(GET_PATH, NOT_KNOWN)
    peer.always(RESUBSCRIBE_PATH, NOT_KNOWN)
    with pytest.raises(TooMuch, match="too much"):
        ask(connect(max_retries=2, on_retry=refuse))
    assert len(sends(peer)) == 1


@loops
def test_what_a_hook_of_retries_of_tasks_raises_comes_out(loop: str, peer: Peer) -> None:
    """The same for tasks."""
    peer.always(ASK_PATH, BUSY)
    with pytest.raises(TooMuch, match="too much"):
        on_a_loop(loop, peer, plainly_later, {"on_retry": refuse_later, "max_retries": 2})
    assert len(sends(peer)) == 1


def test_a_coroutine_function_is_not_a_hook_of_threads(peer: Peer, connect: Connect) -> None:
    """A client for threads refuses an `on_retry` that it would not await."""
    peer.always(ASK_PATH, BUSY)
    with pytest.raises(ConfigurationError, match="coroutine function, which PaymanClient cannot await"):
        connect(max_retries=1, on_retry=refuse_later).ask(TEXT)


def test_what_only_reads_is_repeated_and_reported_too(guard: Guard, peer: Peer, connect: Connect) -> None:
    """`get_task` and `cancel_task` tell of their retries as well."""
    client = connect(max_retries=2, on_retry=guard)
    peer.script(GET_PATH, reset, answer(500), completed)
    assert client.get_task("tsk-1").status == "completed"
    assert [(one.attempt, one.task_id) for one in guard.seen] == [(1, "tsk-1"), (2, "tsk-1")]


# --- what is no hook


@pytest.mark.parametrize("name", ["before_send", "on_retry", "on_message"])
@pytest.mark.parametrize("given", [5, "print", [print], {}])
def test_what_cannot_be_called_is_not_a_hook(name: str, given: Any, peer: Peer, connect: Connect) -> None:
    """What cannot be called is refused by its name, per ask and as a setting, before anything is sent."""
    reported, options = f"{name} is an? ", {name: given}
    with pytest.raises(ConfigurationError, match=reported):
        plainly(connect(), **options)
    if name != "on_message":
        with pytest.raises(ConfigurationError, match=reported):
            connect().stream(TEXT, **options)
        with pytest.raises(ConfigurationError, match=reported):
            connect(**options)
    with pytest.raises(ConfigurationError, match=reported):
        connect().reply("tsk-1", "approve", **options)
    assert peer.requests == []


class Listener:
    """An object that can be called, and has a method that can."""

    def __init__(self, seen: list[Any]) -> None:
        self._seen = seen

    def __call__(self, about: Any) -> None:
        self._seen.append(about)

    def method(self, about: Any) -> None:
        self._seen.append(about)


def test_whatever_can_be_called_is_a_hook(client: PaymanClient) -> None:
    """Functions, methods, objects and partials alike."""
    seen: list[Any] = []
    one = Listener(seen)
    hooks: list[Any] = [
        seen.append,
        one,
        one.method,
        partial(Listener.method, one),
        lambda it: seen.append(it),
    ]
    for hook in hooks:
        client.ask(TEXT, before_send=hook)
    assert [outgoing.text for outgoing in seen] == [TEXT] * len(hooks)


def test_what_hooks_are_given_holds_no_secret(peer: Peer, connect: Connect) -> None:
    """Neither what is about to be sent nor what failed shows the secret or the token."""
    seen: list[Any] = []

    def echo(request: Any) -> Iterator[bytes]:
        yield from answer(429, request.headers["x-payman-access-token"], "text/plain", retry_after_ms="1")(
            request
        )

    peer.script(ASK_PATH, echo)
    connect(max_retries=1, before_send=seen.append, on_retry=seen.append).ask(TEXT)
    assert len(seen) == 2
    assert SECRET not in repr(seen) + str(seen)
    assert "peer-access-token" not in f"{seen!r} {seen[1].reason} {seen[1].reason.response.text}"
