"""Small changes of the API, each carried through to the client: it still works, or it is said what has to be adapted."""

from __future__ import annotations

import copy as copying
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from scripts.comparison.changes import lines, version_step
from scripts.comparison.comparing import compare
from scripts.regeneration.documents import Document
from scripts.regeneration.type_check import Fault, new_type_faults
from tests.regenerate.conftest import DOCUMENT, ROOT, Changed, Regenerate


def schemas(document: Any) -> Any:
    return document["components"]["schemas"]


def renamed(mapping: Any, old: str, new: str) -> Any:
    return {new if name == old else name: value for name, value in mapping.items()}


def a_new_optional_field(document: Any) -> None:
    schemas(document)["TaskSendParams"]["properties"]["priority"] = {"type": ["integer", "null"]}


def a_new_required_field_of_a_request(document: Any) -> None:
    schemas(document)["TaskSendParams"]["properties"]["priority"] = {"type": "integer"}
    schemas(document)["TaskSendParams"]["required"].append("priority")


def a_new_required_field_of_an_answer(document: Any) -> None:
    schemas(document)["Task"]["properties"]["priority"] = {"type": "integer"}
    schemas(document)["Task"]["required"].append("priority")


def a_renamed_field(document: Any) -> None:
    task = schemas(document)["Task"]
    task["properties"] = renamed(task["properties"], "sessionId", "conversationId")


def a_removed_operation(document: Any) -> None:
    del document["paths"]["/api/a2a/tasks/cancel"]


def a_new_operation(document: Any) -> None:
    item = copying.deepcopy(document["paths"]["/api/a2a/tasks/get"])
    item["post"]["operationId"] = "pause_task"
    document["paths"]["/api/a2a/tasks/pause"] = item


def a_new_enum_value(document: Any) -> None:
    schemas(document)["TaskState"]["enum"].append("paused")


def a_changed_type(document: Any) -> None:
    schemas(document)["Message"]["properties"]["parts"] = {"type": "string"}


def a_new_media_type(document: Any) -> None:
    answer = document["paths"]["/.well-known/agent.json"]["get"]["responses"]["200"]
    answer["content"]["text/plain"] = {"schema": {"type": "string"}}


def a_new_header(document: Any) -> None:
    answer = document["paths"]["/.well-known/agent.json"]["get"]["responses"]["200"]
    answer["headers"] = {"X-Card-Version": {"schema": {"type": "string"}}}


def a_new_event_kind(document: Any) -> None:
    schemas(document)["TaskProgressEvent"] = {
        "type": "object",
        "description": "How far a task is.",
        "required": ["id", "percent"],
        "properties": {"id": {"type": "string"}, "percent": {"type": "integer"}},
    }
    reference = {"$ref": "#/components/schemas/TaskProgressEvent"}
    schemas(document)["TaskStreamResponse"]["properties"]["result"]["anyOf"].insert(0, reference)


def a_moved_path(document: Any) -> None:
    document["paths"] = renamed(document["paths"], "/api/a2a/tasks/get", "/api/v2/tasks/get")


WHERE = """
from pathlib import Path

import payman_api.models
import payman_sdk


def test_it_is_the_copy_that_is_tested():
    for module in (payman_api, payman_api.models, payman_sdk):
        assert Path(module.__file__).is_relative_to(Path(__file__).parents[1])
"""


def passes(copy: Path, *tests: str) -> subprocess.CompletedProcess[str]:
    """Run some of the SDK's tests against the copy of the SDK and its client."""
    shutil.copytree(
        ROOT / "payman_sdk", copy / "payman_sdk", dirs_exist_ok=True
    )  # once more, for what has been compiled
    (copy / "tests").mkdir()
    for path in (
        *(ROOT / "tests").glob("*.py"),
        *{ROOT / Path(name).parent for name in tests} - {ROOT / "tests"},
    ):
        (shutil.copytree if path.is_dir() else shutil.copy)(path, copy / "tests" / path.name)
    (copy / "tests" / "test_where.py").write_text(WHERE)
    outside = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    return subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-ppytest_timeout",
            "-pno:cacheprovider",
            "tests/test_where.py",
            *tests,
        ],
        cwd=copy,
        env={
            **outside,
            "PYTHONPATH": os.pathsep.join([str(copy), str(copy / "generated")]),
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",  # most of the time would go into loading plugins that are not used
        },
        capture_output=True,
        text=True,
        check=False,
    )


