"""The stored login: whose token is kept, where, and how to forget it.

A `FileTokenStore` or a `KeyringTokenStore` of that name keeps the token; a small file beside it names its application and server.
Neither holds the application's secret.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from attrs import frozen

from payman_sdk._io.private_files import (
    find_file_problem,
    find_folder_problem,
    replace_file,
    wait_while_in_use,
)
from payman_sdk.errors import ConfigurationError, TokenStoreError

if TYPE_CHECKING:
    from payman_sdk._core.auth.stored_token import TokenStore

_NAME = "payman-cli"


@frozen(kw_only=True)
class Login:
    """What is remembered of a login, beside its token, which is kept in a `file` or the `keyring`."""

    client_id: str
    base_url: str
    keep: str = "file"


def read_login(shape: object) -> Login | None:
    if not isinstance(shape, Mapping):
        return None
    members = cast("Mapping[str, Any]", shape)
    known = [members.get(name) for name in ("client_id", "base_url", "keep")]
    if not all(isinstance(value, str) and value for value in known) or known[2] not in ("file", "keyring"):
        return None
    return Login(client_id=str(known[0]), base_url=str(known[1]), keep=str(known[2]))


def open_store(keep: str) -> TokenStore:
    """Return the store for the token of the login; raises ConfigurationError."""
    if keep == "keyring":
        from payman_sdk.token_stores.keyring import KeyringTokenStore

        return KeyringTokenStore(_NAME)
    from payman_sdk.token_stores.file import FileTokenStore

    return FileTokenStore(name=_NAME)


def describe_place(keep: str) -> str:
    if keep == "keyring":
        return "the keyring of the operating system"
    from payman_sdk.token_stores.file import FileTokenStore

    return str(FileTokenStore(name=_NAME).path)


def load_login() -> Login | None:
    """Return the login that is stored, None if there is none; raises TokenStoreError."""
    file = _find_file()
    if file is None:
        return None
    try:
        if not os.path.lexists(file):
            return None
        # It names the server that gets the token, so that nobody else may write it.
        problem = find_folder_problem(file.parent) or find_file_problem(file, is_private=True)
        if problem is not None:
            raise TokenStoreError(problem.problem, next_step=problem.fix)
        text = file.read_text("utf-8")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise TokenStoreError(f"The login in {file} cannot be read: {error}.") from None
    try:
        login = read_login(json.loads(text))
    except (ValueError, RecursionError):
        login = None
    if login is None:
        raise TokenStoreError(
            f"{file} holds no login.", next_step="Run payman logout, and payman login again."
        )
    return login


def save_login(login: Login) -> None:
    """Write down whose token is in the store; raises TokenStoreError."""
    file = _find_file()
    assert file is not None  # noqa: S101 (the store that was used needs the same extra)
    shape = {"client_id": login.client_id, "base_url": login.base_url, "keep": login.keep}
    try:
        replace_file(file, json.dumps(shape))
    except OSError as error:
        raise TokenStoreError(f"The login in {file} cannot be written: {error}.") from error


def delete_token(keep: str) -> bool:
    """Remove the token of a login from the store, and return whether there was one; raises TokenStoreError."""
    from payman_sdk._core.auth.stored_token import StoredToken

    store = open_store(keep)
    path = getattr(store, "path", None)
    if isinstance(path, Path) and not path.exists() and not path.is_symlink():
        return False
    if not store.lock.acquire(timeout=20):
        raise TokenStoreError(
            "Another program is renewing the token.", next_step="Try again in a few seconds."
        )
    try:
        if isinstance(path, Path):
            wait_while_in_use(lambda: path.unlink(missing_ok=True))
            return True
        with contextlib.suppress(TokenStoreError):  # what is damaged is removed as well
            if store.load() is None:
                return False
        # A keyring is only ever written to: what is written holds no token.
        store.save(StoredToken(issued_to="nobody", access_token=None, expires_at=0, lifetime=0))
        return True
    except OSError as error:
        raise TokenStoreError(f"The token cannot be removed: {error}.") from error
    finally:
        store.lock.release()


def delete_login() -> bool:
    """Remove the login and its token, even if its record is damaged; return whether there was one. Raises as `delete_token`."""
    file = _find_file()
    if file is None:
        return False
    found = file.exists()
    try:
        login = load_login()
        if login is not None and login.keep != "file":
            delete_token(login.keep)
    except TokenStoreError:  # nobody knows where the token was kept
        with contextlib.suppress(TokenStoreError, ConfigurationError):
            delete_token("keyring")
    found |= delete_token("file")
    with contextlib.suppress(OSError):
        file.unlink(missing_ok=True)
    return found


def _find_file() -> Path | None:
    """Return the file beside the token; None where no login can have been stored."""
    try:
        from payman_sdk.token_stores.file import FileTokenStore

        path = FileTokenStore(name=_NAME).path
    except ConfigurationError:
        return None
    return path.with_name(f"{path.stem}-login.txt")
