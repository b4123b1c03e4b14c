"""Phrases that several kinds of sentences share: politeness, and the ways to point at a payee."""

from __future__ import annotations

import re

from payman_sdk.sandbox._agent.language.intents import PayeeKind, PayeeReference

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
    """Return the kind of payee that these words name."""
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