TAKEN: list[tuple[Callable[[Any], None], str, list[str]]] = [
    (
        a_new_optional_field,
        "minor",
        [
            "additive  schema TaskSendParams, property priority: `TaskSendParams.priority` was added and is optional"
        ],
    ),
    (
        a_new_operation,
        "minor",
        ["additive  POST /api/a2a/tasks/pause: `pause_task` (POST /api/a2a/tasks/pause) was added."],
    ),
    (a_new_media_type, "minor", ["additive  GET /.well-known/agent.json, answer 200, text/plain: "]),
    (
        a_new_event_kind,
        "minor",
        [
            "additive  schema TaskProgressEvent: The schema `TaskProgressEvent` was added.",
            "additive  schema TaskStreamResponse, property result: "
            "`TaskStreamResponse.result` can also be a `TaskProgressEvent`",
        ],
    ),
    (
        a_moved_path,
        "major",
        [
            "breaking  POST /api/a2a/tasks/get: "
            "`get_task` moved from POST /api/a2a/tasks/get to POST /api/v2/tasks/get."
        ],
    ),
]
"""Changes that the SDK takes, how large a step of the version each one is, and how each line about it begins."""

FOLLOWED: list[tuple[Callable[[Any], None], str, str, list[tuple[str, str, str]]]] = [
    (
        a_new_required_field_of_a_request,
        "major",
        "`TaskSendParams.priority` was added and is required (in requests).",
        [
            (
                "payman_sdk/_core/requests.py",
                "return TaskSendParams(",
                'Missing positional argument "priority"',
            )
        ],
    ),
    (
        a_new_required_field_of_an_answer,
        "minor",
        "`Task.priority` was added and is required (in answers).",
        [("payman_sdk/_core/task_reader.py", "Task(", 'Missing positional argument "priority"')],
    ),
    (
        a_renamed_field,
        "major",
        "`Task.sessionId` is called `conversationId` now (in answers).",
        [
            ("payman_sdk/_core/formatting.py", "session_id", '"ParsedTask" has no attribute "session_id"'),
            (
                "payman_sdk/_core/accumulator.py",
                "Task(",
                'Unexpected keyword argument "session_id" for "ParsedTask"',
            ),
        ],
    ),
    (
        a_new_enum_value,
        "minor",
        "`TaskState` has the new value `paused`",
        [("payman_sdk/_core/task_response.py", "assert_never(state)", 'Argument 1 to "assert_never"')],
    ),
    (
        a_removed_operation,
        "major",
        "`cancel_task` (POST /api/a2a/tasks/cancel) was removed.",
        [
            ("payman_sdk/_core/requests.py", "import cancel_task", 'has no attribute "cancel_task"'),
            ("payman_sdk/sandbox/_server/app.py", 'PATHS["cancel_task"]', 'PATHS has no "cancel_task"'),
        ],
    ),
    (
        a_changed_type,
        "major",
        "`Message.parts` is of type `string` now, was of type `array`",
        [
            (
                "payman_sdk/_core/requests.py",
                "parts=",
                'Argument "parts" to "Message" has incompatible type',
            )
        ],
    ),
]
"""Changes that lines have to follow: how large a step each one is, what is said of it, and the lines."""


def test_a_change_is_a_step_of_its_size(_ours: Document) -> None:
    """Each change alone makes its step of the version, and is reported in the same words as among others."""
    for change, step, reported in TAKEN:
        document = copying.deepcopy(_ours)
        change(document)
        found = compare(_ours, document)
        assert version_step(found) == step, change
        for line, beginning in zip(lines(found), reported, strict=True):
            assert " ".join(line.split()).startswith(" ".join(beginning.split())), change
    for change, step, cause, _ in FOLLOWED:
        document = copying.deepcopy(_ours)
        change(document)
        found = compare(_ours, document)
        assert version_step(found) == step, change
        assert any(cause in it.text for it in found), change


