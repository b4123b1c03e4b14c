from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import anyio
import httpx
import pytest

from payman_sdk._core.effects import Flow, SendRequest, Sleep, WithLock
from payman_sdk._io.async_runner import AsyncRunner
from payman_sdk._io.http import Timeouts, limit_request
from payman_sdk._io.runner import SyncRunner
from payman_sdk._io.transport import build_http_client
from payman_sdk.errors import APIConnectionError, APITimeoutError, ConfigurationError
from tests.peer import ASK_PATH, PLAIN, Peer, Request, answer, chunked, completed, reset
from tests.steps import Clock

PATIENCE = Timeouts(connect=5, read=5)
REQUEST = {"method": "POST", "url": ASK_PATH, "json": {"id": "req-1", "params": {"id": "tsk-1"}}}


def sending(deadline: float) -> Flow[httpx.Response]:
    outcome: httpx.Response = yield SendRequest(REQUEST, deadline)
    return outcome


@pytest.fixture
def http() -> Iterator[httpx.Client]:
    with httpx.Client(verify=PLAIN, trust_env=False) as http:
        yield http


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def runner(peer: Peer, http: httpx.Client, clock: Clock) -> SyncRunner:
    return SyncRunner(http, peer.base_url, PATIENCE, clock)


def test_a_door_carries_out_steps_and_returns_what_the_flow_returns(peer: Peer, http: httpx.Client) -> None:
    """Requests are sent, waits are waited, inner flows are run; each outcome goes back into the flow."""
    slept: list[float] = []
    runner = SyncRunner(http, peer.base_url, PATIENCE, Clock(), slept.append)

    def inner() -> Flow[str]:
        yield Sleep(0.5)
        return "inner"

    def outer() -> Flow[tuple[int, str]]:
        response: httpx.Response = yield SendRequest(REQUEST, 1010)
        yield Sleep(2)
        name: str = yield WithLock(inner(), 1010)
        return response.status_code, name

    assert runner.run(outer()) == (200, "inner")
    assert slept == [2, 0.5]


def test_a_failure_is_thrown_into_the_flow(runner: SyncRunner, peer: Peer) -> None:
    """A flow can catch the failure of its step and go on."""
    peer.script(ASK_PATH, reset)

    def flow() -> Flow[str]:
        try:
            yield SendRequest(REQUEST, 1010)
        except APIConnectionError:
            response: httpx.Response = yield SendRequest(REQUEST, 1010)
            return f"then {response.status_code}"
        raise AssertionError("nothing was thrown in")

    assert runner.run(flow()) == "then 200"


def test_an_exception_of_the_flow_itself_comes_out(runner: SyncRunner) -> None:
    """What a flow raises, its caller gets, unchanged."""

    def flow() -> Flow[None]:
        yield WithLock(iter_nothing(), 1010)
        raise LookupError("mine")

    with pytest.raises(LookupError, match="mine"):
        runner.run(flow())


def iter_nothing() -> Flow[None]:
    yield from ()


@pytest.mark.parametrize("interruption", [KeyboardInterrupt, SystemExit])
def test_a_flow_is_closed_when_its_caller_is_interrupted(
    interruption: type[BaseException], peer: Peer, http: httpx.Client
) -> None:
    """A flow learns what interrupts it: it may tidy up, and cannot go on."""
    met: list[type[BaseException]] = []

    def interrupted(_: float) -> None:
        raise interruption

    def flow() -> Flow[None]:
        try:
            yield Sleep(1)
        except BaseException as error:
            met.append(type(error))
            raise

    runner = SyncRunner(http, peer.base_url, PATIENCE, Clock(), interrupted)
    with pytest.raises(interruption) as caught:
        runner.run(flow())
    assert met == [interruption]
    assert caught.value.__traceback__ is not None


@pytest.mark.parametrize("failure", [LookupError, KeyboardInterrupt])
def test_the_lock_is_free_after_an_inner_flow_failed(
    failure: type[BaseException], runner: SyncRunner
) -> None:
    """However an inner flow ends, the next one gets the lock."""

    def failing() -> Flow[None]:
        yield from ()
        raise failure

    def outer(inner: Flow[Any]) -> Flow[str]:
        yield WithLock(inner, 1010)
        return "done"

    with pytest.raises(failure):
        runner.run(outer(failing()))
    done: list[str] = []
    other = threading.Thread(target=lambda: done.append(runner.run(outer(iter_nothing()))), daemon=True)
    other.start()
    other.join(60)
    assert done == ["done"]


def test_inner_flows_run_one_after_the_other(peer: Peer, http: httpx.Client) -> None:
    """While one thread is in an inner flow, another waits with its own; flows outside of any do not wait."""
    inside, go, entered = threading.Event(), threading.Event(), threading.Event()
    order: list[str] = []

    def sleep(_: float) -> None:
        inside.set()
        assert go.wait(60)

    def slow() -> Flow[None]:
        yield Sleep(1)
        order.append("first")

    def quick() -> Flow[None]:
        entered.set()
        order.append("second")
        yield from ()

    def alone(inner: Flow[None]) -> Flow[None]:
        yield WithLock(inner, 1010)

    runner = SyncRunner(http, peer.base_url, PATIENCE, Clock(), sleep)
    threads = [threading.Thread(target=runner.run, args=(alone(flow),)) for flow in (slow(), quick())]
    threads[0].start()
    assert inside.wait(60)
    threads[1].start()
    assert not entered.wait(0.05)
    assert runner.run(sending(1010)).status_code == 200
    go.set()
    for thread in threads:
        thread.join()
    assert order == ["first", "second"]


