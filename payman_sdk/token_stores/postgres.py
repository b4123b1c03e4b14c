"""A token in PostgreSQL, for many processes on many machines. Needs the extra `postgres`."""

import contextlib
import hashlib
from collections import deque

from payman_sdk._core.auth.stored_token import StoredToken
from payman_sdk._core.effects import Lock
from payman_sdk._io.locks import LayeredLock, poll
from payman_sdk._io.token_store_access import check_name
from payman_sdk._secrets import SecretStr
from payman_sdk.errors import PaymanError, TokenStoreError
from payman_sdk.token_stores._postgres_access import Connection, Place, PostgresAccess, inherited, make_key

# The transaction of a lock lasts as long as an ask. The server finds a machine that died within 25 seconds.
_HOLD = (
    "BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL idle_in_transaction_session_timeout = 0; SET LOCAL tcp_keepalives_idle = 10; "
    "SET LOCAL tcp_keepalives_interval = 5; SET LOCAL tcp_keepalives_count = 3"
)


class AdvisoryLock(LayeredLock):
    """A `Lock` between machines that lasts as long as a transaction, and between the threads of each process.

    The server frees it when its holder ends the transaction or the connection. A holder may lose its connection and go on. So
    whoever writes under it asks `is_held` first, and each claim is compared with the record of an operation.
    """

    def __init__(self, access: PostgresAccess, name: str) -> None:
        self._access = access
        self._failure = f"The lock {name} in PostgreSQL cannot be taken"
        number = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], signed=True)
        self._statement = f"{_HOLD}; SELECT pg_try_advisory_xact_lock({number})".encode()
        self._held: Connection | None = None
        super().__init__()

    def is_held(self) -> bool:
        """Return whether this process has the lock still, by the word of the server."""
        held = self._held
        try:
            return held is not None and self._access.call(lambda: held.execute("SELECT 1"), "") is not None
        except PaymanError:
            return False

    def _take_outer(self, timeout: float) -> bool:
        self._drop_outer()  # a thread that was interrupted may have left it behind
        return poll(self._try_server, timeout)

    def _try_server(self) -> bool:
        is_late = False

        def call() -> Connection | None:
            connection = self._access.take()
            try:
                cursor = connection.execute(self._statement)
                while cursor.nextset():
                    pass
                row = cursor.fetchone()
            except BaseException:
                connection.close()
                raise
            if is_late or row is None or not row[0]:
                self._access.give_back(connection)
                return None
            return connection

        try:
            self._held = self._access.call(call, self._failure)
        except BaseException:
            is_late = True  # what was left behind gives the lock back
            raise
        return self._held is not None

    def _drop_outer(self) -> None:
        held, self._held = self._held, None
        if held is not None:
            with contextlib.suppress(PaymanError):  # the server frees it when the connection ends
                self._access.call(lambda: self._access.give_back(held), "")

    def _forget_outer(self) -> None:
        held, self._held = self._held, None
        if held is not None:
            inherited.append(deque([held]))


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
        self._key = make_key(check_name(name))
        self._access = PostgresAccess(postgres, TokenStoreError, allow_plaintext=allow_plaintext)
        self._lock = AdvisoryLock(self._access, f"payman token {self._key}")

    def load(self) -> StoredToken | None:
        """Return the token in the table, or None.

        Raises:
            TokenStoreError: PostgreSQL does not answer, or the stored token is damaged.
        """
        query = "SELECT token FROM payman_tokens WHERE name = %s"
        what = f"{self!r} cannot be read"
        row = self._access.ask(lambda one: one.execute(query, (self._key,)).fetchone(), what)
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
        what = f"{self!r} cannot be written"
        self._access.write(lambda one: one.execute(query, (self._key, token.to_json())), what)

    @property
    def lock(self) -> Lock:
        """A lock of PostgreSQL's, which ends with the connection of its holder."""
        return self._lock

    def __repr__(self) -> str:
        return f"<PostgresTokenStore {getattr(self, '_key', '')}>"
