"""What of a change to the public surface breaks programs. Pure: two surfaces in, breakages out.

New names, new members, new optional parameters and keys break nothing; nor does a parameter that takes more than before, or
a return value that can be less. Whoever gives a value is served by a wider type, whoever gets one by a narrower.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from scripts.surface.record import FUNCTIONS, Fact, Surface


def broken_calls(old: str, new: str) -> list[str]:
    """What callers of the old signature trip over with the new one."""
    if old == new:
        return []
    both = _Signature(old), _Signature(new)
    return [said for find in (_lost, _moved, _needed, _types) for said in find(*both)]


def narrower(new: str, old: str) -> bool:
    """Whether every value of the new type is one of the old, as far as unions and literals tell."""
    return _choices(new) <= _choices(old)


def wider(new: str, old: str) -> bool:
    """Whether the new type takes whatever the old one took."""
    return new in ("Any", "object") or _choices(old) <= _choices(new)


class _Signature:
    def __init__(self, text: str) -> None:
        from griffe import ParameterKind, visit  # scripts/regenerate compares few signatures

        # What is in quotes in a literal is a text, and elsewhere the name of a type.
        function = visit("f", Path("f.py"), f"from typing import Literal\ndef f{text}: ...")["f"]
        given = list(function.parameters)
        by_place = (ParameterKind.positional_only, ParameterKind.positional_or_keyword)
        self.by_place: list[str] = [one.name for one in given if one.kind in by_place]
        self.places = {name: place for place, name in enumerate(self.by_place)}
        self.no_names = {one.name for one in given if one.kind is ParameterKind.positional_only}
        self.rest, self.keywords = (
            next((one for one in given if one.kind is kind), None)
            for kind in (ParameterKind.var_positional, ParameterKind.var_keyword)
        )
        self.named = {one.name: one for one in given if one not in (self.rest, self.keywords)}
        self.optional = {name for name, one in self.named.items() if not one.required}
        self.returned = str(function.returns or "")

    def at(self, place: int) -> str | None:
        """The parameter that a positional argument goes to."""
        if place < len(self.by_place):
            return self.by_place[place]
        return self.rest.name if self.rest else None


def _lost(before: _Signature, now: _Signature) -> Iterator[str]:
    """Parameters that cannot be given by name any more, or not at all."""
    for name in before.named:
        if name in before.no_names:
            if now.at(before.places[name]) is None:
                yield f"the parameter {name} is gone"
        elif name in now.no_names:
            yield f"the parameter {name} cannot be given by name any more"
        elif name not in now.named and now.keywords is None:
            yield f"the parameter {name} is gone"
        elif name not in now.named and name in before.places and now.rest is None:
            yield f"the parameter {name} can only be given by name now"
    for word, was, stays in (("*", before.rest, now.rest), ("**", before.keywords, now.keywords)):
        if was is not None and stays is None:
            yield f"{word}{was.name} is gone"


def _moved(before: _Signature, now: _Signature) -> Iterator[str]:
    """Parameters whose place is another's now."""
    for name, place in before.places.items():
        there = now.at(place)
        if name in now.named and name not in now.places and name not in before.no_names:
            if there is None or there in now.places:
                yield f"the parameter {name} can only be given by name now"
        elif name in now.places and now.places[name] != place:
            yield f"the parameter {name} has moved from place {place + 1} to {now.places[name] + 1}"
    if before.rest is not None and len(now.by_place) > len(before.by_place):
        yield f"a new parameter takes what went to *{before.rest.name}"


def _needed(before: _Signature, now: _Signature) -> Iterator[str]:
    """Parameters that have to be given now."""
    for name in now.named:
        if name in now.optional:
            continue
        if name in before.optional:
            yield f"the parameter {name} has no default any more"
        elif name not in before.named and not _renamed_by_place(name, before, now):
            yield f"the new parameter {name} has to be given"


def _renamed_by_place(name: str, before: _Signature, now: _Signature) -> bool:
    """Whether a parameter that is given by its place only has just another name."""
    place = now.places.get(name)
    return place is not None and place < len(before.by_place) and before.by_place[place] in before.no_names


def _types(before: _Signature, now: _Signature) -> Iterator[str]:
    pairs = [(name, before.named[name], now.named.get(name)) for name in before.named]
    pairs += [(f"*{was.name}", was, now.rest) for was in [before.rest] if was]
    pairs += [(f"**{was.name}", was, now.keywords) for was in [before.keywords] if was]
    for name, was, stays in pairs:
        if stays is None:
            continue
        old, new = (str(it.annotation or "") for it in (was, stays))
        if old and new and not wider(new, old):
            yield f"the parameter {name} took {old}, takes {new}"
    if before.returned and now.returned and not narrower(now.returned, before.returned):
        yield f"returned {before.returned}, returns {now.returned}"


