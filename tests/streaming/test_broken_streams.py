"""Streams that break: taken up again where they broke, or followed otherwise, and no event told twice."""

from __future__ import annotations

import json
from typing import Any
from uuid import uuid4

import httpx
import pytest

from payman_sdk import FormattedTaskResponse, StreamEvent
from payman_sdk.errors import (
    AgentError,
    APIConnectionError,
    APITimeoutError,
    OutcomeUnknownError,
    PaymanError,
    StreamInterruptedError,
)
from payman_sdk.sandbox import Sandbox, StreamFault
from tests.deadlines import with_enough_time
from tests.peer import GET_PATH, PLAIN, Answer, Peer, answer, completed, json_answer, reset, rpc, task_with
from tests.streaming.conftest import KINDS, ReceivedStream, StreamListener
from tests.streaming.wire import (
    DONE,
    RESUBSCRIBE_PATH,
    STREAM_PATH,
    WORKING,
    chunk,
    data,
    event,
    find_cuts,
    literally,
    status,
    stream,
)

_IDS = ("task_id", "session_id", "request_id", "timestamp", "metadata")


def said(events: list[StreamEvent]) -> list[dict[str, Any]]:
    """The events, but for what differs between two tasks."""
    return [{key: value for key, value in dict(one).items() if key not in _IDS} for one in events]


def ended(result: FormattedTaskResponse) -> dict[str, Any]:
    """A result, but for what differs between two tasks."""
    shown = {key: value for key, value in result.items() if key not in _IDS}
    shown["artifacts"] = [{**artifact, "timestamp": None} for artifact in result.artifacts]
    return shown


def text_of(received: ReceivedStream) -> str:
    return "".join(one.delta for one in received.events if one.type == "artifact_update")


@pytest.mark.slow
@pytest.mark.parametrize("resubscribe", ["resume", "replay"])
def test_a_cut_after_every_event(resubscribe: Any, listener: StreamListener) -> None:
    """Wherever between two events a stream is cut, each event is delivered exactly once, and the result is the same."""
    with Sandbox(chunk_words=2, resubscribe=resubscribe) as sandbox:
        whole = listener.one(sandbox, "list all payees")
        count = len(whole.events)
        assert count > 4

        def cut(number: int) -> None:
            sandbox.inject_stream_faults(StreamFault(after_events=number))

        for received in listener.many(sandbox, "list all payees", count, cut):
            assert said(received.events) == said(whole.events)
            assert ended(received.result) == ended(whole.result)


@pytest.mark.slow
@pytest.mark.parametrize("resubscribe", ["resume", "replay"])
def test_cuts_of_the_same_stream_again_and_again(resubscribe: Any, listener: StreamListener) -> None:
    """A stream that is cut after every single event of its, as often as there are events, tells all of them once."""
    with Sandbox(chunk_words=1, resubscribe=resubscribe) as sandbox:
        whole = listener.one(sandbox, "list all payees")
        more = 1 if resubscribe == "resume" else 0
        faults = [StreamFault(after_events=more or 1 + number) for number in range(len(whole.events) - 1)]
        sandbox.inject_stream_faults(*faults)
        received = listener.one(sandbox, "list all payees")
        assert said(received.events) == said(whole.events)
        assert ended(received.result) == ended(whole.result)


def read_again(sandbox: Sandbox) -> bytes:
    """The body of the stream that was asked for last, asked for again with other ids of the same length."""
    [*_, asked] = [one for one in sandbox.requests if one.path == STREAM_PATH]
    body = json.loads(json.dumps(asked.body).replace(str(asked.task_id), f"tsk-{uuid4()}"))
    headers = {"x-payman-access-token": str(sandbox.issue_token()["accessToken"])}
    return httpx.post(f"{sandbox.base_url}{STREAM_PATH}", json=body, headers=headers, verify=PLAIN).content


