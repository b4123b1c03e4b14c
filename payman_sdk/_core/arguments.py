"""The arguments of typed calls, checked before anything is written or sent. Nothing is normalized silently."""

import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Any, NoReturn, cast

from payman_sdk._refusals import describe_type, describe_value
from payman_sdk._text.sanitizer import describe, is_hidden
from payman_sdk.errors import ConfigurationError

MAX_MEMO, MAX_NAME = 140, 100
"""Characters of a memo, and of every other text."""
MAX_LISTED = 100
"""Transactions that can be asked for at once."""

_AMOUNT = re.compile(r"(?:0|[1-9][0-9]{0,11})(?:\.[0-9]{1,8})?", re.ASCII)
_MOST_INTEGER_DIGITS, _MOST_DECIMALS = 12, 8
_DECIMALS = {"USD": 2, "TSD": 2, "USDC": 6}
"""Decimals of the currencies that Payman is known to have [D]; others have `_MOST_DECIMALS` at most."""
_CURRENCY = re.compile(r"[A-Z]{3,5}", re.ASCII)
_PAYEE_ID = re.compile(r"pd-[0-9A-Za-z-]+", re.ASCII)
_PAYTAG = re.compile(r"[a-z]+(?:\.[a-z]+)+/[0-9]+", re.ASCII)
_ROUTING_WEIGHTS = (3, 7, 1) * 3


def refuse(name: str, problem: str, next_step: str) -> NoReturn:
    """Refuse an argument; raises ConfigurationError."""
    raise ConfigurationError(f"{name} {problem}.", next_step=next_step, sent=False)


def read_amount(value: object, currency: str, name: str = "amount") -> Decimal:
    """Return an amount as a decimal number with two decimals at least; raises ConfigurationError."""
    example = 'Give a Decimal, a str or an int, such as Decimal("10.00"), "10.00" or 10.'
    if isinstance(value, bool) or not isinstance(value, Decimal | str | int):
        why = ", which cannot hold every amount exactly" if isinstance(value, float) else ""
        refuse(name, f"is {describe_type(value)}{why}", example)
    # A Decimal of a huge int takes many seconds.
    if isinstance(value, int) and int.__abs__(value) >= 10**_MOST_INTEGER_DIGITS:
        refuse(name, f"has more than {_MOST_INTEGER_DIGITS} digits before the point", "Give less.")
    if isinstance(value, Decimal | int):
        value = Decimal(value)  # what it holds, whatever a class of somebody else's says of itself
        if not value.is_finite():
            refuse(name, f"is {value}", example)
        exponent = int(value.as_tuple().exponent)
        if exponent > 0:
            refuse(name, f"has an exponent: {value}"[:100], 'Write it out, as format(amount, "f") does.')
        if value.adjusted() >= _MOST_INTEGER_DIGITS or exponent < -2 * _MOST_DECIMALS:
            too_long = (
                f"{_MOST_INTEGER_DIGITS} digits before the point, or more than {_MOST_DECIMALS} after it"
            )
            refuse(name, f"has more than {too_long}", example)
        value = format(value, "f")
        if "." in value:  # 1.50000000000 is 1.50
            value = value.rstrip("0").rstrip(".")
    value = str.__str__(value)
    if value[:1] == "-":
        refuse(name, "is negative", "Give an amount above zero.")
    if _AMOUNT.fullmatch(value) is None:
        form = 'Write digits with a point, such as "1250.00": no signs, spaces, separators or exponents.'
        refuse(name, f"is {describe_value(value)}", form)
    whole, _, decimals = value.partition(".")
    decimals = decimals.rstrip("0")
    # Nothing is calculated here: the program's decimal context may round.
    amount = Decimal(f"{whole}.{decimals:0<2}")
    if not amount:
        refuse(name, "is zero", "Give an amount above zero.")
    most = _DECIMALS.get(currency, _MOST_DECIMALS)
    if len(decimals) > most:
        refuse(name, f"has {len(decimals)} decimals, and {currency} has {most} at most", "Round it first.")
    return amount


def read_currency(value: object, name: str = "currency") -> str:
    """Return the code of a currency; raises ConfigurationError."""
    if not isinstance(value, str) or _CURRENCY.fullmatch(value) is None:
        form = "Give a code of three to five capital letters, such as 'TSD' or 'USDC'."
        refuse(name, f"is {describe_value(value)}", form)
    return str.__str__(value)


def read_line(value: object, name: str, max_length: int = MAX_NAME) -> str:
    """Return a text of one line in which nothing hides; raises ConfigurationError."""
    if not isinstance(value, str):
        refuse(name, f"is {describe_type(value)}", "Give a string.")
    # What is checked is what is sent: an enum, or any other kind of str, may show another text than it holds.
    value = str.__str__(value)
    if not value.strip():
        refuse(name, "is blank", "Give a text, or leave it out where it is optional.")
    if len(value) > max_length:
        refuse(name, f"has {len(value)} characters", f"Give {max_length} at most.")
    for position, character in enumerate(value):
        if character in "\r\n\t":
            refuse(name, f"has a line break or a tab at position {position}", "Give one line.")
        if is_hidden(character):
            hidden = f"holds {describe(character)} at position {position}, which cannot be seen"
            refuse(name, hidden, "Remove it; names and memos hold only what a person can read.")
    if value != value.strip():
        refuse(name, "begins or ends with a space", "Remove the space.")
    return value


def read_lines(value: object, name: str) -> list[str]:
    """Return a list of such texts; raises ConfigurationError."""
    if not isinstance(value, list | tuple):
        refuse(name, f"is {describe_type(value)}", "Give a list of strings.")
    return [read_line(one, name) for one in cast("Sequence[object]", value)]


def optional(value: object, read: Any, *arguments: Any) -> Any:
    """Return None for None, what `read` makes of anything else."""
    return None if value is None else read(value, *arguments)


def read_limit(value: object) -> int:
    """Return how many transactions are wanted; raises ConfigurationError."""
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= MAX_LISTED:
        refuse("limit", f"is {describe_value(value)}", f"Give a whole number from 1 to {MAX_LISTED}.")
    return int(value)


def read_choice(value: object, name: str, choices: tuple[str, ...]) -> str:
    """Return one of some words; raises ConfigurationError."""
    if not isinstance(value, str) or value not in choices:
        refuse(name, f"is {describe_value(value)}", f"Use one of {', '.join(map(repr, choices))}.")
    return str.__str__(value)


def read_pattern(value: object, name: str, pattern: str, example: str) -> str:
    """Return a text of a given form; raises ConfigurationError."""
    if not isinstance(value, str) or re.fullmatch(pattern, value, re.ASCII) is None:
        refuse(name, "has the wrong form", f"Give {example}.")
    return str.__str__(value)


def read_routing_number(value: object, name: str) -> str:
    """Return an ABA routing number; raises ConfigurationError."""
    digits = read_pattern(value, name, "[0-9]{9}", "nine digits, as a string")
    if sum(int(digit) * weight for digit, weight in zip(digits, _ROUTING_WEIGHTS, strict=True)) % 10:
        refuse(name, "has a wrong check digit", "Check how it was copied.")
    return digits


def kind_of_reference(text: str) -> str:
    """Return what a reference to a payee is: its `id`, `paytag`, `email` or `name`."""
    if _PAYEE_ID.fullmatch(text):
        return "id"
    if _PAYTAG.fullmatch(text):
        return "paytag"
    name, at, host = text.partition("@")
    return "email" if name and at and "." in host and " " not in text else "name"
