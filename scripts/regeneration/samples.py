"""Values that an API document allows, taken from its schemas and not from the code that is made of them: what a client is tried with."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from openapi_schema_validator import OAS30Validator, OAS31Validator

from scripts.regeneration.documents import Document
from scripts.regeneration.facts import EVENTS, Body, Operation
from scripts.regeneration.operations import Operations
from scripts.regeneration.pointers import join, look_up, resolve
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
_PLAIN = {"integer": 7, "number": 1.5, "boolean": True, "null": None}


class Samples:
    """Gives values for the schemas of a document."""

    def __init__(self, document: Document, schemas: Schemas) -> None:
        self._document, self._schemas = document, schemas
        self._pick, self._most = 0, 1

    def several(self, schema: Any, place: str) -> Iterator[Any]:
        """Give a value for each choice that a schema has, and one with nothing that may be absent."""
        self._pick, self._most = 0, 1
        found: list[Any] = []
        while self._pick < min(self._most, _MOST):
            found.append(self._value(schema, place, _DEPTH))
            self._pick += 1
        found.append(self._value(schema, place, 0))
        yield from (value for number, value in enumerate(found) if value not in found[:number])

    def fitting(self, schema: Any) -> Callable[[Any], bool]:
        """Give what says whether a value fits a schema: an example that does not proves nothing about a client."""
        whole = {"components": self._document.get("components", {}), "allOf": [schema]}
        kind = OAS30Validator if str(self._document["openapi"]).startswith("3.0") else OAS31Validator
        return lambda value: bool(kind(whole).is_valid(value))

    def _choose(self, several: list[Any]) -> Any:
        self._most = max(self._most, len(several))
        return several[self._pick % len(several)]

    def _value(self, schema: Any, place: str, depth: int, tag: tuple[str, Any] | None = None) -> Any:
        if depth < -_DEPTH * 4:
            raise RecursionError("needs itself")
        schema, place = (
            resolve(self._document, schema, place) if self._is_reference(schema) else (schema, place)
        )
        if not isinstance(schema, dict):
            return "anything"
        if place in self._schemas.files:
            return {FILE: "content"}
        if "const" in schema:
            return schema["const"]
        if "enum" in schema:
            return self._choose(schema["enum"])
        found: Any = None
        for number, each in enumerate(schema.get("allOf", ())):
            found = self._joined(found, self._value(each, join(place, "allOf", number), depth))
        for keyword in ("oneOf", "anyOf"):
            if keyword in schema:
                number = self._choose([*range(len(schema[keyword]))])
                found = self._joined(
                    found, self._value(schema[keyword][number], join(place, keyword, number), depth)
                )
        own = self._own(schema, place, depth)
        found = found if own is None and found is not None else self._joined(found, own)
        for name, values in self._schemas.tags.get(place, {}).items() if isinstance(found, dict) else ():
            found[name] = found[name] if found.get(name) in values else values[0]
        return found

    def _is_reference(self, schema: Any) -> bool:
        return isinstance(schema, dict) and "$ref" in schema

    def _joined(self, one: Any, other: Any) -> Any:
        return (
            {**one, **other}
            if isinstance(one, dict) and isinstance(other, dict)
            else other
            if one is None
            else one
        )

    def _own(self, schema: dict[str, Any], place: str, depth: int) -> Any:
        kind = schema.get("type")
        kinds = [kind] if isinstance(kind, str) else list(kind or ())
        kinds += ["null"] if schema.get("nullable") else []
        if not kinds:
            kinds = ["object"] if "properties" in schema or "additionalProperties" in schema else []
            kinds = ["array"] if "items" in schema else kinds
        if not kinds:
            is_bare = not any(key in schema for key in ("allOf", "anyOf", "oneOf", "required"))
            return self._choose(["anything", {"deep": [None, 1.5]}]) if is_bare else None
        match self._choose(kinds):
            case "object":
                return self._object(schema, place, depth)
            case "array":
                return (
                    [self._value(schema.get("items", {}), join(place, "items"), depth - 1)]
                    if depth > 0
                    else []
                )
            case "string":
                return _TEXTS.get(schema.get("format", ""), "te\u2028xt \u00e9")
            case other:
                return _PLAIN[other]

    def _object(self, schema: dict[str, Any], place: str, depth: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        required = schema.get("required", ())
        for name, inner in schema.get("properties", {}).items():
            if depth > 0 or name in required:
                found[name] = self._value(inner, join(place, "properties", name), depth - 1)
        extra = schema.get("additionalProperties", True)
        if depth > 0 and extra is not False and "allOf" not in schema:
            is_any = extra is True or extra == {}
            found["x-new"] = (
                [1, None] if is_any else self._value(extra, join(place, "additionalProperties"), depth - 1)
            )
        return found


def class_trials(document: Document, schemas: Schemas) -> Iterator[dict[str, Any]]:
    """Give what each class is tried with: values, and the examples of the document."""
    samples = Samples(document, schemas)
    for made in schemas.classes.values():
        if "enum" in made.schema:
            values = made.schema["enum"]
        elif "/" in made.pointer and not any(file.startswith(made.pointer + "/") for file in schemas.files):
            schema = look_up(document, made.pointer)
            values = [
                *samples.several(schema, made.pointer),
                *filter(samples.fitting(schema), _examples(schema)),
            ]
        else:
            continue
        yield {"class": made.name, "place": made.pointer, "values": values}


def _examples(schema: Any) -> list[Any]:
    given = schema.get("examples", []) if isinstance(schema, dict) else []
    single = [schema["example"]] if isinstance(schema, dict) and "example" in schema else []
    return [*(given if isinstance(given, list) else []), *single]


def operation_trials(
    document: Document, schemas: Schemas, operations: Operations
) -> Iterator[dict[str, Any]]:
    """Give what each operation is tried with: arguments, bodies, answers and events."""
    samples = Samples(document, schemas)
    for operation in operations.found:
        given, place = look_up(document, operation.pointer), operation.pointer
        body, at = resolve(document, given.get("requestBody", {}), join(place, "requestBody"))
        answers = []
        for status, read in operation.answers.items():
            key = (
                status
                if status in given["responses"]
                else next((it for it in given["responses"] if str(it).upper() == status), status)
            )
            answer, where = resolve(document, given["responses"][key], join(place, "responses", key))
            number = {"default": 599}.get(status) or int(status.replace("XX", "02"))
            answers += [
                [number, read.media if read else "", read.kind if read else "", value]
                for value in _bodies(document, samples, read, answer, where)
            ]
            if operation.event is not None and EVENTS in answer.get("content", {}):
                media = answer["content"][EVENTS]
                events = samples.several(media.get("schema", {}), join(where, "content", EVENTS, "schema"))
                answers += [[number, EVENTS, "event", value] for value in events]
        yield {
            "module": f"api.{operation.tag}.{operation.name}",
            "place": place,
            "method": operation.method,
            "arguments": _arguments(document, samples, operation),
            "names": [each.name for each in operation.within("query") if each.is_required and not each.style],
            "media": [operation.body.media, operation.body.kind] if operation.body else [],
            "bodies": [*_bodies(document, samples, operation.body, body, at)] if operation.body else [],
            "answers": answers,
            "scheme": [operation.scheme.location, operation.scheme.name, operation.scheme.prefix]
            if operation.scheme
            else None,
            "server": operation.server,
        }


def _bodies(
    document: Document, samples: Samples, read: Body | None, given: dict[str, Any], place: str
) -> Iterator[Any]:
    """Give values of a body, and its examples."""
    if read is None or read.kind in ("text", "bytes"):
        yield "te\u00e9xt" if read else None
        return
    media, at = given["content"][read.media], join(place, "content", read.media)
    yield from samples.several(media.get("schema", {}), join(at, "schema"))
    examples: list[Any] = []
    for name, example in media.get("examples", {}).items():
        found, _ = resolve(document, example, join(at, "examples", name))
        if "value" in found:
            examples.append(found["value"])
    examples += [media["example"]] if "example" in media else []
    yield from filter(samples.fitting(media.get("schema", {})), examples)


def _arguments(document: Document, samples: Samples, operation: Operation) -> dict[str, Any]:
    found = {}
    holder = operation.pointer.rpartition("/")[0]
    for at in (holder, operation.pointer):
        for number, each in enumerate(look_up(document, at).get("parameters", [])):
            given, place = resolve(document, each, join(at, "parameters", number))
            schema, place = given.get("schema"), join(place, "schema")
            if schema is None:
                (media, inner), *_ = given["content"].items()
                schema, place = inner.get("schema", {}), join(place, "content", media, "schema")
            for parameter in operation.parameters:
                if (parameter.name, parameter.location) == (given["name"], given["in"]):
                    found[parameter.variable] = next(samples.several(schema, place))
    return found
