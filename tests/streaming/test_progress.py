from __future__ import annotations

import copy
import json
import tracemalloc
from collections import deque
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
import yaml
from attrs import field, frozen
from hypothesis import example, given
from hypothesis import strategies as st

from payman_sdk import _attrdict
from payman_sdk._core.accumulator import TaskAccumulator
from payman_sdk._core.events import ArtifactUpdate, StatusUpdate, StreamEvent
from payman_sdk._core.formatting import format_task
from payman_sdk._core.requests import AskRequest
from payman_sdk._core.sse import ServerSentEvent
from payman_sdk._core.task_normalization import find_state
from payman_sdk._core.task_reader import ParsedTask, find_task_id, read_task, unwrap_task
from payman_sdk._core.task_response import FormattedTaskResponse
from payman_sdk._core.wire_json import Json, parse_bool, read_json, unwrap_single
from payman_sdk.errors import (
    AgentError,
    InternalAgentError,
    InvalidJSONError,
    InvalidParamsError,
    MethodNotFoundError,
    ResponseValidationError,
    TaskNotCancelableError,
    TaskNotFoundError,
)
from tests.streaming.test_artifact_buffer import put_together, shown_so_far
from tests.tables import table
from tests.tasks.faults import MISTYPED

STAMP = "2025-06-27T16:31:41.510422505Z"
DATA: Json = {"type": "data", "data": {"paytag": "tube.tense.cask/53"}}


class Thorough(TaskAccumulator):
    """Takes no chunk for the usual one, so that all of them are checked by the generated models."""

    def _add_text_chunk(self, data: str) -> ArtifactUpdate | None:
        return None


class Hasty(TaskAccumulator):
    """Counts the chunks that it took for the usual one."""

    usual = 0

    def _add_text_chunk(self, data: str) -> ArtifactUpdate | None:
        update = super()._add_text_chunk(data)
        self.usual += update is not None
        return update


ASK = AskRequest(text="Hello!", task_id="tsk-1", request_id="req-1", session_id="ses-1")


def enveloped(result: Any, **members: Any) -> Json:
    return {"jsonrpc": "2.0", "id": "req-1", "result": result, **members}


def about(**members: Any) -> Json:
    """Something about the task, as a result."""
    return {"id": "tsk-1", **members}


def text(words: Any, **members: Any) -> Json:
    return {"type": "text", "text": words, **members}


def chunk(*parts: str | Json, append: Any = True, **members: Any) -> Json:
    """A chunk of an artifact, texts given as they are; appended unless it says otherwise."""
    given = [text(part) if isinstance(part, str) else part for part in parts]
    return about(artifact={"parts": given, "append": append, **members})


def status(state: Any = "working", final: Any = False, timestamp: Any = STAMP, **members: Any) -> Json:
    return about(status={"state": state, "timestamp": timestamp, **members}, final=final)


def whole(state: Any = "completed", *artifacts: Json, **members: Any) -> Json:
    """A whole task."""
    return about(status={"state": state, "timestamp": STAMP}, artifacts=list(artifacts), **members)


def take(progress: TaskAccumulator, *results: Any) -> list[StreamEvent]:
    return [event for result in results for event in progress.add_event(json.dumps(enveloped(result)))]


def catch_up(progress: TaskAccumulator, task: Json) -> list[StreamEvent]:
    read = read_task(read_json(json.dumps(task))[0], task["id"])
    assert read is not None
    return progress.catch_up(enveloped(task), read)


def formatted(task: ParsedTask | Json) -> FormattedTaskResponse:
    read = task if isinstance(task, ParsedTask) else read_task(read_json(json.dumps(task))[0], task["id"])
    assert read is not None
    return format_task(read, request_id="req-1", session_id="ses-1")


def deltas(events: Sequence[StreamEvent]) -> list[str]:
    return [event.delta for event in events if event.type == "artifact_update"]


def kinds(events: Sequence[StreamEvent]) -> list[str]:
    return [event.type for event in events]


def states(events: Sequence[StreamEvent]) -> list[str]:
    return [event["state"] for event in events if event.type == "status_update"]


# What a stream tells.


def test_a_stream_from_its_beginning_to_its_end() -> None:
    """Every event is told as it comes, and all of them together are the answer."""
    reported = Hasty(ASK)
    events = take(
        reported,
        status("SUBMITTED"),
        status("working"),
        chunk("Here", append=None, name="response", index=0),
        chunk(" are", index=0),
        chunk(" your", index=0),
        chunk(" wallets", index=0),
        chunk(".", index=0, lastChunk=True),
        status("COMPLETED", final=True, message={"role": "agent", "parts": [text("Done")]}),
    )
    assert kinds(events) == ["status_update"] * 2 + ["artifact_update"] * 5 + ["status_update"]
    assert deltas(events) == ["Here", " are", " your", " wallets", "."]
    assert [event.is_last_chunk for event in events if isinstance(event, ArtifactUpdate)] == [False] * 4 + [
        True
    ]
    assert [event.is_final for event in events if isinstance(event, StatusUpdate)] == [False, False, True]
    assert (reported.is_over, reported.count, reported.usual, reported.artifacts.was_rejoined) == (
        True,
        8,
        2,
        False,
    )
    answer = formatted(reported.build_task())
    assert (answer.status, answer.status_message, answer.text) == (
        "completed",
        "Done",
        "Here are your wallets.",
    )
    assert answer == formatted(reported.build_response()["result"])
    assert (
        reported.build_response()["jsonrpc"],
        reported.build_response()["id"],
        reported.build_response()["error"],
    ) == ("2.0", "req-1", None)


def test_nothing_reported_yet() -> None:
    """Before anything is told, the task is in no known state, has no artifacts, and the stream is not over."""
    reported = TaskAccumulator(ASK)
    answer = formatted(reported.build_task())
    assert (answer.state, answer.artifacts, answer.session_id) == ("unknown", [], "ses-1")
    assert (reported.is_over, reported.count) == (False, 0)


def test_raw_is_what_came() -> None:
    """Every event has the answer it came in, with all that nobody has listed; also what is no JSON, as text."""
    reported = TaskAccumulator(ASK)
    answers = [
        enveloped(chunk("a"), mood="fair"),
        enveloped(chunk("b")),
        enveloped(chunk("c", name="other")),
        enveloped(status(final=False)),
        enveloped(about(weather="fair")),
        status(timestamp="later"),
        ["no object"],
        enveloped(whole("completed", {"parts": [text("abcd")]})),
    ]
    for answer in answers:
        assert [event.raw for event in reported.add_event(json.dumps(answer))] in ([answer], [answer] * 2)
    assert [event.raw for event in reported.add_event("no JSON")] == ["no JSON"]


@pytest.mark.parametrize("kind", [TaskAccumulator, Thorough])
def test_the_words_that_are_new(kind: type[TaskAccumulator]) -> None:
    """A delta is what has to be put behind the text so far, with the line break between two texts."""
    reported = kind(ASK)
    events = take(
        reported,
        chunk("a", append=None),
        chunk("b"),
        chunk("c", "d"),
        chunk(DATA),
        chunk(DATA, "e"),
        chunk(),
        chunk("f"),
        chunk(DATA, index=1),
        chunk("g", index=1),
        chunk("", append=None, index=2),
        chunk(DATA, "h", index=2),
    )
    assert deltas(events) == ["a", "b", "c\nd", "", "\ne", "", "f", "", "g", "", "\nh"]
    assert [artifact.content for artifact in formatted(reported.build_task()).artifacts] == [
        "abc\nd\nef",
        "g",
        "\nh",
    ]


