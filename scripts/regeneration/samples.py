"""Values that an API document allows, taken from its schemas and not from the code that is made of them: what a client is tried with."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from scripts.regeneration.facts import Body
from scripts.regeneration.operations import Operations
from scripts.regeneration.pointers import Node, look_up
from scripts.regeneration.schema_parts import Shape, combine, flatten, kinds_of

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

    def __init__(self, operations: Operations) -> None:
        self._document, self._schemas = operations.document, operations.schemas

    def several(self, schema: Node, text: str = _TEXT, extra: Any = (1, None)) -> Iterator[Any]:
        """Yield a value for each choice that a schema has, and one with nothing that may be absent; `text` is any text, `extra` any member."""
        self._pick, self._most, self._text = 0, 1, text
        self._extra = [*extra] if isinstance(extra, tuple) else extra
        found: list[Any] = []
        while self._pick < min(self._most, _MOST):
            found.append(self._value(schema, _DEPTH))
            self._pick += 1
        found.append(self._value(schema, 0))
        yield from (value for number, value in enumerate(found) if value not in found[:number])

    def fitting(self, schema: Any) -> Callable[[Any], bool]:
        """Return what says whether a value fits a schema: an example that does not proves nothing about a client."""
        from openapi_schema_validator import OAS30Validator, OAS31Validator  # few runs try anything

        whole = {**self._document, "allOf": [schema]}
        kind = OAS30Validator if str(self._document["openapi"]).startswith("3.0") else OAS31Validator
        return lambda value: bool(kind(whole).is_valid(value))

    def _choose(self, several: Sequence[Any]) -> Any:
        self._most = max(self._most, len(several))
        return several[self._pick % len(several)]

    def _value(self, given: Node, depth: int) -> Any:
        if depth < -_DEPTH * 4:
            given.refuse("A schema needs itself, so no value fits it")
        schema = given.resolve()
        shape, places = flatten(schema), [schema.place]
        while shape.choice is not None:
            variant = self._choose([*shape.choice]).resolve()
            inner, places = flatten(variant), [variant.place, *places]
            shape = replace(shape, parts=[*shape.parts, *inner.parts], choice=inner.choice)
        places += [part.place for part in shape.parts]
        if not self._schemas.files.isdisjoint(places):
            return {FILE: "content"}
        merged = shape.merged
        if values := [merged["const"]] if "const" in merged else merged.get("enum"):
            return self._choose(values)
        match self._choose(kinds_of(merged) or ["anything"]):
            case "anything":
                return self._choose(["anything", {"deep": [None, 1.5]}])
            case "object":
                return self._object(shape, places, depth)
            case "array":
                return [self._value(shape.items, depth - 1)] if depth > 0 else []
            case "string":
                return _TEXTS.get(merged.get("format", ""), self._text)
            case kind:
                return _PLAIN[kind]

    def _object(self, shape: Shape, places: list[str], depth: int) -> dict[str, Any]:
        members, extra, required = shape.members, shape.extra, shape.required
        for name in required:
            members.setdefault(name, [extra or Node({}, {})])
        shown = [name for name in members if depth > 0 or name in required]
        found = {name: self._value(combine(members[name]), depth - 1) for name in shown}
        if depth > 0 and extra is not None:
            found["x-new"] = self._value(extra, depth - 1) if extra.value else self._extra
        for place in reversed(places):
            for name, values in self._schemas.tags.get(place, {}).items():
                found[name] = found[name] if found.get(name) in values else values[0]
        return found


def class_trials(operations: Operations) -> Iterator[dict[str, Any]]:
    """Yield what each class is tried with: values, and the examples of the document."""
    samples, document = Samples(operations), operations.document
    for made in operations.schemas.classes.values():
        if "enum" in made.schema:
            values = made.schema["enum"]
        elif "/" in made.pointer and "'format': 'binary'" not in repr(made.schema["properties"]):
            parts = [part.value for part in made.base]
            schema = {"allOf": parts} if parts else look_up(document, made.pointer)
            examples = filter(samples.fitting(schema), _examples(schema))
            values = [*samples.several(Node(document, schema, made.pointer)), *examples]
        else:
            continue
        yield {"class": made.name, "place": made.pointer, "values": values}


def _examples(schema: Any) -> list[Any]:
    about = schema if isinstance(schema, dict) else {}
    given = about.get("examples")
    own = [about["example"]] if "example" in about else []
    return [*given, *own] if isinstance(given, list) else own


def operation_trials(operations: Operations) -> Iterator[dict[str, Any]]:
    """Yield what each operation is tried with: arguments, bodies, answers and events."""
    samples = Samples(operations)
    for operation in operations.found:
        answers = []
        for status, body in (*operation.answers.items(), *(("200", event) for event in operation.events)):
            number = {"default": 599}.get(status) or int(status.replace("XX", "02"))
            media, kind = (body.media, body.kind) if body else ("", "")
            answers += [[number, media, kind, value] for value in _bodies(samples, body)]
        arguments = {}
        for each in operation.parameters:
            # Headers are of ASCII, and what separates values is in none.
            given = ("text", "x") if each.style or each.location in ("header", "cookie") else ()
            arguments[each.variable] = next(samples.several(each.source, *given))
        yield {
            "module": f"api.{operation.tag}.{operation.name}",
            "place": operation.pointer,
            "method": operation.method,
            "arguments": arguments,
            "names": [each.name for each in operation.within("query") if each.is_required and not each.style],
            "kind": operation.body.kind if operation.body else "",
            "bodies": [*_bodies(samples, operation.body)],
            "answers": answers,
            "scheme": operation.scheme,
            "server": operation.server,
        }


def _bodies(samples: Samples, body: Body | None) -> Iterator[Any]:
    """Yield values of a body, and its examples."""
    if body is None or body.kind in ("text", "bytes"):
        yield "te\u00e9xt" if body else None
        return
    schema = body.source.get("schema", {})
    # A form has no place for null in a list.
    yield from samples.several(schema, extra="x" if body.kind == "form" else (1, None))
    named = [each.resolve().value for each in body.source.get("examples", {}).entries().values()]
    examples = [each["value"] for each in named if "value" in each]
    examples += [body.source.value["example"]] if "example" in body.source else []
    yield from filter(samples.fitting(schema.value), examples)
