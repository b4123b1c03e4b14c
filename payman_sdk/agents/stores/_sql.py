"""What the stores in SQL databases share: their statements."""

from collections.abc import Callable
from typing import Any, Protocol, TypeAlias, TypeVar

from payman_sdk.agents.stores.operation import Operation, RunTotals, TotalsChangedError

T = TypeVar("T")


class Cursor(Protocol):
    @property
    def rowcount(self) -> int:
        """How many rows it has written."""
        ...

    def fetchone(self) -> Any: ...

    def fetchall(self) -> list[Any]: ...


Execute: TypeAlias = Callable[[str, tuple[str, ...]], Cursor]
"""Carries out a statement, with `?` for each value."""


class SQLOperationStore:
    """Keeps operations in three tables: records, the runs that each counts in, and what each run counts.

    A record and the totals that it changes are written in one transaction.
    """

    _tables = ""
    """What the names of the tables begin with."""
    _lock_rows = ""
    """What makes a transaction keep others from the rows that it reads."""

    def load(self, task_id: str) -> Operation | None:
        """Return the operation with that task id, None if there is none.

        Raises:
            OperationStoreError: The database cannot be read, or what it holds is damaged.
        """
        return self._read(lambda execute: self._load(execute, task_id))

    def save(self, operation: Operation) -> None:
        """Keep an operation in place of the one with the same task id; it is on the disk when this returns.

        Raises:
            OperationStoreError: The database cannot be written.
        """
        self._write(lambda execute: self._save(execute, operation))

    def claim(
        self, operation: Operation, run_id: str, totals: RunTotals | None, *known: Operation | None
    ) -> bool:
        """Keep an operation in place of `known`, if a run counts these totals until now. Return False where it is another by now.

        Raises:
            OperationStoreError: The database cannot be written, or the run counts something else by now.
        """

        def write(execute: Execute) -> bool:
            if totals is not None and self._lock_totals(execute, run_id) != totals:
                raise TotalsChangedError(
                    f"Another process has changed the totals of the run, in {self._place}."
                )
            return self._save(execute, operation, *known)

        return self._write(write)

    def list_by_run(self, run_id: str) -> list[Operation]:
        """Return the operations that count in a run.

        Raises:
            OperationStoreError: The database cannot be read, or what it holds is damaged.
        """
        return self._read(lambda execute: self._list_by_run(execute, run_id))

    def sum_run(self, run_id: str) -> RunTotals:
        """Return what a run counts.

        Raises:
            OperationStoreError: The database cannot be read, or what it holds is damaged.
        """

        def read(execute: Execute) -> RunTotals:
            found = self._load_totals(execute, run_id)
            return found or RunTotals.of(self._list_by_run(execute, run_id))

        return self._read(read)

    @property
    def _place(self) -> str:
        raise NotImplementedError

    def _name(self, key: str) -> str:
        return key

    def _read(self, function: Callable[[Execute], T]) -> T:
        raise NotImplementedError

    def _write(self, function: Callable[[Execute], T]) -> T:
        """Call a function that writes, in one transaction."""
        raise NotImplementedError

    def _load(self, execute: Execute, task_id: str, lock: str = "") -> Operation | None:
        query = f"SELECT record FROM {self._tables}operations WHERE task_id = ?{lock}"  # noqa: S608 # nosec B608 # names of ours
        row = execute(query, (self._name(task_id),)).fetchone()
        return None if row is None else Operation.from_json(row[0], self._place)

    def _list_by_run(self, execute: Execute, run_id: str) -> list[Operation]:
        query = (
            f"SELECT record FROM {self._tables}runs LEFT JOIN {self._tables}operations USING (task_id) "  # noqa: S608 # nosec B608 # names of ours
            "WHERE run_id = ?"
        )
        rows = execute(query, (self._name(run_id),)).fetchall()
        # A record that is missing reads as a damaged one: it must not count for nothing.
        return [Operation.from_json(row[0] or "", self._place) for row in rows]

    def _load_totals(self, execute: Execute, run_id: str, lock: str = "") -> RunTotals | None:
        query = f"SELECT totals FROM {self._tables}totals WHERE run_id = ?{lock}"  # noqa: S608 # nosec B608 # names of ours
        row = execute(query, (self._name(run_id),)).fetchone()
        return None if row is None else RunTotals.from_json(row[0], self._place)

    def _lock_totals(self, execute: Execute, run_id: str) -> RunTotals:
        """Return what a run counts, and keep other transactions from counting in it."""
        totals = self._load_totals(execute, run_id, self._lock_rows)
        if totals is None:  # a new run, or one of an earlier version; whoever is first sums it up
            totals = RunTotals.of(self._list_by_run(execute, run_id))
            self._insert(execute, "totals", run_id, totals.to_json())
            totals = self._load_totals(execute, run_id, self._lock_rows) or totals
        return totals

    def _save(self, execute: Execute, operation: Operation, *known: Operation | None) -> bool:
        task_id, record = operation.task_id, operation.to_json()
        before = self._load(execute, task_id, self._lock_rows)
        if known and before not in known:
            return False
        if before is None and not self._insert(execute, "operations", task_id, record):
            if known:
                return False
            before = self._load(execute, task_id, self._lock_rows)  # another transaction has just written it
        if before is not None:
            query = f"UPDATE {self._tables}operations SET record = ? WHERE task_id = ?"  # noqa: S608 # nosec B608 # names of ours
            execute(query, (record, self._name(task_id)))
        joined = set(before.runs if before else ())
        for run in sorted(joined.union(operation.runs)):
            if not RunTotals.is_changed(run, before, operation):
                continue
            totals = self._lock_totals(execute, run).replace(run, before, operation)
            query = f"UPDATE {self._tables}totals SET totals = ? WHERE run_id = ?"  # noqa: S608 # nosec B608 # names of ours
            execute(query, (totals.to_json(), self._name(run)))
            if run in operation.runs and run not in joined:
                self._insert(execute, "runs", run, self._name(task_id))
            elif run not in operation.runs:
                query = f"DELETE FROM {self._tables}runs WHERE run_id = ? AND task_id = ?"  # noqa: S608 # nosec B608 # names of ours
                execute(query, (self._name(run), self._name(task_id)))
        return True

    def _insert(self, execute: Execute, table: str, key: str, value: str) -> bool:
        """Insert a row where there is none with that key; return whether there was none."""
        query = f"INSERT INTO {self._tables}{table} VALUES (?, ?) ON CONFLICT DO NOTHING"  # noqa: S608 # nosec B608 # names of ours
        return execute(query, (self._name(key), value)).rowcount == 1