def test_an_artifact_that_is_replaced() -> None:
    """A chunk that is not appended begins the artifact anew, and its delta is all of the text."""
    for append in (None, False, "false", 0, "yes"):
        reported = TaskAccumulator(ASK)
        assert deltas(take(reported, chunk("ab", name="draft"), chunk("abc", append=append))) == ["ab", "abc"]
        [artifact] = formatted(reported.build_task()).artifacts
        assert (artifact.name, artifact.content) == ("artifact", "abc")


@pytest.mark.parametrize("number", [None, 0, 0.0, False])
def test_an_artifact_without_a_number_is_the_first(number: Any) -> None:
    """An index that is absent or null is 0, and JSON knows one kind of numbers only."""
    reported = TaskAccumulator(ASK)
    first, second = take(reported, chunk("a"), chunk("b", index=number))
    assert (first["index"], second["index"], type(second["index"])) == (0, 0, int)
    assert second["artifact"]["content"] == "ab"


@table("number", [1e400, -1e400, float("nan"), 1.5, "-1", "one"])
def test_an_odd_number_is_none(number: Any) -> None:
    """What is no whole number numbers nothing: the artifact is the first."""
    [event] = take(TaskAccumulator(ASK), chunk("a", index=number))
    assert event["index"] == 0


def test_what_an_event_says_besides() -> None:
    """The metadata of an event is its own; that of a status update is the task's as well, until another one comes."""
    reported = TaskAccumulator(ASK)
    events = take(
        reported,
        {**status("working"), "metadata": {"agentId": "ai-1"}},
        {**chunk("a"), "metadata": {"x": 1}},
        {**chunk("b"), "metadata": {"x": 2}},
        {**chunk("c"), "metadata": None},
        {**status("completed"), "metadata": None},
    )
    assert [event["metadata"] for event in events] == [{"agentId": "ai-1"}, {"x": 1}, {"x": 2}, {}, {}]
    assert formatted(reported.build_task()).metadata == {"agentId": "ai-1"}


@pytest.mark.parametrize(
    "result",
    [chunk("a"), status("working"), status("completed", final=True), whole("working"), about(weather="fair")],
)
def test_results_without_json_rpc_around_them(result: Json) -> None:
    """A result that comes without the JSON-RPC answer around it tells the same."""
    bare, full = TaskAccumulator(ASK), TaskAccumulator(ASK)
    events = bare.add_event(json.dumps(result))
    assert events == full.add_event(json.dumps(enveloped(result)))
    assert events
    assert all(event.raw == result for event in events)
    assert (bare.is_over, bare.build_response()) == (full.is_over, full.build_response())


@pytest.mark.parametrize(
    "result",
    [
        {**chunk("a"), "status": None, "final": None, "artifacts": None},
        {**status("completed", final=True), "artifact": None, "artifacts": None},
        {**whole("completed", {"parts": [text("a")]}), "artifact": None, "final": None},
        {**whole("completed"), "artifacts": None, "history": None, "metadata": None, "sessionId": None},
    ],
)
def test_null_and_absent_are_the_same(result: Json) -> None:
    """Members that are null say no more than members that are not there: a kind of event is not told by them."""
    bare = {key: value for key, value in result.items() if value is not None}
    spare, full = TaskAccumulator(ASK), TaskAccumulator(ASK)
    assert take(full, result) == take(spare, bare)
    assert (full.is_over, full.build_response()) == (spare.is_over, spare.build_response())
    assert "unknown" not in kinds(take(TaskAccumulator(ASK), result))


# Whole tasks.


def test_a_whole_task_in_a_stream() -> None:
    """A whole task tells its artifacts and how it stands; a second one tells only what the first did not."""
    reported = TaskAccumulator(ASK)
    first = whole("working", {"parts": [text("a")], "name": "response"}, {"parts": [DATA]}, sessionId="ses-2")
    events = take(reported, first)
    assert (kinds(events), deltas(events)) == (["artifact_update"] * 2 + ["status_update"], ["a", ""])
    assert [event.session_id for event in events] == ["ses-2"] * 3
    assert take(reported, first) == []
    more = whole(
        "completed", {"parts": [text("ab")]}, {"parts": [DATA, text("c")]}, metadata={"agentId": "ai-1"}
    )
    events = take(reported, more)
    assert (deltas(events), states(events), reported.is_over) == (["b", "c"], ["completed"], True)
    assert formatted(reported.build_task()) == {**formatted(more), "session_id": "ses-2"}


def test_a_whole_task_has_the_last_word() -> None:
    """Where an artifact is not as it was told, it is told anew; what the task says besides is taken over quietly."""
    reported = TaskAccumulator(ASK)
    take(reported, chunk("a"), chunk("b"), chunk("x", index=1), status("working"))
    named = whole(
        "working", {"parts": [text("ab")], "name": "response"}, {"parts": [text("y")]}, metadata={"x": 1}
    )
    events = take(reported, named)
    assert (kinds(events), deltas(events)) == (["artifact_update"], ["y"])
    assert formatted(reported.build_task()) == formatted(named)
    [event] = take(reported, chunk("c"))
    assert (event["artifact"]["name"], event["artifact"]["content"], event["delta"]) == (
        "response",
        "abc",
        "c",
    )


@table(
    ("numbers", "read"),
    [
        ([None, None], [0, 1]),
        ([0, 0], [0, 1]),
        ([0, 1], [0, 1]),
        ([2, 5], [2, 5]),
        ([1, 0], [1, 0]),
        ([1, None], [0, 1]),
        ([None, 0], [0, 1]),
        ([0, False, 0.0], [0, 1, 2]),
        ([None, 2.0], [0, 2]),
    ],
)
def test_the_numbers_of_artifacts_in_a_whole_task(numbers: list[Any], read: list[int]) -> None:
    """No artifact of a task gets lost for want of a number of its own: then they are counted."""
    made = [{"parts": [text(str(position))], "index": number} for position, number in enumerate(numbers)]
    reported = TaskAccumulator(ASK)
    events = take(reported, whole("completed", *made))
    assert [event["index"] for event in events[:-1]] == read
    assert len(reported.build_task().artifacts or []) == len(numbers)


# The end of a stream.

OVER = [
    (spelled, final, ended)
    for state, ended in {
        "submitted": False,
        "working": False,
        "input-required": False,
        "completed": True,
        "canceled": True,
        "failed": True,
        "unknown": False,
        "completed?": False,
        " completed": False,
        "": False,
    }.items()
    for spelled in (state, state.upper().replace("-", "_"))
    for final in (True, False)
]


@table(("state", "final", "has_ended"), OVER)
def test_the_end_of_a_stream(state: str, final: bool, has_ended: bool) -> None:
    """A stream is over when an event says so: after a state in which a task has ended, an artifact may follow."""
    reported = TaskAccumulator(ASK)
    [event] = take(reported, status(state, final))
    assert (reported.is_over, event["is_final"], reported.has_ended) == (final, final, has_ended)
    answer = formatted(reported.build_task())
    assert (answer.status == "completed") == (state.lower() == "completed")
    if not final:
        assert deltas(take(reported, chunk("late"))) == ["late"]
        reported.is_over = True
        assert (reported.is_over, formatted(reported.build_task()).text) == (True, "late")


