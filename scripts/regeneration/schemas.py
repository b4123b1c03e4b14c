"""The schemas of a document as classes and types of Python."""

from __future__ import annotations

from typing import Any

from scripts.regeneration.documents import Document
from scripts.regeneration.identifiers import make_unique, name_all, to_class, to_constant, to_variable
from scripts.regeneration.pointers import join, refuse, resolve
from scripts.regeneration.python_types import ANY, Class, Member, Type, find_default, find_only_value, unite
from scripts.regeneration.schema_parts import (
    ANNOTATIONS,
    SHAPES,
    Choice,
    Part,
    check,
    flatten,
    is_enum,
    is_nullable,
    kinds_of,
    merge,
    shape_of,
    values_of,
)
from scripts.regeneration.schema_survey import Survey

_FORMATS = {"date-time": "datetime.datetime", "date": "datetime.date", "uuid": "UUID"}
_PLAIN = {"string": "str", "integer": "int", "number": "float", "boolean": "bool", "null": "None"}


class Schemas:
    """The classes of a document; asking for a type may add some."""

    def __init__(self, document: Document) -> None:
        """Make the classes of all named schemas."""
        self.document = document
        self.classes: dict[str, Class] = {}
        self._names: dict[str, str] = {}
        self._queue: list[tuple[str, list[Part]]] = []
        self._aliases: list[str] = []
        survey = Survey(document)
        self.tags, self.files, self._with_others = survey.tags, survey.files, survey.with_others
        named = document.get("components", {}).get("schemas", {})
        places = [join("/components/schemas", name) for name in named]
        for name, place in zip(named, places, strict=True):
            if self._is_class(named[name], place):
                self._reserve(to_class(name), place)
        for name, place in zip(named, places, strict=True):
            self.type_of(named[name], place, to_class(name))
        self.finish()

    def finish(self) -> None:
        """Make the classes that were asked for and are not there yet."""
        while self._queue:
            place, parts = self._queue.pop(0)
            self._fill(self._names[place], place, parts)

    def type_of(self, schema: Any, place: str, name: str, *, is_open: bool = True) -> Type:
        """Give the type of a schema.

        Args:
            schema: The schema.
            place: Where it is.
            name: What a class for it would be called.
            is_open: Whether a value that an enum does not list is taken as it comes.
        """
        if isinstance(schema, dict) and set(schema) & SHAPES == {"$ref"}:
            check(schema, place)
            schema, place = resolve(self.document, schema, place)
        parts, choice = flatten(self.document, schema, place)
        if len(parts) == 1 and choice is None and parts[0][1] in self._names:
            place = parts[0][1]
        if place in self._names:
            return self._of_class(parts, place, is_open)
        if place in self._aliases:
            refuse("A schema refers to itself other than through the members of an object", place)
        self._aliases.append(place)
        try:
            return self._of_parts(parts, choice, place, name, is_open)
        finally:
            self._aliases.remove(place)

    def _of_class(self, parts: list[Part], place: str, is_open: bool) -> Type:
        merged = merge(parts, place)
        name = self._names[place]
        if name not in self.classes:
            self.classes[name] = Class(
                name,
                make_unique(to_variable(name), {each.module for each in self.classes.values()}),
                place,
                str(merged.get("description") or ""),
                bool(merged.get("deprecated")),
            )
            self._queue.append((place, parts))
        choices = [name]
        if "enum" in merged and is_open:
            choices.append("int" if all(isinstance(value, int) for value in values_of(merged)) else "str")
        return Type((*choices, *(["None"] if is_nullable(merged) else [])), frozenset([name]))

    def _of_parts(
        self,
        parts: list[Part],
        choice: Choice | None,
        place: str,
        name: str,
        is_open: bool,
    ) -> Type:
        if choice is not None:
            return self._of_choice(parts, choice, name, is_open)
        merged = merge(parts, place)
        if "const" in merged or "enum" in merged:
            return self._of_values(merged, parts, place, name, is_open)
        kinds = kinds_of(merged)
        found = [self._of_kind(kind, merged, parts, place, name, is_open) for kind in kinds]
        return unite(found) if found else ANY

    def _of_kind(
        self, kind: str, merged: dict[str, Any], parts: list[Part], place: str, name: str, is_open: bool
    ) -> Type:
        if kind == "array":
            inner = next((at for part, at in parts if "items" in part), place)
            item = self.type_of(merged.get("items", {}), join(inner, "items"), f"{name}Item", is_open=is_open)
            return Type((f"list[{item}]",), item.classes)
        if kind == "object":
            if merged.get("properties") or place in self.tags:
                self._reserve(name, place)
                return Type(
                    self._of_class(parts, place, is_open).choices[:1], frozenset([self._names[place]])
                )
            extra = self._extra(parts, place, name) or ANY
            return Type((f"dict[str, {extra}]",), extra.classes)
        if kind == "string":
            if place in self.files:
                return Type(("File",))
            return Type((_FORMATS.get(merged.get("format", ""), "str"),))
        if kind not in _PLAIN:
            refuse(f"The type {kind!r} is not one that JSON has", place)
        return Type((_PLAIN[kind],))

    def _of_values(
        self, merged: dict[str, Any], parts: list[Part], place: str, name: str, is_open: bool
    ) -> Type:
        values = values_of(merged)
        none = [Type(("None",))] if is_nullable(merged) else []
        if is_enum(merged):
            self._reserve(name, place)
            return unite([self._of_class(parts, place, is_open), *none])
        if not all(isinstance(value, str | int) for value in values):
            if any(isinstance(value, dict | list) for value in values):
                refuse("An enum of objects or lists cannot be rendered", place)
            return unite([*(Type((type(value).__name__,)) for value in values), *none])
        return unite([*([Type((f"Literal[{', '.join(map(repr, values))}]",))] if values else []), *none])

    def _of_choice(self, parts: list[Part], choice: Choice, name: str, is_open: bool) -> Type:
        several, place, keyword = choice
        base = [part for part in parts if set(part[0]) & SHAPES - {"nullable", "discriminator", "type"}]
        nullable = is_nullable(merge(parts, place)) and not base
        found = [Type(("None",))] if nullable else []
        for number, variant in enumerate(several):
            at, named = join(place, keyword, number), f"{name}Type{number}"
            if base:
                inner, deeper = flatten(self.document, variant, at)
                if deeper:
                    refuse("A choice within a choice, beside other members, cannot be rendered", at)
                self._reserve(named, at)
                found.append(self._of_class([*base, *inner], at, is_open))
            else:
                found.append(self.type_of(variant, at, named, is_open=is_open))
        if place in self._with_others:
            found.append(Type(("Other",)))
        return unite(found)

    def _reserve(self, name: str, place: str) -> None:
        if place not in self._names:
            self._names[place] = make_unique(name, {*self._names.values()})

    def _is_class(self, schema: Any, place: str) -> bool:
        if not isinstance(schema, dict) or "$ref" in schema:
            return False
        parts, choice = flatten(self.document, schema, place)
        if choice is not None:
            return False
        merged = merge(parts, place)
        if "allOf" in schema and len(parts) == 1 and parts[0][1] != place:
            return False  # nothing but another name for what it refers to
        return is_enum(merged) or ("enum" not in merged and "object" in kinds_of(merged))

    def _fill(self, name: str, place: str, parts: list[Part]) -> None:
        made = self.classes[name]
        merged = merge(parts, place)
        if "enum" in merged:
            constants: set[str] = set()
            for value in values_of(merged):
                constant = make_unique(to_constant(value), constants)
                constants.add(constant)
                made.values.append((constant, value))
            made.values.sort()
            return
        properties = merged.get("properties", {})
        variables = name_all({**properties, **dict.fromkeys(self.tags.get(place, ()))})
        found: dict[str, list[Part]] = {}
        for part, at in parts:
            for wire, schema in part.get("properties", {}).items():
                found.setdefault(wire, []).append((schema, join(at, "properties", wire)))
        required = {wire for part, _ in parts for wire in part.get("required", ())}
        for wire, variable in variables.items():
            schema, at = self._combined(found.get(wire, [({"type": "string"}, place)]))
            tag = self.tags.get(place, {}).get(wire)
            kind = (
                Type((f"Literal[{', '.join(map(repr, tag))}]",))
                if tag
                else self.type_of(schema, at, name + to_class(wire).rstrip("_"))
            )
            made.members.append(
                self.member(wire, variable, schema, at, kind, wire in required or tag is not None)
            )
        made.members.sort(
            key=lambda member: (not member.is_required, member.default is not None and member.is_required)
        )
        made.extra = self._extra(parts, place, name)

    def member(
        self, wire: str, variable: str, schema: Any, place: str, kind: Type, is_required: bool
    ) -> Member:
        """Give a member with the type `kind`."""
        about: dict[str, Any] = {}
        for part, _ in reversed(flatten(self.document, schema, place)[0]):
            about |= part
        own = schema if isinstance(schema, dict) else {}
        about |= {key: value for key, value in own.items() if key in ANNOTATIONS}
        default = find_default(about, kind, place)
        if default is None and is_required and len(kind.choices) == 1:
            default = find_only_value(kind.choices[0])
        return Member(
            wire,
            variable,
            kind,
            is_required,
            default,
            str(about.get("description") or ""),
            about.get("format") == "password",
            bool(about.get("deprecated")),
        )

    def _combined(self, several: list[Part]) -> Part:
        schema, at = several[-1]
        others = [other for other, _ in several[:-1] if shape_of(other) != shape_of(schema)]
        if others:
            return {"allOf": [other for other, _ in several]}, at
        return schema, at

    def _extra(self, parts: list[Part], place: str, name: str) -> Type | None:
        given = [
            (part["additionalProperties"], join(at, "additionalProperties"))
            for part, at in parts
            if "additionalProperties" in part
        ]
        if any(schema is False for schema, _ in given):
            return None
        typed = [(schema, at) for schema, at in given if isinstance(schema, dict) and schema]
        return self.type_of(*typed[-1], f"{name}Value") if typed else ANY
