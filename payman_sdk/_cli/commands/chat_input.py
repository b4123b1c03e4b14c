"""What a line in a chat means: something to say, or a command."""

from __future__ import annotations

import difflib

from attrs import frozen

COMMANDS = {
    "/new": "begin a new session; a task that waits goes on waiting",
    "/session": "show the session, to go on with it later",
    "/approve": "approve what waits for your approval",
    "/deny": "deny what waits for your approval",
    "/cancel": "cancel the task that waits, or the last one",
    "/help": "show this",
    "/quit": "leave; so do exit, quit and Ctrl-D",
}
_LEAVING = ("exit", "quit", "/exit")
HELP = "\n".join(f"{name:<10}{meaning}" for name, meaning in COMMANDS.items()) + (
    "\nAnything else is said to the agent; where a task waits, it answers that task.\n"
    "Ctrl-C cancels the task that is running, and does not leave."
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
