"""What a schema says of a value: all that holds of it at once, and the choice that there is.

A keyword that is not listed here is refused: nobody has said what it would mean.
"""

from __future__ import annotations

from typing import Any

from scripts.regeneration.documents import Document
from scripts.regeneration.pointers import join, refuse, resolve

ANNOTATIONS = frozenset(
    (
        *("title", "description", "example", "examples", "externalDocs", "xml", "$comment"),
        *("default", "deprecated", "readOnly", "writeOnly", "$schema", "$defs"),
        *("format", "contentEncoding", "contentMediaType", "contentSchema"),
    )
)
_CHECKS = frozenset(
    (
        *("minLength", "maxLength", "pattern"),
        *("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
        *("minItems", "maxItems", "uniqueItems", "contains", "minContains", "maxContains"),
        *("minProperties", "maxProperties", "propertyNames", "dependentRequired"),
    )
)
"""What only narrows a value: the server checks it, the client does not."""
CHOICES = ("oneOf", "anyOf")
_OBJECT = ("properties", "required", "additionalProperties")
SHAPES = frozenset(
    ["$ref", "type", "enum", "const", "items", "allOf", "discriminator", "nullable", *CHOICES, *_OBJECT]
)
_KINDS: dict[str, Any] = {
    "type": (str, list),
    "enum": list,
    "properties": dict,
    "required": list,
    "allOf": list,
    "oneOf": list,
    "anyOf": list,
}
Part = tuple[dict[str, Any], str]
"""A schema without references, and where it is."""
Choice = tuple[list[Any], str, str]
"""The variants of a choice, where the schema is that has it, and its keyword."""


def flatten(document: Document, schema: Any, place: str) -> tuple[list[Part], Choice | None]:
    """Give what all of holds of a value, references followed, and the choice that there is besides."""
    parts: list[Part] = []
    choice: Choice | None = None
    waiting: list[tuple[Any, str, tuple[str, ...]]] = [(schema, place, ())]
    while waiting:
        schema, place, seen = waiting.pop(0)
        if schema is True:
            continue
        if not isinstance(schema, dict):
            refuse(
                "A schema that nothing fits cannot be rendered"
                if schema is False
                else "This is not a schema",
                place,
            )
        check(schema, place)
        if "$ref" in schema:
            target, at = resolve(document, schema, place)
            if at in seen:
                refuse("A schema is a part of itself", at)
            waiting.insert(0, (target, at, (*seen, at)))
            if not set(schema) & SHAPES - {"$ref"}:
                continue
        waiting[:0] = [
            (each, join(place, "allOf", number), seen) for number, each in enumerate(schema.get("allOf", ()))
        ]
        for keyword in CHOICES:
            if keyword in schema and not all(only_requires(each) for each in schema[keyword]):
                if choice is not None:
                    refuse("Two choices (oneOf, anyOf) about one value cannot be rendered", place)
                choice = schema[keyword], place, keyword
        own = {key: value for key, value in schema.items() if key not in ("$ref", "allOf", *CHOICES)}
        if set(own) & SHAPES or ("allOf" not in schema and "$ref" not in schema and choice is None):
            parts.append((own, place))
    return parts, choice


def check(schema: dict[str, Any], place: str) -> None:
    """Refuse keywords that nobody listed, and values that a keyword does not take."""
    for key, value in schema.items():
        if key not in SHAPES and key not in ANNOTATIONS and key not in _CHECKS and not key.startswith("x-"):
            refuse(f"The keyword {key} of schemas cannot be rendered", place)
        if key in _KINDS and not isinstance(value, _KINDS[key]):
            refuse(f"{key} is {value!r:.40}, which is not what the keyword takes", place)


def merge(parts: list[Part], place: str) -> dict[str, Any]:
    """Give one schema that says what all parts say."""
    merged: dict[str, Any] = {}
    for part, _ in parts:
        for key, value in part.items():
            if key == "properties":
                value = {**merged.get(key, {}), **value}
            elif key == "type" and key in merged and merged[key] != value:
                mine, other = ([it] if isinstance(it, str) else it for it in (merged[key], value))
                value = [kind for kind in mine if kind in other or (kind == "integer" and "number" in other)]
                if not value:
                    refuse(f"allOf asks for the types {merged[key]} and {other} at once", place)
            elif key in ("enum", "const", "items") and merged.get(key, value) != value:
                refuse(f"allOf gives {key} twice, and not the same", place)
            merged[key] = value
    return merged


def kinds_of(merged: dict[str, Any]) -> list[str]:
    """Give the types that JSON has for a value."""
    given = merged.get("type")
    kinds = [given] if isinstance(given, str) else list(given or ())
    if not kinds and any(key in merged for key in _OBJECT):
        kinds = ["object"]
    if not kinds and "items" in merged:
        kinds = ["array"]
    if kinds and merged.get("nullable") and "null" not in kinds:
        kinds.append("null")
    return kinds


def values_of(merged: dict[str, Any]) -> list[Any]:
    """Give the values of a constant or an enum, but null."""
    given = [merged["const"]] if "const" in merged else merged.get("enum", [])
    return [
        value
        for number, value in enumerate(given)
        if value is not None and repr(value) not in map(repr, given[:number])
    ]


def is_enum(merged: dict[str, Any]) -> bool:
    """Whether it becomes a class: several texts, or several integers."""
    values = values_of(merged)
    texts = all(isinstance(value, str) for value in values)
    return (
        "const" not in merged and len(values) > 1 and (texts or all(type(value) is int for value in values))
    )


def is_nullable(merged: dict[str, Any]) -> bool:
    """Whether null is a value of it."""
    listed = "enum" in merged and None in merged["enum"]
    return (
        "null" in kinds_of(merged) or bool(merged.get("nullable")) or listed or merged.get("const", 0) is None
    )


def only_requires(schema: Any) -> bool:
    """Whether a variant of a choice says nothing but which members there must be."""
    return isinstance(schema, dict) and {*schema} <= {"required", "not"} and "required" in schema


def shape_of(schema: Any) -> Any:
    """Give what of a schema decides on its type."""
    return (
        {key: value for key, value in schema.items() if key in SHAPES} if isinstance(schema, dict) else schema
    )
