"""What a client needs to know of an operation to send it, and where it records its attempts."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from attrs import evolve

from payman_sdk._core.exchange import KeyStore
from payman_sdk._io.key_store import open_default_store
from payman_sdk._text.logger import get_logger
from payman_sdk.agents.claims import replace
from payman_sdk.agents.stores import Operation, OperationStore, OperationStoreError

T = TypeVar("T")

log = get_logger()


class OperationKey:
    """The `KeyStore` of one claimed operation, in the store of operations and in the client's own key store.

    The client records each attempt here before it sends it. So even if the process dies, the record of the operation is never
    older than its last attempt. The client's own key store also knows asks with the same key that were made without a toolkit.

    Args:
        store: Where the operation is written down.
        clock: The time in seconds since 1970.
        claimed: The operation as it is written down.
        before: When it was sent before it was claimed; None if it was not.
        keys: The client's own key store; None for the one of this user, which is left out where it cannot be used.

    Attributes:
        operation: The operation as it is written down now.
    """

    def __init__(
        self,
        store: OperationStore,
        clock: Callable[[], float],
        claimed: Operation,
        before: float | None,
        keys: KeyStore | None,
    ) -> None:
        self.operation = claimed
        self._store = store
        self._clock = clock
        self._before = before
        self._keys = keys
        self._is_default = keys is None
        self._recorded: float | None = None

    def load(self, operation: str) -> float | None:
        """Return when the operation was last sent before it was claimed, by whichever store knows."""
        if self._is_default and self._keys is None:
            self._keys = open_default_store()
        self._recorded = self._consult(lambda keys: keys.load(operation), None)
        return max((at for at in (self._before, self._recorded) if at is not None), default=None)

    def claim(self, operation: str, sent_at: float, expected: float | None) -> bool:
        """Record that the operation is sent now; return False where an ask without a toolkit was sent meanwhile.

        Raises:
            OperationStoreError: Somebody else has written the operation down meanwhile, because its lock was lost.
        """
        if not self._consult(lambda keys: keys.claim(operation, sent_at, self._recorded), True):
            return False
        self._recorded = sent_at
        sent = evolve(self.operation, sent_at=self._clock())
        if not replace(self._store, self.operation, sent):
            raise OperationStoreError("Another call has taken over the operation, because its lock was lost.")
        self.operation = sent
        return True

    def forget(self, operation: str, expected: float) -> None:
        """Remove what the client's own key store recorded; the operation itself is written down by who claimed it."""
        self._consult(lambda keys: keys.forget(operation, expected), None)

    def _consult(self, ask: Callable[[KeyStore], T], otherwise: T) -> T:
        if self._keys is None:
            return otherwise
        try:
            return ask(self._keys)
        except Exception as error:
            if not self._is_default:
                raise
            log.warning("Cannot use this user's key store beside the operation store: %s", error)
            self._keys, self._is_default = None, False
            return otherwise
