"""The schemas of a document in the forms that openapi-python-client reads rightly: classes by their names, and short expressions of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from scripts.regeneration import expressions, identifiers
from scripts.regeneration.documents import Document
from scripts.regeneration.expressions import ANY, DEFAULT, FORMATS, NULL, TYPES, WIRE, Expression
from scripts.regeneration.pointers import Node, refuse
from scripts.regeneration.schema_parts import (
    SHAPES,
    check,
    collect_members,
    combine,
    find_extra,
    find_items,
    flatten,
    is_enum,
    is_nullable,
    kinds_of,
    merge,
    values_of,
)
from scripts.regeneration.schema_survey import Survey


@dataclass(frozen=True)
class Class:
    """A class to be generated: its name, its module, where its schema is, and that schema as the generator reads it.

    One that is made of a choice and what all choices have in common has all of that in `base`.
    """

    name: str
    module: str
    pointer: str
    schema: dict[str, Any]
    base: Sequence[Node] = ()


class Schemas:
    """The classes of a document; asking for an expression may add some.

    Attributes:
        classes: The classes by their names.
        maps: The names of objects without members, which become no classes.
        tags, files: As the survey has found them.
    """

    def __init__(self, document: Document) -> None:
        """Make the classes of all named schemas."""
        self.classes: dict[str, Class] = {}
        self.maps: set[str] = set()
        self._titles: dict[str, str] = {}
        self._taken: set[str] = set()
        self._modules: set[str] = set()
        self._queue: list[tuple[Class, list[Node]]] = []
        self._aliases: list[str] = []
        survey = Survey(document)
        self.tags, self.files, self._with_others = survey.tags, survey.files, survey.with_others
        schemas = document.get("components", {}).get("schemas", {})
        named = Node(document, schemas, "/components/schemas")
        for name in schemas:
            if _is_class(named[name]):
                self._reserve(name, named[name].place)
        for name in schemas:
            self.express(named[name], name)
        self.finish()

    def finish(self) -> None:
        """Make the classes that were asked for and are not there yet."""
        while self._queue:
            made, parts = self._queue.pop(0)
            self._fill(made, parts)

    def express(self, schema: Node, name: str, *, is_open: bool = True) -> Expression:
        """Give the expression of a schema.

        Args:
            schema: The schema.
            name: What a class for it would be called.
            is_open: Whether a value that an enum does not list is taken as it comes.
        """
        if isinstance(schema.value, dict) and schema.value.keys() & SHAPES == {"$ref"}:
            check(schema)
            schema = schema.resolve()
        parts, choice = flatten(schema)
        is_name = len(parts) == 1 and choice is None and parts[0].place in self._titles
        place = parts[0].place if is_name else schema.place
        if place in self._titles:
            return self._of_class(parts, place, is_open)
        if place in self._aliases:
            refuse("A schema refers to itself other than through the members of an object", place)
        self._aliases.append(place)
        try:
            return self._of_parts(parts, choice, place, name, is_open)
        finally:
            self._aliases.remove(place)

    def members_of(self, expression: Expression) -> dict[str, Expression] | None:
        """Give what the members of an object are, by their names on the wire; None of what is not an object."""
        if expression == expressions.refer(expressions.OTHER):
            return {"": ANY}
        if expression.get("type") == "object":
            extra = expression["additionalProperties"]
            return {"": ANY if extra is True else extra}
        self.finish()
        made = self.classes.get(str(expression.get("$ref")).rpartition("/")[2])
        if made is None or "enum" in made.schema:
            return None
        extra = made.schema["additionalProperties"]
        others = {} if extra is False else {"": ANY if extra is True else extra}
        return others | {each[WIRE]: expressions.bare(each) for each in made.schema["properties"].values()}

    def is_plain(self, expression: Expression) -> bool:
        """Whether a value can be written as a text: it is neither a list nor an object, nor a file."""
        return all(
            each.get("type") != "array" and each.get("format") != "binary" and self.members_of(each) is None
            for each in expressions.choices_of(expression)
        )

    def is_list(self, expression: Expression) -> bool:
        """Whether a value is a list of such values, or one of them."""
        return all(
            self.is_plain(each["items"] if each.get("type") == "array" else each)
            for each in expressions.choices_of(expression)
        )

    def _of_class(
        self, parts: list[Node], place: str, is_open: bool, *, is_joined: bool = False
    ) -> Expression:
        merged = merge(parts, place)
        title = self._titles[place]
        name = identifiers.to_class(title)
        if name not in self.classes:
            module = identifiers.make_unique(identifiers.to_variable(name), self._modules)
            self._modules.add(module)
            about = {
                "description": str(merged.get("description") or ""),
                "deprecated": bool(merged.get("deprecated")),
            }
            self.classes[name] = made = Class(
                name, module, place, {"title": title, **about}, parts if is_joined else ()
            )
            self._queue.append((made, parts))
        kind = "integer" if all(isinstance(value, int) for value in values_of(merged)) else "string"
        choices = [expressions.refer(name), *([{"type": kind}] if "enum" in merged and is_open else [])]
        return expressions.unite([*choices, *([NULL] if is_nullable(merged) else [])])

    def _of_parts(
        self, parts: list[Node], choice: Node | None, place: str, name: str, is_open: bool
    ) -> Expression:
        if choice is not None:
            return self._of_choice(parts, choice, name, is_open)
        merged = merge(parts, place)
        if "const" in merged or "enum" in merged:
            return self._of_values(merged, parts, place, name, is_open)
        found = [self._of_kind(kind, merged, parts, place, name, is_open) for kind in kinds_of(merged)]
        return expressions.unite(found) if found else ANY

    def _of_kind(
        self, kind: str, merged: dict[str, Any], parts: list[Node], place: str, name: str, is_open: bool
    ) -> Expression:
        if kind == "array":
            return {"type": "array", "items": self.express(find_items(parts), f"{name}Item", is_open=is_open)}
        if kind == "object":
            if merged.get("properties") or place in self.tags:
                self._reserve(name, place)
                self._of_class(parts, place, is_open)
                return expressions.refer(identifiers.to_class(self._titles[place]))
            return self.map_of(self._express_extra(parts, name) or ANY)
        if kind == "string" and place in self.files:
            return {"type": kind, "format": "binary"}
        if kind == "string" and merged.get("format") in FORMATS:
            return {"type": kind, "format": merged["format"]}
        return {"type": kind}

    def map_of(self, values: Expression) -> Expression:
        """Give the expression of an object whose names are not known."""
        title = identifiers.make_title(f"Map {len(self.maps) + 1}", self._taken)
        self._taken.add(identifiers.to_class(title))
        self.maps.add(identifiers.to_class(title))
        return {"type": "object", "title": title, "additionalProperties": values or True}

    def _of_values(
        self, merged: dict[str, Any], parts: list[Node], place: str, name: str, is_open: bool
    ) -> Expression:
        values, none = values_of(merged), [NULL] if is_nullable(merged) else []
        if is_enum(merged):
            self._reserve(name, place)
            return expressions.unite([self._of_class(parts, place, is_open), *none])
        if any(isinstance(value, dict | list) for value in values):
            refuse("An enum of objects or lists cannot be rendered", place)
        if all(isinstance(value, str | int) for value in values):
            return expressions.unite([*({"const": value} for value in values), *none])
        return expressions.unite([*({"type": TYPES[type(value).__name__]} for value in values), *none])

    def _of_choice(self, parts: list[Node], choice: Node, name: str, is_open: bool) -> Expression:
        base = [part for part in parts if part.value.keys() & SHAPES - {"nullable", "discriminator", "type"}]
        found = [NULL] if is_nullable(merge(parts, choice.place)) and not base else []
        for number, variant in enumerate(choice):
            named = f"{name}Type{number}"
            if base:
                inner, deeper = flatten(variant)
                if deeper:
                    variant.refuse("A choice within a choice, beside other members, cannot be rendered")
                self._reserve(named, variant.place)
                found.append(self._of_class([*base, *inner], variant.place, is_open, is_joined=True))
            else:
                found.append(self.express(variant, named, is_open=is_open))
        if choice.place in self._with_others:
            found.append(expressions.refer(expressions.OTHER))
        return expressions.unite(found)

    def _reserve(self, name: str, place: str) -> None:
        if place not in self._titles:
            self._titles[place] = title = identifiers.make_title(name, self._taken)
            self._taken.add(identifiers.to_class(title))

    def _fill(self, made: Class, parts: list[Node]) -> None:
        merged, place = merge(parts, made.pointer), made.pointer
        if "enum" in merged:
            constants: dict[str, Any] = {}
            for value in values_of(merged):
                constants[identifiers.make_unique(identifiers.to_constant(value), constants)] = value
            names = sorted(constants)
            made.schema.update({"enum": [constants[name] for name in names], "x-enum-varnames": names})
            return
        found, tags, extra = collect_members(parts), self.tags.get(place, {}), find_extra(parts)
        wanted = dict.fromkeys(wire for part in parts for wire in part.value.get("required", ()))
        for wire in wanted:
            if wire not in tags:
                found.setdefault(wire, [extra or Node({}, {})])
        variables = identifiers.name_all({**found, **dict.fromkeys(tags)})
        # What only the server may give, or only the client, is missing in what the other sends.
        one_way = {
            wire
            for wire, several in found.items()
            for each in several
            for part in (each, *flatten(each)[0])
            if isinstance(part.value, dict) and (part.value.get("readOnly") or part.value.get("writeOnly"))
        }
        required = wanted.keys() - one_way
        members: list[tuple[bool, bool, str, dict[str, Any]]] = []
        for wire, variable in variables.items():
            schema = combine(found.get(wire, [Node({}, {"type": "string"}, place)]))
            if wire in tags:
                kind = expressions.unite({"const": value} for value in tags[wire])
            else:
                kind = self.express(schema, made.name + identifiers.to_class(wire).rstrip("_"))
            is_required = wire in required or wire in tags
            node = expressions.make_member(wire, schema, kind, is_required=is_required)
            members.append((not is_required, DEFAULT in node and is_required, variable, node))
        members.sort(key=lambda member: member[:2])
        others = self._express_extra(parts, made.name)
        made.schema.update(
            type="object",
            properties={variable: node for *_, variable, node in members},
            required=[variable for is_absent, _, variable, _ in members if not is_absent],
            additionalProperties=others is not None and (others or True),
        )

    def _express_extra(self, parts: list[Node], name: str) -> Expression | None:
        extra = find_extra(parts)
        return None if extra is None else self.express(extra, f"{name}Value")


def _is_class(schema: Node) -> bool:
    if not isinstance(schema.value, dict) or "$ref" in schema:
        return False
    parts, choice = flatten(schema)
    # One that refers to another by allOf is nothing but another name for it.
    if choice is not None or ("allOf" in schema and len(parts) == 1 and parts[0].place != schema.place):
        return False
    merged = merge(parts, schema.place)
    return is_enum(merged) or ("enum" not in merged and "object" in kinds_of(merged))
