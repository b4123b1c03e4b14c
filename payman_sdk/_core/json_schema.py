"""Check values against the common part of JSON Schema. Unknown keywords are refused: ignoring one would accept what it forbids."""

import json
import operator
import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, TypeAlias, cast

from payman_sdk._core.json_answer import canonicalize
from payman_sdk._core.wire_json import as_list, as_object
from payman_sdk._refusals import describe_type

Schema: TypeAlias = Mapping[str, Any]

# fmt: off
_ANNOTATIONS = frozenset({
    "$schema", "$id", "$comment", "$anchor", "title", "description", "default", "example", "examples",
    "deprecated", "readOnly", "writeOnly", "format", "contentEncoding", "contentMediaType",
    "discriminator",
})
# fmt: on
"""Keywords that allow or forbid nothing."""
_DEEPEST = 200


class SchemaError(ValueError):
    """A schema cannot be used; the message says why."""


class MismatchError(ValueError):
    """A value does not match a schema; the message says where."""


def check_schema(schema: object) -> Schema:
    """Return a JSON Schema of an object; raises SchemaError."""
    if not isinstance(schema, Mapping):
        raise SchemaError(f"is {describe_type(schema)}, not a dict")
    root = cast("Schema", schema)
    try:
        json.dumps(root, allow_nan=False)
        _check(root, root, "")
    except RecursionError:
        raise SchemaError("is nested too deeply") from None
    except (TypeError, ValueError) as error:
        raise error if isinstance(error, SchemaError) else SchemaError(f"is not JSON: {error}") from None
    if _resolve_reference(root, root).get("type") != "object":
        raise SchemaError('is not of an object; its "type" must be "object"')
    return root


def validate(value: object, schema: Schema) -> None:
    """Check a value against a schema that `check_schema` has returned; raises MismatchError."""
    try:
        _validate(value, schema, schema, "", 0)
    except RecursionError:
        raise MismatchError("it is nested too deeply") from None


def _check(schema: object, root: Schema, path: str) -> None:
    if isinstance(schema, bool):
        return
    if not isinstance(schema, Mapping):
        raise SchemaError(f"holds a {type(schema).__name__} at {path or '/'}, not a schema")
    members = cast("Schema", schema)
    for keyword, value in members.items():
        here = f"{path}/{keyword}"
        if keyword == "$ref":
            _look_up(value, root)
        elif keyword in ("$defs", "definitions", "properties"):
            if not isinstance(value, Mapping):
                raise SchemaError(f"has no object at {here}")
            for name, one in cast("Schema", value).items():
                _check(one, root, f"{here}/{name}")
        elif keyword in ("anyOf", "oneOf", "allOf", "prefixItems"):
            if not (several := as_list(value)):
                raise SchemaError(f"has no list at {here}")
            for position, one in enumerate(several):
                _check(one, root, f"{here}/{position}")
        elif keyword in ("items", "additionalProperties", "not"):
            _check(value, root, here)
        elif keyword in _KEYWORDS:
            if not _KEYWORDS[keyword][0](value):
                raise SchemaError(f"has an unusable {keyword!r} at {path or '/'}")
        elif keyword not in _ANNOTATIONS:
            raise SchemaError(f"uses {keyword!r} at {path or '/'}, which the SDK cannot check")


def _validate(value: object, schema: Schema | bool, root: Schema, path: str, depth: int) -> None:
    if isinstance(schema, bool):
        if not schema:
            raise MismatchError(f"{path or 'it'}: nothing is allowed here")
        return
    if depth > _DEEPEST:
        raise MismatchError(f"{path}: nested too deeply")
    where = path or "it"
    if "$ref" in schema:
        _validate(value, _look_up(schema["$ref"], root), root, path, depth + 1)
    for keyword, (_, allows) in _KEYWORDS.items():
        if keyword in schema and not allows(value, schema[keyword]):
            wanted = json.dumps(schema[keyword], ensure_ascii=False)[:100]
            raise MismatchError(f"{where}: {_kind(value)} does not fit {keyword} {wanted}")
    for one in schema.get("allOf", ()):
        _validate(value, one, root, path, depth + 1)
    for keyword in ("anyOf", "oneOf"):
        if keyword in schema:
            fitting = sum(_fits(value, one, root, depth) for one in schema[keyword])
            if fitting == 0 or (keyword == "oneOf" and fitting > 1):
                raise MismatchError(f"{where}: {_kind(value)} fits {fitting} of {keyword}")
    if "not" in schema and _fits(value, schema["not"], root, depth):
        raise MismatchError(f"{where}: {_kind(value)} is excluded")
    if (members := as_object(value)) is not None:
        properties: Schema = schema.get("properties", {})
        for name, member in members.items():
            one = properties.get(name, schema.get("additionalProperties", True))
            _validate(member, one, root, f"{path}.{name}" if path else name, depth + 1)
    if (items := as_list(value)) is not None:
        prefix: list[Schema] = schema.get("prefixItems", [])
        for position, item in enumerate(items):
            one = prefix[position] if position < len(prefix) else schema.get("items", True)
            _validate(item, one, root, f"{path}[{position}]", depth + 1)


