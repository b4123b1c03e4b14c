"""What changed between two API documents, and what that means for programs.

No library does this for Python: of those on PyPI, `openapispecdiff` has not been touched since 2022, `api-diff-sentinel` compares
paths and the names of parameters, and `jsoncompat` says of two schemas no more than whether they are compatible. oasdiff, whose
rules are followed here, is a Go program that neither registry has, and what npm has either knows no direction
(`api-smart-diff`), no OpenAPI 3.1 (`openapi-diff`), or fetches a binary when it is installed (`@pb33f/openapi-changes`).

`compare` is pure. Operations are compared by `operations`, schemas by `schemas` and
`keywords`; those modules say what counts as breaking, and where that is not what oasdiff says. What operations share is
compared once, in the directions in which an operation of both documents uses it; the worse direction counts. Of what no rule
is for, webhooks and callbacks, every change is breaking: better to look once too often. oasdiff leaves servers alone and rates
every change of a security scheme as harmless; here clients are generated from both. A server that is gone or replaced is
breaking, and so is a scheme in use that is gone or works in another way.
"""

from collections.abc import Iterator
from dataclasses import replace
from itertools import chain
from typing import Any

from scripts.comparison import operations
from scripts.comparison.changes import ADDITIVE, BREAKING, COSMETIC, Change
from scripts.comparison.contract import SCHEMAS, Contract, Direction, Node, mapping, sequence
from scripts.comparison.places import Pair, Place, clean, code, differ, in_words, value, word_findings
from scripts.comparison.schemas import compare_schemas
from scripts.comparison.shapes import has_class, renamed_schemas

UNNOTICED = "Written in another way; nothing that programs notice changed."
"""The one change that is reported where two documents differ in nothing that programs notice."""
_ENVIRONMENT = "x-payman-environment"
_COMPARED = ("info", "servers", "security", "paths", "components", "webhooks", "openapi")


