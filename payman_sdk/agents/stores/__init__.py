"""Stores of operations, so that each operation is carried out once, whoever asks for it and however often.

A store saves records and provides locks. `MemoryOperationStore` is the default; each other store has its own module, and needs an
extra: `sqlite` (`file`), `postgres` and `redis`.
"""

from collections.abc import Sequence
from typing import Protocol, TypeVar
from weakref import WeakValueDictionary

from payman_sdk._core.effects import Lock
from payman_sdk._io.forks import StepLock
from payman_sdk._io.locks import ThreadLock
from payman_sdk.agents.stores.operation import Operation as Operation
from payman_sdk.agents.stores.operation import OperationStoreError as OperationStoreError
from payman_sdk.agents.stores.operation import RunTotals as RunTotals

T = TypeVar("T")


class OperationStore(Protocol):
    """Stores operations. Methods may block; the asynchronous toolkit calls them in a worker thread.

    If a method raises, nothing is sent. A store that may have lost records must raise instead of returning fewer.

    A store may have three more methods. `now()` returns the time in seconds since 1970 by one clock
    for all machines; without it, each machine uses its own clock. `sum_run(run_id)` returns the `RunTotals` of a run, which the
    store keeps with every record; without it, each payment with a limit reads the whole run. A store with `sum_run` also has
    `claim(operation, run_id, totals, known)`. In one step, it saves an operation like `save`. It returns False instead if its
    record is not `known` any more, and raises if given `totals` are not those of the run. Without it, only locks keep two apart.
    """

    def load(self, task_id: str) -> Operation | None:
        """Return the operation with a task id, or None.

        Args:
            task_id: The id of its task (`tsk-…`).
        """
        ...

    def save(self, operation: Operation) -> None:
        """Save an operation and replace the one with the same task id. It must be durable when this returns.

        Args:
            operation: The operation; `to_json()` is its text.
        """
        ...

    def list_by_run(self, run_id: str) -> Sequence[Operation]:
        """Return all operations that count in a run.

        Args:
            run_id: The id of the run.
        """
        ...

    def lock(self, name: str) -> Lock:
        """Return a lock that all users of the store share. The toolkit holds it while an operation is in progress.

        It must become free when its holder dies, and not before its holder releases it. If it can be lost, as in Redis, a small
        risk remains that two processes send the same operation.

        Args:
            name: The name of the lock.
        """
        ...


class MemoryOperationStore:
    """Stores operations in memory, for all toolkits of one process that use this store.

    Example:
        >>> from payman_sdk.agents import MemoryOperationStore
        >>> MemoryOperationStore().list_by_run("monday")
        []
    """

    def __init__(self) -> None:
        # Operations by their task id, and totals by their run, in one dict that a save changes in one step: an interrupt
        # between two would leave one without the other.
        self._kept: dict[str | tuple[str], Operation | RunTotals] = {}
        self._locks: WeakValueDictionary[str, ThreadLock] = WeakValueDictionary()
        self._steps = StepLock()

    def load(self, task_id: str) -> Operation | None:
        """Return the operation with a task id, or None. See `OperationStore`."""
        return self._get(task_id, Operation)

    def save(self, operation: Operation) -> None:
        """Save an operation and replace the one with the same task id. See `OperationStore`."""
        with self._steps.lock:
            before = self._get(operation.task_id, Operation)
            changed: dict[str | tuple[str], Operation | RunTotals] = {operation.task_id: operation}
            for run in {*operation.runs, *(before.runs if before else ())}:
                totals = self._get((run,), RunTotals) or RunTotals()
                changed[(run,)] = totals.replace(run, before, operation)
            self._kept.update(changed)

    def list_by_run(self, run_id: str) -> list[Operation]:
        """Return all operations that count in a run. See `OperationStore`."""
        return [one for one in self._list_operations() if run_id in one.runs]

    def sum_run(self, run_id: str) -> RunTotals:
        """Return the totals of a run."""
        return self._get((run_id,), RunTotals) or RunTotals()

    def lock(self, name: str) -> Lock:
        """Return a lock by its name. See `OperationStore`."""
        with self._steps.lock:
            lock = self._locks.get(name)
            if lock is None:
                lock = self._locks[name] = ThreadLock()
            return lock

    def __repr__(self) -> str:
        return f"<MemoryOperationStore of {len(self._list_operations())} operations>"

    def _get(self, key: str | tuple[str], kind: type[T]) -> T | None:
        found = self._kept.get(key)
        return found if isinstance(found, kind) else None

    def _list_operations(self) -> list[Operation]:
        return [one for one in list(self._kept.values()) if isinstance(one, Operation)]