@pytest.mark.slow
@pytest.mark.parametrize("resubscribe", ["resume", "replay"])
def test_a_cut_at_any_byte(resubscribe: Any, listener: StreamListener) -> None:
    """In the middle of events, lines and characters: wherever a short stream is cut, each event is delivered exactly once, and the result is the same."""
    with Sandbox(resubscribe=resubscribe) as sandbox:
        whole = listener.one(sandbox, "test connection")
        # Each place with one of the three kinds of client, to save time; half of them where the server begins anew.
        turn = KINDS.index(listener.kind) + (0 if resubscribe == "resume" else 3)
        cuts = find_cuts(read_again(sandbox))[turn :: 3 if resubscribe == "resume" else 6]
        assert len(cuts) > 20

        def cut(number: int) -> None:
            sandbox.inject_stream_faults(StreamFault(after_bytes=cuts[number]))

        received_after = zip(cuts, listener.many(sandbox, "test connection", len(cuts), cut), strict=True)
        for place, received in received_after:
            assert said(received.events) == said(whole.events), place
            assert ended(received.result) == ended(whole.result), place


def test_a_payment_whose_stream_is_cut_is_made_once(listener: StreamListener) -> None:
    """However a payment's stream breaks, the payment is made once, and the stream tells so."""
    with Sandbox() as sandbox:

        def cut(number: int) -> None:
            sandbox.inject_stream_faults(
                StreamFault(after_events=number % 4), StreamFault(after_bytes=37 * number)
            )

        for received in listener.many(sandbox, "send 1 TSD to Test Payee", 12, cut):
            assert received.result.status == "completed"
        assert len(sandbox.payments) == 12
        sandbox.check_invariants()


@pytest.mark.parametrize("manner", [{"resubscribe": "off"}, {"resubscribe": "live"}])
def test_what_was_swallowed_is_reported(manner: dict[str, Any], listener: StreamListener) -> None:
    """Where the server cannot tell the rest of a stream, `tasks/get` has what is missing, and nothing is told twice."""
    with Sandbox(chunk_words=2, **manner) as sandbox:
        whole = listener.one(sandbox, "list all payees")

        def cut(number: int) -> None:
            sandbox.inject_stream_faults(StreamFault(after_events=number))

        for received in listener.many(sandbox, "list all payees", len(whole.events), cut):
            assert text_of(received) == text_of(whole)
            assert ended(received.result) == ended(whole.result)
            assert [one.is_final for one in received.events if one.type == "status_update"].count(True) == 1
            assert received.events[-1] == received.events[-1] | {"type": "status_update", "is_final": True}


def test_following_a_task_at_work(listener: StreamListener, peer: Peer) -> None:
    """A task that is followed with `tasks/get` tells its artifacts as they grow, and its end."""
    peer.script(STREAM_PATH, stream(WORKING, chunk("One", append=False), ends=False))
    peer.always(RESUBSCRIBE_PATH, rpc(error={"code": -32601, "message": "no such method"}))
    texts = ["One", "One two", "One two three"]
    states = ["WORKING", "WORKING", "COMPLETED"]
    for text, state in zip(texts, states, strict=True):
        artifacts = [{"name": "response", "parts": [{"type": "text", "text": text}], "index": 0}]
        peer.script(GET_PATH, task_with(status={"state": state}, artifacts=artifacts))
    received = listener.one(peer, "count to three")
    deltas = [one.delta for one in received.events if one.type == "artifact_update"]
    assert deltas == ["One", " two", " three"]
    assert (received.result.text, received.result.status) == ("One two three", "completed")


NO_METHOD = rpc(error={"code": -32601, "message": "no such method"})


