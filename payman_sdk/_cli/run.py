"""One run of the command: its global flags, what it has sent, and common arguments and options."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer
from attrs import define, field

from payman_sdk._cli.terminal import Terminal

if TYPE_CHECKING:
    from payman_sdk._core.hook_payloads import OutgoingAsk, RetryDetails


class TerminatedError(BaseException):
    """The system asks the command to end, as `timeout 60 payman …` does; no handler of mere failures may catch it."""


@define
class Run:
    """What the commands of one run share: the global flags, and the last ask that was sent, or None.

    `task_id` is the task that is looked up or canceled. `is_harmless`: the command orders nothing. With `--json`, standard output
    is one document, a failure included. `lookup` is the command that shows later how a task ended. `is_at_sandbox`: the server is
    that of `payman sandbox`.
    """

    env: str | None = None
    base_url: str | None = None
    sandbox: bool = False
    debug: bool = False
    sent: OutgoingAsk | None = None
    task_id: str | None = None
    is_at_sandbox: bool = False
    is_harmless: bool = False
    as_json: bool = False
    lookup: str = "tasks get"
    terminal: Terminal = field(factory=Terminal)

    @property
    def has_sent(self) -> bool | None:
        """Whether an ask was sent; None while a task is looked up or canceled, for which no ask is sent."""
        return None if self.sent is None and self.task_id is not None else self.sent is not None

    @property
    def last_task_id(self) -> str | None:
        """The task of the ask that was sent last, else the one that is looked up or canceled."""
        return self.task_id if self.sent is None else self.sent.task_id

    def note(self, outgoing: OutgoingAsk) -> None:
        """Note an ask that is about to be sent: the `before_send` hook of the command's clients."""
        self.sent = outgoing

    def note_first(self, outgoing: OutgoingAsk) -> None:
        """Note the order of a typed call; the lists that it reads afterwards to prove the outcome do not count."""
        self.sent = self.sent or outgoing

    def report_retry(self, retry: RetryDetails) -> None:
        """Say that there is another attempt: the `on_retry` hook of the command's clients."""
        self.terminal.write_message(f"{retry.reason.message} Retrying in {retry.delay:.1f} s.")

    def format_command(self, words: str) -> str:
        """Return a command line that asks the same server."""
        flags = [] if self.env is None else ["--env", self.env]
        flags += [] if self.base_url is None else ["--base-url", shlex.quote(self.base_url)]
        return " ".join(["payman", *flags, words])

    def suggest_follow_up(self, task_id: str | None = None) -> str:
        """Return how to look up the task that was sent or named; nothing if there is none."""
        task_id = task_id or self.last_task_id
        if task_id is None:
            return ""
        if self.sandbox:
            return f" The task {task_id} belongs to this command's own sandbox, which ends now."
        return f" To look up the outcome: {self.format_command(f'{self.lookup} {shlex.quote(task_id)}')}"


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


def read_session(given: str | None) -> str | None:
    """Return the id of a session, None for a new one; a blank one, as of an unset variable, raises typer.BadParameter."""
    if given is not None and not given.strip():
        raise typer.BadParameter("it is blank. Give the id of a session, or new.")
    return None if given == "new" else given


Session = Annotated[
    str | None,
    typer.Option(
        metavar="ID|new", callback=read_session, help="Continue this session; a new one by default."
    ),
]
TaskId = Annotated[str, typer.Argument(metavar="ID", help="The id of the task (tsk-…).")]

MORE_WORDS = {"allow_extra_args": True}
"""The settings of a command that calls `refuse_more_words`."""


def refuse_more_words(run: Run, context: typer.Context, before: Sequence[str], text: str, what: str) -> None:
    """Refuse unquoted words that were meant as one text, and show how to quote them; raises typer.BadParameter."""
    if context.args:
        quoted = shlex.join([*before, " ".join([text, *context.args])])
        raise typer.BadParameter(
            f"the {what} must be one argument, so quote it: {run.format_command(quoted)}"
        )
