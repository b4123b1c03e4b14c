"""Stores that have lost records, or may lose them: they refuse rather than count anew."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis as redis_library
from attrs import evolve

from payman_sdk import PaymanClient
from payman_sdk.agents import Operation, OperationStoreError, PaymanToolkit, SpendingLimit
from payman_sdk.agents.stores import RunTotals
from payman_sdk.agents.stores.redis import RedisOperationStore
from payman_sdk.agents.stores.sqlite import SQLiteOperationStore
from payman_sdk.sandbox import Sandbox

pytestmark = pytest.mark.slow


OLD_TOTALS = "[1, 1, 1, 1, {}]"
ACCOUNT = "pm-1 at https://example.com"
FIRST, SECOND, OTHER = (
    Operation(task_id=f"tsk-{name}", account=ACCOUNT, stage="sent", runs=["monday"], sent_at=1000.5)
    for name in ("1", "2", "3")
)


@pytest.fixture
def server(redis_url: str) -> Iterator[redis_library.Redis]:
    with redis_library.Redis.from_url(redis_url) as server:
        yield server


def is_refused(use: Callable[..., object], *arguments: object) -> bool:
    try:
        use(*arguments)
    except OperationStoreError:
        return True
    return False


def test_redis_refuses_where_it_has_lost_records(
    redis_url: str, server: redis_library.Redis, tmp_path: Path
) -> None:
    """Whatever vanishes, a process that has used the store counts nothing anew, and one that starts afterwards notices unless all is gone."""
    key = f"payman:operations:{tmp_path.name}"
    run, mark, totals = f"{key}:run:monday", f"{key}:incarnation", f"{key}:run:monday:totals"
    losses: dict[str, tuple[Callable[[], object], bool]] = {
        "nothing": (lambda: None, False),
        "the hash of the records": (lambda: server.delete(key), True),
        "the set of the run": (lambda: server.delete(run), True),
        "the totals of the run": (lambda: server.delete(totals), True),
        "the newest totals": (lambda: server.set(totals, OLD_TOTALS), True),
        "the mark": (lambda: server.delete(mark), True),
        "a member of the run": (lambda: server.srem(run, "tsk-1"), True),
        "a record": (lambda: server.hdel(key, "tsk-1"), True),
        "the mark and the hash": (lambda: server.delete(mark, key), True),
        "the mark and the set": (lambda: server.delete(mark, run), True),
        "the hash and the set": (lambda: server.delete(key, run), True),
        "all of the run but its records": (lambda: server.delete(run, totals), True),
        "all but the totals": (lambda: server.delete(key, run, mark), True),
        "everything": (lambda: server.delete(key, run, mark, totals), False),
    }
    for name, (lose, is_noticed_anew) in losses.items():
        server.delete(key, run, mark, totals)
        living = RedisOperationStore(redis_url, name=tmp_path.name)
        for operation in (FIRST, SECOND):
            living.claim(operation, "monday", living.sum_run("monday"))
        lose()
        anew = RedisOperationStore(redis_url, name=tmp_path.name)
        for read in ("list_by_run", "sum_run"):
            # A missing record still counts in the totals.
            is_noticed = name != "a record" or read == "list_by_run"
            assert is_refused(getattr(anew, read), "monday") is (is_noticed_anew and is_noticed), name
            assert is_refused(getattr(living, read), "monday") is (name != "nothing" and is_noticed), name
        if is_noticed_anew and name != "a record":
            assert is_refused(anew.save, OTHER), name


def test_a_run_in_a_redis_that_went_back_in_time(
    redis_url: str, server: redis_library.Redis, tmp_path: Path, client: PaymanClient, sandbox: Sandbox
) -> None:
    """After a failover that lost the newest write, or a restart that lost all, a process pays nothing in a run that it has used."""
    for name in ("a failover", "a restart"):
        store = RedisOperationStore(redis_url, name=f"{tmp_path.name} {name}")
        run: dict[str, Any] = {"run_id": "monday", "limit": SpendingLimit(max_payments=2), "store": store}
        toolkit = PaymanToolkit(client, **run)
        assert toolkit.pay("Test Payee", "10", "TSD", operation=f"{name}-1").status == "paid"
        kept = {
            key: server.dump(key) for key in server.scan_iter(f"payman:operations:{tmp_path.name} {name}*")
        }
        assert toolkit.pay("Test Payee", "10", "TSD", operation=f"{name}-2").status == "paid"
        server.delete(*server.scan_iter(f"payman:operations:{tmp_path.name} {name}*"))
        for key, value in kept.items() if name == "a failover" else ():
            server.restore(key, 0, value)  # type: ignore[arg-type]
        before = len(sandbox.payments)
        for paying in (toolkit, PaymanToolkit(client, **run)):
            result = paying.pay("Test Payee", "10", "TSD", operation=f"{name}-3")
            assert (result.status, "has lost" in result.text) == ("not-sent", True), name
        assert len(sandbox.payments) == before, name


def test_redis_counts_and_claims_in_one_step(redis_url: str, tmp_path: Path) -> None:
    """A claim that was counted before another was saved is refused, though the lock of the run was lost; a claim again counts once."""
    one, other = (RedisOperationStore(redis_url, name=tmp_path.name) for _ in range(2))
    one.claim(FIRST, "monday", RunTotals())
    with pytest.raises(OperationStoreError, match="changed the totals of the run"):
        other.claim(SECOND, "monday", RunTotals())
    one.claim(FIRST, "monday", one.sum_run("monday"))
    with redis_library.Redis.from_url(redis_url, decode_responses=True) as decoding:
        assert RedisOperationStore(decoding, name=tmp_path.name).list_by_run("monday") == [FIRST]
        RedisOperationStore(decoding, name=tmp_path.name).claim(FIRST, "monday", RunTotals.of([FIRST]))
    assert other.load("tsk-2") is None
    assert other.list_by_run("monday") == [FIRST]


def test_redis_keeps_what_an_earlier_version_wrote(
    redis_url: str, server: redis_library.Redis, tmp_path: Path
) -> None:
    """A store without a mark and headers counts on, and has them from the next claim on."""
    key = f"payman:operations:{tmp_path.name}"
    server.hset(key, "tsk-1", FIRST.to_json().replace(', "sent_at": 1000.5', ""))
    server.sadd(f"{key}:run:monday", "tsk-1")
    store = RedisOperationStore(redis_url, name=tmp_path.name)
    assert [one.sent_at for one in store.list_by_run("monday")] == [None]
    assert store.sum_run("monday") == RunTotals.of([FIRST])
    store.claim(SECOND, "monday", store.sum_run("monday"))
    assert store.sum_run("monday").payments == 2
    assert len(store.list_by_run("monday")) == 2
    server.srem(f"{key}:run:monday", "tsk-1")
    assert is_refused(lambda: RedisOperationStore(redis_url, name=tmp_path.name).list_by_run("monday"))


def test_a_redis_that_evicts_is_refused(redis_url: str, server: redis_library.Redis, tmp_path: Path) -> None:
    """Nothing is written to a Redis that may throw it away."""
    for policy in ("allkeys-lru", "volatile-ttl", "allkeys-random"):
        server.config_set("maxmemory-policy", policy)
        try:
            store = RedisOperationStore(redis_url, name=tmp_path.name)
            uses: list[tuple[Callable[..., object], object]] = [
                (store.load, "tsk-1"), (store.save, FIRST), (store.list_by_run, "monday"),
            ]  # fmt: skip
            for use, about in uses:
                with pytest.raises(OperationStoreError, match=f"maxmemory-policy {policy}"):
                    use(about)
        finally:
            server.config_set("maxmemory-policy", "noeviction")
    store.save(FIRST)
    assert store.load("tsk-1") == FIRST
    server.config_set(
        "maxmemory-policy", "allkeys-lfu"
    )  # somebody changes it under a store that has checked it
    try:
        assert is_refused(store.save, SECOND)
    finally:
        server.config_set("maxmemory-policy", "noeviction")


def test_a_redis_that_does_not_show_its_settings_is_refused(
    redis_url: str, server: redis_library.Redis, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """What the store may not see counts as unsafe: whether keys are evicted, whether replicas follow, whether there is a file."""
    server.acl_setuser(
        "restricted", enabled=True, passwords=["+pw"], keys=["*"], commands=["+@all", "-info", "-config"]
    )
    try:
        url = redis_url.replace("redis://", "redis://restricted:pw@")
        store = RedisOperationStore(url, name=tmp_path.name)
        for use in (
            lambda: store.load("tsk-1"),
            lambda: store.save(FIRST),
            lambda: store.list_by_run("monday"),
        ):
            with pytest.raises(OperationStoreError, match="allow this user INFO"):
                use()
    finally:
        server.acl_deluser("restricted")
    whole = {**server.info(), "aof_enabled": 1}
    for hidden in ("maxmemory_policy", "connected_slaves", "aof_enabled", "nothing"):
        with SilentRedis.from_url(redis_url) as client:
            client.shown = {name: value for name, value in whole.items() if name != hidden}
            store = RedisOperationStore(client, name=f"{tmp_path.name} {hidden}")
            assert is_refused(store.save, FIRST) is (hidden in {"maxmemory_policy", "connected_slaves"}), (
                hidden
            )
    [warning] = caplog.messages
    assert f"{tmp_path.name} aof_enabled" in warning


def test_the_clock_of_redis(redis_url: str, server: redis_library.Redis) -> None:
    """All machines that share a Redis share its clock."""
    before = server.time()[0]
    assert before <= RedisOperationStore(redis_url).now() <= server.time()[0] + 1


def test_an_sqlite_file_of_an_earlier_version(tmp_path: Path) -> None:
    """Its records are read, count, and say of nothing when it was sent."""
    path = tmp_path / "operations.sqlite3"
    SQLiteOperationStore(path).save(FIRST)
    with sqlite3.connect(path) as connection:
        record = FIRST.to_json().replace(', "sent_at": 1000.5', "")
        connection.execute("UPDATE operations SET record = ?", (record,))
        connection.execute("PRAGMA user_version = 0")
    [read] = SQLiteOperationStore(path).list_by_run("monday")
    assert (read.task_id, read.stage, read.sent_at) == ("tsk-1", "sent", None)
    SQLiteOperationStore(path).save(SECOND)
    assert len(SQLiteOperationStore(path).list_by_run("monday")) == 2


def test_an_sqlite_file_that_is_not_known(tmp_path: Path) -> None:
    """A file of a later version, of other tables, or with a record missing, is refused."""
    damages = {
        "a later version": "PRAGMA user_version = 99",
        "no records": "DELETE FROM operations",
        "no table of runs": "DROP TABLE runs",
        "other columns": "ALTER TABLE operations RENAME COLUMN record TO content",
    }
    for name, damage in damages.items():
        path = tmp_path / f"{name}.sqlite3"
        SQLiteOperationStore(path).save(FIRST)
        with sqlite3.connect(path) as connection:
            connection.execute(damage)
        assert is_refused(SQLiteOperationStore(path).list_by_run, "monday"), name
        assert is_refused(SQLiteOperationStore(path).save, SECOND) is (name != "no records"), name


class SilentRedis(redis_library.Redis):
    """A Redis that does not show everything about itself."""

    shown: Any = None

    def info(self, *_: Any, **__: Any) -> Any:
        return self.shown


class OvertakenRedis(redis_library.Redis):
    """A client that lets others act before its reads of keys, which come behind that of the fields in a transaction."""

    meanwhile: list[Callable[[], object]]
    ahead: Callable[[], object] | None = None
    """What others do before the transaction."""

    def transaction(self, func: Callable[[Any], Any], *watches: Any, **options: Any) -> Any:
        if self.ahead is not None:
            ahead, self.ahead = self.ahead, None
            ahead()

        def call(pipe: Any) -> Any:
            read = pipe.get

            def get(*given: Any) -> Any:
                if self.meanwhile:
                    self.meanwhile.pop(0)()
                return read(*given)

            pipe.get = get
            return func(pipe)

        return super().transaction(call, *watches, **options)


def test_redis_does_not_take_a_write_of_others_for_a_loss(redis_url: str, tmp_path: Path) -> None:
    """What others write between two reads of a transaction makes it read again: in a new store, and in a run that others count in."""
    with OvertakenRedis.from_url(redis_url) as client:
        one, other = (RedisOperationStore(place, name=tmp_path.name) for place in (client, redis_url))
        client.meanwhile = [lambda: other.save(SECOND)]
        one.save(FIRST)
        client.meanwhile = [lambda: None, lambda: other.save(evolve(SECOND, task_id="tsk-4"))]
        one.save(OTHER)
        assert (client.meanwhile, other.sum_run("monday").payments) == ([], 4)
    assert len(other.list_by_run("monday")) == 4


def test_redis_counts_a_record_of_others_once(redis_url: str, tmp_path: Path) -> None:
    """A record that others write after it was read, and before the transaction that replaces it, counts once in its run."""
    with OvertakenRedis.from_url(redis_url) as client:
        one, other = (RedisOperationStore(place, name=tmp_path.name) for place in (client, redis_url))
        client.meanwhile, client.ahead = [], lambda: other.save(FIRST)
        one.save(FIRST)
        assert client.ahead is None
    assert (other.sum_run("monday").payments, other.list_by_run("monday")) == (1, [FIRST])
