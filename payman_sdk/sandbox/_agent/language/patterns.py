"""Phrases that several kinds of sentences share, and the sentences that ask for anything but a payment.

Shared are politeness, the ways to point at a payee, and amounts with their currencies.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal

from payman_sdk.sandbox._agent.language.intents import (
    Approve,
    CreatePayee,
    Deny,
    Greet,
    Intent,
    ListPayees,
    ListRequests,
    ListTransactions,
    ListWallets,
    PayeeKind,
    PayeeReference,
    Recall,
    ShowBalance,
    ShowPayee,
    ShowPolicy,
    ShowTransaction,
    TestConnection,
    Unclear,
    Weather,
)

POLITE = (
    r"(?:(?:hi|hello|hey|ok|okay|please|pls|kindly|now|great|thanks|thank you)\b[\s,.!]*)*"
    r"(?:(?:i(?: would|'d) like(?: you)? to|i (?:want|need)(?: you)? to|let'?s|go ahead and"
    r"|(?P<asking>can you|could you|would you|will you))\s+)?(?:please\s+|kindly\s+)?"
)
"""What may stand before an order without changing it; `asking` makes a question of it."""

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
    """How the words of a text point at a payee; None where they point at nobody in particular.

    Example:
        >>> read_reference("payee AAPL type test rails")
        PayeeReference(text='AAPL', kind=<PayeeKind.TEST_RAILS: 'TEST_RAILS'>)
    """
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


_EMAIL = r"[^\s@,;<>\"']+@[^\s@,;<>\"']+\.[^\s@,;<>\"']*[^\s@,;<>\"'.!?]"
_END = r"[\s.!?]*"
_THING = r"(?:(?:the|that|this|it|my|last|pending|waiting)\s*)*(?:payment|request|transaction|transfer)?"
_WHICH = rf"(?:\s+{_THING}(?:\s*(?:to|with id|id|of|for)?\s*(?P<which>\S.*?))??)?"
_SHOW = r"(?:(?:show|list|get|give|tell|display|see|view|check|find|fetch|what are|what is|what's|whats)\s+(?:me\s+)?)"
_ALL = r"(?:(?:all|the|my|of|every)\s+)*"
_CREATE = re.compile(
    rf"{POLITE}(?:create|add|make|register|set up)\s+(?:me\s+)?(?:an?\s+|the\s+)?(?:new\s+)?(?:test\s+)?(?P<first>{KIND})?\s*"
    rf"payee\b[\s,:]*(?P<rest>.*)",
    re.IGNORECASE,
)
_CREATE_PARTS = (
    ("kind", re.compile(rf"[\s,(]*(?:\b(?:and|with|of)\s+)*\b(?:the\s+)?type[\s:=]+(?P<kind>{KIND})\b[)\s,]*", re.IGNORECASE)),
    ("email", re.compile(rf"[\s,(]*(?:\b(?:and|with|an?|the|e-?mail|address|is|at)\b[\s:=]*)*<?(?P<email>{_EMAIL})>?[)\s,]*", re.IGNORECASE)),
)  # fmt: skip
_NAME_START = re.compile(
    r"^(?:(?:(?:and|with)\s+)?(?:the\s+)?(?:named|called|name|for)\b[\s:=]*)?", re.IGNORECASE
)
_LONGEST_NAME = 80


def _list_transactions(found: re.Match[str]) -> Intent:
    digits = found.groupdict().get("count")
    return ListTransactions(min(int(digits), 100) if digits and int(digits) else 10)


def _approve(found: re.Match[str]) -> Intent:
    return Approve(_clean(found["which"]))


def _deny(found: re.Match[str]) -> Intent:
    return Deny(_clean(found["which"]))


def _clean(reference: str | None) -> str | None:
    return (reference or "").strip(" .,;:!\"'") or None


def _show_payee(found: re.Match[str]) -> Intent:
    reference = read_reference("payee " + found["payee"])
    return Unclear() if reference is None else ShowPayee(reference)


def _show_balance(found: re.Match[str]) -> Intent:
    currency = found.groupdict().get("currency")
    return ShowBalance(currency.upper() if currency else None)


def _return_always(intent: Intent) -> Callable[[re.Match[str]], Intent]:
    return lambda _: intent


_CURRENCY = r"(?P<currency>tsd|usdc|usd|eur|gbp)"
_TRANSACTIONS = r"(?:transactions?|payments?|transfers?|transaction history|payment history|history)"
_REQUESTS: tuple[tuple[str, Callable[[re.Match[str]], Intent]], ...] = (
    (rf"(?:please\s+)?(?:approve|approved|confirm|confirmed){_WHICH}", _approve),
    (r"(?:yes|yep|yes,? please|yes,? (?:approve|confirm|pay|send)(?: it)?|go ahead)(?P<which>\b)", _approve),
    (rf"(?:please\s+)?(?:deny|denied|reject|decline|cancel){_WHICH}", _deny),
    (r"(?:no|nope|no,? thanks|no,? thank you|no,? (?:deny|cancel|reject)(?: it)?)(?P<which>\b)", _deny),
    (r"(?:(?:hi|hello|hey|good (?:morning|afternoon|evening|day)|howdy|greetings)\b[\s,!.]*)+(?:there|world|payman|agent|again)?", _return_always(Greet())),
    (r"(?:please\s+)?(?:(?:run|do)\s+)?(?:a\s+|the\s+)?(?:test|check)\s+(?:the\s+|my\s+)?connection|ping|(?:connection|just a)\s+test|test", _return_always(TestConnection())),
    (r"(?:(?:do|can|could|please) \S+ )?(?:what|remember|remind|recap|summar\w+|recall)\b.*\b(?:talk\w*|discuss\w*|said|say|conversation|speak|spoke|earlier|session)\b.*", _return_always(Recall())),
    (r"(?:(?:what|how|is|will|tell|do|does|can)\b.*\b)?weather\b.*", _return_always(Weather())),
    (rf"{_SHOW}?{_ALL}(?:pending|waiting|open)\s+(?:requests?|approvals?|payments?)|{_SHOW}?{_ALL}requests?(?: for approval)?|what(?:'s| is) waiting(?: for (?:my )?approval)?", _return_always(ListRequests())),
    (rf"{_SHOW}?{_ALL}(?:policy|policies|limits?|spending limits?)(?: of my wallet)?", _return_always(ShowPolicy())),
    (rf"{_SHOW}?{_ALL}(?:transaction|payment)?\s*status\s+(?:for|of)\s+(?:{_THING}\s+)?(?:(?:with\s+)?id:?\s+)?(?P<reference>\S+?)", lambda found: ShowTransaction(found["reference"])),
    (rf"{_SHOW}{_ALL}(?:transaction|payment)\s+(?:(?:with\s+)?id:?\s+)?(?P<reference>\S*[0-9]\S*?)", lambda found: ShowTransaction(found["reference"])),
    (rf"{_SHOW}?{_ALL}(?:(?:last|latest|recent|past|newest|previous)\s+)?(?:(?P<count>[0-9]{{1,4}})\s+)?(?:(?:last|latest|most recent|recent|past|newest)\s+)?{_TRANSACTIONS}", _list_transactions),
    (rf"{_SHOW}?{_ALL}(?:test\s+)?payees|who can i pay|who are my payees", _return_always(ListPayees())),
    (rf"{_SHOW}{_ALL}(?:details (?:of|for|about) )?{_ALL}payee\s+(?P<payee>.+)", _show_payee),
    (rf"{_SHOW}?{_ALL}wallets?(?: list)?(?:\s*(?:and|with|,)\s*(?:their|its|the|all)?\s*(?:balances?|amounts?|paytags?))?|(?:what|which) wallets do i have", _return_always(ListWallets())),
    (rf"{_SHOW}?{_ALL}(?:current\s+)?(?:{_CURRENCY}\s+)?(?:wallets?'?s?\s+)?(?:account\s+)?balances?(?:\s+(?:of|in|for)\s+.*)?|how much (?:money |is |do |have |left |i |there )*.*", _show_balance),
)  # fmt: skip
_PATTERNS = tuple((re.compile(rf"(?:{form}){_END}", re.IGNORECASE), make) for form, make in _REQUESTS)
_FRILL = re.compile(rf"^{POLITE}(?=\S)", re.IGNORECASE)


def read_request(text: str) -> Intent | None:
    """Return what a tidy text asks for; None where it asks for nothing known. Payments are read elsewhere."""
    if created := _CREATE.fullmatch(text):
        return _read_payee(created)
    for candidate in (text, _FRILL.sub("", text)):
        for pattern, make in _PATTERNS:
            if found := pattern.fullmatch(candidate):
                return make(found)
    return None


def _read_payee(found: re.Match[str]) -> Intent:
    rest = found["rest"].rstrip(" .!?")
    kind, email = read_kind(found["first"]), None
    for part, form in _CREATE_PARTS:
        if piece := form.search(rest):
            rest = (rest[: piece.start()] + " " + rest[piece.end() :]).strip(" ,;")
            if part == "kind":
                kind = read_kind(piece["kind"])
            else:
                email = piece["email"]
    name = _NAME_START.sub("", rest).strip(" ,.;:!?\"'")
    if not name and email:
        name = email
    if not name:
        return Unclear(
            "a payee needs a name; write it like `create a payee named John Doe with email john@example.com`"
        )
    if len(name) > _LONGEST_NAME:
        return Unclear(f"a payee's name is {_LONGEST_NAME} characters long at most")
    if re.search(r"\b(?:and|then)\s+(?:send|pay|transfer|create|add)\b", name, re.IGNORECASE):
        return Unclear("I do one thing at a time: create the payee first")
    return CreatePayee(name, email, kind or PayeeKind.TEST_RAILS)
