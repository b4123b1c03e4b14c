"""What a payment with a limit costs in each store, while the table grows: `scripts/soak --cost`."""

# ruff: noqa: S608 (the names and numbers in the statements are ours)
from __future__ import annotations

import statistics
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import redis
from attrs import evolve

from payman_sdk._core.effects import Flow
from payman_sdk._core.orders import read_payment_order
from payman_sdk._io.clock import monotonic
from payman_sdk._io.runner import SyncRunner
from payman_sdk.agents import MemoryOperationStore, Operation, OperationStore, RunTotals, SpendingLimit
from payman_sdk.agents.operation_log import OperationLog
from payman_sdk.agents.stores.postgres import PostgresOperationStore
from payman_sdk.agents.stores.redis import RedisOperationStore
from payman_sdk.agents.stores.sqlite import SQLiteOperationStore
from tests.auth import redis_server
from tests.postgres_server import Server, find_programs

_TASK, _RUN = "tsk-00000000", "monday"
_ROW = Operation(
    task_id=_TASK, account="pm-1 at https://agent.payman.ai", name="invoice-1", payee="Test Payee", amount=Decimal("10.00"), currency="TSD", stage="ended",
    status="paid", runs=[_RUN], sent_at=1000.0, answer="Sent 10.00 TSD to Test Payee.", ordered_at="2026-11-29T00:00:00+00:00", payment_id="txn-1",
)  # fmt: skip


def fill_memory(rows: int) -> OperationStore:
    """Return a store in memory that holds so many operations."""
    store = MemoryOperationStore()
    for number in range(rows):
        store.save(evolve(_ROW, task_id=f"tsk-{number:08}"))
    return store


def fill_sqlite(rows: int, folder: Path) -> OperationStore:
    """Return the same in a file."""
    store = SQLiteOperationStore(folder / f"{rows}.sqlite3")
    store.save(_ROW)
    numbers = f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {rows - 1}) "
    key = "printf('tsk-%08d', i)"

    def fill(execute: Any) -> None:
        record = _ROW.to_json()
        execute(
            numbers + f"INSERT INTO operations SELECT {key}, replace(?, '{_TASK}', {key}) FROM n", (record,)
        )
        execute(numbers + f"INSERT INTO runs SELECT '{_RUN}', {key} FROM n", ())
        execute("UPDATE totals SET totals = ?", (_make_totals(rows),))

    store._write(fill)
    return store


def fill_postgres(rows: int, address: str) -> OperationStore:
    """Return the same in PostgreSQL."""
    store = PostgresOperationStore(address, name=str(rows))
    store.save(_ROW)
    with psycopg.connect(address) as connection:
        key = f"'{rows} tsk-' || lpad(i::text, 8, '0')"
        series = f"FROM generate_series(1, {rows - 1}) AS i"
        fill = f"INSERT INTO payman_operations SELECT {key}, replace(%s, '{_TASK}', 'tsk-' || lpad(i::text, 8, '0')) {series}"
        connection.execute(fill.encode(), [_ROW.to_json()])
        connection.execute(f"INSERT INTO payman_runs SELECT '{rows} {_RUN}', {key} {series}".encode())
        connection.execute(
            "UPDATE payman_totals SET totals = %s WHERE run_id = %s", [_make_totals(rows), f"{rows} {_RUN}"]
        )
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE")
    return store


def fill_redis(rows: int, url: str) -> OperationStore:
    """Return the same in Redis."""
    store, key = RedisOperationStore(url, name=str(rows)), f"payman:operations:{rows}"
    store.save(_ROW)
    with redis.Redis.from_url(url) as client:
        for first in range(1, rows, 10_000):
            pipe: Any = client.pipeline(transaction=False)
            for number in range(first, min(first + 10_000, rows)):
                task_id = f"tsk-{number:08}"
                pipe.hset(key, task_id, _ROW.to_json().replace(_TASK, task_id))
                pipe.sadd(f"{key}:run:{_RUN}", task_id)
            pipe.execute()
        client.set(f"{key}:run:{_RUN}:totals", _make_totals(rows))
        client.hset(key, f"run {_RUN}", _make_totals(rows))
    return store


def _make_totals(rows: int) -> str:
    return RunTotals(members=rows, payments=rows, amounts={"TSD": 10 * Decimal(rows)}, changes=rows).to_json()


def pay(log: OperationLog, name: str) -> Flow[None]:
    """A flow that does to the store what a payment does, and sends nothing."""

    def carry_out() -> Flow[Operation]:
        order = read_payment_order("Test Payee", "10.00", "TSD", None, None)
        known = yield from log.load(name)
        new = log.create_operation(name, name, order, None)
        claimed = yield from log.claim(new, known)
        assert isinstance(claimed, Operation)
        sent = yield from log.note_sent(claimed)
        return (yield from log.note(evolve(sent, stage="ended", status="paid")))

    assert (yield from log.hold(name, 10, carry_out())) is not None


def measure(stores: list[OperationStore], payments: int) -> list[float]:
    """Return the median milliseconds of a payment in each store, taking turns."""
    limit = SpendingLimit(max_payments=10**9, max_amount={"TSD": Decimal(10**12)})
    logs = [OperationLog(store, _ROW.account, _RUN, limit) for store in stores]
    taken: list[list[float]] = [[] for _ in logs]
    for number in range(payments):
        for log, times in zip(logs, taken, strict=True):
            began = monotonic()
            SyncRunner().run(pay(log, f"tsk-new-{number}"))
            times.append(1000 * (monotonic() - began))
    return [statistics.median(times) for times in taken]


def measure_all(sizes: list[int], payments: int) -> Iterator[tuple[str, list[float]]]:
    """Yield what a payment costs in each store, for tables of these sizes."""
    programs, redis_program = find_programs(), redis_server.server_program()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        yield "memory", measure([fill_memory(size) for size in sizes], payments)
        yield "SQLite", measure([fill_sqlite(size, folder) for size in sizes], payments)
        if programs is not None:
            server = stack.enter_context(Server(programs, fsync="on", shared_buffers="256MB"))
            yield "PostgreSQL", measure([fill_postgres(size, server.address) for size in sizes], payments)
        if redis_program is not None:
            url = stack.enter_context(redis_server.serving(redis_program, folder))
            yield "Redis", measure([fill_redis(size, url) for size in sizes], payments)


def print_table(sizes: list[int], payments: int) -> None:
    """Measure and print a table in Markdown."""
    print(f"| store, ms a payment | {' | '.join(f'{size:,}' for size in sizes)} | last / first |")
    print("| --- |" + " --: |" * (len(sizes) + 1))
    for name, times in measure_all(sizes, payments):
        row = " | ".join(f"{time:.2f}" for time in times)
        print(f"| {name} | {row} | {times[-1] / times[0]:.2f} |", flush=True)
