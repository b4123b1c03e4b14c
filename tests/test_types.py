from __future__ import annotations

import copy
import datetime as dt
import json
import pickle
import re
from collections.abc import Callable
from typing import Any

import pytest

from payman_sdk.types import Artifact, FormattedTaskResponse, PaymanConfig, TaskState
from tests.tables import table


def response(**members: Any) -> FormattedTaskResponse:
    return FormattedTaskResponse(
        {
            "status": "completed",
            "is_final": True,
            "state": "completed",
            "status_message": "Processing completed successfully",
            "timestamp": "2025-06-27T16:31:41.510422505Z",
            "artifacts": [artifact()],
            "error": None,
            "task_id": "tsk-1",
            "request_id": "req-1",
            "session_id": "ses-1",
            "metadata": {"agentId": "ai-1"},
            **members,
        }
    )


def artifact(**members: Any) -> Artifact:
    return Artifact(
        {
            "name": "response",
            "description": "AI Assistant Response",
            "content": "**1,000 TSD**",
            "type": "text",
            "timestamp": None,
            "metadata": {},
            "parts": [{"type": "text", "text": "**1,000 TSD**"}],
            **members,
        }
    )


def camel_case(name: str) -> str:
    return re.sub(r"_([a-z])", lambda found: found[1].upper(), name)


def test_a_response_is_a_dict() -> None:
    """Programs that treat the answer as a dict keep working: type, subscript, `in`, iteration, equality, JSON."""
    answer = response()
    assert isinstance(answer, dict)
    assert answer["status"] == "completed"
    assert answer.get("status", "").lower() == "completed"
    assert "status" in answer
    assert answer["artifacts"][0]["content"] == "**1,000 TSD**"
    assert {**answer} == answer == dict(answer)
    assert json.loads(json.dumps(answer)) == answer


def test_a_response_is_an_object_too() -> None:
    """Every key is an attribute of the same name, on the answer and on its artifacts."""
    for read, attributes in ((response(), response().keys()), (artifact(), artifact().keys())):
        assert {name: getattr(read, name) for name in attributes} == read
    assert isinstance(response().artifacts[0], Artifact)


@table("key", response())
def test_every_key_is_found_in_either_spelling(key: str) -> None:
    """`task_id` and `taskId` find the same, by subscript, `in` and `get`; one of them is stored."""
    answer, camel = response(), camel_case(key)
    assert answer[camel] == answer[key]
    assert answer.get(camel) == answer[key]
    assert camel in answer
    assert list(answer).count(key) == 1
    assert camel == key or camel not in list(answer)


@table("key", ["nothing", "sessionID_", "toString", "", "Status", 5, None, ("task_id",)])
def test_an_unknown_key_is_a_key_error(key: Any) -> None:
    """What is not there is missed as in any dict, whatever its type."""
    answer = response()
    with pytest.raises(KeyError):
        answer[key]
    assert key not in answer
    assert answer.get(key) is None
    assert answer.get(key, "default") == "default"


def test_an_artifact_has_the_keys_of_the_documentation() -> None:
    """An artifact has name, description, content, type, timestamp and metadata, and its parts as they came."""
    assert set(artifact()) == {"name", "description", "content", "type", "timestamp", "metadata", "parts"}


def by_pickle(answer: FormattedTaskResponse) -> FormattedTaskResponse:
    copied: FormattedTaskResponse = pickle.loads(pickle.dumps(answer))  # noqa: S301 - what it wrote itself
    return copied


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, by_pickle, FormattedTaskResponse.copy])
def test_a_copy_is_the_same(copied: Callable[[FormattedTaskResponse], FormattedTaskResponse]) -> None:
    """A copied or pickled answer is equal, and still an answer with all its spellings."""
    again = copied(response())
    assert again == response()
    assert (type(again), again.session_id, again["sessionId"]) == (FormattedTaskResponse, "ses-1", "ses-1")
    assert again.artifacts[0].content == "**1,000 TSD**"


def test_printing_shows_the_state_and_the_answer() -> None:
    """`print(response)` is readable, and so is its `repr`."""
    assert str(response()) == "[completed] **1,000 TSD**"
    assert repr(response()).startswith("FormattedTaskResponse({'status': 'completed'")
    assert "Artifact({'name': 'response'" in repr(response())


def test_a_notebook_shows_the_markdown() -> None:
    """A notebook renders the answer itself."""
    assert response()._repr_markdown_() == "**1,000 TSD**"  # pyright: ignore[reportPrivateUsage] - IPython calls it


@pytest.mark.parametrize(
    ("members", "text"),
    [
        ({}, "**1,000 TSD**"),
        ({"artifacts": [artifact(content="a"), artifact(content=""), artifact(content="b")]}, "a\n\nb"),
        ({"artifacts": []}, "Processing completed successfully"),
        ({"artifacts": [], "status_message": None}, ""),
    ],
)
def test_the_text_is_the_answer_itself(members: dict[str, Any], text: str) -> None:
    """`text` joins what the artifacts say, and where they say nothing it is the agent's word on the state."""
    assert response(**members).text == text


@pytest.mark.parametrize(
    ("stored", "state"), [("input-required", TaskState.INPUT_REQUIRED), ("On_Hold", "On_Hold")]
)
def test_the_state_is_the_agents_own(stored: str, state: TaskState | str) -> None:
    """A listed state is a `TaskState`, any other the string the agent sent."""
    read = response(state=stored).state
    assert (read, type(read)) == (state, type(state))


@table(
    ("written", "read"),
    [
        ("2025-06-27T16:31:41.510422505Z", dt.datetime(2025, 6, 27, 16, 31, 41, 510422, tzinfo=dt.UTC)),
        ("2025-06-27T16:31:41Z", dt.datetime(2025, 6, 27, 16, 31, 41, tzinfo=dt.UTC)),
        ("2025-06-27T16:31:41", dt.datetime(2025, 6, 27, 16, 31, 41)),
        (
            "2025-06-27T16:31:41+02:00",
            dt.datetime(2025, 6, 27, 16, 31, 41, tzinfo=dt.timezone(dt.timedelta(hours=2))),
        ),
        ("yesterday", None),
        ("2025-13-45T99:99:99Z", None),
        ("\u0662\u0660\u0662\u0665-06-27", None),
        ("", None),
        (None, None),
    ],
)
def test_the_timestamp_reads_as_a_datetime(written: str | None, read: dt.datetime | None) -> None:
    """The timestamp stays a string; `datetime` reads it to the microsecond, and an odd one is None."""
    answer = response(timestamp=written)
    assert answer.timestamp == written
    assert answer.datetime == read
    assert (answer.datetime and answer.datetime.utcoffset()) == (read and read.utcoffset())


def test_the_settings_of_the_documentation_are_there() -> None:
    """`PaymanConfig` has the keys of the seed and the timeouts."""
    assert PaymanConfig.__optional_keys__ == {
        "client_id",
        "client_secret",
        "environment",
        "allow_http_hosts",
        "name",
        "max_answer_bytes",
        "max_event_bytes",
        "settle_time",
        "resend",
        "key_store",
        "session_id",
        "base_url",
        "connect_timeout",
        "read_timeout",
        "timeout",
        "idle_timeout",
        "max_retries",
        "on_retry",
        "on_token",
        "on_task",
        "before_send",
        "transport",
        "telemetry",
        "default_headers",
        "proxy",
        "verify",
    }
