"""Where it is recorded that an ask with an idempotency key is sent, so that a process that follows knows.

A record holds a task id, a server and a time, no text and no secret. It is committed before the ask is sent. Whoever finds it looks
the task up for `settle_time` before the ask is sent again, because what was sent may still arrive.
"""

import contextlib
import os
import sqlite3
import sys
from collections.abc import Generator
from functools import cache
from pathlib import Path

from payman_sdk._io.forks import StepLock, defer_forks
from payman_sdk._io.private_files import make_absolute, prepare_private_database, read_file_path
from payman_sdk._io.token_store_access import get_time_left

_TABLE = "CREATE TABLE IF NOT EXISTS keys (operation TEXT PRIMARY KEY, sent_at REAL NOT NULL) WITHOUT ROWID"
_INSERT = "INSERT INTO keys VALUES (:operation, :sent_at) ON CONFLICT DO NOTHING"
_UPDATE = "UPDATE keys SET sent_at = :sent_at WHERE operation = :operation AND sent_at = :expected"
_USUAL_FOLDERS = {"darwin": "Library/Application Support", "win32": "AppData/Local"}
_LOCK_SECONDS = 30.0
"""Seconds to wait for another process that writes; each writes one row at a time."""


class MemoryKeyStore:
    """Records keys in memory, for the clients of one process. A process that dies takes its records with it.

    Example:
        >>> from payman_sdk import MemoryKeyStore
        >>> store = MemoryKeyStore()
        >>> store.claim("tsk-1", 1000.0, None), store.claim("tsk-1", 1000.0, None), store.load("tsk-1")
        (True, False, 1000.0)
    """

    def __init__(self) -> None:
        self._sent: dict[str, float] = {}
        self._steps = StepLock()

    def load(self, operation: str) -> float | None:
        """Return when the ask was last sent. See `KeyStore`."""
        return self._sent.get(operation)

    def claim(self, operation: str, sent_at: float, expected: float | None) -> bool:
        """Record that the ask is sent at this time, if the record still is `expected`."""
        with self._steps.lock:
            if self._sent.get(operation) != expected:
                return False
            self._sent[operation] = sent_at
            return True

    def forget(self, operation: str, expected: float) -> None:
        """Remove the record, if it still is `expected`. See `KeyStore`."""
        with self._steps.lock:
            if self._sent.get(operation) == expected:
                del self._sent[operation]

    def __repr__(self) -> str:
        return f"<MemoryKeyStore of {len(self._sent)} keys>"


class SQLiteKeyStore:
    """Records keys in an SQLite file, for any number of processes of one machine. Keep it on a local disk.

    A row is on the disk before the ask is sent, and survives `kill -9` and a loss of power. Rows take about 100 bytes and are never
    removed. To reset the store, delete the file while no ask with a key is in progress.

    Args:
        path: The file. It is created with mode 0600, in a folder of mode 0700, on first use.

    Raises:
        ConfigurationError: The path names no file.

    Example:
        >>> import tempfile
        >>> from payman_sdk import SQLiteKeyStore
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     store = SQLiteKeyStore(f"{folder}/keys.sqlite3")
        ...     print(store.claim("tsk-1", 1000.0, None), SQLiteKeyStore(store.path).load("tsk-1"))
        True 1000.0
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = read_file_path(path)

    def load(self, operation: str) -> float | None:
        """Return when the ask was last sent. See `KeyStore`."""
        with self._open() as connection:
            row = connection.execute("SELECT sent_at FROM keys WHERE operation = ?", (operation,)).fetchone()
        return None if row is None else row[0]

    def claim(self, operation: str, sent_at: float, expected: float | None) -> bool:
        """Record that the ask is being sent, if the record still is `expected`. It is on the disk when this returns. See `KeyStore`."""
        change = _INSERT if expected is None else _UPDATE
        with self._open() as connection:
            values = {"operation": operation, "sent_at": sent_at, "expected": expected}
            return connection.execute(change, values).rowcount == 1

    def forget(self, operation: str, expected: float) -> None:
        """Remove the record, if it still is `expected`. See `KeyStore`."""
        with self._open() as connection:
            connection.execute("DELETE FROM keys WHERE operation = ? AND sent_at = ?", (operation, expected))

    def __repr__(self) -> str:
        return f"SQLiteKeyStore({str(getattr(self, 'path', ''))!r})"

    @contextlib.contextmanager
    def _open(self) -> Generator[sqlite3.Connection, None, None]:
        # If others can write the file, they can hide what was sent.
        if problem := prepare_private_database(self.path):
            raise PermissionError(f"{problem.problem} {problem.fix}")
        with open_database(self.path) as connection, connection:
            connection.execute("BEGIN IMMEDIATE")
            connection.execute(_TABLE)
            yield connection


@contextlib.contextmanager
def open_database(path: Path) -> Generator[sqlite3.Connection, None, None]:
    """Open a file for one step: no connection outlives a fork or serves two threads."""
    seconds = get_time_left(_LOCK_SECONDS)
    with (
        defer_forks(),  # SQLite has locks for the whole process
        contextlib.closing(sqlite3.connect(path, timeout=seconds, isolation_level=None)) as connection,
    ):
        connection.execute("PRAGMA synchronous = FULL")
        yield connection


def open_default_store() -> SQLiteKeyStore | None:
    r"""Return the store of this user on this machine; None without a place for one.

    The file is `keys.sqlite3` in the folder that `PAYMAN_STATE_DIR` names, or else in `$XDG_STATE_HOME/payman` or
    `~/.local/state/payman`, `~/Library/Application Support/payman`, `%LOCALAPPDATA%\payman`.
    A relative `PAYMAN_STATE_DIR` is meant as it was when this process made its first client.
    """
    folder = find_state_folder()
    return None if folder is None else SQLiteKeyStore(folder / "keys.sqlite3")


def find_state_folder() -> Path | None:
    """Return the folder of the store, None without a place for one; raises ConfigurationError."""
    if named := os.environ.get("PAYMAN_STATE_DIR"):
        return _keep_folder(named)
    variable = "LOCALAPPDATA" if os.name == "nt" else "XDG_STATE_HOME"
    named = os.environ.get(variable, "")
    if Path(named).is_absolute():
        return Path(named) / "payman"
    usual = _USUAL_FOLDERS.get(sys.platform, ".local/state")
    with contextlib.suppress(RuntimeError, OSError):
        if (home := Path.home()).is_absolute():
            return home / usual / "payman"
    return None


@cache
def _keep_folder(named: str) -> Path:
    """Return the folder that a name meant when it was first used, so that all clients of a process share the records."""
    return make_absolute(named, "PAYMAN_STATE_DIR")