@table(("state", "final", "has_ended"), OVER)
def test_the_end_by_a_whole_task(state: str, final: bool, has_ended: bool) -> None:
    """A whole task in a stream ends it where the task has ended; one that was asked for, where it waits as well."""
    if final:
        return
    in_stream, asked_for = TaskAccumulator(ASK), TaskAccumulator(ASK)
    assert take(in_stream, whole(state))[-1]["is_final"] == in_stream.is_over == has_ended
    waits = state.lower().replace("_", "-") == "input-required"
    assert catch_up(asked_for, whole(state))[-1]["is_final"] == asked_for.is_over == (has_ended or waits)


def test_what_was_over_stays_over() -> None:
    """What a server says of the task after its end, knowing less, changes neither that it is over nor how it ended."""
    for final in (
        status("completed", final=True),
        status("failed", final=False),
        status("canceled", final=True),
    ):
        reported = TaskAccumulator(ASK)
        take(reported, chunk("a"), final)
        reported.is_over = True
        before = reported.build_response()
        assert catch_up(reported, whole("working", timestamp="2020")) == []
        assert (
            catch_up(reported, whole("completed", message={"role": "agent", "parts": [text("Done")]})) == []
        )
        assert (reported.is_over, reported.build_response()) == (True, before)


def test_a_stream_that_is_over_with_the_task_at_work() -> None:
    """Where the agent ended the stream before the task, whoever asks learns how it stands now; it is over all the same."""
    reported = TaskAccumulator(ASK)
    take(reported, status("input-required", final=True))
    assert states(catch_up(reported, whole("working"))) == ["working"]
    assert reported.is_over
    assert states(catch_up(reported, whole("completed"))) == ["completed"]
    assert (reported.is_over, formatted(reported.build_task()).status) == (True, "completed")


def test_a_task_that_waits_still() -> None:
    """A task that is asked for is over where it waits for somebody, though there is nothing new to tell of it."""
    reported = TaskAccumulator(ASK)
    take(reported, status("input-required"))
    assert not reported.is_over
    assert catch_up(reported, whole("input-required")) == []
    assert reported.is_over


def test_a_task_that_waits_once_more() -> None:
    """A task that is asked for is over where it waits for somebody, though a stream said the very same before."""
    reported = TaskAccumulator(ASK)
    take(reported, status("input-required", timestamp=None), status("working", timestamp=None))
    reported.rejoin()
    waiting = about(status={"state": "input-required", "timestamp": None})
    assert states(catch_up(reported, waiting)) == ["input-required"]
    assert (reported.is_over, formatted(reported.build_task()).requires_input) == (True, True)
    assert catch_up(reported, waiting) == []


# What is not as it should be.

OTHER: dict[str, Any] = {
    "another task's end": {**status("completed", final=True), "id": "tsk-2"},
    "another task's words": {**chunk("Paid."), "id": "tsk-2"},
    "another whole task": {**whole("completed"), "id": "tsk-2"},
    "another task's end, named differently": {
        "taskId": "tsk-2",
        "status": {"state": "completed"},
        "final": True,
    },
    "an end with a number for an id": {**status("completed", final=True), "id": 1},
    "an end with a list for an id": {**status("completed", final=True), "id": ["tsk-1"]},
    "an end of another spelling": {**status("completed", final=True), "id": "TSK-1"},
    "final without a status": about(final=True),
    "final with null for a status": about(final=True, status=None),
    "a status without a state": about(final=True, status={}),
    "a state that is null": status(None, final=True),
    "a state that is a list": status(["completed"], final=True),
    "a state that is a number": status(5, final=True),
    "a state that is true": status(True, final=True),
    "an artifact that is a number": about(artifact=5),
    "an artifact that is a list of several": about(artifact=[{"parts": []}, {"parts": []}]),
    "nothing but the id": about(),
    "an empty object": {},
    "something unheard of": about(weather="fair"),
    "a message": {"kind": "message", "role": "agent", "parts": [text("Paid.")], "taskId": "tsk-1"},
}

ENDS: dict[str, Any] = {
    "without an id": {"status": {"state": "completed"}, "final": True},
    "with null for an id": {**status("completed", final=True), "id": None},
    "with another name for the id": {"taskId": "tsk-1", "status": {"state": "completed"}, "final": True},
    "with final as a text": status("completed", final="true"),
    "with final as a number": status("completed", final=1),
    "with a text for a status": about(final=True, status="completed"),
    "with a list for a status": about(final=True, status=[{"state": "completed"}]),
    "with a timestamp that is a number": status("completed", final=True, timestamp=7),
    "with a timestamp that is a list": status("completed", final=True, timestamp=[]),
    "with metadata that is a list": {**status("completed", final=True), "metadata": []},
    "with a message that is a text": status("completed", final=True, message="Done."),
    "with a state of a later version": status("TASK_STATE_COMPLETED", final=True),
    "by a later version": {
        "kind": "status-update",
        "taskId": "tsk-1",
        "contextId": "ses-1",
        "status": {"state": "completed"},
        "final": True,
    },
    "within a member": {"statusUpdate": {"taskId": "tsk-1", "status": {"state": "completed"}, "final": True}},
    "within a list": [status("completed", final=True)],
    "by a whole task without an id": {"status": {"state": "completed"}, "artifacts": []},
    "by a whole task within a member": {"task": whole("completed")},
    **{f"by a whole task: {name}": {**whole("completed"), **members} for name, members in MISTYPED.items()},
}
"""Results that say that the task is completed, and that the stream ends."""

WORDS: dict[str, Any] = {
    "without an id": {"artifact": {"parts": [text("Paid.")], "append": True}},
    "with another name for the id": {
        "taskId": "tsk-1",
        "artifact": {"parts": [text("Paid.")], "append": True},
    },
    "without a type": chunk({"text": "Paid."}),
    "with a kind": chunk({"kind": "text", "text": "Paid."}),
    "as a part": about(artifact={"parts": {"text": "Paid."}, "append": True}),
    "as parts": about(artifact={"parts": "Paid.", "append": True}),
    "as a text": about(artifact={"parts": ["Paid."], "append": True}),
    "in a list": about(artifact=[{"parts": [text("Paid.")], "append": True}]),
    "with an index that is a list": chunk("Paid.", index=[0]),
    "with an index that is a text": chunk("Paid.", index="0"),
    "with a name that is a number": chunk("Paid.", name=5),
    "with append as a text": chunk("Paid.", append="true"),
    "with chunk metadata that is a list": chunk("Paid.", metadata=[]),
    "with metadata that is a text": {**chunk("Paid."), "metadata": "x"},
    "with metadata that is false": {**chunk("Paid."), "metadata": False},
    "with part metadata that is a list": chunk(text("Paid.", metadata=[])),
    "with a part that is null": chunk("Paid.", {"type": "file", "file": None}),
    "by a later version": {
        "artifactUpdate": {"taskId": "tsk-1", "artifact": {"parts": [{"text": "Paid."}], "append": True}}
    },
}
"""Results that append these words to the artifact."""


NO_RESULT: dict[str, Any] = {
    "a list": [],
    "a text": "completed",
    "a number": 7,
    "true": True,
    "null": None,
    "null for a result": enveloped(None),
    "a text for a result": enveloped("completed"),
    "a list of several for a result": enveloped([status("completed", final=True)] * 2),
    "neither result nor error": {"jsonrpc": "2.0", "id": "req-1"},
    "a task beside the result": {**enveloped(None), "status": {"state": "completed"}, "final": True},
    "an error without a code": {"jsonrpc": "2.0", "error": {"message": "It broke"}},
    "an error that is a text": {"jsonrpc": "2.0", "error": "It broke"},
    "an error that is a list": {"jsonrpc": "2.0", "error": []},
    "an error with a text for a code": {"jsonrpc": "2.0", "error": {"code": "E1"}},
    "a list of several answers": [enveloped(chunk("a")), enveloped(chunk("b"))],
}

