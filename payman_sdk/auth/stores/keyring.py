"""A token in the keyring of the operating system. Needs the extra `keyring`."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from payman_sdk.auth.stores import StoredToken
from payman_sdk.errors import ConfigurationError, TokenStoreError
from payman_sdk.flows import Lock
from payman_sdk.secrecy import Secret

try:
    import keyring
except ImportError as error:
    raise ConfigurationError(
        "Keeping tokens in the keyring needs keyring.", next_step="pip install 'paymanai-sdk[keyring]'"
    ) from error

T = TypeVar("T")


class KeyringTokenStore:
    """Keeps a token in the operating system's keyring, for the processes of one user on one machine.

    Keyrings have no locks, so the lock is a file in the user's usual place for such files; it holds no token.

    Args:
        name: Tells the tokens of several accounts apart.
        service: The service name under which the keyring lists them.
    """

    def __init__(self, name: str = "default", *, service: str = "payman") -> None:
        self._name = name
        self._service = service
        from payman_sdk.auth.stores.file import FileTokenStore

        self._lock = FileTokenStore(name=f"{service}-{name}").lock

    def load(self) -> StoredToken | None:
        """The token in the keyring, None if there is none.

        Raises:
            TokenStoreError: The keyring cannot be asked, or what it holds is damaged.
        """
        text = self._asked(lambda: keyring.get_password(self._service, self._name), "read")
        where = f"The keyring entry {self._service}/{self._name}"
        return None if text is None else StoredToken.from_json(Secret(text), where)

    def save(self, token: StoredToken) -> None:
        """Keeps a token in place of the one before.

        Raises:
            TokenStoreError: The keyring refuses.
        """
        self._asked(lambda: keyring.set_password(self._service, self._name, token.to_json()), "written")

    def _asked(self, function: Callable[[], T], done: str) -> T:
        failure: TokenStoreError
        try:
            return function()
        except Exception as error:  # backends raise what they like
            failure = TokenStoreError(f"The keyring cannot be {done}: {error}.")
        raise failure  # out here, it carries no frames of the keyring's with it, which hold the token

    @property
    def lock(self) -> Lock:
        """A lock file in the user's usual place for such files."""
        return self._lock

    def __repr__(self) -> str:
        return f"KeyringTokenStore({self._name!r}, service={self._service!r})"
