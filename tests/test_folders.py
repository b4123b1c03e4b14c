"""Users without a home folder, and folders that cannot be written."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import anyio
import platformdirs
import pytest
from typer.testing import CliRunner

from payman_sdk import AsyncPaymanClient, PaymanClient
from payman_sdk._cli.context import app
from payman_sdk._cli.login_store import delete_login, load_login
from payman_sdk._io.private_files import find_user_folder
from payman_sdk.errors import ConfigurationError, TokenStoreError
from payman_sdk.sandbox import Sandbox
from payman_sdk.token_stores.base import StoredToken
from payman_sdk.token_stores.file import FileTokenStore
from payman_sdk.token_stores.keyring import KeyringTokenStore

TOKEN = StoredToken(issued_to="nobody", access_token="a", expires_at=0, lifetime=0)


@pytest.fixture
def _homeless(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A user of a container: no HOME, no entry in the list of users, and a working folder that shows what is left in it."""
    pwd = pytest.importorskip("pwd")  # Windows has no such list
    for name in [name for name in os.environ if name == "HOME" or name.startswith("XDG_")]:
        monkeypatch.delenv(name)

    def find(user: object) -> NoReturn:
        raise KeyError(f"user not found: {user}")

    monkeypatch.setattr(pwd, "getpwuid", find)
    monkeypatch.setattr(pwd, "getpwnam", find)
    monkeypatch.chdir(tmp_path)


@pytest.mark.usefixtures("_homeless")
def test_what_needs_a_folder_says_so(tmp_path: Path) -> None:
    """Without a home folder, stores in the usual place are refused, and nothing is left in the working folder."""
    needy: dict[str, Callable[[], object]] = {
        "XDG_CONFIG_HOME": FileTokenStore,
        "XDG_STATE_HOME": lambda: find_user_folder("state"),
    }
    for variable, make in {**needy, "HOME": KeyringTokenStore}.items():
        with pytest.raises(ConfigurationError, match=f"no home folder.*{variable}"):
            make()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("_homeless")
def test_what_needs_no_folder_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Clients, a file that is named, a folder that XDG names, the sandbox and the command need no home folder."""

    async def ask(sandbox: Sandbox) -> str:
        async with AsyncPaymanClient(**settings) as client:
            return (await client.ask("list all wallets")).status

    with Sandbox(db=tmp_path / "sandbox.sqlite3") as sandbox:
        settings: Any = {
            "client_id": sandbox.client_id,
            "client_secret": sandbox.client_secret,
            "base_url": sandbox.base_url,
        }
        with PaymanClient(**settings, token_store=FileTokenStore(tmp_path / "token.json")) as client:
            assert client.ask("list all wallets").status == "completed"
        assert anyio.run(ask, sandbox) == "completed"
        assert load_login() is None
        assert not delete_login()
        ran = CliRunner().invoke(
            app,
            ["--base-url", sandbox.base_url, "doctor"],
            env={"PAYMAN_CLIENT_ID": sandbox.client_id, "PAYMAN_CLIENT_SECRET": sandbox.client_secret},
        )
        assert (ran.exit_code, "home" in ran.output) == (0, False), ran.output
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    FileTokenStore().save(TOKEN)
    assert (tmp_path / "payman" / "tokens" / "default.json").exists()


def test_a_path_that_nobody_expanded_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Versions of platformdirs that return a path with ~ make no folder of that name."""
    monkeypatch.setattr(platformdirs, "user_config_path", lambda *_, **__: Path("~/.config/payman"))
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigurationError, match="no home folder"):
        FileTokenStore()


def test_a_file_system_that_cannot_be_written_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """On a read-only file system, a store says which file it could not write."""

    def refuse(*_: object, **__: object) -> NoReturn:
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(os, "mkdir", refuse)
    store = FileTokenStore(tmp_path / "new" / "token.json")
    assert store.load() is None
    with pytest.raises(TokenStoreError, match=r"token\.json cannot be written: .*Read-only file system"):
        store.save(TOKEN)
    with pytest.raises(TokenStoreError, match="Read-only file system"):
        _ = store.lock
