from __future__ import annotations

import copy
import json
import pickle
from collections.abc import Callable
from typing import Any

import msgspec
import orjson
import pydantic_core
import pytest
import yaml
from pydantic import TypeAdapter

from payman_sdk._core.accumulator import TaskAccumulator
from payman_sdk._core.events import ArtifactUpdate, StatusUpdate, StreamEvent, UnknownUpdate
from payman_sdk._core.requests import AskRequest
from payman_sdk.types import Artifact, TaskState
from tests.tables import table


def reported(*results: dict[str, Any]) -> list[StreamEvent]:
    """The events of a stream that tells these results."""
    progress = TaskAccumulator(
        AskRequest(text="Hello!", task_id="tsk-1", request_id="req-1", session_id="ses-1")
    )
    return [event for result in results for event in progress.add_event(json.dumps(answer(result)))]


def answer(result: dict[str, Any]) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": "req-1", "result": {"id": "tsk-1", **result}}


def chunk(text: str, **members: Any) -> dict[str, Any]:
    """A chunk of an artifact, appended unless it says otherwise."""
    return {"artifact": {"parts": [{"type": "text", "text": text}], "append": True, **members}}


STATUS: dict[str, Any] = {
    "status": {
        "state": "WORKING",
        "message": {"role": "agent", "parts": [{"type": "text", "text": "Looking up wallets"}]},
        "timestamp": "2025-06-27T16:31:41.510422505Z",
    },
    "final": False,
    "metadata": {"step": 1},
}
UNHEARD: dict[str, Any] = {"weather": "fair"}


def status_update() -> StatusUpdate:
    [event] = reported(STATUS)
    assert isinstance(event, StatusUpdate)
    return event


def artifact_update() -> ArtifactUpdate:
    """The third of four chunks; it is told first that all is kept as it was, and looked at last."""
    events = reported(
        chunk("Hel", name="draft"), chunk("lo", index=1), chunk("lo"), chunk(" you", name="answer")
    )
    event = events[2]
    assert isinstance(event, ArtifactUpdate)
    return event


def unknown_update() -> UnknownUpdate:
    [event] = reported(UNHEARD)
    assert isinstance(event, UnknownUpdate)
    return event


def shown(name: str, text: str) -> dict[str, Any]:
    return {
        "name": name,
        "description": None,
        "content": text,
        "type": "text",
        "timestamp": None,
        "metadata": {},
        "parts": [{"type": "text", "text": text}],
    }


IDS = {"task_id": "tsk-1", "session_id": "ses-1", "request_id": "req-1"}
WHOLE: dict[Callable[[], StreamEvent], dict[str, Any]] = {
    status_update: {
        "type": "status_update",
        "status": "in_progress",
        "is_final": False,
        "state": "working",
        "status_message": "Looking up wallets",
        "timestamp": "2025-06-27T16:31:41.510422505Z",
        "metadata": {"step": 1},
        **IDS,
    },
    artifact_update: {
        "type": "artifact_update",
        "delta": "lo",
        "artifact": shown("draft", "Hello"),
        "artifacts": [shown("artifact", "lo"), shown("draft", "Hello")],
        "index": 0,
        "is_last_chunk": False,
        "metadata": {},
        **IDS,
    },
    unknown_update: {"type": "unknown", "data": {"id": "tsk-1", "weather": "fair"}, **IDS},
}
RAW: dict[Callable[[], StreamEvent], dict[str, Any]] = {
    status_update: answer(STATUS),
    artifact_update: answer(chunk("lo")),
    unknown_update: answer(UNHEARD),
}

Made = Callable[[], StreamEvent]
every_event = pytest.mark.parametrize("made", WHOLE)


@every_event
def test_an_event_is_the_dict_it_has_always_been(made: Made) -> None:
    """`==`, `dict`, `**`, `len`, `in`, iteration, `|` and JSON all show the same members, and raw is none of them."""
    whole = WHOLE[made]
    assert made() == made() == whole
    assert whole == made()
    assert (made() != whole, made() != made()) == (False, False)
    assert isinstance(made(), dict)
    assert dict(made()) == {**made()} == dict(made().items()) == whole
    assert (len(made()), set(made()), set(made().keys())) == (len(whole), set(whole), set(whole))
    assert all(key in made() for key in whole)
    assert json.loads(json.dumps(made())) == json.loads(json.dumps([made()], indent=1))[0] == whole
    assert made() | {"mine": 1} == {"mine": 1} | made() == {**whole, "mine": 1}
    assert "raw" not in made()
    assert made().raw == RAW[made]


@every_event
def test_every_member_is_found_in_every_way(made: Made) -> None:
    """A member is found by subscript and `get` in either spelling, and as an attribute, each on an event of its own."""
    for key, value in WHOLE[made].items():
        first, *others = key.split("_")
        camel = first + "".join(map(str.capitalize, others))
        assert made()[key] == made().get(key) == made()[camel] == made().get(camel) == value
        assert camel in made()
        assert getattr(made(), key) == value


