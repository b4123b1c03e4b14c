"""Names of operations: names that look alike are the same name, or are refused.

The normal form is the idempotency key, and what a model sees. Case, width, accents, and kinds of dashes and spaces make no
difference. Beside ASCII, a name may hold letters of one other script that do not look like Latin ones.
"""

import re
import unicodedata

from payman_sdk._text.sanitizer import describe, is_hidden

MAX_LENGTH = 255
"""Characters of a name."""

_DASHES = frozenset("\u02d7\u2043\u2212")
"""What looks like a dash, beside the category Pd."""

_QUOTES = {"\u2018": "'", "\u2019": "'", "\u201c": '"', "\u201d": '"'}
"""Quotation marks that models write for those of a keyboard."""

_SPACES = frozenset("\u00a0\u3000")
"""Spaces as wide as a plain one at least. Narrower ones between two letters cannot be seen."""

_PLAIN = {
    "æ": "ae",
    "ð": "d",
    "ø": "o",
    "þ": "th",
    "đ": "d",
    "ħ": "h",
    "ı": "i",  # noqa: RUF001 (that is why)
    "ł": "l",
    "œ": "oe",
    "ŧ": "t",
}
"""Latin letters that accents cannot be taken from; a dotless i is hardly another letter than i."""

_SCRIPTS = {
    "CYRILLIC": re.compile("[\u0430-\u045f\u0491]"),
    "GREEK": re.compile("[\u03b1-\u03c9]"),
    "CJK": re.compile("[\u4e01-\u9fff]"),  # without U+4E00, which looks like a dash
    "HIRAGANA": re.compile("[\u3041-\u3096]"),
    "KATAKANA": re.compile("[\u30a1-\u30fa]"),
    "HANGUL": re.compile("[\uac00-\ud7a3]"),
}
"""Letters of other scripts that a name may hold. Scripts written from right to left are not here: the order of what is beside
them cannot be seen."""

_ALIKE = {
    "CYRILLIC": frozenset("авгекмнорстухьѕіј"),
    "GREEK": frozenset("αβγεηικμνορστυχω"),
    "HIRAGANA": frozenset("へべぺり"),  # katakana
    "KATAKANA": frozenset("エカガタダトドニハバパヘベペムヌノミリロ"),  # Chinese characters, and hiragana
}
"""Letters that pass for those of another script; a name of nothing else passes for a name in that script."""

_VOICING = 8
"""The combining class of the marks that make another letter of a kana."""


class UnusableNameError(ValueError):
    """What was given cannot be the name of an operation; the message says why, to be read behind "operation"."""


def normalize_name(name: str) -> str:
    r"""Return the normal form of the name of an operation.

    Raises:
        UnusableNameError: It is blank, too long, or holds what may be taken for something else.
    """
    name = name.strip()
    is_plain = name.isascii() and name.isprintable()
    normal = " ".join((name.lower() if is_plain else _fold(name)).split())
    if not normal:
        raise UnusableNameError("is blank")
    if len(normal) > MAX_LENGTH:
        raise UnusableNameError(f"has {len(normal)} characters, and may have {MAX_LENGTH}")
    if not is_plain:
        _check_letters(normal)
    return normal


def _fold(name: str) -> str:
    """Return a name without case, width and accents, and with one kind of dashes and quotation marks.

    Raises UnusableNameError for a character that no name may hold.
    """
    for position, character in enumerate(name):
        problem = _find_problem(character)
        if problem is not None:
            raise UnusableNameError(f"holds {describe(character)} at position {position}, {problem}")
    folded = unicodedata.normalize("NFKC", name).casefold()
    return unicodedata.normalize("NFC", "".join(map(_normalize_character, folded)))


def _find_problem(character: str) -> str | None:
    """Why a name may not hold a character as it was given; None where nothing is known against it yet."""
    if unicodedata.category(character) == "Zs":
        return None if character == " " or character in _SPACES else "a space that is hard to see"
    if is_hidden(character):
        return "which cannot be seen"
    compatible = unicodedata.normalize("NFKC", character)
    if len(compatible) > 1 and compatible != unicodedata.normalize("NFC", character):
        return "which is short for several characters"
    return None


def _normalize_character(character: str) -> str:
    """Return a character, compatible and folded already, as its normal form has it; nothing for an accent."""
    if unicodedata.category(character) == "Pd" or character in _DASHES:
        return "-"
    character = _QUOTES.get(character) or _PLAIN.get(character) or character
    return "".join(
        part
        for part in unicodedata.normalize("NFD", character)
        if unicodedata.category(part) != "Mn" or unicodedata.combining(part) == _VOICING
    )


def _check_letters(normal: str) -> None:
    """Raise UnusableNameError for letters of a script that no name may have, of two scripts, or that look like others."""
    first: tuple[str, str] | None = None
    for position, character in enumerate(normal):
        if character.isascii() and not character.isalpha():
            continue
        script = "LATIN" if character.isascii() else _find_script(character)
        if script is None:
            raise UnusableNameError(
                f"holds {describe(character)} at position {position}, which may be taken for something else"
            )
        first = first or (script, character)
        if script != first[0]:
            raise UnusableNameError(
                f"mixes letters that look alike: {describe(first[1])}, and {describe(character)} at position {position}"
            )
    alike = _ALIKE.get(first[0]) if first else None
    if first is not None and alike and not set(filter(str.isalpha, normal)) - alike:
        raise UnusableNameError(
            f"has only letters that pass for those of another script, such as {describe(first[1])} at position {normal.index(first[1])}"
        )


def _find_script(character: str) -> str | None:
    return next((script for script, letters in _SCRIPTS.items() if letters.match(character)), None)
