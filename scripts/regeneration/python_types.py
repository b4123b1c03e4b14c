"""Types and classes of Python, before they are written down."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from scripts.regeneration.pointers import refuse


@dataclass(frozen=True)
class Type:
    """A type, as the choices that an annotation names, and the generated classes among them."""

    choices: tuple[str, ...]
    classes: frozenset[str] = frozenset()

    def __str__(self) -> str:
        """The annotation."""
        none = ["None"] if "None" in self.choices else []
        return " | ".join([choice for choice in self.choices if choice != "None"] + none)


ANY = Type(("Any",))


def unite(types: Iterable[Type]) -> Type:
    """Give the type of what may be any of some types."""
    types = list(types)
    choices = tuple(dict.fromkeys(choice for each in types for choice in each.choices))
    if "Any" in choices:
        return ANY
    return Type(choices, frozenset().union(*(each.classes for each in types)))


@dataclass
class Member:
    """A member of a model, or a parameter: the name it has in JSON, and what becomes of it."""

    name: str
    variable: str
    type: Type
    is_required: bool
    default: str | None
    description: str
    is_secret: bool
    is_deprecated: bool

    @property
    def is_plain(self) -> bool:
        """Whether it has the same name in JSON."""
        return self.name == self.variable

    @property
    def annotation(self) -> str:
        """The type, absence included."""
        return f"{self.type}" if self.is_required else f"{self.type} | Unset"


@dataclass
class Class:
    """A class to be generated."""

    name: str
    module: str
    pointer: str
    description: str
    is_deprecated: bool
    members: list[Member] = field(default_factory=list)
    extra: Type | None = None
    values: list[tuple[str, Any]] = field(default_factory=list)

    @property
    def classes(self) -> set[str]:
        """The other classes that it names."""
        used = [member.type for member in self.members] + ([self.extra] if self.extra else [])
        return {name for each in used for name in each.classes} - {self.name}


def find_only_value(choice: str) -> str | None:
    """Give the one value that a literal type has."""
    literal = ast.parse(choice, mode="eval").body
    is_single = (
        choice.startswith("Literal[")
        and isinstance(literal, ast.Subscript)
        and not isinstance(literal.slice, ast.Tuple)
    )
    return choice[8:-1] if is_single else None


def find_default(about: dict[str, Any], kind: Type, place: str) -> str | None:
    """Give the default as code; None where there is none that a signature can hold."""
    literals = [choice for choice in kind.choices if choice.startswith("Literal[")]
    value = about.get("default")
    if "default" not in about or not isinstance(value, str | int | float | bool | None):
        return None
    if (
        "Any" in kind.choices
        or type(value).__name__ in kind.choices
        or any(repr(value) in each for each in literals)
    ):
        return repr(value)
    if value is None:
        return "None" if "None" in kind.choices else None
    if isinstance(value, int) and "float" in kind.choices:
        return repr(value)
    if isinstance(value, str) and (kind.classes or "datetime" in str(kind) or "UUID" in kind.choices):
        return None
    return refuse(f"The default {value!r:.40} does not fit the type {kind}", place)
