"""Lines that hold in quotes what the API calls otherwise now: found in the SDK as it is, without the noise of common words."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from scripts.comparison.changes import Change, Level
from scripts.comparison.comparing import compare
from scripts.regeneration.quotes import out_of_date
from tests.regenerate.conftest import DOCUMENT, ROOT
from tests.regenerate.notes import GONE, NOTES, edited
from tests.yaml_text import load_yaml

OURS: Any = load_yaml((ROOT / DOCUMENT).read_text(encoding="utf-8"))
Edit = Callable[[Any], None]


def renamed(schema: str, member: str) -> Edit:
    def act(schemas: Any) -> None:
        it = schemas[schema]
        it["properties"] = {
            "novel" if name == member else name: value for name, value in it["properties"].items()
        }
        it["required"] = ["novel" if name == member else name for name in it.get("required", [])]

    return act


def given(schema: str, member: str, **said: Any) -> Edit:
    return lambda schemas: schemas[schema]["properties"][member].update(said)


def without(schema: str, value: str) -> Edit:
    return lambda schemas: schemas[schema]["enum"].remove(value)


def names(root: Path, old: Any, edit: Edit) -> dict[str, list[str]]:
    """The lines that are named, by file."""
    new = json.loads(json.dumps(old))  # a copy, ten times as fast as one of copy.deepcopy
    edit(new["components"]["schemas"])
    found: dict[str, list[str]] = {}
    for fault, _ in out_of_date(root, compare(old, new), {"payman": old}):
        line = (root / fault.file).read_text(encoding="utf-8").splitlines()[fault.line - 1]
        found.setdefault(fault.file.removeprefix("payman_sdk/"), []).append(line)
    return found


# Of each change: what is on a line that breaks, wherever that is, and how many lines may be named in all.
CHANGES: list[tuple[Edit, str, int]] = [
    (renamed("Task", "sessionId"), '"sessionId", "contextId"', 10),
    (renamed("Task", "status"), 'given.get("status")', 9),
    (renamed("Task", "artifacts"), '"artifacts": _normalize_all', 4),
    (renamed("Task", "history"), 'given.get("history")', 4),
    (renamed("TaskStatus", "state"), '"state": style.format_state', 6),
    (renamed("TaskStatus", "message"), 'status.pop("message"', 6),
    (given("TaskStatus", "timestamp", format="date-time"), 'parse_timestamp, "timestamp")', 8),
    (given("TaskStatus", "timestamp", format="date-time"), "isinstance(status.timestamp", 8),
    (given("Artifact", "index", type="string"), 'parse_int, "index")', 6),
    (renamed("Artifact", "lastChunk"), 'parse_bool, "append", "lastChunk")', 7),
    (renamed("Artifact", "parts"), 'artifact["parts"]', 10),
    (renamed("Message", "role"), 'message.get("role")', 10),
    (renamed("TextPart", "text"), 'part.get("text")', 18),
    (renamed("FileContent", "bytes"), '"bytes", "uri"', 4),
    (given("TextPart", "type", const="words", default="words"), '{"text", "file"', 20),
    (renamed("TaskStatusUpdateEvent", "final"), '.get("final")', 5),
    (renamed("TaskArtifactUpdateEvent", "artifact"), '["artifact"]', 9),
    (renamed("TaskResponse", "result"), '.get("result")', 10),
    (renamed("JsonRpcError", "code"), '.get("code")', 5),
    (renamed("OAuthError", "error"), '.get("error")', 9),
    (without("GrantType", "client_credentials"), '("client_credentials"', 4),
    (without("TaskState", "input-required"), '"input-required" if', 12),
]  # fmt: skip


def test_each_change_of_one_member_names_the_line_that_breaks() -> None:
    """And few others: with every text that is the same word, these would be hundreds."""
    for number, (edit, code, most) in enumerate(CHANGES):
        found = [line for lines in names(ROOT, OURS, edit).values() for line in lines]
        assert any(code in line for line in found), f"row {number}: {code}\n{found}"
        assert len(found) <= most, f"row {number}: {code}\n{found}"


SOURCE = '''"""The state of a memo."""

STATES = {"open": 1, "shut": 2}
KINDS = ("open", "ajar")
MEMBERS = ("title", "state", "body")
OTHERS = ("state", "city", "street")


def read(memo, told, thing, text):
    """state"""
    yield memo["state"], memo.get("state"), memo.state
    yield told["title"], told["body"], told["state"]
    yield thing["state"], thing["city"], thing["street"]
    yield text == "open", "state of play", {"state": text}
    match memo:
        case {"state": "open" | "shut", "title": _}:
            yield cast(Json, memo)["memoState"]
'''
MEMO: Any = {
    "openapi": "3.1.0",
    "info": {"title": "Memos", "version": "1"},
    "components": {
        "schemas": {
            "Door": {"type": "string", "enum": ["open", "shut", "locked"]},
            "Memo": {
                "type": "object",
                "properties": {
                    "title": {"type": "string"},
                    "body": {"type": "string"},
                    "state": {"$ref": "#/components/schemas/Door"},
                    "memoState": {"type": "string"},
                },
            },
        }
    },
    "paths": {
        "/memos": {
            "get": {
                "operationId": "get_memo",
                "responses": {
                    "200": {
                        "description": "It.",
                        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Memo"}}},
                    }
                },
            }
        }
    },
}


@pytest.mark.parametrize(
    ("edit", "lines"),
    [
        (renamed("Memo", "state"), [5, 11, 12, 16]),
        (renamed("Memo", "memoState"), [17]),
        (given("Memo", "title", type="integer"), [5, 12, 16]),
        (without("Door", "shut"), [3, 16]),
        (without("Door", "open"), [3, 16]),
    ],
)
def test_common_words_count_where_the_code_speaks_of_the_same_object(
    tmp_path: Path, edit: Edit, lines: list[int]
) -> None:
    """By what it is called, or by what it is used with; the same word elsewhere, in a docstring or in a sentence does not."""
    (tmp_path / "payman_sdk").mkdir()
    (tmp_path / "payman_sdk/module.py").write_text(SOURCE)
    new = copy.deepcopy(MEMO)
    edit(new["components"]["schemas"])
    found = out_of_date(tmp_path, compare(MEMO, new), {"payman": MEMO})
    assert sorted({fault.line for fault, _ in found}) == lines


def test_parameters_constants_and_paths_are_found(tmp_path: Path) -> None:
    """Whole texts only; each with the change it comes from."""
    (tmp_path / "payman_sdk").mkdir()
    (tmp_path / "payman_sdk/wire.py").write_text(
        '"""Trace and dry."""\nif given["Trace"] == given["Dry"]:\n    post("/notes", "id", "Trace it")\n'
    )
    method = "paths./notes.post.requestBody.content.application/json.schema"
    old = edited(NOTES, (method, {"const": "tasks/send"}))
    new = edited(old, ("paths./messages", old["paths"]["/notes"]), ("paths./notes", GONE))
    post = new["paths"]["/messages"]["post"]
    post["requestBody"]["content"]["application/json"]["schema"]["const"] = "sent"
    found = out_of_date(tmp_path, compare(old, new), {"payman": old})
    assert [str(fault) for fault, _ in found] == ['payman_sdk/wire.py:3: holds "/notes" [literal]']
    assert [[cause.kind for cause in causes] for _, causes in found] == [["moved"]]


def test_texts_of_what_breaks_nothing_are_not_looked_for() -> None:
    """Where a change breaks no program, what the SDK holds is still right."""
    there = Change(Level.ADDITIVE, "changed", "schema", "x", "x", literals=frozenset({"sessionId"}))
    assert out_of_date(ROOT, [there], {"payman": OURS}) == []
