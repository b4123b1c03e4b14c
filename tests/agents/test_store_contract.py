"""What every store of operations keeps to where its place is far away: lost connections, lost writes, clocks that differ.

Kills and processes that share a store are in `test_kills`.
"""

from __future__ import annotations

import contextlib
import os
import re
import socket
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pytest
import redis as redis_library
from attrs import evolve
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.sql import SQL, Identifier

from payman_sdk import MemoryKeyStore, PaymanClient
from payman_sdk._core.requests import derive_task_id
from payman_sdk._io.clock import wall_time
from payman_sdk.agents import Operation, OperationStore, OperationStoreError, PaymanToolkit, SpendingLimit
from payman_sdk.agents.stores.postgres import PostgresOperationStore
from payman_sdk.agents.stores.redis import RedisOperationStore
from payman_sdk.agents.stores.sqlite import SQLiteOperationStore
from payman_sdk.token_stores import PostgresTokenStore, StoredToken
from tests.agents.conftest import PAYMENT, let_settle
from tests.agents.late_agent import LateAgent
from tests.broken_line import BrokenLine
from tests.peer import Peer, reset

A = derive_task_id("pm-test-1", "a")
ONE_PAYMENT = SpendingLimit(max_payments=1)


class Place:
    """A store, as processes on several machines open it.

    Args:
        make: Opens it anew, given whether the way to it can break.
        connect: Connects to its server.
        free_locks: Does what the server does in time with the locks of the dead.
        save: Returns a function that puts everything back as it is now.
    """

    def __init__(
        self,
        make: Callable[[int | None], OperationStore],
        connect: Callable[[], socket.socket],
        free_locks: Callable[[], object],
        save: Callable[[], Callable[[], object]],
    ) -> None:
        self.make, self.connect, self.free_locks, self.save = make, connect, free_locks, save


def make_postgres_place(address: str, name: str) -> Place:
    known = conninfo_to_dict(address)
    tables = ("payman_operations", "payman_runs", "payman_totals")
    select, delete, insert = (
        SQL("SELECT * FROM {}"),
        SQL("DELETE FROM {}"),
        SQL("INSERT INTO {} VALUES (%s, %s)"),
    )
    PostgresOperationStore(address).load("tsk-1")  # makes the tables

    def connect() -> socket.socket:
        end = socket.socket(socket.AF_UNIX)
        end.connect(f"{known['host']}/.s.PGSQL.5432")
        return end

    def open_store(port: int | None) -> OperationStore:
        way = address if port is None else make_conninfo(address, host="127.0.0.1", port=port)
        return PostgresOperationStore(way, name=name)

    def save() -> Callable[[], object]:
        with psycopg.connect(address) as connection:
            kept = {one: connection.execute(select.format(Identifier(one))).fetchall() for one in tables}

        def restore() -> None:
            with psycopg.connect(address) as connection:
                for table, rows in kept.items():
                    connection.execute(delete.format(Identifier(table)))
                    for row in rows:
                        connection.execute(insert.format(Identifier(table)), row)

        return restore

    return Place(open_store, connect, lambda: None, save)


def make_redis_place(url: str, name: str, opened: contextlib.ExitStack) -> Place:
    server = opened.enter_context(redis_library.Redis.from_url(url))
    key, port = f"payman:operations:{name}", int(url.split(":")[2].split("/")[0])

    def save() -> Callable[[], object]:
        kept = {one: server.dump(one) for one in server.scan_iter(f"{key}*")}

        def restore() -> None:
            server.delete(*server.scan_iter(f"{key}*"))
            for one, value in kept.items():
                server.restore(one, 0, value)

        return restore

    def free_locks() -> None:
        for lock in server.scan_iter(f"{key}:lock:*"):
            server.delete(lock)

    def open_store(way: int | None) -> OperationStore:
        store = RedisOperationStore(url if way is None else f"redis://127.0.0.1:{way}/0", name=name)
        opened.callback(store._client.close)  # a collection may come to the socket before its connection
        return store

    return Place(
        open_store,
        lambda: socket.create_connection(("127.0.0.1", port)),
        free_locks,
        save,
    )


def make_sqlite_place(path: Path) -> Place:
    SQLiteOperationStore(path).load("tsk-1")  # makes the file

    def save() -> Callable[[], object]:
        kept = path.read_bytes()
        return lambda: path.write_bytes(kept)

    return Place(lambda way: SQLiteOperationStore(path), socket.socket, lambda: None, save)


def make_place(request: pytest.FixtureRequest, path: Path) -> Iterator[Place]:
    with contextlib.ExitStack() as opened:
        match request.param:
            case "sqlite":
                yield make_sqlite_place(path / "operations.sqlite3")
            case "postgres":
                yield make_postgres_place(request.getfixturevalue("postgres_url"), path.name)
            case _:
                yield make_redis_place(request.getfixturevalue("redis_url"), path.name, opened)


