"""How the operations of two API documents differ: what is sent, what is answered, with which credentials, and where.

An operation is the same one if it has the same operationId, or else the same method and path. Beyond oasdiff, breaking is here
also what renames a function of the generated client (another operationId, another first tag) or an argument (another name of a
parameter in the path), and when credentials that were good no longer are. An operation that was deprecated first is as removed as any.

As oasdiff has it, dropping a success is breaking, and dropping an error is not. A header that is removed is
breaking, whether it was promised or not. A media type that is added breaks nobody who did not ask for it.
"""

from collections.abc import Iterator
from typing import Any

from scripts.comparison.changes import ADDITIVE, BREAKING, Change
from scripts.comparison.contract import Direction, Node, Operation, mapping, pointed, sequence
from scripts.comparison.keywords import flag_changes
from scripts.comparison.places import Pair, Place, clean, code, differ, value, word_findings
from scripts.comparison.schemas import compare_schemas
from scripts.comparison.shapes import alike, renames

_COMPARED = (
    *("operationId", "deprecated", "security", "servers", "parameters", "requestBody", "responses"),
    "callbacks",
)
_OF_PARAMETERS = (
    *("name", "in", "required", "deprecated", "schema", "content", "style", "explode"),
    *("allowReserved", "allowEmptyValue"),
)


def compare_operations(pair: Pair) -> Iterator[Change]:
    """Yield which operations came and went, and how the others differ."""
    removed, added = list(pair.old.operations), list(pair.new.operations)
    for sign in ("name", "shape"):  # what two operations have in common that are the same one
        later = {getattr(operation, sign): operation for operation in added}
        for before in list(removed):
            if after := later.pop(getattr(before, sign), None):
                yield from _compare_operation(pair, before, after)
                removed.remove(before)
                added.remove(after)
    yield from (_whole(operation).came_or_went(False) for operation in removed)
    yield from (_whole(operation).came_or_went(True) for operation in added)


def _whole(operation: Operation) -> Place:
    where, name = clean(operation.where), operation.name
    return Place("operation", where, where, f"{code(name)} ({where})", names=frozenset({name}))


def _compare_operation(pair: Pair, old: Operation, new: Operation) -> Iterator[Change]:
    where = clean(new.where)
    place = Place("operation", where, where, code(new.name), names=frozenset({old.name, new.name}))
    if old.name != new.name:
        yield place.change("renamed", f"is the new name of {code(old.name)}, also", is_on_wire=False)
    if old.shape != new.shape:
        here, says = place._replace(where=clean(old.where)), f"moved from {clean(old.where)} to {where}"
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
    for key, compare_one in (("security", compare_security), ("servers", _compare_servers)):
        if key in old.own | new.own:
            yield from compare_one(place, old.given[key], new.given[key])
    yield from _compare_parameters(pair, place, old.parameters, new.parameters)
    yield from _compare_body(pair, place, old.node.get("requestBody"), new.node.get("requestBody"))
    yield from _compare_answers(pair, place, *(mapping(it.node.get("responses")) for it in (old, new)))


def compare_security(place: Place, old: list[Any], new: list[Any]) -> Iterator[Change]:
    """Compare ways to show who one is; each names all that is needed, and none at all lets everybody in."""
    before, after = ([*map(mapping, ways)] or [{}] for ways in (old, new))
    was, now = (" or ".join(sorted(map(_describe_way, ways))) for ways in (before, after))
    if was != now:
        is_accepted = all(any(_list_needs(other) <= _list_needs(way) for other in after) for way in before)
        level = ADDITIVE if is_accepted else BREAKING
        yield place.change("changed", f"needs {now} now, needed {was}", request=level)


def _list_needs(way: Node) -> set[tuple[str, str]]:
    """Return each scheme, alone and with each of its scopes."""
    return {(name, scope) for name, scopes in way.items() for scope in ("", *map(str, sequence(scopes)))}


def _describe_way(way: Node) -> str:
    given = [(code(name), ", ".join(sorted({*map(clean, sequence(it))}))) for name, it in way.items()]
    required = [f"{name} ({scopes})" if scopes else name for name, scopes in given]
    return " with ".join(required) or "no credentials"


def _compare_servers(place: Place, old: list[Any], new: list[Any]) -> Iterator[Change]:
    before, after = ([str(mapping(server).get("url", "/")) for server in it] for it in (old, new))
    was, now = (", ".join(map(value, urls)) or "no server" for urls in (before, after))
    if before != after:
        is_kept = {*before} <= {*after} and before[:1] == after[:1]
        says = f"is served at {now} now, was at {was}"
        yield place.change("changed", says, request=ADDITIVE if is_kept else BREAKING)


def _compare_parameters(pair: Pair, place: Place, before: Node, after: Node) -> Iterator[Change]:
    """Yield how the parameters of an operation differ, by where they are and what they are called."""

    def is_renamed(gone: str, come: str) -> bool:
        was, now = pair.old.resolve(before[gone]), pair.new.resolve(after[come])
        return alike(pair, {**was, "name": ""}, {**now, "name": ""})

    renamed = renames(before, after, is_renamed)
    for key in {**before, **after}:
        was, now = pair.old.resolve(before.get(key)), pair.new.resolve(after.get(renamed.get(key, key)))
        here = _parameter_place(place, was or now)
        # What a program holds in quotes to send or to read it; of one in the path, nobody sees the name.
        literals = [] if was.get("in") == "path" else [str(was.get("name"))]
        if key in renamed:
            name = str(now.get("name"))
            says = f"is called {code(name)} now"
            yield here.change("renamed", says, names=[name], is_on_wire=bool(literals), literals=literals)
        elif key not in after:
            yield here.change("removed", "was removed", literals=literals)
        elif key not in before and key not in renamed.values():
            yield here.added(_is_required(now))
        elif key in before and not _is_elsewhere(before[key], after[key]):
            yield from compare_parameter(pair, place, before[key], after[key])


