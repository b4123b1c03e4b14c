"""What a schema says of a value: all that holds of it at once, and the choice that there is.

A keyword that is not listed here is refused: nobody has said what it would mean.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from scripts.regeneration.documents import DIALECTS
from scripts.regeneration.pointers import Node, refuse

WORDS = {"title", "description", "example", "examples", "externalDocs", "xml", "$comment"}
ANNOTATIONS = WORDS | {
    *("default", "deprecated", "readOnly", "writeOnly", "$schema", "$defs"),
    *("format", "contentEncoding", "contentMediaType", "contentSchema"),
}
CHECKS = {
    *("minLength", "maxLength", "pattern"),
    *("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
    *("minItems", "maxItems", "uniqueItems", "contains", "minContains", "maxContains"),
    *("minProperties", "maxProperties", "propertyNames", "dependentRequired"),
}
"""What only narrows a value: the server checks it, the client does not."""
CHOICES = ("oneOf", "anyOf")
_OBJECT = ("properties", "required", "additionalProperties")
SHAPES = {"$ref", "type", "enum", "const", "items", "allOf", "discriminator", "nullable", *CHOICES, *_OBJECT}


def _is_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(each, str) for each in value)


def _is_discriminator(value: Any) -> bool:
    mapping = value.get("mapping", {}) if isinstance(value, dict) else None
    is_mapping = isinstance(mapping, dict) and _is_texts([*mapping.values()])
    return is_mapping and isinstance(value.get("propertyName"), str)


_FITTING: dict[str, Callable[[Any], bool]] = {
    **dict.fromkeys(("$ref", "format"), lambda value: isinstance(value, str)),
    **dict.fromkeys(("allOf", "enum", *CHOICES), lambda value: isinstance(value, list) and value != []),
    **dict.fromkeys(("nullable", "readOnly", "writeOnly"), lambda value: isinstance(value, bool)),
    "type": lambda value: isinstance(value, str) or (_is_texts(value) and value != []),
    "properties": lambda value: isinstance(value, dict),
    "required": _is_texts,
    "additionalProperties": lambda value: isinstance(value, dict | bool),
    "discriminator": _is_discriminator,
    "$schema": lambda value: value in DIALECTS,
}
"""What a keyword takes, where the client depends on it."""
NAMES = {str: "string", int: "integer", float: "number", bool: "boolean", list: "array", dict: "object"}


@dataclass(frozen=True)
class Shape:
    """All that holds of a value at once, and the choice that there is besides.

    Args:
        parts: What holds of it.
        choice: The variants of the choice.
        place: Where it is said.
    """

    parts: list[Node]
    choice: Node | None
    place: str

    @cached_property
    def merged(self) -> dict[str, Any]:
        """One schema that says what all parts say."""
        from openapi_schema_validator import OAS31Validator  # slow to import, and not needed by who compares

        merged: dict[str, Any] = {}
        for part in self.parts:
            for key, value in part.value.items():
                if key == "properties":
                    value = {**merged.get(key, {}), **value}
                elif key == "type" and key in merged and merged[key] != value:
                    mine, other = ([it] if isinstance(it, str) else it for it in (merged[key], value))
                    value = [it for it in mine if it in other or (it == "integer" and "number" in other)]
                    if "integer" in other and "number" in mine and "integer" not in value:
                        value.append("integer")
                    if not value:
                        said = (" or ".join(kinds) for kinds in (mine, other))
                        refuse(f"allOf asks for the types {' and '.join(said)} at once", self.place)
                elif key == "enum" and key in merged:
                    value = [each for each in merged[key] if each in value]
                    if not value:
                        refuse("allOf gives enum twice, and no value is in both", self.place)
                elif key in ("const", "items") and merged.get(key, value) != value:
                    refuse(f"allOf gives {key} twice, and not the same", self.place)
                merged[key] = value
        kinds = kinds_of(merged)
        for value in values_of(merged) if kinds else ():  # some only look like texts in YAML
            if not any(OAS31Validator.TYPE_CHECKER.is_type(value, kind) for kind in kinds):
                what = f"The value {value!r:.40} of an enum is not of the type {' or '.join(kinds)}"
                refuse(what, self.place)
        return merged

    @property
    def values(self) -> list[Any]:
        """The values of a constant or an enum, but null."""
        return values_of(self.merged)

    @property
    def is_enum(self) -> bool:
        """Whether it becomes a class: several texts, or several integers."""
        kinds = {type(value) for value in self.values}
        return "const" not in self.merged and len(self.values) > 1 and kinds in ({str}, {int})

    @property
    def is_nullable(self) -> bool:
        """Whether null is a value of it."""
        merged = self.merged
        is_null = None in merged.get("enum", ()) or merged.get("const", 0) is None
        return is_null or bool(merged.get("nullable")) or "null" in kinds_of(merged)

    @property
    def members(self) -> dict[str, list[Node]]:
        """All that the parts say of each member."""
        found: dict[str, list[Node]] = {}
        for part in self.parts:
            for wire in part.value.get("properties", {}):
                found.setdefault(wire, []).append(part["properties"][wire])
        return found

    @property
    def required(self) -> list[str]:
        """The names of the members that there have to be."""
        return [*dict.fromkeys(wire for part in self.parts for wire in part.value.get("required", ()))]

    @property
    def extra(self) -> Node | None:
        """What members may be that no part lists: an empty schema for anything, None where there may be none."""
        given = [part["additionalProperties"] for part in self.parts if "additionalProperties" in part]
        if any(each.value is False for each in given):
            return None
        said = (each for each in reversed(given) if isinstance(each.value, dict) and each.value)
        return next(said, Node({}, {}))

    @property
    def items(self) -> Node:
        """What the items of a list may be: an empty schema for anything."""
        return next((part["items"] for part in self.parts if "items" in part), Node({}, {}))


def flatten(schema: Node) -> Shape:
    """Return all parts of a schema, references followed, and the variants of the choice that there is besides."""
    parts: list[Node] = []
    choice: Node | None = None
    waiting: list[tuple[Node, tuple[str, ...]]] = [(schema, ())]
    while waiting:
        node, seen = waiting.pop(0)
        given = node.value
        if given is True:
            continue
        if given is False:
            node.refuse("A schema that nothing fits cannot be rendered")
        if not isinstance(given, dict):
            node.refuse("This is not a schema")
        check(node)
        if "$ref" in given:
            target = node.resolve()
            if target.place in seen:
                target.refuse("A schema is a part of itself")
            waiting.insert(0, (target, (*seen, target.place)))
            if not given.keys() & SHAPES - {"$ref"}:
                continue
        waiting[:0] = [(each, seen) for each in node.get("allOf", ())]
        for keyword in CHOICES:
            if keyword in given and not all(map(only_requires, given[keyword])):
                if choice is not None:
                    node.refuse("Two choices (oneOf, anyOf) about one value cannot be rendered")
                choice = node[keyword]
        own = {key: value for key, value in given.items() if key not in ("$ref", "allOf", *CHOICES)}
        if own.keys() & SHAPES or ("allOf" not in given and "$ref" not in given and choice is None):
            parts.append(replace(node, value=own))
    return Shape(parts, choice, schema.place)


def check(schema: Node) -> None:
    """Refuse keywords that nobody listed, and values that a keyword does not take."""
    for key, value in schema.value.items():
        if key not in SHAPES | ANNOTATIONS | CHECKS and not key.startswith("x-"):
            schema.refuse(f"The keyword {key} of schemas cannot be rendered")
        if key in _FITTING and not _FITTING[key](value):
            schema.refuse(f"{key} is {value!r:.40}, which is not what the keyword takes")
    for kind in kinds_of(schema.value):
        if kind not in (*NAMES.values(), "null"):
            schema.refuse(f"The type {kind!r:.40} is not one that JSON has")


def kinds_of(merged: dict[str, Any]) -> list[str]:
    """Return the types that JSON has for a value."""
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
    """Return the values of a constant or an enum, but null."""
    given = [merged["const"]] if "const" in merged else merged.get("enum", [])
    return [*{repr(value): value for value in given if value is not None}.values()]


def only_requires(schema: Any) -> bool:
    """Whether a variant of a choice says nothing but which members there must be."""
    return isinstance(schema, dict) and {*schema} <= {"required", "not"} and "required" in schema


def combine(several: list[Node]) -> Node:
    """Return one schema that says what several say of the same value."""
    values = [each.value for each in several]
    said = [{key: it[key] for key in it if key in SHAPES} if isinstance(it, dict) else it for it in values]
    is_same = all(each == said[-1] for each in said)
    return several[-1] if is_same else replace(several[-1], value={"allOf": values})
