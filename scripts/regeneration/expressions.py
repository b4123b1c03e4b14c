"""Short expressions of schemas, and what can be said of a value by them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from scripts.regeneration.documents import Document
from scripts.regeneration.pointers import refuse
from scripts.regeneration.schema_parts import ANNOTATIONS, flatten

Expression = dict[str, Any]
"""What a value is: a `type` of Python, a `const`, a list of `items`, a dict of `values`, a `class`, or `anyOf` these; empty for any value."""
ANY: Expression = {}
NULL: Expression = {"type": "None"}
TEXT: Expression = {"type": "str"}
BYTES: Expression = {"type": "bytes"}
FILE: Expression = {"type": "File"}
OTHER: Expression = {"class": "Other"}
TYPES = {"string": "str", "integer": "int", "number": "float", "boolean": "bool", "null": "None"}
FORMATS = {"date-time": "datetime.datetime", "date": "datetime.date", "uuid": "UUID"}
"""Formats of texts that have a type in Python."""


@dataclass(frozen=True)
class Member:
    """A member of an object, or a parameter.

    Args:
        wire: Its name in JSON or in a request, which may be another one in Python.
        expression: What it is.
        is_required: Whether it has to be there.
        description: What the document says of it.
        is_secret: Whether it is not to be shown.
        is_deprecated: Whether the document calls it deprecated.
        default: Its default as code.
    """

    wire: str
    expression: Expression
    is_required: bool
    description: str
    is_secret: bool
    is_deprecated: bool
    default: str | None

    @property
    def annotation(self) -> str:
        """Its type, absence included."""
        found = annotate(self.expression)
        return found if self.is_required else f"{found} | Unset"

    @property
    def assigned(self) -> str:
        """What follows the type in a signature: the default, if there is one."""
        default = self.default or (None if self.is_required else "UNSET")
        return "" if default is None else f" = {default}"


def unite(several: Iterable[Expression]) -> Expression:
    """Give the expression of what may be any of some."""
    found = {repr(one): one for each in several for one in each.get("anyOf", [each])}
    if repr(ANY) in found:
        return ANY
    if repr(TEXT) in found:  # so none is read as a time, and written in another way
        found = {key: one for key, one in found.items() if one.get("type") not in FORMATS.values()}
    # Days are tried before times, which could be read from them.
    choices = sorted(found.values(), key=lambda one: (one == NULL, one.get("type") == "datetime.datetime"))
    return choices[0] if len(choices) == 1 else {"anyOf": choices}


def choices_of(expression: Expression) -> list[Expression]:
    """Give what a value may be, but null."""
    return [each for each in expression.get("anyOf", [expression]) if each != NULL]


def make_member(
    document: Document, wire: str, schema: Any, place: str, expression: Expression, *, is_required: bool
) -> Member:
    """Make a member or a parameter of its schema."""
    about: dict[str, Any] = {}
    for part, _ in reversed(flatten(document, schema, place)[0]):
        about |= part
    own = schema if isinstance(schema, dict) else {}
    about |= {key: value for key, value in own.items() if key in ANNOTATIONS}
    default = _find_default(about, expression, place)
    if default is None and is_required and "const" in expression:
        default = repr(expression["const"])
    description, is_secret = str(about.get("description") or ""), about.get("format") == "password"
    return Member(
        wire, expression, is_required, description, is_secret, bool(about.get("deprecated")), default
    )


def annotate(*several: Expression) -> str:
    """Give the annotation of what may be any of some; choices stay in their order."""
    choices = list(dict.fromkeys(choice for each in several for choice in _annotate_choices(each)))
    if "Any" in choices:
        return "Any"
    literals = [choice for choice in choices if choice.startswith("Literal[")]
    if len(literals) > 1:
        one = f"Literal[{', '.join(literal[8:-1] for literal in literals)}]"
        choices = [one if it == literals[0] else it for it in choices if it not in literals[1:]]
    return " | ".join(sorted(choices, key=lambda choice: choice == "None")) or "None"


def _annotate_choices(expression: Expression) -> Iterable[str]:
    match expression:
        case {"anyOf": several}:
            return [choice for each in several for choice in _annotate_choices(each)]
        case {"type": name} | {"class": name}:
            return [name]
        case {"const": value}:
            return [f"Literal[{value!r}]"]
        case {"items": items}:
            return [f"list[{annotate(items)}]"]
        case {"values": values}:
            return [f"dict[str, {annotate(values)}]"]
    return ["Any"]


def _find_default(about: dict[str, Any], expression: Expression, place: str) -> str | None:
    """Give the default as code; None where there is none that a signature can hold."""
    value = about.get("default")
    if "default" not in about or not isinstance(value, str | int | float | bool | None):
        return None
    choices = expression.get("anyOf", [expression])
    types, kind = {each.get("type") for each in choices}, "None" if value is None else type(value).__name__
    if (
        ANY in choices
        or kind in types
        or (kind == "int" and "float" in types)
        or any(repr(value) == repr(each.get("const", each)) for each in choices)
    ):
        return repr(value)
    is_read = isinstance(value, str) and types & {*FORMATS.values(), "File"}
    if value is None or is_read or any("class" in each for each in choices):
        return None
    return refuse(f"The default {value!r:.40} does not fit its type", place)
