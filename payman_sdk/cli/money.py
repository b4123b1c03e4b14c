"""Which asks may move money. Decided from the words alone, and in doubt: yes.

An ask is harmless only if all of this holds:

- each of its sentences (and lines, and clauses behind "and", "then", ";") begins with words that ask to be told something;
- no word in it is one that moves money, adds or changes something, or says yes to it, whatever the rest says;
- it is not longer than a question is;
- no number in it, in digits or in words, could be an amount: there are ids, addresses, and how many of something to show.

So "list all wallets and their balances" is harmless, while "send 5 TSD to Bob", "how do I send money", "yes", "do it again",
"überweise 5 an Bob" and whatever else is not understood count as moving money. An answer to a task that waits always does.
"""

from __future__ import annotations

import re

_POLITE = (
    r"(?:(?:hi|hello|hey|please|pls|kindly|thanks|thank you|can you|could you|would you|i want to|i would like to|i'd like to)"
    r"\b[\s,!]*)*"
)
_THINGS = (
    r"(?:(?:me|us|the|my|our|their|its|all|any|of|last|latest|recent|newest|pending|test|\d+|and)\s+)*"
    r"(?:payees?|transactions?|wallets?|balances?|payments?|status(?:es)?|requests?|limits?|polic(?:y|ies)|paytags?|tasks?"
    r"|history|accounts?|details)\b"
)
_ASKING = re.compile(
    rf"{_POLITE}(?:"
    r"(?:list|show|display|tell me|describe|explain|summari[sz]e"
    r"|what|what's|whats|which|who|who's|when|where|why|how (?:much|many|long|is|are|was|were|has|did)"
    r"|is|are|was|were|did|does|has|have i|do i|am i|test connection)\b"
    rf"|(?:get|fetch|find|check|see|view|search|count|look up)\s+{_THINGS}"
    rf"|(?:help|{_THINGS})?\s*$)",
    re.IGNORECASE,
)
_BREAKS = re.compile(r"[.;!?\n\r]+(?:\s|$)|\b(?:and|then|also|plus|but|after that)\b|[;&\n\r]", re.IGNORECASE)
_MOVING = re.compile(
    r"\b(?:send|sends|sending|sent|pay|pays|paying|transfer|transfers|transferring|wire|wiring|give|giving|move|moving"
    r"|withdraw|withdrawal|withdrawing|deposit|depositing|buy|buying|purchase|refund|refunding|tip|donate|donating|settle"
    r"|remit|repay|reimburse|fund|funding|lend|loan|swap|convert|exchange|top up|top-up|split|charge|spend|cash out|cash-out"
    r"|approve|approves|approving|approved|confirm|confirms|confirmed|accept|allow|authori[sz]e|yes|yeah|yep|yup|sure|ok|okay"
    r"|do it|do that|do so|do this|go ahead|go on|proceed|continue|execute|run|carry out|repeat|redo|retry|again"
    r"|create|add|adding|make|making|open|register|delete|remove|change|update|set|edit|raise|increase|cancel|schedule"
    r"|deny|reject|release|submit|use|let|put|forward|return|same|paid|payout|payroll|done|through|issue|hand|owe|bring)\b",
    re.IGNORECASE,
)
_NO_AMOUNT = re.compile(
    r"\b(?:last|latest|recent|newest|first|top|past|next|previous)\s+\d{1,4}\b"
    r"|\b(?:pd|tsk|ses|req|pm|ai|org|tx|txn|pay)-[\w-]+"
    r"|\b[\w.+-]+@[\w-]+(?:\.[\w-]+)+"
    r"|\b[a-z]+\.[a-z]+\.[a-z]+/\d+\b"
    r"|\b\d{4}-\d{2}-\d{2}\b",
    re.IGNORECASE,
)


_NUMBER = re.compile(
    r"[\d$€£¥₹₿]|\b(?:two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|(?:thir|four|fif|six|seven|eigh|nine)teen"
    r"|twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety|hundreds?|thousands?|millions?|dozen|half|bucks?|grand)\b",
    re.IGNORECASE,
)


_LONGEST = 1000
"""Characters; what is longer is no simple question, and would take long to look through."""


def may_move_money(text: str) -> bool:
    """Whether an ask may move money, or change what money can be moved.

    Example:
        >>> from payman_sdk.cli.money import may_move_money
        >>> may_move_money("show my last 5 transactions"), may_move_money("send 5 TSD to Bob"), may_move_money("yes")
        (False, True, True)
    """
    if len(text) > _LONGEST:
        return True
    if _MOVING.search(text) or _NUMBER.search(_NO_AMOUNT.sub(" ", text)):
        return True
    clauses = [clause.strip(" \t,:-'\"") for clause in _BREAKS.split(text)]
    return not any(clauses) or not all(_ASKING.match(clause) for clause in clauses if clause)
