"""Arguments and options that several commands have."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from typing import Annotated

import typer

from payman_sdk._cli.run import Run

Yes = Annotated[bool, typer.Option("--yes", "-y", help="Send it to a live server without asking first.")]
Json = Annotated[bool, typer.Option("--json", help="Print the answer, or the error, as one JSON document.")]
Timeout = Annotated[
    float | None, typer.Option(metavar="SECONDS", help="Seconds for the whole command; 300 by default.")
]
Key = Annotated[
    str | None,
    typer.Option(
        "--key",
        "--idempotency-key",
        metavar="KEY",
        help="The idempotency key: a name for the operation. Repeat it, and it is still done once.",
    ),
]
TaskId = Annotated[str, typer.Argument(metavar="ID", help="The id of the task (tsk-…).")]

MORE_WORDS = {"allow_extra_args": True}
"""The settings of a command that calls `refuse_more_words`."""


def refuse_more_words(run: Run, context: typer.Context, before: Sequence[str], text: str, what: str) -> None:
    """Refuse words that were meant as one text and were not quoted, and show how to quote them.

    Args:
        run: The run.
        context: What Typer knows of the command line.
        before: The words of the command before the text.
        text: The first word of the text.
        what: What the text is.

    Raises:
        typer.BadParameter: There are more words.
    """
    if context.args:
        quoted = shlex.join([*before, " ".join([text, *context.args])])
        raise typer.BadParameter(
            f"the {what} must be one argument, so quote it: {run.format_command(quoted)}"
        )
