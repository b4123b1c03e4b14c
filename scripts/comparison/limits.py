"""How the limits of two schemas differ: lengths, numbers, patterns."""

from __future__ import annotations

from collections.abc import Iterator
from math import inf
from typing import Any

from scripts.comparison.changes import ADDITIVE, BREAKING, Change
from scripts.comparison.contract import Node
from scripts.comparison.places import Place, value

_LOWER = {"minLength": 0.0, "minItems": 0.0, "minProperties": 0.0}
_UPPER = {"maxLength": inf, "maxItems": inf, "maxProperties": inf}
LIMITS = {
    *(*_LOWER, *_UPPER, "pattern", "multipleOf", "uniqueItems"),
    *("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"),
}
"""What is compared here."""


def limit_changes(place: Place, old: Node, new: Node) -> Iterator[Change]:
    """Tell the changes of all limits."""
    before, after = _limits(old), _limits(new)
    for key in before:
        if before[key] != after[key]:
            is_lower = key in _LOWER or key == "minimum"
            is_tighter = after[key] > before[key] if is_lower else after[key] < before[key]
            yield place.tightened(is_tighter, f"has {_limit(key, new)} now, had {_limit(key, old)}")
    pattern, other = old.get("pattern"), new.get("pattern")
    if pattern != other:
        # Which of two patterns is the narrower is not decided; readers are not hurt by either.
        says = f"has to match {value(other)} now" if other else "need not match a pattern any more"
        yield place.change("changed", says, request=BREAKING if other else ADDITIVE, response=ADDITIVE)
    step, other = old.get("multipleOf"), new.get("multipleOf")
    if step != other:
        says = f"has to be a multiple of {value(other)} now" if other else "need not be a multiple any more"
        if step is None or other is None or _divides(other, step) or _divides(step, other):
            yield place.tightened(step is None or (other is not None and _divides(step, other)), says)
        else:
            yield place.change("changed", says, request=BREAKING)
    if bool(old.get("uniqueItems")) != bool(new.get("uniqueItems")):
        is_tighter = bool(new.get("uniqueItems"))
        yield place.tightened(is_tighter, f"{'must not' if is_tighter else 'may'} have the same item twice")


def _divides(part: Any, whole: Any) -> bool:
    return bool(_is_number(part) and _is_number(whole) and part and whole % part == 0)


def _is_number(given: object) -> bool:
    return isinstance(given, (int, float)) and not isinstance(given, bool)


def _limits(schema: Node) -> dict[str, tuple[float, int]]:
    """Give each limit as what compares: the number, then whether it is excluded itself."""
    found: dict[str, tuple[float, int]] = {}
    for key, least in {**_LOWER, **_UPPER}.items():
        found[key] = (schema[key] if _is_number(schema.get(key)) else least, 0)
    for key, least, sign in (("minimum", -inf, 1), ("maximum", inf, -1)):
        limit: tuple[float, int] = (schema[key] if _is_number(schema.get(key)) else least, 0)
        exclusive = schema.get(f"exclusive{key.capitalize()}")
        if exclusive is True:  # as OpenAPI 3.0 has it
            limit = (limit[0], sign)
        elif exclusive is not None and _is_number(exclusive):
            limit = max(limit, (exclusive, sign)) if sign > 0 else min(limit, (exclusive, sign))
        found[key] = limit
    return found


def _limit(key: str, schema: Node) -> str:
    number, excluded = _limits(schema)[key]
    words = f"no `{key}`" if abs(number) == inf else f"`{key}` {number:g}"
    return f"{words}, excluded" if excluded else words
