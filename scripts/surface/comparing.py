"""What of a change to the public surface breaks programs. Pure: two surfaces in, breakages out.

New names, new members, new optional parameters and keys break nothing; nor does a parameter that takes more than before, or
a return value that can be less. Whoever gives a value is served by a wider type, whoever gets one by a narrower.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from scripts.surface.calling import broken_calls, narrower, wider
from scripts.surface.record import FUNCTIONS, Fact, Surface

_NEEDED = ("key", "option, required")
_KEYS = (*_NEEDED, "key, maybe", "option")


@dataclass(frozen=True, order=True)
class Breakage:
    """One thing that programs relied on.

    Args:
        path: Where.
        what: What they cannot do any more.
    """

    path: str
    what: str

    def __str__(self) -> str:
        return f"{self.path}: {self.what}"


def breakages(old: Surface, new: Surface) -> list[Breakage]:
    """Everything that works with the old surface and not with the new, ordered by path; of what is gone, only the top."""
    found: set[Breakage] = set()
    gone: set[str] = set()
    for path, facts in sorted(_relied_on(old, new).items()):
        if path.rpartition(".")[0] in gone:
            continue
        if not (now := new.at(path)):
            gone.add(path)
            found.add(Breakage(path, "is gone"))
        else:
            found |= {Breakage(path, what) for what in [*_changes(facts, now), *_lost_bases(path, old, new)]}
    return sorted(found | _new_duties(old, new))


def _relied_on(old: Surface, new: Surface) -> dict[str, list[Fact]]:
    """The old facts by path; those of another name only where it stands for something else now."""
    result: dict[str, list[Fact]] = {}
    for fact in old:
        if fact.kind == "base":
            continue
        if fact.kind != "same as":
            result.setdefault(fact.path, []).append(fact)
        elif new.other_name(fact.path) != fact.detail:
            for meant in old.below(fact.detail):
                if meant.kind != "base":
                    path = fact.path + meant.path.removeprefix(fact.detail)
                    result.setdefault(path, []).append(meant)
    return result


def _lost_bases(path: str, old: Surface, new: Surface) -> Iterator[str]:
    """Whoever catches or asks for a base wants what is under it."""
    now = new.ancestors(path)
    for base in old.bases(path):
        if not old.names(base) & now:
            yield f"is no {base} any more"


def _new_duties(old: Surface, new: Surface) -> set[Breakage]:
    """What is new and not optional: in dicts that users make, and in protocols that their classes follow."""
    found: set[Breakage] = set()
    for fact in new:
        owner = fact.path.rpartition(".")[0]
        if old.at(fact.path) or fact.kind == "base":
            continue
        before = old.at(owner)
        if any(one.kind == "typed dict" for one in before) and fact.kind in _NEEDED:
            found.add(Breakage(fact.path, "is new and has to be given"))
        if any(one.kind == "protocol" for one in before):
            found.add(Breakage(fact.path, "is new, and classes that users wrote for the protocol lack it"))
    return found


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


def _other_type(before: Fact, now: Fact) -> Iterator[str]:
    """Says so where the new type or value does not do where the old one did."""
    if before.detail and not _fits(before, now):
        yield f"was {before.detail}, is {now.detail or 'without a type'}"


def _fits(before: Fact, now: Fact) -> bool:
    if before.detail == now.detail:
        return True
    if before.kind in ("read-only", "fixture", "constant"):
        return bool(now.detail) and narrower(now.detail, before.detail)
    if before.kind in ("alias", "option", "option, required"):
        return bool(now.detail) and wider(now.detail, before.detail)
    return False  # a value, or what is both given and got
