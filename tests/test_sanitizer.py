from __future__ import annotations

import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payman_sdk._text.sanitizer import describe, find_hidden, is_hidden, sanitize

_HOSTILE = {
    "ESC": "\x1b[2J",
    "CSI of C1": "\x9b2J",
    "OSC title": "\x1b]0;EVIL\x07",
    "OSC hyperlink": "\x1b]8;;http://evil\x1b\\",
    "OSC clipboard": "\x1b]52;c;RVZJTA==\x07",
    "DCS": "\x90q\x9c",
    "bracketed paste": "\x1b[200~",
    "NUL": "\0",
    "backspace": "paid\b\b\b\b",
    "DEL": "\x7f",
    "vertical tab": "\x0b",
    "form feed": "\x0c",
    "file separator": "\x1c",
    "next line": "\x85",
    "line separator": "\u2028",
    "paragraph separator": "\u2029",
    "bidi override": "\u202e",
    "bidi isolate": "\u2066",
    "bidi mark": "\u200f",
    "Arabic letter mark": "\u061c",
    "zero width space": "\u200b",
    "zero width joiner": "\u200d",
    "word joiner": "\u2060",
    "invisible times": "\u2062",
    "byte order mark": "\ufeff",
    "soft hyphen": "\xad",
    "tag": "\U000e0041",
    "language tag": "\U000e0001",
    "variation selector": "\ufe0f",
    "variation selector supplement": "\U000e0100",
    "hangul filler": "\u3164",
    "halfwidth hangul filler": "\uffa0",
    "Mongolian vowel separator": "\u180e",
    "Mongolian variation selector": "\u180b",
    "Khmer inherent vowel": "\u17b4",
    "combining grapheme joiner": "\u034f",
    "interlinear annotation": "\ufff9",
    "object replacement": "\ufffc",
    "private use": "\ue000",
    "private use plane": "\U0010fffd",
    "noncharacter": "\uffff",
    "noncharacter in the middle": "\ufdd0",
    "unassigned ignorable": "\U000e0fff",
    "lone surrogate": "\ud83d",
    "no-break space": "\xa0",
    "ogham space": "\u1680",
    "hair space": "\u200a",
    "ideographic space": "\u3000",
    "blank Braille": "\u2800",
    "null notehead": "\U0001d159",
    "shorthand format": "\U0001bca0",
    "musical format": "\U0001d173",
    "Egyptian joiner": "\U00013430",
    "enclosing circle": "0\u20dd",
    "strike through": "1\u03360\u0336",
    "deprecated format": "\u206a",
}
"""Texts of a kind each; what is harmful in them has to come out as escapes."""


def test_everything_that_hides_comes_out_as_an_escape() -> None:
    """Kinds of characters that command a terminal, turn text, break a line or cannot be seen, in either form."""
    for kind, text in _HOSTILE.items():
        for one_line in (False, True):
            shown = sanitize(f"a{text}z", one_line=one_line)
            assert shown.isprintable(), kind
            assert shown.isascii(), kind
            assert "\\" in shown, kind
            assert shown[0] + shown[-1] == "az", kind
        assert find_hidden(f"a{text}z") is not None, kind


_DEFAULT_IGNORABLE = [
    (0xAD, 0xAD), (0x34F, 0x34F), (0x61C, 0x61C), (0x115F, 0x1160), (0x17B4, 0x17B5), (0x180B, 0x180F), (0x200B, 0x200F),
    (0x202A, 0x202E), (0x2060, 0x206F), (0x3164, 0x3164), (0xFE00, 0xFE0F), (0xFEFF, 0xFEFF), (0xFFA0, 0xFFA0),
    (0xFFF0, 0xFFF8), (0x1BCA0, 0x1BCA3), (0x1D173, 0x1D17A), (0xE0000, 0xE0FFF),
]  # fmt: skip
"""The ranges of Default_Ignorable_Code_Point in Unicode's DerivedCoreProperties."""


