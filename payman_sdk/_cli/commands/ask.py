"""`payman ask`, and `payman tasks`: words for the agent, and the tasks that come of them."""

from __future__ import annotations

import sys
from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

from payman_sdk._cli import exit_codes
from payman_sdk._cli.clients import connect
from payman_sdk._cli.confirm import confirm_send, may_move_money
from payman_sdk._cli.output import comment, report_not_sent
from payman_sdk._cli.run import (
    MORE_WORDS,
    Json,
    Key,
    Run,
    Session,
    TaskId,
    Timeout,
    Yes,
    read_session,
    refuse_more_words,
)
from payman_sdk._core.task_response import FormattedTaskResponse
from payman_sdk.errors import APITimeoutError, ConfigurationError

if TYPE_CHECKING:
    from payman_sdk._client.sync import PaymanClient

COMPLETED_IS_NOT_PAID = "completed does not mean paid: a refusal is completed too. To pay, use payman pay."

tasks = typer.Typer(no_args_is_help=True, rich_markup_mode=None)


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
    session: Session = None,
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
    with connect(run, session_id=session) as (client, settings, store):
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


@tasks.command()
def get(context: typer.Context, task: TaskId, *, as_json: Json = False) -> None:
    """Show the state of a task; the exit status reports it too, as for ask."""
    with _connect_to_task(context.obj, task) as client:
        raise typer.Exit(_show(context.obj, client.get_task(task), as_json=as_json))


@tasks.command()
def wait(context: typer.Context, task: TaskId, *, timeout: Timeout = None, as_json: Json = False) -> None:
    """Wait until a task has ended, and show how."""
    with _connect_to_task(context.obj, task) as client:
        try:
            response = client.wait(task, timeout)
        except APITimeoutError:
            response = client.get_task(task)
            if exit_codes.from_state(response["state"]) == exit_codes.UNDETERMINED:
                raise
        raise typer.Exit(_show(context.obj, response, as_json=as_json))


@tasks.command()
def cancel(context: typer.Context, task: TaskId, *, as_json: Json = False) -> None:
    """Cancel a task that has not ended; 0 means that it is canceled."""
    run: Run = context.obj
    with _connect_to_task(run, task) as client:
        response = client.cancel_task(task)
    if response["state"] != "canceled":
        raise typer.Exit(_show(run, response, as_json=as_json) or exit_codes.FAILED)
    if as_json:
        run.terminal.write_document(response)
    else:
        run.terminal.write_answer(response.text)
    raise typer.Exit(exit_codes.COMPLETED)


@tasks.command(context_settings=MORE_WORDS)
def reply(
    context: typer.Context,
    task: TaskId,
    text: Annotated[str, typer.Argument(metavar="TEXT", help="The reply, such as approve or deny.")],
    *,
    session: Annotated[
        str | None, typer.Option(metavar="ID", callback=read_session, help="The session of the task.")
    ] = None,
    timeout: Timeout = None,
    as_json: Json = False,
    yes: Yes = False,
) -> None:
    """Answer a task that waits, such as for an approval."""
    run: Run = context.obj
    refuse_more_words(run, context, ["tasks", "reply", task], text, "text")
    with connect(run, session_id=session) as (client, settings, _):
        if not confirm_send(run, client, settings, text, yes=yes, is_reply=True):
            raise typer.Exit(report_not_sent(run))
        raise typer.Exit(_show(run, client.reply(task, text, timeout=timeout), as_json=as_json))


@contextmanager
def _connect_to_task(run: Run, task: str) -> Generator[PaymanClient]:
    """Provide a client that looks a task up or cancels it."""
    with connect(run) as (client, _, _):
        run.task_id = task
        yield client


def _show(run: Run, response: FormattedTaskResponse, *, as_json: bool) -> int:
    if as_json:
        run.terminal.write_document(response)
    else:
        run.terminal.write_answer(response.text)
    return comment(run, response)


def read_metadata(given: list[str]) -> dict[str, Any] | None:
    """Return metadata of the form `key=value`; raises ConfigurationError for another form."""
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
