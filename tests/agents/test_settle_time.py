"""When an operation may be sent again, and what counts meanwhile: the flows, stepped with a client and a clock that are set by hand."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve

from payman_sdk._config import read_config
from payman_sdk._core.formatting import format_task
from payman_sdk._core.orders import PaymentOrder, read_payment_order
from payman_sdk._core.payment_types import Payment, PaymentOutcome
from payman_sdk._core.requests import derive_task_id
from payman_sdk._core.task_reader import read_task
from payman_sdk._io.key_store import MemoryKeyStore, SQLiteKeyStore
from payman_sdk._io.runner import SyncRunner
from payman_sdk.agents import (
    MemoryOperationStore,
    Operation,
    OperationResult,
    OperationStoreError,
    SpendingLimit,
)
from payman_sdk.agents.claims import OperationKey
from payman_sdk.agents.operation_context import OperationContext
from payman_sdk.agents.operation_log import OperationLog
from payman_sdk.agents.operations import check, pay
from payman_sdk.agents.replies import reply
from payman_sdk.errors import (
    AgentError,
    APIConnectionError,
    APIStatusError,
    KeyStoreError,
    OutcomeUnknownError,
    PaymanError,
    TaskNotFoundError,
)
from tests.steps import Clock

PAYMENT = read_payment_order("Test Payee", "10.00", "TSD", None, None)
OTHER = PAYMENT._replace(amount=Decimal("11.00"))
ORDER: dict[str, Any] = {"payee": "Test Payee", "amount": Decimal("10.00"), "currency": "TSD"}
ACCOUNT = "pm-1 at https://agent.payman.dev"


class Agent:
    """A client by hand: its asks raise what is set, its look-ups find what is set."""

    def __init__(self) -> None:
        self.failure: Callable[[str], Exception] | None = None
        self.found: set[str] = set()
        self.asked: list[PaymentOrder] = []
        self.before_send: Callable[[Any], None] = lambda outgoing: None
        self.key_stores: list[Any] = []
        self.loaded: list[float | None] = []

    def pay(
        self,
        payee: str,
        amount: Decimal,
        currency: str,
        *,
        memo: str | None,
        idempotency_key: str,
        key_store: Any,
        **options: Any,
    ) -> Payment:
        order = PaymentOrder(payee, amount, currency, memo)
        task_id = derive_task_id("pm-1", idempotency_key)
        self.key_stores.append(key_store)
        before = key_store.load(task_id)
        self.loaded.append(before)
        self.before_send(order)
        try:
            assert key_store.claim(task_id, 0.0, before)
        except OperationStoreError as failure:
            raise lost(task_id, sent=False, kind=KeyStoreError) from failure
        self.asked.append(order)
        if self.failure is not None:
            error = self.failure(task_id)
            if "on_event" in options:
                options["on_event"](error)
            if isinstance(error, OutcomeUnknownError) or (isinstance(error, PaymanError) and error.sent):
                return paid(task_id, order, error=error)
            raise error
        self.found.add(task_id)
        return paid(task_id, order)

    def payment_status(self, payment: Payment | str) -> Payment:
        task_id = payment if isinstance(payment, str) else str(payment.task_id)
        if task_id not in self.found:
            raise TaskNotFoundError("Task not found", task_id=task_id)
        return paid(task_id, PAYMENT)

    def get_session_id(self) -> str:
        return "ses-1"


class Durable:
    """A store that outlives its process, as far as a toolkit knows."""

    def __init__(self) -> None:
        self.kept = MemoryOperationStore()
        self.load, self.save, self.list_by_run, self.lock = (
            self.kept.load, self.kept.save, self.kept.list_by_run, self.kept.lock,
        )  # fmt: skip


def paid(task_id: str, order: PaymentOrder, error: PaymanError | None = None) -> Payment:
    """Return a payment that was made, or whose answer was lost."""
    status = {"state": "completed", "timestamp": "2025-06-27T16:31:41Z"}
    task = read_task({"id": task_id, "sessionId": "ses-1", "status": status}, task_id)
    assert task is not None
    response = format_task(task, request_id="req-1", session_id="ses-1")
    return Payment(
        outcome=PaymentOutcome.UNDETERMINED if error else PaymentOutcome.PAID,
        task_id=task_id,
        error=error,
        response=None if error else response,
        **order._asdict(),
    )


class Bench:
    """A toolkit's flows, with everything around them set by hand."""

    def __init__(self, *, limit: SpendingLimit | None = None, **settings: Any) -> None:
        self.agent, self.clock, self.store = Agent(), Clock(), Durable()
        self.limit, self.settings = limit, {"key_store": MemoryKeyStore(), **settings}

    def context(self, run_id: str = "monday") -> OperationContext:
        """What a process has that starts now."""
        config = read_config(
            {"client_id": "pm-1", "base_url": "https://agent.payman.dev", "settle_time": 30, **self.settings},
            {},
        )
        ledger = OperationLog(self.store, ACCOUNT, run_id, self.limit, self.clock)
        return OperationContext(self.agent, ledger, None, config)  # type: ignore[arg-type]

    def pay(
        self, name: str = "a", order: PaymentOrder = PAYMENT, *, run_id: str = "monday", **options: Any
    ) -> OperationResult:
        task_id = derive_task_id("pm-1", name)
        return SyncRunner().run(pay(self.context(run_id), order, name, task_id, 0, options.get("on_message")))

    def check(self, name: str = "a") -> OperationResult:
        return SyncRunner().run(check(self.context(), name, derive_task_id("pm-1", name)))

    def record(self, name: str = "a") -> Operation:
        found = self.store.load(derive_task_id("pm-1", name))
        assert found is not None
        return found

    def write(self, *, sent_at: float | None, **members: Any) -> None:
        """Write down an operation that was sent, as a process has left it."""
        task_id = derive_task_id("pm-1", "a")
        given: dict[str, Any] = {"name": "a", **ORDER, "stage": "sent", "runs": ["monday"], **members}
        self.store.save(Operation(task_id=task_id, account=ACCOUNT, sent_at=sent_at, **given))


