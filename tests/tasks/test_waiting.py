"""Waiting for a task, answering it, and cancelling it."""

from __future__ import annotations

import threading
from itertools import pairwise
from typing import Any

import httpx
import pytest

from payman_api import PATHS
from payman_sdk import FormattedTaskResponse, PaymanClient
from payman_sdk._core.polling import cancel_task, wait_for_end
from payman_sdk._core.task_response import get_state
from payman_sdk.errors import (
    APIConnectionError,
    APITimeoutError,
    AuthenticationError,
    ConfigurationError,
    MethodNotFoundError,
    NotFoundError,
    ServerError,
    TaskNotCancelableError,
    TaskNotFoundError,
)
from payman_sdk.sandbox import Sandbox
from tests.deadlines import with_enough_time
from tests.loops import LOOPS, run_on
from tests.peer import GET_PATH, TOKEN_PATH, Answer, Peer, answer, completed, raw, reset, rpc, task_with
from tests.steps import Clock, driven, time_of, token_answer
from tests.tables import table


@pytest.fixture(autouse=True)
def _short_pauses() -> None:
    """Pauses are as long here as they are."""


ENDED = {"id": "tsk-1", "status": {"state": "COMPLETED"}}
AT_WORK = {"id": "tsk-1", "status": {"state": "WORKING"}}
CANCELED = {"id": "tsk-1", "status": {"state": "CANCELED"}}


def found(task: dict[str, Any]) -> httpx.Response:
    return httpx.Response(200, json={"jsonrpc": "2.0", "id": None, "result": task})


def lost(*, sent: bool = True) -> APIConnectionError:
    error = APIConnectionError("gone")
    error.sent = sent
    return error


def waited(
    *outcomes: httpx.Response | BaseException, seconds: float = 300, random: float = 1.0
) -> tuple[Any, float, int]:
    """Waits for a task, each look having one of these outcomes; what came of it, how long it took, and how many looks."""
    clock = Clock()
    flow = wait_for_end("tsk-1", time_of(clock, seconds, random=random))
    outcome, sent = driven(flow, [token_answer(), *outcomes], clock=clock)
    return outcome[1] if isinstance(outcome, tuple) else outcome, clock.now - 1000, len(sent) - 1


def test_a_task_that_has_ended_is_not_waited_for() -> None:
    """One look is enough where the task has ended."""
    task, seconds, looks = waited(found(ENDED))
    assert (task.id, seconds, looks) == ("tsk-1", 0, 1)


def test_looks_become_rarer() -> None:
    """The pauses between two looks double, from a quarter of a second to five seconds."""
    times = [waited(*[found(AT_WORK)] * count, found(ENDED))[1] for count in range(9)]
    assert [later - earlier for earlier, later in pairwise(times)] == [0.25, 0.5, 1, 2, 4, 5, 5, 5]


def test_pauses_are_of_random_length() -> None:
    """Chance makes a pause shorter by up to a half, so that many clients do not come all at once."""
    times = [waited(*[found(AT_WORK)] * 3, found(ENDED), random=random)[1] for random in (0, 0.5, 1)]
    assert times == [0.875, 1.3125, 1.75]


def test_nobody_waits_for_longer_than_they_want_to() -> None:
    """At the deadline it is said how the task stands, and the last pause ends there."""
    error, seconds, looks = waited(*[found(AT_WORK)] * 60, seconds=10)
    assert isinstance(error, APITimeoutError)
    assert "still working" in str(error)
    assert (seconds, error.task_id) == (10, "tsk-1")
    assert 20 < looks < 50


def test_a_look_that_the_deadline_cuts_off_loses_nothing() -> None:
    """What the look before it showed remains known: an ask ends in that state, and a wait says that it is still the state."""
    for or_rests in (False, True):
        clock = Clock()

        def cut_off(_: Any, clock: Clock = clock) -> httpx.Response:
            clock.now = 1010
            raise APITimeoutError("No answer in time.")

        flow = wait_for_end("tsk-1", time_of(clock, 10), or_rests=or_rests)
        end, sent = driven(flow, [token_answer(), found(AT_WORK), cut_off], clock=clock)
        assert len(sent) == 3
        if or_rests:
            assert isinstance(end, tuple)
            assert end[1].id == "tsk-1"
        else:
            assert isinstance(end, APITimeoutError)
            assert "still working" in str(end)


def test_a_first_look_that_the_deadline_cuts_off_shows_nothing() -> None:
    """Without a look that succeeded, nothing is known; and one that another limit cut off is repeated."""
    hung = APITimeoutError("No answer in time.")
    clock = Clock()

    def cut_off(_: Any) -> httpx.Response:
        clock.now = 1010
        raise hung

    flow = wait_for_end("tsk-1", time_of(clock, 10), or_rests=True)
    assert driven(flow, [token_answer(), cut_off], clock=clock)[0] is hung
    assert waited(found(AT_WORK), hung, found(ENDED))[0].id == "tsk-1"


