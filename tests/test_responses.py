from __future__ import annotations

import copy
import json
import pickle
from collections.abc import Sequence
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payman_sdk._core.formatting import format_task
from payman_sdk._core.task_normalization import find_state
from payman_sdk._core.task_reader import read_task
from payman_sdk._core.task_response import canonicalize_state
from payman_sdk.types import FormattedTaskResponse, TaskState
from tests.tables import table
from tests.tasks.faults import MISTYPED


def formatted(task: dict[str, Any], session_id: str | None = "ses-sent") -> FormattedTaskResponse:
    read = read_task(task, "tsk-1")
    assert read is not None
    return format_task(read, request_id="req-1", session_id=session_id)


def task(**members: Any) -> dict[str, Any]:
    return {"id": "tsk-1", "status": {"state": "completed"}, **members}


def parts(*parts: dict[str, Any]) -> dict[str, Any]:
    return task(artifacts=[{"parts": list(parts)}])


def test_the_sample_of_the_documentation_gives_what_the_documentation_shows() -> None:
    """The answer that Payman's documentation prints comes out with every value it has there."""
    wallets = "Here are your wallets:\n\n- **TSD Wallet** (paytag `tube.tense.cask/53`)\n  - Spendable: 1,000.00 TSD"
    said = {"role": "agent", "parts": [{"type": "text", "text": "Processing completed successfully"}]}
    stamp = "2025-06-27T16:31:41.510422505Z"
    noted = {"timestamp": stamp, "agentId": "ai-1", "orgId": "org-1"}
    answer = formatted(
        {
            "id": "tsk-1",
            "sessionId": "ses-1",
            "status": {"state": "COMPLETED", "message": said, "timestamp": stamp},
            "artifacts": [
                {
                    "name": "response",
                    "description": "AI Assistant Response",
                    "parts": [{"type": "text", "text": wallets}],
                    "index": 0,
                    "append": None,
                    "lastChunk": None,
                    "metadata": None,
                }
            ],
            "history": None,
            "metadata": noted,
        }
    )
    assert answer == {
        "status": "completed",
        "is_final": True,
        "state": "completed",
        "status_message": "Processing completed successfully",
        "timestamp": stamp,
        "artifacts": [
            {
                "name": "response",
                "description": "AI Assistant Response",
                "content": wallets,
                "type": "text",
                "timestamp": stamp,
                "metadata": {},
                "parts": [{"type": "text", "text": wallets}],
            }
        ],
        "error": None,
        "task_id": "tsk-1",
        "request_id": "req-1",
        "session_id": "ses-1",
        "idempotency_key": None,
        "metadata": noted,
    }
    assert answer.text == wallets


@table(
    ("state", "canonical", "status", "is_final"),
    [
        ("completed", "completed", "completed", True),
        ("COMPLETED", "completed", "completed", True),
        ("failed", "failed", "failed", True),
        ("Canceled", "canceled", "failed", True),
        ("submitted", "submitted", "in_progress", False),
        ("WORKING", "working", "in_progress", False),
        ("input-required", "input-required", "in_progress", False),
        ("INPUT_REQUIRED", "input-required", "in_progress", False),
        ("unknown", "unknown", "in_progress", False),
        ("On_Hold", "On_Hold", "in_progress", False),
        ("", "", "in_progress", False),
    ],
)
def test_states_in_three_words(state: str, canonical: str, status: str, is_final: bool) -> None:
    """Every state, in either case, is one of completed, failed and in_progress, and final only where it has ended."""
    answer = formatted(task(status={"state": state}))
    assert (answer["state"], answer.status, answer.is_final) == (canonical, status, is_final)


def test_a_failed_task_says_why() -> None:
    """A failed or canceled task has an error with the agent's words, or the state where it said none."""
    said = {"role": "agent", "parts": [{"type": "text", "text": "No funds"}]}
    assert formatted(task(status={"state": "FAILED", "message": said})).error == {
        "state": "failed",
        "message": "No funds",
    }
    assert formatted(task(status={"state": "canceled"})).error == {
        "state": "canceled",
        "message": "The task is canceled.",
    }


