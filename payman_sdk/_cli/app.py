"""The `payman` command: its global flags and its commands. What takes long to import is imported by who needs it."""

from __future__ import annotations

import logging
from typing import Annotated, Any

import typer

from payman_sdk._cli.commands.ask import ask
from payman_sdk._cli.commands.auth import login, logout, token
from payman_sdk._cli.commands.chat import chat
from payman_sdk._cli.commands.doctor import doctor
from payman_sdk._cli.commands.listings import payees, transactions, wallets
from payman_sdk._cli.commands.mcp import mcp
from payman_sdk._cli.commands.options import MORE_WORDS
from payman_sdk._cli.commands.pay import pay, payments
from payman_sdk._cli.commands.sandbox import sandbox
from payman_sdk._cli.commands.tasks import tasks
from payman_sdk._cli.context import Commands
from payman_sdk._cli.exit_codes import TABLE
from payman_sdk._cli.run import Run
from payman_sdk._cli.settings import ServerName
from payman_sdk._text.logger import SafeFormatter, get_logger
from payman_sdk._version import __version__

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
