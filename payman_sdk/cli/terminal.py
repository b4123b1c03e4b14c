"""Standard output and standard error: answers on the one, messages on the other, and nothing that could harm a terminal."""

from __future__ import annotations

import errno
import json
import os
import re
import sys
import traceback
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, TextIO

from payman_sdk.cli.entry import hush

if TYPE_CHECKING:
    from rich.console import Console
    from rich.markdown import Markdown

# What an answer holds was written by others, in a payment's description perhaps: escape sequences and marks that turn the
# direction of writing could make a terminal show something else than what is there.
_HARMFUL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_CLOSED = {errno.EPIPE, errno.EINVAL, errno.ESHUTDOWN}  # EINVAL is what Windows says


def clean(text: str) -> str:
    r"""A text without the characters that command a terminal.

    Example:
        >>> from payman_sdk.cli.terminal import clean
        >>> clean("paid\x1b[2K\rnothing")
        'paid[2Knothing'
    """
    return _HARMFUL.sub("", text.replace("\r\n", "\n"))


def rendered(text: str) -> Markdown:
    """Markdown as a terminal shows it: all of it. Links show where they lead, and what looks like HTML is text.

    Rich would leave that out, and with it the payee who is called `<John>`.
    """
    from markdown_it import MarkdownIt
    from rich.markdown import Markdown

    markdown = Markdown("", hyperlinks=False)
    reader = MarkdownIt("commonmark", {"html": False}).enable(["strikethrough", "table"])
    markdown.parsed = reader.parse(clean(text))
    return markdown


class Terminal:
    """Where the command writes to. The streams are looked up at every use, because programs replace them."""

    @property
    def is_interactive(self) -> bool:
        """Whether somebody can be asked something: there is a keyboard, and messages are seen."""
        return _is_terminal(sys.stdin) and _is_terminal(sys.stderr)

    @property
    def shows_answers(self) -> bool:
        """Whether answers go to a terminal that can show more than plain text."""
        return _is_terminal(sys.stdout) and os.environ.get("TERM", "") not in {"dumb", "unknown"}

    @property
    def shows_messages(self) -> bool:
        """Whether messages go to a terminal."""
        return _is_terminal(sys.stderr)

    @property
    def reads_lines(self) -> bool:
        """Whether lines are typed, rather than read from a file or a pipe."""
        return _is_terminal(sys.stdin)

    def line(self, prompt: str) -> str | None:
        """The next line of standard input, None at its end; where lines are typed, after a prompt."""
        try:
            if not self.reads_lines:
                return sys.stdin.readline() or None
            if _is_terminal(sys.stdout):
                return input(prompt)
            _write(sys.stderr, prompt)
            return sys.stdin.readline() or None
        except EOFError:
            self.hint("")
            return None
        except UnicodeDecodeError:
            self.tell("This line is no text in the terminal's encoding.")
            return ""

    def out(self) -> Console:
        """Standard output, for Rich."""
        return _console(sys.stdout)

    def err(self) -> Console:
        """Standard error, for Rich."""
        return _console(sys.stderr)

    def answer(self, text: str) -> None:
        """Writes an answer: rendered on a terminal, as it is otherwise."""
        if self.shows_answers:
            self.render(text)
        else:
            self.write(clean(text).rstrip("\n") + "\n")

    def render(self, text: str) -> None:
        """Writes markdown to a terminal."""
        _guarded(lambda: self.out().print(rendered(text)), sys.stdout)

    def answer_lines(self, lines: Iterable[str]) -> None:
        """Writes an answer that consists of lines, as they are."""
        self.write("".join(f"{clean(line)}\n" for line in lines))

    def document(self, value: Any) -> None:
        """Writes one JSON document. It is ASCII, so that any reader and any code page takes it."""
        self.write(json.dumps(value, indent=2) + "\n")

    def write(self, text: str) -> None:
        """Writes text to standard output, at once."""
        _guarded(lambda: _write(sys.stdout, text), sys.stdout)

    def tell(self, message: str) -> None:
        """Writes a message to standard error."""
        _guarded(lambda: _write(sys.stderr, f"payman: {clean(message)}\n"), sys.stderr)

    def hint(self, message: str) -> None:
        """Writes something that only somebody who looks on wants to know."""
        if self.shows_messages:
            _guarded(
                lambda: self.err().print(clean(message), style="dim", markup=False, highlight=False),
                sys.stderr,
            )

    def tell_traceback(self, error: BaseException) -> None:
        """Writes a traceback to standard error, without the values of variables."""
        _guarded(lambda: _write(sys.stderr, "".join(traceback.format_exception(error))), sys.stderr)


def _is_terminal(stream: Any) -> bool:
    try:
        return bool(stream.isatty())
    except (AttributeError, ValueError):  # closed
        return False


def _console(stream: TextIO) -> Console:
    from rich.console import Console

    # With NO_COLOR not even bold: Rich would leave that.
    plain = bool(os.environ.get("NO_COLOR"))
    return Console(file=stream, color_system=None if plain else "auto", highlight=False, emoji=False)


def _write(stream: TextIO, text: str) -> None:
    try:
        stream.write(text)
    except UnicodeEncodeError:  # a stream that was given strict errors by somebody else
        encoding = stream.encoding or "ascii"
        stream.write(text.encode(encoding, "replace").decode(encoding))
    stream.flush()


def _guarded(write: Callable[[], object], stream: TextIO) -> None:
    """Writes; a reader that has left is no matter, and the exit status tells how the task ended all the same."""
    try:
        write()
    except OSError as error:
        tell_unwritten(error, stream)


def tell_unwritten(error: OSError, stream: TextIO) -> bool:
    """Tells that a stream could not be written to; returns whether that is no matter, because its reader has left."""
    hush(stream)
    if error.errno in _CLOSED:
        return True
    if stream is not sys.stderr:
        said = f"payman: the answer could not be written: {error.strerror}.\n"
        _guarded(lambda: _write(sys.stderr, said), sys.stderr)
    return False
