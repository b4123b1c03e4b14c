"""Which transactions have proven an outcome, so that none proves two payments."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from payman_sdk._core.payment_types import Transaction

_MOST = 10_000
"""Transactions that are remembered. A transaction that is older than a payment proves nothing for it, so older ones may be forgotten."""


class Proofs:
    """The transactions that name no task and have proven an outcome, and the task of the payment that each has proven."""

    def __init__(self) -> None:
        self._tasks: dict[str, str] = {}

    def is_taken(self, transaction_id: str, task_id: str) -> bool:
        """Return whether a transaction has proven a payment of another task."""
        return self._tasks.get(transaction_id, task_id) != task_id

    def take(self, transaction: Transaction, task_id: str) -> bool:
        """Have a transaction prove the payment of a task; return whether it does, which of two threads only one is answered."""
        if transaction.task_id is not None or transaction.id is None:
            return transaction.task_id == task_id
        is_taken = self._tasks.setdefault(transaction.id, task_id) != task_id
        while len(self._tasks) > _MOST:
            self._tasks.pop(next(iter(self._tasks)), None)
        return not is_taken