def compare(old: dict[str, Any], new: dict[str, Any]) -> list[Change]:
    """Return what changed from one API document to another, the worst first and each change once.

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
    parts = (_compare_documents, operations.compare_operations, _compare_shared, _compare_shared_schemas)
    found = {*in_words(chain.from_iterable(part(pair) for part in parts))}
    if not found and repr(before.document) != repr(after.document):  # be it in the order of keys
        found.add(Change(COSMETIC, "changed", "document", "document", UNNOTICED))
    return sorted(found, key=lambda change: change.rank)


def _compare_documents(pair: Pair) -> Iterator[Change]:
    """Yield the changes of the documents as wholes."""
    old, new = pair.old.document, pair.new.document
    before, after = mapping(old.get("info")), mapping(new.get("info"))
    for said, key, was, now in (("the API", "version", before, after), ("OpenAPI", "openapi", old, new)):
        if was.get(key) != now.get(key):
            says = f"is {value(now.get(key))} now, was {value(was.get(key))}"
            here = _about(f"document, {key}", f"the version of {said}")
            yield here.change("changed", says, request=COSMETIC)
    place = _about("document", "the document")
    yield from word_findings(place, before, after, ("version",))
    yield from word_findings(place, old, new, _COMPARED)
    yield from _compare_servers(sequence(old.get("servers")), sequence(new.get("servers")))
    yield from _compare_schemes(pair)
    both = (pair.old.operations, pair.new.operations)
    names = [{it.name for it in each if "security" not in it.own} for each in both]
    if shared := sorted(names[0] & names[1]):
        said = "any operation without its own security"
        here = _about("document, security", said, operations=tuple(shared))
        yield from operations.compare_security(here, *(sequence(it.get("security")) for it in (old, new)))
    old_hooks, new_hooks = (mapping(it.get("webhooks")) for it in (old, new))
    for name in sorted({*old_hooks, *new_hooks}):
        here = _about_one("webhook", name, names=frozenset({name}))
        if name not in old_hooks or name not in new_hooks:
            yield here.came_or_went(name in new_hooks)
        elif differ(old_hooks[name], new_hooks[name]):
            yield here.change("changed", "changed")


def _about(where: str, said: str, **given: Any) -> Place:
    """Return a place outside of operations and schemas."""
    return Place("document", where, "document", said, **given)


def _about_one(kind: str, name: str, **given: Any) -> Place:
    """Return the place of a server, a scheme or a webhook."""
    return _about(f"{kind} {name}", f"the {kind} {code(name)}", **given)


def _compare_servers(old: list[object], new: list[object]) -> Iterator[Change]:
    before, after = ({str(mapping(it).get("url", "/")): mapping(it) for it in each} for each in (old, new))
    gone = {_environment(server, url): url for url, server in before.items() if url not in after}
    for url, server in after.items():
        here = _about_one("server", url)
        if url in before:
            yield from _compare_server(here, before[url], server)
        elif (environment := _environment(server, url)) in gone:
            yield here.change("changed", f"took the place of {code(gone.pop(environment))}")
        else:
            yield here.came_or_went(True)
    for url in gone.values():
        yield _about_one("server", url).came_or_went(False)
    first, other = next(iter(before), None), next(iter(after), None)
    if first in after and first != other:
        yield _about_one("server", str(other)).change("changed", f"is the default now, was {code(first)}")


def _environment(server: Node, url: str) -> str:
    return str(server.get(_ENVIRONMENT) or url)


def _compare_server(here: Place, old: Node, new: Node) -> Iterator[Change]:
    if old.get(_ENVIRONMENT) != new.get(_ENVIRONMENT):
        says = f"is for {value(new.get(_ENVIRONMENT))} now, was for {value(old.get(_ENVIRONMENT))}"
        yield here.change("changed", says)
    if differ(old.get("variables"), new.get("variables")):
        yield here.change("changed", "has other variables")
    yield from word_findings(here, old, new, ("url", "variables", _ENVIRONMENT))


def _compare_schemes(pair: Pair) -> Iterator[Change]:
    old, new = pair.old.components("securitySchemes"), pair.new.components("securitySchemes")
    needed = [(it.name, it.given["security"]) for it in pair.old.operations]
    for name in sorted({*old, *new}):
        users = tuple(sorted({user for user, ways in needed if any(name in mapping(way) for way in ways)}))
        here = _about_one("security scheme", name, names=frozenset({name}), operations=users)
        if name not in old or name not in new:
            yield here.came_or_went(name in new, gone=BREAKING if users else COSMETIC)
            continue
        before, after = pair.old.resolve(old[name]), pair.new.resolve(new[name])
        keys = {key for key in {*before, *after} if key != "description" and not key.startswith("x-")}
        for key in sorted(keys):
            was, now = before.get(key), after.get(key)
            if differ(was, now):
                says = f"has another {code(key)}"
                if isinstance(was, str) and isinstance(now, str):
                    says = f"has the {code(key)} {value(now)} now, had {value(was)}"
                yield here.change("changed", says, request=ADDITIVE if _only_more(was, now) else BREAKING)
        yield from word_findings(here, before, after, keys)


def _only_more(old: object, new: object) -> bool:
    """Return whether everything is still there as it was: flows and scopes may come."""
    if isinstance(old, dict) and isinstance(new, dict):
        return all(key in new and _only_more(old[key], new[key]) for key in old)
    return not differ(old, new)


def _compare_shared_schemas(pair: Pair) -> Iterator[Change]:
    old, new = pair.old.schemas, pair.new.schemas
    for name in sorted({*old, *new}):
        other, where = pair.renamed.get(name, name), f"schema {clean(name)}"
        reach = _reach(pair, SCHEMAS + name, SCHEMAS + other)
        place = Place("schema", where, where, name, names=frozenset({name}), **reach)
        if name in old and other in new:
            if other != name:
                is_class = has_class(old[name])
                says = f"is called {code(other)} now{', and so is its class' if is_class else ''}"
                level = BREAKING if is_class else COSMETIC
                yield place.change("renamed", says, request=level, names=[other], is_on_wire=not is_class)
            yield from compare_schemas(pair, place, old[name], new[other])
        elif name not in pair.renamed.values():
            level = BREAKING if has_class(old.get(name, {})) else ADDITIVE
            whole = place._replace(base=f"the schema {code(name)}", subject="document")
            yield replace(whole.came_or_went(name in new, gone=level), subject="schema")


def _reach(pair: Pair, old: str, new: str) -> dict[str, Any]:
    """Return which operations reach what they share, in which directions, by its references.

    It has the uses that were and still are; of what is only in one document, or used anew, those that there are.
    """
    before, after = pair.old.uses.get(old, set()), pair.new.uses.get(new, set())
    uses = (before & after) or (before | after)
    read = [use.is_open for use in uses if use.direction is Direction.RESPONSE]
    return {
        "directions": frozenset(use.direction for use in uses),
        "operations": tuple(sorted({use.operation for use in uses})),
        "is_open": bool(read) and all(read),
    }


def _compare_shared(pair: Pair) -> Iterator[Change]:
    """Compare the parameters, bodies, answers and headers that operations share."""
    for kind, noun, compare_one in (
        ("parameters", "parameter", operations.compare_parameter),
        ("requestBodies", "request body", operations.compare_message),
        ("responses", "answer", operations.compare_message),
        ("headers", "header", operations.compare_message),
    ):
        old, new = pair.old.components(kind), pair.new.components(kind)
        for name in sorted(old.keys() & new.keys()):
            reference, where = f"#/components/{kind}/{name}", f"shared {noun} {clean(name)}"
            reach = _reach(pair, reference, reference)
            if differ(old[name], new[name]) and (users := reach["operations"]):
                base = f"the shared {noun} {code(name)}"
                place = Place("operation", where, where, base, names=frozenset(users), **reach)
                yield from compare_one(pair, place, old[name], new[name])
