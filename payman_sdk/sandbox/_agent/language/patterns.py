"""Phrases that several kinds of sentences share: politeness, references to payees, and amounts with their currencies."""

import re
from decimal import Decimal

from payman_sdk.sandbox._agent.language.intents import PayeeKind, PayeeReference, Unclear

POLITE = (
    r"(?:(?:hi|hello|hey|ok|okay|please|pls|kindly|now|great|thanks|thank you)\b[\s,.!]*)*"
    r"(?:(?:i(?: would|'d) like(?: you)? to|i (?:want|need)(?: you)? to|let'?s|go ahead and"
    r"|(?P<asking>can you|could you|would you|will you))\s+)?(?:please\s+|kindly\s+)?"
)
"""What may come before an order without changing it; `asking` makes it a question."""

_KINDS = {
    r"test[\s_-]?rails?": PayeeKind.TEST_RAILS,
    r"(?:us[\s_-]?)?ach": PayeeKind.US_ACH,
    r"crypto(?:[\s_-]?address)?": PayeeKind.CRYPTO_ADDRESS,
}
KIND = "|".join(_KINDS)
"""The pattern of a payee's kind."""

_REFERENCES = tuple(
    re.compile(form, re.IGNORECASE)
    for form in (
        rf"(?:the\s+|my\s+)?(?P<kind>{KIND})\s+payee\s+(?:(?:named|called)\s+)?(?P<text>.+)",
        rf"(?:the\s+|my\s+)?(?:payee\s+)?(?P<text>.+?),?\s+(?:of\s+|with\s+)?type:?\s+(?P<kind>{KIND})",
        r"(?:the\s+|my\s+)?payee\s+(?:with\s+|by\s+)?(?:the\s+)?(?:id|name|e-?mail|paytag)(?:\s+address)?"
        r"(?:\s*[:=]\s*|\s+)(?P<text>.+)",
        r"(?:the\s+|my\s+)?payee\s+(?:(?:named|called)\s+)?(?P<text>.+)",
        r"(?P<text>.+)",
    )
)
_NOBODY = (  # noqa: SIM905 (words read better as words)
    "me myself him her them us you it he she they one everyone everybody all anyone anybody someone somebody "
    "each both others himself herself themselves yourself"
).split()
_PUNCTUATION = " ,.;:!?\"'"


def read_kind(text: str | None) -> PayeeKind | None:
    kinds = (kind for form, kind in _KINDS.items() if text and re.fullmatch(form, text, re.IGNORECASE))
    return next(kinds, None)


def read_reference(text: str) -> PayeeReference | None:
    """Return how the words of a text name a payee; None if they name nobody in particular."""
    if text.count('"') % 2:
        return None
    for form in _REFERENCES:
        if found := form.fullmatch(text.strip(_PUNCTUATION)):
            groups = found.groupdict()
            name = groups["text"].strip(_PUNCTUATION)
            if not name or name.casefold() in _NOBODY:
                return None
            return PayeeReference(name, read_kind(groups.get("kind")))
    return None


# Only ASCII digits: other scripts' digits, superscripts and fractions are never taken for an amount.
_DIGITS = r"[0-9](?:[0-9.,]*[0-9])?"
_CODES = {
    word: code
    for code, words in {
        "$": "$|dollar|dollars|buck|bucks",
        "TSD": "tsd|test dollar|test dollars",
        "USD": "usd|us$",
        "USDC": "usdc",
        "EUR": "eur|euro|euros|€",
        "GBP": "gbp|pound|pounds|£",
        "JPY": "yen|jpy|¥",
        "CHF": "chf",
        "INR": "inr|₹",
        "BTC": "btc|bitcoin|bitcoins",
        "ETH": "eth",
        "CENT": "cent|cents",
    }.items()
    for word in words.split("|")
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
    """Return the number that was written, or why it cannot be an amount."""
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
