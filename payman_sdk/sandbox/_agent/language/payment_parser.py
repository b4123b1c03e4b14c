"""Payment orders: the sentences that pay somebody.

The whole sentence must fit one of a few forms, so mentioning a payment orders none ("I sent 100 TSD to John", "what if I sent …").
The payee's name and the description are free text. Each way to split them is a reading, and the account's payees decide.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from payman_sdk.sandbox._agent.language.intents import Pay, PayeeReference, Reading, Unclear
from payman_sdk.sandbox._agent.language.patterns import (
    MONEY,
    POLITE,
    read_amount,
    read_currency,
    read_reference,
)

_VERB = r"(?:send|pay|transfer|wire|give|remit)"
_ORDER = re.compile(rf"{POLITE}(?:{_VERB}|(?P<make>make an?(?: payment of)?))\s+(?P<rest>.+)", re.IGNORECASE)
_THANKS = re.compile(r"[\s,.!]+(?:please|pls|thanks|thank you|now)[\s.!?]*$", re.IGNORECASE)
_MONEY = re.compile(MONEY, re.IGNORECASE)
_MOST_READINGS = 12

_WALLET = (
    r"(?:from|using|out of)\s+(?:my\s+|the\s+)?"
    r"(?:(?P<wallet>[^\s,;]+)\s+(?:wallet|account|balance)|(?:wallet|account|balance)(?:\s+(?P<tag>[^\s,;]+/[0-9]+))?"
    r"|(?P<code>[a-z]{3,4}|[a-z.]+/[0-9]+))"
)
_LABEL = r"(?:memo|description|note|message|reference|reason|details)"
_LABELLED = (
    rf"(?:with\s+)?(?:an?\s+|the\s+|my\s+)?{_LABEL}(?:\s+(?:of|is)\s+|\s*[:=\-]\s*|\s+)(?P<labelled>.+?)"
)
_FREE = r"(?:as (?=an? |the |my )|for\s+)(?P<free>.+?)"
_GAP = r"[\s,.;]+"
# A wallet before a description, so that "for lunch from TSD wallet" is lunch.
_TAILS = tuple(
    re.compile(rf"[\s,.;]*{form}[\s.,;!?]*", re.IGNORECASE)
    for form in (
        "",
        _WALLET,
        f"{_LABELLED}{_GAP}{_WALLET}",
        f"{_FREE}{_GAP}{_WALLET}",
        f"{_WALLET}{_GAP}{_LABELLED}",
        f"{_WALLET}{_GAP}{_FREE}",
        _LABELLED,
        _FREE,
    )
)
_TAIL_START = re.compile(
    rf"(?<=[\s.,;])(?=(?:for|as|from|using|out of|with|an?|the|my|{_LABEL})\b)", re.IGNORECASE
)
_TO = re.compile(rf"(?:\s+payment)?(?P<source>\s+{_WALLET})?\s+to\s+(?P<whom>.+)", re.IGNORECASE)
_QUOTED = re.compile(r"""(?:payee\s+)?(["'])(?P<name>[^"']+)\1(?P<tail>(?:[\s,.;].*)?)""", re.IGNORECASE)

# What betrays a second order after the first one's verb.
_SECOND = tuple(
    re.compile(form, re.IGNORECASE)
    for form in (
        rf"\b{_VERB}\b.*[0-9]",
        rf"(?:\b(?:and|then|also)|[,;.!])\s+(?:then\s+|also\s+)?{_VERB}\b",
        r"[0-9](?:\s+\S+)?\s+to\s.*\s\S*[0-9](?:\s+\S+)?\s+to\s",
        r"\b(?:and|plus)\s+(?:\w+\s+){1,3}[0-9][0-9.,]*\W*$",
    )
)
# What makes of a description something that would must be decided.
_CONDITION = re.compile(
    r"\b(?:if|when|whenever|until|once|twice|thrice|tonight|tomorrow|later|every|each|weekly|monthly|daily|provided|"
    r"assuming|as long|only|after|before|but|or|actually|wait|sorry|kidding|scratch|correction|make (?:it|that)|"
    r"next (?:week|month|year)|in \S+ (?:minute|hour|day|week|month|year)s?|at [0-9]\S*|"
    r"(?:on|by|next) (?:mon|tues|wednes|thurs|fri|satur|sun)day)\b|[.;!?]\s+\S",
    re.IGNORECASE,
)


def read_order(text: str) -> Pay | Unclear | None:
    """Return the payment that a tidy text orders, why it cannot be made, or None if it is not an order."""
    found = _ORDER.fullmatch(_THANKS.sub("", text))
    if found is None:
        return None
    rest = found["rest"].rstrip(" .!?")
    amounts = [money for money in _MONEY.finditer(rest) if money["before"] or money["after"]]
    if len(amounts) > 1 or any(form.search(rest) for form in _SECOND):
        return _make_unclear("there is more than one amount or order in it; ask for one payment at a time")
    ways = list(_split_order(rest, money_first=bool(found["make"])))
    read = [_read(way) for way in ways]
    readings = tuple(one for one in read if isinstance(one, Reading))
    problems = [one for one in read if isinstance(one, Unclear)]
    # One way to read a condition or a second amount into it is one too many.
    if readings and _CONDITION_FOUND not in problems and _AMOUNT_FOUND not in problems:
        rivals = dict.fromkeys(PayeeReference(name) for way in ways for name in way.rivals)
        return Pay(readings, asked=bool(found["asking"]) or "?" in text, rivals=tuple(rivals))
    return problems[0] if problems else None


class _Tail(NamedTuple):
    """What follows payee and amount; `free` is a description that no label announces."""

    wallet: str | None = None
    labelled: str | None = None
    free: str | None = None


class _OrderSplit(NamedTuple):
    """One way to split an order; `rivals` are the names that include the amount."""

    money: re.Match[str]
    payee: str
    tail: _Tail
    rivals: tuple[str, ...] = ()


def _make_unclear(reason: str) -> Unclear:
    return Unclear(reason, payment=True)


_AMOUNT_FOUND = _make_unclear("there is more than one amount in it")
_CONDITION_FOUND = _make_unclear(
    "I pay at once or not at all, and cannot separate a condition or a change of mind from a description; "
    "write the description after `Memo:`"
)


def _read(way: _OrderSplit) -> Reading | Unclear:
    amount = read_amount(way.money["digits"])
    currency = read_currency(way.money["before"], way.money["after"])
    payee = read_reference(way.payee)
    if isinstance(amount, Unclear):
        return amount
    if isinstance(currency, Unclear):
        return currency
    if payee is None:
        return _make_unclear(f'"{way.payee.strip()}" does not say who is to be paid')
    if way.tail.free and _MONEY.fullmatch(way.tail.free):
        return _AMOUNT_FOUND
    if way.tail.free and _CONDITION.search(way.tail.free):
        return _CONDITION_FOUND
    description = (way.tail.labelled or way.tail.free or "").strip(" \"'") or None
    return Reading(amount, currency, payee, way.tail.wallet, description)


def _split_order(rest: str, *, money_first: bool) -> Iterator[_OrderSplit]:
    """Return every way to split what follows the verb. If an amount names its currency, other numbers are not amounts."""
    amounts = list(_MONEY.finditer(rest))
    for money in [one for one in amounts if one["before"] or one["after"]] or amounts[:_MOST_READINGS]:
        head, tail = rest[: money.start()], rest[money.end() :]
        if not head.strip():  # 5 TSD [from my wallet] to John [for lunch]
            if found := _TO.fullmatch(tail):
                source = _find_wallet_name(found) if found["source"] else None
                for payee, rear in _split_payee(found["whom"]):
                    if source is None:
                        yield _OrderSplit(money, payee, rear)
                    elif rear.wallet is None:
                        yield _OrderSplit(money, payee, rear._replace(wallet=source))
        elif (
            not money_first and head[-1] in " ,:" and (end := _read_tail(tail))
        ):  # [to] John 5 TSD [for lunch]
            payee = re.sub(r"^to\s+", "", head, flags=re.IGNORECASE)
            # "Room 2 TSD" may be 2 for Room, or Room 2 and no amount; "Room $2" may not.
            rivals = (payee + money[0],) if money["before"] else (payee + money[0], payee + money["digits"])
            yield _OrderSplit(money, payee, end, rivals)


def _split_payee(text: str) -> Iterator[tuple[str, _Tail]]:
    if quoted := _QUOTED.fullmatch(text):
        if end := _read_tail(quoted["tail"]):
            yield quoted["name"], end
        return
    starts = [found.start() for found in _TAIL_START.finditer(text)]
    for start in (*starts[:_MOST_READINGS], len(text)):
        if text[:start].strip(" ,.;") and (rest := _read_tail(text[start:])):
            yield text[:start], rest


def _read_tail(text: str) -> _Tail | None:
    """Return the wallet and the description at the end of an order; None if the words are neither."""
    for form in _TAILS:
        if found := form.fullmatch(text):
            groups = found.groupdict()
            return _Tail(_find_wallet_name(found), groups.get("labelled"), groups.get("free"))
    return None


def _find_wallet_name(found: re.Match[str]) -> str | None:
    """Return the currency or paytag of the wallet; None where there is none, or just "my wallet"."""
    groups = found.groupdict()
    return groups.get("wallet") or groups.get("tag") or groups.get("code")