def test_a_dripping_answer_is_left_at_the_deadline(runner: SyncRunner, peer: Peer, clock: Clock) -> None:
    """A server that sends a byte a second, and would do so for ever, holds nobody longer than the deadline."""

    def drip() -> Iterator[bytes]:
        while clock.now < 20_000:
            clock.now += 1
            yield b" "

    peer.script(ASK_PATH, chunked(drip))
    with pytest.raises(APITimeoutError, match="No answer in time") as caught:
        runner.run(sending(1003))
    assert caught.value.sent
    assert clock.now > 1003


def test_an_answer_that_drips_but_ends_in_time_is_whole(runner: SyncRunner, peer: Peer, clock: Clock) -> None:
    """A slow answer that is complete before the deadline is an answer."""

    def drip() -> Iterator[bytes]:
        for piece in (b'{"a"', b": ", b"1}"):
            clock.now += 1
            yield piece

    peer.script(ASK_PATH, chunked(drip))
    assert runner.run(sending(1010)).json() == {"a": 1}


def test_an_answer_that_is_whole_at_its_deadline_is_an_answer(
    peer: Peer, http: httpx.Client, clock: Clock
) -> None:
    """A machine that is paused may find it there when its time is over: what has come is not thrown away."""

    def come_late(request: Request) -> Iterator[bytes]:
        clock.now += 100
        yield from completed(request)

    def come_late_in_chunks() -> Iterator[bytes]:
        clock.now += 100
        yield from (b'{"result"', b": ", b"1}")

    async def ask(deadline: float) -> httpx.Response:
        async with httpx.AsyncClient(verify=PLAIN, trust_env=False) as given:
            return await AsyncRunner(given, peer.base_url, PATIENCE, clock).run(sending(deadline))

    with closing(build_http_client(peer.base_url)) as own:
        for client in (http, own):
            peer.script(ASK_PATH, come_late)
            came = SyncRunner(client, peer.base_url, PATIENCE, clock).run(sending(clock.now + 3))
            assert "result" in came.json()
        peer.script(ASK_PATH, chunked(come_late_in_chunks), come_late)
        runner = SyncRunner(own, peer.base_url, PATIENCE, clock)
        assert runner.run(sending(clock.now + 3)).json() == {"result": 1}
    assert "result" in anyio.run(ask, clock.now + 3).json()


def test_nothing_is_sent_after_the_deadline(runner: SyncRunner, peer: Peer, clock: Clock) -> None:
    """Where the time is over before the request, it is not sent, and the error says so."""
    with pytest.raises(APITimeoutError) as caught:
        runner.run(sending(clock.now))
    assert not caught.value.sent
    assert peer.requests == []


def test_the_limits_of_a_request_keep_to_the_deadline() -> None:
    """Connecting and reading have limits of their own, and no more than what is left of the whole time."""

    def parts(left: float, connect: float) -> dict[str, float]:
        return {"connect": connect, "read": left, "write": left, "pool": left}

    limits = Timeouts(connect=5, read=60)
    assert limit_request(SendRequest({}, 1300), 1000, limits) == (1060, parts(60, connect=5))
    assert limit_request(SendRequest({}, 1300, 200), 1000, limits) == (1200, parts(200, connect=5))
    assert limit_request(SendRequest({}, 1002), 1000, limits) == (1002, parts(2, connect=2))


def test_a_redirect_is_not_followed(runner: SyncRunner, peer: Peer) -> None:
    """A redirect is an answer like others, also for an httpx client that follows them; its target is sent nothing."""
    with Peer() as elsewhere, httpx.Client(trust_env=False, follow_redirects=True) as following:
        for status in (301, 302, 303, 307, 308):
            peer.script(ASK_PATH, answer(status, location=elsewhere.base_url + ASK_PATH))
            runner = SyncRunner(following, peer.base_url, PATIENCE, Clock())
            assert runner.run(sending(1010)).status_code == status
        assert elsewhere.requests == []


def test_a_closed_httpx_client_is_named(runner: SyncRunner, http: httpx.Client) -> None:
    """A request over connections that were closed is refused, and not with httpx's RuntimeError."""
    http.close()
    with pytest.raises(ConfigurationError, match="has been closed"):
        runner.run(sending(1010))


def test_a_server_that_is_not_there_was_sent_nothing(runner: SyncRunner, http: httpx.Client) -> None:
    """A refused connection is an APIConnectionError that says that nothing was sent."""
    with Peer() as gone:
        pass
    with pytest.raises(APIConnectionError, match=r"Could not connect to 127\.0\.0\.1:") as caught:
        SyncRunner(http, gone.base_url, PATIENCE, Clock()).run(sending(1010))
    assert not caught.value.sent


def test_tls_that_fails_was_sent_nothing(peer: Peer, http: httpx.Client) -> None:
    """A server that does not speak TLS where https is asked for gets no request."""
    base_url = peer.base_url.replace("http:", "https:")
    with pytest.raises(APIConnectionError) as caught:
        SyncRunner(http, base_url, PATIENCE, Clock()).run(sending(1010))
    assert not caught.value.sent


def test_a_step_shows_nothing_of_its_request() -> None:
    """The repr of a step holds no header: there is a secret in it."""
    assert "s3cret" not in repr(SendRequest({"headers": {"Authorization": "s3cret"}}, 1.0))


def test_this_machine_is_reached_without_a_proxy(peer: Peer, monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment's proxy is for other servers: what is said to loopback does not leave the machine."""
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    with closing(build_http_client(peer.base_url)) as http:
        assert SyncRunner(http, peer.base_url, PATIENCE, Clock()).run(sending(1010)).status_code == 200
