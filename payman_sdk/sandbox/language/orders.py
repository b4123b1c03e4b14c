"""Payment orders: the sentences that pay somebody.

The whole sentence has to fit one of a few forms, from its first word to its last. Nothing is searched for inside a
text, so a sentence that only mentions a payment ("I sent 100 TSD to John", "what if I sent …") orders none. The
payee's name and the description are free words; where they can be told apart in several ways, every way is a
reading, and the account's payees decide.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from payman_sdk.sandbox.language.amounts import MONEY, read_amount, read_currency
from payman_sdk.sandbox.language.intents import Pay, PayeeKind, PayeeReference, Reading, Unclear

_VERB = r"(?:send|pay|transfer|wire|give|remit)"
POLITE = (
    r"(?:(?:hi|hello|hey|ok|okay|please|pls|kindly|now|great|thanks|thank you)\b[\s,.!]*)*"
    r"(?:(?:i(?: would|'d) like(?: you)? to|i (?:want|need)(?: you)? to|let's|go ahead and"
    r"|(?P<asking>can you|could you|would you|will you))\s+)?(?:please\s+|kindly\s+)?"
)
"""What may stand before an order without changing it."""

_ORDER = re.compile(rf"{POLITE}(?:{_VERB}|make an?(?: payment of)?)\s+(?P<rest>.+)", re.IGNORECASE)
_MONEY = re.compile(MONEY, re.IGNORECASE)
_THANKS = re.compile(r"[\s,.!]+(?:please|pls|thanks|thank you|now)[\s.!?]*$", re.IGNORECASE)
_WALLET = (
    r"(?:from|using|out of)\s+(?:my\s+|the\s+)?(?P<wallet>[^\s,;]+?)(?P<word>\s+(?:wallet|account|balance))?"
)
_LABEL = r"(?:memo|description|note|message|reference|reason|details)"
_LABELLED = (
    rf"(?:with\s+)?(?:an?\s+|the\s+|my\s+)?{_LABEL}(?:\s+(?:of|is)\s+|\s*[:=\-]\s*|\s+)(?P<labelled>.+)"
)
_FOR = r"(?:as\s+|for\s+)(?P<free>.+)"
_TAILS = tuple(
    re.compile(rf"[\s,.;]*{form}[\s.,;!?]*", re.IGNORECASE)
    for form in (
        "",
        _WALLET,
        rf"(?:{_LABELLED})[\s,.;]+{_WALLET}",
        rf"(?:{_FOR})[\s,.;]+{_WALLET}",
        rf"{_WALLET}[\s,.;]+(?:{_LABELLED})",
        rf"{_WALLET}[\s,.;]+(?:{_FOR})",
        _LABELLED,
        _FOR,
    )
)
_TAIL_START = re.compile(
    rf"(?<=[\s.,;])(?=(?:for|as|from|using|out of|with|an?|the|my|{_LABEL})\b)", re.IGNORECASE
)
_QUOTED = re.compile(r"""(?:payee\s+)?(["'])(?P<name>[^"']+)\1(?P<tail>(?:[\s,.;].*)?)""", re.IGNORECASE)
_NOBODY = frozenset(
    [
        "me",
        "myself",
        "him",
        "her",
        "them",
        "us",
        "you",
        "it",
        "he",
        "she",
        "they",
        "one",
        "everyone",
        "everybody",
        "all",
        "anyone",
        "anybody",
        "someone",
        "somebody",
        "each",
        "both",
        "others",
        "himself",
        "herself",
        "themselves",
        "yourself",
    ]
)
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
        r"(?:the\s+|my\s+)?payee\s+(?:with\s+|by\s+)?(?:the\s+)?(?:id|name|e-?mail|paytag)(?:\s+address)?\s*[:=]?\s*(?P<text>.+)",
        r"(?:the\s+|my\s+)?payee\s+(?:(?:named|called)\s+)?(?P<text>.+)",
        r"(?P<text>.+)",
    )
)
_SEVERAL = (
    re.compile(rf"\b{_VERB}\b.*\b{_VERB}\b.*\d", re.IGNORECASE),
    re.compile(rf"(?:\b(?:and|then|also)|[,;.!])\s+{_VERB}\b", re.IGNORECASE),
    re.compile(r"\d\s*(?:\S+\s+)?to\s.*\d\s*(?:\S+\s+)?to\s", re.IGNORECASE),
    re.compile(r"\band\s+(?:\w+\s+){1,3}[0-9][0-9.,]*\W*$", re.IGNORECASE),
)
_CONDITION = re.compile(
    r"\b(?:if|when|whenever|until|once|tomorrow|later|every|weekly|monthly|daily|next (?:week|month|year)|provided|"
    r"assuming|only|after|before|but|or)\b",
    re.IGNORECASE,
)


