"""Every request but a payment: payees, wallets, transactions, approvals, and small talk."""

import re
from collections.abc import Callable

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
    Recall,
    ShowBalance,
    ShowPayee,
    ShowPolicy,
    ShowTransaction,
    TestConnection,
    Unclear,
    Weather,
)
from payman_sdk.sandbox._agent.language.patterns import KIND, POLITE, read_kind, read_reference

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
    """Return what a tidy text asks for, or None. Payments are read elsewhere."""
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