def test_there_are_many_looks_in_a_short_time() -> None:
    """No pause is longer than a tenth of what is left, so that one look that fails is not the last."""
    times = [waited(*[found(AT_WORK)] * count, found(ENDED), seconds=20)[1] for count in range(12)]
    pauses = [later - earlier for earlier, later in pairwise(times)]
    assert pauses[:4] == [0.25, 0.5, 1, pytest.approx(1.825)]
    assert all(
        pause == pytest.approx((20 - time) / 10) for pause, time in zip(pauses[3:], times[3:], strict=False)
    )


def test_a_network_that_fails_for_a_while() -> None:
    """What fails and may be otherwise a moment later is asked again."""
    passing: list[httpx.Response | BaseException] = [
        lost(),
        lost(sent=False),
        httpx.Response(500),
        httpx.Response(503, headers={"retry-after": "1"}),
        httpx.Response(429),
        httpx.Response(200, text="<html>"),
    ]
    task, _, looks = waited(*passing, found(AT_WORK), *passing, found(ENDED))
    assert task.id == "tsk-1"
    assert looks == 14


def test_a_network_that_fails_to_the_end() -> None:
    """At the deadline the last failure is raised."""
    error, seconds, _ = waited(*[lost()] * 50, seconds=20)
    assert isinstance(error, APIConnectionError)
    assert seconds == 20


