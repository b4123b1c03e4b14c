"""`payman mcp`: Payman as tools by the Model Context Protocol, with a person asked before money moves."""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import signal
import threading
from collections.abc import Generator
from decimal import Decimal
from importlib import import_module
from typing import TYPE_CHECKING, Annotated, Any

import typer

from payman_sdk._cli.clients import announce, open_settings
from payman_sdk._cli.login_store import open_store
from payman_sdk._cli.run import Run, TerminatedError
from payman_sdk._cli.settings import Settings
from payman_sdk._client.environment import has_env_file
from payman_sdk._io.private_files import find_user_folder
from payman_sdk._refusals import refuse
from payman_sdk._url import is_loopback
from payman_sdk.errors import ConfigurationError

if TYPE_CHECKING:
    from payman_sdk._client.async_ import AsyncPaymanClient
    from payman_sdk.agents import OperationStore, SpendingLimit

PORT = 8643
TOKEN = "PAYMAN_MCP_TOKEN"  # noqa: S105 (the name of the variable that holds it)
_AMOUNT = re.compile(
    r"\s*(?:([A-Za-z]{2,8})\s+([0-9]+(?:\.[0-9]+)?)|([0-9]+(?:\.[0-9]+)?)\s+([A-Za-z]{2,8}))\s*"
)


def mcp(
    context: typer.Context,
    *,
    http: Annotated[bool, typer.Option("--http", help="Serve HTTP instead of the standard streams.")] = False,
    host: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="The address to listen on; 127.0.0.1 by default.")
    ] = None,
    port: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            min=0,
            max=65535,
            help=f"The port to listen on; {PORT} by default, 0 picks a free one.",
        ),
    ] = None,
    allow_host: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="A host name that clients use; may be repeated."),
    ] = None,
    store: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="The file that records operations; :memory: saves nothing."),
    ] = None,
    run_id: Annotated[
        str | None, typer.Option(metavar="NAME", help="The run that limits apply to, even after a restart.")
    ] = None,
    max_payments: Annotated[
        int | None, typer.Option(metavar="N", min=0, help="The maximum number of payments in a run.")
    ] = None,
    max_amount: Annotated[
        list[str] | None,
        typer.Option(
            metavar="AMOUNT", help='The maximum amount of a run, such as "TSD 100"; once for each currency.'
        ),
    ] = None,
    allow_payee: Annotated[
        list[str] | None,
        typer.Option(
            metavar="PAYEE", help="A payee that may be paid, by name or id; may be repeated. All by default."
        ),
    ] = None,
    dotenv: Annotated[
        bool,
        typer.Option(
            "--dotenv",
            help="Read .env in the working directory. Use it only if you trust that folder.",
        ),
    ] = False,
    without_confirmation: Annotated[
        bool, typer.Option("--without-confirmation", help="Do not ask a person before money moves.")
    ] = False,
) -> None:
    """Serve Payman as tools for models, by the Model Context Protocol.

    Before money moves, the person at the client is shown what will be sent, and asked.
    """
    run: Run = context.obj
    if not http and (host is not None or port is not None or allow_host):
        raise ConfigurationError(
            "--host, --port and --allow-host work only with HTTP.", next_step="Add --http."
        )
    if not dotenv and has_env_file():
        run.terminal.write_message(
            "payman mcp does not read the file .env in the working directory; pass --dotenv to read it."
        )
    with open_settings(run, dotenv=dotenv) as settings:
        announce(run, settings)
        limit = read_limit(max_payments, max_amount or [], allow_payee)
        is_kept = store != ":memory:" and not (store is None and run.sandbox)
        if limit is not None and not (is_kept and run_id):
            raise ConfigurationError(
                "A limit needs a store and a run; otherwise every start of the server resets it.",
                next_step="Add --run-id NAME, and --store FILE instead of memory.",
            )
        if (
            without_confirmation
            and settings.is_live
            and (limit is None or (limit.max_amount is None and limit.max_payments is None))
        ):
            raise ConfigurationError(
                "Without confirmation and without a limit, a model could pay out everything.",
                next_step="Add --max-payments or --max-amount, with --run-id.",
            )
        import_module("payman_sdk.agents.mcp")  # whose extra has all that the store needs
        options: dict[str, Any] = {"run_id": run_id, "limit": limit, "store": _open_store(run, store)}
        if without_confirmation:
            options["confirm"] = None
        if http:
            _serve_http(
                run, settings, options, host or "127.0.0.1", PORT if port is None else port, allow_host or []
            )
        else:
            _serve_stdio(settings, options)


