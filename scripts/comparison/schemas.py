"""How two schemas differ. A schema that is referred to is compared where it is defined, so that each change is reported once.

The levels are those of oasdiff, and what oasdiff warns of is breaking here: a property that is removed, optional or not, in a
request or in an answer, is an attribute of the generated client that is gone. The same goes for every other name of the
generated client, also where the wire would not notice: a value of an enum, a class that is renamed, gets another title or moves
from one schema to another. A new member of a union in answers is breaking in `oneOf`, or where there was only one kind before, and
additive in `anyOf`, which readers try member by member. A new value of an enum in answers is breaking (generated enums refuse
what they do not list), but additive beside a plain string and with `x-extensible-enum`. What is only written in
another way is not reported: the three ways to say null, an `allOf` or `anyOf` of one.
"""

from collections.abc import Iterator

from scripts.comparison import shapes
from scripts.comparison.changes import ADDITIVE, BREAKING, Change
from scripts.comparison.contract import Node, is_open_union, mapping, names_of, pointed, schema_of, sequence
from scripts.comparison.keywords import KEYWORDS, keyword_changes, type_changes, types
from scripts.comparison.places import WORDS, Pair, Place, code, differ, keyed, word_findings


def compare_schemas(pair: Pair, place: Place, old: object, new: object) -> Iterator[Change]:
    """Yield how a schema differs from what it was.

    Args:
        pair: The documents.
        place: Where the schema is.
        old: The schema as it was; None if there was none, which allows everything.
        new: The schema as it is.
    """
    both = keyed(schema_of(old)), keyed(schema_of(new))
    # Schemas may go in circles; where the same two are met again, all there is to say is being said.
    if both[0] == both[1] or both in place.met:
        return
    place = place._replace(met=place.met | {both})
    before, could_be_null = shapes.unwrapped(schema_of(old))
    after, can_be_null = shapes.unwrapped(schema_of(new))
    if shapes.is_union(before) != shapes.is_union(after):
        before, could_be_null = shapes.opened(pair.old, before, could_be_null, after)
        after, can_be_null = shapes.opened(pair.new, after, can_be_null, before)
    if could_be_null != can_be_null:
        yield place.tightened(could_be_null, "may be null now" if can_be_null else "may not be null any more")
    is_class, known = shapes.has_class(before) or shapes.has_class(after), KEYWORDS
    if is_class and differ(before.get("title"), after.get("title")):
        known = KEYWORDS | {"title"}
        yield place.change("renamed", "has another title, so its class has another name", is_on_wire=False)
    yield from word_findings(place, before, after, known)
    if shapes.is_union(before) or shapes.is_union(after):
        yield from _union_findings(pair, place, before, after)
        before, after = shapes.beside_union(before, after), shapes.beside_union(after, before)
    yield from _compare_plain(pair, place, before, after)


def _union_findings(pair: Pair, place: Place, old: Node, new: Node) -> Iterator[Change]:
    was, now = shapes.members(old), shapes.members(new)
    # Where one is of any kind, it is no matter of single alternatives.
    if any(was) != any(now):
        says = f"is {'limited to' if any(now) else 'more than'} some alternatives now"
        yield place.tightened(any(now), says)
        return
    before, after = _unmatched(pair, was, now)
    loose = [[member for member in it if not pointed(member)] for it in (before, after)]
    if len(loose[0]) == len(loose[1]) == 1:
        inside = place._replace(is_open=is_open_union(now))
        yield from compare_schemas(pair, inside, loose[0][0], loose[1][0])
        before, after = ([member for member in it if pointed(member)] for it in (before, after))
    for member in before:
        says = f"can no longer be {_kind(member)}"
        yield place.change("removed", says, response=ADDITIVE, names=names_of(member))
    is_closed = "oneOf" in new or len(was) == 1
    for member in after:
        says = f"can also be {_kind(member)}"
        response = BREAKING if is_closed else ADDITIVE
        yield place.change("added", says, request=ADDITIVE, response=response, names=names_of(member))
    if not before and not after and loose == [[], []] and differ(was, now) and len(was) > 1:
        yield place.reworded(f"order of what {place.thing} can be")


def _unmatched(pair: Pair, old: list[Node], new: list[Node]) -> tuple[list[Node], list[Node]]:
    """Return the members of a union that have no equal in the other."""
    before, after = list[Node](), list(new)
    for member in old:
        match = next((other for other in after if shapes.alike(pair, member, other)), None)
        if match is None:
            before.append(member)
        else:
            after.remove(match)
    return before, after