def _fits(value: object, schema: Schema, root: Schema, depth: int) -> bool:
    try:
        _validate(value, schema, root, "", depth + 1)
    except MismatchError:
        return False
    return True


def _look_up(reference: object, root: Schema) -> Schema:
    if not isinstance(reference, str) or not (reference == "#" or reference.startswith("#/")):
        raise SchemaError(f"has a $ref {reference!r}, which is not within it")
    found: Any = root
    for part in reference.split("/")[1:]:
        name = part.replace("~1", "/").replace("~0", "~")
        found = cast("Schema", found).get(name) if isinstance(found, Mapping) else None
    if not isinstance(found, Mapping | bool):
        raise SchemaError(f"has a $ref {reference!r} that leads nowhere")
    return cast("Schema", found)


def _resolve_reference(schema: Schema, root: Schema) -> Schema:
    for _ in range(_DEEPEST):
        if not isinstance(schema, Mapping) or "$ref" not in schema:
            return schema if isinstance(schema, Mapping) else {}
        schema = _look_up(schema["$ref"], root)
    raise SchemaError("refers to itself")


def is_number(value: object) -> bool:
    """Return whether a value is a number of JSON."""
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool)


def is_integer(value: object) -> bool:
    if isinstance(value, Decimal):
        return value.is_finite() and abs(value.adjusted()) < _DEEPEST and value == value.to_integral_value()
    if isinstance(value, float):
        return value.is_integer()
    return isinstance(value, int) and not isinstance(value, bool)


_TYPES: dict[str, Callable[[object], bool]] = {
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "string": lambda value: isinstance(value, str),
    "boolean": lambda value: isinstance(value, bool),
    "null": lambda value: value is None,
    "number": is_number,
    "integer": is_integer,
}


def _names(value: object) -> list[object]:
    several = as_list(value)
    return [value] if several is None else several


def fits_type(value: object, names: object) -> bool:
    """Return whether a value is of a type of JSON Schema, or of one of several."""
    return any(_TYPES[str(name)](value) for name in _names(names))


def _is_equal(one: object, other: object) -> bool:
    return canonicalize(one) == canonicalize(other)


def _is_unique(value: object) -> bool:
    items = as_list(value) or []
    return len(set(map(canonicalize, items))) == len(items)


def _is_pattern(value: object) -> bool:
    try:
        return isinstance(value, str) and re.compile(value) is not None
    except re.error:
        return False


def _is_size(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _are_texts(value: object) -> bool:
    several = as_list(value)
    return several is not None and all(isinstance(one, str) for one in several)


_Keyword: TypeAlias = tuple[Callable[[Any], bool], Callable[[Any, Any], bool]]
"""Whether what a schema says with a keyword can be used; and whether that allows a value."""


def _build_comparison(compare: Callable[[Decimal, Decimal], bool]) -> _Keyword:
    def allows(value: object, bound: object) -> bool:
        return not is_number(value) or compare(Decimal(str(value)), Decimal(str(bound)))

    return (is_number, allows)


def _build_size_check(kind: type[Any], compare: Callable[[int, int], bool]) -> _Keyword:
    return (_is_size, lambda value, bound: not isinstance(value, kind) or compare(len(value), bound))


_KEYWORDS: dict[str, _Keyword] = {
    "type": (
        lambda names: all(isinstance(name, str) and name in _TYPES for name in _names(names)),
        fits_type,
    ),
    "enum": (
        lambda allowed: isinstance(allowed, list),
        lambda value, allowed: any(_is_equal(value, one) for one in allowed),
    ),
    "const": (lambda _: True, _is_equal),
    "required": (
        _are_texts,
        lambda value, names: not isinstance(value, dict) or all(name in value for name in names),
    ),
    "minProperties": _build_size_check(dict, operator.ge),
    "maxProperties": _build_size_check(dict, operator.le),
    "minItems": _build_size_check(list, operator.ge),
    "maxItems": _build_size_check(list, operator.le),
    "uniqueItems": (
        lambda wanted: isinstance(wanted, bool),
        lambda value, wanted: not wanted or _is_unique(value),
    ),
    "minLength": _build_size_check(str, operator.ge),
    "maxLength": _build_size_check(str, operator.le),
    "pattern": (
        _is_pattern,
        lambda value, form: not isinstance(value, str) or re.search(form, value) is not None,
    ),
    "minimum": _build_comparison(operator.ge),
    "maximum": _build_comparison(operator.le),
    "exclusiveMinimum": _build_comparison(operator.gt),
    "exclusiveMaximum": _build_comparison(operator.lt),
    "multipleOf": (
        lambda bound: is_number(bound) and bound > 0,
        _build_comparison(lambda value, bound: value % bound == 0)[1],
    ),
}


def _kind(value: Any) -> str:
    if isinstance(value, list):
        return "a list"
    return "an object" if isinstance(value, dict) else json.dumps(value, default=str)[:60]
