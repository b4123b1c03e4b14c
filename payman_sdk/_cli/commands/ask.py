"""`payman ask`."""

from __future__ import annotations

import sys
from typing import Annotated, Any

import typer

from payman_sdk._cli import exit_codes
from payman_sdk._cli.clients import connect
from payman_sdk._cli.confirm import confirm_send, may_move_money
from payman_sdk._cli.output import comment, report_not_sent
from payman_sdk._cli.run import Json, Key, Run, Timeout, Yes, refuse_more_words
from payman_sdk.errors import ConfigurationError

COMPLETED_IS_NOT_PAID = "completed does not mean paid: a refusal is completed too. To pay, use payman pay."


def ask(
    context: typer.Context,
    text: Annotated[
        str,
        typer.Argument(metavar="TEXT", help="What the agent should do, in words; - reads standard input."),
    ],
    *,
    as_json: Json = False,
    raw: Annotated[bool, typer.Option("--raw", help="Print the unchanged JSON-RPC answer.")] = False,
    stream: Annotated[
        bool | None,
        typer.Option(
            "--stream/--no-stream", help="Show the answer while it arrives; the default on a terminal."
        ),
    ] = None,
    session: Annotated[
        str | None, typer.Option(metavar="ID|new", help="Continue this session; a new one by default.")
    ] = None,
    metadata: Annotated[
        list[str] | None, typer.Option(metavar="KEY=VALUE", help="Sent with the task; may be repeated.")
    ] = None,
    timeout: Timeout = None,
    key: Key = None,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="Omit the reminder that completed does not mean paid.")
    ] = False,
    yes: Yes = False,
) -> None:
    """Ask the agent something, or to do something.

    On a live server, you are asked before it is sent, unless the token can only read; without a terminal, it needs --yes.

    Exit status 0 means completed, which a refusal in words is too: to pay, use payman pay. payman --help has all of them. The flags of
    payman itself, such as --env and --sandbox, may be here too.

    Example: payman ask "list all wallets and their balances"
    """
    run: Run = context.obj
    refuse_more_words(run, context, ["ask"], text, "text")
    if as_json and raw:
        raise ConfigurationError("--json and --raw exclude each other.", next_step="Choose one.")
    text = _read_standard_input() if text == "-" else text
    sent = read_metadata(metadata or [])
    with connect(run, session_id=None if session == "new" else session) as (client, settings, store):
        if not confirm_send(run, client, settings, text, yes=yes):
            raise typer.Exit(report_not_sent(run))
        if raw:
            answer = client.ask(text, raw=True, metadata=sent, timeout=timeout, idempotency_key=key)
            run.terminal.write_document(answer)
            raise typer.Exit(exit_codes.from_raw(answer))
        if stream if stream is not None else (run.terminal.is_output_terminal and not as_json):
            from payman_sdk._cli.live import print_stream, show_stream

            with client.stream(text, metadata=sent, timeout=timeout, idempotency_key=key) as coming:
                if as_json:
                    response = coming.result()
                else:
                    response = (show_stream if run.terminal.is_output_terminal else print_stream)(
                        coming, run.terminal
                    )
        else:
            response = client.ask(text, metadata=sent, timeout=timeout, idempotency_key=key)
            if not as_json:
                run.terminal.write_answer(response.text)
        if as_json:
            run.terminal.write_document(response)
        status = comment(run, response)
        if status == exit_codes.COMPLETED and not (quiet or as_json) and may_move_money(store):
            run.terminal.write_message(COMPLETED_IS_NOT_PAID)
        raise typer.Exit(status)


def read_metadata(given: list[str]) -> dict[str, Any] | None:
    """Metadata of the form `key=value`.

    Raises:
        ConfigurationError: One has another form.
    """
    metadata: dict[str, Any] = {}
    for entry in given:
        key, sign, value = entry.partition("=")
        if not sign or not key.strip():
            raise ConfigurationError(f"--metadata is {entry!r}.", next_step="Write it as KEY=VALUE.")
        if not _is_text(entry):
            raise ConfigurationError(
                f"--metadata is {entry!r}, which is not UTF-8 text.", next_step="Use UTF-8."
            )
        metadata[key.strip()] = value
    return metadata or None


def _is_text(given: str) -> bool:
    """Whether an argument is text; bytes that are none in the terminal's encoding come as halves of characters."""
    try:
        given.encode()
    except UnicodeEncodeError:
        return False
    return True


def _read_standard_input() -> str:
    if sys.stdin is None:
        raise ConfigurationError("Standard input is closed.", next_step="Pass the text as an argument.")
    try:
        return sys.stdin.read()
    except (UnicodeDecodeError, OSError) as error:
        raise ConfigurationError(f"Standard input cannot be read: {error}.") from None