def _kind(member: Node) -> str:
    if pointed(member):
        return f"a {code(*names_of(member))}"
    names = types(member)
    return f"of type {' or '.join(code(name) for name in sorted(names))}" if names else "anything"


def _compare_plain(pair: Pair, place: Place, old: Node, new: Node) -> Iterator[Change]:
    """Compare two schemas that are no unions."""
    before, after = pointed(old), pointed(new)
    if "allOf" in old or "allOf" in new or (before is None) != (after is None):
        yield from _compare_meant(pair, place, old, new)
        return
    if None not in (before, after) and not shapes.alike(pair, {"$ref": before}, {"$ref": after}):
        names = [*names_of(old), *names_of(new)]
        yield place.change("changed", f"is a {code(names[1])} now, was a {code(names[0])}", names=names)
    if (yield from type_changes(place, old, new)):
        return
    yield from keyword_changes(place, old, new)
    yield from _property_findings(pair, place, old, new)
    yield from compare_schemas(pair, place.to_inner("items", "[]"), old.get("items"), new.get("items"))


def _compare_meant(pair: Pair, place: Place, old: Node, new: Node) -> Iterator[Change]:
    """Compare a schema that is written out with one that is referred to, or schemas of which one at least has `allOf`.

    What both are composed of is compared where it is defined. If that is not the same, it counts what comes out.
    """
    is_other_class, is_other_base = bool(pointed(old)) != bool(pointed(new)), False
    if "allOf" in old or "allOf" in new:
        is_other_base = _unmatched(pair, shapes.bases(old), shapes.bases(new)) != ([], [])
        before, after = (shapes.composed(*it, is_other_base) for it in ((pair.old, old), (pair.new, new)))
    else:
        before, after = pair.old.resolve(old), pair.new.resolve(new)
        if pointed(before) or pointed(after):  # in another document, or nowhere
            yield place.change("changed", "is described in another place")
            return
        is_other_class = shapes.has_class(before) and shapes.has_class(after)
    if is_other_class:
        names = names_of(new) or names_of(old)
        yield place.change("changed", "has a class of another name", names=names, is_on_wire=False)
    # The words are those of another schema then; only what they describe is compared.
    yield from compare_schemas(pair, place, shapes.without(WORDS, before), shapes.without(WORDS, after))
    if is_other_base:
        yield place.reworded(f"what {place.thing} is composed of")


def _property_findings(pair: Pair, place: Place, old: Node, new: Node) -> Iterator[Change]:
    """Compare the properties of objects."""
    before, after = mapping(old.get("properties")), mapping(new.get("properties"))
    was_required, is_required = ({str(name) for name in sequence(it.get("required"))} for it in (old, new))

    def is_renamed(gone: str, come: str) -> bool:
        is_same_duty = (gone in was_required) == (come in is_required)
        return is_same_duty and shapes.alike(pair, before[gone], after[come])

    renamed = shapes.renames(before, after, is_renamed)
    for name in [*{**before, **after}, *sorted((was_required | is_required) - {*before, *after})]:
        here = place.to_property(name, schema_of(after.get(name)))
        if name in renamed:
            yield here.change("renamed", f"is called {code(renamed[name])} now", names=[renamed[name]])
        elif name in before.keys() - after.keys():
            yield here.change("removed", "was removed")
        elif name in after.keys() - before.keys() - {*renamed.values()}:
            yield here.added(name in is_required, response=ADDITIVE)
        elif name not in renamed.values():
            yield from here.required(name in was_required, name in is_required)
            yield from compare_schemas(pair, here, before.get(name), after.get(name))
    yield from _further_findings(pair, place, old, new)
    if before.keys() == after.keys() and list(before) != list(after):
        yield place.reworded(f"order of the properties of {place.thing}")


def _further_findings(pair: Pair, place: Place, old: Node, new: Node) -> Iterator[Change]:
    """Compare what is allowed beside the properties that are listed."""
    before, after = (it.get("additionalProperties", True) for it in (old, new))
    if (before is False) == (after is False):
        yield from compare_schemas(pair, place.to_inner("further properties", ".*"), before, after)
    elif after is False:
        yield place.change("changed", "has no further properties any more")
    else:
        yield place.change("changed", "may have further properties", request=ADDITIVE)
