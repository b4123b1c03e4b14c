"""How asks, streams, cancellations and searches end where something fails that hardly ever does."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from payman_api import PATHS
from payman_sdk import MemoryKeyStore
from payman_sdk._core import rpc as rpc_module
from payman_sdk._core.effects import Flow
from payman_sdk._core.http import ResponseHeaders
from payman_sdk._core.operations import Operations
from payman_sdk._core.reconciliation import Attempts
from payman_sdk._core.requests import AskRequest
from payman_sdk._core.rpc import read_answer
from payman_sdk._core.stream import StreamFlow
from payman_sdk.errors import (
    APIConnectionError,
    APITimeoutError,
    OutcomeUnknownError,
    PaymanError,
    RateLimitError,
    ServerError,
    StreamInterruptedError,
)
from payman_sdk.sandbox import Sandbox
from payman_sdk.types import FormattedTaskResponse
from tests.conftest import Connect
from tests.peer import GET_PATH, Peer, answer, reset, rpc, task_with
from tests.steps import Clock, driven, sent_whole, time_of, token_answer
from tests.streaming.wire import RESUBSCRIBE_PATH, STREAM_PATH, chunk, status, stream

CANCEL_PATH = PATHS["cancel_task"]
WORKING = status("working")
UNKNOWN = OutcomeUnknownError("It is unknown.")


def make_looks(*outcomes: PaymanError | None) -> Any:
    """A look-up that has these outcomes, one after the other."""
    left = iter(outcomes)

    def look(failure: PaymanError, repeats: bool) -> Flow[Any]:
        yield from ()
        if (outcome := next(left)) is not None:
            raise outcome
        return None

    return look


def test_what_a_look_up_says_is_unknown_stays_unknown() -> None:
    """Its own error comes out, not one about the failure before."""
    for retries in (2, 0):
        clock = Clock()
        time = time_of(clock, max_retries=retries)
        time.watch.attempts = 1  # the one that failed
        kept = Attempts(make_looks(UNKNOWN), time, "tsk-1", is_reply=False)
        turned_away = RateLimitError("busy", status_code=429)
        assert driven(kept.handle(turned_away), clock=clock)[0] is UNKNOWN


def test_a_look_up_that_fails_after_a_lost_attempt_leaves_its_outcome_unknown() -> None:
    """The agent did not know it at first; then nothing is learned."""
    clock = Clock()
    time = time_of(clock, max_retries=2)
    time.watch.attempts = 1
    looks = make_looks(None, ServerError("busy", status_code=503))
    kept = Attempts(looks, time, "tsk-1", is_reply=False)
    lost = APIConnectionError("lost")
    error, _ = driven(kept.handle(lost), clock=clock)
    assert isinstance(error, OutcomeUnknownError) and error.sent is True


def test_the_error_says_what_was_seen_of_a_task_and_why_no_more_was() -> None:
    """The agent knew the task of an attempt whose answer was lost; later look-ups are refused."""
    ask = AskRequest("send 10 TSD to Test Payee", "tsk-1", "req-1", "ses-1")
    clock, lost = Clock(), APIConnectionError("It broke.", sent=True)

    def working(body: Any) -> httpx.Response:
        return httpx.Response(200, json={"id": body["id"], "result": {"status": {"state": "working"}}})

    refused = httpx.Response(403, json={"message": "no right to look"})
    error, _ = driven(sent_whole(ask, time_of(clock)), [token_answer(), lost, working, refused], clock=clock)
    assert isinstance(error, OutcomeUnknownError)
    assert (error.sent, error.task_id, error.__cause__) == (True, "tsk-1", lost)
    assert error.message.startswith(
        "It broke. The agent said that the task is working. The outcome of the ask is undetermined. "
        "Looking the task up failed too: "
    )
    assert "no right to look" in error.message


@pytest.mark.parametrize("is_looked_up", [True, False])
def test_an_answer_that_the_sdk_fails_to_read_is_looked_up(
    is_looked_up: bool, peer: Peer, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The ask ends as its task did; where the agent does not know the task, the error names the fault."""
    faults = iter((ZeroDivisionError(),))

    def read(*answer: Any) -> Any:
        for fault in faults:
            raise fault
        return read_answer(*answer)

    monkeypatch.setattr(rpc_module, "read_answer", read)
    client = connect(max_retries=0, settle_time=0)
    if is_looked_up:
        assert client.ask("send 10 TSD to Test Payee").status == "completed"
    else:
        peer.always(GET_PATH, rpc(error={"code": -32001, "message": "Task not found"}))
        with pytest.raises(
            OutcomeUnknownError, match=r"failed after the ask was sent, with ZeroDivisionError"
        ) as caught:
            client.ask("send 10 TSD to Test Payee")
        assert caught.value.sent is True
        assert "The agent did not know the task." in caught.value.message
    assert len(peer.asks()) == 1