NO_JSON = {
    "nothing": "",
    "a page": "<html>",
    "half of JSON": '{"jsonrpc": "2.0", "result": {"id": "tsk-1", "status": {"state": "completed"}, "final": true',
    "two answers": json.dumps(status("completed", final=True)) * 2,
    "brackets without end": "[" * 100_000,
}


def midway() -> TaskAccumulator:
    """A stream in the middle of an artifact, so that a chunk may be the usual one."""
    reported = TaskAccumulator(ASK)
    take(reported, status("working"), chunk("Hel", append=None), chunk("lo"), chunk(" you"))
    return reported


@table("name", OTHER)
def test_what_is_not_an_event_of_the_task_is_unknown(name: str) -> None:
    """What is another task's, or not as the protocol has it, is told as unknown and changes nothing of the task."""
    for as_sent in (enveloped(OTHER[name]), OTHER[name]):
        if as_sent == {}:
            continue  # an object without members is no result that came bare
        reported = midway()
        before = reported.build_response()
        [event] = reported.add_event(json.dumps(as_sent))
        assert (event.type, event["data"], event.raw) == ("unknown", OTHER[name], as_sent)
        assert (event.task_id, event.session_id, event.request_id) == ("tsk-1", "ses-1", "req-1")
        assert (reported.is_over, reported.build_response(), reported.count) == (False, before, 5)


def test_an_end_is_an_end_however_odd_it_is() -> None:
    """An event about this task with a state that can be recognised is told, and ends the stream where it says so."""
    for name, result in ENDS.items():
        for as_sent in (
            enveloped(result),
            result,
            [enveloped(result)],
            enveloped(result, error={}),
            enveloped(result, error="It broke"),
            enveloped(result, error={"code": -32603}),
        ):
            reported = midway()
            *_, event = reported.add_event(json.dumps(as_sent))
            assert (event["type"], event["state"], event["is_final"]) == (
                "status_update",
                "completed",
                True,
            ), name
            assert (event.raw, reported.is_over) == (as_sent, True), name
            assert formatted(reported.build_task()).status == "completed", name


def test_words_are_words_however_odd_they_are() -> None:
    """A chunk that can be read is told, and costs the stream nothing else."""
    for name, result in WORDS.items():
        for as_sent in (enveloped(result), result, enveloped(result, error=False)):
            reported = midway()
            [event] = reported.add_event(json.dumps(as_sent))
            assert (event.type, event["delta"], event.raw) == ("artifact_update", "Paid.", as_sent), name
            [more] = take(reported, chunk("!"))
            assert more["artifact"]["content"] == "Hello youPaid.!" or "null" in name, name


def test_what_could_not_be_read_of_a_stream_is_named_once() -> None:
    """The answer at the end has the warnings of all events."""
    reported = TaskAccumulator(ASK)
    take(reported, chunk("a", name=5), chunk("b", name=5), status("completed", final=True, message=7))
    assert formatted(reported.build_task()).warnings == [
        "artifact.name: a number",
        "status.message: a number",
    ]


def test_no_more_than_a_hundred_warnings_are_kept() -> None:
    """An agent that sends nonsense for ever takes no more memory for it."""
    for count, kept in ((99, 99), (100, 100), (101, 100), (500, 100)):
        reported = TaskAccumulator(ASK)
        reported._warn([f"warning {number}" for number in range(count)] * 2)
        assert reported.build_task().warnings == [f"warning {number}" for number in range(kept)], count


def test_what_could_not_be_read_of_a_look_up_is_named() -> None:
    """As of a stream, and once."""
    reported = midway()
    catch_up(reported, {**whole("working"), "metadata": []})
    catch_up(reported, {**whole("working"), "metadata": []})
    assert reported.build_task().warnings == ["metadata: a list"]


def test_artifacts_with_an_id_and_no_number() -> None:
    """Later versions of the protocol give artifacts an id: each has a place of its own, in a whole task as well."""
    reported = TaskAccumulator(ASK)
    take(
        reported,
        chunk("a", artifactId="x"),
        chunk("1", artifactId="y"),
        chunk("b", artifactId="x"),
        chunk("2", artifactId="y"),
    )
    assert [artifact.content for artifact in formatted(reported.build_task()).artifacts] == ["ab", "12"]
    made = [{"artifactId": "x", "parts": [text("ab")]}, {"artifactId": "y", "parts": [text("12!")]}]
    assert deltas(take(reported, whole("completed", *made))) == ["!"]


def test_an_update_with_everything_in_it() -> None:
    """An artifact and a status in one event are both told."""
    reported = TaskAccumulator(ASK)
    events = take(reported, {**chunk("Paid."), "status": {"state": "completed"}, "final": True})
    assert (kinds(events), reported.is_over) == (["artifact_update", "status_update"], True)
    assert formatted(reported.build_task()).text == "Paid."


def test_json_that_cannot_be_read_whole() -> None:
    """Nesting without end and endless numbers cost what holds them."""
    for odd in ('{"a":' * 100_000 + "1" + "}" * 100_000, "[" * 500 + "]" * 500, "9" * 5_000):
        reported = TaskAccumulator(ASK)
        [event] = reported.add_event(
            json.dumps(enveloped({**status("completed", final=True), "x": 0})).replace(
                '"x": 0', f'"x": {odd}'
            )
        )
        assert (event["state"], reported.is_over, len(reported.build_task().warnings)) == (
            "completed",
            True,
            1,
        )


@table("name", NO_RESULT)
def test_an_answer_without_a_result_is_unknown(name: str) -> None:
    """An answer that says nothing, or says that something went wrong and not what, is told as unknown, all of it."""
    reported = midway()
    before = reported.build_response()
    [event] = reported.add_event(json.dumps(NO_RESULT[name]))
    assert (event.type, event["data"], event.raw) == ("unknown", NO_RESULT[name], NO_RESULT[name])
    assert (reported.is_over, reported.build_response(), reported.count) == (False, before, 5)


@table("before", ["", " ", "\n\t"])
@table("after", ["", " ", "\r\n"])
def test_white_space_around_json_is_none_of_it(before: str, after: str) -> None:
    """JSON may have white space around it."""
    [event] = TaskAccumulator(ASK).add_event(f"{before}{json.dumps(enveloped(chunk('a')))}{after}")
    assert (event.type, event.raw) == ("artifact_update", enveloped(chunk("a")))


@pytest.mark.parametrize("name", NO_JSON)
def test_what_is_not_json_is_unknown(name: str) -> None:
    """Data that is no JSON is told as the text that came."""
    reported = midway()
    before = reported.build_response()
    [event] = reported.add_event(NO_JSON[name])
    assert (event.type, event["data"], event.raw) == ("unknown", NO_JSON[name], NO_JSON[name])
    assert (reported.is_over, reported.build_response()) == (False, before)


def test_the_stream_goes_on_after_what_is_unknown() -> None:
    """However odd an event is, the next one is told as if it had not been."""
    for odd in [*map(enveloped, OTHER.values()), *NO_RESULT.values()]:
        reported = midway()
        reported.add_event(json.dumps(odd))
        [event] = take(reported, chunk("!"))
        assert (event["delta"], event["artifact"]["content"]) == ("!", "Hello you!")


