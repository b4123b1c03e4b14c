"""Confirm before money moves: on a live server, words are sent only after a yes, or with a token that can only read.

Where nobody can be asked (no terminal, or standard input is the text) and `--yes` is missing, the command refuses.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, TypeAlias

import typer

from payman_sdk._cli.run import Run
from payman_sdk._cli.settings import Settings
from payman_sdk._core.auth.grants import is_read_only
from payman_sdk.errors import ConfigurationError, PaymanError, TokenStoreError

if TYPE_CHECKING:
    from payman_sdk._client.sync import PaymanClient
    from payman_sdk.token_stores.base import TokenStore

Shown: TypeAlias = tuple[str, str]
"""A line of what a person confirms: its label and its value."""


def confirm_send(
    run: Run, client: PaymanClient, settings: Settings, text: str, *, yes: bool, is_reply: bool = False
) -> bool:
    """Return whether a text may be sent. A reply to a task that waits needs a yes, whatever the token may do."""
    if yes or not settings.is_live or (not is_reply and _can_only_read(client, settings)):
        return True
    return _ask_person(run, settings, [("Text", text.strip(" \t\r\n"))], "This may move money. Send it?")


def confirm_order(run: Run, settings: Settings, fields: Iterable[Shown], question: str, *, yes: bool) -> bool:
    """Whether a typed order may be sent: to a live server, only after a person has seen it."""
    return yes or not settings.is_live or _ask_person(run, settings, fields, question)


def _ask_person(run: Run, settings: Settings, given: Iterable[Shown], question: str) -> bool:
    if not run.terminal.is_interactive:
        raise ConfigurationError(
            f"This may move money at {settings.server_name}, and nobody can confirm it without a terminal; nothing was sent.",
            next_step="Add --yes to send it.",
        )
    # Imported here: it loads the toolkit, which only a command that asks a person needs.
    from payman_sdk.agents.confirmation_text import Field, find_problem, format_lines

    fields = [*(Field(*one) for one in given), Field("Server", settings.server_name, is_context=True)]
    problem = find_problem(fields)
    if problem is not None:
        raise ConfigurationError(
            f"This may move money, and it cannot be shown to you completely: {problem}; nothing was sent.",
            next_step="Shorten it and remove invisible characters, or add --yes to send it.",
        )
    for line in format_lines(fields):
        run.terminal.write_message(line)
    try:
        return typer.confirm(question, default=False, err=True)
    except typer.Abort as abort:  # Ctrl-D is a no
        if isinstance(abort.__context__, KeyboardInterrupt):
            raise KeyboardInterrupt from None
        return False


def _can_only_read(client: PaymanClient, settings: Settings) -> bool:
    """Return whether the token of a login is known to allow reading only. The token of a client's own account may write."""
    if settings.login is None:
        return False
    try:
        client.get_access_token()
    except PaymanError:  # the ask itself will say why
        return False
    return is_read_only(client._connect().tokens.scope)  # pyright: ignore[reportPrivateUsage]


def may_move_money(store: TokenStore) -> bool:
    """Return whether the token in a store may be used to pay; a token whose scopes are not known may be."""
    try:
        kept = store.load()
    except TokenStoreError:
        return True
    return kept is None or not is_read_only(kept.scope)