def _parameter_place(place: Place, parameter: Node) -> Place:
    """Return the place of a parameter in an operation."""
    kind, name = clean(parameter.get("in")), str(parameter.get("name"))
    where, base = f"{kind} parameter {clean(name)}", f"the {kind} parameter {code(name)} of"
    return place.to_part(where, base, name, directions=frozenset({Direction.REQUEST}), is_parameter=True)


def _is_required(parameter: Node) -> bool:
    return parameter.get("required") is True or parameter.get("in") == "path"


def compare_parameter(pair: Pair, place: Place, old: Node, new: Node) -> Iterator[Change]:
    """Yield how a parameter differs; the place is that of the operation."""
    before, after = pair.old.resolve(old), pair.new.resolve(new)
    here = _parameter_place(place, after)
    yield from here.required(_is_required(before), _is_required(after))
    yield from flag_changes(here, before, after, "deprecated")
    if _writing(before) != _writing(after):
        yield here.change("changed", "is written in another way")
    yield from word_findings(here, before, after, _OF_PARAMETERS)
    yield from compare_schemas(pair, here, _schema(before), _schema(after))


def _writing(parameter: Node) -> list[Any]:
    """How a value becomes text, with what is meant where nothing is said."""
    style = parameter.get("style", "form" if parameter.get("in") in ("query", "cookie") else "simple")
    explode = parameter.get("explode", style == "form")
    return [style, explode, bool(parameter.get("allowReserved")), sorted(mapping(parameter.get("content")))]


def _schema(parameter: Node) -> object:
    contents = list(mapping(parameter.get("content")).values())
    return mapping(contents[0]).get("schema") if contents else parameter.get("schema")


def _compare_body(pair: Pair, place: Place, old: object, new: object) -> Iterator[Change]:
    """Yield how the body of a request differs; the place is that of the operation."""
    here = place.to_part("request body", "the request body of", directions=frozenset({Direction.REQUEST}))
    if old is not None and new is not None:
        yield from compare_message(pair, here, old, new)
    elif new is not None:
        yield here.added(pair.new.resolve(new).get("required") is True)
    elif old is not None:
        yield here.change("removed", "was removed")


def _is_elsewhere(old: Node, new: Node) -> bool:
    """Return whether two nodes refer to the same thing, which is compared where it is defined."""
    return pointed(old) is not None and pointed(old) == pointed(new)


def _compare_answers(pair: Pair, place: Place, old: Node, new: Node) -> Iterator[Change]:
    """Yield how the answers of an operation differ, by status."""
    for status in sorted({*old, *new}):
        named = f"answer {clean(status)}"
        here = place.to_part(named, f"the {named} of", directions=frozenset({Direction.RESPONSE}))
        if status in old and status in new:
            yield from compare_message(pair, here, old[status], new[status])
        else:
            yield here.came_or_went(status in new, gone=BREAKING if status.startswith("2") else ADDITIVE)


def compare_message(pair: Pair, here: Place, old: object, new: object) -> Iterator[Change]:
    """Yield how a body, an answer, or a header of one differs."""
    if _is_elsewhere(mapping(old), mapping(new)):
        return
    before, after = pair.old.resolve(old), pair.new.resolve(new)
    if pointed(before) != pointed(after):
        yield here.change("changed", "is described in another place")
    yield from here.required(before.get("required") is True, after.get("required") is True)
    yield from word_findings(here, before, after, ("$ref", "required", "headers", "content", "schema"))
    yield from _compare_headers(pair, here, mapping(before.get("headers")), mapping(after.get("headers")))
    yield from _compare_contents(pair, here, mapping(before.get("content")), mapping(after.get("content")))
    yield from compare_schemas(pair, here, before.get("schema"), after.get("schema"))


def _compare_headers(pair: Pair, place: Place, old: Node, new: Node) -> Iterator[Change]:
    before, after = ({name.lower(): (name, it) for name, it in each.items()} for each in (old, new))
    for key in sorted({*before, *after}):
        name = (after.get(key) or before[key])[0]
        here = place.to_part(f"header {clean(name)}", f"the header {code(name)} in", name)
        if key in before and key in after:
            yield from compare_message(pair, here, before[key][1], after[key][1])
        else:
            yield here.came_or_went(key in after)


def _compare_contents(pair: Pair, place: Place, old: Node, new: Node) -> Iterator[Change]:
    """Yield how a body differs, by media type."""
    before, after = ({_media_type(name): mapping(it) for name, it in each.items()} for each in (old, new))
    for name in sorted({*before, *after}):
        here = place._replace(where=f"{place.where}, {clean(name)}")
        if name not in after:
            yield here.change("removed", f"cannot be {code(name)} any more", names=[name])
        elif name not in before:
            yield here.change("added", f"can also be {code(name)}", request=ADDITIVE, names=[name])
        else:
            if differ(before[name].get("encoding"), after[name].get("encoding")):
                yield here.change("changed", "is encoded in another way")
            yield from word_findings(here, before[name], after[name], ("schema", "encoding"))
            yield from compare_schemas(pair, here, before[name].get("schema"), after[name].get("schema"))


def _media_type(name: str) -> str:
    """Return a media type as it is compared: in either case, and JSON in UTF-8 is JSON."""
    parts = [part.strip() for part in name.lower().split(";")]
    return ";".join(part for part in parts if part and not part.startswith("charset="))
