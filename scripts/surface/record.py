"""Facts about the public surface, and the file they are kept in: sorted, one a line, made to be read in a diff."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import PurePosixPath
from typing import NamedTuple

FILE = PurePosixPath("tests/public_api.txt")
_HEAD = "# What users of payman_sdk may rely on, one fact a line. Written by `python -m scripts.surface --record`.\n"


class Fact(NamedTuple):
    """One thing that users may rely on.

    Args:
        path: What it is about, such as `payman_sdk.PaymanClient.ask`.
        kind: What that is: class, enum, protocol, typed dict; def, async def, classmethod, staticmethod; alias, attribute (can be read
            and set), base, constant, fixture, key (of a dict that has all its keys), key, maybe (one that need not be there), marker (of
            pytest), member (of an enum), option (a key of a dict of which every key may be left out), option, required; read-only,
            same as, setting (in pytest's configuration file).
        detail: A signature, a type, a value, another path; empty where the kind says it all.
        home: The path under which the record has it, where that is another: that of a base class, or of another name.
    """

    path: str
    kind: str
    detail: str = ""
    home: str = ""

    def __str__(self) -> str:
        return f"{self.path}: {self.kind} {self.detail}".rstrip()


def written(facts: Iterable[Fact]) -> str:
    """The facts as the text of a record."""
    return _HEAD + "".join(f"{fact}\n" for fact in sorted(set(facts)) if not fact.home)
