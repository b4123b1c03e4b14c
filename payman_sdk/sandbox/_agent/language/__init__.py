"""From the text of a prompt to what is meant by it: rules, not a model, and no I/O.

Reading is liberal where nothing can go wrong ("what's my balance?") and strict for payments, payees and approvals. There the whole
sentence has to fit, and a "not", an invisible character or a question blocks it.
"""

import re
import unicodedata

from payman_sdk.sandbox._agent.language.intents import Approve, CreatePayee, Intent, Pay, Unclear
from payman_sdk.sandbox._agent.language.payment_parser import read_order
from payman_sdk.sandbox._agent.language.query_parser import read_request

NEGATIONS = (  # noqa: SIM905 (words read better as words)
    "not never no nobody none nothing neither nor nowhere without cannot cant dont doesnt didnt wont wouldnt "
    "shouldnt couldnt isnt arent aint mustnt don stop cancel abort avoid refuse forbid refrain nah nope unless "
    "except instead undo ignore forget rather"
).split()
"""Words that reverse a sentence. Any of them, anywhere, keeps the agent from writing."""

_NEGATION = re.compile(rf"\b(?:\w+n't|n't|hold off|{'|'.join(NEGATIONS)})\b", re.IGNORECASE)
_QUESTION = re.compile(
    r"(?:should|shall|did|do|does|have|has|had|was|were|is|are|am|would|could|can|will|may|might|must|what|why|when|"
    r"where|who|whom|which|how|if)\b.*|.*\?\W*",
    re.IGNORECASE | re.DOTALL,
)
_PAYMENT = re.compile(
    r"\b(?:send|sends|sent|sending|pay|pays|paid|paying|transfer\w*|wire\w*|give|gave|remit\w*|payments?)\b",
    re.IGNORECASE,
)
_ODD_AMOUNTS = tuple(
    (re.compile(form, re.IGNORECASE), reason)
    for form, reason in (
        (r"[-−–]\s?[$€£]?\s?[0-9]|\b(?:minus|negative)\b", "the amount is negative"),  # noqa: RUF001 (minus signs)
        (r"[0-9.]e[+-]?[0-9]", "I read no powers of ten; write the amount out"),
        (r"[0-9]\s?(?:k|m|mio|million|thousand|hundred)\b", "write the amount out"),
        (
            r"[0-9]\s?%|\b(?:half|third|quarter|percent|all|everything|rest|some|double)\b",
            "I need the amount as a number",
        ),
        (r"[0-9]\s*(?:or|to|/)\s*[0-9]|\bbetween\b", "there is more than one amount in it"),
        (r"\b(?:nan|inf|infinity|infinite)\b", "that is not an amount"),
    )
)
_EXAMPLE = "write it like `send 10 TSD to John Doe for lunch`"
_HIDDEN = {"Cc", "Cf", "Cs", "Co", "Cn"}


def tidy(text: str) -> str:
    """Return the text on one line, with plain quotes, question marks and single spaces, and digits unchanged."""
    text = unicodedata.normalize("NFC", text)
    text = re.sub("[‘’‚‛´`]", "'", text)  # noqa: RUF001 (what keyboards write for an apostrophe)
    text = re.sub("[“”„«»]", '"', text)
    text = re.sub("[？؟⁇⁈⁉¿]", "?", text)  # noqa: RUF001 (question marks)
    return " ".join(text.split())


def find_objection(text: str) -> str | None:
    """Why nothing may be written because of this text, whatever else it says."""
    if any(unicodedata.category(character) in _HIDDEN for character in text if not character.isspace()):
        return "there are characters in it that cannot be seen"
    if found := _NEGATION.search(tidy(text)):
        return f'there is a "{found[0]}" in it, and I follow only plain orders'
    return None


def explain(text: str) -> Unclear:
    words = tidy(text)
    if not _PAYMENT.search(words):
        return Unclear()
    if reason := find_objection(text):
        return Unclear(reason, payment=True)
    if _QUESTION.fullmatch(words):
        return Unclear("that is a question, and I follow only plain orders", payment=True)
    for form, reason in _ODD_AMOUNTS:
        if form.search(words):
            return Unclear(reason, payment=True)
    if not re.search(r"[0-9]", words):
        return Unclear(f"I found no amount in digits; {_EXAMPLE}", payment=True)
    return Unclear(f"I am not sure who is to get how much; {_EXAMPLE}", payment=True)


__all__ = ["LONGEST", "understand"]

LONGEST = 2000
"""The longest prompt that is read, in characters."""


def understand(text: str) -> Intent:
    """Return what a prompt means. Never raises; `Unclear` says what was in the way."""
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
