"""Typed results as JSON: amounts are strings, times ISO 8601, and what is not known is null."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from enum import Enum
from typing import Any

from attrs import AttrsInstance, fields, has

from payman_sdk._cli import exit_codes
from payman_sdk._cli.error_report import describe_error
from payman_sdk.errors import PaymanError

_LEFT_OUT = frozenset({"response"})
"""The answer as a whole, which `payman tasks get` shows."""


def to_json(value: AttrsInstance) -> dict[str, Any]:
    """Return a payment, wallet, payee or transaction as JSON has it."""
    names = [field.name for field in fields(type(value)) if field.name not in _LEFT_OUT]
    return {name: _convert(getattr(value, name)) for name in names}


def _convert(value: Any) -> Any:
    """Return a member in the form of JSON. An unknown type is an error rather than a guess."""
    match value:
        case None | bool():
            return value
        case Enum():
            return value.value
        case str():
            return str(value)
        case Decimal():
            return format(value, "f")
        case dt.datetime():
            return value.isoformat()
        case PaymanError():
            return describe_error(value, exit_codes.UNDETERMINED)
        case _ if has(type(value)):  # pyright: ignore[reportUnknownArgumentType] (of any type)
            return to_json(value)
        case _:
            raise TypeError(f"{type(value).__name__} cannot be written as JSON.")