@pytest.mark.usefixtures("_what_is_known_of_ours")
def test_changes_that_the_sdk_takes(copy: Path, changed: Changed, regenerate: Regenerate) -> None:
    """They are classified, every line still type-checks, and the SDK's tests pass with the new client.

    The type checker looks at all of them at once, since it is what takes long.
    """

    def change(document: Any) -> None:
        for one, *_ in TAKEN:
            one(document)

    new = changed(change)
    run = regenerate("--from", new)
    assert (run.status, run.err) == (0, "")
    found = run.section("The API:")
    reported = [beginning for *_, several in TAKEN for beginning in several]
    assert len(found) == len(reported)
    for beginning in reported:
        assert any(line.startswith(beginning) for line in found), (beginning, found)
    assert run.section("To be adapted:") == []
    assert "Version: a major step." in run.out
    assert (copy / DOCUMENT).read_bytes() == new.read_bytes()
    done = passes(copy, "tests/test_client.py", "tests/streaming/test_events.py")
    assert done.returncode == 0, done.stdout


@pytest.mark.usefixtures("copy", "_what_is_known_of_ours")
def test_a_change_that_changes_no_client(changed: Changed, regenerate: Regenerate) -> None:
    """The document is new, and the client is the same: it hands the headers of an answer out as they come."""
    run = regenerate("--from", changed(a_new_header))
    assert (run.status, run.err) == (0, "")
    assert "Version: a minor step." in run.out
    assert DOCUMENT in run.out
    assert "generated/" not in run.out


@pytest.mark.usefixtures("_what_is_known_of_ours")
def test_changes_that_the_sdk_has_to_follow(copy: Path, changed: Changed, regenerate: Regenerate) -> None:
    """Each line that has to be adapted is named, with that change of the API, among several, that it comes from."""

    def change(document: Any) -> None:
        for one, *_ in FOLLOWED:
            one(document)

    run = regenerate("--from", changed(change))
    assert (run.status, run.err) == (0, "")
    assert "Version: a major step." in run.out
    section = run.section("To be adapted:")
    found = [
        (*line.partition(": ")[::2], causes)
        for number, line in enumerate(section)
        if not line.startswith(" ")
        for causes in [[inner for inner in section[number + 1 : number + 2] if inner.startswith("  from ")]]
    ]
    for _, _, cause, places in FOLLOWED:
        for file, code, said in places:
            fits = [
                causes
                for place, message, causes in found
                for name, _, line in [place.partition(":")]
                if name == file
                and said in message
                and code in (copy / name).read_text().splitlines()[int(line) - 1]
            ]
            assert fits, f"{file}: {said}\n{run.out}"
            for causes in fits:
                assert cause in causes[0], run.out


@pytest.fixture
def client_without_cancelling(copy: Path, tmp_path: Path) -> Path:
    """The folder of a client that lacks a module which the SDK imports."""
    fresh = tmp_path / "fresh"
    shutil.copytree(copy / "generated", fresh)
    (fresh / "payman_api/api/tasks/cancel_task.py").unlink()
    return fresh


CANCELLING = 'Module "payman_api.api.tasks" has no attribute "cancel_task"'


def new_faults(copy: Path, fresh: Path, name: str = "scratch") -> list[Fault]:
    scratch = copy.parent / name
    scratch.mkdir()
    return new_type_faults(copy, copy / "generated", fresh, scratch)


def test_what_was_broken_before_is_not_the_apis_fault(copy: Path, client_without_cancelling: Path) -> None:
    """A line that did not type-check before is not to be adapted to the API; one that did is, each time that it is looked at.

    What the type checker has seen of the client to come does not cloud its view of the client at hand.
    """
    module = copy / "payman_sdk" / "types.py"
    module.write_text(module.read_text() + '\nmistake: int = "three"\n')
    found = [new_faults(copy, client_without_cancelling, name) for name in ("first", "second")]
    assert found[0] == found[1]
    assert CANCELLING in {it.message for it in found[0]}
    assert "payman_sdk/types.py" not in {it.file for it in found[0]}


def test_types_that_cannot_be_checked_are_not_said_to_fit(copy: Path) -> None:
    """Where the type checker has to give up, that is said, though it had to before, too."""
    (copy / "payman_sdk" / "types.py").write_text("class (")
    (found,) = new_faults(copy, copy / "generated")
    assert str(found).startswith("payman_sdk:0: its types could not be checked: payman_sdk/types.py:1: ")
