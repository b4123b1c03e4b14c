"""Operations in PostgreSQL, for processes on many machines. Needs the extra `postgres`."""

from collections.abc import Callable
from typing import TypeVar

from payman_sdk._core.effects import Lock
from payman_sdk._io.token_store_access import check_name
from payman_sdk.agents.stores._sql import Execute, SQLOperationStore
from payman_sdk.agents.stores.operation import OperationStoreError
from payman_sdk.token_stores._postgres_access import (
    Connection,
    Place,
    PostgresAccess,
    make_key,
)
from payman_sdk.token_stores.postgres import AdvisoryLock

T = TypeVar("T")


class PostgresOperationStore(SQLOperationStore):
    """Keeps operations in PostgreSQL, for any number of processes and machines.

    The tables `payman_operations`, `payman_runs` and `payman_totals` are made on first use. A record is committed, and on the
    server's disk, before anything is sent, whatever `synchronous_commit` says. To survive a failover as well, the server needs a
    synchronous standby. Without one, only processes that have used the run notice lost records, and refuse.

    A lock is a transaction that lasts as long as the operation, on its own connection. The server releases it when the process
    dies, and within 25 seconds when the machine dies.

    Args:
        postgres: The address of a server, such as `postgresql://…`, or a function that returns a new `psycopg.Connection`.
        name: Separates the operations of several accounts.
        allow_plaintext: Whether operations may cross a network unencrypted. Without it, the server of another machine needs TLS.

    Raises:
        ConfigurationError: `postgres` is neither, or allows a server of another machine without TLS.

    Example:
        >>> from payman_sdk.agents.stores.postgres import PostgresOperationStore
        >>> store = PostgresOperationStore("postgresql://localhost/payman", name="shop")
    """

    _tables = "payman_"
    _lock_rows = " FOR UPDATE"

    def __init__(self, postgres: Place, *, name: str = "default", allow_plaintext: bool = False) -> None:
        self._store = check_name(name)
        self._access = PostgresAccess(postgres, OperationStoreError, allow_plaintext=allow_plaintext)

    def now(self) -> float:
        """Return the time by the clock of the server, in seconds since 1970.

        Raises:
            OperationStoreError: PostgreSQL cannot be asked.
        """
        query = "SELECT extract(epoch FROM clock_timestamp())"
        return float(self._read(lambda execute: execute(query, ()).fetchone()[0]))

    def lock(self, name: str) -> Lock:
        """Return the lock of that name, a transaction in PostgreSQL."""
        return AdvisoryLock(self._access, f"payman {self._name(name)}")

    def __repr__(self) -> str:
        return f"<PostgresOperationStore {getattr(self, '_store', '')}>"

    @property
    def _place(self) -> str:
        return f"the store {self._store} in PostgreSQL"

    def _name(self, key: str) -> str:
        return make_key(self._store, key)

    def _read(self, function: Callable[[Execute], T]) -> T:
        return self._access.ask(lambda one: function(_make_execute(one)), self._failure)

    def _write(self, function: Callable[[Execute], T]) -> T:
        return self._access.write(lambda one: function(_make_execute(one)), self._failure)

    @property
    def _failure(self) -> str:
        return f"PostgreSQL cannot read or write {self._place}"


def _make_execute(connection: Connection) -> Execute:
    return lambda statement, values: connection.execute(statement.replace("?", "%s").encode(), values)