@pytest.mark.slow
@table("depth", [*range(0, 800, 100), *range(800, 1000)])
def test_nesting_of_any_depth_is_reported(depth: int) -> None:
    """However deeply something is nested, it is told, once more too, and nothing but an agent's error is raised."""
    reported = TaskAccumulator(ASK)
    nested = '{"a":' * depth + "1" + "}" * depth
    for data in (
        f'{{"result":{{"id":"tsk-1","a":{nested}}}}}',
        f'{{"result":{{"id":"tsk-1","final":false,"status":{{"state":"working","a":{nested}}}}}}}',
        f'{{"result":{{"id":"tsk-1","artifact":{{"parts":[{{"type":"text","text":"a","a":{nested}}}]}}}}}}',
    ):
        assert len(reported.add_event(data)) == 1
    reported.rejoin()
    reported.add_event(f'{{"result":{{"id":"tsk-1","a":{nested}}}}}')


@table(
    ("code", "kind"),
    [
        (-32700, InvalidJSONError),
        (-32601, MethodNotFoundError),
        (-32602, InvalidParamsError),
        (-32603, InternalAgentError),
        (-32001, TaskNotFoundError),
        (-32002, TaskNotCancelableError),
        (7, AgentError),
    ],
)
@table("result", [None, chunk("a"), {}, "none"])
def test_an_error_of_the_agent_is_raised(code: int, kind: type[AgentError], result: Any) -> None:
    """A JSON-RPC error is raised as the class of its code, unless the same event says how the task stands."""
    said: Json = {"jsonrpc": "2.0", "error": {"code": code, "message": "It broke", "data": [1]}}
    reported = midway()
    before = reported.build_response()
    with pytest.raises(AgentError, match="It broke") as raised:
        reported.add_event(json.dumps(said if result == "none" else {**said, "result": result}))
    assert (type(raised.value), raised.value.code, raised.value.data) == (kind, code, [1])
    assert (reported.is_over, reported.build_response(), reported.count) == (False, before, 4)


def test_a_task_that_was_asked_for_is_read_as_far_as_it_goes() -> None:
    """A task with a member of the wrong type ends the stream all the same; one without a state says nothing."""
    for name, members in MISTYPED.items():
        reported = midway()
        catch_up(reported, {**whole("completed", {"parts": [text("Paid.")]}), **members})
        assert (reported.is_over, formatted(reported.build_task()).status) == (True, "completed"), name
    assert read_task(whole(5), "tsk-1") is None


def test_another_task_is_refused() -> None:
    """A task that was asked for and is another one does not say how this one stands."""
    reported = midway()
    with pytest.raises(ResponseValidationError, match="another task, 'tsk-2'"):
        catch_up(reported, {**whole("completed"), "id": "tsk-2"})
    assert (reported.is_over, reported.count) == (False, 4)


# Streams of all kinds, told in two ways.

words = st.sampled_from(["a", "b", "", "ab", "ü", "\ud83d", "\ude00", "\n"])
odd = st.sampled_from([None, True, False, 0, 1, 1.0, 2, "", "true", [], {}, {"x": 1}, [1]])
heads = st.fixed_dictionaries(
    {},
    optional={
        "name": st.sampled_from([None, "draft", "answer"]),
        "index": st.sampled_from([0, 1, None, 1.0]),
        "metadata": st.sampled_from([None, {"x": 1}, {}]),
        "lastChunk": st.sampled_from([None, False, True, 1, 0]),
    },
)
spelled_states = st.sampled_from(
    [
        "working",
        "WORKING",
        "input-required",
        "INPUT_REQUIRED",
        "Completed",
        "failed",
        "canceled",
        "On_Hold",
        "",
    ]
)
stamps: st.SearchStrategy[Any] = st.sampled_from(
    [STAMP, "2025-06-27T16:31:41", "yesterday", "", None, 7, 1.5, []]
)


def fitting(parts: list[Json], head: Json, append: Any) -> Json:
    return about(artifact={"parts": parts, **({} if append is None else {"append": append}), **head})


runs = st.tuples(st.lists(words, min_size=2, max_size=5), heads).map(
    lambda drawn: [fitting([text(one)], drawn[1], True) for one in drawn[0]]
)
some_parts = st.lists(
    words.map(text)
    | st.sampled_from([DATA, {"type": "chart"}, text("m", metadata={"x": 1}), text("n", metadata=None)]),
    max_size=3,
)
fitting_chunks = st.builds(fitting, some_parts, heads, st.sampled_from([True, False, None, 1]))
fitting_statuses = st.builds(
    status, spelled_states, st.sampled_from([False, False, True, None, "true"]), stamps
)
fitting_tasks = st.builds(
    lambda state, artifacts, members: {**whole(state, *artifacts), **members},
    spelled_states,
    st.lists(st.builds(lambda parts, head: {"parts": parts, **head}, some_parts, heads), max_size=2),
    st.sampled_from([{}, {"sessionId": "ses-2"}, {"sessionId": None}, {"metadata": {"y": 1}}]),
)


@st.composite
def spoilt(draw: st.DrawFn) -> Json:
    """A result with one member, anywhere, that is something else, or is not there."""
    result: Json = copy.deepcopy(draw(fitting_chunks | fitting_statuses | fitting_tasks))
    holder: Any = result
    for _ in range(draw(st.integers(0, 4))):
        inner = [
            one
            for one in (holder.values() if isinstance(holder, dict) else holder)
            if one and isinstance(one, dict | list)
        ]
        if not inner:
            break
        holder = draw(st.sampled_from(inner))
    if isinstance(holder, list):
        holder[draw(st.integers(0, len(holder) - 1))] = draw(odd)
    elif draw(st.booleans()):
        holder[draw(st.sampled_from(sorted(holder)))] = draw(odd)
    else:
        del holder[draw(st.sampled_from(sorted(holder)))]
    return result


results = (
    fitting_chunks
    | fitting_statuses
    | fitting_tasks
    | spoilt()
    | st.sampled_from([*OTHER.values()])
    | st.sampled_from(
        [{**chunk("a"), "metadata": {"x": 1}}, {**chunk("a"), "mood": "fair"}, {**chunk("a"), "final": True}]
    )
)
answers = (
    runs.map(lambda run: [enveloped(one) for one in run])
    | results.map(lambda result: [enveloped(result)])
    | results.map(lambda result: [result])
    | st.sampled_from([*NO_RESULT.values()]).map(lambda answer: [answer])
    | st.tuples(results, st.sampled_from([None, {"code": 7}, "It broke"])).map(
        lambda drawn: [enveloped(drawn[0], error=drawn[1])]
    )
    | st.just(["rejoin"])
)
streams = st.lists(answers, max_size=8).map(lambda drawn: [one for several in drawn for one in several])


def all_told(reported: TaskAccumulator, stream: list[Any]) -> list[Any]:
    """All that comes of a stream, errors too."""
    received: list[Any] = []
    for said in stream:
        if said == "rejoin":
            reported.rejoin()
            continue
        try:
            received += reported.add_event(json.dumps(said))
        except AgentError as error:
            received.append(error.code)
    return received


def shown(received: list[Any]) -> list[Any]:
    return [one if isinstance(one, int) else (type(one), dict(one), one.raw) for one in received]


HASTE = [enveloped(chunk("a", append=None)), enveloped(chunk("b")), enveloped(chunk("c"))]


