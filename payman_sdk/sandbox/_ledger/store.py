"""The embedded store: one SQLite database, in a file or in memory, and its transactions.

A task, its payment and the ledger's entries are written in one transaction. That makes a repeated task id harmless.
"""

import sqlite3
import threading
import weakref
from collections.abc import Callable, Generator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import ParamSpec, TypeVar

from starlette.concurrency import run_in_threadpool

from payman_sdk._io.private_files import make_private_database

P = ParamSpec("P")
T = TypeVar("T")

Transaction = sqlite3.Connection
"""A connection inside a transaction: what the functions of the domain are handed."""

_APPLICATION = 0x5041594D  # "PAYM"
_VERSION = 5
_NOWHERE = frozenset({"", ":memory:"})
"""What SQLite takes for a database that has no name."""
_IN_MEMORY = "file:sandbox?vfs=memdb"
"""Private to this store, as no `/` begins the name. In `:memory:`, a commit takes longer the more pages there are; this one holds 1 GiB."""
_SCHEMA = """
CREATE TABLE IF NOT EXISTS accounts (
    id TEXT PRIMARY KEY,
    agent_id TEXT NOT NULL,
    created INTEGER NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS clients (
    id TEXT PRIMARY KEY,
    secret TEXT, -- a public client has none
    account_id TEXT NOT NULL UNIQUE REFERENCES accounts,
    barred INTEGER NOT NULL DEFAULT 0 -- from getting tokens by its own credentials
) STRICT;
CREATE TABLE IF NOT EXISTS redirect_uris (
    client_id TEXT NOT NULL REFERENCES clients,
    uri TEXT NOT NULL,
    PRIMARY KEY (client_id, uri)
) STRICT;
CREATE TABLE IF NOT EXISTS grants (
    number INTEGER PRIMARY KEY,
    client_id TEXT NOT NULL REFERENCES clients,
    scope TEXT NOT NULL,
    by_credentials INTEGER NOT NULL, -- the client's own, without anybody's consent
    redirect_uri TEXT,
    challenge TEXT,
    revoked INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX IF NOT EXISTS grants_of_client ON grants (client_id);
CREATE TABLE IF NOT EXISTS tokens (
    digest BLOB PRIMARY KEY,
    kind TEXT NOT NULL CHECK (kind IN ('code', 'access', 'refresh')),
    grant_number INTEGER NOT NULL REFERENCES grants,
    scope TEXT NOT NULL,
    expires INTEGER NOT NULL,
    spent INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX IF NOT EXISTS tokens_of_grant ON tokens (grant_number);
CREATE INDEX IF NOT EXISTS tokens_by_end ON tokens (expires);
CREATE TABLE IF NOT EXISTS books (
    id TEXT PRIMARY KEY,
    kind TEXT NOT NULL CHECK (kind IN ('issuer', 'wallet', 'payee')),
    currency TEXT NOT NULL,
    balance INTEGER NOT NULL DEFAULT 0 CHECK (kind = 'issuer' OR balance >= 0)
) STRICT;
CREATE TABLE IF NOT EXISTS wallets (
    id TEXT PRIMARY KEY,
    account_id TEXT NOT NULL REFERENCES accounts,
    book_id TEXT NOT NULL UNIQUE REFERENCES books,
    currency TEXT NOT NULL,
    paytag TEXT NOT NULL UNIQUE,
    approval_above INTEGER NOT NULL,
    most_per_transaction INTEGER NOT NULL,
    most_per_day INTEGER NOT NULL,
    most_per_month INTEGER NOT NULL,
    UNIQUE (account_id, currency)
) STRICT;
CREATE TABLE IF NOT EXISTS payees (
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    account_id TEXT NOT NULL REFERENCES accounts,
    book_id TEXT NOT NULL UNIQUE REFERENCES books,
    name TEXT NOT NULL,
    email TEXT,
    kind TEXT NOT NULL,
    paytag TEXT NOT NULL UNIQUE
) STRICT;
CREATE INDEX IF NOT EXISTS payees_of_account ON payees (account_id);
CREATE TABLE IF NOT EXISTS tasks (
    number INTEGER PRIMARY KEY,
    account_id TEXT NOT NULL REFERENCES accounts,
    id TEXT NOT NULL,
    session_id TEXT NOT NULL,
    state TEXT NOT NULL,
    explanation TEXT NOT NULL,
    updated INTEGER NOT NULL,
    metadata TEXT NOT NULL DEFAULT '{}', -- JSON
    UNIQUE (account_id, id)
) STRICT;
CREATE INDEX IF NOT EXISTS tasks_of_session ON tasks (account_id, session_id);
CREATE TABLE IF NOT EXISTS messages (
    number INTEGER PRIMARY KEY,
    task_number INTEGER NOT NULL REFERENCES tasks,
    role TEXT NOT NULL CHECK (role IN ('user', 'agent')),
    text TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS messages_of_task ON messages (task_number);
CREATE TABLE IF NOT EXISTS artifacts (
    task_number INTEGER NOT NULL REFERENCES tasks,
    position INTEGER NOT NULL,
    content TEXT NOT NULL, -- JSON
    PRIMARY KEY (task_number, position)
) STRICT;
CREATE TABLE IF NOT EXISTS payments (
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    account_id TEXT NOT NULL REFERENCES accounts,
    task_number INTEGER NOT NULL UNIQUE REFERENCES tasks,
    wallet_id TEXT NOT NULL REFERENCES wallets,
    payee_id TEXT NOT NULL REFERENCES payees (id),
    amount INTEGER NOT NULL CHECK (amount > 0),
    currency TEXT NOT NULL,
    description TEXT,
    status TEXT NOT NULL CHECK (status IN ('INITIATED', 'AWAITING_APPROVAL', 'REJECTED')),
    created INTEGER NOT NULL,
    executed INTEGER,
    CHECK ((status = 'INITIATED') = (executed IS NOT NULL))
) STRICT;
CREATE INDEX IF NOT EXISTS payments_of_account ON payments (account_id);
CREATE INDEX IF NOT EXISTS payments_waiting ON payments (account_id) WHERE status = 'AWAITING_APPROVAL';
CREATE TABLE IF NOT EXISTS spending ( -- what the policy compares, so that no payment reads all earlier ones
    wallet_id TEXT NOT NULL REFERENCES wallets,
    day INTEGER NOT NULL, -- when it began, in UTC
    amount INTEGER NOT NULL,
    PRIMARY KEY (wallet_id, day)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS refusals ( -- payments that were ordered and not made
    task_number INTEGER PRIMARY KEY REFERENCES tasks,
    reason TEXT NOT NULL,
    moment INTEGER NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS transfers (
    number INTEGER PRIMARY KEY,
    payment_id TEXT UNIQUE REFERENCES payments (id),
    memo TEXT NOT NULL,
    moment INTEGER NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS entries (
    number INTEGER PRIMARY KEY,
    transfer_number INTEGER NOT NULL REFERENCES transfers,
    book_id TEXT NOT NULL REFERENCES books,
    amount INTEGER NOT NULL CHECK (amount <> 0)
) STRICT;
CREATE INDEX IF NOT EXISTS entries_of_book ON entries (book_id);
CREATE INDEX IF NOT EXISTS entries_of_transfer ON entries (transfer_number);
CREATE TRIGGER IF NOT EXISTS entries_move_balances AFTER INSERT ON entries BEGIN
    UPDATE books SET balance = balance + NEW.amount WHERE id = NEW.book_id;
END;
"""


