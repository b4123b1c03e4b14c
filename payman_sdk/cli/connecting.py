"""From flags and settings to a client."""

from __future__ import annotations

import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Unpack

from payman_sdk.cli.logins import store_of, stored_login
from payman_sdk.cli.running import Run
from payman_sdk.cli.settings import SANDBOX_URL, Found, Settings, Values, resolve
from payman_sdk.errors import ConfigurationError
from payman_sdk.secrecy import Secret
from payman_sdk.types import PaymanConfig

if TYPE_CHECKING:
    from payman_sdk.auth.stores import TokenStore
    from payman_sdk.client import PaymanClient
    from payman_sdk.sandbox import Sandbox


class Connected(NamedTuple):
    """A client, the settings it was made of, and where its token is kept."""

    client: PaymanClient
    settings: Settings
    store: TokenStore


def settings_of(run: Run, *, client_id: str | None = None) -> Settings:
    """The settings that hold in this run; `--sandbox` has its own, see `at_hand`.

    Raises:
        ConfigurationError: They contradict each other, or `.env` cannot be read.
        TokenStoreError: The stored login cannot be read.
    """
    file = nearest_env_file()
    return resolve(
        env=run.env,
        base_url=run.base_url,
        client_id=client_id,
        environ=os.environ,
        env_file=_values(file) if file else None,
        env_file_name=str(file),
        login=stored_login(),
    )


@contextmanager
def at_hand(run: Run, *, client_id: str | None = None) -> Generator[Settings]:
    """The settings that hold in this run; with `--sandbox` those of a sandbox that serves in the block.

    Raises:
        ConfigurationError: As for `settings_of`, or the sandbox needs an extra.
    """
    if not run.sandbox:
        yield settings_of(run, client_id=client_id)
        return
    if run.env or run.base_url:
        raise ConfigurationError(
            "--sandbox starts a server of its own, so another cannot be named.",
            next_step="Leave out --env and --base-url.",
        )
    sandbox = made_sandbox()
    try:
        sandbox.start()
        source = "--sandbox"
        yield Settings(
            client_id=Found(sandbox.client_id, source),
            client_secret=Found(Secret(sandbox.client_secret), source),
            base_url=Found(sandbox.base_url, source),
            is_own_sandbox=True,
        )
    finally:
        sandbox.close()


@contextmanager
def connected(run: Run, **config: Unpack[PaymanConfig]) -> Generator[Connected]:
    """A client of the settings that hold in this run, closed at the end.

    Args:
        run: The run.
        **config: More settings of the client.

    Raises:
        PaymanError: As for `at_hand`.
    """
    with at_hand(run) as settings, client_of(run, settings, **config) as made:
        yield made


@contextmanager
def client_of(run: Run, settings: Settings, **config: Unpack[PaymanConfig]) -> Generator[Connected]:
    """A client of these settings, closed at the end; arguments and errors are those of `connected`."""
    from payman_sdk.client import PaymanClient

    known: PaymanConfig = {
        "before_send": run.note,
        "on_retry": run.tell_retry,
        **config,
        **settings.to_config(),
    }
    run.is_at_sandbox = settings.base_url.value == SANDBOX_URL
    store = _store(settings)
    client = (
        PaymanClient.with_credentials(known, token_store=store)
        if settings.login is None
        else PaymanClient.with_token(known, None, token_store=store)
    )
    with client:
        yield Connected(client, settings, store)


def made_sandbox(**settings: Any) -> Sandbox:
    """A sandbox.

    Raises:
        ConfigurationError: It needs an extra that is not installed, or a setting is unusable.
    """
    import sqlite3

    try:
        from payman_sdk.sandbox import Sandbox

        return Sandbox(**settings)
    except (ImportError, ValueError) as failure:
        raise ConfigurationError(f"{str(failure).rstrip('.')}.") from None
    except sqlite3.Error as failure:
        raise ConfigurationError(f"{settings.get('db')} cannot be used as the database: {failure}.") from None


def nearest_env_file() -> Path | None:
    """The `.env` file of the working directory, or the nearest above it."""
    try:
        here = Path.cwd()
        return next((file for folder in (here, *here.parents) if (file := folder / ".env").is_file()), None)
    except OSError:  # the working directory is gone, or a folder above it may not be looked into
        return None


def _store(settings: Settings) -> TokenStore:
    if settings.login is not None:
        return store_of(settings.login.keep)
    from payman_sdk.auth.stores import MemoryTokenStore

    return MemoryTokenStore()


def _values(file: Path) -> Values:
    try:
        from dotenv import dotenv_values

        return dotenv_values(file, encoding="utf-8")
    except ImportError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{file} cannot be read: {error}.") from None