def read_limit(
    payments: int | None, amounts: list[str], payees: list[str] | None = None
) -> SpendingLimit | None:
    """Return the limit of a run, None where there is none; raises ConfigurationError."""
    from payman_sdk.agents import SpendingLimit

    if payments is None and not amounts and not payees:
        return None
    read: dict[str, Decimal] = {}
    for given in amounts:
        found = _AMOUNT.fullmatch(given)
        if found is None:
            problem = f"is {given!r}, which is not a currency and an amount"
            refuse("--max-amount", problem, 'Write it as "TSD 100".')
        currency, amount = (found[1] or found[4]).upper(), found[2] or found[3]
        if currency in read:
            refuse("--max-amount", f"is given twice for {currency}", "Give it once.")
        read[currency] = Decimal(amount)
    return SpendingLimit(max_payments=payments, max_amount=read or None, allowed_payees=payees or None)


def _serve_stdio(settings: Settings, options: dict[str, Any]) -> None:
    import anyio

    from payman_sdk.agents.mcp import mcp_server, serve_stdio

    async def serve() -> None:
        async with _make_client(settings) as client:
            await serve_stdio(mcp_server(client, **options))

    with _end_on_signals():
        anyio.run(serve)


@contextlib.contextmanager
def _end_on_signals() -> Generator[None]:
    """Have signals end the process at once: a thread that reads standard input cannot be woken. What was sent is recorded."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, signal.SIG_DFL) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _serve_http(
    run: Run, settings: Settings, options: dict[str, Any], host: str, port: int, names: list[str]
) -> None:
    import anyio

    from payman_sdk.agents.mcp import http_app, listening, mcp_server, serve_http

    token = os.environ.get(TOKEN, "").strip()
    with listening(host, port) as sock:
        port = sock.getsockname()[1]
        address = f"[{host}]" if ":" in host else host
        given = token or secrets.token_urlsafe(32)

        async def serve() -> None:
            async with _make_client(settings) as client:
                app = http_app(mcp_server(client, **options), token=given, port=port, hosts=[address, *names])
                run.terminal.write_message(f"Serving MCP on http://{address}:{port}/mcp until Ctrl-C.")
                if not token:
                    run.terminal.write_message(f"Clients need this header: Authorization: Bearer {given}")
                if not is_loopback(host):
                    run.terminal.write_message(
                        "Other machines can reach it, and the token is sent unencrypted. Put a proxy with TLS in front of it."
                    )
                await serve_http(app, sock)

        try:
            anyio.run(serve)
        except* (KeyboardInterrupt, TerminatedError):  # that is how it ends; a task group wraps them
            pass


def _make_client(settings: Settings) -> AsyncPaymanClient:
    from payman_sdk._client.async_ import AsyncPaymanClient

    if settings.login is None:
        return AsyncPaymanClient.with_credentials(settings.to_config())
    return AsyncPaymanClient.with_token(
        settings.to_config(), None, token_store=open_store(settings.login.keep)
    )


def _open_store(run: Run, given: str | None) -> OperationStore:
    """Return the store of operations: in memory for a private sandbox, which ends with the command."""
    from payman_sdk.agents import MemoryOperationStore

    if given == ":memory:" or (given is None and run.sandbox):
        return MemoryOperationStore()
    from payman_sdk.agents.stores.sqlite import SQLiteOperationStore

    return SQLiteOperationStore(find_user_folder("state") / "operations.sqlite3" if given is None else given)
