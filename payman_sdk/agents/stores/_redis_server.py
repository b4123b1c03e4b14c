"""The Redis that operations are kept in: whether it keeps them, what its failures become, and its locks."""

import contextlib
import threading
import weakref
from collections.abc import Callable
from functools import cache
from typing import Any, TypeVar, cast

import redis
from redis.exceptions import LockError

from payman_sdk._io.locks import LayeredLock
from payman_sdk._text.logger import get_logger
from payman_sdk.agents.stores.operation import OperationStoreError
from payman_sdk.token_stores._redis_access import Lease

T = TypeVar("T")

log = get_logger()

_REPLICA_MILLISECONDS = 1000
"""How long a replica may take to confirm what was written."""


class RedisServer:
    def __init__(self, client: redis.Redis, key: str) -> None:
        self._client = client
        self._key = key
        self._is_checked = False

    def call(self, function: Callable[[], T]) -> T:
        """Return what a function returns that asks Redis; raises OperationStoreError."""
        failure: OperationStoreError
        try:
            return function()
        except redis.RedisError as error:
            failure = OperationStoreError(f"{self._key} in Redis cannot be read or written: {error}.")
        raise failure  # out here, it carries no frames of the client's with it, which hold the address

    def wait_for_replicas(self) -> None:
        """Wait until every replica has what was written: whichever of them a failover promotes, it misses nothing that is sent."""
        replicas, client = self._fetch_info()["connected_slaves"], cast("Any", self._client)
        if replicas and self.call(lambda: client.wait(replicas, _REPLICA_MILLISECONDS)) < replicas:
            raise OperationStoreError(
                f"A replica of Redis has not confirmed what was written to {self._key}; a failover could lose it.",
                next_step="Try again when the replica follows, or take it out of service.",
            )

    def check(self) -> None:
        """Refuse a Redis that evicts records, and warn of one that keeps none of them when it ends."""
        if not self._is_checked:
            if not self._fetch_info().get("aof_enabled"):
                _warn_of_loss(self._key)
            self._is_checked = True

    def _fetch_info(self) -> dict[str, Any]:
        """Return what Redis says about itself; refuse one that evicts records, or does not say whether it does."""
        client: Any = self._client

        def read() -> dict[str, Any]:
            try:
                return dict(client.info())
            except redis.ResponseError:  # not permitted, or not known
                return {}

        info = self.call(read)
        policy = info.get("maxmemory_policy") if "connected_slaves" in info else None
        if policy != "noeviction":
            raise OperationStoreError(
                f"Redis has the maxmemory-policy {policy or '(not shown)'}: it may delete operations, and a run would count from zero.",
                next_step="Set maxmemory-policy to noeviction and allow this user INFO, or use another Redis.",
            )
        return info


@cache
def _warn_of_loss(key: str) -> None:  # once in a process
    log.warning(
        "Redis writes no append-only file: when it ends, it forgets the newest of %s, and what runs have counted.",
        key,
    )


LOCK_SECONDS = 30.0
"""After so many seconds Redis frees the lock of a holder that died. One that lives renews its lock three times in that time."""


class RenewedLock(LayeredLock):
    """A `Lock` between machines that lasts as long as its holder's ticket, and a little longer.

    It is an expiring key in one Redis, so two processes can hold it at once: if a live holder does not reach Redis for
    `LOCK_SECONDS`, or if a failover promotes a replica without the key. The record that an operation was sent then stops the
    second holder, if it survived; else only Payman's own look-up of the task remains.
    """

    def __init__(self, client: redis.Redis, name: str, seconds: float = LOCK_SECONDS) -> None:
        self._client = client
        self._name = name
        self._seconds = seconds
        self._held: tuple[Lease, threading.Event] | None = None
        super().__init__()

    def is_in_use(self) -> bool:
        """Return whether the block of its holder goes on."""
        return (holder := self._holder) is not None and not holder.has_run_out()

    def _take_outer(self, timeout: float) -> bool:
        self._drop_outer()  # a thread that was interrupted may have left it behind
        try:
            lease = Lease.acquire(
                self._client, self._name, seconds=self._seconds, timeout=timeout, unanswered=[]
            )
        except redis.RedisError as error:
            raise OperationStoreError(
                f"The lock {self._name} in Redis cannot be taken: {error}.",
                next_step=getattr(error, "next_step", ""),
            ) from error
        if lease is not None:
            let_go = threading.Event()
            self._held = lease, let_go
            renewal = weakref.ref(self), lease, let_go, self._seconds / 3
            threading.Thread(target=_renew, args=renewal, daemon=True).start()
        return lease is not None

    def _drop_outer(self) -> None:
        """Release the lease; one that was lost belongs to another holder and stays theirs."""
        held, self._held = self._held, None
        if held is not None:
            lease, let_go = held
            let_go.set()
            with contextlib.suppress(redis.RedisError):  # it expires anyway
                lease.release()

    def _forget_outer(self) -> None:
        self._held = None


def _renew(find: weakref.ref[RenewedLock], lease: Lease, let_go: threading.Event, pause: float) -> None:
    """Renew a lease until it is released. An interrupted holder may never release it: its lock is gone then, or not in use."""
    while not let_go.wait(pause) and (lock := find()) is not None and lock.is_in_use():
        del lock
        try:
            lease.reacquire()
        except LockError:
            return  # somebody else's
        except redis.RedisError:
            continue  # Redis may be back before the lock expires
