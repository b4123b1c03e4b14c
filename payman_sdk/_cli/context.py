"""The `payman` command: its commands, its global flags, and how failures are reported. Slow imports are made on use."""

import errno
import logging
import sys
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from itertools import takewhile
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from payman_sdk._cli import exit_codes
from payman_sdk._cli.commands.ask import ask, tasks
from payman_sdk._cli.commands.auth import login, logout, token
from payman_sdk._cli.commands.chat import chat
from payman_sdk._cli.commands.doctor import doctor
from payman_sdk._cli.commands.listings import payees, transactions, wallets
from payman_sdk._cli.commands.mcp import mcp
from payman_sdk._cli.commands.pay import pay, payments
from payman_sdk._cli.commands.sandbox import sandbox
from payman_sdk._cli.exit_codes import TABLE
from payman_sdk._cli.output import describe_failure, report_error, write_error
from payman_sdk._cli.run import MORE_WORDS, Run, TerminatedError
from payman_sdk._cli.settings import ServerName
from payman_sdk._cli.terminal import report_unwritten
from payman_sdk._text.logger import SafeFormatter, get_logger
from payman_sdk._version import __version__
from payman_sdk.errors import PaymanError

_SWITCHES = ("--sandbox", "--debug")
_VALUED = ("--env", "--base-url")
_UNWRITTEN = {errno.EPIPE, errno.ENOSPC}
_ArgumentError: type[Exception] = next(
    one for one in typer.BadParameter.__mro__ if one.__name__ == "ClickException"
)
"""What is raised for wrong arguments; newer versions of Typer bring their own Click."""


class Commands(TyperGroup):
    """The command as a whole: global flags may be anywhere, and failures are reported in words, as JSON and by the exit status."""

    def get_params(self, ctx: Any) -> list[Any]:
        """Return the flags; what `--install-completion` leaves to be desired is not worth two lines of the help."""
        params = super().get_params(ctx)
        for param in params:
            if param.name == "show_completion":
                param.hidden = True  # type: ignore[attr-defined]
        return params

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        ctx.obj = run = ctx.obj or Run()
        run.as_json = "--json" in takewhile(lambda argument: argument != "--", args)
        with _guard_help_output(), _report_arguments(run):
            return super().parse_args(ctx, hoist_flags(args))

    def invoke(self, ctx: Any) -> Any:
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
    later = "" if run.is_harmless else run.suggest_follow_up()
    said = "Interrupted. Nothing was sent." if run.has_sent is False else "Interrupted."
    run.terminal.write_message(f"{said}{later}")
    if later and run.sent and not run.sandbox:
        run.terminal.write_message("The task continues without this command.")
    described = describe_failure(
        "Interrupted",
        said,
        status,
        next_step=later.strip(),
        sent=run.has_sent,
        task_id=run.last_task_id,
        session_id=run.sent.session_id if run.sent else None,
    )
    write_error(run, described)
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
    """Return the arguments with the global flags first: `payman ask … --sandbox` is `payman --sandbox ask …`."""
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


DOCS_URL = "https://github.com/payman-ai/payman-sdk-python/tree/main/docs/guides"

_EPILOG = """
\b
Examples:
  payman --sandbox pay 10 TSD "Test Payee" --memo coffee
  payman pay 12.50 USD pd-1f048707 --key invoice-42 --json
  payman wallets
  payman ask "list all wallets and their balances"

\b
Exit status:
{table}

\b
Documentation:
  {url}
"""

app = typer.Typer(
    name="payman",
    cls=Commands,
    rich_markup_mode=None,  # boxes would not leave the help on one screen
    pretty_exceptions_enable=False,
    no_args_is_help=True,
    epilog=_EPILOG.format(
        table="\n".join(f"  {status:<4} {meaning}" for status, meaning in TABLE), url=DOCS_URL
    ),
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 80},
)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"payman {__version__}")
        raise typer.Exit


def _parse_server(name: str) -> ServerName:
    try:
        return ServerName(name.upper())
    except ValueError:
        raise typer.BadParameter(f"{name!r} is not a server. Use one of {', '.join(ServerName)}.") from None


@app.callback()
def payman(
    context: typer.Context,
    *,
    env: Annotated[
        ServerName | None,
        typer.Option(metavar="NAME", parser=_parse_server, help="LIVE (default), TEST, INTERNAL or SANDBOX."),
    ] = None,
    base_url: Annotated[str | None, typer.Option(metavar="URL", help="Another server.")] = None,
    sandbox_: Annotated[
        bool, typer.Option("--sandbox", help="Use a local Payman for this one command.")
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Print logs and tracebacks.")] = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Let Payman's agent move money. Settings: flags, PAYMAN_*, .env, the login."""
    del version
    run: Run = context.obj
    run.env, run.base_url, run.sandbox, run.debug = (env.value if env else None), base_url, sandbox_, debug
    _set_up_logging(debug=debug)


def _set_up_logging(*, debug: bool) -> None:
    """Show what the SDK logs only with --debug, and make safe to show what other libraries log."""
    handler = logging.StreamHandler()
    handler.setFormatter(SafeFormatter("%(asctime)s %(name)s %(levelname)s %(message)s"))
    logging.basicConfig(handlers=[handler])
    log = get_logger()
    if not debug:
        log.addHandler(logging.NullHandler())
        log.propagate = False
        return
    log.setLevel(logging.DEBUG)
    logging.getLogger("httpx").setLevel(logging.INFO)  # the SDK keeps the secrets of its addresses out of it


def show_help(
    context: typer.Context,
    words: Annotated[
        list[str] | None, typer.Argument(metavar="[COMMAND]...", help="The command to explain.")
    ] = None,
) -> None:
    """Show the help of payman, or of a command."""
    shown: Any = context.find_root()
    for word in words or ():
        group = shown.command
        command = group.get_command(shown, word) if hasattr(group, "get_command") else None
        if command is None:
            raise typer.BadParameter(f"{word!r} is not a command; payman help lists all commands.")
        shown = type(shown)(command, parent=shown, info_name=word, **command.context_settings)
    typer.echo(shown.get_help())


def show_version() -> None:
    """Show the version."""
    _show_version(wanted=True)


app.command(context_settings=MORE_WORDS)(pay)
app.add_typer(payments, name="payments", help="Look up, approve or deny a payment.")
app.command()(wallets)
app.add_typer(payees, name="payees")
app.command()(transactions)
app.command(context_settings=MORE_WORDS)(ask)
app.command()(chat)
app.command()(login)
app.command()(logout)
app.command()(token)
app.command()(sandbox)
app.command()(mcp)
app.command()(doctor)
app.add_typer(tasks, name="tasks", help="Look up, wait for, cancel or answer a task.")
app.command("help")(show_help)
app.command("version")(show_version)
