"""How answers and bodies differ: statuses, headers, media types.

As oasdiff has it, a success that is no longer answered is breaking, and an error that is not is none. A header that is removed is
breaking, whether it was promised or not. A media type that is added breaks nobody who did not ask for it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from scripts.comparison.changes import ADDITIVE, BREAKING
from scripts.comparison.contract import Direction, Node, mapping, pointed
from scripts.comparison.places import Finding, Pair, Place, clean, code, differ, word_findings
from scripts.comparison.schemas import compare_schemas


def is_elsewhere(old: Node, new: Node) -> bool:
    """Say whether two nodes refer to the same thing, which is compared where it is defined."""
    return pointed(old) is not None and pointed(old) == pointed(new)


def compare_answers(pair: Pair, place: Place, old: Node, new: Node) -> Iterator[Finding]:
    """Tell how the answers of an operation differ, by status."""
    for status in sorted({*old, *new}):
        named = f"answer {clean(status)}"
        here = place.to_part(named, f"the {named} of", directions=frozenset({Direction.RESPONSE}))
        if status not in new:
            level = BREAKING if status.startswith("2") else ADDITIVE
            yield here.change("removed", "was removed", request=level)
        elif status not in old:
            yield here.change("added", "was added", request=ADDITIVE)
        elif not is_elsewhere(mapping(old[status]), mapping(new[status])):
            yield from compare_answer(pair, here, old[status], new[status])


def compare_answer(pair: Pair, here: Place, old: object, new: object) -> Iterator[Finding]:
    """Tell how one answer differs."""
    before, after = pair.old.resolve(old), pair.new.resolve(new)
    if pointed(before) != pointed(after):
        yield here.change("changed", "is described in another place", request=BREAKING)
    yield from word_findings(here, before, after, ("$ref", "headers", "content"))
    yield from _compare_headers(pair, here, mapping(before.get("headers")), mapping(after.get("headers")))
    yield from compare_contents(pair, here, mapping(before.get("content")), mapping(after.get("content")))


def _compare_headers(pair: Pair, place: Place, old: Node, new: Node) -> Iterator[Finding]:
    before, after = ({name.lower(): (name, it) for name, it in each.items()} for each in (old, new))
    for key in sorted({*before, *after}):
        name = (after.get(key) or before[key])[0]
        here = place.to_part(
            f"header {clean(name)}", f"the header {code(name)} in", names=place.names | {name}
        )
        if key not in after:
            yield here.change("removed", "was removed", request=BREAKING)
        elif key not in before:
            yield here.change("added", "was added", request=ADDITIVE)
        elif not is_elsewhere(mapping(before[key][1]), mapping(after[key][1])):
            yield from compare_header(pair, here, before[key][1], after[key][1])


def compare_header(pair: Pair, here: Place, old: object, new: object) -> Iterator[Finding]:
    """Tell how a header of an answer differs."""
    before, after = pair.old.resolve(old), pair.new.resolve(new)
    did, must = before.get("required") is True, after.get("required") is True
    if did != must:
        yield here.tightened(must, f"is {'required' if must else 'optional'} now")
    yield from word_findings(here, before, after, ("required", "schema"))
    yield from compare_schemas(pair, here, before.get("schema"), after.get("schema"))


def compare_contents(pair: Pair, place: Place, old: Node, new: Node) -> Iterator[Finding]:
    """Tell how a body differs, by media type."""
    before, after = ({_media_type(name): mapping(it) for name, it in each.items()} for each in (old, new))
    for name in sorted({*before, *after}):
        here = replace(place, where=f"{place.where}, {clean(name)}")
        if name not in after:
            yield here.change("removed", f"cannot be {code(name)} any more", request=BREAKING, names=[name])
        elif name not in before:
            yield here.change("added", f"can also be {code(name)}", request=ADDITIVE, names=[name])
        else:
            if differ(before[name].get("encoding"), after[name].get("encoding")):
                yield here.change("changed", "is encoded in another way", request=BREAKING)
            yield from word_findings(here, before[name], after[name], ("schema", "encoding"))
            yield from compare_schemas(pair, here, before[name].get("schema"), after[name].get("schema"))


def _media_type(name: str) -> str:
    """Give a media type as it is compared: in either case, and JSON in UTF-8 is JSON."""
    parts = [part.strip() for part in name.lower().split(";")]
    return ";".join(part for part in parts if part and not part.startswith("charset="))
