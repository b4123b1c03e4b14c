"""What changed between two API documents, and what that means for programs.

No library does this for Python: of those on PyPI, `openapispecdiff` has not been touched since 2022, `api-diff-sentinel` compares
paths and the names of parameters, and `jsoncompat` says of two schemas no more than whether they are compatible. oasdiff, whose
rules are followed here, is a Go program that neither registry has, and what npm has either knows no direction
(`api-smart-diff`), no OpenAPI 3.1 (`openapi-diff`), or fetches a binary when it is installed (`@pb33f/openapi-changes`).

`compare` is pure. Operations are compared by `operations` and `messages`, schemas by `schemas` and
`keywords`; those modules say what counts as breaking, and where that is not what oasdiff says. What operations share is
compared once, in the directions in which an operation of both documents uses it; the worse direction counts. Of what no rule
is for, webhooks and callbacks, every change is breaking: better to look once too often.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from scripts.comparison.changes import ADDITIVE, BREAKING, COSMETIC, Change, Subject
from scripts.comparison.contract import SCHEMAS, Contract, Direction, Node, Use
from scripts.comparison.document import compare_documents
from scripts.comparison.messages import compare_message, compare_parameter
from scripts.comparison.operations import compare_operations
from scripts.comparison.places import (
    Pair,
    Place,
    clean,
    code,
    differ,
    in_words,
    is_written_differently,
)
from scripts.comparison.schemas import compare_schemas
from scripts.comparison.shapes import has_class, renamed_schemas

UNNOTICED = "Written in another way; nothing that programs notice changed."
"""What is told where two documents differ, and nothing else is to be told."""


def compare(old: dict[str, Any], new: dict[str, Any]) -> list[Change]:
    """Tell what changed from one API document to another, the worst first and each change once.

    Args:
        old: A document of OpenAPI 3.0 or 3.1, valid.
        new: Another.

    Examples:
        >>> from scripts.comparison.changes import lines
        >>> old = {"openapi": "3.1.0", "info": {"title": "Notes", "version": "1"}, "paths": {}}
        >>> path = {"get": {"operationId": "get_notes", "responses": {"200": {"description": "All of them."}}}}
        >>> lines(compare(old, {**old, "paths": {"/notes": path}}))
        ['additive  GET /notes: `get_notes` (GET /notes) was added.']
    """
    before, after = Contract(old), Contract(new)
    pair = Pair(before, after, renamed_schemas(before, after))
    found = {*in_words(_findings(pair))}
    if not found and is_written_differently(old, new):
        found.add(Change(COSMETIC, "changed", "document", "document", UNNOTICED))
    return sorted(found, key=lambda change: change.rank)


def _findings(pair: Pair) -> Iterator[Change]:
    yield from compare_documents(pair)
    yield from compare_operations(pair)
    yield from _compare_shared(pair)
    yield from _compare_shared_schemas(pair)


def _compare_shared_schemas(pair: Pair) -> Iterator[Change]:
    old, new = pair.old.schemas, pair.new.schemas
    for name in sorted({*old, *new}):
        other = pair.renamed.get(name, name)
        place = _schema_place(pair, name, other)
        if name in old and other in new:
            if other != name:
                yield _renaming(place, old[name], other)
            yield from compare_schemas(pair, place, old[name], new[other])
        elif name not in pair.renamed.values():
            level = BREAKING if has_class(old.get(name, {})) else ADDITIVE
            whole = replace(place, base=f"the schema {code(name)}", subject="document")
            yield replace(whole.came_or_went(name in new, gone=level), subject="schema")


def _renaming(place: Place, schema: Node, name: str) -> Change:
    if has_class(schema):
        says = f"is called {code(name)} now, and so is its class"
        return place.change("renamed", says, names=[name], is_on_wire=False)
    return place.change("renamed", f"is called {code(name)} now", request=COSMETIC, names=[name])


def _schema_place(pair: Pair, old: str, new: str) -> Place:
    uses = _uses(pair, SCHEMAS + old, SCHEMAS + new)
    read = [use for use in uses if use.direction is Direction.RESPONSE]
    where = f"schema {clean(old)}"
    place = _shared_place("schema", where, old, uses)
    is_open = bool(read) and all(use.is_open for use in read)
    return replace(place, names=frozenset({old}), is_open=is_open)


def _shared_place(subject: Subject, where: str, base: str, uses: frozenset[Use]) -> Place:
    """Give the place of what operations share."""
    operations, directions = {use.operation for use in uses}, frozenset(use.direction for use in uses)
    names = frozenset(operations)
    return Place(subject, where, where, base, "", names, directions, tuple(sorted(operations)))


def _uses(pair: Pair, old: str, new: str) -> frozenset[Use]:
    """Give the uses that were and still are; of what is only in one document, or used anew, those that there are."""
    before, after = pair.old.uses.get(old, frozenset()), pair.new.uses.get(new, frozenset())
    return (before & after) or (before | after)


def _compare_shared(pair: Pair) -> Iterator[Change]:
    """Compare the parameters, bodies, answers and headers that operations share."""
    for kind, noun in (
        ("parameters", "parameter"),
        ("requestBodies", "request body"),
        ("responses", "answer"),
        ("headers", "header"),
    ):
        compare_one = compare_parameter if kind == "parameters" else compare_message
        old, new = pair.old.components(kind), pair.new.components(kind)
        for name in sorted(old.keys() & new.keys()):
            uses = _uses(pair, f"#/components/{kind}/{name}", f"#/components/{kind}/{name}")
            if differ(old[name], new[name]) and uses:
                base = f"the shared {noun} {code(name)}"
                place = _shared_place("operation", f"shared {noun} {clean(name)}", base, uses)
                yield from compare_one(pair, place, old[name], new[name])
