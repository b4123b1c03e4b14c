from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from scripts.regeneration import RegenerationError
from scripts.regeneration.overlays import corrected, read_overlay
from tests.regenerate.conftest import DOCUMENT, Changed, Regenerate, everything
from tests.tables import table
from tests.yaml_text import load_yaml


def overlay(*actions: Any, **members: Any) -> Any:
    return {
        "overlay": "1.0.0",
        "info": {"title": "A reason", "version": "1.0.0"},
        "actions": [*actions],
        **members,
    }


def after(document: Any, *actions: Any) -> Any:
    return corrected(document, [read_overlay(overlay(*actions), "fix.yaml")])


@table(
    ("document", "action", "result"),
    [
        ({"a": {"b": 1}}, {"target": "$.a", "update": {"c": 2}}, {"a": {"b": 1, "c": 2}}),
        (
            {"a": {"b": {"x": 1}}},
            {"target": "$", "update": {"a": {"b": {"y": 2}}}},
            {"a": {"b": {"x": 1, "y": 2}}},
        ),
        ({"a": {"b": [1]}}, {"target": "$.a", "update": {"b": [2]}}, {"a": {"b": [1, 2]}}),
        ({"a": [1]}, {"target": "$.a", "update": 2}, {"a": [1, 2]}),
        ({"a": {"b": "x"}}, {"target": "$.a", "update": {"b": ["y"]}}, {"a": {"b": ["y"]}}),
        ({"a": [{}, {}]}, {"target": "$.a[*]", "update": {"b": 1}}, {"a": [{"b": 1}, {"b": 1}]}),
        ({"a": [0, 1, 2, 3]}, {"target": "$.a[2,0,2]", "remove": True}, {"a": [1, 3]}),
        ({"a": {"b": 1}, "c": 2}, {"target": "$.a", "remove": True}, {"c": 2}),
        ({"a": {"x": {"x": 1}}}, {"target": "$..x", "remove": True}, {"a": {}}),
        (
            {"p": [{"name": "x", "in": "q"}, {"name": "y"}]},
            {"target": "$.p[?@.name=='x']", "update": {"in": "query"}},
            {"p": [{"name": "x", "in": "query"}, {"name": "y"}]},
        ),
        (
            {"paths": {"/a/{b}": {}}},
            {"target": "$.paths['/a/{b}']", "update": {"x": 1}},
            {"paths": {"/a/{b}": {"x": 1}}},
        ),
    ],
)
def test_actions_are_carried_out(document: Any, action: Any, result: Any) -> None:
    """Objects are merged, arrays grow, and what is to be removed is gone; what was given stays as it was."""
    before = json.dumps(document)
    assert after(document, action) == result
    assert json.dumps(document) == before


def test_one_action_sees_what_the_one_before_it_did() -> None:
    """Actions are carried out in their order, overlays too."""
    first = read_overlay(overlay({"target": "$", "update": {"b": {}}}), "1.yaml")
    second = read_overlay(overlay({"target": "$.b", "update": {"c": 1}}), "2.yaml")
    assert corrected({}, [first, second]) == {"b": {"c": 1}}


def test_what_is_updated_in_two_places_is_not_shared() -> None:
    """A later action changes the one place it targets."""
    result = after(
        {"a": {}, "b": {}},
        {"target": "$.*", "update": {"list": [1]}},
        {"target": "$.a.list", "update": 2},
    )
    assert result == {"a": {"list": [1, 2]}, "b": {"list": [1]}}


