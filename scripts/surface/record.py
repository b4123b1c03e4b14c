"""Facts about the public surface, and the file they are kept in: sorted, one a line, made to be read in a diff."""

from __future__ import annotations

import builtins
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

FILE = PurePosixPath("tests/public_api.txt")
_HEAD = "# What users of payman_sdk may rely on, one fact a line. Written by `python -m scripts.surface --record`.\n"

CLASSES = ("class", "enum", "protocol", "typed dict")
FUNCTIONS = ("def", "async def", "classmethod", "staticmethod")
KINDS = (
    *CLASSES,
    *FUNCTIONS,
    "alias",  # another name for a type
    "attribute",  # can be read and set
    "base",
    "constant",
    "fixture",
    "key",  # of a dict that has all its keys
    "key, maybe",  # one that need not be there
    "marker",  # of pytest
    "member",  # of an enum
    "option",  # a key of a dict of which every key may be left out
    "option, required",
    "read-only",
    "same as",
    "setting",  # in pytest's configuration file
)


class RecordError(Exception):
    """A text that is no record, or one that another version of these scripts wrote."""


@dataclass(frozen=True, order=True)
class Fact:
    """One thing that users may rely on.

    Args:
        path: What it is about, such as `payman_sdk.PaymanClient.ask`.
        kind: One of `KINDS`.
        detail: A signature, a type, a value, another path; empty where the kind says it all.
    """

    path: str
    kind: str
    detail: str = ""

    def __str__(self) -> str:
        return f"{self.path}: {self.kind} {self.detail}".rstrip()


def written(facts: Iterable[Fact]) -> str:
    """The facts as the text of a record."""
    return _HEAD + "".join(f"{fact}\n" for fact in sorted(set(facts)))


def parsed(text: str) -> list[Fact]:
    """The facts in the text of a record.

    Raises:
        RecordError: A line is none of a record.
    """
    return [_fact(line) for line in text.splitlines() if line and not line.startswith("#")]


def _fact(line: str) -> Fact:
    path, colon, said = line.partition(": ")
    for kind in sorted(KINDS, key=len, reverse=True):
        if colon and (said == kind or said.startswith(f"{kind} ")):
            return Fact(path, kind, said[len(kind) + 1 :])
    raise RecordError(f"no fact: {line}")


class Surface:
    """Facts that can be looked up the way Python does: under other names, and in base classes."""

    def __init__(self, facts: Iterable[Fact]) -> None:
        self._own: dict[str, list[Fact]] = defaultdict(list)
        for fact in sorted(facts):
            self._own[fact.path].append(fact)

    def __iter__(self) -> Iterator[Fact]:
        """Give all facts but the base classes."""
        return (fact for facts in self._own.values() for fact in facts if fact.kind != "base")

    def other_name(self, path: str) -> str | None:
        """The path that this one is only another name for."""
        return next((fact.detail for fact in self._own.get(path, []) if fact.kind == "same as"), None)

    def at(self, path: str) -> list[Fact]:
        """What is known of a path, its base classes apart; nothing where there is no such thing."""
        if (target := self.other_name(path)) is not None:
            return self.at(target)
        if path in self._own:
            return [fact for fact in self._own[path] if fact.kind != "base"]
        owner, _, name = path.rpartition(".")
        for above in [self.other_name(owner), *self.bases(owner)] if owner else []:
            if above and (found := self.at(f"{above}.{name}")):
                return found
        return []

    def bases(self, path: str) -> list[str]:
        """The base classes of a class, as far as they are named in the record."""
        path = self.other_name(path) or path
        return [fact.detail for fact in self._own.get(path, []) if fact.kind == "base"]

    def names(self, path: str) -> set[str]:
        """Every path that stands for the same as this one."""
        path = self.other_name(path) or path
        return {path} | {fact.path for fact in self if (fact.kind, fact.detail) == ("same as", path)}

    def ancestors(self, path: str) -> set[str]:
        """A class, its bases, theirs, and so on, by all their names."""
        native = getattr(builtins, path, None)
        if isinstance(native, type):
            return {above.__name__ for above in native.mro()}
        return self.names(path).union(*(self.ancestors(base) for base in self.bases(path)))

    def below(self, path: str) -> list[Fact]:
        """A path's own facts, and those of its members."""
        return [fact for fact in self if fact.path == path or fact.path.startswith(f"{path}.")]
