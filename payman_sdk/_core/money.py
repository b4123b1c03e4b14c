"""Which asks may move money. Decided from the words alone, and in doubt: yes.

An ask is harmless only if all of this holds:

- each of its sentences (and lines, and clauses behind a comma, "and", "then", …) begins with words that ask to be told something;
- every other word is one of those listed below, or an id, an address, a date, or how many of something to show;
- it is not longer than a question is.

So "list all wallets and their balances" is harmless. "Send 5 TSD to Bob", "how do I send money", "yes", "do it again", "überweise 5 an
Bob" and "who is Bob" are not: a name could as well be an order in a language that nobody has thought of. The list has no verb that
orders something, and none of "to", "into", "over" and "it". An answer to a task that waits always counts as moving money.
"""

from __future__ import annotations

import re

_POLITE = (
    r"(?:(?:hi|hello|hey|please|pls|kindly|thanks|thank you|can you|could you|would you|i want to|i would like to|i'd like to)"
    r"\b\s*)*"
)
_THINGS = (
    r"(?:(?:me|us|the|my|our|their|its|all|any|of|last|latest|recent|newest|pending|test)\s+)*"
    r"(?:payees?|transactions?|wallets?|balances?|payments?|status(?:es)?|requests?|limits?|polic(?:y|ies)|paytags?|tasks?"
    r"|history|accounts?|details)\b"
)
_ASKING = re.compile(
    rf"{_POLITE}(?:"
    r"(?:list|show|display|tell me|describe|explain|summari[sz]e"
    r"|what(?:'?s|'re)?(?! about)|which|who(?:'s)?|when|where(?:'s)?|why|how (?:much|many|long|is|are|was|were|has|did)"
    r"|is|are|was|were|did|does|has|have i|do i|am i|test connection)(?![\w'])"
    rf"|(?:get|fetch|find|check|see|view|search|count|look up)\s+{_THINGS}"
    rf"|(?:hi|hello|hey|help|thanks|thank you|{_THINGS})\s*$)"
)
_BREAKS = re.compile(r"[.,;:!?…/&\n\r，；：！？。、–—]|\s-+\s|\b(?:and|or|then|also|plus|but)\b")  # noqa: RUF001
_BETWEEN = re.compile(r"[\s\"“”()-]+")
_WORDS = frozenset(
    """
    what what's which who when where why how much many long is are was were am be been did do does has have had
    i me my mine we us our you your they their its payee's wallet's
    a an the all any every each of in on at by for with about since until between during before after within per as
    not no there
    payee payees transaction transactions wallet wallets balance balances payment payments status statuses requests limit limits
    policy policies paytag paytags task tasks history account accounts details detail money funds name names id ids email emails
    address addresses type types currency currencies amount amounts date dates number rails session agent connection weather
    talk talked say said asked happened received left available spendable pending completed failed canceled rejected
    total current currently active different possible test
    last latest recent recently newest oldest first past previous next earlier now today yesterday day days week weeks month
    months year years daily weekly monthly
    tsd usd usdc usdt eur gbp dollars euros
    """.split()  # noqa: SIM905 (shorter)
)
_KNOWN = re.compile(
    r"\b(?:last|latest|recent|newest|first|past|next|previous)\s+\d{1,4}\b"
    r"|\b(?:pd|tsk|ses|req|pm|ai|org|tx|txn|pay)-[0-9a-f]{4,}(?:-[0-9a-f]{4,})*(?![\w-])"
    r"|\b[\w.+-]+@[\w-]+(?:\.[\w-]+)+"
    r"|\b[a-z]+\.[a-z]+\.[a-z]+/\d+\b"
    r"|\b\d{4}-\d{2}-\d{2}\b"
    r"|\bthis\s+(?:day|week|month|quarter|year)\b",
    re.ASCII,
)

_ORDERS = frozenset(
    "add allow approve buy confirm create deposit forward give grant make move pay remit send transfer wire withdraw yes".split()  # noqa: SIM905 (shorter)
)
"""Words that an agent may read as an order where they stand in an address."""

_LONGEST = 1000
"""Characters; what is longer is no simple question, and would take long to look through."""


def may_move_money(text: str) -> bool:
    """Whether an ask may move money, or change what money can be moved.

    Example:
        >>> from payman_sdk._core.money import may_move_money
        >>> may_move_money("show my last 5 transactions"), may_move_money("send 5 TSD to Bob"), may_move_money("yes")
        (False, True, True)
    """
    if len(text) > _LONGEST:
        return True
    text = _KNOWN.sub(_mask_known, text.lower().replace("’", "'"))
    clauses = [clause.strip(" \t-'\"“”()") for clause in _BREAKS.split(text)]
    return not any(clauses) or not all(_is_question(clause) for clause in clauses if clause)


def _mask_known(found: re.Match[str]) -> str:
    """A word for what is known to order nothing; an address or a paytag that holds an order stays what it is."""
    address = "@" in found[0] or "." in found[0]
    return found[0] if address and not _ORDERS.isdisjoint(re.split(r"[\W\d_]+", found[0])) else " its "


def _is_question(clause: str) -> bool:
    asking = _ASKING.match(clause)
    return asking is not None and all(
        word in _WORDS for word in _BETWEEN.split(clause[asking.end() :]) if word
    )
