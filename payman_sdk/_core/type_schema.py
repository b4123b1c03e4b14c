"""TypedDicts, dataclasses and attrs classes in JSON: their JSON Schema, and the values made from an answer."""

import collections.abc as abc
import dataclasses
import datetime as dt
import types
import typing
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from decimal import Decimal
from enum import Enum
from functools import partial
from itertools import repeat
from typing import Any, NamedTuple, TypeVar, cast
from uuid import UUID

from payman_sdk._core.json_schema import MismatchError, SchemaError, fits_type
from payman_sdk._core.wire_json import Json, as_list, as_object

T = TypeVar("T")

_SEQUENCES = list, abc.Sequence, abc.Collection, abc.Iterable, abc.MutableSequence
_LISTS: dict[object, type] = {**dict.fromkeys(_SEQUENCES, list), set: set, abc.Set: set, frozenset: frozenset}
_MARKS: dict[object, bool] = {typing.Required: True, typing.NotRequired: False}
_DICTS = (dict, abc.Mapping, abc.MutableMapping)


class TypeForm(NamedTuple):
    """A type in JSON: its schema, and a function that reads a value at a place, or raises `MismatchError`."""

    schema: Json
    read: Callable[[object, str], Any]


class _Field(NamedTuple):
    """A member of a class: its names in JSON and in the constructor, its type, and whether it has no default."""

    name: str
    argument: str
    type: Any
    is_required: bool


def read_type(given: Any) -> TypeForm:
    """Return what a class is in JSON; raises `SchemaError` if JSON has no form for a type in it."""
    known: dict[str, TypeForm] = {}
    schema, read = _form_of(given, known)
    return TypeForm({**schema, "$defs": {name: one.schema for name, one in known.items()}}, read)


def _form_of(given: Any, known: dict[str, TypeForm]) -> TypeForm:
    origin, arguments = typing.get_origin(given), typing.get_args(given)
    kind = origin or given
    if origin is typing.Annotated:
        return _form_of(arguments[0], known)
    if isinstance(given, typing.NewType):
        return _form_of(given.__supertype__, known)
    if origin in (typing.Union, types.UnionType):
        choices = [_form_of(one, known) for one in arguments]
        return TypeForm({"anyOf": [one.schema for one in choices]}, partial(_read_first, choices))
    if origin is typing.Literal:
        what = f"one of {', '.join(map(repr, arguments))[:200]}"
        return _build_enum_form([(one, one) for one in arguments], what)
    if kind in _LISTS or (kind is tuple and (not arguments or arguments[1:] == (...,))):
        item = _form_of(arguments[0] if arguments else Any, known)
        collect = _LISTS.get(kind, tuple)
        read = partial(_read_items, repeat(item), None, collect)
        return TypeForm({"type": "array", "items": item.schema}, read)
    if kind is tuple:
        items = [_form_of(one, known) for one in arguments]
        sizes = {"minItems": len(items), "maxItems": len(items)}
        schema: Json = {"type": "array", "prefixItems": [one.schema for one in items], **sizes}
        return TypeForm(schema, partial(_read_items, items, len(items), tuple))
    if kind in _DICTS:
        if arguments and arguments[0] is not str:
            raise SchemaError(f"has a dict whose keys are not str: {given!r}")
        member = _form_of(arguments[1] if arguments else Any, known)
        schema = {"type": "object", "additionalProperties": member.schema}
        return TypeForm(schema, partial(_read_members, member))
    if given in _SCALARS:
        schema, what, convert = _SCALARS[given]
        return TypeForm(schema, partial(_read_scalar, schema.get("type"), what, convert))
    if not isinstance(given, type):
        raise SchemaError(f"holds {given!r}, which has no form in JSON that the SDK knows")
    if issubclass(given, Enum):
        return _build_enum_form([(member.value, member) for member in given], f"a {given.__name__}")
    return _form_of_class(cast("type[Any]", given), known)


def _build_enum_form(choices: list[tuple[Any, Any]], what: str) -> TypeForm:
    for one, _ in choices:
        if not isinstance(one, str | int | float | bool | None):
            raise SchemaError(f"holds {one!r}, which is not JSON")
    return TypeForm({"enum": [one for one, _ in choices]}, partial(_read_choice, choices, what))


def _form_of_class(owner: type[Any], known: dict[str, TypeForm]) -> TypeForm:
    name = f"{owner.__module__}.{owner.__qualname__}"
    reference = {"$ref": "#/$defs/" + name.replace("~", "~0").replace("/", "~1")}

    def read(value: object, path: str) -> Any:
        return known[name].read(value, path)

    form = TypeForm(reference, read)
    if name in known:
        return form
    known[name] = form  # a class may hold itself
    fields = find_fields(owner)
    if fields is None:
        raise SchemaError(f"holds {owner.__name__}, which has no form in JSON that the SDK knows")
    forms = {field.name: _form_of(field.type, known) for field in fields}
    schema = {
        "type": "object",
        "title": owner.__name__,
        "properties": {name: one.schema for name, one in forms.items()},
        "required": [field.name for field in fields if field.is_required],
        "additionalProperties": False,
    }
    known[name] = TypeForm(schema, partial(_read_instance, owner, fields, forms))
    return form


