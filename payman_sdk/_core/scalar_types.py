"""Types that are one value in JSON, such as a number or a date: their JSON Schema, and how they are read."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from typing import Any, NamedTuple, TypeAlias, cast
from uuid import UUID

from payman_sdk._core.json_schema import is_integer, is_number

Json: TypeAlias = dict[str, Any]


class Scalar(NamedTuple):
    """A type: its schema, what a person calls it, and what reads it; that raises ValueError, TypeError or ArithmeticError."""

    schema: Json
    what: str
    read: Callable[[Any], Any]


def _refuse(value: object) -> Any:
    raise ValueError(value)


def _read_decimal(value: object) -> Decimal:
    if not isinstance(value, str) and not is_number(value):
        raise ValueError(value)
    number = Decimal(str(value))
    return number if number.is_finite() else cast("Decimal", _refuse(value))


def _read_float(value: object) -> float:
    number = float(cast("Any", value)) if is_number(value) else cast("float", _refuse(value))
    return number if number - number == 0 else cast("float", _refuse(value))  # without end


def _read_datetime(value: object) -> dt.datetime:
    from dateutil import parser

    return parser.isoparse(_read_text(value))


def _read_text(value: object) -> str:
    return value if isinstance(value, str) else cast("str", _refuse(value))


def _read_bool(value: object) -> bool:
    return value if isinstance(value, bool) else cast("bool", _refuse(value))


def _read_int(value: object) -> int:
    return int(cast("Decimal", value)) if is_integer(value) else cast("int", _refuse(value))


def _read_uuid(value: object) -> UUID:
    return UUID(_read_text(value))


def _read_date(value: object) -> dt.date:
    return dt.date.fromisoformat(_read_text(value))


SCALARS: dict[Any, Scalar] = {
    str: Scalar({"type": "string"}, "a text", _read_text),
    bool: Scalar({"type": "boolean"}, "true or false", _read_bool),
    int: Scalar({"type": "integer"}, "a whole number", _read_int),
    float: Scalar({"type": "number"}, "a number", _read_float),
    Decimal: Scalar(
        {"type": ["string", "number"], "description": "A number in digits"}, "a number", _read_decimal
    ),
    dt.datetime: Scalar({"type": "string", "format": "date-time"}, "a date and time", _read_datetime),
    dt.date: Scalar({"type": "string", "format": "date"}, "a date", _read_date),
    UUID: Scalar({"type": "string", "format": "uuid"}, "a UUID", _read_uuid),
}
"""Types that are one value in JSON."""
