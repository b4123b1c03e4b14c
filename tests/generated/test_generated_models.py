from typing import Any, Literal  # noqa: F401 (annotations name it)

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payman_api._base import OpenModel, _choice_reader
from payman_api.models import (
    Artifact,
    DataPart,
    FilePart,
    JsonRpcError,
    LegacyTokenResponse,
    Message,
    OtherPart,
    Task,
    TaskArtifactUpdateEvent,
    TaskResponse,
    TaskState,
    TaskStatus,
    TaskStatusUpdateEvent,
    TaskStreamResponse,
    TextPart,
    TokenResponse,
)
from payman_api.types import UNSET, Unset
from tests.tables import table

Json = dict[str, Any]
MISREAD = (AttributeError, KeyError, TypeError, ValueError)

scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=4,
)
unlisted = st.dictionaries(st.text(max_size=3).map("x-{}".format), values, max_size=2)


def wire(
    required: dict[str, st.SearchStrategy[Any]], optional: dict[str, st.SearchStrategy[Any]]
) -> st.SearchStrategy[Json]:
    """An object as a server may send it: optional members absent or null, and members nobody has listed."""
    known = st.fixed_dictionaries(
        required, optional={name: st.none() | value for name, value in optional.items()}
    )
    return st.builds(lambda members, others: {**others, **members}, known, unlisted)


text = st.text(max_size=8)
metadata = {"metadata": unlisted}
parts = st.lists(
    wire({"type": st.just("text"), "text": text}, metadata)
    | wire(
        {
            "type": st.just("file"),
            "file": wire({}, {"name": text, "mimeType": text, "bytes": text, "uri": text}),
        },
        metadata,
    )
    | wire({"type": st.just("data"), "data": unlisted}, metadata)
    | wire({"type": text}, {}),
    max_size=3,
)
messages = wire({"role": text, "parts": parts}, metadata)
states = st.sampled_from([*TaskState, "COMPLETED", "INPUT_REQUIRED", "auth-required"]).map(str)
statuses = wire({"state": states}, {"message": messages, "timestamp": text})
artifacts = wire(
    {"parts": parts},
    {
        "name": text,
        "description": text,
        "index": st.integers(),
        "append": st.booleans(),
        "lastChunk": st.booleans(),
        **metadata,
    },
)
tasks = wire(
    {"id": text, "status": statuses},
    {
        "sessionId": text,
        "artifacts": st.lists(artifacts, max_size=2),
        "history": st.lists(messages, max_size=1),
        **metadata,
    },
)
errors = wire({"code": st.integers()}, {"message": text, "data": values})
answers = wire({}, {"jsonrpc": text, "id": text | st.integers(), "result": tasks, "error": errors})
events = wire({"id": text, "artifact": artifacts}, metadata) | wire(
    {"id": text, "status": statuses, "final": st.booleans()}, metadata
)


@pytest.mark.slow
@given(answers)
def test_an_answer_is_read_without_loss(answer: Json) -> None:
    """Whatever a server sends within the spec, and beside it, is still there when it is written again."""
    assert TaskResponse.from_dict(answer).to_dict() == answer


@pytest.mark.slow
@given(wire({"result": events | tasks}, {"jsonrpc": text, "id": text, "error": errors}))
def test_an_event_is_read_without_loss(event: Json) -> None:
    """The same holds for the events of a stream."""
    assert TaskStreamResponse.from_dict(event).to_dict() == event


@given(values)
def test_anything_else_raises_what_is_documented(answer: Any) -> None:
    """Reading what is not a task raises one of the documented errors, or there was a task to be read."""
    for result in (
        answer,
        {"id": answer, "status": answer},
        {"id": "tsk-1", "status": {"state": "working"}, "artifacts": answer},
    ):
        try:
            read = TaskResponse.from_dict({"result": result}).result
        except MISREAD:
            continue
        assert read is None or isinstance(read, Task)


@table(
    "result", [{"foo": 1}, {"id": "tsk-1"}, {"id": "tsk-1", "status": "completed"}, [], "done", 7, True]
)
def test_a_result_that_is_not_a_task_raises(result: Any) -> None:
    """A malformed result does not come through as if it were a task, in an answer or in an event."""
    with pytest.raises(MISREAD):
        TaskResponse.from_dict({"id": "req-1", "result": result})
    with pytest.raises(TypeError, match=r"result must be .*Task"):
        TaskStreamResponse.from_dict({"id": "req-1", "result": result})


@table("body", [[], "", "text", None, 5, [["id", "tsk-1"]]])
def test_what_is_not_an_object_raises(body: Any) -> None:
    """An empty list is not an answer without members."""
    with pytest.raises(MISREAD):
        TaskResponse.from_dict(body)


@table(
    ("model", "data"),
    [
        (Task, {"id": None, "status": {"state": "working"}}),
        (Task, {"id": ["tsk-1"], "status": {"state": "working"}}),
        (TaskStatus, {"state": None}),
        (TaskStatus, {"state": {"value": "working"}}),
        (TaskStatus, {"state": "working", "timestamp": {"seconds": 1}}),
        (Message, {"role": "agent", "parts": None}),
        (JsonRpcError, {"code": "-32001"}),
        (TokenResponse, {"accessToken": None}),
    ],
)
def test_required_members_are_what_their_types_say(model: Any, data: Json) -> None:
    """Null, a list or an object where a string is due raises."""
    with pytest.raises(MISREAD):
        model.from_dict(data)


def test_an_error_names_the_member() -> None:
    """What is raised says which member is wrong, and not what was in it."""
    with pytest.raises(TypeError, match=r"^accessToken must be str, got list$"):
        TokenResponse.from_dict({"accessToken": ["secret"]})


