"""From flags and settings to a client."""

from __future__ import annotations

import os
from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple, Unpack

from payman_sdk._cli.login_store import load_login, open_store
from payman_sdk._cli.run import Run
from payman_sdk._cli.settings import SANDBOX_URL, FoundSetting, Settings, resolve
from payman_sdk._client.config_types import PaymanConfig
from payman_sdk._client.environment import read_env_file
from payman_sdk._secrets import SecretStr
from payman_sdk.errors import ConfigurationError

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
    """Provide the settings that hold, with `--sandbox` those of a sandbox that serves in the block. Raises as `resolve_settings`."""
    if not run.sandbox:
        yield resolve_settings(run, client_id=client_id, dotenv=dotenv)
        return
    if run.env or run.base_url is not None:
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