class Store:
    """One database, shared by the threads of a sandbox, one transaction at a time.

    `path` is its file, which only its owner can read; None is memory, up to 1 GiB. `version` counts this store's transactions that
    have written something.

    Raises ValueError if the file is another program's or version's database, a link, or another user's; or sqlite3.Error.
    """

    def __init__(self, path: str | Path | None = None) -> None:
        if path is not None and str(path) not in _NOWHERE:
            _keep_to_owner(Path(path))
        self._lock = threading.Lock()
        self.version = 0
        # In autocommit mode the module begins no transaction behind our back.
        self._connection = sqlite3.connect(
            _IN_MEMORY if path is None else str(path),
            uri=path is None,
            isolation_level=None,
            check_same_thread=False,
            timeout=10,
        )
        self._close = weakref.finalize(self, self._connection.close)
        self._connection.row_factory = sqlite3.Row
        self._is_in_memory = path is None
        self._check()
        self._connection.execute("PRAGMA foreign_keys = ON")
        if path is None:
            self._connection.deserialize(_empty_database())
            return
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = NORMAL")
        _lay_out(self._connection)

    def _check(self) -> None:
        """Keep out of other programs' databases, and of those that another version wrote."""
        application, version, tables = (
            self._connection.execute(question).fetchone()[0]
            for question in (
                "PRAGMA application_id",
                "PRAGMA user_version",
                "SELECT COUNT(*) FROM sqlite_master",
            )
        )
        if tables and (application, version) != (_APPLICATION, _VERSION):
            self._close()
            raise ValueError(
                "db: the file is another program's database, or another version's; choose another file"
            )

    @contextmanager
    def transaction(self) -> Generator[Transaction]:
        """Provide a transaction: all that is written inside is kept together, or, after any exception, not at all.

        Transactions of several threads, or of several processes with one file, come one after the other.
        """
        with self._lock:
            self._connection.execute("BEGIN IMMEDIATE")
            before = self._connection.total_changes
            try:
                yield self._connection
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")
            self.version += self._connection.total_changes != before

    async def run(self, function: Callable[P, T], *args: P.args, **keywords: P.kwargs) -> T:
        """Call what makes a transaction, without making the event loop wait for a disk.

        In memory, it takes less time than a change of threads.
        """
        if self._is_in_memory:
            return function(*args, **keywords)
        return await run_in_threadpool(function, *args, **keywords)

    def close(self) -> None:
        """Close the database. A store in memory is gone then; closing twice is harmless."""
        with self._lock:
            self._close()


def _lay_out(connection: sqlite3.Connection) -> None:
    connection.executescript(_SCHEMA)
    connection.execute(f"PRAGMA application_id = {_APPLICATION}")
    connection.execute(f"PRAGMA user_version = {_VERSION}")


@cache
def _empty_database() -> bytes:
    """Return the empty tables: a copy takes a fifth of the time of making them."""
    connection = sqlite3.connect(_IN_MEMORY, uri=True)
    try:
        _lay_out(connection)
        return connection.serialize()
    finally:
        connection.close()


def _keep_to_owner(path: Path) -> None:
    try:
        problem = make_private_database(path, takes_over=True)
    except OSError as error:
        raise sqlite3.OperationalError(str(error)) from error
    if problem is not None:
        raise ValueError(f"db: {problem.problem} {problem.fix}")