def test_text_parts_are_joined_by_a_line_break() -> None:
    """Several texts of an artifact or a message are one, a line break between them, as in version 1.0.8."""
    both: list[dict[str, Any]] = [
        {"type": "text", "text": "a"},
        {"type": "data", "data": {}},
        {"type": "text", "text": "b"},
    ]
    answer = formatted(
        task(
            artifacts=[{"parts": both}],
            status={"state": "working", "message": {"role": "agent", "parts": both}},
        )
    )
    assert (answer.artifacts[0].content, answer.artifacts[0].type) == ("a\nb", "text")
    assert answer.status_message == "a\nb"


@pytest.mark.parametrize(
    ("part", "content"),
    [
        (
            {"type": "data", "data": {"paytag": "tube.tense.cask/53", "owner": "Zoë"}},
            '{"paytag": "tube.tense.cask/53", "owner": "Zoë"}',
        ),
        (
            {"type": "file", "file": {"uri": "https://payman.example/a.pdf", "name": "a.pdf"}},
            "https://payman.example/a.pdf",
        ),
        ({"type": "file", "file": {"name": "a.pdf", "bytes": "AA=="}}, "a.pdf"),
        ({"type": "file", "file": {"bytes": "AA=="}}, ""),
        ({"type": "chart", "series": [1, 2]}, '{"series": [1, 2], "type": "chart"}'),
    ],
)
def test_an_artifact_without_text_shows_what_it_has(part: dict[str, Any], content: str) -> None:
    """Data, files and kinds of parts that nobody has listed are shown, and kept as they came."""
    [artifact] = formatted(parts(part)).artifacts
    assert (artifact.content, artifact.type, artifact.parts) == (content, part["type"], [part])


def test_an_artifact_without_anything() -> None:
    """An artifact without parts is an empty text called artifact."""
    [artifact] = formatted(parts()).artifacts
    assert (artifact.name, artifact.content, artifact.type, artifact.parts) == ("artifact", "", "text", [])


@pytest.mark.parametrize(
    ("noted", "timestamp"),
    [("2025-01-01", "2025-01-01"), (1751041901, "of the status"), (None, "of the status")],
)
def test_an_artifact_has_its_own_time_or_that_of_the_task(noted: object, timestamp: str) -> None:
    """An artifact's metadata may note its time; anything but a text there is no time, and no error."""
    [artifact] = formatted(
        task(
            status={"state": "completed", "timestamp": "of the status"},
            artifacts=[{"parts": [], "metadata": {"timestamp": noted}}],
        )
    ).artifacts
    assert (artifact.timestamp, artifact.metadata) == (timestamp, {"timestamp": noted})


@pytest.mark.parametrize(
    ("in_task", "sent", "read"),
    [("ses-1", "ses-2", "ses-1"), (None, "ses-2", "ses-2"), ("", "ses-2", "ses-2"), (None, None, None)],
)
def test_the_agents_word_on_the_session_wins(in_task: str | None, sent: str | None, read: str | None) -> None:
    """The session is the one the agent names, else the one the request was sent in."""
    assert formatted(task(sessionId=in_task), sent).session_id == read


def test_a_member_of_the_wrong_type_costs_itself_alone() -> None:
    """What cannot be read is left out and named in a warning; the state and the rest are read."""
    for name, members in MISTYPED.items():
        answer = formatted(task(**members))
        assert (answer.status, len(answer.warnings)) == ("completed", 1), name
        assert json.loads(json.dumps(answer)) == answer, name


def test_nesting_too_deep_to_write_costs_the_content_alone() -> None:
    """Data that cannot be written as JSON again, because it is nested too deeply, is left out of the content."""
    deep: dict[str, Any] = {}
    for _ in range(100_000):
        deep = {"a": deep}
    answer = formatted(parts({"type": "data", "data": deep}))
    assert (answer.status, answer.text) == ("completed", "")
    assert answer.warnings == ["artifacts[0]: data that cannot be written as JSON"]


