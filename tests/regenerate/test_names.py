from __future__ import annotations

from scripts.regeneration.names import name_changes, names

MODEL = b"""
from attrs import define
from .other import Other

_HIDDEN = 1


@define
class Task:
    id: str
    session_id: None | str | Unset = UNSET

    @property
    def additional_keys(self) -> list[str]:
        return []

    def _private(self) -> None: ...
"""
STATE = b"""
from enum import StrEnum


class TaskState(StrEnum):
    DONE = "done"
"""
PACKAGE = b"""
PATHS: Mapping[str, str] = MappingProxyType({"get_task": "/get"})
SERVER = "https://agent.example"
"""
ENDPOINT = b"""
def build_request(*, body: Task) -> dict[str, Any]: ...


async def asyncio(*, client: Client) -> Task | None: ...


def _private() -> None: ...
"""
FILES = {
    "payman_api/__init__.py": PACKAGE,
    "payman_api/api/tasks/get_task.py": ENDPOINT,
    "payman_api/models/task.py": MODEL,
    "payman_api/models/task_state.py": STATE,
    "payman_api/py.typed": b"",
}


def after(path: str, old: bytes, new: bytes, *renames: frozenset[str]) -> list[str]:
    changed = {**FILES, path: FILES[path].replace(old, new)}
    return [f"{it.kind} {it}" for it in name_changes(names(FILES), names(changed), renames)]


def test_names_are_those_that_programs_use() -> None:
    """Models are named as they are imported; what is private or imported is no name."""
    assert names(FILES) == {
        "payman_api": "module",
        "payman_api.PATHS": "Mapping[str, str]",
        "payman_api.PATHS['get_task']": "'/get'",
        "payman_api.SERVER": "'https://agent.example'",
        "payman_api.api.tasks.get_task": "module",
        "payman_api.api.tasks.get_task.build_request": "(*, body: Task) -> dict[str, Any]",
        "payman_api.api.tasks.get_task.asyncio": "async (*, client: Client) -> Task | None",
        "payman_api.models.Task": "class()",
        "payman_api.models.Task.id": "str",
        "payman_api.models.Task.session_id": "None | str | Unset = …",
        "payman_api.models.Task.additional_keys": "(self) -> list[str]",
        "payman_api.models.TaskState": "class(StrEnum)",
        "payman_api.models.TaskState.DONE": "'done'",
    }


def test_what_is_the_same_is_not_reported() -> None:
    """A changed body or docstring is no changed name."""
    assert after("payman_api/models/task.py", b"return []", b"return [1]") == []


def test_what_has_changed_is_reported_with_its_types() -> None:
    """A name that means something else says what it meant and what it means."""
    assert after("payman_api/models/task.py", b"id: str", b"id: int") == [
        "changed payman_api.models.Task.id: str → int"
    ]
    assert after("payman_api/__init__.py", b"/get", b"/v2/get") == [
        "changed payman_api.PATHS['get_task']: '/get' → '/v2/get'"
    ]


def test_members_of_what_is_new_or_gone_are_not_reported() -> None:
    """A class or a module stands for everything in it."""
    fewer = {
        name: content for name, content in FILES.items() if "get_task" not in name and "state" not in name
    }
    gone = name_changes(names(FILES), names(fewer))
    assert [str(it) for it in gone] == ["payman_api.api.tasks.get_task", "payman_api.models.TaskState"]
    assert {it.kind for it in gone} == {"removed"}
    assert {it.kind for it in name_changes(names(fewer), names(FILES))} == {"added"}


def test_renames_are_recognised_where_they_are_known() -> None:
    """Nobody but the comparison of the documents knows that one name is another's; spelling does not matter."""
    new = (b"session_id", b"conversation_id")
    assert after("payman_api/models/task.py", *new, frozenset({"Task", "sessionId", "conversationId"})) == [
        "renamed payman_api.models.Task.session_id → payman_api.models.Task.conversation_id"
    ]
    assert after("payman_api/models/task.py", *new) == [
        "added payman_api.models.Task.conversation_id",
        "removed payman_api.models.Task.session_id",
    ]


def test_members_move_with_a_renamed_class() -> None:
    """Of a renamed class only what else has changed is told."""
    new = (
        FILES["payman_api/models/task.py"]
        .replace(b"class Task:", b"class Job:")
        .replace(b"id: str", b"id: int", 1)
    )
    files = {name: content for name, content in FILES.items() if name != "payman_api/models/task.py"}
    found = name_changes(
        names(FILES), names({**files, "payman_api/models/job.py": new}), [frozenset({"Task", "Job"})]
    )
    assert [f"{it.kind} {it}" for it in found] == [
        "renamed payman_api.models.Task → payman_api.models.Job",
        "changed payman_api.models.Job.id: str → int",
    ]


def test_a_spoilt_file_has_no_names() -> None:
    """What somebody has edited by hand stops nothing."""
    assert names({"payman_api/client.py": b"class ("}) == {}
