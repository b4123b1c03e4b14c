"""Where operations are written down, and what becomes of them when processes share a store or die."""

from __future__ import annotations

import asyncio
import json
import stat
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeAlias

import pytest
import redis as redis_library
from attrs import evolve

from payman_sdk import PaymanClient
from payman_sdk._core.effects import Flow, Lock, Sleep
from payman_sdk._io.async_runner import AsyncRunner
from payman_sdk._io.runner import SyncRunner
from payman_sdk.agents import (
    AsyncPaymanToolkit,
    MemoryOperationStore,
    Operation,
    OperationStore,
    OperationStoreError,
    PaymanToolkit,
    RunTotals,
    SpendingLimit,
)
from payman_sdk.agents.operation_log import OperationLog
from payman_sdk.agents.stores import _redis_server
from payman_sdk.agents.stores._redis_server import RenewedLock
from payman_sdk.agents.stores.postgres import PostgresOperationStore
from payman_sdk.agents.stores.redis import RedisOperationStore
from payman_sdk.agents.stores.sqlite import SQLiteOperationStore
from payman_sdk.errors import ConfigurationError
from payman_sdk.sandbox import Sandbox
from tests.agents.conftest import PAYMENT, connected_async, let_settle, sends
from tests.agents.payer import pay_together
from tests.processes import Forked

pytestmark = pytest.mark.slow


FULL = Operation(
    task_id="tsk-1", account="pm-1 at https://example.com", name="Rechnung Zoë", payee="Zoë", memo="Tee", stage="ended", runs=["a", "b"],
    amount=Decimal("1.50"), currency="TSD", status="paid", answer="Done ✓", session_id="ses-1", replies=["yes"], is_replying=True, sent_at=1764000000.123456,
)  # fmt: skip
BARE = Operation(task_id="tsk-2", account="pm-1 at https://example.com", runs=["a"])

Open: TypeAlias = Callable[[], OperationStore]
"""Opens the same store again, as another process would."""


@pytest.fixture(params=["memory", "sqlite", "postgres", "redis"])
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Open:
    if request.param == "memory":
        store = MemoryOperationStore()
        return lambda: store
    if request.param == "sqlite":
        return lambda: SQLiteOperationStore(tmp_path / "folder" / "operations.sqlite3")
    if request.param == "postgres":
        address: str = request.getfixturevalue("postgres_url")
        return lambda: PostgresOperationStore(address, name=tmp_path.name)
    url: str = request.getfixturevalue("redis_url")
    return lambda: RedisOperationStore(url, name=tmp_path.name)


def test_what_is_saved_is_there(opened: Open) -> None:
    """What one has saved another finds, to the last member; the newest of each, in the runs that it counts in."""
    assert opened().load("tsk-1") is None
    for operation in (FULL, BARE):
        opened().save(operation)
    store = opened()
    assert (store.load("tsk-1"), store.load("tsk-2")) == (FULL, BARE)
    assert ({one.task_id for one in store.list_by_run("a")}, list(store.list_by_run("b"))) == (
        {"tsk-1", "tsk-2"},
        [FULL],
    )
    store.save(FULL.reopened())
    assert (list(opened().list_by_run("a")), list(opened().list_by_run("b"))) == ([BARE], [])
    assert opened().load("tsk-1") == FULL.reopened()


def test_a_lock_is_held_by_one(opened: Open) -> None:
    """A lock that is held cannot be had by another, one of another name can, and so can that one once it is given back."""
    first, second, other = opened().lock("operation a"), opened().lock("operation a"), opened().lock("run a")
    assert first.acquire(timeout=0)
    assert not second.acquire(timeout=0)
    assert other.acquire(timeout=0)
    first.release()
    assert second.acquire(timeout=60)
    second.release()
    other.release()


def test_an_operation_in_every_store(opened: Open, client: PaymanClient, sandbox: Sandbox) -> None:
    """In every store an operation is paid once, also by a toolkit that is made anew, and a run goes on counting."""

    def toolkit() -> PaymanToolkit:
        return PaymanToolkit(client, run_id="monday", limit=SpendingLimit(max_payments=1), store=opened())

    first = toolkit().pay(*PAYMENT, operation="a")
    assert toolkit().pay(*PAYMENT, operation="a") == first
    assert toolkit().pay("Test Payee", "11", "TSD", operation="a").text.startswith(first.text)
    assert toolkit().pay(*PAYMENT, operation="b").status == "refused"
    assert sends(sandbox) == [PAYMENT]


