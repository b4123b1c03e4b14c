"""TypedDicts, dataclasses and attrs classes: their members, and their JSON Schema."""

from __future__ import annotations

import collections.abc as abc
import dataclasses
import types
import typing
from collections.abc import Mapping
from enum import Enum
from typing import Any, NamedTuple, TypeAlias, cast

from payman_sdk._core.json_schema import SchemaError
from payman_sdk._core.scalar_types import SCALARS

Json: TypeAlias = dict[str, Any]

LISTS: dict[object, type] = {
    list: list,
    abc.Sequence: list,
    abc.Collection: list,
    abc.Iterable: list,
    abc.MutableSequence: list,
    set: set,
    abc.Set: set,
    frozenset: frozenset,
}
DICTS = (dict, abc.Mapping, abc.MutableMapping)


class TypeField(NamedTuple):
    """A member of a class.

    Attributes:
        name: Its name in JSON.
        argument: What the class calls it when an instance is made.
        type: Its type.
        is_required: Whether it has no default.
    """

    name: str
    argument: str
    type: Any
    is_required: bool


def fields_of(owner: type[Any]) -> list[TypeField] | None:
    """Return the members of a TypedDict, a dataclass or an attrs class; None for anything else.

    Raises:
        SchemaError: Its annotations cannot be read.
    """
    required = vars(owner).get("__required_keys__")
    if isinstance(required, frozenset):
        # A class whose annotations are texts does not know which of them are optional.
        marks = {name: typing.get_origin(one) for name, one in _hints(owner, include_extras=True).items()}
        return [
            TypeField(
                name,
                name,
                one,
                marks[name] is typing.Required
                or (name in required and marks[name] is not typing.NotRequired),
            )
            for name, one in _hints(owner).items()
        ]
    if dataclasses.is_dataclass(owner):
        hints = _hints(owner)
        return [
            TypeField(
                one.name,
                one.name,
                hints[one.name],
                one.default is dataclasses.MISSING and one.default_factory is dataclasses.MISSING,
            )
            for one in dataclasses.fields(owner)
            if one.init
        ]
    if hasattr(owner, "__attrs_attrs__"):
        import attrs

        hints = _hints(owner)
        return [
            TypeField(one.name, one.alias or one.name, hints.get(one.name, Any), one.default is attrs.NOTHING)
            for one in attrs.fields(owner)
            if one.init
        ]
    return None


def schema_of(given: Any) -> Json:
    """Return the JSON Schema of a class.

    Raises:
        SchemaError: There is a type in it that JSON has no form for.
    """
    definitions: Json = {}
    schema = _schema(given, definitions)
    return {**schema, "$defs": definitions}


def _schema(given: Any, definitions: Json) -> Json:
    if given in (Any, object):
        return {}
    if given is None or given is types.NoneType:
        return {"type": "null"}
    origin, arguments = typing.get_origin(given), typing.get_args(given)
    if origin is typing.Annotated:
        return _schema(arguments[0], definitions)
    if origin in (typing.Union, types.UnionType):
        return {"anyOf": [_schema(one, definitions) for one in arguments]}
    if origin is typing.Literal:
        return {"enum": [_plain(one) for one in arguments]}
    if (origin or given) in LISTS:
        items = _schema(arguments[0], definitions) if arguments else {}
        return {"type": "array", "items": items}
    if (origin or given) is tuple:
        if not arguments or arguments[1:] == (...,):
            return {"type": "array", "items": _schema(arguments[0], definitions) if arguments else {}}
        several = [_schema(one, definitions) for one in arguments if one != ()]
        return {"type": "array", "prefixItems": several, "minItems": len(several), "maxItems": len(several)}
    if (origin or given) in DICTS:
        if arguments and arguments[0] is not str:
            raise SchemaError(f"has a dict whose keys are not str: {given!r}")
        return {
            "type": "object",
            "additionalProperties": _schema(arguments[1], definitions) if arguments else {},
        }
    if isinstance(given, typing.NewType):
        return _schema(given.__supertype__, definitions)
    if given in SCALARS:
        return dict(SCALARS[given].schema)
    if not isinstance(given, type):
        raise SchemaError(f"holds {given!r}, which has no form in JSON that the SDK knows")
    if issubclass(given, Enum):
        return {"enum": [_plain(member.value) for member in given]}
    return _reference(cast("type[Any]", given), definitions)


def _reference(owner: type[Any], definitions: Json) -> Json:
    name = f"{owner.__module__}.{owner.__qualname__}"
    reference = {"$ref": "#/$defs/" + name.replace("~", "~0").replace("/", "~1")}
    if name in definitions:
        return reference
    definitions[name] = {}  # a class may hold itself
    fields = fields_of(owner)
    if fields is None:
        raise SchemaError(f"holds {owner.__name__}, which has no form in JSON that the SDK knows")
    definitions[name] = {
        "type": "object",
        "title": owner.__name__,
        "properties": {field.name: _schema(field.type, definitions) for field in fields},
        "required": [field.name for field in fields if field.is_required],
        "additionalProperties": False,
    }
    return reference


def _hints(owner: type[Any], *, include_extras: bool = False) -> Mapping[str, Any]:
    try:
        return typing.get_type_hints(owner, include_extras=include_extras)
    except Exception as error:
        raise SchemaError(
            f"has annotations that cannot be read: {error}; define {owner.__name__} and what it names at the top of a module"
        ) from error


def _plain(value: object) -> object:
    if not isinstance(value, str | int | float | bool | None):
        raise SchemaError(f"holds {value!r}, which is not JSON")
    return value