def test_what_may_still_arrive_is_never_sent() -> None:
    """An operation that Payman does not know is sent again only if it was sent long enough ago, with the same order, and that is allowed."""
    rows: dict[str, tuple[float | None, dict[str, Any], dict[str, Any], bool]] = {
        "just sent": (0, {}, {}, False),
        "a moment before its time": (29.999, {}, {}, False),
        "at its time": (30, {}, {}, True),
        "long ago": (10**6, {}, {}, True),
        "a longer settle_time": (30, {}, {"settle_time": 60}, False),
        "never": (10**6, {}, {"resend": "never"}, False),
        "at a time that is not recorded": (None, {}, {}, False),
        "in the future": (-0.001, {}, {}, False),
        "in a far future": (-(10**9), {}, {}, False),
        "another order": (10**6, {**ORDER, "amount": OTHER.amount}, {}, False),
        "an order that is not known": (10**6, dict.fromkeys(("payee", "amount", "currency")), {}, False),
        "known to Payman once": (10**6, {"status": "working"}, {}, False),
        "of unknown state once": (10**6, {"status": "unknown"}, {}, False),
        "with a reply on its way": (10**6, {"is_replying": True}, {}, False),
        "ended": (10**6, {"stage": "ended", "status": "failed"}, {}, False),
    }
    for name, (ago, members, settings, is_sent) in rows.items():
        bench = Bench(**settings)
        bench.write(sent_at=None if ago is None else bench.clock.now - ago, **members)
        checked = bench.check()
        assert bench.agent.asked == [], name
        paid = bench.pay()
        assert bench.agent.asked == ([PAYMENT] if is_sent else []), name
        assert (paid.status == "paid") is is_sent, name
        assert checked.status == (members.get("status") or "unknown"), name
        assert ("once more" in checked.text) is (is_sent or name == "another order"), name
        assert bench.record().runs == ("monday",), name


def test_a_clock_that_was_set_back_or_is_not_recorded_begins_anew() -> None:
    """A time that is still to come, or is not recorded, counts as the moment it is read, and is written down so."""
    for sent_at in (None, 5000.0):
        bench = Bench()
        bench.write(sent_at=sent_at)
        assert (bench.check().status, bench.record().sent_at) == ("unknown", 1000.0)
        bench.clock.now += 29.9
        assert bench.pay().status == "unknown"
        bench.clock.now += 0.1
        assert bench.pay().status == "paid"


def test_every_attempt_is_recorded_before_it_leaves() -> None:
    """What is written down is never older than the last attempt of an ask, nor than its end where that left it open."""
    bench = Bench()

    def first(task_id: str) -> PaymanError:
        bench.clock.now += 5
        return lost(task_id, sent=True)

    bench.agent.failure = first
    bench.pay()
    assert bench.record().sent_at == 1005
    with pytest.raises(OperationStoreError, match="taken over"):
        bench.agent.key_stores[0].claim(
            bench.record().task_id, 0.0, None
        )  # the operation is not this ask's any more
    bench.clock.now += 495

    def attempts(task_id: str) -> PaymanError:
        for _ in range(3):
            bench.clock.now += 100
            [_, second] = bench.agent.key_stores
            assert second.claim(task_id, 0.0, None)
            assert bench.record().sent_at == bench.clock.now
        bench.clock.now += 7
        return lost(task_id, sent=None)

    bench.agent.failure = attempts
    assert bench.pay().status == "unknown"
    assert (bench.record().sent_at, bench.agent.loaded) == (1807, [None, 1005])


