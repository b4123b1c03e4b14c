"""Facts about the public surface, each a line of the record, made to be read in a diff."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from typing import NamedTuple

import griffe

Types = Mapping[str, str]
"""The types in place of the type variables of a generic base class."""


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


def type_text(expression: griffe.Expr | str | None, types: Types | None = None) -> str:
    """A type as the source has it, without quotes, and without type variables that are known; empty where there is none."""
    text = "" if expression is None else str(expression)
    if text.startswith(("'", '"')):
        text = str(ast.literal_eval(text))
    for variable, meant in (types or {}).items():
        text = re.sub(rf"(?<![\w.]){variable}(?!\w)", meant, text)
    return text
