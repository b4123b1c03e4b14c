"""What a line in a chat means: something to say, or a command."""

from __future__ import annotations

import difflib

from attrs import frozen

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
    """Return what a line means, None for an empty one.

    Example:
        >>> from payman_sdk._cli.commands.chat_input import read_line
        >>> read_line("list all wallets"), read_line("/quit ")
        (Prompt(text='list all wallets'), Command(name='/quit'))
    """
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
