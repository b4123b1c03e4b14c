"""What a client needs to know of an operation to send it, and where it records its attempts."""

from __future__ import annotations

from collections.abc import Callable

from attrs import evolve

from payman_sdk.agents.stores import Operation, OperationStore, OperationStoreError


class OperationKey:
    """Tells a client when a claimed operation was sent, and records each of its attempts before that leaves: a `KeyStore` of one key.

    So the record is never older than the last attempt, whenever the process dies.

    Args:
        store: Where the operation is written down.
        clock: The time in seconds since 1970.
        claimed: The operation as it is written down.
        before: When it was sent before it was claimed; None if it was not.
    """

    def __init__(
        self, store: OperationStore, clock: Callable[[], float], claimed: Operation, before: float | None
    ) -> None:
        self.operation = claimed
        self._store = store
        self._clock = clock
        self._before = before

    def load(self, operation: str) -> float | None:
        """Return when the operation was sent before it was claimed."""
        return self._before

    def claim(self, operation: str, sent_at: float, expected: float | None) -> bool:
        """Record that the operation is sent now.

        Raises:
            OperationStoreError: Somebody else has written it down meanwhile, because its lock was lost.
        """
        if self._store.load(self.operation.task_id) != self.operation:
            raise OperationStoreError("Another call has taken up the operation; its lock was lost.")
        sent = evolve(self.operation, sent_at=self._clock())
        self._store.save(sent)
        self.operation = sent
        return True

    def forget(self, operation: str, expected: float) -> None:
        """Do nothing: what did not happen is written down by who claimed it."""
