"""How much a run may pay, and how much a text says. In doubt, a text says nothing that can be counted.

An amount is read only where the text has exactly one: digits with the code of a currency, such as `10 TSD` or `TSD 10.50`, and no
other number that could be one, in digits or in words, and no word that multiplies it or begins another order ("each", "and", "again").
The words are English ones: a text in another language may say more than is read here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from decimal import Decimal, InvalidOperation
from types import MappingProxyType
from typing import NamedTuple, cast

from attrs import field, frozen

from payman_sdk.agents.stores import Operation
from payman_sdk.errors import ConfigurationError

_CURRENCIES = frozenset({"TSD", "USD", "USDC", "USDT", "EUR", "GBP"})
_NUMBER = r"(?:[0-9]{1,3}(?:,[0-9]{3})+|[0-9]{1,15})(?:\.[0-9]+)?"
_IDS = re.compile(
    r"\b[a-z]{2,4}-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}(?![\w-])"
    r"|\b[\w.+-]+@[\w-]+(?:\.[\w-]+)+"
    r"|\b[a-z]+\.[a-z]+\.[a-z]+/[0-9]+\b"
    r"|#[0-9]+\b"
    r"|(?<![\w-])(?!(?:pay|send|transfer|give|wire|make|it|for|to|of|at|by|is|as|with|plus|minus|amount|total|sum|value|price|fee|tip"
    r"|bonus|extra)-)[a-z]{2,}[a-z_-]*-[0-9]+(?:-[0-9]+)*\b",  # invoice-42
    re.IGNORECASE,
)
_MORE = re.compile(
    r"\b(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|\w+teen|twenty|thirty|forty|fifty|sixty|seventy|eighty"
    r"|ninety|\w*hundreds?|\w*thousands?|\w*millions?|\w*billions?|dozens?|half|quarter|double|triple|twice|thrice|times|each|every"
    r"|both|all|everyone|everybody|everything|again|more|another|others?|same|and|also|then|plus|or|daily|weekly|monthly|yearly"
    r"|rest|remain\w*|left|leave|keep|entire\w*|whole|max(?:imum)?|until|empty|minus|except|but|beyond|above|additional\w*|further|as well"
    r"|hourly|repeat\w*|per|percent|k|m|bn|grand|bucks?|cents?|dollars?|euros?|pounds?)\b|[$€£¥₹%×*&/]",
    re.IGNORECASE,
)


def _convert_amounts(given: object) -> Mapping[str, Decimal]:
    if not isinstance(given, Mapping):
        raise ConfigurationError(
            f"SpendingLimit.max_amount is a {type(given).__name__}.",
            next_step='Give a dict such as {"TSD": Decimal(100)}.',
        )
    read: dict[str, Decimal] = {}
    for currency, amount in cast("Mapping[object, object]", given).items():
        if not isinstance(currency, str) or not re.fullmatch(r"[A-Za-z]{2,8}", currency):
            raise ConfigurationError(
                f"SpendingLimit.max_amount names the currency {currency!r}.",
                next_step="Use its code, such as 'TSD'.",
            )
        try:
            value = Decimal(str(amount)) if not isinstance(amount, bool) else Decimal("NaN")
        except InvalidOperation:
            value = Decimal("NaN")
        if not value.is_finite() or value < 0:
            raise ConfigurationError(
                f"SpendingLimit.max_amount[{currency!r}] is {amount!r}.",
                next_step="Give a Decimal, 0 or more.",
            )
        read[currency.upper()] = value
    return MappingProxyType(read)


def _validate_count(limit: SpendingLimit, attribute: object, value: int | None) -> None:
    if value is not None and (not isinstance(value, int) or isinstance(value, bool) or value < 0):
        raise ConfigurationError(
            f"SpendingLimit.max_payments is {value!r}.", next_step="Give a whole number, 0 or more, or None."
        )


class Money(NamedTuple):
    """An amount of a currency."""

    amount: Decimal
    currency: str

    def __str__(self) -> str:
        return f"{self.amount} {self.currency}"


@frozen(kw_only=True)
class SpendingLimit:
    """How much a run may pay.

    Args:
        max_payments: How many operations; None for any number.
        max_amount: How much of each currency, by its code. Where it is given, a text whose amount cannot be read, or is of a
            currency that is not named here, is refused.

    Raises:
        ConfigurationError: One of them cannot be one.

    Example:
        >>> from decimal import Decimal
        >>> from payman_sdk.agents import SpendingLimit
        >>> SpendingLimit(max_payments=10, max_amount={"TSD": Decimal("250.00")}).max_payments
        10
    """

    max_payments: int | None = field(default=None, validator=_validate_count)
    max_amount: Mapping[str, Decimal] = field(factory=dict[str, Decimal], converter=_convert_amounts)

    def refusal(self, operation: Operation, counted: Iterable[Operation]) -> str | None:
        """Why an operation would go beyond the limit, in a sentence for a model; None where it does not.

        Args:
            operation: What would be paid.
            counted: What counts in the run; the operation itself may be among it.
        """
        others = [one for one in counted if one.task_id != operation.task_id]
        if self.max_payments is not None and len(others) >= self.max_payments:
            return f"This run may make {self.max_payments} payments, and has made them."
        if not self.max_amount:
            return None
        if operation.amount is None or operation.currency is None:
            return (
                "This run has a limit in money, and the text does not state one amount that can be read; "
                "write it once, in digits and with the code of its currency, such as 10 TSD."
            )
        if operation.currency not in self.max_amount:
            return f"This run may pay nothing in {operation.currency}."
        if any(one.amount is None for one in others):
            return "This run has a limit in money, and an earlier payment of it had no amount that could be read."
        most = self.max_amount[operation.currency]
        spent = sum(
            (one.amount for one in others if one.currency == operation.currency and one.amount is not None),
            Decimal(0),
        )
        if spent + operation.amount > most:
            return f"This run may pay {most} {operation.currency}, of which {most - spent} are left."
        return None


def find_money(text: str, currencies: Iterable[str] = ()) -> Money | None:
    """The one amount that a text states; None where it states none, several, or one that can be read in two ways.

    Example:
        >>> from payman_sdk.agents.limits import find_money
        >>> str(find_money("send 1,250.50 TSD to John Doe for invoice-42")), find_money("send 5 TSD to each of them")
        ('1250.50 TSD', None)
    """
    codes = "|".join(sorted(_CURRENCIES.union(currencies), key=len, reverse=True))
    money = re.compile(
        rf"(?<![\w.,$+-])\$?(?P<first>{_NUMBER})\s?(?P<behind>{codes})\b"
        rf"|\b(?P<before>{codes})\s?\$?(?P<second>{_NUMBER})(?![\w%]|[.,][0-9])",
        re.IGNORECASE | re.ASCII,
    )
    if re.search(rf"\b(?:{codes})-[0-9]", text, re.IGNORECASE):  # no id, though it looks like one
        return None
    wallet = rf"\b(?:{codes})(?=\s+wallet\b)"
    text = re.sub(wallet, " ", _IDS.sub(" ", text), flags=re.IGNORECASE)
    found = list(money.finditer(text))
    if len(found) != 1:
        return None
    rest = text[: found[0].start()] + " " + text[found[0].end() :]
    if _has_numbers(rest):
        return None
    if re.search(rf"\b(?:{codes})\b", rest, re.IGNORECASE):
        return None
    number = (found[0]["first"] or found[0]["second"]).replace(",", "")
    # 1.000 is a thousand to some and one to others.
    if re.fullmatch(r"[0-9]+\.[0-9]{3}", number) or (number.startswith("0") and not number.startswith("0.")):
        return None
    amount = Decimal(number)
    currency = (found[0]["behind"] or found[0]["before"]).upper()
    return Money(amount, currency) if amount > 0 else None


def contains_number(text: str) -> bool:
    """Whether a text has a number, in digits or in words, beside those of ids; or a word that may stand for one.

    Example:
        >>> from payman_sdk.agents.limits import contains_number
        >>> contains_number("approve"), contains_number("make it 500"), contains_number("send the rest")
        (False, True, True)
    """
    codes = "|".join(_CURRENCIES)
    return _has_numbers(_IDS.sub(" ", re.sub(rf"\b(?:{codes})-", " ", text, flags=re.IGNORECASE)))


def _has_numbers(text: str) -> bool:
    return any(character.isnumeric() for character in text) or _MORE.search(text) is not None
