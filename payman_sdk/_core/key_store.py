"""What records idempotency keys."""

from typing import Protocol, TypeVar, runtime_checkable

from payman_sdk._refusals import describe_type

T = TypeVar("T")


@runtime_checkable
class KeyStore(Protocol):
    """Records when the ask of a key was last sent. Methods may block.

    Asynchronous clients call them in a worker thread, which is left behind at the deadline.
    If a method raises, the ask ends with `KeyStoreError`, and nothing is sent. To write your own store, see `SQLiteKeyStore`.
    """

    def load(self, operation: str) -> float | None:
        """Return when the ask was last sent.

        Args:
            operation: The task id and the server, such as `tsk-… at https://agent.payman.ai`.

        Returns:
            Seconds since 1970, or None without a record.
        """
        ...

    def claim(self, operation: str, sent_at: float, expected: float | None) -> bool:
        """Record that the ask is being sent, if the record still is `expected`.

        Compare and write in one step, among all users of the store. The record must be durable when this returns.

        Args:
            operation: As for `load`.
            sent_at: The time to record, in seconds since 1970.
            expected: The result of the last `load`.

        Returns:
            Whether the record was `expected`, and is `sent_at` now.
        """
        ...

    def forget(self, operation: str, expected: float) -> None:
        """Remove the record, if it still is `expected`: nothing was sent after all.

        Args:
            operation: As for `load`.
            expected: The time that `claim` recorded.
        """
        ...


def check_returned(returned: object, kind: type[T], method: str) -> T:
    """Return what a method of a store returned; raises TypeError for another kind: a coroutine would count as a yes."""
    if not isinstance(returned, kind):
        raise TypeError(f"{method} returned {describe_type(returned)}, not {kind.__name__}")
    return returned