def _choices(text: str) -> set[str]:
    """The members of a union, those of a literal one by one."""
    return _members(ast.parse(text, mode="eval").body)


def _members(node: ast.expr) -> set[str]:
    match node:
        case ast.BinOp(left, ast.BitOr(), right):
            return _members(left) | _members(right)
        case ast.Subscript(ast.Name("Literal" | "Optional" | "Union" as kind), inner):
            parts = inner.elts if isinstance(inner, ast.Tuple) else [inner]
            if kind == "Literal":
                return {f"Literal[{ast.unparse(part)}]" for part in parts}
            return set[str](["None"] if kind == "Optional" else []).union(*map(_members, parts))
    return {ast.unparse(node)}


_NEEDED = ("key", "option, required")
_KEYS = (*_NEEDED, "key, maybe", "option")


def breakages(old: Surface, new: Surface) -> list[str]:
    """Everything that works with the old surface and not with the new, ordered by path; of what is gone, only the top."""
    found: set[tuple[str, str]] = set()
    gone: set[str] = set()
    for path, facts in sorted(_relied_on(old, new).items()):
        if path.rpartition(".")[0] in gone:
            continue
        if not (now := new.at(path)):
            gone.add(path)
            found.add((path, "is gone"))
        else:
            found |= {(path, what) for what in [*_changes(facts, now), *_lost_bases(path, old, new)]}
    return [f"{path}: {what}" for path, what in sorted({*found, *_new_duties(old, new)})]


def _relied_on(old: Surface, new: Surface) -> dict[str, list[Fact]]:
    """The old facts by path; those of another name only where it stands for something else now."""
    result: dict[str, list[Fact]] = {}
    for fact in old:
        if fact.kind != "same as":
            result.setdefault(fact.path, []).append(fact)
        elif new.other_name(fact.path) != fact.detail:
            for meant in old.below(fact.detail):
                path = fact.path + meant.path.removeprefix(fact.detail)
                result.setdefault(path, []).append(meant)
    return result


def _lost_bases(path: str, old: Surface, new: Surface) -> Iterator[str]:
    """Whoever catches or asks for a base wants what is under it."""
    for base in old.bases(path):
        if not old.names(base) & new.ancestors(path):
            yield f"is no {base} any more"


def _new_duties(old: Surface, new: Surface) -> Iterator[tuple[str, str]]:
    """What is new and not optional: in dicts that users make, and in protocols that their classes follow."""
    for fact in new:
        kinds = {one.kind for one in old.at(fact.path.rpartition(".")[0])}
        if old.at(fact.path):
            continue
        if "typed dict" in kinds and fact.kind in _NEEDED:
            yield fact.path, "is new and has to be given"
        if "protocol" in kinds:
            yield fact.path, "is new, and classes that users wrote for the protocol lack it"


def _changes(old: list[Fact], new: list[Fact]) -> Iterator[str]:
    """What is different of one path, as far as it matters."""
    before, now = old[0], new[0]
    if before.kind in FUNCTIONS and before.kind == now.kind:
        # Each way to call it has to be among the new ones still; of those that are not, the nearest tells why.
        for one in old:
            yield from min((broken_calls(one.detail, other.detail) for other in new), key=len)
    elif before.kind in _KEYS and now.kind in _KEYS:
        if now.kind in _NEEDED and before.kind not in _NEEDED:
            yield "has to be given now"
        if before.kind == "key" and now.kind not in _NEEDED:
            yield "need not be there any more"
        yield from _other_type(before, now)
    elif before.kind == now.kind or (before.kind, now.kind) == ("read-only", "attribute"):
        yield from _other_type(before, now)
    elif (before.kind, now.kind) == ("attribute", "read-only"):
        yield "can only be read now"
    else:
        yield f"was {_article(before.kind)}, is {_article(now.kind)}"


def _article(kind: str) -> str:
    return f"{'an' if kind[0] in 'aeiou' else 'a'} {kind}"


_FITTING = {
    **dict.fromkeys(("read-only", "fixture", "constant"), narrower),
    **dict.fromkeys(("alias", "option", "option, required"), wider),
}
"""Which other types will do: for what is only got narrower ones, for what is only given wider ones."""


def _other_type(before: Fact, now: Fact) -> Iterator[str]:
    """Says so where the new type or value does not do where the old one did."""
    fits = _FITTING.get(before.kind)
    if before.detail not in ("", now.detail) and not (
        fits and now.detail and fits(now.detail, before.detail)
    ):
        yield f"was {before.detail}, is {now.detail or 'without a type'}"
