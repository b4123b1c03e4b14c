from __future__ import annotations

import json
from pathlib import Path

import pytest

from scripts.comparison.changes import Change, Level
from scripts.regeneration.adaptation import missing_keys, traced
from scripts.regeneration.names import NameChange
from scripts.regeneration.type_check import Fault, parsed

SOURCE = '''"""A module."""

from payman_api import PATHS
from payman_api.models.task import Task


def session(task: Task) -> str | None:
    if task.session_id:
        return (
            task
            .session_id
        )
    return PATHS["gone"] + PATHS["get_task"]
'''


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "payman_sdk").mkdir()
    (tmp_path / "payman_sdk" / "module.py").write_text(SOURCE)
    return tmp_path


def change(*names: str, level: Level = Level.BREAKING) -> Change:
    return Change(level, "changed", "schema", "somewhere", " ".join(names), frozenset(names))


def causes(root: Path, fault: Fault, *changes: Change, names: tuple[NameChange, ...] = ()) -> list[str]:
    ((_, found),) = traced(root, [fault], changes, names)
    return [it.text if isinstance(it, Change) else str(it) for it in found]


def test_errors_of_the_type_checker_are_read() -> None:
    """Notes are no errors, and what it says to people is no JSON."""
    said = {
        "file": "a.py",
        "line": 3,
        "column": 1,
        "message": "Wrong\nvery",
        "hint": None,
        "code": "x",
        "severity": "error",
    }
    output = "\n".join(["Found 1 error", json.dumps(said), json.dumps({**said, "severity": "note"})])
    assert parsed(output) == [Fault("a.py", 3, "Wrong", "x")]
    assert str(Fault("a.py", 3, "Wrong", "x")) == "a.py:3: Wrong [x]"


def test_keys_that_are_gone_are_found(root: Path) -> None:
    """The type checker cannot know what a mapping holds."""
    names = {"payman_api.PATHS": "Mapping[str, str]", "payman_api.PATHS['get_task']": "'/get'"}
    assert list(missing_keys(root, names)) == [
        Fault("payman_sdk/module.py", 13, 'PATHS has no "gone"', "key")
    ]


def test_a_fault_comes_from_the_change_it_names(root: Path) -> None:
    """Names in the message and in the statement decide, in whatever spelling, and the message more than the statement."""
    fault = Fault("payman_sdk/module.py", 8, '"Task" has no attribute "session_id"')
    assert causes(root, fault, change("Task", "id"), change("Task", "sessionId")) == ["Task sessionId"]
    assert causes(root, Fault("payman_sdk/module.py", 8, "Wrong"), change("sessionId")) == ["sessionId"]
    assert causes(root, fault, change("message", "parts")) == []


def test_a_statement_of_several_lines_is_read_whole(root: Path) -> None:
    """What the type checker says of the first line may be about the third."""
    assert causes(root, Fault("payman_sdk/module.py", 9, "Wrong"), change("sessionId")) == ["sessionId"]


def test_all_changes_that_may_be_meant_are_given(root: Path) -> None:
    """Where two fit as well, both are given, the worst first; what is cosmetic breaks nothing."""
    found = causes(
        root,
        Fault("payman_sdk/module.py", 8, "session_id"),
        change("sessionId", level=Level.ADDITIVE),
        change("sessionId", level=Level.COSMETIC),
        change("session_id"),
    )
    assert found == ["session_id", "sessionId"]


def test_without_a_change_of_the_api_a_name_is_the_cause(root: Path) -> None:
    """A changed template changes names, too; and where the old document is not known, names are what is left."""
    names = (
        NameChange("removed", "payman_api.models.Task.session_id"),
        NameChange("added", "payman_api.session_id"),
    )
    fault = Fault("payman_sdk/module.py", 8, '"Task" has no attribute "session_id"')
    assert causes(root, fault, names=names) == ["payman_api.models.Task.session_id"]


def test_a_fault_of_no_line_comes_from_nothing(root: Path) -> None:
    """That the types could not be checked at all is said, and blamed on nobody."""
    assert causes(root, Fault("payman_sdk", 0, "its types could not be checked"), change("Task")) == []
