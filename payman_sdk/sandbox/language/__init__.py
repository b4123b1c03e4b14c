"""From the text of a prompt to what is meant by it: rules, not a model, and no I/O.

Reading is liberal where nothing can go wrong ("what's my balance?") and strict where something is written: a payment,
a payee, an approval. There the whole sentence has to fit, and a "not" anywhere in it, an invisible character or a
question stands in the way.
"""

from __future__ import annotations

from payman_sdk.sandbox.language.intents import Approve, CreatePayee, Intent, Pay, Unclear
from payman_sdk.sandbox.language.objections import explain, objection, tidy
from payman_sdk.sandbox.language.orders import read_order
from payman_sdk.sandbox.language.requests import read_request

__all__ = ["LONGEST", "understand"]

LONGEST = 4000
"""The longest prompt that is read, in characters."""


def understand(text: str) -> Intent:
    """What a prompt means. Never raises; `Unclear` says what stood in the way.

    Args:
        text: the words of a person or a program.

    Example:
        >>> understand("send 100 TSD to John Doe").readings[0].payee.text
        'John Doe'
        >>> understand("never send 100 TSD to John Doe").reason
        'there is a "never" in it, and I pay only what I am plainly told to'
    """
    if len(text) > LONGEST:
        return Unclear(f"the text is longer than {LONGEST} characters", payment=True)
    words = tidy(text)
    intent = read_request(words) or read_order(words)
    match intent:
        case Pay() | CreatePayee() | Approve():
            return objection(text) or intent
        case Unclear() | None:
            return explain(text, intent)
        case harmless:
            return harmless