@given(streams)
@example([*HASTE, enveloped(chunk("d"), error={"code": 7})])
@example([*HASTE, enveloped(chunk({"type": "chart", "text": "d"})), enveloped(chunk("e"))])
@example([*HASTE, enveloped(chunk({"kind": "text", "text": "d"})), enveloped(chunk("e"))])
@example([*HASTE, enveloped(chunk("d", append=1)), enveloped(chunk("e", append=1.0))])
@example([*HASTE, enveloped(chunk("d", lastChunk=1)), enveloped(chunk("e", lastChunk=True))])
@example(
    [
        *HASTE,
        enveloped(chunk("d", index=1.0)),
        enveloped(chunk("e", index=1)),
        enveloped(chunk("f", index=True)),
    ]
)
@example([*HASTE, enveloped(whole("working", {"parts": [text("abc", lang="en")]})), enveloped(chunk("d"))])
def test_the_short_way_reports_the_same_as_the_long_one(stream: list[Any]) -> None:
    """The usual chunk is read in a shorter way, and nothing comes out otherwise for that, now or when looked at later."""
    short, long = TaskAccumulator(ASK), Thorough(ASK)
    assert shown(all_told(short, stream)) == shown(all_told(long, stream))
    assert (short.build_response(), short.is_over, short.count) == (
        long.build_response(),
        long.is_over,
        long.count,
    )


def test_the_usual_chunk_is_read_in_the_shorter_way() -> None:
    """Words that are appended like the words before are read without the generated models, whatever ids come around them."""
    reported = Hasty(ASK)
    for answer in [
        *HASTE,
        enveloped({**chunk("d"), "metadata": {"x": 1}}),
        enveloped(chunk("e"), id=7, error=None),
    ]:
        reported.add_event(json.dumps(answer))
    assert reported.usual == 3
    for answer in (
        enveloped(chunk("f", index=0)),
        enveloped(chunk("g")),
        enveloped(chunk("h", lastChunk=True)),
        enveloped(chunk(text("i", metadata=None))),
        enveloped(chunk(text("j", lang="en"))),
        enveloped(chunk("k")),
        enveloped(chunk("l")),
    ):
        reported.add_event(json.dumps(answer))
    assert reported.usual == 3


def test_a_status_between_two_chunks_keeps_the_shorter_way() -> None:
    """A whole task has the artifact anew, and what goes on after it goes on with that."""
    reported = Hasty(ASK)
    events = take(reported, chunk("a"), chunk("b"), status("submitted"), chunk("c"))
    assert (deltas(events), reported.usual) == (["a", "b", "c"], 2)
    events = take(reported, whole("working", {"parts": [text("abc!")]}), chunk("d"))
    assert (deltas(events), reported.usual) == (["!", "d"], 2)
    assert formatted(reported.build_task()).text == "abc!d"


def test_how_much_of_a_stream_is_kept() -> None:
    """An artifact takes a kilobyte, a usual chunk its words, and any other chunk as much as it is long."""
    reported = Hasty(ASK)
    first, second, usual = (json.dumps(enveloped(chunk(words))) for words in ("one", "two", "three"))
    for data in (first, second, usual):
        reported.add_event(data)
    [artifact] = reported.artifacts.values()
    assert reported.usual == 2
    assert artifact.weight == reported.artifacts.size == 1024 + len(first) + len("two") + len("three")
    other = json.dumps(enveloped(chunk("", index=1)))
    reported.add_event(other)
    size = 1024 + len(other) + artifact.weight
    assert reported.artifacts.size == size
    reported.add_event(json.dumps(enveloped(status())))
    reported.add_event("no JSON")
    assert reported.artifacts.size == size


def test_usual_chunks_are_taken_as_their_reader_asks() -> None:
    """Up to the first event that is something else, which stays where it is."""
    others = ("no JSON", json.dumps(enveloped(status())), json.dumps(enveloped(chunk("c", index=1))), "[]")
    for other in others:
        reported = midway()
        texts = [json.dumps(enveloped(chunk(words))) for words in ("d", "e")]
        unread = deque(ServerSentEvent("message", data, "") for data in (*texts, other, *texts))
        events = reported.iter_text_chunks(unread)
        assert (next(events).delta, len(unread), next(events).delta, len(unread)) == ("d", 4, "e", 3)
        assert list(events) == [], other
        assert unread[0].data == other
        assert formatted(reported.build_task()).text.endswith("de")
    assert list(midway().iter_text_chunks(deque())) == []


@table(
    "state, has_ended, is_resting",
    [
        (None, False, False),
        ("submitted", False, False),
        ("working", False, False),
        ("mood", False, False),
        ("input-required", False, True),
        ("COMPLETED", True, True),
        ("failed", True, True),
        ("canceled", True, True),
    ],
)
def test_a_task_rests_where_it_has_ended_or_waits(
    state: str | None, has_ended: bool, is_resting: bool
) -> None:
    """Whatever else its agent may say, it may still be at work."""
    reported = TaskAccumulator(ASK)
    take(reported, *([] if state is None else [status(state)]))
    assert (reported.has_ended, reported.is_resting) == (has_ended, is_resting)


