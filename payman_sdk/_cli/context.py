"""The command as a whole: where its global flags may be, and what becomes of failures."""

from __future__ import annotations

import errno
import sys
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from itertools import takewhile
from typing import Any

import typer
from typer.core import TyperGroup

from payman_sdk._cli import exit_codes
from payman_sdk._cli.error_report import describe_failure, report_error, write_error
from payman_sdk._cli.run import Run as Run
from payman_sdk._cli.run import TerminatedError as TerminatedError
from payman_sdk._cli.terminal import report_unwritten
from payman_sdk.errors import PaymanError

_SWITCHES = ("--sandbox", "--debug")
_VALUED = ("--env", "--base-url")
_UNWRITTEN = {errno.EPIPE, errno.ENOSPC}
_ArgumentError: type[Exception] = next(
    one for one in typer.BadParameter.__mro__ if one.__name__ == "ClickException"
)
"""What is raised for wrong arguments; newer versions of Typer bring their own Click."""


class Commands(TyperGroup):
    """The command as a whole: its global flags may be anywhere, and failures are said in words, as JSON and by the exit status."""

    def get_params(self, ctx: Any) -> list[Any]:
        """Return the flags; what `--install-completion` leaves to be desired is not worth two lines of the help."""
        params = super().get_params(ctx)
        for param in params:
            if param.name == "show_completion":
                param.hidden = True  # type: ignore[attr-defined]
        return params

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read the arguments of the command itself."""
        ctx.obj = run = ctx.obj or Run()
        run.as_json = "--json" in takewhile(lambda argument: argument != "--", args)
        with _guard_help_output(), _report_arguments(run):
            return super().parse_args(ctx, hoist_flags(args))

    def invoke(self, ctx: Any) -> Any:
        """Run the command that was chosen."""
        run: Run = ctx.obj
        try:
            with _guard_help_output(), _report_arguments(run):
                return super().invoke(ctx)
        except PaymanError as error:
            raise typer.Exit(report_error(run, error)) from None
        except (KeyboardInterrupt, TerminatedError) as end:
            is_asked = isinstance(end, TerminatedError)
            raise typer.Exit(
                _report_interruption(run, exit_codes.TERMINATED if is_asked else exit_codes.INTERRUPTED)
            ) from None


def _report_interruption(run: Run, status: int) -> int:
    """Say what was sent before the command was ended, and return the exit status."""
    later = "" if run.is_list else run.suggest_follow_up()
    run.terminal.write_message(f"Interrupted.{later or ('' if run.sent else ' Nothing was sent.')}")
    if later and not run.sandbox:
        run.terminal.write_message("The task continues without this command.")
    sent = run.sent
    ids = {} if sent is None else {"task_id": sent.task_id, "session_id": sent.session_id}
    said = "Interrupted." if sent else "Interrupted. Nothing was sent."
    write_error(
        run,
        describe_failure("Interrupted", said, status, next_step=later.strip(), sent=sent is not None, **ids),
    )
    return status


@contextmanager
def _report_arguments(run: Run) -> Generator[None]:
    """Say what is wrong with arguments as JSON too, where that is asked for."""
    try:
        yield
    except _ArgumentError as error:
        if not run.as_json:
            raise
        said = str(getattr(error, "format_message", error.__str__)())
        run.terminal.write_message(said)
        write_error(run, describe_failure("UsageError", said, exit_codes.USAGE, next_step="See payman help."))
        raise typer.Exit(exit_codes.USAGE) from None


@contextmanager
def _guard_help_output() -> Generator[None]:
    """Treat a failed write of Typer's help or version like a failed write of an answer."""
    try:
        yield
    except OSError as error:
        if error.errno not in _UNWRITTEN:
            raise
        raise typer.Exit(
            exit_codes.COMPLETED if report_unwritten(error, sys.stdout) else exit_codes.FAILED
        ) from None


def hoist_flags(args: Sequence[str]) -> list[str]:
    """Return the arguments with the global flags first, wherever they stood: `payman ask … --sandbox` is `payman --sandbox ask …`.

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