@pytest.fixture(params=["postgres", "redis"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    """A store on a server."""
    yield from make_place(request, tmp_path)


@pytest.fixture(params=["sqlite", "postgres", "redis"])
def any_place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    """A store that outlives its process."""
    yield from make_place(request, tmp_path)


class NoLock:
    """A lock that was lost: whoever asks has it."""

    def acquire(self, *, timeout: float) -> bool:
        return True

    def release(self) -> None:
        pass


class StoppedMachine:
    """A store on a machine that loses its locks, and that stands still before its n-th write while others go on.

    Args:
        store: The store.
        write: The number of the write.
        meanwhile: What others do.
    """

    def __init__(self, store: OperationStore, write: int, meanwhile: Callable[[], object]) -> None:
        self._store, self._left, self._meanwhile = store, write, meanwhile

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._store, name)

        def call(*given: Any) -> Any:
            if name in ("save", "claim"):
                self._left -= 1
                if self._left == 0:
                    self._meanwhile()
            return method(*given)

        return call

    def lock(self, name: str) -> NoLock:
        return NoLock()


@contextlib.contextmanager
def machine(
    agent: LateAgent, store: OperationStore, limit: SpendingLimit | None = ONE_PAYMENT, **config: Any
) -> Iterator[PaymanToolkit]:
    """A toolkit on a machine that knows of nothing but the store."""
    given: dict[str, Any] = {
        "timeout": 20,
        "settle_time": 30,
        "max_retries": 0,
        "key_store": MemoryKeyStore(),
    }
    given |= {"client_id": "pm-test-1", "client_secret": "s3cret", "base_url": agent.base_url}
    with PaymanClient(**given | config) as client:  # fmt: skip
        yield PaymanToolkit(client, run_id="monday", store=store, limit=limit)


@pytest.mark.slow
def test_a_connection_that_breaks_at_any_message_pays_once(place: Place, peer: Peer) -> None:
    """Whatever message is lost, or its answer: nothing is paid twice, what is said is so, and afterwards it is paid."""
    restore = place.save()
    with BrokenLine(place.connect) as line:
        for limit, loses_answer in ((ONE_PAYMENT, False), (ONE_PAYMENT, True), (None, True)):
            step, was_broken = 0, True
            while was_broken:
                agent, where = LateAgent(peer), f"message {step}, {loses_answer}, {limit}"
                line.arm(step, loses_answer=loses_answer)
                with machine(agent, place.make(line.port), limit) as toolkit:
                    said = toolkit.pay(*PAYMENT, operation="a").status
                was_broken, step = line.messages > step, step + 1
                line.arm(None)
                assert (said, agent.payments[A]) in {("paid", 1), ("not-sent", 0), ("unknown", 0)}, where
                place.free_locks()
                store = place.make(None)
                if not agent.payments and (known := store.load(A)) is not None and known.stage == "sent":
                    let_settle(store, A)  # it was written down, and the connection broke before it was sent
                agent.shows = True
                expected = {"a": "paid", "b": "refused"} if limit else {"a": "paid"}
                with machine(agent, store, limit) as toolkit:
                    ends = {name: toolkit.pay(*PAYMENT, operation=name).status for name in expected}
                assert (ends, agent.payments) == (expected, {A: 1}), where
                restore()
    assert step > 10, step


@pytest.mark.slow
def test_what_a_payment_costs(postgres_url: str, tmp_path: Path, peer: Peer) -> None:
    """A payment asks PostgreSQL and Payman as often as the guide says, so that a fleet can be planned by it."""
    guide = (Path(__file__).parents[2] / "docs" / "guides" / "fleets.md").read_text(encoding="utf-8")
    said = re.search(r"(\d+) round trips, (\d+) with a limit.*?(\d+) requests", guide, re.DOTALL)
    place, agent, found = make_postgres_place(postgres_url, tmp_path.name), LateAgent(peer), list[str]()
    agent.shows = True
    with BrokenLine(place.connect) as line:
        # Both live to the end: the connections of one that is collected say farewell.
        stores = place.make(line.port), place.make(line.port)
        for limit, store in zip((None, SpendingLimit(max_payments=9)), stores, strict=True):
            with machine(agent, store, limit) as toolkit:
                for name in ("1", "2"):  # the first one also connects
                    line.arm(None)
                    asked = len(peer.requests)
                    assert toolkit.pay(*PAYMENT, operation=f"{name}, {limit}").status == "paid"
            found.append(str(line.messages))
    assert said is not None
    assert (*found, str(len(peer.requests) - asked)) == said.groups()


@pytest.mark.slow
def test_a_failover_that_loses_the_newest_write_pays_once(any_place: Place, peer: Peer) -> None:
    """Who has used the run refuses, and with `resend="never"` the machine that has sent says `unknown`; nothing is paid twice."""
    agent, restore = (
        LateAgent(peer, reset),
        any_place.save(),
    )  # it pays, and the answer is lost
    config: dict[str, Any] = {"resend": "never", "settle_time": 0.2, "key_store": MemoryKeyStore()}
    with machine(agent, any_place.make(None), **config) as toolkit:
        assert (toolkit.pay(*PAYMENT, operation="a").status, agent.payments) == ("unknown", {A: 1})
        restore()
        for name in "ab":
            result = toolkit.pay(*PAYMENT, operation=name)
            assert (result.status, "has lost" in result.text) == ("not-sent", True), name
    with machine(agent, any_place.make(None), **config) as toolkit:  # the next process
        assert toolkit.pay(*PAYMENT, operation="a").status == "unknown"
    restore()
    agent.shows = True
    with machine(agent, any_place.make(None), resend="never") as toolkit:  # another machine
        assert toolkit.pay(*PAYMENT, operation="a").status == "paid"
    assert agent.payments == {A: 1}


@pytest.mark.slow
def test_machines_whose_clocks_differ(place: Place, peer: Peer, monkeypatch: pytest.MonkeyPatch) -> None:
    """The clock of the server counts: an hour before or behind, a machine sends nothing again before it has settled."""
    agent = LateAgent(peer)
    for hours in (0, -1, 1):
        monkeypatch.setattr(
            "payman_sdk.agents.operation_log.wall_time", lambda hours=hours: wall_time() + 3600 * hours
        )
        store = place.make(None)
        if not hours:
            now: float = getattr(store, "now")()  # noqa: B009 (not of every store)
            account, runs = f"pm-test-1 at {agent.base_url}", ["monday"]
            sent = Operation(task_id=A, account=account, name="a", stage="sent", runs=runs, sent_at=now)
            store.save(evolve(sent, payee=PAYMENT[0], amount=Decimal(10), currency="TSD"))
        with machine(agent, store) as toolkit:
            assert toolkit.pay(*PAYMENT, operation="a").status == "unknown", hours
    assert agent.payments == {}


@pytest.mark.slow
def test_a_machine_that_stood_still_without_its_locks(any_place: Place, peer: Peer) -> None:
    """Wherever it stops, it goes on only if nobody else has taken up the operation; so with a limit and without."""
    restore = any_place.save()
    for limit in (ONE_PAYMENT, None):
        for write in (1, 2):
            agent, others = LateAgent(peer), list[str]()

            def pay_elsewhere(
                agent: LateAgent = agent, limit: SpendingLimit | None = limit, others: list[str] = others
            ) -> None:
                with contextlib.suppress(AssertionError):  # it was not written down yet
                    let_settle(any_place.make(None), A)
                with machine(agent, any_place.make(None), limit) as toolkit:
                    others.append(toolkit.pay(*PAYMENT, operation="a").status)

            store: Any = StoppedMachine(any_place.make(None), write, pay_elsewhere)
            with machine(agent, store, limit) as toolkit:
                said = toolkit.pay(*PAYMENT, operation="a").status
            where = f"write {write}, {limit}"
            assert (others, agent.payments) == (["paid"], {A: 1}), where
            assert said in ("paid", "unknown", "not-sent", "working"), where
            assert (found := any_place.make(None).load(A)) is not None and found.status == "paid", where
            restore()


@pytest.mark.slow
def test_a_run_that_changes_while_a_payment_is_counted(any_place: Place, peer: Peer) -> None:
    """It is counted again: paid where what others did leaves room for it, and refused where it does not."""
    restore = any_place.save()
    for status, said in (("refused", "paid"), ("paid", "refused")):
        agent = LateAgent(peer)
        account = f"pm-test-1 at {agent.base_url}"
        other = Operation(task_id="tsk-2", account=account, stage="ended", status=status, runs=["monday"])

        def end_payment(other: Operation = other) -> None:
            any_place.make(None).save(other)

        store: Any = StoppedMachine(any_place.make(None), 1, end_payment)
        with machine(agent, store) as toolkit:
            assert toolkit.pay(*PAYMENT, operation="a").status == said, status
        assert agent.payments == ({A: 1} if said == "paid" else {}), status
        restore()


@pytest.mark.slow
def test_a_replica_that_does_not_follow(
    redis_url: str, tmp_path: Path, peer: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Redis is believed once its replicas have what was written, so that none of them can be promoted without it."""
    monkeypatch.setattr("payman_sdk.agents.stores._redis_server._REPLICA_MILLISECONDS", 20)
    agent, store = LateAgent(peer), RedisOperationStore(redis_url, name=tmp_path.name)
    address = redis_url.split("/")[2].split(":")
    with redis_library.Redis.from_url(redis_url) as server:
        with socket.create_connection((address[0], int(address[1]))) as replica:  # one that confirms nothing
            replica.sendall(b"PSYNC ? -1\r\n")
            replica.recv(1)
            with machine(agent, store) as toolkit:
                result = toolkit.pay(*PAYMENT, operation="a")
            assert (result.status, "A replica of Redis" in result.text) == ("not-sent", True)
        while server.info("replication")["connected_slaves"]:
            pass
    let_settle(store, A)
    with machine(agent, store) as toolkit:
        assert toolkit.pay(*PAYMENT, operation="a").status == "paid"
    assert agent.payments == {A: 1}


def test_addresses_of_postgresql() -> None:
    """What is none is refused, and so is plain text to another machine; no message repeats a password."""
    given: dict[Any, str] = {
        5: "is not the address", "": "is not the address", "s3cret": "is not the address", "postgresql://u:s3cret@h/d?nonsense=1": "is not the address",
        "postgresql://u:s3cret@db.example/d?sslmode=prefer": "unencrypted", "host=10.0.0.5 password=s3cret sslmode=disable": "unencrypted",
        "host=/run,db.example sslmode=allow": "unencrypted", "service=s3cret sslmode=prefer": "unencrypted", "hostaddr=10.0.0.5 sslmode=disable": "unencrypted",
    }  # fmt: skip
    for address, reason in given.items():
        for kind in (PostgresOperationStore, PostgresTokenStore):
            with pytest.raises(Exception, match=reason) as raised:
                kind(address)
            assert "s3cret" not in str(raised.value)
            if reason == "unencrypted":
                kind(address, allow_plaintext=True)
    for address in (
        "postgresql://db.example/d",
        "host=/run dbname=d sslmode=disable",
        "postgresql://127.0.0.1",
        "postgresql://localhost/d",
    ):
        PostgresOperationStore(address)
    for name in ("", " ", None):
        with pytest.raises(Exception, match="name is blank"):
            PostgresOperationStore("postgresql://localhost", name=name)  # type: ignore[arg-type]


@pytest.mark.slow
def test_a_postgresql_that_cannot_be_used(postgres_url: str, tmp_path: Path) -> None:
    """A server that is away, tables of a later version, and a token without its lock are errors of ours; names stay apart."""
    away = PostgresOperationStore("postgresql://u:s3cret@127.0.0.1:1/d")
    uses: list[Callable[[], object]] = [
        lambda: away.load("tsk-1"),
        away.now,
        lambda: away.lock("a").acquire(timeout=0),
    ]
    for use in uses:
        with pytest.raises(OperationStoreError) as raised:
            use()
        assert "s3cret" not in repr(raised.value)
    names = ["a", "a b", "a%20b", "a\0", "A"]
    for name in names:
        PostgresOperationStore(postgres_url, name=f"{tmp_path.name}{name}").save(
            Operation(task_id="tsk-1", account=name, runs=[name])
        )
    for name in names:
        store = PostgresOperationStore(postgres_url, name=f"{tmp_path.name}{name}")
        assert [one.account for one in store.list_by_run(name)] == [name]
    token = StoredToken("pm-1", "access", 0.0, 1.0)
    with pytest.raises(Exception, match=r"lock of .* was lost"):
        PostgresTokenStore(postgres_url, name=tmp_path.name).save(token)
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute("INSERT INTO payman_schema VALUES (99)")
        try:
            with pytest.raises(OperationStoreError, match="version 99"):
                PostgresOperationStore(postgres_url).load("tsk-1")
        finally:
            connection.execute("DELETE FROM payman_schema WHERE version = 99")


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="there are no forks")
def test_a_child_leaves_the_connections_of_its_parent(postgres_url: str, tmp_path: Path) -> None:
    """A store goes on in a forked child with connections that are new; what the parent holds stays the parent's."""
    store = PostgresOperationStore(postgres_url, name=tmp_path.name)
    store.save(Operation(task_id="tsk-1", account="a", runs=["r"]))
    lock = store.lock("operation a")
    assert lock.acquire(timeout=0)
    child = os.fork()
    if child == 0:
        is_held = False
        try:
            store.save(Operation(task_id="tsk-2", account="a", runs=["r"]))
            lock.release()
            is_held = not store.lock("operation a").acquire(timeout=0)
        finally:
            os._exit(0 if is_held else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert len(store.list_by_run("r")) == 2
    assert not store.lock("operation a").acquire(timeout=0)
    lock.release()
    again = store.lock("operation a")
    assert again.acquire(timeout=0)
    again.release()
