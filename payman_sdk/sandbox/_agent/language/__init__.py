"""From the text of a prompt to what is meant by it: rules, not a model, and no I/O.

Reading is liberal where nothing can go wrong ("what's my balance?") and strict where something is written: a payment,
a payee, an approval. There the whole sentence has to fit, and a "not" anywhere in it, an invisible character or a
question blocks it.
"""

from __future__ import annotations

from payman_sdk.sandbox._agent.language.intents import Approve, CreatePayee, Intent, Pay, Unclear
from payman_sdk.sandbox._agent.language.payment_parser import read_order
from payman_sdk.sandbox._agent.language.query_parser import read_request
from payman_sdk.sandbox._agent.language.validation import explain, find_objection, tidy

__all__ = ["LONGEST", "understand"]

LONGEST = 2000
"""The longest prompt that is read, in characters."""


def understand(text: str) -> Intent:
    """Return what a prompt means. Never raises; `Unclear` says what stood in the way.

    Args:
        text: the words of a person or a program.

    Example:
        >>> understand("send 100 TSD to John Doe").readings[0].payee.text
        'John Doe'
        >>> understand("never send 100 TSD to John Doe").reason
        'there is a "never" in it, and I follow only plain orders'
    """
    if len(text) > LONGEST:
        return Unclear(f"the text is longer than {LONGEST} characters", payment=True)
    words = tidy(text)
    meaning = read_request(words) or read_order(words)
    match meaning:
        case None:
            return explain(text)
        case Approve() if "?" in words:
            return Unclear('that is a question; say "approve" to approve', payment=True)
        case Pay() | Approve() | CreatePayee() | Unclear():
            reason = find_objection(text)
            about = isinstance(meaning, Pay | Approve) or (isinstance(meaning, Unclear) and meaning.payment)
            return Unclear(reason, payment=about) if reason else meaning
        case harmless:
            return harmless
