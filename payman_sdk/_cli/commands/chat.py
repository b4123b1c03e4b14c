"""`payman chat`: a conversation, until Ctrl-D."""

from __future__ import annotations

import difflib
import sys
from typing import TYPE_CHECKING

import typer
from attrs import frozen

from payman_sdk._cli import exit_codes
from payman_sdk._cli.clients import connect
from payman_sdk._cli.confirm import confirm_send
from payman_sdk._cli.output import comment, report_error
from payman_sdk._cli.run import Run, Session, Yes
from payman_sdk._cli.settings import Settings
from payman_sdk.errors import (
    APITimeoutError,
    ConfigurationError,
    PaymanError,
    TaskNotCancelableError,
)

if TYPE_CHECKING:
    from payman_sdk._client.sync import PaymanClient
    from payman_sdk._core.task_response import FormattedTaskResponse


COMMANDS = {
    "/new": "begin a new session; a waiting task stays as it is",
    "/session": "show the session id, to continue it later",
    "/approve": "approve the waiting payment",
    "/deny": "deny the waiting payment",
    "/cancel": "cancel the waiting task, or the last one",
    "/help": "show this",
    "/quit": "end the chat; exit, quit and Ctrl-D do the same",
}
_LEAVING = ("exit", "quit", "/exit")
HELP = "\n".join(f"{name:<10}{meaning}" for name, meaning in COMMANDS.items()) + (
    "\nAny other text goes to the agent. If a task waits, the text answers it.\n"
    "Ctrl-C cancels the running task and does not end the chat."
)


@frozen
class Prompt:
    """Something for the agent."""

    text: str


@frozen
class Command:
    """One of `COMMANDS`."""

    name: str


@frozen
class UnknownInput:
    """Nothing that is known; `advice` says what is."""

    advice: str


def read_line(line: str) -> Prompt | Command | UnknownInput | None:
    """Return what a line means, None for an empty one."""
    text = line.strip()
    if not text:
        return None
    name = text.casefold()
    if name in _LEAVING:
        return Command("/quit")
    if not text.startswith("/"):
        return Prompt(text)
    if name in COMMANDS:
        return Command(name)
    near = difflib.get_close_matches(name.partition(" ")[0], COMMANDS, n=1)
    return UnknownInput(
        f"{text!r} is not a command. " + (f"Did you mean {near[0]}?" if near else "See /help.")
    )


_END = 10.0
"""Seconds that a task which cannot be canceled any more gets for its end."""


def chat(
    context: typer.Context,
    *,
    session: Session = None,
    yes: Yes = False,
) -> None:
    """Talk with the agent; /help shows the commands.

    Lines may also come from a file or a pipe. The exit status is then that of the last answer, or else of the first line that could
    not be carried out.
    """
    run: Run = context.obj
    if sys.stdin is None:
        raise ConfigurationError(
            "Standard input is closed.", next_step="Run payman chat in a terminal, or pipe lines into it."
        )
    with connect(run) as (client, settings, _):
        talk = Chat(run, client, settings, session=session, yes=yes)
        raise typer.Exit(talk.run_until_end())