@pytest.mark.slow
def test_no_character_of_unicode_is_an_exception() -> None:
    """Each comes out as itself or as an escape; what can be ignored, or is of a category without a shape, as an escape."""
    assigned, tags, others = range(0x32400), range(0xE0000, 0xE1000), range(0x32400, sys.maxunicode + 1, 997)
    everything = {chr(code) for codes in (assigned, tags, others) for code in codes}
    hidden = {character for character in everything if is_hidden(character)}
    ignorable = {chr(code) for first, last in _DEFAULT_IGNORABLE for code in range(first, last + 1)}
    shapeless = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
    assert not ignorable - hidden
    assert not {one for one in everything - hidden if unicodedata.category(one) in shapeless}
    shown = "".join(f"a{character}" for character in everything - hidden)
    assert sanitize(shown, one_line=True) == shown
    assert shown.isprintable()
    escaped = sanitize("".join(hidden), one_line=True)
    assert escaped.isprintable()
    assert escaped.isascii()


def test_plain_text_stays_as_it_is() -> None:
    """Languages, accents of either form, currency signs and emoji of one character are shown."""
    for text in (
        "Sent **10.00 TSD** to Zoë, 10 €",
        "Zoe\u0308 Nguye\u0302\u0303n",
        "счёт 42",
        "請求書",
        "فاتورة",
        "नमस्ते दुनिया",
        "✓ 💰",
        "a | b\n- | -\n\tc",
        "",
    ):
        assert sanitize(text) == text
        assert find_hidden(text) is None


def test_lines_and_gaps() -> None:
    """Line breaks stay or are escaped; a gap that would push words out of sight is counted."""
    assert sanitize("a\r\nb\nc\rd\te") == "a\nb\nc\\rd\te"
    assert sanitize("a\r\nb\n\n\nc\td", one_line=True) == r"a\r\nb\n\n\nc\td"
    assert sanitize(f"to Bob{' ' * 3000}and Eve", one_line=True) == "to Bob … (3,000 spaces) … and Eve"
    assert (
        sanitize("to Bob" + "\n" * 3000 + "and Eve", one_line=True)
        == "to Bob … (3,000 line breaks) … and Eve"
    )


def test_marks_cover_nothing_around_them() -> None:
    """A letter has a few marks at most, and a mark without a letter does not reach for what is before the text."""
    tower = sanitize("a" + "\u0301" * 300 + "b")
    assert (tower.count("\u0301"), tower.count("\\u0301"), tower[0], tower[-1]) == (4, 296, "a", "b")
    assert sanitize("\u0301a \u0301b") == "\\u0301a \\u0301b"


def test_a_cut_is_seen() -> None:
    """What is missing is counted, and an escape is never cut in the middle."""
    assert sanitize("abcdef", max_length=6) == "abcdef"
    assert sanitize("abcdefg", max_length=6) == "abcdef… (1 more character)"
    assert sanitize("x" * 2410, max_length=100) == "x" * 100 + "… (2,310 more characters)"
    assert sanitize("ab\u202ecdef", max_length=7) == "ab… (5 more characters)"
    assert sanitize("ab\u202ecdef", max_length=8) == "ab\\u202e… (4 more characters)"
    assert sanitize("\x1b" * 10, max_length=0) == "… (10 more characters)"


@given(st.text(st.characters(), max_size=60), st.booleans(), st.integers(0, 40))
def test_what_is_shown_is_safe_whatever_it_is(text: str, one_line: bool, max_length: int) -> None:
    """It can be encoded, holds nothing that hides, is as long as is allowed, and stays what it is when it is shown again."""
    shown = sanitize(text, one_line=one_line)
    shown.encode()
    assert find_hidden(shown) is None
    assert "\r" not in shown
    assert not one_line or "\n" not in shown
    assert sanitize(shown, one_line=one_line) == shown
    cut, _, note = sanitize(text, one_line=one_line, max_length=max_length).rpartition("… (")
    assert len(cut) <= max_length or not note.endswith(("characters)", "character)"))


def test_a_character_is_named() -> None:
    """A name, or the number alone where there is none."""
    assert describe("\u043e") == "U+043E CYRILLIC SMALL LETTER O"
    assert describe("\x1b") == "U+001B"
    assert describe("\U000e0041") == "U+E0041 TAG LATIN CAPITAL LETTER A"
