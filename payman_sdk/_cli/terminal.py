"""Standard output for answers, standard error for messages, and nothing that could harm a terminal."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable, Iterable
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from payman_sdk._core.wire_json import dump_json
from payman_sdk._text.logger import format_traceback
from payman_sdk._text.sanitizer import sanitize

if TYPE_CHECKING:
    from markdown_it.token import Token
    from rich.console import Console
    from rich.markdown import Markdown


def prepare_streams() -> None:
    """Make the streams such that writing to them neither fails for want of a character nor of a stream."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:  # closed by the caller: `payman … 2>&-`
            setattr(sys, name, Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115 (it stays open)
        elif isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")  # a Windows code page has no `✓`


def flush_streams() -> None:
    """Write what is left now; at the end of the interpreter a failure could not be kept quiet any more."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            hush(stream)


def hush(stream: object) -> None:
    """Lets everything written to a stream from now on go nowhere: its reader has left."""
    try:
        number = stream.fileno() if isinstance(stream, TextIOWrapper) else None
        if number is not None:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, number)
            os.close(nowhere)
    except (OSError, ValueError):
        pass


_LONGEST = 4000
"""Characters of a message."""
_CLOSED = {errno.EPIPE, errno.EINVAL, errno.ESHUTDOWN}  # EINVAL is what Windows says


def render_markdown(text: str) -> Markdown:
    """Return markdown as a terminal shows it: links show where they lead, and HTML is text.

    Rich would drop HTML, and with it the payee who is called `<John>`.
    """
    from markdown_it import MarkdownIt
    from rich.markdown import Markdown

    markdown = Markdown("", hyperlinks=False)
    reader = MarkdownIt("commonmark", {"html": False}).enable(["strikethrough", "table"])
    markdown.parsed = reader.parse(sanitize(text))
    _sanitize_tokens(markdown.parsed)
    return markdown


def _sanitize_tokens(tokens: Iterable[Token]) -> None:
    """Escape what appears only in parsed markdown: `&#27;` begins an escape sequence, `&#8238;` turns text."""
    for token in tokens:
        token.content, token.info = sanitize(token.content), sanitize(token.info, one_line=True)
        for name, value in token.attrs.items():
            token.attrs[name] = sanitize(value, one_line=True) if isinstance(value, str) else value
        _sanitize_tokens(token.children or ())


class Terminal:
    """Where the command writes to. The streams are looked up at every use, because programs replace them."""

    @property
    def is_interactive(self) -> bool:
        """Whether somebody can be asked something: there is a keyboard, and messages are seen."""
        return _is_terminal(sys.stdin) and _is_terminal(sys.stderr)

    @property
    def is_output_terminal(self) -> bool:
        """Whether answers go to a terminal that can show more than plain text."""
        return _is_terminal(sys.stdout) and os.environ.get("TERM", "") not in {"dumb", "unknown"}

    @property
    def is_error_terminal(self) -> bool:
        return _is_terminal(sys.stderr)

    @property
    def is_input_terminal(self) -> bool:
        """Whether lines are typed, rather than read from a file or a pipe."""
        return _is_terminal(sys.stdin)

    def read_line(self, prompt: str) -> str | None:
        """Return the next line of standard input, None at its end; where lines are typed, after a prompt."""
        try:
            if not self.is_input_terminal:
                return sys.stdin.readline() or None
            if _is_terminal(sys.stdout):
                return input(prompt)
            _write(sys.stderr, prompt)
            return sys.stdin.readline() or None
        except EOFError:
            self.write_hint("")
            return None
        except UnicodeDecodeError:
            self.write_message("This line is not valid text in the terminal's encoding. Write it again.")
            return ""

    def get_stdout(self) -> Console:
        return _make_console(sys.stdout)

    def get_stderr(self) -> Console:
        return _make_console(sys.stderr)

    def write_answer(self, text: str) -> None:
        """Write an answer: rendered on a terminal, as it is otherwise."""
        if self.is_output_terminal:
            self.render(text)
        else:
            self.write(sanitize(text).rstrip("\n") + "\n")

    def render(self, text: str) -> None:
        _write_guarded(lambda: self.get_stdout().print(render_markdown(text)), sys.stdout)

    def write_answer_lines(self, lines: Iterable[str]) -> None:
        self.write_laid_out(sanitize(line, one_line=True) for line in lines)

    def write_laid_out(self, lines: Iterable[str]) -> None:
        """Write lines whose words are sanitized already; their blanks are the command's own."""
        self.write("".join(f"{line}\n" for line in lines))

    def write_document(self, value: Any) -> None:
        """Write one JSON document. It is ASCII, so that any reader and any code page takes it."""
        lost: list[str] = []
        self.write(dump_json(value, lost, indent=2) + "\n")
        if lost:
            self.write_message(
                f"JSON has no {' and '.join(sorted(set(lost)))}: the document holds null instead."
            )

    def write(self, text: str) -> None:
        _write_guarded(lambda: _write(sys.stdout, text), sys.stdout)

    def write_message(self, message: str) -> None:
        _write_guarded(
            lambda: _write(sys.stderr, f"payman: {sanitize(message, one_line=True, max_length=_LONGEST)}\n"),
            sys.stderr,
        )

    def write_hint(self, message: str) -> None:
        """Write something that only somebody who looks on wants to know."""
        if self.is_error_terminal:
            _write_guarded(
                lambda: self.get_stderr().print(
                    sanitize(message, one_line=True, max_length=_LONGEST),
                    style="dim",
                    markup=False,
                    highlight=False,
                ),
                sys.stderr,
            )

    def write_traceback(self, error: BaseException) -> None:
        """Write a traceback to standard error, without the values of variables."""
        _write_guarded(lambda: _write(sys.stderr, f"{format_traceback(error)}\n"), sys.stderr)


def _is_terminal(stream: Any) -> bool:
    try:
        return bool(stream.isatty())
    except (AttributeError, ValueError):  # closed
        return False


def _make_console(stream: TextIO) -> Console:
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


def _write_guarded(write: Callable[[], object], stream: TextIO) -> None:
    """Write, and ignore a reader that has left; the exit status still reports the outcome."""
    try:
        write()
    except OSError as error:
        report_unwritten(error, stream)


def report_unwritten(error: OSError, stream: TextIO) -> bool:
    """Report a failed write to a stream; return whether it is harmless because the reader has left."""
    hush(stream)
    if error.errno in _CLOSED:
        return True
    if stream is not sys.stderr:
        said = f"payman: the answer could not be written: {error.strerror}.\n"
        _write_guarded(lambda: _write(sys.stderr, said), sys.stderr)
    return False
