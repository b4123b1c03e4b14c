"""Where asks with an idempotency key are recorded, as flows see it."""

from __future__ import annotations

from typing import Protocol


class KeyStore(Protocol):
    """Records when the ask of a key was last sent. Methods may block; asynchronous clients call them in a worker thread.

    An operation is named by the id of its task and the server: `tsk-… at https://agent.payman.ai`. What a store raises ends the ask with
    `KeyStoreError`; nothing is sent then.
    """

    def load(self, operation: str) -> float | None:
        """Return when the ask was last sent, in seconds since 1970; None if no record says so."""
        ...

    def claim(self, operation: str, sent_at: float, expected: float | None) -> bool:
        """Record that the ask is sent at this time, if the record still is `expected`; return whether it was.

        The comparison and the write are one step, among all who share the store. The record is durable when this returns.
        """
        ...

    def forget(self, operation: str, expected: float) -> None:
        """Remove the record, if it still is `expected`: nothing was sent after all."""
        ...
