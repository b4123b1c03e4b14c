"""The base of typed results: what makes JSON of them, and what pydantic and FastAPI read."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from enum import Enum
from functools import cache
from typing import Any, NotRequired, Required, cast, get_type_hints

from attrs import NOTHING, fields

_HIDDEN = frozenset({"response", "error"})
"""Fields that are not data: the answer and the exception that come along."""


class TypedResult:
    """Base of typed results, so that programs can store them, send them as JSON and return them from web services."""

    __slots__ = ()

    def to_dict(self) -> dict[str, Any]:
        """Return the data as JSON has it: amounts as texts, times as in RFC 3339, payees and transactions as dicts.

        `response` and `error`, where there are such, are left out.

        Example:
            >>> from decimal import Decimal
            >>> from payman_sdk.types import Wallet
            >>> Wallet(currency="TSD", balance=Decimal("10.00")).to_dict()
            {'currency': 'TSD', 'id': None, 'paytag': None, 'name': None, 'balance': '10.00', 'pending': None}
        """
        return {name: _to_json(value) for name, value in _list_data(self).items()}

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> Any:
        """Have pydantic take a result as it is, make one of a dict, and describe and write its data."""
        from pydantic_core import core_schema
        from typing_extensions import TypedDict

        hints = get_type_hints(cls)
        members = {
            one.name: Required[hints[one.name]] if one.default is NOTHING else NotRequired[hints[one.name]]
            for one in fields(cast("Any", cls))
            if one.name not in _HIDDEN
        }
        make: Any = TypedDict
        twin = make(cls.__name__, members)
        twin.__doc__, twin.__module__ = cls.__doc__, cls.__module__
        shape = handler.generate_schema(twin)
        made = core_schema.no_info_after_validator_function(lambda data: cls(**data), shape)
        return core_schema.json_or_python_schema(
            json_schema=made,
            python_schema=core_schema.union_schema(
                [core_schema.is_instance_schema(cls), made], mode="left_to_right"
            ),
            serialization=core_schema.plain_serializer_function_ser_schema(_list_data, return_schema=shape),
        )

    @property
    def __pydantic_serializer__(self) -> Any:
        """What pydantic writes a result with where no annotation says what it is, as among the answers of an agent's tools."""
        return _build_serializer(cast("Any", type(self)))


@cache
def _build_serializer(kind: type) -> Any:
    from pydantic import TypeAdapter

    return TypeAdapter(kind).serializer


def _list_data(result: TypedResult) -> dict[str, Any]:
    kind = cast("Any", type(result))
    return {one.name: getattr(result, one.name) for one in fields(kind) if one.name not in _HIDDEN}


def _to_json(value: Any) -> Any:
    match value:
        case TypedResult():
            return value.to_dict()
        case Enum():
            return value.value
        case Decimal():
            return str(value)
        case dt.datetime():
            return value.isoformat().replace("+00:00", "Z")
        case Mapping():
            return {key: _to_json(member) for key, member in cast("Mapping[str, Any]", value).items()}
        case tuple() | list():
            return [_to_json(member) for member in cast("list[Any]", value)]
        case _:
            return value
