"""What holds for all documents, also for those that nobody would write."""

from __future__ import annotations

import copy
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from scripts.comparison.changes import Change, changelog_entry, lines, markdown, version_step
from scripts.comparison.comparing import compare
from tests.regenerate.notes import NOTES, Document

TOPIC = {"$ref": "#/components/schemas/Topic"}
ODDITIES: list[Any] = [
    None, True, False, 1, 1.5, "x", [], {}, [1, "a", None], {1: 2, "a": 3}, TOPIC, {"$ref": "#/nowhere"},
    {"$ref": "other.yaml#/x"}, {"$ref": "#/components/schemas/Note"}, {"type": ["string", 3]}, {"type": ["null"]},
    {"enum": [{}, [1]]}, {"anyOf": [{"type": "null"}]}, {"oneOf": []}, {"anyOf": [TOPIC, {"type": "string"}]},
    {"allOf": [TOPIC, {"required": ["x"]}]}, {"allOf": [{"$ref": "#/components/schemas/Note"}]}, {"not": {}},
]  # fmt: skip


def places(value: Any) -> list[tuple[Any, Any]]:
    """Every place in a document: what holds it, and its key."""
    if isinstance(value, dict):
        keys: list[Any] = list(value)
    else:
        keys = list(range(len(value))) if isinstance(value, list) else []
    below = [place for key in keys for place in places(value[key])]
    return [(value, key) for key in keys] + below


@st.composite
def documents(draw: st.DrawFn) -> Document:
    """A document that somebody spoilt in a few places."""
    document = copy.deepcopy(NOTES)
    for _ in range(draw(st.integers(0, 3))):
        holder, key = draw(st.sampled_from(places(document)))
        if isinstance(holder, dict) and draw(st.booleans()):
            del holder[key]
        else:
            holder[key] = copy.deepcopy(draw(st.sampled_from(ODDITIES)))
        if not places(document):
            break
    return document


def of_kind(changes: list[Change], kind: str) -> list[tuple[str, str]]:
    """Where changes of a kind are."""
    return [
        (change.subject, change.where)
        for change in sorted(changes, key=lambda it: it.where)
        if change.kind == kind
    ]


@settings(max_examples=40, deadline=None)
@given(documents())
def test_nothing_changed(document: Document) -> None:
    """A document compared with itself has no changes, whatever is in it."""
    assert compare(document, copy.deepcopy(document)) == []


@settings(max_examples=60, deadline=None)
@given(documents(), documents())
def test_the_other_way_round(old: Document, new: Document) -> None:
    """What was added is removed the other way round, and what is told one way is told both ways."""
    there, back = compare(old, new), compare(new, old)

    assert of_kind(there, "added") == of_kind(back, "removed")
    assert of_kind(there, "removed") == of_kind(back, "added")
    assert len(of_kind(there, "renamed")) == len(of_kind(back, "renamed"))
    assert bool(there) == bool(back)


@settings(max_examples=40, deadline=None)
@given(documents(), documents())
def test_each_difference_is_reported(old: Document, new: Document) -> None:
    """Documents that differ have changes, each once, in the same order every time, and all of them can be told."""
    changes = compare(old, new)

    assert bool(changes) == (repr(old) != repr(new))
    assert len(set(changes)) == len(changes)
    assert compare(copy.deepcopy(old), copy.deepcopy(new)) == changes
    assert len(lines(changes)) == len(changes)
    assert all(line.isprintable() for line in lines(changes))
    assert markdown(changes).count("\n- ") == len(changes)
    assert bool(changelog_entry(changes)) == (version_step(changes) in ("major", "minor"))