REFUSALS: dict[str, tuple[Answer, type[Exception]]] = {
    "no such task": (rpc(error={"code": -32001, "message": "?"}), TaskNotFoundError),
    "no such method": (rpc(error={"code": -32601, "message": "?"}), MethodNotFoundError),
    "no such path": (answer(404), NotFoundError),
    "no access": (answer(401), AuthenticationError),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_a_refusal_is_an_answer(name: str, peer: Peer, client: PaymanClient) -> None:
    """What will not be otherwise a moment later is raised at once."""
    refusal, kind = REFUSALS[name]
    peer.always(GET_PATH, refusal)
    with pytest.raises(kind) as caught:
        client.wait("tsk-1")
    assert getattr(caught.value, "task_id", None) == "tsk-1"


def test_waiting_for_a_person() -> None:
    """`wait` returns when a person has approved what the task waited for."""
    with Sandbox() as sandbox, sandbox.client() as client:
        response = client.ask("send 200 TSD to Test Payee")
        assert response.requires_input
        person = threading.Timer(0.1, sandbox.approve, [response.task_id])
        person.start()
        done = client.wait(response, timeout=60)
        person.join()
    assert (done.task_id, done.status, done.requires_input) == (response.task_id, "completed", False)
    assert len(sandbox.payments) == 1


@pytest.mark.parametrize("loop", LOOPS)
def test_waiting_on_an_event_loop(loop: str) -> None:
    """The same for tasks, by the id of the task alone."""
    with Sandbox() as sandbox:

        async def main() -> FormattedTaskResponse:
            async with sandbox.async_client() as client:
                response = await client.ask("send 200 TSD to Test Payee")
                sandbox.deny(response.task_id)
                return await client.wait(response.task_id)

        assert run_on(loop, main).is_final
        assert sandbox.balance() == 1000


def test_waiting_in_vain(peer: Peer, client: PaymanClient) -> None:
    """A wait ends at its own timeout, whatever the client's is."""
    peer.always(GET_PATH, task_with(status={"state": "input-required"}))

    def wait(seconds: float) -> APITimeoutError:
        with pytest.raises(APITimeoutError) as caught:
            client.wait("tsk-1", timeout=seconds)
        if "No answer in time" in str(caught.value):
            raise caught.value  # not even the first look was answered
        return caught.value

    assert "still input-required" in str(with_enough_time(0.2, wait))


@table(
    ("given", "said"),
    [
        (None, "task_id is None"),
        ("", "task_id is ''"),
        (5, "task_id is 5"),
        ({}, "task_id is {}"),
        ({"status": "completed"}, "task_id is None"),
    ],
)
@table("method", ["get_task", "wait", "cancel_task", "reply"])
def test_what_is_not_a_task(method: str, given: Any, said: str, peer: Peer, client: PaymanClient) -> None:
    """What names no task is refused before anything is sent."""
    with pytest.raises(ConfigurationError, match=said):
        getattr(client, method)(given, *(["approve"] if method == "reply" else []))
    assert peer.requests == []


def test_tasks_are_named_by_answers_too() -> None:
    """An answer names its task, also after it went through JSON, in either spelling."""
    with Sandbox() as sandbox, sandbox.client() as client:
        response = client.ask("Hello!")
        for given in (response, dict(response), {"taskId": response.task_id}, response.task_id):
            assert client.get_task(given).task_id == response.task_id


def test_a_reply_continues_the_task() -> None:
    """A reply belongs to the same task and session, pays once, and is another request."""
    with Sandbox() as sandbox, sandbox.client() as client:
        response = client.ask("send 200 TSD to Test Payee", new_session=True)
        client.ask("Hello!", new_session=True)
        session_id = client.get_session_id()
        answer = client.reply(response, "approve")
        assert (answer.task_id, answer.session_id) == (response.task_id, response.session_id)
        assert (answer.status, answer.request_id != response.request_id) == ("completed", True)
        assert client.get_session_id() == session_id
        assert sandbox.balance() == 800
        assert client.reply(response.task_id, "approve").status == "completed"
        assert sandbox.balance() == 800


def test_a_reply_that_denies() -> None:
    """A reply may deny, and nothing is paid."""
    with Sandbox() as sandbox, sandbox.client() as client:
        response = client.ask("send 200 TSD to Test Payee")
        assert client.reply(response, "deny").is_final
        assert sandbox.balance() == 1000


def test_a_reply_can_be_watched() -> None:
    """With `on_message` the answer to a reply is streamed."""
    received: list[Any] = []
    with Sandbox() as sandbox, sandbox.client() as client:
        response = client.ask("send 200 TSD to Test Payee")
        answer = client.reply(response, "approve", on_message=received.append, metadata={"by": "test"})
    assert received[-1]["status"] == answer.status == "completed"


def test_what_cannot_be_replied(client: PaymanClient, peer: Peer) -> None:
    """A reply has no session of its own, and needs words."""
    given: Any = {"new_session": True}
    with pytest.raises(ConfigurationError, match="'new_session' is not an option of reply"):
        client.reply("tsk-1", "approve", given)
    with pytest.raises(ConfigurationError, match="text is blank"):
        client.reply("tsk-1", "")
    with pytest.raises(ConfigurationError, match="timeout is 0"):
        client.wait("tsk-1", timeout=0)
    assert peer.requests == []


def test_cancelling_a_task() -> None:
    """A task that waits is cancelled, and what it waited for is not done; one that has ended is not."""
    with Sandbox() as sandbox, sandbox.client() as client:
        response = client.ask("send 200 TSD to Test Payee")
        canceled = client.cancel_task(response)
        assert (canceled.state, canceled.status, canceled.is_final) == ("canceled", "failed", True)
        assert sandbox.balance() == 1000
        with pytest.raises(TaskNotCancelableError) as caught:
            client.cancel_task(response)
        assert caught.value.task_id == response.task_id
        with pytest.raises(TaskNotFoundError):
            client.cancel_task("tsk-nobody-knows")


@pytest.mark.slow
@pytest.mark.parametrize("fault", [reset, raw(b"")])
def test_a_wait_outlasts_a_broken_network(fault: Answer, peer: Peer, client: PaymanClient) -> None:
    """Over real connections too, a look that fails is repeated, token requests included."""
    peer.script(TOKEN_PATH, fault)
    peer.script(GET_PATH, fault, completed)
    assert client.wait("tsk-1").status == "completed"


def test_a_cancellation_that_failed_without_evidence(peer: Peer, client: PaymanClient) -> None:
    """Where a cancellation fails and the task cannot be looked up, the failure is told, and not that looking up is not known."""
    peer.always(PATHS["cancel_task"], answer(500))
    peer.always(GET_PATH, rpc(error={"code": -32601, "message": "no such method"}))
    with pytest.raises(ServerError) as caught:
        client.cancel_task("tsk-1")
    assert (caught.value.status_code, caught.value.task_id) == (500, "tsk-1")


def test_a_cancellation_whose_answer_was_lost_took_effect() -> None:
    """The task was still at work in the look that followed, and cannot be cancelled once more: it has ended by then."""
    clock = Clock()
    too_late = httpx.Response(
        200, json={"jsonrpc": "2.0", "id": None, "error": {"code": -32002, "message": "?"}}
    )
    for outcomes, expected in (
        ([lost(), found(AT_WORK), too_late, found(CANCELED)], "canceled"),
        ([lost(), found(AT_WORK), too_late, found(AT_WORK)], TaskNotCancelableError),
        ([too_late], TaskNotCancelableError),
    ):
        end, sent = driven(
            cancel_task("tsk-1", time_of(clock, max_retries=1)), [token_answer(), *outcomes], clock=clock
        )
        assert len(sent) == 1 + len(outcomes)
        assert (get_state(end[1]) if isinstance(end, tuple) else type(end)) == expected