def test_how_it_came_and_what_could_not_be_read_are_attributes() -> None:
    """They are no keys, so that the answer is written as JSON as before; copies and pickles keep them."""
    answer = formatted(task(metadata=5))
    answer.raw = {"result": task(metadata=5)}
    assert "raw" not in answer
    assert "warnings" not in answer
    assert json.loads(json.dumps(answer)) == answer == dict(answer)
    for twin in (answer.copy(), copy.deepcopy(answer), pickle.loads(pickle.dumps(answer))):  # noqa: S301 (made here)
        assert (twin.raw, twin.warnings) == (answer.raw, ["metadata: a number"])
    assert (FormattedTaskResponse().raw, FormattedTaskResponse().warnings) == (None, [])


@table("state", TaskState)
def test_a_canonical_state_is_left_alone(state: TaskState) -> None:
    """A state that is spelt as the protocol spells it stays so."""
    assert canonicalize_state(state.value) == state.value


# What the API document allows for a Task, as strategies.
text = st.text(max_size=12)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(text, inner, max_size=3),
    max_leaves=5,
)


def objects(
    required: dict[str, st.SearchStrategy[Any]], optional: dict[str, st.SearchStrategy[Any]]
) -> st.SearchStrategy[dict[str, Any]]:
    """Objects with their members, nulls for the optional ones, and members nobody has listed."""
    nullable = {name: st.none() | values for name, values in optional.items()}
    extra = st.dictionaries(text.map(lambda name: f"x-{name}"), json_values, max_size=2)
    known = st.fixed_dictionaries(required, optional=nullable)
    return st.tuples(extra, known).map(lambda both: both[0] | both[1])


metadata = st.dictionaries(text | st.just("timestamp"), json_values, max_size=3)
files = objects({}, {"name": text, "mimeType": text, "bytes": text, "uri": text})
part_kinds = (
    objects({"type": st.just("text"), "text": text}, {"metadata": metadata})
    | objects({"type": st.just("file"), "file": files}, {"metadata": metadata})
    | objects({"type": st.just("data"), "data": metadata}, {"metadata": metadata})
    | objects({"type": text.filter(lambda kind: kind not in {"text", "file", "data"})}, {})
)
some_parts = st.lists(part_kinds, max_size=4)
messages = objects({"role": text | st.just("agent"), "parts": some_parts}, {"metadata": metadata})
states = text | st.sampled_from([spelling for state in TaskState for spelling in (state.value, state.name)])
stamps = (
    text | st.datetimes().map(lambda moment: f"{moment.isoformat()}505Z") | st.just("2025-06-27T24:00:00")
)
artifacts = objects(
    {"parts": some_parts},
    {
        "name": text,
        "description": text,
        "index": st.integers(),
        "append": st.booleans(),
        "lastChunk": st.booleans(),
        "metadata": metadata,
    },
)
tasks = objects(
    {"id": text, "status": objects({"state": states}, {"message": messages, "timestamp": stamps})},
    {
        "sessionId": text,
        "artifacts": st.lists(artifacts, max_size=3),
        "history": st.lists(messages, max_size=2),
        "metadata": metadata,
    },
)


def without_nulls(value: Any) -> Any:
    """The same task with its null members left out; what stands in free objects stays as it is."""
    if isinstance(value, list):
        return [without_nulls(member) for member in cast("Sequence[Any]", value)]
    if not isinstance(value, dict):
        return value
    return {
        name: member if name in {"metadata", "data"} or name.startswith("x-") else without_nulls(member)
        for name, member in cast("dict[str, Any]", value).items()
        if member is not None or name.startswith("x-")
    }


