"""Where a stream ends: at its final event, when it is closed, or soon after its task came to rest in silence."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic
from typing import Any, NamedTuple

import pytest

from payman_sdk import PaymanClient
from payman_sdk.errors import OutcomeUnknownError
from tests.conftest import Connect
from tests.peer import GET_PATH, Answer, Peer, reset, rpc, task_with
from tests.streaming.conftest import StreamListener
from tests.streaming.wire import RESUBSCRIBE_PATH, STREAM_PATH, WORKING, Piece, chunk, said, status, stream

NO_METHOD = rpc(error={"code": -32601, "message": "no such method"})
ANSWER = chunk("THE ANSWER", append=False)
ENDED = status("completed", final=False)
FINAL = status("completed", final=True)
SILENT = "silent"
"""The connection stays open, and nothing comes."""
CLOSED, CUT = True, False


class End(NamedTuple):
    """A stream, how its connection ends, how tasks are looked up, and what comes of it all."""

    pieces: tuple[Piece, ...]
    ends: bool | str
    look_up: Answer
    state: str
    text: str
    events: int
    looks: int


WHOLE = task_with(artifacts=[{"parts": [{"type": "text", "text": "THE ANSWER"}], "index": 0}])
WAITS = task_with(status={"state": "input-required"}, artifacts=[])
NEWER: Piece = said(
    lambda request: {
        "kind": "status-update",
        "taskId": request.json["params"]["id"],
        "contextId": "ses-2",
        "status": {"state": "TASK_STATE_COMPLETED"},
    }
)

BRIEF: Piece = said(
    lambda request: {
        "id": request.json["params"]["id"],
        "status": {"state": "completed"},
        "metadata": {"a": 1},
    }
)
"""An update of a serializer that leaves out what is false."""

ENDS: dict[str, End] = {
    "an artifact after the end": End((ENDED, ANSWER, FINAL), SILENT, reset, "completed", "THE ANSWER", 3, 0),
    "the same, and no final event": End((ENDED, ANSWER), CLOSED, reset, "completed", "THE ANSWER", 2, 0),
    "closed after the end": End((ANSWER, ENDED), CLOSED, reset, "completed", "THE ANSWER", 2, 0),
    "closed after an end of a later version": End((ANSWER, NEWER), CLOSED, reset, "completed", "THE ANSWER", 2, 0),
    "an artifact after an end without `final`": End((BRIEF, ANSWER, FINAL), SILENT, reset, "completed", "THE ANSWER", 3, 0),
    "silent after an end without `final`": End((BRIEF,), SILENT, WHOLE, "completed", "THE ANSWER", 2, 1),
    "silent after the end": End((ENDED,), SILENT, WHOLE, "completed", "THE ANSWER", 2, 1),
    "silent after all of it": End((ANSWER, ENDED), SILENT, WHOLE, "completed", "THE ANSWER", 2, 1),
    "silent, and cannot be looked up": End((ANSWER, ENDED), SILENT, NO_METHOD, "completed", "THE ANSWER", 2, 1),
    "silent, and the look breaks": End((ANSWER, ENDED), SILENT, reset, "completed", "THE ANSWER", 2, 1),
    "cut after the end": End((ENDED,), CUT, WHOLE, "completed", "THE ANSWER", 2, 1),
    "cut, and cannot be looked up": End((ANSWER, ENDED), CUT, NO_METHOD, "completed", "THE ANSWER", 2, 1),
    "an error after the end": End(
        (ANSWER, ENDED, lambda _: b'data: {"jsonrpc": "2.0", "error": {"code": -32603}}\n\n'),
        CLOSED, NO_METHOD, "completed", "THE ANSWER", 2, 1,
    ),
    "a look that knows less": End(
        (ANSWER, ENDED), SILENT, task_with(status={"state": "working"}, artifacts=[]), "completed", "THE ANSWER", 2, 1
    ),
    "failed, and silent": End((status("failed"),), SILENT, NO_METHOD, "failed", "", 1, 1),
    "rejected, and silent": End((status("rejected"),), SILENT, NO_METHOD, "rejected", "", 1, 1),
    "waits for an answer, and is silent": End((status("input-required"),), SILENT, WAITS, "input-required", "", 1, 1),
    "waits for a person, and is silent": End((status("auth-required"),), SILENT, NO_METHOD, "auth-required", "", 1, 1),
    "waits, and is closed": End((status("input-required"),), CLOSED, NO_METHOD, "input-required", "", 1, 1),
    "waits, and is cut": End((status("input-required"),), CUT, WAITS, "input-required", "", 1, 1),
    "waits, and goes on": End((status("input-required"), ANSWER, FINAL), CLOSED, reset, "completed", "THE ANSWER", 3, 0),
}  # fmt: skip


@pytest.fixture(autouse=True)
def _short_grace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("payman_sdk._core.stream_reader._GRACE", 0.05)


def ending(peer: Peer, ends: bool | str, *pieces: Piece) -> Answer:
    """The stream, with the end of its connection."""
    then: Callable[[], None] | None = peer.hang if ends == SILENT else None
    return stream(*pieces, ends=ends is CLOSED, then=then)


def test_where_a_stream_ends(peer: Peer, connect: Connect) -> None:
    """No stream waits for its deadline once its task rests; nothing that comes late is lost, or asked for twice."""
    client = connect(timeout=60, idle_timeout=20)
    peer.always(RESUBSCRIBE_PATH, NO_METHOD)
    for name, end in ENDS.items():
        before, looks = monotonic(), client.stats().lookups
        peer.script(STREAM_PATH, ending(peer, end.ends, *end.pieces))
        peer.script(GET_PATH, *[end.look_up] * end.looks)
        with client.stream("x") as reported:
            events = list(reported)
            result = reported.result()
        assert (result["state"], result.text, len(events)) == (end.state, end.text, end.events), name
        assert client.stats().lookups - looks <= end.looks, name
        assert monotonic() - before < 10, name
    assert len([one for one in peer.requests if one.path == STREAM_PATH]) == len(ENDS)


def test_an_artifact_after_the_end_on_every_kind_of_client(listener: StreamListener, peer: Peer) -> None:
    """`is_final` is what the agent says: the first status ends nothing, and the artifact is part of the answer."""
    peer.script(STREAM_PATH, stream(ENDED, ANSWER, FINAL))
    received = listener.one(peer, "x")
    assert [one.get("is_final") for one in received.events] == [False, None, True]
    assert (received.result.text, received.result.status) == ("THE ANSWER", "completed")


def test_a_reply_does_not_settle_for_the_old_question(peer: Peer, client: PaymanClient) -> None:
    """A stream that says that the task waits, and breaks, leaves open whether the reply arrived."""
    peer.script(STREAM_PATH, stream(status("input-required"), ends=False))
    peer.always(RESUBSCRIBE_PATH, NO_METHOD)
    peer.always(GET_PATH, WAITS)
    events: list[Any] = []
    with pytest.raises(OutcomeUnknownError):
        client.reply("tsk-1", "approve", on_message=events.append)


def test_a_task_that_goes_on_after_it_seemed_to_wait(peer: Peer, client: PaymanClient) -> None:
    """Where a look says that the task is at work again, the stream is followed to its end."""
    peer.script(
        STREAM_PATH, stream(status("input-required"), WORKING, status("input-required"), then=peer.hang)
    )
    peer.script(GET_PATH, task_with(status={"state": "working"}, artifacts=[]), WHOLE)
    peer.always(RESUBSCRIBE_PATH, NO_METHOD)
    with client.stream("x") as reported:
        states = [one["state"] for one in reported if one.type == "status_update"]
        assert reported.result().text == "THE ANSWER"
    assert states == ["input-required", "working", "input-required", "working", "completed"]