@pytest.mark.parametrize("refusal", [NO_METHOD, answer(404), answer(405), rpc(error={"code": -32004})])
def test_a_server_that_can_do_neither(refusal: Answer, listener: StreamListener, peer: Peer) -> None:
    """Without resubscribe and `tasks/get`, a broken stream is an error with what had come, and all its ids."""
    peer.script(STREAM_PATH, stream(WORKING, chunk("I will", append=False), ends=False))
    peer.always(RESUBSCRIBE_PATH, refusal)
    peer.always(GET_PATH, refusal)
    with pytest.raises(StreamInterruptedError) as caught:
        listener.one(peer, "send 100 TSD to John Doe")
    error = caught.value
    sent = peer.requests[-1].json["params"]["id"]
    assert (error.task_id, error.partial.task_id, error.partial.text) == (sent, sent, "I will")
    assert not error.partial.is_final
    assert error.session_id
    assert error.request_id
    assert "get_task" in str(error)
    assert len([one for one in peer.requests if one.path == STREAM_PATH]) == 1


def test_a_stream_that_ends_without_an_end(listener: StreamListener, peer: Peer) -> None:
    """A body that ends properly before a final event is no success: the stream is taken up again."""
    peer.script(STREAM_PATH, stream(WORKING, chunk("One", append=False)))
    peer.script(RESUBSCRIBE_PATH, stream(chunk(" two"), DONE))
    peer.always(GET_PATH, NO_METHOD)
    received = listener.one(peer, "count to two")
    assert (received.result.text, received.result.status) == ("One two", "completed")


def test_the_last_event_id_is_sent_back(listener: StreamListener, peer: Peer) -> None:
    """A stream whose events are numbered is taken up behind the last one that came whole."""
    first = [event(id="7", status={"state": "WORKING"}, final=False), literally(b"id: 8\ndata: {")]
    peer.script(STREAM_PATH, stream(*first, ends=False))
    peer.script(RESUBSCRIBE_PATH, stream(DONE))
    listener.one(peer, "Hello!")
    [again] = [one for one in peer.requests if one.path == RESUBSCRIBE_PATH]
    assert again.headers["last-event-id"] == "7"


def test_silence_is_not_a_stream(listener: StreamListener) -> None:
    """Keep-alives alone do not keep a stream alive: after the idle time it is taken up again."""
    with Sandbox() as sandbox:
        sandbox.inject_stream_faults(StreamFault(keep_alives=True))
        received = listener.one(sandbox, "Hello!", idle_timeout=0.15)
        assert received.result.status == "completed"
        assert received.events[-1] == received.events[-1] | {"is_final": True}


def test_a_server_that_keeps_silent_for_ever(listener: StreamListener, peer: Peer) -> None:
    """A stream that is silent however often it is taken up again is followed otherwise."""
    silent = stream(literally(b": keep-alive\n\n"), then=peer.hang)
    peer.always(STREAM_PATH, silent)
    peer.always(RESUBSCRIBE_PATH, silent)
    peer.always(GET_PATH, completed)
    received = listener.one(peer, "Hello!", idle_timeout=0.05)
    assert received.result.text == "Done."


@pytest.mark.slow
def test_a_stream_that_is_slow_is_not_idle(listener: StreamListener) -> None:
    """Events that come within the idle time each keep a stream open for longer than that in all."""
    with Sandbox(pace=0.08, chunk_words=2) as sandbox:
        received = listener.one(sandbox, "list all payees", idle_timeout=0.4)
        assert received.result.status == "completed"
        assert len(received.events) >= 8
        assert sum(one.type == "status_update" for one in received.events) == 2


@pytest.mark.slow
def test_no_event_is_waited_for_beyond_the_time_of_the_ask(listener: StreamListener, peer: Peer) -> None:
    """`timeout` covers a stream and whatever is done to take it up again."""
    silent = stream(WORKING, then=peer.hang)
    peer.always(STREAM_PATH, silent)
    peer.always(RESUBSCRIBE_PATH, silent)
    peer.always(GET_PATH, peer.never)

    def listen(seconds: float) -> StreamInterruptedError:
        with pytest.raises(StreamInterruptedError) as caught:
            listener.one(peer, "Hello!", timeout=seconds)
        if caught.value.partial.state is None:
            raise APITimeoutError("Not even the first event came in time.")
        return caught.value

    assert with_enough_time(0.3, listen).partial.state == "working"


