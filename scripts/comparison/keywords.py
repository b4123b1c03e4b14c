"""How the single keywords of two schemas differ: type, format, values, defaults, lengths, numbers, patterns.

Less is allowed than before, or more: that hurts who has to obey, or who has to read. Beside that, what takes a name of the
generated client away (a value of an enum) or gives it another type in Python (an `enum` in the place of a `const`) is breaking in
both directions.
"""

from collections.abc import Generator, Iterator
from math import inf
from typing import Any, TypeGuard

from scripts.comparison.changes import ADDITIVE, BREAKING, COSMETIC, Change
from scripts.comparison.contract import Node, sequence
from scripts.comparison.places import Place, differ, keyed, listed, value
from scripts.regeneration.schema_parts import CHECKS, NAMES, SHAPES

_SIGNS = {
    **dict.fromkeys(("minLength", "minItems", "minProperties", "minimum"), 1),
    **dict.fromkeys(("maxLength", "maxItems", "maxProperties", "maximum"), -1),
}
"""Limits, and what makes of their numbers some that are the greater, the tighter they are."""


def _limit_changes(place: Place, old: Node, new: Node) -> Iterator[Change]:
    """Yield the changes of all limits."""
    for key in _SIGNS:
        before, after = _limit(key, old), _limit(key, new)
        if before != after:
            says = f"has {_show_limit(key, after)} now, had {_show_limit(key, before)}"
            yield place.tightened(after > before, says)
    pattern, other = old.get("pattern"), new.get("pattern")
    if pattern != other:
        # Which of two patterns is the narrower is not decided; readers are not hurt by either.
        says = f"has to match {value(other)} now" if other else "need not match a pattern any more"
        yield place.change("changed", says, request=BREAKING if other else ADDITIVE, response=ADDITIVE)
    step, other = old.get("multipleOf"), new.get("multipleOf")
    if step != other:
        says = f"has to be a multiple of {value(other)} now" if other else "need not be a multiple any more"
        is_wider = other is None or _divides(other, step)
        yield place.compared(step is None or _divides(step, other), is_wider, says)
    was_unique, is_unique = bool(old.get("uniqueItems")), bool(new.get("uniqueItems"))
    if was_unique != is_unique:
        yield place.tightened(is_unique, f"{'must not' if is_unique else 'may'} have the same item twice")


def _divides(part: Any, whole: Any) -> bool:
    return bool(_is_number(part) and _is_number(whole) and part and whole % part == 0)


def _is_number(given: Any) -> TypeGuard[float]:
    return isinstance(given, (int, float)) and not isinstance(given, bool)


def _limit(key: str, schema: Node) -> tuple[float, bool]:
    """Return a limit as what compares: the number, then whether it is excluded itself."""
    number, exclusive = schema.get(key), schema.get(f"exclusive{key.capitalize()}")
    least = 0.0 if key in ("minLength", "minItems", "minProperties") else -inf
    # In OpenAPI 3.0 the limit has a flag beside it, later the excluded one has a key for itself.
    limit = (_SIGNS[key] * number if _is_number(number) else least, exclusive is True)
    return max(limit, (_SIGNS[key] * exclusive, True)) if _is_number(exclusive) else limit


def _show_limit(key: str, limit: tuple[float, bool]) -> str:
    number, is_excluded = limit
    words = f"no `{key}`" if number == -inf else f"`{key}` {_SIGNS[key] * number:g}"
    return f"{words}, excluded" if is_excluded else words


_OF_PYTHON = {"date", "date-time", "uuid", "binary"}
"""Formats for which the generated client has types of their own."""
_IN_PYTHON = {True: "a `Literal`", False: "a class of an enum"}
"""What the generated client has for a value by itself (`const`), and for values in a list (`enum`), also if it is one."""
_WIDER = {"int32": "int64", "float": "double"}
_FLAGS = {
    "deprecated": ("is deprecated", "is not deprecated any more"),
    "readOnly": ("is only read now", "is not only read any more"),
    "writeOnly": ("is only written now", "is not only written any more"),
}
"""What is said of each flag where it is set now, and where it is not any more."""
_OTHERS = (
    *("not", "if", "then", "else", "contains", "minContains", "maxContains", "prefixItems"),
    *("patternProperties", "propertyNames", "dependentRequired", "dependentSchemas"),
    *("unevaluatedProperties", "unevaluatedItems", "contentEncoding", "contentMediaType"),
    "contentSchema",
)
KEYWORDS = SHAPES | CHECKS | {"format", "default", "x-extensible-enum", *_FLAGS, *_OTHERS}
"""What is compared here and in `schemas`."""


_HOLDERS = {"properties": "object", "additionalProperties": "object", "items": "array"}
"""Keywords that only mean something to values of one type."""


def types(schema: Node) -> frozenset[str] | None:
    """Return the types that a schema allows; None if it allows them all."""
    given = schema.get("type")
    if isinstance(given, str | list):
        return frozenset([given] if isinstance(given, str) else map(str, given))
    for key, name in _HOLDERS.items():
        if key in schema:
            return frozenset({name})
    values = _values(schema)
    return None if values is None else frozenset(NAMES.get(type(each), "null") for each in values)


