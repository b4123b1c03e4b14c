"""Short expressions of schemas, and what can be said of a value by them."""

from collections.abc import Iterable
from typing import Any

from scripts.regeneration.pointers import Node, refuse
from scripts.regeneration.schema_parts import ANNOTATIONS, NAMES, flatten

Expression = dict[str, Any]
"""A schema of a value: a plain type, a constant, a list, a map, a reference to a class, or anyOf these; empty for any value."""
ANY: Expression = {}
NULL: Expression = {"type": "null"}
WIRE, DEFAULT = "x-payman-wire", "x-payman-default"
"""Of a member: its name in JSON where it has another one in Python, and its default as code."""
OTHER = "Other"
FORMATS = ("date-time", "date", "uuid")
_WORDS = {kind: python.__name__ for python, kind in NAMES.items()} | {"null": "None", "bytes": "bytes"}
_OF_FORMATS = {"date-time": "datetime.datetime", "date": "datetime.date", "uuid": "UUID", "binary": "File"}


def refer(name: str) -> Expression:
    """Return the expression of a class."""
    return {"$ref": f"#/components/schemas/{name}"}


def unite(several: Iterable[Expression]) -> Expression:
    """Return the expression of what may be any of some."""
    found = {repr(one): one for each in several for one in each.get("anyOf", [each])}
    if repr(ANY) in found:
        return ANY
    if repr({"type": "string"}) in found:  # so none is read as a time, and written in another way
        found = {key: one for key, one in found.items() if one.get("format") not in FORMATS}
    # Days are tried before times, which could be read from them.
    choices = sorted(found.values(), key=lambda one: (one == NULL, one.get("format") == "date-time"))
    return choices[0] if len(choices) == 1 else {"anyOf": choices}


def choices_of(expression: Expression) -> list[Expression]:
    """Return what a value may be, but null."""
    return [each for each in expression.get("anyOf", [expression]) if each != NULL]


def annotate(*several: Expression) -> str:
    """Return the annotation of what may be any of some things, in their order; None of nothing."""
    choices = list(dict.fromkeys(_word(it) for one in several for it in one.get("anyOf", [one])))
    if "Any" in choices:
        return "Any"
    literals = [choice for choice in choices if choice.startswith("Literal[")]
    if len(literals) > 1:
        one = f"Literal[{', '.join(literal[8:-1] for literal in literals)}]"
        choices = [one if it == literals[0] else it for it in choices if it not in literals[1:]]
    return " | ".join(sorted(choices, key=lambda choice: choice == "None")) or "None"


def _word(each: Expression) -> str:
    match each:
        case {"$ref": str(reference)}:
            return reference.rpartition("/")[2]
        case {"const": value}:
            return f"Literal[{value!r}]"
        case {"type": "array", "items": items}:
            return f"list[{annotate(items)}]"
        case {"type": "object", "additionalProperties": values}:
            return f"dict[str, {annotate(values)}]"
        case {"type": kind, **others}:
            return _OF_FORMATS.get(others.get("format", ""), _WORDS[kind])
    return "Any"


def make_member(wire: str, schema: Node, expression: Expression, *, is_required: bool) -> dict[str, Any]:
    """Return the schema of a member or a parameter: its expression, and what else is said of it."""
    about: dict[str, Any] = {}
    for part in reversed(flatten(schema).parts):
        about |= part.value
    own = schema.value if isinstance(schema.value, dict) else {}
    about |= {key: value for key, value in own.items() if key in ANNOTATIONS}
    made = {**expression, WIRE: wire, "description": str(about.get("description") or "")}
    if about.get("format") == "password":
        made["format"] = "password"
    if about.get("deprecated"):
        made["deprecated"] = True
    default = _find_default(about, expression, schema.place)
    if default is None and is_required and "const" in expression:
        default = repr(expression["const"])
    return made if default is None else {**made, DEFAULT: default}


def _find_default(about: dict[str, Any], expression: Expression, place: str) -> str | None:
    """Return the default as code; None where there is none that a signature can hold."""
    value = about.get("default")
    if "default" not in about or not isinstance(value, str | int | float | bool | None):
        return None
    choices = expression.get("anyOf", [expression])
    kinds = {each.get("type") for each in choices if "format" not in each}
    kind = "null" if value is None else NAMES[type(value)]
    is_listed = any(repr(value) == repr(each.get("const", each)) for each in choices)
    if is_listed or ANY in choices or kind in kinds or (kind == "integer" and "number" in kinds):
        return repr(value)
    is_text = isinstance(value, str)
    if value is None or any("$ref" in each or (is_text and "format" in each) for each in choices):
        return None
    return refuse(f"The default {value!r:.40} does not fit its type", place)
