"""A token in PostgreSQL, for many processes on many machines. Needs the extra `postgres`."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from payman_sdk._core.auth.stored_token import StoredToken
from payman_sdk._core.effects import Lock
from payman_sdk._secrets import SecretStr
from payman_sdk.errors import ConfigurationError, TokenStoreError
from payman_sdk.token_stores._postgres_access import (
    AdvisoryLock,
    Place,
    PostgresAccess,
    PostgresError,
    convert,
    make_key,
)

T = TypeVar("T")


class PostgresTokenStore:
    """Stores a token in PostgreSQL, for any number of processes and machines.

    It is a row of the table `payman_tokens`, which the store creates on first use. The token is not encrypted: whoever reads the table
    can pay.

    Args:
        postgres: The address of a server, such as `postgresql://…`, or a function that returns a new `psycopg.Connection`.
        name: Separates the tokens of several accounts.
        allow_plaintext: Whether tokens may cross a network unencrypted. Without it, the server of another machine needs TLS.

    Raises:
        ConfigurationError: `postgres` is neither, or allows a server of another machine without TLS.

    Example:
        >>> from payman_sdk.token_stores import PostgresTokenStore
        >>> store = PostgresTokenStore("postgresql://localhost/payman", name="shop")
    """

    def __init__(self, postgres: Place, *, name: str = "default", allow_plaintext: bool = False) -> None:
        if not isinstance(name, str) or not name.strip():
            raise ConfigurationError(
                "name is blank or not a string.", next_step="Give a name, such as 'default'."
            )
        self._key = make_key(name)
        self._access = PostgresAccess(postgres, allow_plaintext=allow_plaintext)
        self._lock = AdvisoryLock(self._access, f"payman token {self._key}", TokenStoreError)

    def load(self) -> StoredToken | None:
        """Return the token in the table, or None.

        Raises:
            TokenStoreError: PostgreSQL does not answer, or the stored token is damaged.
        """
        query = "SELECT token FROM payman_tokens WHERE name = %s"
        row = self._call(
            lambda: self._access.ask(lambda one: one.execute(query, (self._key,)).fetchone()), "read"
        )
        return None if row is None else StoredToken.from_json(SecretStr(row[0]), repr(self))

    def save(self, token: StoredToken) -> None:
        """Replace the stored token.

        Args:
            token: The new token.

        Raises:
            TokenStoreError: PostgreSQL refused it, or the lock was lost and somebody else may hold it.
        """
        if not self._lock.is_held():
            raise TokenStoreError(
                f"The lock of {self!r} was lost before the token could be written.",
                next_step="Another process may have renewed it; if not, authorize again.",
            )
        query = "INSERT INTO payman_tokens VALUES (%s, %s) ON CONFLICT (name) DO UPDATE SET token = excluded.token"

        def write() -> None:
            row = self._key, token.to_json()
            self._access.write(lambda one: one.execute(query, row))

        self._call(write, "written")

    def _call(self, function: Callable[[], T], done: str) -> T:
        failure: TokenStoreError
        try:
            return function()
        except PostgresError as error:
            failure = convert(error, TokenStoreError, f"{self!r} cannot be {done}")
        raise failure  # out here, it carries no frames of the driver's with it, which hold the token

    @property
    def lock(self) -> Lock:
        """A lock of PostgreSQL's, which ends with the connection of its holder."""
        return self._lock

    def __repr__(self) -> str:
        return f"<PostgresTokenStore {getattr(self, '_key', '')}>"
