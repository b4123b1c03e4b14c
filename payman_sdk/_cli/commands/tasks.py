"""`payman tasks`: look a task up, wait for its end, cancel it, and answer one that waits."""

from __future__ import annotations

from typing import Annotated

import typer

from payman_sdk._cli import exit_codes
from payman_sdk._cli.clients import connect
from payman_sdk._cli.confirm import confirm_send
from payman_sdk._cli.output import comment, report_not_sent
from payman_sdk._cli.run import MORE_WORDS, Json, Run, TaskId, Timeout, Yes, refuse_more_words
from payman_sdk._core.task_response import FormattedTaskResponse
from payman_sdk.errors import APITimeoutError

tasks = typer.Typer(no_args_is_help=True, rich_markup_mode=None)


@tasks.command()
def get(context: typer.Context, task: TaskId, *, as_json: Json = False) -> None:
    """Show the state of a task; the exit status reports it too, as for ask."""
    with connect(context.obj) as (client, _, _):
        raise typer.Exit(_show(context.obj, client.get_task(task), as_json=as_json))


@tasks.command()
def wait(context: typer.Context, task: TaskId, *, timeout: Timeout = None, as_json: Json = False) -> None:
    """Wait until a task has ended, and show how."""
    with connect(context.obj) as (client, _, _):
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
    with connect(run) as (client, _, _):
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
    session: Annotated[str | None, typer.Option(metavar="ID", help="The session of the task.")] = None,
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


def _show(run: Run, response: FormattedTaskResponse, *, as_json: bool) -> int:
    if as_json:
        run.terminal.write_document(response)
    else:
        run.terminal.write_answer(response.text)
    return comment(run, response)
