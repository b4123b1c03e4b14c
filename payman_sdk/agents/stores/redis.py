"""Operations in Redis, for processes on many machines. Needs the extra `redis`."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from typing import Any, TypeVar

from payman_sdk.agents.stores import Operation, OperationStoreError
from payman_sdk.errors import ConfigurationError
from payman_sdk.flows import Lock
from payman_sdk.secrecy import as_secret

try:
    import redis
    from redis.exceptions import LockError
except ImportError as error:
    raise ConfigurationError(
        "Keeping operations in Redis needs redis.", next_step="pip install 'paymanai-sdk[redis]'"
    ) from error

from payman_sdk.auth.stores.redis_access import Lease, checked_name, client_of, escaped

T = TypeVar("T")

LOCK_SECONDS = 30.0
"""After so many seconds Redis frees the lock of a holder that died. One that lives renews its lock three times in that time."""


class RenewedLock:
    """A `Lock` between machines that lives as long as its holder, and a little longer.

    A holder that Redis does not hear of for `LOCK_SECONDS`, and that lives all the same, loses the lock, and another may take it. What
    both do then is still one payment: the name of the operation is the idempotency key of its ask.
    """

    def __init__(self, client: redis.Redis, name: str, seconds: float = LOCK_SECONDS) -> None:
        self._client = client
        self._name = name
        self._seconds = seconds
        self._held: tuple[Lease, threading.Event] | None = None

    def acquire(self, *, timeout: float) -> bool:
        """Waits so many seconds for the lock; 0 only tries. Returns whether it is held now."""
        try:
            lease = Lease.taken(self._client, self._name, seconds=self._seconds, timeout=timeout)
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
        """Gives the lock back; one that was lost is somebody else's by now and stays theirs."""
        held, self._held = self._held, None
        if held is not None:
            lease, let_go = held
            let_go.set()
            with contextlib.suppress(redis.RedisError):  # it expires by itself
                lease.release()

    def _renew(self, lease: Lease, let_go: threading.Event) -> None:
        while not let_go.wait(self._seconds / 3):
            try:
                lease.reacquire()
            except LockError:
                return  # somebody else's
            except redis.RedisError:
                continue  # Redis may be back before the lock expires


class RedisOperationStore:
    """Keeps operations in Redis, for any number of processes and machines. They last as long as Redis keeps them: let it write to a disk.

    Args:
        redis_client: A `redis.Redis`, or the URL of a server: `rediss://…`, `unix://…`, or `redis://…` for this machine.
        name: Tells the operations of several accounts apart.
        allow_plaintext: Whether operations may cross a network unencrypted, to a server of another machine without TLS.

    Raises:
        ConfigurationError: `redis_client` is neither, or would reach another machine without TLS.

    Example:
        >>> from payman_sdk.agents.stores.redis import RedisOperationStore
        >>> store = RedisOperationStore("redis://localhost:6379/0", name="shop")
    """

    def __init__(
        self, redis_client: redis.Redis | str, *, name: str = "default", allow_plaintext: bool = False
    ) -> None:
        redis_client = as_secret(redis_client)  # a URL may hold a password
        self._key = f"payman:operations:{checked_name(name)}"
        self._client = client_of(redis_client, allow_plaintext=allow_plaintext)

    def load(self, task_id: str) -> Operation | None:
        """The operation with that task id, None if there is none.

        Raises:
            OperationStoreError: Redis cannot be asked, or what it holds is damaged.
        """
        found: Any = self._asked(lambda: self._client.hget(self._key, task_id))
        return None if found is None else Operation.from_json(found, f"{self._key} in Redis")

    def save(self, operation: Operation) -> None:
        """Keeps an operation in place of the one with the same task id.

        Raises:
            OperationStoreError: Redis refuses.
        """
        before = self.load(operation.task_id)

        def written() -> None:
            with self._client.pipeline() as pipeline:  # pyright: ignore[reportUnknownMemberType] # untyped there
                pipeline.hset(self._key, operation.task_id, operation.to_json())
                for run_id in set(before.runs if before else ()) - set(operation.runs):
                    pipeline.srem(self._run(run_id), operation.task_id)
                for run_id in operation.runs:
                    pipeline.sadd(self._run(run_id), operation.task_id)
                pipeline.execute()

        self._asked(written)

    def of_run(self, run_id: str) -> list[Operation]:
        """The operations that count in a run.

        Raises:
            OperationStoreError: Redis cannot be asked, or what it holds is damaged.
        """
        keys: Any = self._asked(lambda: self._client.smembers(self._run(run_id)))
        found: Any = self._asked(lambda: self._client.hmget(self._key, sorted(keys))) if keys else []
        return [Operation.from_json(one, f"{self._key} in Redis") for one in found if one is not None]

    def lock(self, name: str) -> Lock:
        """The lock of that name in Redis."""
        return RenewedLock(self._client, f"{self._key}:lock:{escaped(name)}")

    def __repr__(self) -> str:
        return f"<RedisOperationStore {getattr(self, '_key', '')}>"

    def _run(self, run_id: str) -> str:
        return f"{self._key}:run:{escaped(run_id)}"

    def _asked(self, function: Callable[[], T]) -> T:
        failure: OperationStoreError
        try:
            return function()
        except redis.RedisError as error:
            failure = OperationStoreError(f"{self._key} in Redis cannot be read or written: {error}.")
        raise failure  # out here, it carries no frames of the client's with it, which hold the address