def test_a_constant_has_to_match() -> None:
    """A part of one kind is not read as another."""
    with pytest.raises(ValueError, match="type must match const"):
        TextPart.from_dict({"type": "file", "text": "hello"})


def test_parts_are_read_by_kind() -> None:
    """Text, file and data parts are read as such; a kind nobody has listed, or one that lacks something, is kept whole."""
    wire_parts: list[Json] = [
        {"type": "text", "text": "hello", "metadata": None},
        {"type": "file", "file": {"name": "a.csv", "bytes": "YQo="}},
        {"type": "data", "data": {"balance": [1, {"deep": None}]}},
        {"type": "chart", "series": [1, 2, 3]},
        {"type": "text", "words": "hello"},
    ]
    artifact = Artifact.from_dict({"parts": wire_parts})
    assert [type(part) for part in artifact.parts] == [TextPart, FilePart, DataPart, OtherPart, OtherPart]
    chart = artifact.parts[3]
    assert isinstance(chart, OtherPart)
    assert (chart.type_, chart["series"]) == ("chart", [1, 2, 3])
    assert artifact.to_dict() == {"parts": wire_parts}


@pytest.mark.parametrize("state", ["COMPLETED", "INPUT_REQUIRED", "on-hold", ""])
def test_a_state_in_another_spelling_is_kept(state: str) -> None:
    """A state that is not listed, or is one in upper case, is a plain string."""
    read = TaskStatus.from_dict({"state": state}).state
    assert read == state
    assert not isinstance(read, TaskState)


def test_a_canonical_state_is_a_member() -> None:
    """A state in the protocol's spelling is the enum's member, and still equal to the string."""
    read = TaskStatus.from_dict({"state": "input-required"}).state
    assert read is TaskState("input-required")
    assert str(read) == "input-required"


def test_null_and_absent_are_both_falsy_and_both_kept() -> None:
    """An optional member reads the same whether null or absent, and is written as it came."""
    bare = {"id": "tsk-1", "status": {"state": "working"}}
    nulls = {**bare, "sessionId": None, "artifacts": None, "history": None, "metadata": None}
    for data in (bare, nulls):
        task = Task.from_dict(data)
        assert not any((task.session_id, task.artifacts, task.history, task.metadata))
        assert task.to_dict() == data
    assert isinstance(Task.from_dict(bare).session_id, Unset)
    assert Task.from_dict(nulls).session_id is None


@pytest.mark.parametrize(
    "stamp", ["2025-06-27T16:31:41.510422505Z", "2025-06-27T16:31:41", "yesterday", "", 1751041901]
)
def test_an_odd_timestamp_spoils_nothing(stamp: Any) -> None:
    """A timestamp is kept as it came."""
    assert TaskStatus.from_dict({"state": "working", "timestamp": stamp}).to_dict()["timestamp"] == stamp


def test_events_are_distinguished() -> None:
    """Status events, artifact events and whole tasks are each read as what they are."""
    status = {"id": "tsk-1", "status": {"state": "working"}}
    read = [
        type(TaskStreamResponse.from_dict({"result": result}).result)
        for result in ({**status, "final": False}, {"id": "tsk-1", "artifact": {"parts": []}}, status, None)
    ]
    assert read == [TaskStatusUpdateEvent, TaskArtifactUpdateEvent, Task, type(None)]


def test_an_artifact_without_an_index_is_the_first() -> None:
    """An artifact that a program makes has index 0; one that is read keeps the index absent."""
    assert Artifact(parts=[]).to_dict()["index"] == 0
    assert Artifact.from_dict({"parts": []}).index is UNSET


@pytest.mark.parametrize(
    "token",
    [
        TokenResponse.from_dict({"accessToken": "hidden", "refreshToken": "hidden", "idToken": "hidden"}),
        LegacyTokenResponse.from_dict({"access_token": "hidden", "refresh_token": "hidden"}),
    ],
)
def test_tokens_do_not_show(token: object) -> None:
    """The repr of a token answer holds no token."""
    assert "hidden" not in repr(token)


@table("parts", [{}, {"0": {}}, "", "text", None, 5])
def test_a_list_that_is_none_is_refused(parts: object) -> None:
    """An object or a text in a list's place does not come through as a list of nothing, of keys or of letters."""
    for model in (Artifact, Message):
        with pytest.raises(TypeError, match="parts must be a list"):
            model.from_dict({"role": "agent", "parts": parts})


class _Named(OpenModel[Any]):
    __module__ = "payman_api.models.made_up"
    __match_args__ = ("kind", "x")
    __slots__ = __match_args__

    kind: "Literal['named']"
    x: "int | Unset"


class _Wider(OpenModel[Any]):
    __module__ = "payman_api.models.made_up"
    __match_args__ = ("kind", "x", "y")
    __slots__ = __match_args__

    kind: "str"
    x: "Any | Unset"
    y: "str | Unset"


def test_the_model_that_knows_most_members_is_tried_first() -> None:
    """A constant names the model of an object, unless another knows more of it, or what it names does not fit."""
    read = _choice_reader((_Named, _Wider))
    expected: list[tuple[Json, type[object]]] = [
        ({"kind": "named", "x": 1}, _Named),
        ({"kind": "named", "x": 1, "y": "a"}, _Wider),
        ({"kind": "named", "x": "no number"}, _Wider),
        ({"kind": "other"}, _Wider),
    ]
    assert [type(read(value, "value")) for value, _ in expected] == [model for _, model in expected]
    part = Artifact.from_dict({"parts": [{"type": "text", "text": "a"}, {"type": "text"}, {"type": "x"}]}).parts
    assert [type(one) for one in part] == [TextPart, OtherPart, OtherPart]
