"""Values that an API document allows, taken from its schemas and not from the code that is made of them: what a client is tried with."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from typing import Any

from scripts.regeneration.documents import Document
from scripts.regeneration.facts import Body
from scripts.regeneration.operations import Operations
from scripts.regeneration.pointers import join, look_up, refuse, resolve
from scripts.regeneration.schema_parts import Part, flatten, kinds_of, shape_of
from scripts.regeneration.schemas import Schemas

FILE = "$file"
"""The key of an object that stands for a file, which JSON has no value for."""
_MOST = 16
_DEPTH = 4
_TEXTS = {
    "date-time": "2025-01-31T12:30:45Z",
    "date": "2025-01-31",
    "uuid": "0b7c6a1e-53a4-4d0c-9a3d-2f1f4f1f7f10",
}
_TEXT = "te\u2028xt \u00e9"
_PLAIN = {"integer": 7, "number": 1.5, "boolean": True, "null": None}


class Samples:
    """Gives values for the schemas of a document."""

    def __init__(self, document: Document, schemas: Schemas) -> None:
        self._document, self._schemas = document, schemas
        self._pick, self._most, self._text = 0, 1, _TEXT

    def several(self, schema: Any, place: str, text: str = _TEXT, extra: Any = (1, None)) -> Iterator[Any]:
        """Give a value for each choice that a schema has, and one with nothing that may be absent; `text` is any text, `extra` any member."""
        self._pick, self._most, self._text = 0, 1, text
        self._extra = [*extra] if isinstance(extra, tuple) else extra
        found: list[Any] = []
        while self._pick < min(self._most, _MOST):
            found.append(self._value(schema, place, _DEPTH))
            self._pick += 1
        found.append(self._value(schema, place, 0))
        yield from (value for number, value in enumerate(found) if value not in found[:number])

    def fitting(self, schema: Any) -> Callable[[Any], bool]:
        """Give what says whether a value fits a schema: an example that does not proves nothing about a client."""
        from openapi_schema_validator import OAS30Validator, OAS31Validator  # few runs try anything

        whole = {**self._document, "allOf": [schema]}
        kind = OAS30Validator if str(self._document["openapi"]).startswith("3.0") else OAS31Validator
        return lambda value: bool(kind(whole).is_valid(value))

    def _choose(self, several: list[Any]) -> Any:
        self._most = max(self._most, len(several))
        return several[self._pick % len(several)]

    def _value(self, schema: Any, place: str, depth: int, required: frozenset[str] = frozenset()) -> Any:
        if depth < -_DEPTH * 4:
            refuse("A schema needs itself, so no value fits it", place)
        schema, place = resolve(self._document, schema, place)
        if not isinstance(schema, dict):
            return "anything"
        if place in self._schemas.files:
            return {FILE: "content"}
        if "const" in schema:
            return schema["const"]
        if "enum" in schema:
            return self._choose(schema["enum"])
        chosen = [
            (schema[keyword][number], join(place, keyword, number))
            for keyword in ("oneOf", "anyOf")
            if keyword in schema
            for number in [self._choose([*range(len(schema[keyword]))])]
        ]
        parts = [part for it in ((schema, place), *chosen) for part in flatten(self._document, *it)[0]]
        needed = required | {name for part, _ in parts for name in part.get("required", ())}
        found: Any = None
        for number, each in enumerate(schema.get("allOf", ())):
            value = self._value(each, join(place, "allOf", number), depth, needed)
            found = _joined(found, value, resolve(self._document, each, place)[0])
        if isinstance(found, dict) and any(part.get("additionalProperties") is False for part, _ in parts):
            found.pop("x-new", None)
        for each, at in chosen:
            found = _joined(found, self._value(each, at, depth, needed))
        found = _joined(found, self._own(schema, place, depth, needed), schema)
        if isinstance(found, dict) and not required:
            self._fill_in(found, parts, depth)
        for name, values in self._schemas.tags.get(place, {}).items() if isinstance(found, dict) else ():
            found[name] = found[name] if found.get(name) in values else values[0]
        return found

    def _fill_in(self, found: dict[str, Any], parts: list[Part], depth: int) -> None:
        """Add what one part of a schema requires and another one has, or none."""
        members = {
            name: (inner, join(at, "properties", name))
            for part, at in parts
            for name, inner in part.get("properties", {}).items()
        }
        for part, at in parts:
            for name in part.get("required", ()):
                if name not in found:
                    inner, where = members.get(name) or (part.get("additionalProperties", {}), at)
                    found[name] = self._value(inner, where, depth - 1)

    def _own(self, schema: dict[str, Any], place: str, depth: int, required: frozenset[str]) -> Any:
        kinds = kinds_of(schema)
        if not kinds:
            is_bare = not any(key in schema for key in ("allOf", "anyOf", "oneOf"))
            return self._choose(["anything", {"deep": [None, 1.5]}]) if is_bare else None
        match self._choose(kinds):
            case "object":
                return self._object(schema, place, depth, required)
            case "array":
                inner = schema.get("items", {}), join(place, "items")
                return [self._value(*inner, depth - 1)] if depth > 0 else []
            case "string":
                return _TEXTS.get(schema.get("format", ""), self._text)
            case other:
                return _PLAIN[other]

    def _object(
        self, schema: dict[str, Any], place: str, depth: int, required: Collection[str] = ()
    ) -> dict[str, Any]:
        found: dict[str, Any] = {}
        required = {*required, *schema.get("required", ())}
        for name, inner in schema.get("properties", {}).items():
            if depth > 0 or name in required:
                found[name] = self._value(inner, join(place, "properties", name), depth - 1)
        extra = schema.get("additionalProperties", True)
        if depth > 0 and extra is not False and "allOf" not in schema:
            is_any = extra is True or extra == {}
            found["x-new"] = (
                self._extra if is_any else self._value(extra, join(place, "additionalProperties"), depth - 1)
            )
        return found


def _joined(one: Any, other: Any, schema: Any = None) -> Any:
    """Join what two parts of a schema give; a part that only narrows a member says nothing of what it is."""
    if isinstance(one, dict) and isinstance(other, dict):
        members = schema.get("properties", {}) if isinstance(schema, dict) else {}
        return one | {
            name: value
            for name, value in other.items()
            if name not in one or shape_of(members.get(name, True))
        }
    return other if one is None else one


def class_trials(document: Document, schemas: Schemas) -> Iterator[dict[str, Any]]:
    """Give what each class is tried with: values, and the examples of the document."""
    samples = Samples(document, schemas)
    for made in schemas.classes.values():
        if "enum" in made.schema:
            values = made.schema["enum"]
        elif "/" in made.pointer and "'format': 'binary'" not in repr(made.schema["properties"]):
            parts = [part for part, _ in made.base]
            schema = {"allOf": parts} if parts else look_up(document, made.pointer)
            examples = filter(samples.fitting(schema), _examples(schema))
            values = [*samples.several(schema, made.pointer), *examples]
        else:
            continue
        yield {"class": made.name, "place": made.pointer, "values": values}


def _examples(schema: Any) -> list[Any]:
    about = schema if isinstance(schema, dict) else {}
    given = about.get("examples", [])
    return [*(given if isinstance(given, list) else []), *([about["example"]] if "example" in about else [])]


def operation_trials(
    document: Document, schemas: Schemas, operations: Operations
) -> Iterator[dict[str, Any]]:
    """Give what each operation is tried with: arguments, bodies, answers and events."""
    samples = Samples(document, schemas)
    for operation in operations.found:
        answers = []
        for status, body in (*operation.answers.items(), *(("200", event) for event in operation.events)):
            number = {"default": 599}.get(status) or int(status.replace("XX", "02"))
            media, kind = (body.media, body.kind) if body else ("", "")
            answers += [[number, media, kind, value] for value in _bodies(document, samples, body)]
        # Headers are of ASCII, and what separates values is in none.
        texts = {
            each.variable: ("text", "x") if each.style or each.location in ("header", "cookie") else ()
            for each in operation.parameters
        }
        yield {
            "module": f"api.{operation.tag}.{operation.name}",
            "place": operation.pointer,
            "method": operation.method,
            "arguments": {
                each.variable: next(samples.several(*each.source, *texts[each.variable]))
                for each in operation.parameters
            },
            "names": [each.name for each in operation.within("query") if each.is_required and not each.style],
            "media": [operation.body.media, operation.body.kind] if operation.body else [],
            "bodies": [*_bodies(document, samples, operation.body)] if operation.body else [],
            "answers": answers,
            "scheme": list(vars(operation.scheme).values()) if operation.scheme else None,
            "server": operation.server,
        }


def _bodies(document: Document, samples: Samples, body: Body | None) -> Iterator[Any]:
    """Give values of a body, and its examples."""
    if body is None or body.kind in ("text", "bytes"):
        yield "te\u00e9xt" if body else None
        return
    media, place = body.source
    schema = media.get("schema", {})
    # A form has no place for null in a list.
    yield from samples.several(schema, join(place, "schema"), extra="x" if body.kind == "form" else (1, None))
    named = [resolve(document, each, place)[0] for each in media.get("examples", {}).values()]
    examples = [each["value"] for each in (*named, {"value": media.get("example")}) if "value" in each]
    yield from filter(samples.fitting(schema), examples if "example" in media else examples[:-1])
