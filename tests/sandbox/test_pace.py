from __future__ import annotations

import itertools
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from payman_sdk.sandbox import StreamFault
from tests.sandbox.streams import opened, own_desk, resubscribe, subscribe
from tests.sandbox.wire_client import WireClient, texts
from tests.sandbox.workshop import Clock, Workshop, workshop

_PAY = "send 10 TSD to Test Payee"
_MUCH = "send 200 TSD to Test Payee for rent"


@pytest.fixture
def shop() -> Iterator[Workshop]:
    """A workshop that goes on where a stream left off."""
    with workshop() as shop:
        yield shop


def test_without_a_pace_nothing_waits() -> None:
    """Without a pace a clock that was set back makes nobody wait: the same answers come as before."""
    clock = Clock()
    with own_desk(clock=clock) as own:
        task, received = own.send(_PAY, "tsk"), subscribe(own, _PAY, "tsk")
        clock.time -= 1000
        assert own.send(_PAY, "tsk") == task
        assert subscribe(own, _PAY, "tsk") == received
        assert own.call("tasks/get", id="tsk")["result"] == task


def test_stream_sends_each_event_when_it_is_due(shop: Workshop) -> None:
    """The first event comes at once, each later one a second after the one before, and nothing comes early."""
    listener = shop.listen(_PAY)
    assert listener.has(1)
    count = 1
    while not listener.so_far.results[-1].get("final"):
        assert shop.clock.looked()
        assert listener.has(count)
        shop.clock.time += 1
        count += 1
        assert listener.has(count)
    whole = listener.received.result(60)
    assert whole == resubscribe(shop.wire_client, "tsk")
    assert count == len(whole.events) > 3


def test_late_stream_sends_at_once_what_is_overdue(shop: Workshop) -> None:
    """Where the clock jumps, all that has become due comes together."""
    listener = shop.listen(_PAY)
    assert listener.has(1)
    shop.clock.time += 2.5
    assert listener.has(3)
    shop.clock.time += 1000
    assert listener.received.result(60).results[-1]["final"]


def test_get_shows_a_task_at_work(shop: Workshop) -> None:
    """Until the end is told, `tasks/get` shows the task at work, with the answer as far as it goes."""
    shop.listen(_PAY).has(1)
    first = shop.get(historyLength=9)
    assert (first["status"]["state"], first["artifacts"]) == ("WORKING", [])
    assert [message["role"] for message in first["history"]] == ["user"]
    seen: list[str] = []
    while (task := shop.get())["status"]["state"] == "WORKING":
        seen.append("".join(texts(task)))
        shop.clock.time += 1
    seen.append("".join(texts(task)))
    assert all(later.startswith(earlier) for earlier, later in itertools.pairwise(seen))
    assert len(set(seen[:-1])) == len(seen) - 1
    assert "Sent" in seen[-1]
    assert [message["role"] for message in shop.get(historyLength=9)["history"]] == ["user", "agent"]


def test_money_is_decided_at_once(shop: Workshop) -> None:
    """What is told as work in progress has been decided: the payment is made once, and cannot be canceled."""
    shop.listen(_PAY).has(1)
    assert shop.wire_client.made == [(10, "Test Payee")]
    assert shop.wire_client.balance == 990
    assert shop.wire_client.call("tasks/cancel", id="tsk")["error"]["code"] == -32002
    again = shop.listen(_PAY)
    assert again.has(1)
    shop.clock.time += 100
    assert again.received.result(60).results[-1]["status"]["state"] == "COMPLETED"
    assert shop.wire_client.made == [(10, "Test Payee")]


def test_send_answers_when_the_telling_is_over(shop: Workshop) -> None:
    """`tasks/send` answers with the finished task at the moment that its stream would have ended."""
    sent = shop.send(_PAY)
    shop.until(lambda: shop.wire_client.made)
    while shop.state() == "WORKING":
        assert shop.clock.looked()
        assert not sent.done()
        shop.clock.time += 1
    assert sent.result(60) == shop.get()
    assert shop.send(_PAY).result(60) == shop.get()


@pytest.mark.slow
def test_many_wait_without_a_thread_each(shop: Workshop) -> None:
    """More sends wait than the server has threads, and everything else is answered meanwhile."""
    sends = [shop.send("hello", f"tsk-{number}") for number in range(60)]
    for number in range(60):
        shop.until(lambda number=number: "result" in shop.wire_client.call("tasks/get", id=f"tsk-{number}"))  # type: ignore[misc]
    assert not any(sent.done() for sent in sends)
    shop.clock.time += 100
    assert all(sent.result(60)["status"]["state"] == "COMPLETED" for sent in sends)


def test_resume_in_the_middle(shop: Workshop) -> None:
    """Who resubscribes in the middle gets at once what came after the number, and the rest when it is due."""
    first = shop.listen(_PAY)
    assert first.has(1)
    shop.clock.time += 2
    assert first.has(3)
    second, third = shop.listen_again(last="2"), shop.listen_again()
    assert second.has(1)
    assert third.has(3)
    ahead = shop.listen_again(last="4")
    assert ahead.has(3)
    shop.clock.time += 1
    assert second.has(2)
    shop.clock.time += 100
    whole = first.received.result(60)
    assert second.received.result(60).events == whole.events[2:]
    assert third.received.result(60) == ahead.received.result(60) == whole


