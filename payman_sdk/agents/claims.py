"""What this process has counted, so that it notices when a store has forgotten it."""

from __future__ import annotations

from collections.abc import Collection
from weakref import WeakKeyDictionary

from payman_sdk.agents.stores import OperationStore, OperationStoreError

_MOST = 10_000
"""Claims of one store that are remembered. A store loses its newest records, or all of them: the newest claims show either."""


class Claims:
    """The newest claims that this process has saved in one store, each an operation that counts in a run.

    Only who claimed an operation in a run takes it out again, so a claim that is remembered here has to be in the store.
    """

    def __init__(self) -> None:
        # Used by several threads without a lock, which a fork could leave held: single steps of a dict are whole.
        self._claims: dict[tuple[str, str], None] = {}

    def add(self, task_id: str, run_id: str) -> None:
        """Remember a claim that the store has confirmed."""
        self._claims[task_id, run_id] = None
        while len(self._claims) > _MOST:
            self._claims.pop(next(iter(self._claims)), None)

    def remove(self, task_id: str, run_id: str) -> None:
        """Forget a claim that is about to be taken back."""
        self._claims.pop((task_id, run_id), None)

    def list_by_run(self, run_id: str) -> list[str]:
        """Return the task ids that this process has claimed in a run."""
        return [task_id for task_id, run in tuple(self._claims) if run == run_id]

    def check(self, run_id: str, expected: Collection[str], found: Collection[str]) -> None:
        """Refuse to go on where the store has lost a claim.

        Args:
            run_id: The run.
            expected: What `list_by_run` returned before the store was asked.
            found: The task ids that the store counts.

        Raises:
            OperationStoreError: A claim is missing that was not taken back meanwhile.
        """
        for task_id in expected:
            if task_id not in found and (task_id, run_id) in self._claims:
                raise OperationStoreError(
                    f"The operation store has lost an operation that counts in this run, task {task_id}.",
                    next_step="Find out from Payman what was paid, and begin another run.",
                )


_CLAIMS: WeakKeyDictionary[OperationStore, Claims] = WeakKeyDictionary()


def get_claims(store: OperationStore) -> Claims:
    """Return the claims of a store: the same for all toolkits of this process that use the same store object."""
    try:
        return _CLAIMS.setdefault(store, Claims())
    except TypeError:  # a store that cannot be a key; its toolkit remembers for itself
        return Claims()
