"""Operations in Redis, for processes on many machines. Needs the extra `redis`."""

from __future__ import annotations

import contextlib
import secrets
import threading
from collections.abc import Callable
from functools import cache
from typing import Any, TypeVar

from payman_sdk._core.effects import Lock
from payman_sdk._secrets import to_secret
from payman_sdk._text.logger import get_logger
from payman_sdk.agents.stores import Operation, OperationStoreError
from payman_sdk.errors import ConfigurationError

try:
    import redis
    from redis.exceptions import LockError
except ImportError as error:
    raise ConfigurationError(
        "Keeping operations in Redis needs redis.", next_step="pip install 'paymanai-sdk[redis]'"
    ) from error

from payman_sdk.token_stores._redis_access import check_name, escape, get_client
from payman_sdk.token_stores._redis_lease import Lease

T = TypeVar("T")

log = get_logger()

LOCK_SECONDS = 30.0
"""After so many seconds Redis frees the lock of a holder that died. One that lives renews its lock three times in that time."""


_INCARNATION = "incarnation"
"""A field of the hash of the records, and the end of a key that repeats it; both are made once, with the first record.

The hash also holds the size of the set of each run, so that whichever key vanishes, another misses it.
"""


class RenewedLock:
    """A `Lock` between machines that lives as long as its holder, and a little longer.

    It promises less than a lock of one machine. It is a key of one Redis that expires. Two can hold it at once where a holder lives
    but does not reach Redis for `LOCK_SECONDS` (a partition, a paused process or machine), and where a failover promotes a
    replica that had not received the key. The record that says that an operation was sent then keeps the second holder from sending
    it, as long as that record survived, and the count of a run is compared in one step with each claim. Where the record is lost
    too, only Payman's own look-up of the task is left.
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
    """Keeps operations in Redis, for any number of processes and machines.

    They last as long as Redis keeps them, so it has to keep them: a `maxmemory-policy` other than `noeviction` is refused. Where one of
    the keys vanishes, every process refuses from then on. Where all of them vanish at once (a Redis that restarts empty), or a
    failover loses the newest writes, the processes that have used the store refuse; one that starts afterwards cannot know, and
    takes the store for a new one. Give Redis an append-only file, and replicas that are waited for, where that must not happen.

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
        redis_client = to_secret(redis_client)  # a URL may hold a password
        self._key = f"payman:operations:{check_name(name)}"
        self._mark = f"{self._key}:{_INCARNATION}"
        self._client = get_client(redis_client, allow_plaintext=allow_plaintext)
        self._incarnation: str | None = None  # as this process has seen it
        self._is_checked = False

    def load(self, task_id: str) -> Operation | None:
        """Return the operation with that task id, None if there is none.

        Raises:
            OperationStoreError: Redis cannot be asked, or what it holds is damaged or has been lost.
        """
        [found] = self._read([task_id])
        return None if found is None else Operation.from_json(found, f"{self._key} in Redis")

    def save(self, operation: Operation) -> None:
        """Keep an operation in place of the one with the same task id.

        Raises:
            OperationStoreError: Redis refuses, or has lost records.
        """
        self._write(operation)

    def claim(self, operation: Operation, run_id: str, counted: int) -> None:
        """Keep an operation that counts in a run, if that run counts so many operations until now.

        Raises:
            OperationStoreError: Redis refuses or has lost records, or the run counts another number by now.
        """
        self._write(operation, run_id, counted)

    def list_by_run(self, run_id: str) -> list[Operation]:
        """Return the operations that count in a run.

        Raises:
            OperationStoreError: Redis cannot be asked, or what it holds is damaged or has been lost.
        """
        header, members = self._read([_make_header_field(run_id)], run_id)
        if header is not None and int(header) != len(members):
            raise self._make_loss_error()
        if not members:
            return []
        # A record that is missing reads as a damaged one: it must not count for nothing.
        return [
            Operation.from_json(one or "", f"{self._key} in Redis") for one in self._read(sorted(members))
        ]

    def now(self) -> float:
        """Return the time by the clock of Redis, in seconds since 1970.

        Raises:
            OperationStoreError: Redis cannot be asked.
        """
        client: Any = self._client
        seconds, millionths = self._call_redis(lambda: client.time())
        return float(seconds) + float(millionths) / 1_000_000

    def lock(self, name: str) -> Lock:
        """Return the lock of that name in Redis."""
        return RenewedLock(self._client, f"{self._key}:lock:{escape(name)}")

    def __repr__(self) -> str:
        return f"<RedisOperationStore {getattr(self, '_key', '')}>"

    def _make_run_key(self, run_id: str) -> str:
        return f"{self._key}:run:{escape(run_id)}"

    def _read(self, names: list[str], run_id: str | None = None) -> list[Any]:
        """Read fields of the hash, and behind them the members of a run, all at one instant."""

        def read() -> list[Any]:
            with self._client.pipeline() as pipeline:  # pyright: ignore[reportUnknownMemberType] # untyped there
                pipeline.get(self._mark)
                pipeline.hmget(self._key, [_INCARNATION, *names])
                if run_id is not None:
                    pipeline.smembers(self._make_run_key(run_id))
                return pipeline.execute()

        self._check_server()
        mark, [incarnation, *found], *members = self._call_redis(read)
        self._verify(mark, incarnation)
        return [*found, *members]

    def _verify(self, mark: bytes | str | None, incarnation: bytes | str | None) -> str | None:
        """Return which store this is, None for a new one, and one of an earlier version; refuse where a part of it is missing."""
        if mark != incarnation or self._incarnation not in (None, _decode_text(incarnation)):
            raise self._make_loss_error()
        self._incarnation = _decode_text(incarnation)
        return self._incarnation

    def _write(self, operation: Operation, run_id: str | None = None, counted: int | None = None) -> None:
        """Write a record and the runs that it counts in, in one step; not where something is missing, or a run counts another number."""
        before, joined = self.load(operation.task_id), set(operation.runs)
        changed = joined.symmetric_difference(before.runs if before else ()).union([run_id] if run_id else ())

        def write(pipe: Any) -> str:
            incarnation = self._verify(pipe.get(self._mark), pipe.hget(self._key, _INCARNATION))
            sizes = {run: pipe.scard(self._make_run_key(run)) for run in changed}
            for run, size in sizes.items():
                header = pipe.hget(self._key, _make_header_field(run))
                if (header is not None and int(header) != size) or (size and not pipe.exists(self._key)):
                    raise self._make_loss_error()
                sizes[run] += (run in joined) - pipe.sismember(self._make_run_key(run), operation.task_id)
                if run == run_id and size != counted:
                    raise OperationStoreError(
                        f"Another process has counted in the run meanwhile, though {self._key} in Redis was locked."
                    )
            pipe.multi()
            if incarnation is None:
                incarnation = secrets.token_hex(16)
                pipe.set(self._mark, incarnation)
                pipe.hset(self._key, _INCARNATION, incarnation)
            pipe.hset(self._key, operation.task_id, operation.to_json())
            for run, size in sizes.items():
                (pipe.sadd if run in joined else pipe.srem)(self._make_run_key(run), operation.task_id)
                pipe.hset(self._key, _make_header_field(run), size)
            return incarnation

        client: Any = self._client
        watched = [
            self._mark,
            *map(self._make_run_key, changed),
        ]  # whoever changes one of them makes it begin anew
        self._incarnation = self._call_redis(
            lambda: client.transaction(write, *watched, value_from_callable=True)
        )

    def _check_server(self) -> None:
        """Refuse a Redis that evicts records, and warn of one that keeps none of them when it ends."""
        if self._is_checked:
            return
        policy = self._fetch_info("memory").get("maxmemory_policy", "noeviction")
        if policy != "noeviction":
            raise OperationStoreError(
                f"Redis has the maxmemory-policy {policy}: it may throw operations away, and a run would count anew.",
                next_step="Set maxmemory-policy to noeviction, or use another Redis.",
            )
        if not self._fetch_info("persistence").get("aof_enabled", 1):
            _warn_of_loss(self._key)
        self._is_checked = True

    def _fetch_info(self, section: str) -> dict[str, Any]:
        """Return what Redis says about itself; nothing where asking is not permitted."""
        client: Any = self._client

        def read() -> dict[str, Any]:
            try:
                return dict(client.info(section))
            except redis.ResponseError:  # not permitted, or not known
                return {}

        return self._call_redis(read)

    def _make_loss_error(self) -> OperationStoreError:
        return OperationStoreError(
            f"{self._key} in Redis has lost operations: it was emptied, restarted or ran out of memory.",
            next_step="Find out from Payman what was paid. Then begin another run, in a store of another name.",
        )

    def _call_redis(self, function: Callable[[], T]) -> T:
        failure: OperationStoreError
        try:
            return function()
        except redis.RedisError as error:
            failure = OperationStoreError(f"{self._key} in Redis cannot be read or written: {error}.")
        raise failure  # out here, it carries no frames of the client's with it, which hold the address


@cache
def _warn_of_loss(key: str) -> None:  # once in a process
    log.warning(
        "Redis writes no append-only file: when it ends, it forgets the newest of %s, and what runs have counted.",
        key,
    )


def _make_header_field(run_id: str) -> str:
    """Return the field that holds how many operations a run counts."""
    return f"run {run_id}"


def _decode_text(given: bytes | str | None) -> str | None:
    return given.decode() if isinstance(given, bytes) else given
