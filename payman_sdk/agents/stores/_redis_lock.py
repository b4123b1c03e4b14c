"""A lock in Redis that lives as long as its holder."""

from __future__ import annotations

import contextlib
import threading

import redis
from redis.exceptions import LockError

from payman_sdk.agents.stores.operation import OperationStoreError
from payman_sdk.token_stores._redis_lease import Lease

LOCK_SECONDS = 30.0
"""After so many seconds Redis frees the lock of a holder that died. One that lives renews its lock three times in that time."""


class RenewedLock:
    """A `Lock` between machines that lives as long as its holder, and a little longer.

    It promises less than a lock on one machine, because it is an expiring key in one Redis. Two processes can hold it at once in
    two cases. A live holder does not reach Redis for `LOCK_SECONDS` (a partition, a paused process or machine). Or a failover
    promotes a replica that has not received the key. The record that an operation was sent then stops the second holder, if it
    survived. If it is lost too, only Payman's own look-up of the task remains.
    """

    def __init__(self, client: redis.Redis, name: str, seconds: float = LOCK_SECONDS) -> None:
        self._client = client
        self._name = name
        self._seconds = seconds
        self._held: tuple[Lease, threading.Event] | None = None

    def acquire(self, *, timeout: float) -> bool:
        """Wait so many seconds for the lock, and return whether it is held; 0 only tries."""
        try:
            lease = Lease.acquire(self._client, self._name, seconds=self._seconds, timeout=timeout)
        except redis.RedisError as error:
            raise OperationStoreError(
                f"The lock {self._name} in Redis cannot be taken: {error}.",
                next_step=getattr(error, "next_step", ""),
            ) from error
        if lease is not None:
            let_go = threading.Event()
            self._held = lease, let_go
            threading.Thread(target=self._renew, args=(lease, let_go), daemon=True).start()
        return lease is not None

    def release(self) -> None:
        """Release the lock; one that was lost belongs to another holder and stays theirs."""
        held, self._held = self._held, None
        if held is not None:
            lease, let_go = held
            let_go.set()
            with contextlib.suppress(redis.RedisError):  # it expires anyway
                lease.release()

    def _renew(self, lease: Lease, let_go: threading.Event) -> None:
        while not let_go.wait(self._seconds / 3):
            try:
                lease.reacquire()
            except LockError:
                return  # somebody else's
            except redis.RedisError:
                continue  # Redis may be back before the lock expires
