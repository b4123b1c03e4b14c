"""How what operations send and get differs: parameters, bodies, statuses, headers, media types.

As oasdiff has it, dropping a success is breaking, and dropping an error is not. A header that is removed is
breaking, whether it was promised or not. A media type that is added breaks nobody who did not ask for it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from scripts.comparison.changes import ADDITIVE, BREAKING, Change
from scripts.comparison.contract import Direction, Node, mapping, pointed
from scripts.comparison.keywords import flag_changes
from scripts.comparison.places import Pair, Place, clean, code, differ, keyed, word_findings
from scripts.comparison.schemas import compare_schemas
from scripts.comparison.shapes import alike, renames


def compare_parameters(
    pair: Pair, place: Place, old: dict[tuple[str, str], Node], new: dict[tuple[str, str], Node]
) -> Iterator[Change]:
    """Tell how the parameters of an operation differ, by where they are and what they are called."""
    before, after = ({keyed(key): it for key, it in each.items()} for each in (old, new))

    def is_renamed(gone: str, come: str) -> bool:
        was, now = pair.old.resolve(before[gone]), pair.new.resolve(after[come])
        return alike(pair, {**was, "name": ""}, {**now, "name": ""})

    renamed = renames(before, after, is_renamed)
    for key in {**before, **after}:
        was, now = pair.old.resolve(before.get(key)), pair.new.resolve(after.get(renamed.get(key, key)))
        here, literals = parameter_place(place, was or now), _literals(was)
        if key in renamed:
            name, is_on_wire = str(now.get("name")), was.get("in") != "path"
            says = f"is called {code(name)} now"
            yield here.change("renamed", says, names=[name], is_on_wire=is_on_wire, literals=literals)
        elif key not in after:
            yield here.change("removed", "was removed", literals=literals)
        elif key not in before and key not in renamed.values():
            yield here.added(_is_required(now))
        elif key in before and not is_elsewhere(before[key], after[key]):
            yield from compare_parameter(pair, place, before[key], after[key])


def parameter_place(place: Place, parameter: Node) -> Place:
    """Give the place of a parameter in an operation."""
    kind, name = clean(parameter.get("in")), str(parameter.get("name"))
    return place.to_part(
        f"{kind} parameter {clean(name)}",
        f"the {kind} parameter {code(name)} of",
        names=place.names | {name},
        directions=frozenset({Direction.REQUEST}),
        is_parameter=True,
    )


def _literals(parameter: Node) -> list[str]:
    """Give what a program holds in quotes to send or to read a parameter; of one in the path, nobody sees the name."""
    return [] if parameter.get("in") == "path" else [str(parameter.get("name"))]


def _is_required(parameter: Node) -> bool:
    return parameter.get("required") is True or parameter.get("in") == "path"


def compare_parameter(pair: Pair, place: Place, old: Node, new: Node) -> Iterator[Change]:
    """Tell how a parameter differs; the place is that of the operation."""
    before, after = pair.old.resolve(old), pair.new.resolve(new)
    here = parameter_place(place, after)
    yield from here.required(_is_required(before), _is_required(after))
    yield from flag_changes(here, before, after, "deprecated")
    if _writing(before) != _writing(after):
        yield here.change("changed", "is written in another way")
    known = (
        *("name", "in", "required", "deprecated", "schema", "content", "style", "explode"),
        *("allowReserved", "allowEmptyValue"),
    )
    yield from word_findings(here, before, after, known)
    yield from compare_schemas(pair, here, _schema(before), _schema(after))


def _writing(parameter: Node) -> list[Any]:
    """How a value becomes text, with what is meant where nothing is said."""
    usual = "form" if parameter.get("in") in ("query", "cookie") else "simple"
    style = parameter.get("style", usual)
    explode = parameter.get("explode", style == "form")
    return [style, explode, bool(parameter.get("allowReserved")), sorted(mapping(parameter.get("content")))]


def _schema(parameter: Node) -> object:
    contents = list(mapping(parameter.get("content")).values())
    return mapping(contents[0]).get("schema") if contents else parameter.get("schema")


def compare_body(pair: Pair, place: Place, old: object, new: object) -> Iterator[Change]:
    """Tell how the body of a request differs; the place is that of the operation."""
    here = place.to_part("request body", "the request body of", directions=frozenset({Direction.REQUEST}))
    if old is not None and new is not None:
        yield from compare_message(pair, here, old, new)
    elif new is not None:
        yield here.added(pair.new.resolve(new).get("required") is True)
    elif old is not None:
        yield here.change("removed", "was removed")


def is_elsewhere(old: Node, new: Node) -> bool:
    """Say whether two nodes refer to the same thing, which is compared where it is defined."""
    return pointed(old) is not None and pointed(old) == pointed(new)


def compare_answers(pair: Pair, place: Place, old: Node, new: Node) -> Iterator[Change]:
    """Tell how the answers of an operation differ, by status."""
    for status in sorted({*old, *new}):
        named = f"answer {clean(status)}"
        here = place.to_part(named, f"the {named} of", directions=frozenset({Direction.RESPONSE}))
        if status in old and status in new:
            yield from compare_message(pair, here, old[status], new[status])
        else:
            yield here.came_or_went(status in new, gone=BREAKING if status.startswith("2") else ADDITIVE)


def compare_message(pair: Pair, here: Place, old: object, new: object) -> Iterator[Change]:
    """Tell how a body, an answer, or a header of one differs."""
    if is_elsewhere(mapping(old), mapping(new)):
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
        here = place.to_part(
            f"header {clean(name)}", f"the header {code(name)} in", names=place.names | {name}
        )
        if key in before and key in after:
            yield from compare_message(pair, here, before[key][1], after[key][1])
        else:
            yield here.came_or_went(key in after)


def _compare_contents(pair: Pair, place: Place, old: Node, new: Node) -> Iterator[Change]:
    """Tell how a body differs, by media type."""
    before, after = ({_media_type(name): mapping(it) for name, it in each.items()} for each in (old, new))
    for name in sorted({*before, *after}):
        here = replace(place, where=f"{place.where}, {clean(name)}")
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
    """Give a media type as it is compared: in either case, and JSON in UTF-8 is JSON."""
    parts = [part.strip() for part in name.lower().split(";")]
    return ";".join(part for part in parts if part and not part.startswith("charset="))