SILENT: dict[str, Answer] = {
    "closed": stream(ends=False),
    "ended": stream(),
    "reset": reset,
    "500": answer(500),
    "502": answer(502, "<html>Sorry.</html>", "text/html"),
    "529": answer(529),
}


@pytest.mark.parametrize("name", SILENT)
def test_a_stream_that_never_began(name: str, listener: StreamListener, peer: Peer) -> None:
    """Where nothing says whether the ask arrived, the task is asked for, and what became of it is told."""
    peer.script(STREAM_PATH, SILENT[name])
    peer.always(RESUBSCRIBE_PATH, NO_METHOD)
    received = listener.one(peer, "send 100 TSD to John Doe")
    assert received.result.text == "Done."
    assert text_of(received) == "Done."


@pytest.mark.parametrize("name", SILENT)
def test_nothing_is_known(name: str, listener: StreamListener, peer: Peer) -> None:
    """Where nothing says whether the ask arrived, and nothing can be learned, the outcome is unknown, and said to be."""
    peer.script(STREAM_PATH, SILENT[name])
    peer.always(RESUBSCRIBE_PATH, NO_METHOD)
    peer.always(GET_PATH, NO_METHOD)
    with pytest.raises(OutcomeUnknownError) as caught:
        listener.one(peer, "send 100 TSD to John Doe")
    assert caught.value.task_id
    assert len([one for one in peer.requests if one.path == STREAM_PATH]) == 1


def test_an_ask_that_did_not_arrive(listener: StreamListener) -> None:
    """A server that is not there was sent nothing."""
    with Peer() as gone:
        pass
    with pytest.raises(APIConnectionError) as caught:
        listener.one(gone, "Hello!")
    assert not caught.value.sent
    assert caught.value.task_id


def test_an_error_in_a_stream(listener: StreamListener, peer: Peer) -> None:
    """After a JSON-RPC error in a stream that began, the task is looked up; its outcome is undetermined where that fails."""
    for code in (-32603, -32602, 7):
        error = data(f'{{"jsonrpc": "2.0", "id": "x", "error": {{"code": {code}, "message": "It broke"}}}}')
        peer.script(STREAM_PATH, stream(WORKING, error))
        with pytest.raises(StreamInterruptedError, match="It broke") as caught:
            listener.one(peer, "Hello!")
        assert caught.value.task_id
        assert caught.value.sent is True


def test_the_refusal_of_another_request_in_a_stream(listener: StreamListener, peer: Peer) -> None:
    """An error event with the id of another request does not say that nothing was done: the task is looked up."""
    peer.always(GET_PATH, completed)
    for other, is_ours in (('"req-other"', False), ("7", False), ("false", False), ("null", True)):
        error = data(f'{{"jsonrpc": "2.0", "id": {other}, "error": {{"code": -32602, "message": "No"}}}}')
        peer.script(STREAM_PATH, stream(error))
        if is_ours:
            with pytest.raises(AgentError, match="No") as caught:
                listener.one(peer, "Hello!")
            assert caught.value.sent is False, other
        else:
            assert listener.one(peer, "Hello!").result.text == "Done.", other


@pytest.mark.parametrize("status_code", [200, 400])
def test_an_error_instead_of_a_stream(status_code: int, listener: StreamListener, peer: Peer) -> None:
    """A JSON-RPC error as an ordinary answer to a stream request is raised too."""
    peer.script(STREAM_PATH, rpc(status_code, error={"code": -32602, "message": "No"}))
    with pytest.raises(AgentError, match="No"):
        listener.one(peer, "Hello!")


@pytest.mark.parametrize("status_code", [400, 401, 403, 404, 422, 429])
def test_a_refusal_instead_of_a_stream(status_code: int, listener: StreamListener, peer: Peer) -> None:
    """A refusal is the same error as for an ask."""
    peer.always(STREAM_PATH, json_answer({"error": "no"}, status_code))
    with pytest.raises(PaymanError) as caught:
        listener.one(peer, "Hello!")
    assert caught.value.status_code == status_code
    assert caught.value.task_id
    assert not isinstance(caught.value, OutcomeUnknownError)


