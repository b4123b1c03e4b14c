"""Operations in an SQLite file, for any number of processes of one machine. Needs the extra `file`: filelock, for the locks."""

import contextlib
import hashlib
import os
import sqlite3
from collections.abc import Callable, Generator
from typing import TypeVar

from payman_sdk._core.effects import Lock
from payman_sdk._io.key_store import open_database
from payman_sdk._io.private_files import (
    PathProblem,
    find_folder_problem,
    make_folder,
    prepare_private_database,
    read_file_path,
)
from payman_sdk._refusals import build_missing_error
from payman_sdk.agents.stores._sql import Execute, SQLOperationStore
from payman_sdk.agents.stores.operation import OperationStoreError

try:
    import filelock as filelock  # which the locks of files need
except ImportError as error:
    raise build_missing_error("SQLiteOperationStore needs filelock", "file") from error

from payman_sdk.token_stores.file import FileLock

T = TypeVar("T")

_TABLES = """
CREATE TABLE IF NOT EXISTS operations (task_id TEXT PRIMARY KEY, record TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS runs (run_id TEXT, task_id TEXT, PRIMARY KEY (run_id, task_id)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS totals (run_id TEXT PRIMARY KEY, totals TEXT NOT NULL) WITHOUT ROWID;
"""
_VERSION = 2
"""Of the tables, as `PRAGMA user_version` has it. Earlier ones are raised to this: 0 is a new file, or one whose records have no
`sent_at` yet; 1 has no totals."""


class SQLiteOperationStore(SQLOperationStore):
    """Keeps operations in an SQLite file, which only its owner can read, and takes its locks in a folder beside it.

    If others can read the file, the store removes that right. It refuses a file that others can write, and any parent folder in
    which somebody else could replace it.

    The operating system releases a lock when its process dies, and never before. The folder holds at most 4096 empty files;
    operations that share one wait for each other. This works for processes on one machine with a local disk. On a network file
    system, or if the folder is replaced while processes run, two can hold the same lock. A record survives the death of its
    process. It also survives a loss of power, if the disk keeps confirmed writes. Deleting the file, or restoring an older copy,
    loses the counts of runs.

    Args:
        path: The file.

    Raises:
        ConfigurationError: The path is none.

    Example:
        >>> import tempfile
        >>> from payman_sdk.agents.stores.sqlite import SQLiteOperationStore
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     print(SQLiteOperationStore(f"{folder}/operations.sqlite3").list_by_run("monday"))
        []
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = read_file_path(path)
        self._locks = self.path.with_name(f"{self.path.name}.locks")

    def lock(self, name: str) -> Lock:
        """Return the lock of that name, a file in the folder.

        Raises:
            OperationStoreError: The folder cannot be made.
        """
        kind, _, _ = name.partition(" ")  # locks that are held one within the other must not share a file
        place = hashlib.sha256(name.encode("utf-8", "replace")).hexdigest()[:3]
        try:
            make_folder(self._locks)
            _refuse(find_folder_problem(self._locks))
        except OSError as error:
            raise OperationStoreError(f"The folder {self._locks} cannot be made: {error}.") from error
        return FileLock(self._locks / f"{kind}-{place}")

    def __repr__(self) -> str:
        return f"SQLiteOperationStore({str(getattr(self, 'path', ''))!r})"

    @property
    def _place(self) -> str:
        return f"the file {self.path}"

    def _read(self, function: Callable[[Execute], T]) -> T:
        return self._run(function)

    def _write(self, function: Callable[[Execute], T]) -> T:
        return self._run(function, "BEGIN IMMEDIATE")

    def _run(self, function: Callable[[Execute], T], begin: str = "") -> T:
        try:
            with self._connect() as connection, connection:
                if begin:
                    connection.execute(begin)
                return function(connection.execute)
        except (sqlite3.Error, OSError) as error:
            raise OperationStoreError(f"The file {self.path} cannot be read or written: {error}.") from error

    @contextlib.contextmanager
    def _connect(self) -> Generator[sqlite3.Connection, None, None]:
        # What others could write may say that nothing was paid, so it is not taken over.
        _refuse(prepare_private_database(self.path))
        with open_database(self.path) as connection:
            [version] = connection.execute("PRAGMA user_version").fetchone()
            if version not in range(_VERSION + 1):
                raise OperationStoreError(
                    f"The file {self.path} has user_version {version}, which this version of the SDK does not know.",
                    next_step="Install the version that wrote it, or give operations their own file.",
                )
            if version < _VERSION:
                connection.executescript(
                    f"BEGIN IMMEDIATE; {_TABLES} PRAGMA user_version = {_VERSION}; COMMIT;"
                )
            yield connection


def _refuse(problem: PathProblem | None) -> None:
    if problem is not None:
        raise OperationStoreError(problem.problem, next_step=problem.fix)
