"""From flags and settings to a client, and the yes that it needs before money moves.

On a live server, words are sent only after a yes, or with a token that can only read. Where nobody can be asked (no terminal, or
standard input is the text itself) and `--yes` was not given, it is refused.
"""

from __future__ import annotations

import os
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple, Unpack

import typer

from payman_sdk._cli.login_store import load_login, open_store
from payman_sdk._cli.run import Run
from payman_sdk._cli.settings import SANDBOX_URL, FoundSetting, Settings, resolve
from payman_sdk._client.config_types import PaymanConfig
from payman_sdk._client.environment import read_env_file
from payman_sdk._core.auth.grants import is_read_only
from payman_sdk._core.confirmation import Field, find_problem, format_lines
from payman_sdk._secrets import SecretStr
from payman_sdk.errors import ConfigurationError, PaymanError, TokenStoreError

if TYPE_CHECKING:
    from payman_sdk._client.sync import PaymanClient
    from payman_sdk._core.auth.stored_token import TokenStore
    from payman_sdk.sandbox import Sandbox


class ConnectedClient(NamedTuple):
    client: PaymanClient
    settings: Settings
    store: TokenStore


def resolve_settings(run: Run, *, client_id: str | None = None, dotenv: bool = True) -> Settings:
    """Return the settings that hold without `--sandbox`; raises ConfigurationError or TokenStoreError."""
    file = read_env_file() if dotenv else None
    if file is not None and file.problem:
        raise ConfigurationError(file.problem)
    return resolve(
        env=run.env,
        base_url=run.base_url,
        client_id=client_id,
        environ=os.environ,
        env_file=file.values if file else None,
        env_file_name=str(file.path) if file else "",
        login=load_login(),
    )


@contextmanager
def open_settings(run: Run, *, client_id: str | None = None, dotenv: bool = True) -> Generator[Settings]:
    """Provide the settings that hold, with `--sandbox` those of a sandbox that serves in the block; raises as `resolve_settings`."""
    if not run.sandbox:
        yield resolve_settings(run, client_id=client_id, dotenv=dotenv)
        return
    if run.env or run.base_url:
        raise ConfigurationError(
            "--sandbox starts its own server, so it takes no other.",
            next_step="Leave out --env and --base-url.",
        )
    sandbox = make_sandbox()
    try:
        sandbox.start()
        source = "--sandbox"
        yield Settings(
            client_id=FoundSetting(sandbox.client_id, source),
            client_secret=FoundSetting(SecretStr(sandbox.client_secret), source),
            base_url=FoundSetting(sandbox.base_url, source),
            is_own_sandbox=True,
        )
    finally:
        sandbox.close()


@contextmanager
def connect(run: Run, **config: Unpack[PaymanConfig]) -> Generator[ConnectedClient]:
    """Provide a client of the settings that hold in this run, closed at the end; raises PaymanError."""
    with open_settings(run) as settings, open_client(run, settings, **config) as made:
        yield made


@contextmanager
def open_client(run: Run, settings: Settings, **config: Unpack[PaymanConfig]) -> Generator[ConnectedClient]:
    """Provide a client of these settings, closed at the end; arguments and errors are those of `connect`."""
    from payman_sdk._client.sync import PaymanClient

    known: PaymanConfig = {
        "before_send": run.note,
        "on_retry": run.report_retry,
        **config,
        **settings.to_config(),
    }
    announce(run, settings)
    run.is_at_sandbox = settings.base_url.value == SANDBOX_URL
    store = _choose_store(settings)
    client = (
        PaymanClient.with_credentials(known, token_store=store)
        if settings.login is None
        else PaymanClient.with_token(known, None, token_store=store)
    )
    with client:
        yield ConnectedClient(client, settings, store)


def announce(run: Run, settings: Settings) -> None:
    """Name the server and who named it, before credentials are sent to one that is not Payman's."""
    if settings.notice:
        run.terminal.write_message(settings.notice)


def make_sandbox(**settings: Any) -> Sandbox:
    """Return a sandbox; raises ConfigurationError."""
    import sqlite3

    try:
        from payman_sdk.sandbox import Sandbox

        return Sandbox(**settings)
    except (ImportError, ValueError) as failure:
        raise ConfigurationError(f"{str(failure).rstrip('.')}.") from None
    except sqlite3.Error as failure:
        raise ConfigurationError(
            f"{settings.get('db')} cannot be opened as the sandbox's database: {failure}."
        ) from None


def _choose_store(settings: Settings) -> TokenStore:
    if settings.login is not None:
        return open_store(settings.login.keep)
    from payman_sdk.token_stores.memory import MemoryTokenStore

    return MemoryTokenStore()


def confirm_send(
    run: Run, client: PaymanClient, settings: Settings, text: str, *, yes: bool, is_reply: bool = False
) -> bool:
    """Return whether a text may be sent. A reply to a task that waits has to be confirmed whatever the token may do."""
    if yes or not settings.is_live or (not is_reply and _can_only_read(client, settings)):
        return True
    return _ask_person(run, settings, [Field("Text", text.strip(" \t\r\n"))], "This may move money. Send it?")


def confirm_order(run: Run, settings: Settings, fields: Iterable[Field], question: str, *, yes: bool) -> bool:
    """Whether a typed order may be sent: to a live server, only after a person has seen it."""
    return yes or not settings.is_live or _ask_person(run, settings, list(fields), question)


def _ask_person(run: Run, settings: Settings, fields: list[Field], question: str) -> bool:
    if not run.terminal.is_interactive:
        raise ConfigurationError(
            f"This may move money at {settings.server_name}, and nobody can confirm it without a terminal; nothing was sent.",
            next_step="Add --yes to send it.",
        )
    fields = [*fields, Field("Server", settings.server_name, is_context=True)]
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