def _read_choice(choices: list[tuple[Any, Any]], what: str, value: object, path: str) -> Any:
    for one, meant in choices:
        if type(one) is type(value) and one == value:
            return meant
    raise MismatchError(f"{path or 'it'}: it is not {what}")


def _read_instance(
    owner: type[Any], fields: list[_Field], forms: Mapping[str, TypeForm], value: object, path: str
) -> Any:
    members = _expect(as_object(value), path, "an object")
    arguments: Json = {}
    for field in fields:
        here = f"{path}.{field.name}" if path else field.name
        if field.name in members:
            arguments[field.argument] = forms[field.name].read(members[field.name], here)
        elif field.is_required:
            raise MismatchError(f"{here}: it is missing")
    try:
        return owner(**arguments)
    except Exception as error:  # what a validator of the user's raises
        raise MismatchError(f"{path or 'it'}: {type(error).__name__}: {error}"[:300]) from error


def _read_items(
    forms: Iterable[TypeForm], size: int | None, collect: Callable[[Any], Any], value: object, path: str
) -> Any:
    items = _expect(as_list(value), path, "a list")
    _expect(items if size in (None, len(items)) else None, path, f"a list of {size}")
    pairs = enumerate(zip(items, forms, strict=False))
    return collect([form.read(one, f"{path}[{position}]") for position, (one, form) in pairs])


def _read_members(member: TypeForm, value: object, path: str) -> Any:
    members = _expect(as_object(value), path, "an object")
    return {name: member.read(one, f"{path}.{name}" if path else name) for name, one in members.items()}


def _read_first(choices: list[TypeForm], value: object, path: str) -> Any:
    problems: list[str] = []
    for one in choices:
        try:
            return one.read(value, path)
        except MismatchError as problem:
            problems.append(str(problem))
    raise MismatchError(f"{path or 'it'}: it fits none of its types ({'; '.join(problems)})"[:300])


def _read_scalar(types: object, what: str, convert: Callable[[Any], Any], value: object, path: str) -> Any:
    with suppress(ValueError, TypeError, ArithmeticError):
        if types is None or fits_type(value, types):
            return convert(value)
    raise MismatchError(f"{path or 'it'}: it is not {what}")


def _expect(value: T | None, path: str, what: str) -> T:
    """Return a value; raise if it is None, in the place of a value of another kind."""
    if value is None:
        raise MismatchError(f"{path or 'it'}: it is not {what}")
    return value


def find_fields(owner: type[Any]) -> list[_Field] | None:
    """Return the members of a TypedDict, a dataclass or an attrs class; None for any other class."""
    required = vars(owner).get("__required_keys__")
    if isinstance(required, frozenset):
        # A class whose annotations are texts does not know which of them are optional.
        marked = _hints(owner, include_extras=True)
        needed = {name: _MARKS.get(typing.get_origin(one), name in required) for name, one in marked.items()}
        return [_Field(name, name, one, needed[name]) for name, one in _hints(owner).items()]
    fields: Any
    missing: Any
    if dataclasses.is_dataclass(owner):
        fields, missing = dataclasses.fields(owner), dataclasses.MISSING
    elif hasattr(owner, "__attrs_attrs__"):
        import attrs

        fields, missing = attrs.fields(owner), attrs.NOTHING
    else:
        return None
    hints = _hints(owner)
    names = {one.name: getattr(one, "alias", None) or one.name for one in fields if one.init}
    needs = {one.name for one in fields if one.default is missing is getattr(one, "default_factory", missing)}
    return [_Field(name, argument, hints.get(name, Any), name in needs) for name, argument in names.items()]


def _hints(owner: type[Any], *, include_extras: bool = False) -> Mapping[str, Any]:
    try:
        return typing.get_type_hints(owner, include_extras=include_extras)
    except Exception as error:
        raise SchemaError(
            f"has annotations that cannot be read: {error}; define {owner.__name__} and what it names at the top of a module"
        ) from error


def _read_number(kind: type[Any], value: object) -> Any:
    number = kind(str(value))
    if not Decimal(str(number)).is_finite():
        raise ValueError(value)
    return number


def _read_datetime(value: str) -> dt.datetime:
    from dateutil import parser

    return parser.isoparse(value)


_NUMBER = {"type": ["string", "number"], "description": "A number in digits"}
_SCALARS: dict[Any, tuple[Json, str, Callable[[Any], Any]]] = {
    **dict.fromkeys((Any, object), ({}, "anything", lambda value: value)),
    **dict.fromkeys((None, types.NoneType), ({"type": "null"}, "null", lambda value: value)),
    str: ({"type": "string"}, "a text", str),
    bool: ({"type": "boolean"}, "true or false", bool),
    int: ({"type": "integer"}, "a whole number", int),
    float: ({"type": "number"}, "a number", partial(_read_number, float)),
    Decimal: (_NUMBER, "a number", partial(_read_number, Decimal)),
    dt.datetime: ({"type": "string", "format": "date-time"}, "a date and time", _read_datetime),
    dt.date: ({"type": "string", "format": "date"}, "a date", dt.date.fromisoformat),
    UUID: ({"type": "string", "format": "uuid"}, "a UUID", UUID),
}
"""Types that are one value in JSON: their schema, their everyday name, and their reader."""