def test_a_whole_answer_instead_of_a_stream(listener: StreamListener) -> None:
    """A finished task as an ordinary answer to a stream request is told as events."""
    with Sandbox() as sandbox:
        sandbox.inject_stream_faults(StreamFault(as_json=True))
        received = listener.one(sandbox, "Hello!")
        assert [one.type for one in received.events] == ["artifact_update", "status_update"]
        assert received.result.text == text_of(received)


def test_a_task_at_work_instead_of_a_stream(listener: StreamListener, peer: Peer) -> None:
    """A task that is not finished, as an ordinary answer, is followed to its end."""
    peer.script(STREAM_PATH, task_with(status={"state": "submitted"}, artifacts=[]))
    peer.script(RESUBSCRIBE_PATH, stream(chunk("Done.", append=False), DONE))
    peer.always(GET_PATH, NO_METHOD)
    received = listener.one(peer, "Hello!")
    assert [one["status"] for one in received.events if one.type == "status_update"] == [
        "in_progress",
        "completed",
    ]
    assert received.result.text == "Done."


def test_a_task_that_waits_for_approval_ends_its_stream(listener: StreamListener) -> None:
    """A stream whose task waits for a person ends, and is not taken up again."""
    with Sandbox() as sandbox:
        received = listener.one(sandbox, "send 200 TSD to Test Payee")
        assert received.result.requires_input
        assert received.events[-1] == received.events[-1] | {"is_final": True, "state": "input-required"}


def test_a_broken_stream_whose_task_waits_for_approval(listener: StreamListener) -> None:
    """The same when the stream breaks and is followed with `tasks/get`."""
    with Sandbox(resubscribe="off") as sandbox:
        sandbox.inject_stream_faults(StreamFault(after_events=1))
        received = listener.one(sandbox, "send 200 TSD to Test Payee")
        assert received.result.requires_input


@pytest.mark.slow
def test_an_event_beyond_all_measure(listener: StreamListener, peer: Peer) -> None:
    """An event of more than 16 MiB is an error with the ids, and what came before it is told."""
    piece = literally(b"x" * (1024 * 1024))
    peer.script(STREAM_PATH, stream(WORKING, literally(b"data: "), *[piece] * 17))
    with pytest.raises(StreamInterruptedError, match="larger than the limit of 16777216 bytes") as caught:
        listener.one(peer, "Hello!")
    assert caught.value.task_id
    assert caught.value.partial.state == "working"


def test_white_space_around_an_event_is_none_of_it(listener: StreamListener, peer: Peer) -> None:
    """JSON may have white space around it."""
    final = '  {"result": {"id": "%s", "status": {"state": "COMPLETED"}, "final": true}} '
    peer.script(
        STREAM_PATH, stream(lambda request: data(final % request.json["params"]["id"])(request), ends=False)
    )
    assert [one.type for one in listener.one(peer, "Hello!").events] == ["status_update"]


def test_events_nobody_knows_are_reported(listener: StreamListener, peer: Peer) -> None:
    """What is not as the protocol has it comes as it is, and is no end."""
    strange = [
        data("no JSON"),
        data("[1]"),
        event(weather="fair"),
        event(status={"state": 5}, final=True),
    ]
    other = data('{"result": {"id": "tsk-other", "status": {"state": "COMPLETED"}, "final": true}}')
    peer.script(STREAM_PATH, stream(WORKING, *strange, other, status("FAILED", final=True)))
    received = listener.one(peer, "Hello!")
    unknown = [one.data for one in received.events if one.type == "unknown"]
    assert unknown[:2] == ["no JSON", [1]]
    assert unknown[2]["weather"] == "fair"
    assert [one["id"] for one in unknown[3:]] == [received.result.task_id, "tsk-other"]
    assert received.result.status == "failed"
