"""What of a change to the public surface breaks programs. Pure: two surfaces in, breakages out.

New names, new members, new optional parameters and keys break nothing; nor does a parameter that takes more than before, or
a return value that can be less. Whoever gives a value is served by a wider type, whoever gets one by a narrower.
"""

import ast
import builtins
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path

from griffe import Breakage, BreakageKind, Function, ParameterKind, find_breaking_changes, visit

from scripts.surface.facts import Fact

_ONLY_BY_PLACE, _BY_BOTH = ParameterKind.positional_only, ParameterKind.positional_or_keyword
_STARS: dict[ParameterKind | None, str] = {ParameterKind.var_positional: "*", ParameterKind.var_keyword: "**"}
_OTHER_KIND: dict[tuple[ParameterKind, ParameterKind | None], str] = {
    (_BY_BOTH, _ONLY_BY_PLACE): "cannot be given by name any more",
    (ParameterKind.keyword_only, _ONLY_BY_PLACE): "cannot be given by name any more",
    (_BY_BOTH, ParameterKind.keyword_only): "can only be given by name now",
    (_BY_BOTH, ParameterKind.var_keyword): "can only be given by name now",
}


def broken_calls(old: str, new: str) -> list[str]:
    """What callers of the old signature trip over with the new one."""
    if old == new:
        return []
    # What is in quotes in a literal is a text, and elsewhere the name of a type.
    texts = (f"from typing import Literal\ndef f{text}: ..." for text in (old, new))
    modules = [visit("f", Path("f.py"), text) for text in texts]
    before, now = (module.functions["f"] for module in modules)
    _align_names(before, now)
    broken = [_explain(one, before, now) for one in find_breaking_changes(*modules)]
    return [*filter(None, broken), *_compare_types(before, now)]


def _align_names(before: Function, now: Function) -> None:
    """Return the parameters that no caller names the names that they had: those by place only, `*` and `**`."""
    for place, was in enumerate(before.parameters):
        for there, one in enumerate(now.parameters):
            is_same = was.kind in _STARS and was.kind is one.kind
            if was.kind is _ONLY_BY_PLACE:
                is_same = place == there and one.kind in (_ONLY_BY_PLACE, _BY_BOTH)
            if is_same:
                one.name = was.name


def _explain(breakage: Breakage, before: Function, now: Function) -> str | None:
    """Say what is broken; nothing about another default, nor about what is returned, whose types are compared."""
    was, stays = breakage.old_value, breakage.new_value
    match breakage.kind:
        case BreakageKind.PARAMETER_ADDED_REQUIRED:
            return f"the new parameter {stays.name} has to be given"
        case BreakageKind.PARAMETER_CHANGED_REQUIRED:
            what = "has no default any more"
        case BreakageKind.PARAMETER_MOVED:
            places = [[one.name for one in it.parameters].index(was.name) + 1 for it in (before, now)]
            what = "has moved from place {} to {}".format(*places)
        case BreakageKind.PARAMETER_CHANGED_KIND:
            what = _OTHER_KIND.get((was.kind, stays.kind), "is gone")
        case BreakageKind.PARAMETER_REMOVED:
            is_taken = any(one.kind is ParameterKind.var_keyword for one in now.parameters)
            what = _OTHER_KIND.get((was.kind, ParameterKind.var_keyword if is_taken else None), "is gone")
        case _:
            return None
    return f"the parameter {_STARS.get(was.kind, '')}{was.name} {what}"


def _compare_types(before: Function, now: Function) -> Iterator[str]:
    """Find types that do not do where the old ones did, and new parameters that take what went to the rest."""
    places = [sum(one.kind in (_ONLY_BY_PLACE, _BY_BOTH) for one in it.parameters) for it in (before, now)]
    for was in before.parameters:
        name = f"{_STARS.get(was.kind, '')}{was.name}"
        if was.kind is ParameterKind.var_positional and places[1] > places[0]:
            yield f"a new parameter takes what went to {name}"
        new = now.parameters[was.name].annotation if was.name in now.parameters else None
        if new and was.annotation and not wider(str(new), str(was.annotation)):
            yield f"the parameter {name} took {was.annotation}, takes {new}"
    if before.returns and now.returns and not narrower(str(now.returns), str(before.returns)):
        yield f"returned {before.returns}, returns {now.returns}"


def narrower(new: str, old: str) -> bool:
    """Whether every value of the new type is one of the old, as far as unions and literals tell."""
    return _choices(new) <= _choices(old)


def wider(new: str, old: str) -> bool:
    """Whether the new type takes whatever the old one took."""
    return new in ("Any", "object") or _choices(old) <= _choices(new)


def _choices(text: str) -> set[str]:
    """The members of a union, those of a literal one by one."""
    return _members(ast.parse(text, mode="eval").body)