@every_event
@table("key", ["zzz", "taskIdd", "task_idd", "rawData", "raw", "Type", "", 5, None])
def test_what_an_event_does_not_have(made: Made, key: Any) -> None:
    """What is not there is a KeyError, not in it, and the default of `get`."""
    event = made()
    with pytest.raises(KeyError):
        event[key]
    assert key not in event
    assert (event.get(key), event.get(key, 7)) == (None, 7)


@every_event
def test_an_attribute_that_an_event_does_not_have(made: Made) -> None:
    """An attribute that is not there is an AttributeError, so that `hasattr` and a default of `getattr` work."""
    assert not hasattr(made(), "zzz")
    assert getattr(UnknownUpdate(type="unknown"), "data", "nothing") == "nothing"
    assert not hasattr(ArtifactUpdate(type="artifact_update"), "artifacts")


def by_pickle(event: StreamEvent) -> StreamEvent:
    again: StreamEvent = pickle.loads(pickle.dumps(event))  # noqa: S301 - what it wrote itself
    return again


@every_event
@table("copied", [copy.copy, copy.deepcopy, by_pickle, lambda event: event.copy()])
def test_a_copy_is_the_same_event(made: Made, copied: Callable[[StreamEvent], StreamEvent]) -> None:
    """A copied or pickled event is of the same class, equal, and has the answer it came in; so has a copy of a copy."""
    event = made()
    again = copied(copied(event))
    assert (type(again), again, again.raw) == (type(event), WHOLE[made], RAW[made])
    again["type"] = "mine"
    assert event.type == WHOLE[made]["type"]


def test_a_pickled_event_holds_what_it_shows() -> None:
    """What is written of an event is what there was at its moment, and nothing that the stream told later."""
    written = pickle.dumps(artifact_update())
    assert b"Hello" in written
    assert b" you" not in written
    assert b"Moment" not in written


@every_event
def test_an_event_shows_all_of_itself(made: Made) -> None:
    """`repr` is the name of the class around the dict."""
    event = made()
    assert repr(event) == f"{type(event).__name__}({dict(event)!r})"
    assert str(WHOLE[made]["task_id"]) in repr(event)


def test_the_last_artifact_is_the_one_of_the_event() -> None:
    """`event['artifacts'][-1]['content']` is the text so far of the artifact that the event is about."""
    seen = [
        (
            event["artifacts"][-1]["content"],
            event.artifact.content,
            event.delta,
            event.index,
            len(event.artifacts),
        )
        for event in reported(
            chunk("a"), chunk("b", index=1), chunk("c"), chunk("d", index=1), chunk("e", append=None)
        )
        if event["type"] == "artifact_update" and event.type == "artifact_update"
    ]
    assert seen == [
        ("a", "a", "a", 0, 1),
        ("b", "b", "b", 1, 2),
        ("ac", "ac", "c", 0, 2),
        ("bd", "bd", "d", 1, 2),
        ("e", "e", "e", 0, 2),
    ]


def test_artifacts_are_plain_in_the_dict_and_typed_as_attributes() -> None:
    """The dict holds what JSON has, and nothing else; an attribute reads the same as an `Artifact`."""
    event = artifact_update()
    assert (type(event["artifact"]), type(event["artifacts"])) == (dict, list)
    assert {type(artifact) for artifact in event["artifacts"]} == {dict}
    assert event["artifact"] is event["artifacts"][-1]
    assert (type(event.artifact), {type(artifact) for artifact in event.artifacts}) == (Artifact, {Artifact})
    assert (event.artifact, event.artifacts) == (event["artifact"], event["artifacts"])


SERIALIZERS: dict[str, Callable[[StreamEvent], Any]] = {
    "json": lambda event: json.loads(json.dumps(event)),
    "orjson": lambda event: json.loads(orjson.dumps(event)),
    "msgspec": lambda event: json.loads(msgspec.json.encode(event)),
    "msgspec, MessagePack": lambda event: msgspec.msgpack.decode(msgspec.msgpack.encode(event)),
    "pydantic_core": lambda event: json.loads(pydantic_core.to_json(event)),
    "pydantic, as a dict": lambda event: json.loads(TypeAdapter(dict).dump_json(event)),
    "pydantic, as anything": lambda event: json.loads(TypeAdapter(Any).dump_json(event)),
    "yaml": lambda event: yaml.safe_load(yaml.safe_dump(dict(event))),
    "pickle": lambda event: dict(by_pickle(event)),
    "deepcopy": lambda event: dict(copy.deepcopy(event)),
    "dict": dict,
    "unpacked": lambda event: {**event},
    "dict.items": lambda event: dict(dict.items(event)),
    "dict.copy": dict.copy,
    "|": lambda event: {} | event,
}
"""What reads an event without asking it: by its methods, or straight from memory."""


def test_an_event_is_a_complete_dict_for_every_serializer() -> None:
    """Every serializer sees all members of an event nobody has looked at, as they were at its moment, and no others."""
    for made, whole in WHOLE.items():
        for name, serialized in SERIALIZERS.items():
            assert serialized(made()) == whole, (name, made)