class Chat:
    def __init__(
        self, run: Run, client: PaymanClient, settings: Settings, *, session: str | None, yes: bool
    ) -> None:
        self._run, self._client, self._settings, self._yes = run, client, settings, yes
        self._conversation = client.conversation(session)
        self._waiting: FormattedTaskResponse | None = None
        self._status: int | None = None

    def run_until_end(self) -> int:
        terminal = self._run.terminal
        is_typed = terminal.is_input_terminal
        if is_typed:
            _enable_line_editing()
            terminal.write_hint(
                f"Chatting with {self._settings.server_name}. /help shows the commands; exit or Ctrl-D ends the chat."
            )
        while True:
            try:
                line = terminal.read_line("answer> " if self._waiting else "payman> ")
                if line is None or not self._handle_line(line):
                    break
            except KeyboardInterrupt:  # at the prompt; what runs takes its own
                if not is_typed:
                    raise
                terminal.write_hint("")
                terminal.write_hint("exit or Ctrl-D leaves.")
        if self._waiting is not None:
            comment(self._run, self._waiting)
        return exit_codes.COMPLETED if is_typed else self._status or exit_codes.COMPLETED

    def _handle_line(self, line: str) -> bool:
        """Carry out a line, and return whether the chat continues."""
        terminal = self._run.terminal
        match read_line(line):
            case None:
                pass
            case UnknownInput(advice):
                self._refuse(advice, exit_codes.USAGE)
            case Prompt(text):
                self._say(text)
            case Command("/quit"):
                return False
            case Command("/help"):
                terminal.write_answer_lines(HELP.splitlines())
            case Command("/session"):
                terminal.write_answer_lines([self._conversation.get_session_id()])
            case Command("/new"):
                self._conversation, self._waiting = self._client.conversation(), None
                terminal.write_answer_lines([f"A new session: {self._conversation.get_session_id()}"])
            case Command("/cancel"):
                self._cancel(self._waiting["task_id"] if self._waiting else self._find_last_task())
            case Command(name):
                self._decide(name.removeprefix("/"))
        return True

    def _decide(self, decision: str) -> None:
        if self._waiting is None:
            self._refuse("No task waits for you.", exit_codes.FAILED)
        elif self._run.terminal.is_interactive:
            self._send(decision)  # the command says what is meant; nobody needs to be asked again
        else:
            self._say(decision)  # from a pipe, where whoever wrote it has not seen what waits

    def _refuse(self, message: str, status: int) -> None:
        """Say why a line is not carried out. Its status is that of the chat only until an answer arrives."""
        self._run.terminal.write_message(message)
        self._status = status if self._status is None else self._status

    def _say(self, text: str) -> None:
        try:
            agreed = confirm_send(
                self._run,
                self._client,
                self._settings,
                text,
                yes=self._yes,
                is_reply=self._waiting is not None,
            )
        except PaymanError as error:
            self._status = report_error(self._run, error)
            return
        except KeyboardInterrupt:
            agreed = False
        if agreed:
            self._send(text)
        else:
            self._run.terminal.write_message("Nothing was sent.")

    def _send(self, text: str) -> None:
        from payman_sdk._cli.live import show_progress

        run, waiting = self._run, self._waiting
        run.sent = None
        try:
            with show_progress(run.terminal) as progress:
                response = (
                    self._conversation.ask(text, on_message=progress.update)
                    if waiting is None
                    else self._conversation.reply(waiting, text, on_message=progress.update)
                )
            self._show(response)
        except PaymanError as error:
            self._status = report_error(run, error)
        except KeyboardInterrupt:
            self._cancel(self._find_last_task())

    def _show(self, response: FormattedTaskResponse, *, is_cancelable: bool = True) -> None:
        self._waiting = response if response.requires_input else None
        self._run.terminal.write_answer(response.text)  # of a task that was answered, only what is new
        self._status = comment(self._run, response, is_chat=True, is_cancelable=is_cancelable)

    def _find_last_task(self) -> str | None:
        return self._run.sent.task_id if self._run.sent else None

    def _cancel(self, task_id: str | None) -> None:
        run = self._run
        if task_id is None:
            self._refuse("Nothing was sent.", exit_codes.FAILED)
            return
        self._status = exit_codes.UNDETERMINED
        try:
            run.terminal.write_message("Canceling the task. Press Ctrl-C again to stop canceling.")
            try:
                waiting = self._waiting
                is_same = waiting is not None and waiting.task_id == task_id
                response = self._conversation.cancel_task(waiting if waiting and is_same else task_id)
            except TaskNotCancelableError:
                run.terminal.write_message("The task can no longer be canceled:")
                response = self._wait_for_end(task_id)
        except PaymanError as error:
            report_error(run, error)
            run.terminal.write_message(
                f"The task may or may not be canceled.{run.suggest_follow_up(task_id)}"
            )
        except KeyboardInterrupt:
            run.terminal.write_message(f"The task continues.{run.suggest_follow_up(task_id)}")
        else:
            self._show(response, is_cancelable=False)

    def _wait_for_end(self, task_id: str) -> FormattedTaskResponse:
        """Return a task that is about to end, when it has; or in its state after a while."""
        try:
            return self._client.wait(task_id, _END)
        except APITimeoutError:
            return self._conversation.get_task(task_id)


def _enable_line_editing() -> None:
    """Give `input` line editing and a history, where Python has them; Windows has its own."""
    if sys.platform != "win32":
        try:
            import readline

            readline.set_auto_history(True)
        except ImportError:
            pass
