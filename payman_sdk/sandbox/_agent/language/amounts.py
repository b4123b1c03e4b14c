"""Amounts of money as people write them, read strictly: what can be read in two ways is not read at all."""

from __future__ import annotations

import re
from decimal import Decimal

from payman_sdk.sandbox._agent.language.intents import Unclear

# Only ASCII digits: other scripts' digits, superscripts and fractions are never taken for an amount.
_DIGITS = r"[0-9](?:[0-9.,]*[0-9])?"
_CODES = {
    "$": "$",
    "tsd": "TSD",
    "test dollar": "TSD",
    "test dollars": "TSD",
    "dollar": "$",
    "dollars": "$",
    "buck": "$",
    "bucks": "$",
    "usd": "USD",
    "us$": "USD",
    "usdc": "USDC",
    "eur": "EUR",
    "euro": "EUR",
    "euros": "EUR",
    "€": "EUR",
    "gbp": "GBP",
    "pound": "GBP",
    "pounds": "GBP",
    "£": "GBP",
    "yen": "JPY",
    "jpy": "JPY",
    "¥": "JPY",
    "chf": "CHF",
    "inr": "INR",
    "₹": "INR",
    "btc": "BTC",
    "bitcoin": "BTC",
    "bitcoins": "BTC",
    "eth": "ETH",
    "cent": "CENT",
    "cents": "CENT",
}
_CODE = "|".join(re.escape(code) for code in sorted(_CODES, key=len, reverse=True))

MONEY = (
    rf"(?<![\w$€£¥₹.,+\-−–%/])(?:(?P<before>{_CODE})\s?)?(?P<digits>{_DIGITS})"  # noqa: RUF001 (a minus sign)
    rf"(?:\s?(?P<after>{_CODE}))?(?![\w$€£¥₹%/+\-−–]|[.,][0-9])"  # noqa: RUF001
)
"""The pattern of an amount, with or without a currency on either side."""

_PLAIN = re.compile(r"(?:0|[1-9][0-9]{0,14})(?:\.[0-9]{1,2})?")
_GROUPED = re.compile(r"[1-9][0-9]{0,2}(?:,[0-9]{3}){1,4}(?:\.[0-9]{1,2})?")
_MANY_DECIMALS = re.compile(r"[0-9]+\.(?:[0-9]{3}[0-9]+)|0\.[0-9]{3}")


def read_amount(digits: str) -> Decimal | Unclear:
    """Return the number that was written, or why it cannot be an amount.

    Example:
        >>> read_amount("1,000.50")
        Decimal('1000.50')
        >>> read_amount("1.000,50").reason
        'the amount "1.000,50" can be read in two ways; write it like 1000.50'
    """
    if _PLAIN.fullmatch(digits) or _GROUPED.fullmatch(digits):
        amount = Decimal(digits.replace(",", ""))
        return amount if amount > 0 else Unclear("the amount is zero", payment=True)
    if len(digits) > 20:
        return Unclear("the amount is absurd", payment=True)
    if _MANY_DECIMALS.fullmatch(digits):
        return Unclear(f'the amount "{digits}" has more than two decimals', payment=True)
    return Unclear(f'the amount "{digits}" can be read in two ways; write it like 1000.50', payment=True)


def read_currency(before: str | None, after: str | None) -> str | Unclear | None:
    """Return the code of the currency before or after an amount; a bare `$` means TSD, the test dollar."""
    # A letter that only looks like one of these, as the dotless i, is in no code.
    codes = {_CODES.get(word.casefold(), word) for word in (before, after) if word}
    if codes > {"$"} and codes <= {"$", "TSD", "USD"}:
        codes.discard("$")
    match sorted(codes):
        case []:
            return None
        case ["$"]:
            return "TSD"
        case ["CENT"]:
            return Unclear("I count in TSD; write 0.50 TSD for 50 cents", payment=True)
        case [code]:
            return code
        case several:
            return Unclear(f"the amount is in {' and '.join(several)} at once", payment=True)