def find_types(value: Any) -> set[type]:
    """The types of all that a value holds, keys too."""
    if isinstance(value, dict):
        return {type(value)}.union(*map(find_types, (*value.keys(), *value.values())))
    return {type(value)}.union(*map(find_types, value)) if isinstance(value, list) else {type(value)}


def test_the_members_of_an_event_are_plain() -> None:
    """Whatever an agent sends, nothing in an event is of a class that only some serializers know."""
    results: list[dict[str, Any]] = [
        {"status": {"state": state}, "final": final}
        for state in ("WORKING", "Input_Required", "On_Hold", "")
        for final in (True, False, None)
    ]
    odd: dict[str, Any] = {
        "parts": ["a", {"kind": "DATA", "data": [1, {"x": None}]}, {"uri": "https://payman.example"}]
    }
    results += [
        {"artifact": {"parts": [{"type": "data", "data": {"x": 1.5}}], "metadata": {"timestamp": "now"}}},
        {"artifact": {**odd, "index": "1", "append": "true"}},
        {"artifact": "words"},
        {"status": "completed", "artifacts": [odd, {"parts": [{"type": "chart", "points": [1, 2]}]}]},
        UNHEARD,
    ]
    for result in results:
        for event in reported(result):
            assert find_types(dict(event)) <= {dict, list, str, int, float, bool, type(None)}, result


def test_what_a_reader_does_to_an_event_changes_no_answer() -> None:
    """The answer is the agent's, whatever a program writes into the artifacts of the events on the way."""
    progress = TaskAccumulator(
        AskRequest(text="Hello!", task_id="tsk-1", request_id="req-1", session_id="ses-1")
    )
    data = {"artifact": {"parts": [{"type": "data", "data": {}}], "append": True}}
    for result in (chunk("a"), data, chunk("b"), chunk("c"), chunk("d", index=1)):
        for event in progress.add_event(json.dumps(answer(result))):
            artifact = event["artifact"]
            artifact["name"] = artifact["content"] = "mine"
            artifact["parts"][0]["text"] = "mine"
            artifact["parts"].clear()
            event["artifacts"].clear()
    assert [one.get_text() for one in progress.artifacts.values()] == ["a\nbc", "d"]
    assert "mine" not in json.dumps(progress.build_response())


def test_members_may_be_taken_out_and_replaced() -> None:
    """A program may drop or change members of an event; the rest goes on working."""
    rest = {key: value for key, value in WHOLE[artifact_update].items() if key != "artifacts"}
    popped, deleted, assigned = (artifact_update() for _ in range(3))
    assert popped.pop("artifacts")[-1]["content"] == "Hello"
    del deleted["artifacts"]
    assigned["artifacts"] = []
    assert (popped, deleted, {**assigned}) == (rest, rest, {**rest, "artifacts": []})
    assert json.loads(json.dumps(popped)) == rest == copy.copy(deleted)
    with pytest.raises(KeyError):
        popped["artifacts"]
    assert not hasattr(deleted, "artifacts")
    popped.clear()
    assert (len(popped), list(popped)) == (0, [])


def test_an_event_may_be_made_by_hand() -> None:
    """A program's own tests may make an event of the members they need."""
    event = ArtifactUpdate(type="artifact_update", delta="Hello")
    assert (event.delta, dict(event), len(event)) == (
        "Hello",
        {"type": "artifact_update", "delta": "Hello"},
        2,
    )
    assert json.loads(json.dumps(event)) == copy.copy(event) == by_pickle(event) == event


@table(
    ("spelled", "state"),
    [
        ("WORKING", TaskState.WORKING),
        ("input-required", TaskState.INPUT_REQUIRED),
        ("INPUT_REQUIRED", TaskState.INPUT_REQUIRED),
        ("Canceled", TaskState.CANCELED),
        ("On_Hold", "On_Hold"),
        ("", ""),
    ],
)
def test_the_state_of_a_status_update(spelled: str, state: TaskState | str) -> None:
    """A listed state is a TaskState, in either spelling; an unlisted one is the string that the agent sent."""
    [event] = reported({"status": {"state": spelled}, "final": False})
    assert isinstance(event, StatusUpdate)
    assert (event.state, type(event.state)) == (state, type(state))
    assert event["state"] == state


@pytest.mark.parametrize("event", [status_update(), artifact_update(), unknown_update()])
def test_events_can_be_distinguished_by_pattern(event: StreamEvent) -> None:
    """A `match` statement tells events apart as dicts and as objects."""
    match event:
        case {"type": "status_update", "statusMessage": str(words)}:
            assert words == "Looking up wallets"
        case {"type": "artifact_update", "artifacts": [*_, {"content": words}]}:
            assert words == "Hello"
        case UnknownUpdate(data={"weather": words}):
            assert words == "fair"
        case _:
            pytest.fail("an event that no pattern knows")
