r"""Show the words of others safely: to a person, on a terminal, in a log, to a model.

Characters that control a terminal, change the direction of writing, break a line or are invisible appear as escapes such as
`\u202e`. The Unicode category decides, so unknown characters of these kinds are escaped too.

A notebook shows answers as markdown, and nothing in it may act: no HTML, no image, no odd link.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right

_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp", "Zs", "Me"})
"""Categories that are escaped: controls, formats, surrogates, private use, unassigned, separators, enclosing marks."""

_BLANK = (
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\ufffc"
    "\U0001d159\U00013441-\U00013446\U00016fe4\U000e0100-\U000e01ef]"
)
"""Letters, marks and symbols that show nothing: Unicode's default ignorables, which Python cannot look up.

It is compiled on first use, because it takes as much memory as a module.
"""

_OVERLAY = 1
"""The combining class of marks that strike a letter out."""

_MOST_MARKS = 4
"""Combining marks on one letter; more would cover the lines around it."""

_SPACES, _BREAKS = "[ \t]{9,}", "[\r\n]{4,}"


def sanitize(text: str, *, one_line: bool = False, max_length: int | None = None) -> str:
    r"""Escape what a text hides; the result can be encoded and printed anywhere.

    `one_line` also escapes line breaks and tabs, and counts long gaps instead of showing them. Otherwise `\n` and tabs stay, and
    `\r\n` counts as `\n`. A text longer than `max_length` characters ends with how much is missing.
    """
    if one_line and (not text.isprintable() or " " * 9 in text):
        text = re.sub(_SPACES, lambda gap: f" … ({len(gap[0]):,} spaces) … ", text)
        text = re.sub(_BREAKS, lambda gap: f" … ({len(gap[0]):,} line breaks) … ", text)
    elif not one_line:
        text = text.replace("\r\n", "\n")
    if max_length is None:
        return _escape(text, one_line=one_line)
    kept = min(len(text), max_length)
    shown = _escape(text[:kept], one_line=one_line)
    if len(shown) > max_length:  # an escape is longer than what it is for
        lengths = range(kept + 1)
        kept = bisect_right(lengths, max_length, key=lambda n: len(_escape(text[:n], one_line=one_line))) - 1
        shown = _escape(text[:kept], one_line=one_line)
    left = len(text) - kept
    return shown if not left else f"{shown}… ({left:,} more character{'' if left == 1 else 's'})"


def find_hidden(text: str) -> int | None:
    r"""Return the position of the first character that nobody can see, or None. `\n`, tabs and spaces are seen."""
    hidden = {character for character in set(text) if is_hidden(character)} - {"\n", "\t"}
    return min((text.index(character) for character in hidden), default=None)


def is_hidden(character: str) -> bool:
    """Whether a character shows nothing, or more than itself: a plain space does not count, others do."""
    if character.isascii():
        return not character.isprintable()
    is_overlay = unicodedata.combining(character) == _OVERLAY
    is_listed = unicodedata.category(character) in _HIDDEN
    return is_overlay or is_listed or re.match(_BLANK, character) is not None


def describe(character: str) -> str:
    r"""Name a character without showing it, such as `U+202E RIGHT-TO-LEFT OVERRIDE`."""
    return f"U+{ord(character):04X} {unicodedata.name(character, '')}".rstrip()


def _escape(text: str, *, one_line: bool) -> str:
    if text.isascii() and text.isprintable():
        return text
    characters = set(text)
    hidden = {one for one in characters if is_hidden(one)} - (set() if one_line else {"\n", "\t"})
    marks = "".join(one for one in characters - hidden if unicodedata.category(one).startswith("M"))
    if marks:
        # A mark without a letter would change the character that we put before it.
        lone = rf"(?:(?<=[{marks}]{{{_MOST_MARKS}}})|(?<![^\s]))[{marks}]+"
        text = re.sub(lone, lambda run: "".join(map(_spell, run[0])), text)
    return text.translate({ord(one): _spell(one) for one in hidden}) if hidden else text


def _spell(character: str) -> str:
    return character.encode("unicode_escape").decode()


_ACTIVE = (
    r"(?i)[<&]"  # HTML
    r"|!(?=\[)"  # an image, which is fetched without a click
    r"|(?<=\])\((?!\s*(?:https?://|mailto:))"  # a link to anything but a page or an address
    r"|(?<=\])(?=:)"  # where a link leads that is written elsewhere
)
_ESCAPES = {"<": "&lt;", "&": "&amp;"}


def escape_markdown(text: str) -> str:
    """Return markdown in which nothing acts; tables, lists and links to pages stay."""
    return re.sub(_ACTIVE, lambda found: _ESCAPES.get(found[0], f"\\{found[0]}"), sanitize(text))


def render_answer(status: str, state: str, text: str, task_id: str, is_final: bool) -> str:
    r"""Return an answer as markdown, with the state of its task where that is not "completed".

    Example:
        >>> from payman_sdk._text.sanitizer import render_answer
        >>> render_answer("failed", "rejected", "No <b>funds</b>.", "tsk-1", True)
        '**Failed** · rejected · `tsk-1`\n\nNo &lt;b>funds&lt;/b>.'
    """
    shown = escape_markdown(text)
    if status == "completed":
        return shown
    title = "Failed" if status == "failed" else "Ended" if is_final else "Waiting"
    code = re.sub(r"[^\w.:-]", "", task_id)
    return f"**{title}** · {escape_markdown(state)} · `{code}`\n\n{shown}"