def read_kind(text: str | None) -> PayeeKind | None:
    """The kind of payee that these words name."""
    return next(
        (kind for form, kind in _KINDS.items() if text and re.fullmatch(form, text, re.IGNORECASE)), None
    )


def read_reference(text: str) -> PayeeReference | None:
    """How the words of a text point at a payee; None where they point at nobody in particular."""
    text = text.strip(" \t,.;:!?\"'")
    for form in _REFERENCES:
        if found := form.fullmatch(text):
            groups = found.groupdict()
            name = groups["text"].strip(" ,.;:\"'")
            return (
                PayeeReference(name, read_kind(groups.get("kind")))
                if name and name.casefold() not in _NOBODY
                else None
            )
    return None


def read_order(text: str) -> Pay | Unclear | None:
    """The payment that a tidy text orders, why it cannot be made, or None where it has not the form of an order."""
    found = _ORDER.fullmatch(_THANKS.sub("", text))
    if found is None:
        return None
    rest = found["rest"].rstrip(" .!?")
    if len([money for money in _MONEY.finditer(text) if money["before"] or money["after"]]) > 1 or any(
        form.search(text) for form in _SEVERAL
    ):
        return Unclear(
            "there is more than one amount or order in it; ask for one payment at a time", payment=True
        )
    problem: Unclear | None = None
    readings: list[Reading] = []
    for part in _parts(rest):
        amount = read_amount(part.digits)
        currency = read_currency(part.before, part.after)
        payee = read_reference(part.payee)
        if isinstance(amount, Unclear):
            problem = problem or amount
        elif isinstance(currency, Unclear):
            problem = problem or currency
        elif payee is None:
            problem = problem or Unclear(
                f'"{part.payee.strip()}" does not say who is to be paid', payment=True
            )
        elif part.free and _CONDITION.search(part.free):
            return Unclear(
                "I pay at once or not at all and cannot tell a condition from a description; "
                "write the description after `Memo:`",
                payment=True,
            )
        else:
            description = (part.labelled or part.free or "").strip(" \"'") or None
            readings.append(Reading(amount, currency, payee, part.wallet, description))
    if readings:
        return Pay(tuple(readings), asked=bool(found["asking"]) or "?" in text)
    return problem


class _Part(NamedTuple):
    """The pieces of one way to cut an order."""

    before: str | None
    digits: str
    after: str | None
    payee: str
    wallet: str | None
    labelled: str | None
    free: str | None


class _Tail(NamedTuple):
    wallet: str | None = None
    labelled: str | None = None
    free: str | None = None


def _parts(rest: str) -> Iterator[_Part]:
    """Every way to cut what follows the verb into an amount, a payee and what comes after."""
    for money in _MONEY.finditer(rest):
        amount = (money["before"], money["digits"], money["after"])
        head, tail = rest[: money.start()], rest[money.end() :]
        if not head.strip():  # 5 TSD to John …
            if found := re.match(
                rf"(?:\s+payment)?(?:\s+(?P<source>{_WALLET}))?\s+to\s+", tail, re.IGNORECASE
            ):
                wallet = found["wallet"] if found["source"] else None
                for payee, end in _payee_and_tail(tail[found.end() :]):
                    if not (wallet and end.wallet):
                        yield _Part(*amount, payee, wallet or end.wallet, end.labelled, end.free)
        elif (end := _tail(tail)) is not None and head[-1] in " ,:":  # John 5 TSD …
            yield _Part(*amount, re.sub(r"^to\s+", "", head, flags=re.IGNORECASE), *end)


def _payee_and_tail(text: str) -> Iterator[tuple[str, _Tail]]:
    if quoted := _QUOTED.fullmatch(text):
        end = _tail(quoted["tail"])
        if end is not None:
            yield quoted["name"], end
        return
    starts = [match.start() for match in _TAIL_START.finditer(text)][:12]
    for start in (*starts, len(text)):
        payee, rest = text[:start], _tail(text[start:])
        if payee.strip(" ,.;") and rest is not None:
            yield payee, rest


def _tail(text: str) -> _Tail | None:
    """The wallet and the description at the end of an order; None where the words are neither."""
    for form in _TAILS:
        if found := form.fullmatch(text):
            groups = found.groupdict()
            wallet = groups.get("wallet")
            if wallet and wallet.casefold() in {"wallet", "account", "balance"}:
                wallet = None
            elif (
                wallet
                and not groups.get("word")
                and not re.fullmatch(r"[A-Za-z]{3,4}|[a-z.]+/[0-9]+", wallet)
            ):
                continue
            return _Tail(wallet, groups.get("labelled"), groups.get("free"))
    return None