def _members(node: ast.expr) -> set[str]:
    match node:  # pyright: ignore[reportMatchNotExhaustive] - most kinds are one member
        case ast.BinOp(left, ast.BitOr(), right):
            return _members(left) | _members(right)
        case ast.Subscript(ast.Name("Literal" | "Optional" | "Union" as kind), inner):
            parts = inner.elts if isinstance(inner, ast.Tuple) else [inner]
            if kind == "Literal":
                return {f"Literal[{ast.unparse(part)}]" for part in parts}
            return set[str](["None"] if kind == "Optional" else []).union(*map(_members, parts))
    return {ast.unparse(node)}


_FUNCTIONS = ("def", "async def", "classmethod", "staticmethod")
_NEEDED = ("key", "option, required")
_KEYS = frozenset([*_NEEDED, "key, maybe", "option"])


def breakages(old: Sequence[Fact], new: Sequence[Fact]) -> list[str]:
    """Everything that works with the old surface and not with the new, ordered by path; of what is gone, only the top."""
    before, now = _group(old), _group(new)
    homes = {fact.path: fact.home for fact in [*old, *new] if fact.home}
    found = {*_new_duties(before, now), *_lost_bases(old, new)}
    for path, facts in before.items():
        owner = path.rpartition(".")[0]
        # A base that is lost is said, and not what was inherited from it.
        is_own = homes.get(path, path).rpartition(".")[0] == homes.get(owner, owner)
        if path in now:
            found |= {(path, what) for what in _changes(facts, now[path])}
        elif owner not in before or (owner in now and is_own):
            found.add((path, "is gone"))
    # What breaks a class breaks whatever inherits from it, and its other names.
    return [f"{path}: {what}" for path, what in sorted(found) if (homes.get(path), what) not in found]


def _group(facts: Sequence[Fact]) -> dict[str, list[Fact]]:
    """The facts, which are sorted, by path, without what is only said of a whole class."""
    own = (fact for fact in facts if fact.kind not in ("base", "same as"))
    return {path: list(those) for path, those in groupby(own, key=lambda fact: fact.path)}


def _lost_bases(old: Sequence[Fact], new: Sequence[Fact]) -> Iterator[tuple[str, str]]:
    """Whoever catches or asks for a base wants what is under it."""
    names = {fact.path: fact.detail for fact in new if fact.kind == "same as"}
    bases: defaultdict[str, list[str]] = defaultdict(list)
    for fact in new:
        bases[fact.path] += [fact.detail] if fact.kind == "base" else []

    def list_ancestors(path: str) -> set[str]:
        native = getattr(builtins, path, None)
        above = [it.__name__ for it in native.__mro__[1:]] if isinstance(native, type) else bases[path]
        return {path}.union(*map(list_ancestors, above))

    for path, base in [(fact.path, fact.detail) for fact in old if fact.kind == "base"]:
        known = {base, *(it.path for it in old if (it.kind, it.detail) == ("same as", base))}
        if path in bases and not {names.get(it, it) for it in known} & list_ancestors(path):
            yield path, f"no longer derives from {base}"


def _new_duties(before: Mapping[str, list[Fact]], now: Mapping[str, list[Fact]]) -> Iterator[tuple[str, str]]:
    """What is new and not optional: in dicts that users make, and in protocols that their classes follow."""
    for path in now.keys() - before.keys():
        kinds = {one.kind for one in before.get(path.rpartition(".")[0], ())}
        if "typed dict" in kinds and now[path][0].kind in _NEEDED:
            yield path, "is new and has to be given"
        if "protocol" in kinds:
            yield path, "is new, and classes that users wrote for the protocol lack it"


_FITTING = {
    **dict.fromkeys(("read-only", "fixture", "constant"), narrower),
    **dict.fromkeys(("alias", "option", "option, required"), wider),
}
"""Which other types will do: for what is only got narrower ones, for what is only given wider ones."""


def _changes(old: list[Fact], new: list[Fact]) -> Iterator[str]:
    """What is different of one path, as far as it matters."""
    before, now = old[0], new[0]
    kinds = before.kind, now.kind
    if before.kind in _FUNCTIONS and before.kind == now.kind:
        # Each way to call it has to be among the new ones still; of those that are not, the nearest tells why.
        for one in old:
            yield from min((broken_calls(one.detail, other.detail) for other in new), key=len)
    elif before.kind == now.kind or kinds == ("read-only", "attribute") or _KEYS.issuperset(kinds):
        if now.kind in _NEEDED and before.kind not in _NEEDED:
            yield "has to be given now"
        if before.kind == "key" and now.kind not in _NEEDED:
            yield "need not be there any more"
        fits = _FITTING.get(before.kind)
        is_fitting = fits and now.detail and fits(now.detail, before.detail)
        if before.detail not in ("", now.detail) and not is_fitting:
            yield f"was {before.detail}, is {now.detail or 'without a type'}"
    elif kinds == ("attribute", "read-only"):
        yield "can only be read now"
    else:
        was, stays = (f"{'an' if kind[0] in 'aeiou' else 'a'} {kind}" for kind in kinds)
        yield f"was {was}, is {stays}"