def test_replay_in_the_middle() -> None:
    """A server that replays tells what has been told so far at once, and the rest when it is due."""
    with workshop(resubscribe="replay") as shop:
        first = shop.listen(_PAY)
        assert first.has(1)
        shop.clock.time += 2
        second = shop.listen_again(last="2")
        assert second.has(3)
        shop.clock.time += 100
        assert second.received.result(60) == first.received.result(60)


def test_live_in_the_middle() -> None:
    """A server that only tells what is new tells none of what has been told, and the rest when it is due."""
    with workshop(resubscribe="live") as shop:
        first = shop.listen(_PAY)
        assert first.has(1)
        shop.clock.time += 2
        assert first.has(3)
        second = shop.listen_again()
        assert second.has(0)
        assert shop.clock.looked()
        assert second.has(0)
        shop.clock.time += 1
        assert second.has(1)
        shop.clock.time += 100
        assert second.received.result(60).events == first.received.result(60).events[3:]


def test_two_streams_at_once(shop: Workshop) -> None:
    """Streams of two tasks, and two of the same, do not mix."""
    one, same, other = shop.listen(_PAY), shop.listen(_PAY), shop.listen("list all payees", "tsk-2")
    for listener in (one, same, other):
        assert listener.has(1)
    shop.clock.time += 1
    for listener in (one, same, other):
        assert listener.has(2)
    shop.clock.time += 100
    assert one.received.result(60) == same.received.result(60)
    assert {result["id"] for result in one.received.result(60).results} == {"tsk"}
    assert {result["id"] for result in other.received.result(60).results} == {"tsk-2"}
    assert shop.wire_client.made == [(10, "Test Payee")]


def test_story_goes_on_after_a_restart(tmp_path: Path) -> None:
    """What is told is in the database: another process with the same settings goes on where this one stopped."""
    db, clock = tmp_path / "payman.db", Clock()
    with workshop(db=db, clock=clock) as shop:
        listener = shop.listen(_PAY)
        assert listener.has(1)
        clock.time += 2
        assert listener.has(3)
        shop.wire_client.sandbox.stop()
        before = listener.received.result(60)
        assert before.broken
    with workshop(db=db, clock=clock) as shop:
        after = shop.listen_again(last=before.ids[-1])
        clock.time += 100
        rest = after.received.result(60)
        assert before.body + rest.body == resubscribe(shop.wire_client, "tsk").body


def test_approval_in_the_middle_is_streamed(shop: Workshop) -> None:
    """A task that is approved while it is told goes on in the same stream: first what was left, then what came of it."""
    listener = shop.listen(_MUCH)
    assert listener.has(1)
    shop.clock.time += 1
    assert listener.has(2)
    shop.wire_client.sandbox.approve("tsk")
    assert shop.state() == "WORKING"
    [question] = texts(shop.get())
    shop.tell()
    received, again = listener.received.result(60), resubscribe(shop.wire_client, "tsk")
    assert texts(shop.get())[0] == question
    assert received.ids == again.ids
    assert [one.get("artifact") for one in received.results] == [one.get("artifact") for one in again.results]
    assert [result["final"] for result in received.results if "final" in result] == [False, False, True]
    assert received.results[-1]["status"]["state"] == "COMPLETED"
    assert shop.wire_client.made == [(200, "Test Payee")]


def test_answered_task_reports_only_its_answer_slowly(shop: Workshop) -> None:
    """When a task that waited is answered, what it had told stays told, and the answer to that takes its time."""
    shop.listen(_MUCH).has(1)
    shop.clock.time += 100
    question = shop.get()
    assert question["status"]["state"] == "INPUT_REQUIRED"
    sent = shop.send("approve")
    shop.until(lambda: shop.wire_client.made)
    task = shop.get()
    assert task["status"]["state"] == "WORKING"
    assert task["artifacts"] == question["artifacts"]
    shop.clock.time += 1
    assert len(shop.get()["artifacts"]) == 2
    shop.clock.time += 100
    assert texts(sent.result(60))[1].startswith("Approved.")


def test_waiting_send_sees_what_a_person_decides(shop: Workshop) -> None:
    """A send that waits while its payment is approved by a person waits for the end of that, and tells it."""
    sent = shop.send(_MUCH)
    shop.until(lambda: shop.wire_client.payments)
    shop.clock.time += 1
    headers = {"x-payman-access-token": shop.wire_client.token}
    answer = shop.wire_client.http.post("/sandbox/tasks/tsk/approve", headers=headers).json()
    assert answer["status"]["state"] == "WORKING"
    shop.clock.time += 100
    assert sent.result(60)["status"]["state"] == "COMPLETED"
    assert len(sent.result(60)["artifacts"]) == 2


