"""How what an operation is sent differs: parameters and body."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from scripts.comparison.answers import compare_contents, is_elsewhere
from scripts.comparison.changes import ADDITIVE, BREAKING
from scripts.comparison.contract import Direction, Node, mapping
from scripts.comparison.places import Finding, Pair, Place, clean, code, keyed, word_findings
from scripts.comparison.resemblance import alike, paired
from scripts.comparison.schemas import compare_schemas


def compare_parameters(
    pair: Pair, place: Place, old: dict[tuple[str, str], Node], new: dict[tuple[str, str], Node]
) -> Iterator[Finding]:
    """Tell how the parameters of an operation differ, by where they are and what they are called."""
    before, after = ({keyed(key): it for key, it in each.items()} for each in (old, new))
    removed, added = [key for key in before if key not in after], [key for key in after if key not in before]

    def is_renamed(gone: str, come: str) -> bool:
        was, now = (
            {**pair_side.resolve(it), "name": ""}
            for pair_side, it in ((pair.old, before[gone]), (pair.new, after[come]))
        )
        return alike(pair, was, now)

    renamed = paired(removed, added, is_renamed)
    for gone, come in renamed.items():
        was, now = pair.old.resolve(before[gone]), pair.new.resolve(after[come])
        here = parameter_place(place, was)
        says = f"is called {code(now.get('name'))} now"
        is_on_wire = was.get("in") != "path"
        name = str(now.get("name"))
        yield here.change(
            "renamed", says, request=BREAKING, names=[name], is_on_wire=is_on_wire, literals=_literals(was)
        )
    for key in removed:
        if key not in renamed:
            was = pair.old.resolve(before[key])
            yield parameter_place(place, was).change(
                "removed", "was removed", request=BREAKING, literals=_literals(was)
            )
    for key in added:
        if key not in renamed.values():
            now = pair.new.resolve(after[key])
            must = _is_required(now)
            says = f"was added and is {'required' if must else 'optional'}"
            yield parameter_place(place, now).change("added", says, request=BREAKING if must else ADDITIVE)
    for key in before:
        if key in after and not is_elsewhere(before[key], after[key]):
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


def compare_parameter(pair: Pair, place: Place, old: Node, new: Node) -> Iterator[Finding]:
    """Tell how a parameter differs; the place is that of the operation."""
    before, after = pair.old.resolve(old), pair.new.resolve(new)
    here = parameter_place(place, after)
    if _is_required(before) != _is_required(after):
        says = f"is {'required' if _is_required(after) else 'optional'} now"
        yield here.tightened(_is_required(after), says)
    if bool(before.get("deprecated")) != bool(after.get("deprecated")):
        says = "is deprecated" if after.get("deprecated") else "is not deprecated any more"
        yield here.change("changed", says, request=ADDITIVE)
    if _writing(before) != _writing(after):
        yield here.change("changed", "is written in another way", request=BREAKING)
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


def compare_body(pair: Pair, place: Place, old: object, new: object) -> Iterator[Finding]:
    """Tell how the body of a request differs; the place is that of the operation."""
    sent = frozenset({Direction.REQUEST})
    here = place.to_part("request body", "the request body of", directions=sent)
    if is_elsewhere(mapping(old), mapping(new)):
        return
    before, after = pair.old.resolve(old), pair.new.resolve(new)
    must, did = after.get("required") is True, before.get("required") is True
    if old is None or new is None:
        if new is not None:
            says = f"was added and is {'required' if must else 'optional'}"
            yield here.change("added", says, request=BREAKING if must else ADDITIVE)
        if old is not None:
            yield here.change("removed", "was removed", request=BREAKING)
        return
    if must != did:
        yield here.tightened(must, f"is {'required' if must else 'optional'} now")
    yield from word_findings(here, before, after, ("required", "content"))
    yield from compare_contents(pair, here, mapping(before.get("content")), mapping(after.get("content")))
