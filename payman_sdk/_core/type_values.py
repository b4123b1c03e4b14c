"""Values of TypedDicts, dataclasses and attrs classes, made from JSON."""

from __future__ import annotations

import types
import typing
from enum import Enum
from typing import Any, TypeAlias, cast

from payman_sdk._core.json_schema import MismatchError
from payman_sdk._core.scalar_types import SCALARS
from payman_sdk._core.type_schema import DICTS, LISTS, fields_of

Json: TypeAlias = dict[str, Any]


def structure(value: object, given: Any, path: str = "") -> Any:
    """Return what a value of JSON is as a type.

    Raises:
        MismatchError: It does not fit.
    """
    where = path or "it"
    if given in (Any, object):
        return value
    if given is None or given is types.NoneType:
        return _expected(value is None, value, where, "null")
    origin, arguments = typing.get_origin(given), typing.get_args(given)
    if origin is typing.Annotated:
        return structure(value, arguments[0], path)
    if origin in (typing.Union, types.UnionType):
        return _first(value, arguments, where, path)
    if origin is typing.Literal:
        for one in arguments:
            if type(one) is type(value) and one == value:
                return one
        raise MismatchError(f"{where}: it is none of {', '.join(map(repr, arguments))[:200]}")
    if (kind := LISTS.get(origin or given)) is not None:
        items = cast("list[object]", _expected(isinstance(value, list), value, where, "a list"))
        inner = arguments[0] if arguments else Any
        return kind(structure(item, inner, f"{path}[{position}]") for position, item in enumerate(items))
    if (origin or given) is tuple:
        return _tuple(value, arguments, path)
    if (origin or given) in DICTS:
        members = cast("Json", _expected(isinstance(value, dict), value, where, "an object"))
        inner = arguments[1] if arguments else Any
        return {
            name: structure(one, inner, f"{path}.{name}" if path else name) for name, one in members.items()
        }
    if isinstance(given, typing.NewType):
        return structure(value, given.__supertype__, path)
    if (read := SCALARS.get(given)) is not None:
        try:
            return read.read(value)
        except (ValueError, TypeError, ArithmeticError) as error:
            raise MismatchError(f"{where}: it is not {read.what}") from error
    if issubclass(given, Enum):
        for member in given:
            if type(member.value) is type(value) and member.value == value:
                return member
        raise MismatchError(f"{where}: it is not a {given.__name__}")
    return _instance(value, given, path)


def _instance(value: object, owner: type[Any], path: str) -> Any:
    members = cast("Json", _expected(isinstance(value, dict), value, path or "it", "an object"))
    arguments: Json = {}
    for field in fields_of(owner) or []:
        here = f"{path}.{field.name}" if path else field.name
        if field.name in members:
            arguments[field.argument] = structure(members[field.name], field.type, here)
        elif field.is_required:
            raise MismatchError(f"{here}: it is missing")
    try:
        return owner(**arguments)
    except Exception as error:  # what a validator of the user's raises
        raise MismatchError(f"{path or 'it'}: {type(error).__name__}: {error}"[:300]) from error


def _tuple(value: object, arguments: tuple[Any, ...], path: str) -> tuple[Any, ...]:
    items = cast("list[object]", _expected(isinstance(value, list), value, path or "it", "a list"))
    if not arguments or arguments[1:] == (...,):
        inner = (arguments[0] if arguments else Any,) * len(items)
    else:
        inner = () if arguments == ((),) else arguments
    _expected(len(inner) == len(items), value, path or "it", f"a list of {len(inner)}")
    return tuple(
        structure(item, one, f"{path}[{position}]")
        for position, (item, one) in enumerate(zip(items, inner, strict=True))
    )


def _first(value: object, choices: tuple[Any, ...], where: str, path: str) -> Any:
    problems: list[str] = []
    for one in choices:
        try:
            return structure(value, one, path)
        except MismatchError as problem:
            problems.append(str(problem))
    raise MismatchError(f"{where}: it fits none of its types ({'; '.join(problems)})"[:300])


def _expected(is_so: bool, value: object, where: str, what: str) -> object:
    if not is_so:
        raise MismatchError(f"{where}: it is not {what}")
    return value