def type_changes(place: Place, old: Node, new: Node) -> Generator[Change, None, bool]:
    """Yield a change of the type; return whether the rest means nothing: the types have nothing in common, or one is any."""
    before, after = types(old), types(new)
    # Where both list values and no type, the values say everything.
    if before == after or all("type" not in it and _values(it) is not None for it in (old, new)):
        return False
    is_tighter, is_wider = _includes(before, after), _includes(after, before)
    yield place.compared(is_tighter, is_wider, f"is {_named(after)} now, was {_named(before)}")
    return None in (before, after) or not (is_tighter or is_wider)


def _includes(wide: frozenset[str] | None, narrow: frozenset[str] | None) -> bool:
    if wide is None or narrow is None:
        return wide is None
    return wide >= narrow or ("number" in wide and wide | {"integer"} >= narrow)


def _named(names: frozenset[str] | None) -> str:
    if names is None:
        return "of any type"
    return "of type " + " or ".join(value(name) for name in sorted(names))


def keyword_changes(place: Place, old: Node, new: Node) -> Iterator[Change]:
    """Yield the changes of all keywords but the type."""
    yield from _format_changes(place, *(str(it["format"]) if it.get("format") else None for it in (old, new)))
    yield from _value_changes(place, old, new)
    yield from _limit_changes(place, old, new)
    if differ(old.get("default"), new.get("default")) or ("default" in old) != ("default" in new):
        was, now = (value(it["default"]) if "default" in it else "none" for it in (old, new))
        # What is left out of a request means something else then; a property's default is sent by nobody who leaves it out.
        level = BREAKING if place.is_parameter else ADDITIVE
        says = f"has the default {now} now, had {was}"
        yield place.change("changed", says, request=level, response=ADDITIVE)
    yield from flag_changes(place, old, new, *_FLAGS)
    if differ(old.get("discriminator"), new.get("discriminator")):
        yield place.change("changed", "is told apart by another `discriminator`", request=ADDITIVE)
    for key in _OTHERS:
        if not differ(old.get(key), new.get(key)):
            continue
        if key in old and key in new:
            yield place.change("changed", f"has another rule `{key}`")
        else:
            says = f"has a rule `{key}` now" if key in new else f"has no rule `{key}` any more"
            yield place.tightened(key in new, says)


def flag_changes(place: Place, old: Node, new: Node, *keys: str) -> Iterator[Change]:
    """Say which flags are set now, and which are not any more."""
    for key in keys:
        if bool(old.get(key)) != bool(new.get(key)):
            yield place.change("changed", _FLAGS[key][not new.get(key)], request=ADDITIVE)


def _format_changes(place: Place, old: str | None, new: str | None) -> Iterator[Change]:
    says = f"has the format {value(new)} now" if new else f"is not of format {value(old)} any more"
    if old and new:
        says += f", had {value(old)}"
    if old == new:
        return
    if {old, new} <= {None, "password"}:
        # That a person should not see it says nothing about the text itself.
        yield place.change("changed", says, request=COSMETIC)
    elif {old, new} & _OF_PYTHON:
        yield place.change("changed", f"{says}, and another type in Python")
    else:
        is_wider = new is None or _WIDER.get(str(old)) == new
        yield place.compared(old is None or _WIDER.get(str(new)) == old, is_wider, says)


def _values(schema: Node) -> list[Any] | None:
    if "const" in schema:
        return [schema["const"]]
    return sequence(schema["enum"]) if "enum" in schema else None


def _value_changes(place: Place, old: Node, new: Node) -> Iterator[Change]:
    """Compare `enum`, `const` and `x-extensible-enum`; with the last, readers expect values that are not listed."""
    before, after = _values(old), _values(new)
    if before is None or after is None:
        if after is not None:
            yield place.tightened(True, f"is limited to {listed(after)} now")
        if before is not None:
            says = f"is not limited to {listed(before)} any more"
            # A class of an enum is gone from the generated client then.
            request = ADDITIVE if "const" in old else BREAKING
            yield place.change("changed", says, request=request, response=BREAKING)
    elif "const" in old and "const" in new:
        if differ(before, after):
            says = f"is {value(after[0])} now, was {value(before[0])}"
            yield place.change("changed", says, literals=before)
    else:
        if ("const" in old) != ("const" in new):
            was, now = (_IN_PYTHON["const" in it] for it in (old, new))
            yield place.change("changed", f"is {now} now, was {was}", is_on_wire=False)
        yield from _listed_changes(place, before, after, place.is_open or bool(new.get("x-extensible-enum")))
    known, taken = (sequence(it.get("x-extensible-enum")) for it in (old, new))
    yield from _listed_changes(place, known, taken, True)


def _listed_changes(place: Place, old: list[Any], new: list[Any], is_open: bool) -> Iterator[Change]:
    before, after = {keyed(each): each for each in old}, {keyed(each): each for each in new}
    gone = [each for key, each in before.items() if key not in after]
    come = [each for key, each in after.items() if key not in before]
    if gone:
        yield place.change("removed", f"has lost the {_noun(gone)} {listed(gone)}", literals=gone)
    if come:
        says = f"has the new {_noun(come)} {listed(come)}"
        yield place.change("added", says, request=ADDITIVE, response=ADDITIVE if is_open else BREAKING)


def _noun(values: list[Any]) -> str:
    return "value" if len(values) == 1 else "values"