def test_a_cancellation_is_repeated(peer: Peer, connect: Connect) -> None:
    """While the server is busy; where nobody can look the task up, the failure is that of the cancellation."""
    canceled = task_with(status={"state": "CANCELED"})
    peer.script(CANCEL_PATH, answer(503, retry_after="0"), canceled)
    client = connect(max_retries=1)
    assert client.cancel_task("tsk-1").state == "canceled"
    peer.always(CANCEL_PATH, reset)
    peer.always(GET_PATH, canceled)
    assert client.cancel_task("tsk-1").state == "canceled"  # its answer was lost
    peer.script(CANCEL_PATH, reset, canceled)
    peer.always(GET_PATH, task_with(status={"state": "WORKING"}))
    assert client.cancel_task("tsk-1").state == "canceled"  # it was lost itself, and sent again
    peer.always(GET_PATH, rpc(error={"code": -32601, "message": "Method not found"}))
    with pytest.raises(APIConnectionError):
        client.cancel_task("tsk-1")


def test_a_stream_that_goes_on_a_little_each_time_is_joined_again(peer: Peer, connect: Connect) -> None:
    """Whoever gets something new has as many tries as before."""
    peer.always(STREAM_PATH, stream(WORKING, chunk("one ", append=False), ends=False))
    pieces = [stream(chunk(f"{word} ", append=True), ends=False) for word in ("two", "three", "four", "five")]
    peer.script(RESUBSCRIBE_PATH, *pieces, stream(status("COMPLETED", final=True)))
    assert connect().stream("Hello!").result().status == "completed"


def test_an_unknown_outcome_ends_a_stream(
    peer: Peer, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever learns that while joining a stream does not try again."""
    whole = StreamFlow._send_and_emit
    calls: list[object] = []

    def send(self: StreamFlow, *request: Any) -> Any:
        calls.append(request)
        if len(calls) > 1:
            raise UNKNOWN
        return (yield from whole(self, *request))

    monkeypatch.setattr(StreamFlow, "_send_and_emit", send)
    peer.always(STREAM_PATH, stream(WORKING, ends=False))
    with pytest.raises((OutcomeUnknownError, StreamInterruptedError)):
        connect().stream("Hello!").result()
    assert len(calls) == 2


def test_a_stream_without_events_that_cannot_be_followed_is_unknown() -> None:
    """Nothing was emitted, so there is no partial answer."""
    flow: Any = object.__new__(StreamFlow)
    flow.progress = SimpleNamespace(count=0)
    error = flow._build_follow_error(APIConnectionError("lost"), ServerError("busy", status_code=503))
    assert isinstance(error, OutcomeUnknownError)


def test_comments_that_come_too_late_keep_no_stream_open() -> None:
    """What comes after the idle time is no event."""
    clock = Clock()
    flow: Any = object.__new__(StreamFlow)
    flow.progress = SimpleNamespace(artifacts=SimpleNamespace(size=0), is_over=False)
    tokens = SimpleNamespace(current_secret=None)
    watch = SimpleNamespace(listeners=())
    flow.time = SimpleNamespace(clock=clock, deadline=10_000.0, watch=watch, tokens=tokens)
    flow._idle, flow._max_event, flow._max_kept = 60.0, 1000, 1000
    flow._may_settle = lambda: False
    reading = flow._read_events()
    next(reading)
    clock.now += 61
    with pytest.raises(APITimeoutError, match="No event came within 60 seconds"):
        reading.send(b": keep-alive\n\n")


def test_a_key_that_another_process_claims_for_a_moment(peer: Peer, connect: Connect) -> None:
    """It has not sent anything, so this one sends."""

    class Contested(MemoryKeyStore):
        claims = 0

        def claim(self, *record: Any) -> bool:
            self.claims += 1
            return self.claims > 1 and super().claim(*record)

    assert connect(key_store=Contested()).ask("Hello!", idempotency_key="k").status == "completed"
    assert len(peer.asks()) == 1


class NotRecordedError(Exception):
    """As the recorder of cassettes raises for a request that is not in one."""

    __module__ = "vcr.errors"


def test_a_search_in_a_recording_that_lacks_it_fails_the_test(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is not taken for transactions that cannot be read."""

    def read(*_: Any) -> Iterator[Any]:
        yield from ()
        raise NotRecordedError

    with Sandbox() as sandbox, sandbox.client() as client:
        monkeypatch.setattr(Operations, "read", read)
        with pytest.raises(NotRecordedError):
            client.pay("Test Payee", 5, "TSD")


def test_responses_are_made_without_yaml(monkeypatch: pytest.MonkeyPatch) -> None:
    """And their headers are shown without cookies."""
    monkeypatch.delitem(sys.modules, "yaml", raising=False)
    assert FormattedTaskResponse().warnings == []
    assert "secret" not in repr(ResponseHeaders({"set-cookie": "secret", "date": "today"}))