def test_events_are_mappings_for_a_yaml_that_is_imported_later(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stream looks whether there is one by now."""
    assert yaml.safe_load(yaml.safe_dump({"a": 1})) == {"a": 1}
    waiting = [StatusUpdate]
    monkeypatch.setattr(_attrdict, "_unknown_to_yaml", waiting)
    TaskAccumulator(ASK)
    assert waiting == []


def test_an_event_has_its_type_as_a_dict_too() -> None:
    """What reads events as JSON finds what attributes say."""
    for event in take(midway(), status("working", timestamp="later"), chunk("d"), chunk(DATA), 7):
        assert event["type"] == event.type == json.loads(json.dumps(event))["type"]


def statuses_of(said: Any) -> Iterator[tuple[Json, Any]]:
    """What an answer says of the state of this very task, and whether it says that this is final."""
    said = unwrap_single(said)
    said = said if isinstance(said, dict) else {}
    for result in map(unwrap_task, (said.get("result"), said)):
        if (
            isinstance(result, dict)
            and find_task_id(result) in (None, "tsk-1")
            and find_state(result) is not None
        ):
            yield {"state": find_state(result)}, parse_bool(result.get("final"))


def ended(state: Any) -> bool:
    return isinstance(state, str) and state.lower() in {"completed", "failed", "canceled"}


@pytest.mark.slow
@given(streams)
def test_no_stream_makes_believe_that_a_task_has_ended(stream: list[Any]) -> None:
    """Only what says of this task that it is final or has ended ends the stream, and only what says so completes it.

    Whatever else comes, it is told, and the answer so far can be read.
    """
    reported = TaskAccumulator(ASK)
    said = [one for answer in stream for one in statuses_of(answer)]
    for answer in stream:
        before = reported.count
        events = all_told(reported, [answer])
        assert all(one.raw == answer for one in events if not isinstance(one, int))
        assert events or reported.artifacts.was_rejoined or answer == "rejoin" or [*statuses_of(answer)]
        assert reported.count - before == len([one for one in events if not isinstance(one, int)])
    answer = formatted(reported.build_task())
    assert formatted(reported.build_response()["result"]) == answer
    assert not reported.is_over or any(final is True or ended(status.get("state")) for status, final in said)
    received = {str(status.get("state")).lower() for status, _ in said}
    assert answer.status != "completed" or "completed" in received
    assert answer.status != "failed" or received & {"failed", "canceled"}


# Streams that break.


@frozen
class Story:
    """What a server has to tell of a task."""

    results: list[Json]
    artifacts: list[dict[int, Json]] = field(init=False)

    def __attrs_post_init__(self) -> None:
        artifacts: list[dict[int, Json]] = [{}]
        for result in self.results:
            artifacts.append(dict(artifacts[-1]))
            if "artifact" in result:
                index = result["artifact"]["index"]
                before = artifacts[-1].get(index) if result["artifact"]["append"] else None
                artifacts[-1][index] = put_together(before, result["artifact"])
        object.__setattr__(self, "artifacts", artifacts)

    def task(self, count: int) -> Json:
        """The whole task, so many results told."""
        stands = [result["status"] for result in self.results[:count] if "status" in result]
        made = self.artifacts[count]
        return about(
            status=(stands or [{"state": "submitted"}])[-1], artifacts=[made[index] for index in sorted(made)]
        )


pieces = words | words | st.sampled_from([DATA, text("m", metadata={"x": 1})])


@st.composite
def stories(draw: st.DrawFn, *, replaced: bool = False, stamped: bool = True, renamed: bool = True) -> Story:
    """Stories of some artifacts, told chunk by chunk, and of how the task stands; the last result is final."""
    results: list[Json] = []
    begun: set[int] = set()
    for position in range(draw(st.integers(1, 9))):
        if draw(st.integers(0, 3)) == 0:
            state = draw(st.sampled_from(["working", "WORKING", "input-required"]))
            results.append(status(state, timestamp=f"{position}" if stamped else None))
            continue
        index = draw(st.integers(0, 1))
        append = index in begun and not (replaced and draw(st.booleans()))
        names = st.sampled_from([{}, {}, {"name": "draft"}, {"name": "answer"}])
        named = draw(names) if renamed or not append else {}
        parts = draw(st.lists(pieces, min_size=1, max_size=1) | st.lists(pieces, max_size=3))
        results.append(chunk(*parts, append=append, index=index, **named))
        begun.add(index)
    for index in begun:
        last = [one for one in results if one.get("artifact", {}).get("index") == index][-1]
        if draw(st.booleans()):
            last["artifact"]["lastChunk"] = True
    results.append(status(draw(st.sampled_from(["completed", "FAILED"])), final=True, timestamp="the end"))
    return Story(results)


@st.composite
def connections(draw: st.DrawFn, story: Story, styles: Sequence[str]) -> list[list[Json]]:
    """What a client is told by and by, the stream breaking and being taken up again; the last time to its end."""
    end = len(story.results)
    received = draw(st.integers(0, end - 1))
    reported = [story.results[:received]]
    for _ in range(draw(st.integers(0, 3))):
        style = draw(st.sampled_from(styles))
        start = {"again": 0, "rest": received, "task": draw(st.integers(received, end - 1))}[style]
        stop = draw(st.integers(start, end - 1))
        reported.append([*([story.task(start)] if style == "task" else []), *story.results[start:stop]])
        received = max(received, start, stop)
    style = draw(st.sampled_from(styles))
    start = 0 if style == "again" else received
    reported.append([*([story.task(start)] if style == "task" else []), *story.results[start:]])
    return reported


def taken(reported: TaskAccumulator, connections: list[list[Json]]) -> list[StreamEvent]:
    events: list[StreamEvent] = []
    for number, results in enumerate(connections):
        if number:
            reported.rejoin()
        events += take(reported, *results)
    return events


def substance(events: Sequence[StreamEvent], *without: str) -> list[Json]:
    """The events that say something: a chunk without words is only known by what it says besides, and need not be told."""
    return [
        {key: value for key, value in event.items() if key not in {"artifacts", *without}}
        for event in events
        if event.type != "artifact_update"
        or event.is_last_chunk
        or any(part.get("text") != "" for part in event.raw["result"]["artifact"]["parts"])  # type: ignore[index]
    ]


def contents(events: Sequence[StreamEvent]) -> dict[int, str]:
    """The deltas, put one behind the other."""
    made: dict[int, str] = {}
    for event in events:
        if event.type == "artifact_update":
            before = made.get(event.index, "")
            # What was looked up in the middle of a character is replaced once all of the character is there.
            is_replaced = "\ufffd" in before and event.delta == event.artifact.content
            made[event.index] = event.delta if is_replaced else before + event.delta
    return made


def texts_of(task: Json, *, is_stream: bool = True) -> dict[int, str]:
    """The texts of a task; with `is_stream`, half of a character at the end of one waits for the other half."""
    task = {
        **task,
        "artifacts": [shown_so_far(one, is_whole=not is_stream) for one in task["artifacts"]],
    }
    return {
        artifact["index"]: "\n".join(part["text"] for part in artifact["parts"] if part.get("type") == "text")
        for artifact in task["artifacts"]
    }


@pytest.mark.slow
@given(stories())
def test_a_stream_says_what_its_task_says(story: Story) -> None:
    """The deltas, put one behind the other, are the texts; the answer is that of the same task in one piece."""
    for kind in (TaskAccumulator, Thorough):
        reported = kind(ASK)
        events = take(reported, *story.results)
        assert len(events) == reported.count == len(story.results)
        assert contents(events) == texts_of(story.task(len(story.results)))
        assert formatted(reported.build_task()) == formatted(story.task(len(story.results)))
        for count, event in enumerate(events, 1):
            if event.type == "artifact_update":
                so_far = shown_so_far(story.artifacts[count][event.index])
                shown = formatted(about(status={"state": "x"}, artifacts=[so_far]))
                assert event.artifact == shown.artifacts[0]


@pytest.mark.slow
@given(st.data())
def test_a_stream_that_is_taken_up_again_is_reported_once(data: st.DataObject) -> None:
    """However often a stream breaks, and whether it is told again from its start or only its rest is, all is told once."""
    styles = data.draw(st.sampled_from([["again"], ["rest"], ["again", "rest"]]))
    # A server that now repeats itself and now does not may make a new name, that came without words, look like the old.
    story = data.draw(stories(renamed=len(styles) == 1))
    broken = data.draw(connections(story, styles))
    reported, unbroken = TaskAccumulator(ASK), TaskAccumulator(ASK)
    events, expected = taken(reported, broken), take(unbroken, *story.results)
    assert substance(events) == substance(expected)
    assert formatted(reported.build_task()) == formatted(unbroken.build_task())
    assert (reported.is_over, reported.artifacts.was_rejoined) == (True, True)


@pytest.mark.slow
@given(st.data())
def test_a_stream_that_begins_with_the_whole_task_goes_on(data: st.DataObject) -> None:
    """A stream that is taken up again may tell the task so far in one piece first: only what was missed is new in it."""
    story = data.draw(stories(renamed=False))
    broken = data.draw(connections(story, ["again", "rest", "task"]))
    reported = TaskAccumulator(ASK)
    events = taken(reported, broken)
    assert contents(events) == texts_of(story.task(len(story.results)))
    assert formatted(reported.build_task()) == formatted(story.task(len(story.results)))
    stamped = [event["timestamp"] for event in events if event.type == "status_update"]
    assert len(set(stamped)) == len(stamped)


@given(st.data())
def test_what_a_broken_stream_left_out_is_caught_up(data: st.DataObject) -> None:
    """However far a stream came, asking how the task stands, once or often, tells what is missing, and only that."""
    story = data.draw(stories())
    end = len(story.results)
    reported = TaskAccumulator(ASK)
    received = data.draw(st.integers(0, end - 1))
    events = take(reported, *story.results[:received])
    reported.rejoin()
    for _ in range(data.draw(st.integers(0, 3))):
        received = data.draw(st.integers(received, end - 1))
        events += catch_up(reported, story.task(received))
        assert catch_up(reported, story.task(received)) == []
    if data.draw(st.booleans()):
        last = take(reported, *story.results[-1:])
        assert reported.is_over
        events += [*catch_up(reported, story.task(end)), *last]
    else:
        events += catch_up(reported, story.task(end))
    assert catch_up(reported, story.task(end)) == []
    assert contents(events) == texts_of(story.task(end), is_stream=False)
    assert formatted(reported.build_task()) == formatted(story.task(end))
    assert states(events).count("completed") + states(events).count("failed") == 1
    stamped = [event["timestamp"] for event in events if event.type == "status_update"]
    assert len(set(stamped)) == len(stamped)


@pytest.mark.slow
@given(st.data())
def test_the_task_mends_whatever_a_stream_left_out(data: st.DataObject) -> None:
    """Whatever of a stream is missing, also in the middle of a text, the task as it stands puts it right."""
    story = data.draw(stories(replaced=True, stamped=False))
    kept = [result for result in story.results[:-1] if data.draw(st.booleans())]
    reported = TaskAccumulator(ASK)
    taken(reported, [kept[: len(kept) // 2], kept[len(kept) // 2 :]])
    catch_up(reported, story.task(len(story.results)))
    assert formatted(reported.build_task()) == formatted(story.task(len(story.results)))
    assert reported.is_over


def is_part_of(some: Sequence[Json], more: Sequence[Json]) -> bool:
    """Whether all of some comes among more in the same order."""
    rest = iter(more)
    return all(any(one == other for other in rest) for one in some)


@pytest.mark.slow
@given(st.data())
def test_artifacts_that_were_replaced_are_not_reported_again(data: st.DataObject) -> None:
    """A stream that is told again from its start repeats no version of an artifact that was replaced since."""
    story = data.draw(stories(replaced=True))
    broken = data.draw(connections(story, ["again"]))
    reported, unbroken = TaskAccumulator(ASK), TaskAccumulator(ASK)
    events, expected = taken(reported, broken), take(unbroken, *story.results)
    assert is_part_of(substance(events, "delta"), substance(expected, "delta"))
    catch_up(reported, story.task(len(story.results)))
    assert formatted(reported.build_task()) == formatted(unbroken.build_task())


def test_a_server_that_does_not_number_its_artifacts() -> None:
    """Where each artifact takes the place of the one before, for want of a number, a stream told again repeats none."""
    first = chunk("First", append=None, lastChunk=True)
    results = [first, chunk("Second", append=None), chunk("First, once more", append=None)]
    reported = TaskAccumulator(ASK)
    take(reported, *results[:2])
    reported.rejoin()
    assert deltas(take(reported, *results)) == ["First, once more"]
    assert deltas(take(reported, chunk("Third", append=None))) == ["Third"]


@pytest.mark.parametrize(
    "more",
    [
        [chunk("S" * count, append=None) for count in range(1, 301)],
        [chunk("S", append=None), *[chunk(part) for _ in range(300) for part in (DATA, "s")]],
    ],
)
def test_a_version_that_goes_on_is_no_other(more: list[Json]) -> None:
    """However long an artifact grows, piece by piece or told whole each time, those it replaced are not told again."""
    reported = TaskAccumulator(ASK)
    results = [chunk("First", append=None), *more]
    assert len(take(reported, *results)) == len(results)
    reported.rejoin()
    assert take(reported, *results) == []


def test_a_stream_that_breaks_while_it_is_reported_again() -> None:
    """A stream that breaks once more, before it is told again to where it was, may go on where it was all the same."""
    reported = TaskAccumulator(ASK)
    results = [chunk("a", append=None), chunk("b"), chunk("c")]
    take(reported, *results[:2])
    reported.rejoin()
    assert take(reported, *results[:1]) == []
    reported.rejoin()
    [event] = take(reported, *results[2:])
    assert (event["delta"], event["artifact"]["content"]) == ("c", "abc")


def test_a_new_name_without_words_is_kept() -> None:
    """What a stream that is told again says anew of an artifact, without words, is in the answer."""
    reported = TaskAccumulator(ASK)
    take(reported, chunk("a", append=None))
    reported.rejoin()
    take(reported, chunk("a", append=None), chunk("", name="answer", metadata={"x": 1}), status("completed"))
    [artifact] = formatted(reported.build_task()).artifacts
    assert (artifact.name, artifact.metadata, artifact.content) == ("answer", {"x": 1}, "a")


def test_many_statuses_are_reported_once() -> None:
    """A stream that is told again repeats none of its statuses, nor what is unknown, however many there were."""
    results = [one for number in range(600) for one in (status(timestamp=f"{number}"), about(weather=number))]
    reported = TaskAccumulator(ASK)
    assert len(take(reported, *results)) == len(results)
    reported.rejoin()
    assert take(reported, *results) == []
    reported.rejoin()
    assert take(reported, *results, status(timestamp="new"), about(weather="new"))
    assert reported.count == len(results) + 2


def test_a_stream_that_did_not_break_may_repeat_itself() -> None:
    """What an unbroken stream says twice, it means twice."""
    reported = TaskAccumulator(ASK)
    results = [status("working"), about(weather="fair"), chunk("a"), chunk("", append=True)]
    assert len(take(reported, *results, *results)) == len(results) * 2


def test_the_end_is_reported_though_it_was_reported_before() -> None:
    """A final event ends a stream that was taken up again, even one that says what was said without being final."""
    reported = TaskAccumulator(ASK)
    take(reported, status("input-required", final=False))
    reported.rejoin()
    [event] = take(reported, status("input-required", final=True))
    assert (event["is_final"], reported.is_over) == (True, True)


def test_the_last_chunk_without_words_is_reported() -> None:
    """That an artifact is complete is told once, though it was complete in words already when the stream broke."""
    results = [chunk("a", append=None), chunk("", lastChunk=True)]
    reported = TaskAccumulator(ASK)
    take(reported, *results[:1])
    reported.rejoin()
    [event] = take(reported, *results)
    assert (event["delta"], event["is_last_chunk"], event["artifact"]["content"]) == ("", True, "a")
    reported.rejoin()
    assert take(reported, *results) == []


def test_half_a_character_where_the_stream_breaks() -> None:
    """Where a stream breaks between the halves of a character, the other half is what is missing."""
    first, second = "\ud83d", "\ude00"
    smile = first + second
    for missed in ([chunk(smile, append=None)], [chunk(first, append=None), chunk(second)], [chunk(second)]):
        reported = TaskAccumulator(ASK)
        take(reported, chunk(first, append=None))
        reported.rejoin()
        [event] = take(reported, *missed)
        assert (event["delta"], event["artifact"]["content"]) == ("\U0001f600", "\U0001f600")
    reported = TaskAccumulator(ASK)
    take(reported, chunk(first, append=None))
    assert deltas(
        catch_up(reported, json.loads(json.dumps(whole("completed", {"parts": [text(smile)]}))))
    ) == ["\U0001f600"]


# How much a stream takes.


@pytest.mark.slow
def test_a_long_stream_takes_little_more_than_its_text() -> None:
    """Twenty thousand chunks of four characters, none kept, take less than half of 1 MiB."""
    reported = Hasty(ASK)
    take(reported, chunk("long", append=None), chunk("long"))
    data = json.dumps(enveloped(chunk("long")))
    tracemalloc.start()
    try:
        for _ in range(20_000):
            reported.add_event(data)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert reported.usual == 20_000
    assert most < 1 << 19
    assert len(formatted(reported.build_task()).text) == 4 * 20_002
