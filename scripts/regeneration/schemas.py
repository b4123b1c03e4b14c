"""The schemas of a document in the forms that openapi-python-client reads rightly: classes by their names, and short expressions of them."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from scripts.regeneration import expressions, identifiers
from scripts.regeneration.documents import Document
from scripts.regeneration.expressions import ANY, DEFAULT, FORMATS, NULL, WIRE, Expression
from scripts.regeneration.pointers import Node, refuse
from scripts.regeneration.schema_parts import NAMES, SHAPES, Shape, check, combine, flatten, kinds_of
from scripts.regeneration.schema_survey import Survey


class Class(NamedTuple):
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
        tags, files: As the survey has found them.
    """

    def __init__(self, document: Document) -> None:
        """Make the classes of all named schemas."""
        self.classes: dict[str, Class] = {}
        self._titles: dict[str, str] = {}
        self._taken: set[str] = set()
        self._queue: list[tuple[Class, Shape]] = []
        self._aliases: list[str] = []
        survey = Survey(document)
        self.tags, self.files, self._with_others = survey.tags, survey.files, survey.with_others
        named = Node(document, document).get("components", {}).get("schemas", {}).entries()
        for name, schema in named.items():
            if _is_class(schema):
                self._reserve(name, schema.place)
        for name, schema in named.items():
            self.express(schema, name)
        self.finish()

    def finish(self) -> None:
        """Make the classes that were asked for and are not there yet."""
        while self._queue:
            self._fill(*self._queue.pop(0))

    def express(self, schema: Node, name: str, *, is_open: bool = True) -> Expression:
        """Return the expression of a schema.

        Args:
            schema: The schema.
            name: What a class for it would be called.
            is_open: Whether a value that an enum does not list is taken as it comes.
        """
        if isinstance(schema.value, dict) and schema.value.keys() & SHAPES == {"$ref"}:
            check(schema)
            schema = schema.resolve()
        shape = flatten(schema)
        if len(shape.parts) == 1 and shape.choice is None and shape.parts[0].place in self._titles:
            shape = replace(shape, place=shape.parts[0].place)
        place = shape.place
        if place in self._titles:
            return self._of_class(shape, name, is_open)
        if place in self._aliases:
            refuse("A schema refers to itself other than through the members of an object", place)
        self._aliases.append(place)
        found = self._of_shape(shape, name, is_open)
        self._aliases.remove(place)
        return found

    def members_of(self, expression: Expression) -> dict[str, Expression] | None:
        """Return what the members of an object are, by their names on the wire; None of what is not an object."""
        if expression.get("$ref") == expressions.refer(expressions.OTHER)["$ref"]:
            return {"": ANY}
        if expression.get("type") == "object":
            return {"": expression["additionalProperties"]}
        self.finish()
        made = self.classes.get(str(expression.get("$ref")).rpartition("/")[2])
        if made is None or "enum" in made.schema:
            return None
        extra = made.schema["additionalProperties"]
        others = {} if extra is False else {"": extra}
        return others | {each[WIRE]: each for each in made.schema["properties"].values()}

    def is_plain(self, expression: Expression) -> bool:
        """Whether a value can be written as a text: it is neither a list nor an object, nor a file."""
        choices = expressions.choices_of(expression)
        is_read = any(each.get("type") == "array" or each.get("format") == "binary" for each in choices)
        return not is_read and all(self.members_of(each) is None for each in choices)

    def is_list(self, expression: Expression) -> bool:
        """Whether a value is a list of such values, or one of them."""
        return all(self.is_plain(each.get("items", each)) for each in expressions.choices_of(expression))

    def _of_class(self, shape: Shape, name: str, is_open: bool, *, is_joined: bool = False) -> Expression:
        merged = shape.merged
        title = self._reserve(name, shape.place)
        name = identifiers.to_class(title)
        if name not in self.classes:
            modules = [each.module for each in self.classes.values()]
            module = identifiers.make_unique(identifiers.to_variable(name), modules)
            about: dict[str, Any] = {"title": title, "description": str(merged.get("description") or "")}
            about["deprecated"] = bool(merged.get("deprecated"))
            base = shape.parts if is_joined else ()
            self.classes[name] = made = Class(name, module, shape.place, about, base)
            self._queue.append((made, shape))
        kind = "integer" if all(isinstance(value, int) for value in shape.values) else "string"
        choices = [expressions.refer(name), *([{"type": kind}] if "enum" in merged and is_open else [])]
        return expressions.unite([*choices, *([NULL] if shape.is_nullable else [])])

    def _of_shape(self, shape: Shape, name: str, is_open: bool) -> Expression:
        if shape.choice is not None:
            return self._of_choice(shape, shape.choice, name, is_open)
        if shape.merged.keys() & {"const", "enum"}:
            return self._of_values(shape, name, is_open)
        found = [self._of_kind(kind, shape, name, is_open) for kind in kinds_of(shape.merged)]
        return expressions.unite(found) if found else ANY

    def _of_kind(self, kind: str, shape: Shape, name: str, is_open: bool) -> Expression:
        merged, place = shape.merged, shape.place
        if kind == "array":
            return {"type": "array", "items": self.express(shape.items, f"{name}Item", is_open=is_open)}
        if kind == "object":
            if merged.get("properties") or place in self.tags:
                return self._of_class(shape, name, is_open)
            return self.map_of(self._express_extra(shape, name) or ANY)
        if kind == "string" and place in self.files:
            return {"type": kind, "format": "binary"}
        if kind == "string" and merged.get("format") in FORMATS:
            return {"type": kind, "format": merged["format"]}
        return {"type": kind}

    def map_of(self, values: Expression) -> Expression:
        """Return the expression of an object whose names are not known."""
        title = identifiers.make_title(f"Map {len(self._taken)}", self._taken)
        self._taken.add(identifiers.to_class(title))
        return {"type": "object", "title": title, "additionalProperties": values}

    def _of_values(self, shape: Shape, name: str, is_open: bool) -> Expression:
        if shape.is_enum:
            return self._of_class(shape, name, is_open)
        if any(isinstance(value, dict | list) for value in shape.values):
            refuse("An enum of objects or lists cannot be rendered", shape.place)
        is_constant = all(isinstance(value, str | int) for value in shape.values)
        found = [{"const": it} if is_constant else {"type": NAMES[type(it)]} for it in shape.values]
        return expressions.unite([*found, *([NULL] if shape.is_nullable else [])])

    def _of_choice(self, shape: Shape, choice: Node, name: str, is_open: bool) -> Expression:
        about = SHAPES - {"nullable", "discriminator", "type"}
        base = [part for part in shape.parts if part.value.keys() & about]
        found = [NULL] if replace(shape, place=choice.place).is_nullable and not base else []
        for number, variant in enumerate(choice):
            named = f"{name}Type{number}"
            if base:
                inner = flatten(variant)
                if inner.choice:
                    variant.refuse("A choice within a choice, beside other members, cannot be rendered")
                joined = replace(inner, parts=[*base, *inner.parts])
                found.append(self._of_class(joined, named, is_open, is_joined=True))
            else:
                found.append(self.express(variant, named, is_open=is_open))
        if choice.place in self._with_others:
            found.append(expressions.refer(expressions.OTHER))
        return expressions.unite(found)

    def _reserve(self, name: str, place: str) -> str:
        if place not in self._titles:
            self._titles[place] = title = identifiers.make_title(name, self._taken)
            self._taken.add(identifiers.to_class(title))
        return self._titles[place]

    def _fill(self, made: Class, shape: Shape) -> None:
        place = made.pointer
        if "enum" in shape.merged:
            constants: dict[str, Any] = {}
            for value in shape.values:
                constants[identifiers.make_unique(identifiers.to_constant(value), constants)] = value
            names = sorted(constants)
            made.schema.update({"enum": [constants[name] for name in names], "x-enum-varnames": names})
            return
        found, tags = shape.members, self.tags.get(place, {})
        for wire in shape.required:
            if wire not in tags:
                found.setdefault(wire, [shape.extra or Node({}, {})])
        variables = identifiers.name_all({**found, **dict.fromkeys(tags)})
        # What only the server may give, or only the client, is missing in what the other sends.
        one_way = {wire for wire, several in found.items() if any(map(_is_one_way, several))}
        required = ({*shape.required} - one_way) | tags.keys()
        members: dict[str, dict[str, Any]] = {}
        for wire, variable in variables.items():
            schema = combine(found.get(wire, [Node({}, {"type": "string"}, place)]))
            if wire in tags:
                kind = expressions.unite({"const": value} for value in tags[wire])
            else:
                kind = self.express(schema, made.name + identifiers.to_class(wire).rstrip("_"))
            members[variable] = expressions.make_member(wire, schema, kind, is_required=wire in required)
        # As in a signature: what has to be given comes first, and of that what has no default.
        needed = [variable for wire, variable in variables.items() if wire in required]
        needed.sort(key=lambda variable: DEFAULT in members[variable])
        properties = {variable: members[variable] for variable in dict.fromkeys([*needed, *members])}
        made.schema.update(type="object", properties=properties, required=needed)
        others = self._express_extra(shape, made.name)
        made.schema["additionalProperties"] = False if others is None else others

    def _express_extra(self, shape: Shape, name: str) -> Expression | None:
        extra = shape.extra
        return None if extra is None else self.express(extra, f"{name}Value")


def _is_one_way(schema: Node) -> bool:
    """Return whether a value is only read, or only written."""
    parts = [part.value for part in (schema, *flatten(schema).parts) if isinstance(part.value, dict)]
    return any(part.get("readOnly") or part.get("writeOnly") for part in parts)


def _is_class(schema: Node) -> bool:
    if not isinstance(schema.value, dict) or "$ref" in schema:
        return False
    shape = flatten(schema)
    # One that refers to another by allOf is nothing but another name for it.
    is_alias = "allOf" in schema and len(shape.parts) == 1 and shape.parts[0].place != schema.place
    if shape.choice is not None or is_alias:
        return False
    return shape.is_enum or ("enum" not in shape.merged and "object" in kinds_of(shape.merged))
