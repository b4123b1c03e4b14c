"""How the operations of two API documents differ: what is sent, what is answered, with which credentials, and where.

An operation is the same one if it has the same operationId, or else the same method and path. Beyond oasdiff, breaking is here
also what renames a function of the generated client (another operationId, another first tag) or an argument (another name of a
parameter in the path), and when credentials that were good no longer are. An operation that was deprecated first is as removed as any.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any

from scripts.comparison.changes import ADDITIVE, BREAKING, Change, Level
from scripts.comparison.contract import Contract, Operation, mapping, sequence
from scripts.comparison.keywords import flag_changes
from scripts.comparison.messages import compare_answers, compare_body, compare_parameters
from scripts.comparison.places import Pair, Place, clean, code, differ, value, word_findings

_COMPARED = (
    *("operationId", "deprecated", "security", "servers", "parameters", "requestBody", "responses"),
    "callbacks",
)


def compare_operations(pair: Pair) -> Iterator[Change]:
    """Tell which operations came and went, and how the others differ."""
    matched, removed, added = match(pair.old.operations, pair.new.operations)
    for operation in removed:
        yield _whole(operation, "removed", BREAKING)
    for operation in added:
        yield _whole(operation, "added", ADDITIVE)
    for before, after in matched:
        yield from _compare_operation(pair, before, after)


def match(
    old: Iterable[Operation], new: Iterable[Operation]
) -> tuple[list[tuple[Operation, Operation]], list[Operation], list[Operation]]:
    """Give the operations that are in both documents, those only in the old one, and those only in the new one."""
    removed, added = list(old), list(new)
    matched = []
    signs: tuple[Callable[[Operation], object], ...] = (lambda it: it.name, lambda it: it.shape)
    for sign in signs:
        later = {sign(operation): operation for operation in added}
        for before in list(removed):
            after = later.pop(sign(before), None)
            if after is not None:
                matched.append((before, after))
                removed.remove(before)
                added.remove(after)
    return matched, removed, added


def _whole(operation: Operation, kind: Any, level: Level) -> Change:
    text = f"{code(operation.name)} ({clean(operation.where)}) was {kind}."
    return Change(level, kind, "operation", clean(operation.where), text, frozenset({operation.name}))


def _compare_operation(pair: Pair, old: Operation, new: Operation) -> Iterator[Change]:
    where = clean(new.where)
    place = Place("operation", where, where, code(new.name), names=frozenset({old.name, new.name}))
    if old.name != new.name:
        says = f"is the new name of {code(old.name)}, also"
        yield place.change("renamed", says, is_on_wire=False)
    if old.shape != new.shape:
        here, says = replace(place, where=clean(old.where)), f"moved from {clean(old.where)} to {where}"
        yield here.change("moved", says, literals={old.path} - {new.path})
    folders = [next(iter(sequence(it.node.get("tags"))), "default") for it in (old, new)]
    known = list(_COMPARED)
    if differ(*folders):
        known.append("tags")
        says = f"is tagged {value(folders[1])} now, so it is in another package"
        yield place.change("changed", says, is_on_wire=False)
    yield from flag_changes(place, old.node, new.node, "deprecated")
    if differ(old.node.get("callbacks"), new.node.get("callbacks")):
        yield place.change("changed", "calls back in another way")
    yield from word_findings(place, old.node, new.node, known)
    if old.security is not None or new.security is not None:
        yield from compare_security(place, _security(pair.old, old), _security(pair.new, new))
    if old.servers is not None or new.servers is not None:
        yield from _compare_servers(place, _servers(pair.old, old), _servers(pair.new, new))
    yield from compare_parameters(pair, place, old.parameters, new.parameters)
    yield from compare_body(pair, place, old.node.get("requestBody"), new.node.get("requestBody"))
    responses = (mapping(it.node.get("responses")) for it in (old, new))
    yield from compare_answers(pair, place, *responses)


def _security(contract: Contract, operation: Operation) -> list[Any]:
    return sequence(contract.document.get("security")) if operation.security is None else operation.security


def compare_security(place: Place, old: list[Any], new: list[Any]) -> Iterator[Change]:
    """Compare ways to show who one is; each names all that is needed, and none at all lets everybody in."""
    before, after = _ways(old), _ways(new)
    was, now = (" or ".join(sorted(map(_way, ways))) for ways in (before, after))
    if was != now:
        is_accepted = all(any(_suffices(way, other) for other in after) for way in before)
        level = ADDITIVE if is_accepted else BREAKING
        yield place.change("changed", f"needs {now} now, needed {was}", request=level)


def _ways(security: list[Any]) -> list[dict[str, set[str]]]:
    ways = [
        {name: set(map(str, sequence(scopes))) for name, scopes in mapping(way).items()} for way in security
    ]
    return ways or [{}]


def _suffices(way: dict[str, set[str]], wanted: dict[str, set[str]]) -> bool:
    return all(name in way and scopes <= way[name] for name, scopes in wanted.items())


def _way(way: dict[str, set[str]]) -> str:
    required = [
        f"{code(name)} ({', '.join(sorted(map(clean, scopes)))})" if scopes else code(name)
        for name, scopes in way.items()
    ]
    return " with ".join(required) or "no credentials"


def _servers(contract: Contract, operation: Operation) -> list[Any]:
    return sequence(contract.document.get("servers")) if operation.servers is None else operation.servers


def _compare_servers(place: Place, old: list[Any], new: list[Any]) -> Iterator[Change]:
    before, after = ([str(mapping(server).get("url", "/")) for server in it] for it in (old, new))
    if before == after:
        return
    lost = any(url not in after for url in before) or before[:1] != after[:1]
    says = f"is served at {', '.join(map(value, after)) or 'no server'} now, was at {', '.join(map(value, before)) or 'no server'}"
    yield place.change("changed", says, request=BREAKING if lost else ADDITIVE)
