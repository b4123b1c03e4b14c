"""Operations in Redis, for processes on many machines. Needs the extra `redis`."""

import secrets
from collections.abc import Callable, Iterable
from typing import Any

from payman_sdk._core.effects import Lock
from payman_sdk._io.token_store_access import check_name
from payman_sdk._refusals import build_missing_error
from payman_sdk._secrets import to_secret
from payman_sdk.agents.stores.operation import Operation, OperationStoreError, RunTotals, TotalsChangedError

try:
    import redis
except ImportError as error:
    raise build_missing_error("RedisOperationStore needs redis", "redis") from error

from payman_sdk.agents.stores._redis_server import RedisServer, RenewedLock
from payman_sdk.token_stores._redis_access import decode_text, escape, get_client

_INCARNATION = "incarnation"
"""A field of the hash of the records, and the end of a key that repeats it; both are made once, with the first record.

Each run has a set of its members and a text of its totals, which the hash repeats: whichever key vanishes, another misses it.
"""


class _OvertakenError(Exception):
    """Another process has just written the same operation."""


class RedisOperationStore:
    """Keeps operations in Redis, for any number of processes and machines.

    Redis must keep every key, so the store refuses a `maxmemory-policy` other than `noeviction`. Its user needs `INFO`. If one of the
    keys is missing, every process refuses from then on. A write counts once every connected replica has confirmed it. If Redis
    restarts empty, or loses writes in a failover, only processes that have used the store notice and refuse. To prevent that, give
    Redis an append-only file and `min-replicas-to-write`, or use PostgreSQL.

    Args:
        redis_client: A `redis.Redis`, or the URL of a server: `rediss://…`, `unix://…`, or `redis://…` for this machine.
        name: Separates the operations of several accounts.
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
        self._key = f"payman:operations:{escape(check_name(name))}"
        self._mark = f"{self._key}:{_INCARNATION}"
        self._client = get_client(redis_client, allow_plaintext=allow_plaintext)
        self._incarnation: str | None = None  # as this process has seen it
        self._server = RedisServer(self._client, self._key)

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

    def claim(
        self, operation: Operation, run_id: str, totals: RunTotals | None, *known: Operation | None
    ) -> bool:
        """Keep an operation in place of `known`, if a run counts these totals until now. Return False where it is another by now.

        Raises:
            OperationStoreError: Redis refuses or has lost records, or the run counts something else by now.
        """
        return self._write(operation, None if totals is None else run_id, totals, *known)

    def list_by_run(self, run_id: str) -> list[Operation]:
        """Return the operations that count in a run.

        Raises:
            OperationStoreError: Redis cannot be asked, or what it holds is damaged or has been lost.
        """
        header, totals, size, members = self._read_run(run_id, lists=True)
        self._parse_totals(header, totals, size)
        return self._load_all(members)

    def sum_run(self, run_id: str) -> RunTotals:
        """Return what a run counts.

        Raises:
            OperationStoreError: Redis cannot be asked, or what it holds is damaged or has been lost.
        """
        header, text, size, _ = self._read_run(run_id, lists=False)
        totals = self._parse_totals(header, text, size)
        return RunTotals.of(self.list_by_run(run_id)) if totals is None else totals

    def now(self) -> float:
        """Return the time by the clock of Redis, in seconds since 1970.

        Raises:
            OperationStoreError: Redis cannot be asked.
        """
        client: Any = self._client
        seconds, millionths = self._server.call(lambda: client.time())
        return float(seconds) + float(millionths) / 1_000_000

    def lock(self, name: str) -> Lock:
        """Return the lock of that name in Redis."""
        return RenewedLock(self._client, f"{self._key}:lock:{escape(name)}")

    def __repr__(self) -> str:
        return f"<RedisOperationStore {getattr(self, '_key', '')}>"

    def _make_run_keys(self, run_id: str) -> tuple[str, str]:
        key = f"{self._key}:run:{escape(run_id)}"
        return key, f"{key}:totals"

    def _read(self, names: list[str], *more: Callable[[Any], object]) -> list[Any]:
        """Read fields of the hash, and behind them whatever else is asked of Redis, all at one instant."""

        def read() -> list[Any]:
            with self._client.pipeline() as pipeline:  # pyright: ignore[reportUnknownMemberType] # untyped there
                pipeline.get(self._mark)
                pipeline.hmget(self._key, [_INCARNATION, *names])
                for ask in more:
                    ask(pipeline)
                return pipeline.execute()

        self._server.check()
        mark, [incarnation, *found], *others = self._server.call(read)
        self._verify(mark, incarnation)
        return [*found, *others]

    def _read_run(self, run_id: str, *, lists: bool) -> list[Any]:
        """Return what the hash says of a run, its totals, how many members it has, and if wanted which."""
        members, totals = self._make_run_keys(run_id)
        return self._read(
            [_make_header_field(run_id)],
            lambda pipe: pipe.get(totals),
            lambda pipe: pipe.scard(members),
            lambda pipe: pipe.smembers(members) if lists else pipe.exists(members),
        )

    def _parse_totals(self, header: Any, text: Any, size: int) -> RunTotals | None:
        """Return what a run counts; None for one of an earlier version. Refuse where a part of it is missing."""
        if text is None and (decode_text(header) or "0").isdecimal():
            if int(header or size) != size:
                raise self._make_loss_error()
            return None if size else RunTotals()
        totals = RunTotals.from_json(text or "", f"{self._key} in Redis") if text == header else None
        if totals is None or totals.members != size:
            raise self._make_loss_error()
        return totals

    def _load_all(self, task_ids: Iterable[Any], pipe: Any = None) -> list[Operation]:
        names = sorted(task_ids)
        if not names:
            return []
        found = self._read(names) if pipe is None else pipe.hmget(self._key, names)
        # A record that is missing reads as a damaged one: it must not count for nothing.
        return [Operation.from_json(one or "", f"{self._key} in Redis") for one in found]

    def _verify(self, mark: bytes | str | None, incarnation: bytes | str | None) -> str | None:
        """Return which store this is, None for a new one, and one of an earlier version; refuse where a part of it is missing."""
        if mark != incarnation or self._incarnation not in (None, decode_text(incarnation)):
            raise self._make_loss_error()
        self._incarnation = decode_text(incarnation)
        return self._incarnation

    def _write(
        self,
        operation: Operation,
        run_id: str | None = None,
        expected: RunTotals | None = None,
        *known: Operation | None,
    ) -> bool:
        """Write a record and the totals that it changes, in one step; not where something is missing, or a run has other totals."""
        task_id, before = operation.task_id, self.load(operation.task_id)
        if known and before not in known:
            return False
        runs = {*operation.runs, *(before.runs if before else ()), *([run_id] if run_id else [])}
        changed = [run for run in runs if run == run_id or RunTotals.is_changed(run, before, operation)]
        keys = {run: self._make_run_keys(run) for run in changed}

        def write(pipe: Any) -> str:
            try:
                return change(pipe)
            except OperationStoreError:
                pipe.multi()
                pipe.execute()  # raises WatchError if another has written between two reads: then all is read again
                raise

        def change(pipe: Any) -> str:
            fields = [_INCARNATION, task_id, *map(_make_header_field, keys)]
            found, record, *headers = pipe.hmget(self._key, fields)
            incarnation = self._verify(pipe.get(self._mark), found)
            if before != (None if record is None else Operation.from_json(record, self._key)):
                raise _OvertakenError
            new: dict[str, str] = {}
            for (run, (members, place)), header in zip(keys.items(), headers, strict=True):
                totals = self._parse_totals(header, pipe.get(place), pipe.scard(members))
                if totals is None:
                    totals = RunTotals.of(self._load_all(pipe.smembers(members), pipe))
                if run == run_id and totals != expected:
                    raise TotalsChangedError(
                        f"Another process has changed the totals of the run, although {self._key} in Redis was locked."
                    )
                new[run] = totals.replace(run, before, operation).to_json()
            pipe.multi()
            if incarnation is None:
                incarnation = secrets.token_hex(16)
                pipe.set(self._mark, incarnation)
                pipe.hset(self._key, _INCARNATION, incarnation)
            pipe.hset(self._key, task_id, operation.to_json())
            for run, text in new.items():
                members, place = keys[run]
                (pipe.sadd if run in operation.runs else pipe.srem)(members, task_id)
                pipe.set(place, text)
                pipe.hset(self._key, _make_header_field(run), text)
            return incarnation

        client: Any = self._client
        watched = [self._mark, *(key for pair in keys.values() for key in pair)]
        try:  # a change of one of them restarts the transaction
            self._incarnation = self._server.call(
                lambda: client.transaction(write, *watched, value_from_callable=True)
            )
        except _OvertakenError:
            return self._write(operation, run_id, expected, *known)
        self._server.wait_for_replicas()
        return True

    def _make_loss_error(self) -> OperationStoreError:
        return OperationStoreError(
            f"{self._key} in Redis has lost operations: it was emptied, restarted or ran out of memory.",
            next_step="Find out from Payman what was paid. Then begin another run, in a store of another name.",
        )


def _make_header_field(run_id: str) -> str:
    """Return the field that holds how many operations a run counts."""
    return f"run {run_id}"