@pytest.mark.slow
@given(tasks)
def test_every_task_that_the_document_allows_is_formatted(sent: dict[str, Any]) -> None:
    """No valid task is refused; nothing in it is lost; the words for its state agree; the result is JSON and readable."""
    answer = formatted(sent)
    made: list[dict[str, Any]] = sent.get("artifacts") or []
    assert [artifact.parts for artifact in answer.artifacts] == [artifact["parts"] for artifact in made]
    assert answer.metadata == (sent.get("metadata") or {})
    assert (
        answer.is_final
        == (answer.status != "in_progress")
        == (answer.state in {"completed", "failed", "canceled", "rejected"})
    )
    assert (answer.error is not None) == (answer.status == "failed")
    assert answer["state"] == canonicalize_state(sent["status"]["state"])
    assert answer.timestamp == sent["status"].get("timestamp")
    assert json.loads(json.dumps(answer)) == answer
    assert str(answer).endswith(answer.text)
    assert answer.datetime is None or answer.timestamp


@pytest.mark.slow
@given(tasks)
def test_null_and_absent_are_the_same(sent: dict[str, Any]) -> None:
    """A member that is null gives the same answer as one that is not there."""
    bare, whole = formatted(without_nulls(sent)), formatted(sent)
    for artifact in [*bare.artifacts, *whole.artifacts]:
        del artifact["parts"]  # these are kept as they came, null or absent
        if artifact.type not in {"text", "data", "file"}:
            del artifact["content"]
    assert bare == whole


def places(value: Any) -> list[Any]:
    """The keys or indexes of an object or a list; none for anything else."""
    if isinstance(value, dict):
        return list(cast("dict[str, Any]", value))
    return list(range(len(cast("Sequence[Any]", value)))) if isinstance(value, list) else []


@st.composite
def spoilt(draw: st.DrawFn) -> dict[str, Any]:
    """A valid task in which one member, anywhere, is something else."""
    root = {"task": draw(tasks)}
    holder: Any = root
    place: Any = "task"
    depth: int = draw(st.integers(0, 6))
    while (inside := places(holder[place])) and (depth := depth - 1) >= 0:
        holder = holder[place]
        place = draw(st.sampled_from(inside))
    holder[place] = draw(json_values)
    return root


@pytest.mark.slow
@given(spoilt())
def test_a_spoilt_task_is_read_as_far_as_it_goes(root: dict[str, Any]) -> None:
    """Whatever replaces a member, the task is formatted with its state, and refused only where it has none."""
    sent = root["task"] if isinstance(root["task"], dict) else {}
    read = read_task(sent, "tsk-1", raw=root)
    assert (read is None) == (find_state(sent) is None)
    if read is None:
        return
    answer = format_task(read, request_id="req-1", session_id=None)
    assert (answer.task_id, answer["state"]) == ("tsk-1", canonicalize_state(find_state(sent) or ""))
    assert answer.raw is root
    assert all(len(warning) < 60 for warning in answer.warnings)
    assert json.loads(json.dumps(answer)) == answer
    assert isinstance(answer.text, str)
    assert answer.datetime is None or answer.timestamp
    assert all(isinstance(answer[key], str | None) for key in ("status_message", "timestamp", "session_id"))
    assert all(isinstance(artifact.content, str) for artifact in answer.artifacts)


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.just(10**4000),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "id",
                    "status",
                    "state",
                    "message",
                    "timestamp",
                    "artifacts",
                    "parts",
                    "type",
                    "kind",
                    "text",
                    "data",
                    "file",
                    "uri",
                    "metadata",
                    "sessionId",
                    "contextId",
                    "history",
                    "role",
                    "index",
                    "append",
                    "lastChunk",
                    "name",
                    "description",
                    "artifactId",
                ]
            ),
            inner,
            max_size=6,
        )
    ),
    max_leaves=12,
)


@given(anything, anything)
def test_any_json_is_a_task_or_is_refused(status: Any, members: Any) -> None:
    """Nothing but a missing state keeps any JSON from being read and formatted, whether models read it or not."""
    sent = {**(members if isinstance(members, dict) else {"artifacts": members}), "status": status}
    read = read_task(sent, "tsk-1")
    assert (read is None) == (find_state(sent) is None)
    if read is not None:
        answer = format_task(read, request_id="req-1", session_id=None)
        assert isinstance(answer.text, str) and isinstance(answer["state"], str)