def test_the_client_s_own_key_store_is_asked_and_updated_too() -> None:
    """An ask with the same key that no toolkit made is known, in whichever store; one that fails stops only those who named it."""
    operation = Operation(task_id="tsk-1", account=ACCOUNT, name="a", **ORDER, stage="sent", sent_at=900.0)
    for before, recorded, expected in (
        (None, None, None),
        (500, None, 500),
        (None, 700.0, 700.0),
        (500, 700.0, 700.0),
        (800, 700.0, 800),
    ):
        keys, store, clock = MemoryKeyStore(), MemoryOperationStore(), Clock()
        if recorded is not None:
            keys.claim("tsk-1", recorded, None)
        store.save(operation)
        key = OperationKey(store, clock, operation, before, keys)
        assert key.load("tsk-1") == expected
        assert key.claim("tsk-1", 1000.5, expected)
        clock.now += 1
        assert key.claim("tsk-1", 1001.5, 1000.5)
        assert (keys.load("tsk-1"), key.operation) == (1001.5, evolve(operation, sent_at=1001.0))
        keys.forget("tsk-1", 1001.5)  # somebody else has recorded something
        keys.claim("tsk-1", 1002.0, None)
        assert not key.claim("tsk-1", 1003.0, 1001.5)
        key.forget("tsk-1", 1002.0)
        assert keys.load("tsk-1") is None