def test_cancel_is_reported_at_once(shop: Workshop) -> None:
    """To cancel is no work: the answer says so, and the task's stream and send end with it."""
    listener, sent = shop.listen(_MUCH), shop.send(_MUCH)
    assert listener.has(1)
    shop.clock.looked()
    task = shop.wire_client.call("tasks/cancel", id="tsk")["result"]
    assert task["status"]["state"] == "CANCELED"
    assert texts(task)[-1] == "Canceled. No payment was made."
    assert shop.get() == task
    shop.clock.time += 1
    assert listener.received.result(60).results[-1]["status"]["state"] == "CANCELED"
    shop.clock.time += 100
    assert sent.result(60) == task


def test_stop_ends_what_is_reported_slowly() -> None:
    """Stopping the sandbox breaks off its streams and waiting sends, and takes no time for it; the payments stay."""
    with workshop() as shop:
        listener = shop.listen(_PAY)
        sent = shop.send(_PAY, "tsk-2")
        assert listener.has(1)
        shop.until(lambda: len(shop.wire_client.made) == 2)
        start = time.perf_counter()
        shop.wire_client.sandbox.stop()
        assert time.perf_counter() - start < 10  # and not until a stream ends, which none does
        assert listener.received.result(60).broken
        with pytest.raises(httpx.RemoteProtocolError):
            sent.result(60)
        assert shop.wire_client.made == [(10, "Test Payee")] * 2


def test_nobody_is_reported_who_has_left(shop: Workshop, caplog: pytest.LogCaptureFixture) -> None:
    """When its client leaves, a stream ends, and so does the waiting of a send; nothing is logged about it."""
    wire_client = shop.wire_client
    message = {"role": "user", "parts": [{"type": "text", "text": _PAY}]}
    with opened(wire_client, "tasks/sendSubscribe", {"id": "tsk", "message": message}) as answer:
        chunks = answer.iter_raw()
        assert next(chunks)
        assert shop.clock.looked()
    assert not _goes_on(shop.clock)
    impatient = httpx.Client(base_url=wire_client.sandbox.base_url, timeout=0.05)
    with impatient, pytest.raises(httpx.ReadTimeout):
        WireClient(wire_client.sandbox, wire_client.client_id, wire_client.client_secret, impatient).send(
            _PAY, "tsk-2"
        )
    assert not _goes_on(shop.clock)
    assert wire_client.made == [(10, "Test Payee")] * 2
    assert not caplog.records


def _goes_on(clock: Clock) -> bool:
    """Whether somebody looks at the clock again and again, after a moment to leave."""
    return all(clock.looked(times=3, within=0.1) for _ in range(10))


def test_keep_alives_while_nothing_is_reported() -> None:
    """While a stream waits for longer than `keep_alive`, it sends comments, one each time, and none otherwise."""
    with workshop(pace=10, keep_alive=3) as shop:
        listener = shop.listen(_PAY)
        assert listener.has(1)
        for count in range(4):
            assert shop.clock.looked()
            assert listener.so_far.body.count(b": keep-alive\n\n") == count
            shop.clock.time += 3
            shop.until(lambda: listener.so_far.body.count(b": keep-alive\n\n") == min(count + 1, 3))  # noqa: B023
        assert listener.has(2)
        shop.clock.time += 1000
        received = listener.received.result(60)
        assert received.body.count(b": keep-alive\n\n") == 3
        assert received.body.replace(b": keep-alive\n\n", b"") == resubscribe(shop.wire_client, "tsk").body


def test_no_keep_alives_unless_asked_for(shop: Workshop) -> None:
    """Without `keep_alive`, a stream says nothing while it waits."""
    listener = shop.listen(_PAY)
    assert listener.has(1)
    shop.clock.time += 0.9
    assert shop.clock.looked()
    shop.clock.time += 100
    assert b"keep-alive" not in listener.received.result(60).body


def test_faults_count_events_and_not_comments() -> None:
    """`after_events` drops a slow stream as the last of them is sent, whatever comments are among them."""
    with workshop(keep_alive=0.4) as shop:
        shop.wire_client.sandbox.inject_stream_faults(StreamFault(after_events=2))
        listener = shop.listen(_PAY)
        assert listener.has(1)
        shop.clock.time += 0.5
        shop.until(lambda: b": keep-alive\n\n" in listener.so_far.body)
        assert not listener.received.done()
        shop.clock.time += 0.5
        received = listener.received.result(60)
        assert received.broken
        assert len(received.events) == 2


def test_json_instead_of_a_slow_stream_is_finished(shop: Workshop) -> None:
    """`as_json` waits until the task is told, as a send does."""
    shop.wire_client.sandbox.inject_stream_faults(StreamFault(as_json=True))
    listener = shop.listen(_PAY)
    shop.until(lambda: shop.wire_client.made)
    assert shop.clock.looked()
    assert not listener.received.done()
    shop.clock.time += 100
    assert listener.received.result(60).json["result"] == shop.get()


def test_real_time() -> None:
    """With the real clock a stream of n events takes n-1 paces."""
    with own_desk(pace=0.02) as wire_client:
        start = time.perf_counter()
        received = subscribe(wire_client, _PAY, "tsk")
        took = time.perf_counter() - start
        assert took >= 0.02 * (len(received.events) - 1)
        assert resubscribe(wire_client, "tsk") == received
