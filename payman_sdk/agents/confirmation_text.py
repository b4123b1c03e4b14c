"""Show a person what is about to be sent: one line for each field, without links, invisible characters or fake lines.

What cannot be shown whole is not shown for approval at all: `find_problem` says why.
"""

import re
import unicodedata
from collections.abc import Iterable
from typing import NamedTuple

from payman_sdk._text.sanitizer import describe, find_hidden, sanitize

MAX_LENGTH = 280
"""Characters of what is sent. Programs that show only the first lines of a question still show all of it."""

MAX_CONTEXT = 1000
"""Characters of what others said before, such as the question that an answer is for."""

_MARKUP = re.compile(r"[`<>]|&(?=#|\w+;)")
"""What could end a code span, begin HTML or be a character reference."""


class Field(NamedTuple):
    """A line of what a person confirms. What hides in a value is shown as escapes if others said it: in a context."""

    label: str
    value: str
    is_context: bool = False

    @property
    def max_length(self) -> int:
        """How many characters of the value are shown."""
        return MAX_CONTEXT if self.is_context else MAX_LENGTH


def find_problem(fields: Iterable[Field]) -> str | None:
    """Return why a person cannot be shown the fields whole, None where they can."""
    for field in fields:
        length = max(len(field.value), len(_to_code_span(field, None)))
        if length > field.max_length:
            return f"{field.label} has {length:,} characters when shown, and a person is shown at most {field.max_length:,}"
        if field.is_context:
            continue
        hidden = find_hidden(field.value)
        if hidden is not None:
            return f"{field.label} holds {describe(field.value[hidden])} at position {hidden}, which cannot be seen"
        moved = _find_moved_number(field.value)
        if moved is not None:
            return f"{field.label} has a number at position {moved} that is shown elsewhere, before letters written from right to left"
    return None


def _find_moved_number(text: str) -> int | None:
    """Return the position of the first number that is not shown where it is: behind letters that are written from right to left."""
    is_from_right = False
    for position, character in enumerate(text):
        direction = unicodedata.bidirectional(character)
        if direction in {"L", "R", "AL"}:
            is_from_right = direction != "L"
        elif direction == "AN" or (direction == "EN" and is_from_right):
            return position
    return None


def format_lines(fields: Iterable[Field]) -> list[str]:
    """Format the fields as lines of plain text, each value in quotation marks."""
    shown = ((field.label, _to_plain(field, field.max_length).replace('"', '\\"')) for field in fields)
    return [f'{label}: "{value}"' for label, value in shown]


def format_markdown(fields: Iterable[Field]) -> str:
    r"""Format the fields for programs that render Markdown or HTML, and for those that do not: each value is a code span.

    Example:
        >>> from payman_sdk.agents.confirmation_text import Field, format_markdown
        >>> print(format_markdown([Field("text", "send 10 TSD to <b>Bob</b> ![](https://evil.example)")]))
        text: `send 10 TSD to \u003cb\u003eBob\u003c/b\u003e ![](https://evil.example)`
    """
    return "\n\n".join(f"{field.label}: `{_to_code_span(field, field.max_length)}`" for field in fields)


def _to_plain(field: Field, max_length: int | None) -> str:
    return sanitize(field.value, one_line=True, max_length=max_length)


def _to_code_span(field: Field, max_length: int | None) -> str:
    """Return a value for a code span. Payman writes code spans itself, which stay readable in quotation marks."""
    shown = _to_plain(field, max_length)
    shown = shown.replace("`", "'") if field.is_context else shown
    return _MARKUP.sub(lambda match: f"\\u{ord(match[0]):04x}", shown)
