"""One run of the command: its global flags, what it has sent, and what becomes of failures."""

from __future__ import annotations

import errno
import shlex
import sys
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import typer
from attrs import define, field
from typer.core import TyperGroup

from payman_sdk._cli import exit_codes
from payman_sdk._cli.terminal import Terminal, report_unwritten
from payman_sdk.errors import APIConnectionError, OutcomeUnknownError, PaymanError

if TYPE_CHECKING:
    from payman_sdk._core.hook_payloads import OutgoingAsk, RetryDetails

START_SANDBOX = "Start payman sandbox in another terminal."
_SWITCHES = ("--sandbox", "--debug")
_VALUED = ("--env", "--base-url")
_UNWRITTEN = {errno.EPIPE, errno.ENOSPC}


class TerminatedError(BaseException):
    """The system asks the command to end, as `timeout 60 payman …` does; no handler of mere failures may catch it."""


@define
class Run:
    """What the commands of one run share.

    Args:
        env: The flag `--env`.
        base_url: The flag `--base-url`.
        sandbox: The flag `--sandbox`.
        debug: The flag `--debug`.
        sent: The ask that was sent last, None if none was.
        is_at_sandbox: Whether the server is the one that `payman sandbox` serves.
    """

    env: str | None = None
    base_url: str | None = None
    sandbox: bool = False
    debug: bool = False
    sent: OutgoingAsk | None = None
    is_at_sandbox: bool = False
    terminal: Terminal = field(factory=Terminal)

    def note(self, outgoing: OutgoingAsk) -> None:
        """Notes an ask that is about to be sent: the `before_send` hook of the command's clients."""
        self.sent = outgoing

    def report_retry(self, retry: RetryDetails) -> None:
        """Tells of another attempt: the `on_retry` hook of the command's clients."""
        self.terminal.write_message(f"{retry.reason.message} Trying again in {retry.delay:.1f} s.")

    def format_command(self, words: str) -> str:
        """A command line that asks the same server."""
        flags = [] if self.env is None else ["--env", self.env]
        flags += [] if self.base_url is None else ["--base-url", shlex.quote(self.base_url)]
        return " ".join(["payman", *flags, words])

    def suggest_follow_up(self, task_id: str | None = None) -> str:
        """How to learn later what became of the task that was sent; nothing where none was, or where nobody could tell."""
        task_id = task_id or (self.sent.task_id if self.sent else None)
        if task_id is None:
            return ""
        if self.sandbox:
            return f" It is the task {task_id} of this command's own sandbox, which ends with it."
        return f" To learn how it ended: {self.format_command(f'tasks get {shlex.quote(task_id)}')}"


class Commands(TyperGroup):
    """The command as a whole: global flags may stand anywhere, and failures are told in words and by the exit status."""

    def get_params(self, ctx: Any) -> list[Any]:
        """The flags; what `--install-completion` leaves to be desired is not worth two lines of the help."""
        params = super().get_params(ctx)
        for param in params:
            if param.name == "show_completion":
                param.hidden = True  # type: ignore[attr-defined]
        return params

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Reads the arguments of the command itself."""
        with _guard_help_output():
            return super().parse_args(ctx, hoist_flags(args))

    def invoke(self, ctx: Any) -> Any:
        """Runs the command that was chosen."""
        ctx.obj = run = ctx.obj or Run()
        try:
            with _guard_help_output():
                return super().invoke(ctx)
        except PaymanError as error:
            raise typer.Exit(report_error(run, error)) from None
        except (KeyboardInterrupt, TerminatedError) as end:
            later = run.suggest_follow_up()
            run.terminal.write_message(f"Interrupted.{later or ' Nothing was sent.'}")
            if later and not run.sandbox:
                run.terminal.write_message("The task goes on without you.")
            is_asked = isinstance(end, TerminatedError)
            raise typer.Exit(exit_codes.TERMINATED if is_asked else exit_codes.INTERRUPTED) from None


@contextmanager
def _guard_help_output() -> Generator[None]:
    """What Typer writes itself, which is the help and the version, ends as answers do where it cannot be written."""
    try:
        yield
    except OSError as error:
        if error.errno not in _UNWRITTEN:
            raise
        raise typer.Exit(
            exit_codes.COMPLETED if report_unwritten(error, sys.stdout) else exit_codes.FAILED
        ) from None


def report_error(run: Run, error: PaymanError) -> int:
    """Tells a failure of the SDK on standard error, and returns its exit status."""
    if run.debug:
        run.terminal.write_traceback(error)
    status = exit_codes.from_error(error)
    if run.is_at_sandbox and isinstance(error, APIConnectionError) and error.sent is False:
        error.next_step = error.next_step or START_SANDBOX
    if status != exit_codes.UNKNOWN:
        run.terminal.write_message(str(error))
        return status
    ids = {"task": error.task_id, "session": error.session_id, "request": error.request_id}
    known = ", ".join(f"{name} {value}" for name, value in ids.items() if value)
    said = [error.message, f"[{known}]" if known else "", run.suggest_follow_up(error.task_id).strip()]
    if isinstance(error, OutcomeUnknownError):
        safe = "Repeat it with the same --idempotency-key, and with no other."
        said.insert(1, safe if error.idempotency_key else "Do not send it again before you know.")
    run.terminal.write_message(" ".join(part for part in said if part))
    return status


def hoist_flags(args: Sequence[str]) -> list[str]:
    """The arguments with the global flags first, wherever they stood: `payman ask … --sandbox` is `payman --sandbox ask …`.

    Example:
        >>> from payman_sdk._cli.context import hoist_flags
        >>> hoist_flags(["ask", "hello", "--env", "TEST", "--", "--debug"])
        ['--env', 'TEST', 'ask', 'hello', '--', '--debug']
    """
    first: list[str] = []
    rest: list[str] = []
    left = list(args)
    while left:
        argument = left.pop(0)
        if argument == "--":
            rest += [argument, *left]
            break
        if argument in _SWITCHES or argument.startswith(tuple(f"{name}=" for name in _VALUED)):
            first.append(argument)
        elif argument in _VALUED and left:
            first += [argument, left.pop(0)]
        else:
            rest.append(argument)
    return first + rest