@table(
    ("content", "said"),
    [
        ([], "it has to begin with `overlay: 1.0.0`"),
        (overlay({"target": "$", "update": {}}, overlay="2.0.0"), "it has to begin with `overlay: 1.0.0`"),
        (overlay({"target": "$", "update": {}}, info={}), "`info.title` has to say why"),
        (overlay({"target": "$", "update": {}}, info={"title": " "}), "`info.title` has to say why"),
        (overlay(), "`actions` has to be a list"),
        (overlay({"update": {}}), "action 1: it has no `target`"),
        (overlay({"target": "$"}), "action 1 ($): it needs either an `update` or `remove: true`"),
        (overlay({"target": "$", "update": {}, "remove": True}), "either an `update` or `remove: true`"),
        (overlay({"target": "$", "copy": "$.a"}), "overlays of version 1.0 have no copy"),
        (overlay({"target": "$.a", "update": {}}, {"target": "$.gone", "remove": True}), "action 2 ($.gone): the document has nothing there"),
        (overlay({"target": "$.a[", "update": {}}), "is not JSONPath as RFC 9535 has it"),
        (overlay({"target": "a", "update": {}}), "is not JSONPath as RFC 9535 has it"),
        (overlay({"target": "$", "remove": True}), "the whole document cannot be removed"),
        (overlay({"target": "$.b", "update": {}}), "target the object that holds it"),
        (overlay({"target": "$.a", "update": 3}), "the update has to be one, too"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_an_overlay_is_said(content: Any, said: str) -> None:
    """The message names the overlay, the action and its target."""
    with pytest.raises(RegenerationError) as caught:
        corrected({"a": {}, "b": 1}, [read_overlay(content, "fix.yaml")])
    assert "fix.yaml" in str(caught.value)
    assert said in str(caught.value)


def without_marks(document: Any) -> None:
    for item in document["paths"].values():
        for operation in item.values():
            if isinstance(operation, dict):
                operation.pop("x-payman-evidence", None)
    for server in document["servers"]:
        del server["x-payman-environment"]


def write(copy: Path, name: str, content: Any) -> Path:
    path = copy / "spec" / "overlays" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(content if isinstance(content, str) else yaml.safe_dump(content, sort_keys=False))
    return path


MARKS = {
    "overlay": "1.0.0",
    "info": {"title": "Which environment a server is", "version": "1.0.0"},
    "actions": [
        {"target": f"$.servers[{number}]", "update": {"x-payman-environment": environment}}
        for number, environment in enumerate(("LIVE", "TEST", "INTERNAL"))
    ],
}


def test_a_document_from_outside_is_kept_and_corrected(
    bare: Path, changed: Changed, regenerate: Regenerate
) -> None:
    """Without our marks it is taken, too; an overlay adds them, and the document itself stays as it came."""
    new = changed(without_marks)
    write(bare, "marks.yaml", MARKS)
    run = regenerate("--from", new)
    assert (run.status, run.err) == (0, "")
    assert "added spec/upstream.openapi.yaml" in run.out
    assert (bare / "spec/upstream.openapi.yaml").read_bytes() == new.read_bytes()
    made = (bare / DOCUMENT).read_text()
    assert made.startswith(
        "# Written by scripts/regenerate from upstream.openapi.yaml and overlays/; edits are lost. The overlays:\n"
        "# marks.yaml: Which environment a server is\n"
    )
    again = regenerate()
    assert (again.status, again.out, again.err) == (0, "", "")


def test_overlays_are_applied_anew(bare: Path, changed: Changed, regenerate: Regenerate) -> None:
    """With a document from outside, a changed overlay is a changed document, and an edit of what is written is found."""
    # The name decides the order: the second overlay corrects what the first adds.
    write(
        bare,
        "20-limit.yaml",
        overlay({"target": "$.components.schemas.Task.properties.b", "update": {"maxLength": 9}}),
    )
    write(
        bare,
        "10-field.yaml",
        overlay({"target": "$.components.schemas.Task.properties", "update": {"b": {"type": "string"}}}),
    )
    new = bare.parent / "new.json"
    new.write_text(json.dumps(load_yaml((bare / DOCUMENT).read_text())))
    run = regenerate("--from", new)
    assert (run.status, run.err) == (0, "")
    assert (bare / "spec/upstream.openapi.json").read_bytes() == new.read_bytes()
    assert "additive  schema Task, property b: `Task.b` was added and is optional" in run.out
    assert "b: str | Unset" in (bare / "generated/payman_api/models/task.py").read_text()
    assert regenerate("--check").status == 0

    (bare / "spec/overlays/20-limit.yaml").unlink()
    check = regenerate("--check")
    assert (check.status, check.err) == (
        1,
        "spec/payman.openapi.yaml is not what the spec gives\nRun scripts/regenerate.\n",
    )
    run = regenerate()
    assert (run.status, run.err) == (0, "")
    assert "maxLength" not in (bare / DOCUMENT).read_text()
    assert "The API:" in run.out

    (bare / "spec/overlays/10-field.yaml").unlink()
    run = regenerate("--from", changed(lambda _: None))
    assert (run.status, run.err) == (0, "")
    assert "removed spec/upstream.openapi.json" in run.out, "without overlays, the document itself is put in"


def test_overlays_that_correct_nothing_are_an_error(bare: Path, regenerate: Regenerate) -> None:
    """An overlay without a document from outside would be forgotten."""
    write(bare, "fix.yaml", overlay({"target": "$.info", "update": {"title": "Other"}}))
    before = everything(bare)
    run = regenerate()
    assert run.status == 2
    assert "bring it with --from" in run.err
    assert everything(bare) == before