def test_an_operation_on_an_event_loop_in_every_store(opened: Open, sandbox: Sandbox) -> None:
    """Tasks that share a store whose locks block send once, too."""
    import asyncio

    async def main() -> set[str]:
        async with connected_async(sandbox) as client:
            toolkits = [AsyncPaymanToolkit(client, store=opened()) for _ in range(5)]
            results = await asyncio.gather(*(toolkit.pay(*PAYMENT, operation="a") for toolkit in toolkits))
            return {result.status for result in results}

    assert asyncio.run(main()) == {"paid"}
    assert sends(sandbox) == [PAYMENT]


def test_a_payment_reads_as_much_in_a_long_run_as_in_a_short_one(
    opened: Open, client: PaymanClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a limit, too: the totals of the run are read, and not its operations. They are the sum of these, also of an old store."""
    reads: Counter[str] = Counter()
    from_json = Operation.from_json

    def count(*arguments: Any) -> Operation:
        reads["records"] += 1
        return from_json(*arguments)

    monkeypatch.setattr(Operation, "from_json", count)
    limit = SpendingLimit(max_payments=56, max_amount={"TSD": Decimal(100000)})
    toolkit, account = PaymanToolkit(client, run_id="a", limit=limit, store=opened()), client._config
    read = []
    for names in (range(2), range(2, 4), range(4, 102)):
        for number in names:
            amount, currency, payee = (Decimal(number + 1) / 4, "TSD", "Zoë") if number else (None,) * 3
            opened().save(Operation(
                task_id=f"tsk-{number}", account=f"{account.client_id} at {account.base_url}", runs=["a"], stage="ended",
                status="refused" if number % 2 else "paid", amount=amount, currency=currency, payee=payee,
            ))  # fmt: skip
        first = opened().load("tsk-0")
        assert first is not None
        opened().save(evolve(first, amount=Decimal(1), currency="TSD", payee="Zoë"))
        reads.clear()
        assert toolkit.pay(*PAYMENT, operation=f"a-{names.stop}").status == "paid"
        read.append(reads["records"])
    assert read[1] == read[2]
    totals: RunTotals = opened().sum_run("a")  # type: ignore[attr-defined] # not of every store
    assert evolve(totals, changes=0) == evolve(RunTotals.of(opened().list_by_run("a")), changes=0)
    assert (totals.members, totals.payments, totals.unpriced) == (105, 54, 0)
    statuses = [toolkit.pay(*PAYMENT, operation=f"b-{number}").status for number in range(3)]
    assert statuses == ["paid", "paid", "refused"]


def test_damaged_totals() -> None:
    """Totals that cannot be read are an error that says where, and never a run that counts less."""
    sound = RunTotals.of([FULL, BARE])
    assert RunTotals.from_json(sound.to_json(), "the file") == sound
    for text in (
        "", "5", "{}", "null", "[]", "[1, 1, 1, 1]", "[1, 2, 0, 3, {}]", "[2, 1, 2, 3, {}]", "[2, -1, -1, 3, {}]", "[2, 1, 1, 1, {}]", "[true, 1, 1, 3, {}]",
        '[1, 1, 0, 1, {"TSD": "-1"}]', '[1, 1, 0, 1, {"TSD": "NaN"}]', '[1, 1, 0, 1, {"TSD": "x"}]', '[1, 1, 0, 1, {"TSD": null}]', "[1, 1, 0, 1, []]", sound.to_json()[:-1],
    ):  # fmt: skip
        with pytest.raises(OperationStoreError, match="the file holds damaged totals"):
            pytest.fail(f"read {text} as {RunTotals.from_json(text, 'the file')}")
    with pytest.raises(OperationStoreError, match="are less than"):
        RunTotals().replace("a", FULL, None)


# --- processes


@pytest.fixture(scope="module")
def served() -> Iterator[Sandbox]:
    with Sandbox() as sandbox:
        yield sandbox
    sandbox.close()


class Payers:
    """Processes that share a store and a sandbox."""

    def __init__(self, stack: ExitStack, sandbox: Sandbox, store: Path) -> None:
        self._stack, self._store = stack, store
        self._client = {
            "client_id": sandbox.client_id, "client_secret": sandbox.client_secret, "base_url": sandbox.base_url, "timeout": 60,
        }  # fmt: skip

    def store(self) -> SQLiteOperationStore:
        """Their store, for the process of the test."""
        return SQLiteOperationStore(self._store)

    def start(
        self,
        *pays: tuple[str, tuple[str, str, str]],
        dies: str = "",
        threads: int = 1,
        waits: bool = False,
        asks: bool = False,
    ) -> Forked:
        """Starts one."""
        order = {
            "client": self._client,
            "store": str(self._store),
            "pays": pays,
            "dies": dies,
            "threads": threads,
            "waits": waits,
            "asks": asks,
        }
        process = self._stack.enter_context(closing(Forked(pay_together, is_asked=True)))
        process.order(order)
        return process


@pytest.fixture
def payers(served: Sandbox, tmp_path: Path) -> Iterator[Payers]:
    with ExitStack() as stack:
        yield Payers(stack, served, tmp_path / "operations.sqlite3")


def test_fifty_claims_of_five_processes(payers: Payers, served: Sandbox) -> None:
    """Fifty threads of five processes that pay the same operation at the same moment send once, and all are told the same."""
    before = len(served.payments)
    processes = [payers.start(("at once", PAYMENT), threads=10, waits=True) for _ in range(5)]
    assert [process.report(timeout=60) for process in processes] == ["ready"] * 5
    for process in processes:
        process.order("go")
    results = [result for process in processes for result in process.report(timeout=60)]
    assert len(results) == 50
    assert {json.dumps(result) for result in results} == {json.dumps(results[0])}
    assert results[0][0]["status"] == "paid"
    assert (len(served.payments), len([text for text in sends(served) if text == PAYMENT])) == (before + 1, 1)


def test_a_slow_call_is_not_taken_for_a_dead_one(payers: Payers, served: Sandbox) -> None:
    """While a process is at an operation, another sends nothing, however long it takes; when it is killed, its lock is free at once."""
    slow = payers.start(("slow", ("Test Payee", "23.00", "TSD")), asks=True)
    assert slow.report(timeout=60) == "asked"
    store = payers.store()
    with served.client(timeout=0.2) as hasty, served.client() as client:
        waited = PaymanToolkit(hasty, store=store).pay("Test Payee", "23", "TSD", operation="slow")
        assert (waited.status, "Do not pay again" in waited.text) == ("working", True)
        assert ("Test Payee", "23.00", "TSD") not in sends(served)
        slow.kill()
        assert (
            PaymanToolkit(client, store=store).pay("Test Payee", "23", "TSD", operation="slow").status
            == "paid"
        )


def test_after_a_kill(payers: Payers, served: Sandbox) -> None:
    """A process is killed between claim and result: another is told the first result, and who asks in other words too; it is paid once.

    What was killed before anything was sent may still be on its way, by all that is known; after that time it is paid. Nobody has to
    clear anything.
    """
    orders = {name: ("Test Payee", f"{amount}.00", "TSD") for name, amount in (("early", 21), ("late", 22))}
    killed = [
        payers.start(("early", orders["early"]), dies="before"),
        payers.start(("late", orders["late"]), dies="after"),
    ]
    assert [process.status() for process in killed] == [-9, -9]
    again = payers.start(*orders.items(), ("late", ("Test Payee", "23.00", "TSD")))
    [[early, late, other]] = again.report(timeout=60)
    assert [one["status"] for one in (early, late, other)] == ["unknown", "paid", "paid"]
    assert late["amount"] == "22.00"
    assert other["text"].startswith(late["text"])
    assert "is the name of another order" in other["text"]
    let_settle(payers.store(), early["task_id"])
    [[early]] = payers.start(("early", orders["early"])).report(timeout=60)
    assert early["status"] == "paid"
    assert sorted(payment.amount for payment in served.payments if payment.amount in (21, 22)) == [21, 22]
    assert [text for text in sends(served) if text in orders.values()].count(orders["late"]) == 1


# --- SQLite


def test_only_the_owner_reads_the_file(tmp_path: Path) -> None:
    """The file and the folder of its locks are the owner's alone."""
    store = SQLiteOperationStore(tmp_path / "operations.sqlite3")
    store.save(FULL)
    lock = store.lock("operation a")
    assert lock.acquire(timeout=0)
    lock.release()
    modes = [
        stat.S_IMODE(path.stat().st_mode) for path in (store.path, tmp_path / "operations.sqlite3.locks")
    ]
    assert modes == [0o600, 0o700]


def test_a_file_that_is_none(tmp_path: Path, client: PaymanClient, sandbox: Sandbox) -> None:
    """A path that is no file is refused; a file that is no database, damaged or unreachable pays nothing, and the model is told."""
    for path in ("", 5, "a\0b"):
        with pytest.raises(ConfigurationError, match="path is not a file"):
            SQLiteOperationStore(path)  # type: ignore[arg-type]
    (tmp_path / "note.txt").write_text("no database, but long enough to be looked at as if it were one" * 20)
    (tmp_path / "note.txt.locks").write_text("no folder")
    with pytest.raises(OperationStoreError, match="cannot be read or written"):
        SQLiteOperationStore(tmp_path / "note.txt").load("tsk-1")
    for store in (
        SQLiteOperationStore(tmp_path / "note.txt"),
        SQLiteOperationStore(tmp_path / "note.txt" / "x" / "y"),
    ):
        result = PaymanToolkit(client, store=store).pay(*PAYMENT, operation="a")
        assert (result.status, "Nothing was sent now" in result.text) == ("not-sent", True)
    assert sends(sandbox) == []


def test_a_damaged_record() -> None:
    """A record that cannot be read is an error that says where, and never an operation that is new or counts less."""
    members = json.loads(FULL.to_json())
    damaged: dict[str, list[object]] = {
        "task_id": [None, 5, []], "account": [None], "name": [5, ["a"]], "payee": [None, 5, False], "memo": [5, []], "reason": [5], "payment_id": [5], "ordered_at": [5, "soon", "2025-06-27T16:31:41"], "stage": ["over", None, "", 0],
        "runs": [[1], "a", None, {"a": 1}], "amount": ["x", "NaN", "Infinity", "-1", "0", 1.5, None, []], "currency": [None, 5],
        "status": [5, "over", "open", False], "answer": [None, 5], "session_id": [5], "replies": [["a", None], "yes"],
        "is_replying": [0, None, "no"], "sent_at": ["now", True, -1, float("nan"), float("inf"), 10**400, []],
    }  # fmt: skip
    assert damaged.keys() == members.keys()  # a member that is new is damaged here, too
    texts = [
        "",
        "5",
        "{}",
        "null",
        "[]",
        '"open"',
        FULL.to_json()[:-1],
        FULL.to_json().replace("}", ', "more": 1}'),
    ]
    for name, values in damaged.items():
        texts += [json.dumps({**members, name: value}) for value in values]
        if name != "sent_at":  # which records of earlier versions do not have
            texts.append(json.dumps({key: value for key, value in members.items() if key != name}))
    for text in texts:
        with pytest.raises(OperationStoreError, match="the file holds a damaged operation"):
            pytest.fail(f"read {text} as {Operation.from_json(text, 'the file')}")


# --- Redis


def test_a_lock_is_renewed_while_its_holder_lives(redis_url: str, tmp_path: Path) -> None:
    """Redis hears of a holder before its lock expires, and no more once it is given back."""
    with redis_library.Redis.from_url(redis_url) as client:
        renewed, name = threading.Event(), f"lock {tmp_path.name}"
        lock = RenewedLock(client, name, seconds=2)  # long enough for a machine that is busy
        assert lock.acquire(timeout=0)
        held = lock._held
        assert held is not None
        renew = held[0].reacquire

        def reacquire() -> Any:
            done = renew()
            renewed.set()
            return done

        held[0].reacquire = reacquire  # type: ignore[method-assign]
        assert renewed.wait(timeout=30)
        assert not RenewedLock(client, name).acquire(timeout=0)
        lock.release()
        other = RenewedLock(client, name)
        assert other.acquire(timeout=0)
        lock.release()
        assert not RenewedLock(client, name).acquire(timeout=0)
        other.release()


@pytest.mark.parametrize("place", ["begins to be renewed", "was taken", "is dropped"])
@pytest.mark.parametrize("library", ["threads", "asyncio"])
def test_a_lock_in_redis_ends_with_an_interrupted_holder(
    redis_url: str, tmp_path: Path, place: str, library: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Wherever Ctrl-C comes, nothing renews the lock from then on, although the exception keeps all of its frames."""

    class Store(RedisOperationStore):
        def lock(self, name: str) -> Lock:
            return RenewedLock(self._client, f"{self._key}:lock:{name}", seconds=0.6)

    def interrupt(*_: object, **__: object) -> Any:
        raise KeyboardInterrupt

    if place == "begins to be renewed":

        class Interrupted(threading.Thread):
            def __init__(self, target: Callable[..., object] | None = None, **given: Any) -> None:
                super().__init__(target=target, **given)
                self.renews = target is _redis_server._renew

            def start(self) -> None:
                super().start()
                if self.renews:
                    interrupt()

        monkeypatch.setattr(threading, "Thread", Interrupted)
    elif place == "was taken":
        take = RenewedLock.take
        monkeypatch.setattr(RenewedLock, "take", lambda *args, **given: take(*args, **given) and interrupt())
    else:
        monkeypatch.setattr(RenewedLock, "drop", interrupt)

    def flow() -> Flow[None]:
        yield Sleep(0)

    name = f"{tmp_path.name}{place[0]}{library[0]}"
    log = OperationLog(Store(redis_url, name=name), "a", "r", None, is_async=library == "asyncio")

    async def run() -> None:
        await AsyncRunner().run(log.hold("tsk-1", 0, flow()))

    with pytest.raises(KeyboardInterrupt) as raised:
        SyncRunner().run(log.hold("tsk-1", 0, flow())) if library == "threads" else asyncio.run(run())
    monkeypatch.undo()
    waits_until = time.monotonic() + 10
    while not (is_free := Store(redis_url, name=name).lock("operation tsk-1").acquire(timeout=0)):
        assert time.monotonic() < waits_until
        time.sleep(0.02)
    assert is_free and raised.tb is not None


def test_a_lock_that_was_lost_pays_once(
    redis_url: str, tmp_path: Path, client: PaymanClient, sandbox: Sandbox
) -> None:
    """Where Redis gives a lock away while its holder is at work, the name of the operation still holds the line: it is paid once."""
    store = RedisOperationStore(redis_url, name=tmp_path.name)
    results = []

    def lose(proposal: Any) -> bool:
        with redis_library.Redis.from_url(redis_url) as redis:
            redis.delete(f"payman:operations:{tmp_path.name}:lock:operation {proposal.task_id}")
        results.append(
            PaymanToolkit(client, store=RedisOperationStore(redis_url, name=tmp_path.name)).pay(
                *PAYMENT, operation="a"
            )
        )
        return True

    results.append(PaymanToolkit(client, store=store, confirm=lose).pay(*PAYMENT, operation="a"))
    assert len({result.text for result in results}) == 1
    assert (len(sandbox.payments), sends(sandbox)) == (1, [PAYMENT])


def test_a_redis_that_is_none(client: PaymanClient, sandbox: Sandbox) -> None:
    """What is no Redis is refused; one that cannot be reached pays nothing, and the model is told."""
    for given in (5, "nonsense"):
        with pytest.raises(ConfigurationError, match="redis_client"):
            RedisOperationStore(given)  # type: ignore[arg-type]
    store = RedisOperationStore("redis://:s3cret-word@127.0.0.1:1/0")
    result = PaymanToolkit(client, store=store).pay(*PAYMENT, operation="a")
    assert (result.status, sends(sandbox)) == ("not-sent", [])
    assert "s3cret-word" not in result.text + repr(store)