def test_a_key_store_that_fails(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The key store of this user is left out where it cannot be used, as the record of the operation says enough; a named one is not."""
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("PAYMAN_STATE_DIR", str(tmp_path / "file"))
    operation, store = (
        Operation(task_id="tsk-1", account=ACCOUNT, stage="sent", sent_at=900.0),
        MemoryOperationStore(),
    )
    store.save(operation)
    key = OperationKey(store, Clock(), operation, None, None)
    assert (key.load("tsk-1"), key.claim("tsk-1", 1000.0, None)) == (None, True)
    key.forget("tsk-1", 1000.0)
    with pytest.raises(OSError, match="file"):
        OperationKey(store, Clock(), operation, None, SQLiteKeyStore(tmp_path / "file" / "keys")).load(
            "tsk-1"
        )


def lost(task_id: str, *, sent: bool | None, kind: type[PaymanError] = APIConnectionError) -> PaymanError:
    error = kind("It broke.", task_id=task_id)
    error.sent = sent
    return error


def test_only_what_was_not_sent_gives_its_count_back() -> None:
    """Of ten payments that fail, whatever the error is, so many are sent as the limit allows, unless nothing was done."""
    for kind in (APIConnectionError, APIStatusError, AgentError, OutcomeUnknownError, PaymanError):
        for sent in (True, None, False):
            bench = Bench(limit=SpendingLimit(max_payments=3))
            bench.agent.failure = lambda task_id, sent=sent, kind=kind: lost(task_id, sent=sent, kind=kind)
            statuses = [bench.pay(f"invoice-{number}").status for number in range(10)]
            row = f"{kind.__name__}, sent={sent}"
            assert len(bench.agent.asked) == (10 if sent is False else 3), row
            assert statuses.count("refused") == (7 if sent is not False else statuses.count("refused")), row
            bench.clock.now += 3600
            bench.agent.failure = None
            statuses = [bench.pay(f"invoice-{number}").status for number in range(10)]
            assert statuses == ["paid"] * 3 + ["refused"] * 7, row


def test_a_count_stays_when_an_operation_is_sent_again_and_refused() -> None:
    """What may have been carried out counts, though the server refuses it the second time; so does what is kept from being sent."""
    bench = Bench(limit=SpendingLimit(max_payments=1))
    bench.agent.failure = lambda task_id: lost(task_id, sent=None)
    assert bench.pay().status == "unknown"
    bench.clock.now += 60
    bench.agent.failure = lambda task_id: lost(task_id, sent=False, kind=APIStatusError)
    assert bench.pay().status == "unknown"
    assert (bench.pay("b").status, bench.record().runs, bench.record().sent_at) == (
        "refused",
        ("monday",),
        1000.0,
    )
    assert bench.pay(run_id="tuesday").status == "unknown"
    assert bench.record().runs == ("monday",)
    bench.agent.failure = None
    assert bench.pay(run_id="tuesday").status == "paid"
    assert bench.record().runs == ("monday", "tuesday")


def test_what_a_hook_raises_proves_nothing() -> None:
    """An error that on_message raises about the same task, and that says that nothing was sent, leaves the payment counted."""
    bench = Bench(limit=SpendingLimit(max_payments=1))
    bench.agent.failure = lambda task_id: lost(task_id, sent=False)

    def on_message(error: Exception) -> None:
        raise error

    with pytest.raises(APIConnectionError):
        bench.pay(on_message=on_message)
    assert (bench.pay("b").status, bench.record().stage) == ("refused", "sent")


def test_a_clock_that_fails_after_sending_is_not_a_reason_to_deny_it() -> None:
    """Where the store fails after something was sent, the result is unknown, and never that nothing was sent."""
    for kind in (APIConnectionError, AgentError):
        bench = Bench()

        def fail(task_id: str, bench: Bench = bench, kind: type[PaymanError] = kind) -> PaymanError:
            def broken() -> float:
                raise OSError("the store is gone")

            bench.clock.__class__ = type("Broken", (Clock,), {"__call__": lambda _: broken()})
            return lost(task_id, sent=None, kind=kind)

        bench.agent.failure = fail
        assert bench.pay().status == "unknown"


def test_a_reply_is_not_a_payment_to_be_sent_again() -> None:
    """A reply to an operation that Payman does not know sends nothing."""
    bench = Bench()
    bench.write(sent_at=0.0)
    result = SyncRunner().run(reply(bench.context(), "approve", "a", derive_task_id("pm-1", "a"), 0, None))
    assert (result.status, bench.agent.asked) == ("unknown", [])


def test_a_store_that_loses_what_this_process_has_counted() -> None:
    """Whatever a store loses of a run, the toolkits of the process that counted it refuse, and count nothing anew."""
    bench = Bench(limit=SpendingLimit(max_payments=3))
    assert [bench.pay(name).status for name in "ab"] == ["paid"] * 2
    members = bench.store.kept._kept
    kept = dict(members)
    for lost_names in ("a", "b", "ab"):
        for name in lost_names:
            del members[derive_task_id("pm-1", name)]
        with pytest.raises(OperationStoreError, match="has lost an operation"):
            bench.pay("c")
        members.update(kept)
    assert [bench.pay(name).status for name in "cd"] == ["paid", "refused"]
    assert bench.pay("d", run_id="tuesday").status == "paid"


def test_an_operation_that_somebody_else_took_up() -> None:
    """Where another call has written an operation down while this one asked a person, its lock being lost, this one sends nothing."""
    for stage, status in (("sent", "unknown"), ("ended", "paid"), ("open", "working")):
        bench = Bench()
        context = bench.context()

        def confirm(proposal: Any, bench: Bench = bench, stage: str = stage, status: str = status) -> bool:
            bench.write(sent_at=bench.clock.now, stage=stage, status=status if stage == "ended" else None)
            return True

        context.confirm = confirm
        result = SyncRunner().run(pay(context, PAYMENT, "a", derive_task_id("pm-1", "a"), 0, None))
        assert (result.status, bench.agent.asked) == (status, []), stage


def test_an_operation_that_somebody_else_took_up_after_it_was_claimed() -> None:
    """Where another call has written an operation down before this one could send it, that stays, and is told."""
    for stage, status in (("sent", "unknown"), ("ended", "paid")):
        bench = Bench(limit=SpendingLimit(max_payments=1))

        def before_send(
            outgoing: Any, bench: Bench = bench, stage: Any = stage, status: str = status
        ) -> None:
            bench.write(sent_at=bench.clock.now, stage=stage, status=status if stage == "ended" else None)

        bench.agent.before_send = before_send
        for _ in range(2):
            assert bench.pay().status == status, stage
            assert (bench.record().stage, bench.record().runs, bench.agent.asked) == (
                stage,
                ("monday",),
                [],
            ), stage


def test_claims_are_remembered_within_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process remembers its newest claims, which is where a store shows that it lost some."""
    monkeypatch.setattr("payman_sdk.agents.claims._MOST", 2)
    bench = Bench(limit=SpendingLimit(max_payments=9))
    assert [bench.pay(name).status for name in "abc"] == ["paid"] * 3
    bench.store.save(evolve(bench.record("a"), runs=()))
    assert bench.pay("d").status == "paid"
    bench.store.save(evolve(bench.record("d"), runs=()))
    with pytest.raises(OperationStoreError, match="has lost an operation"):
        bench.pay("e")
