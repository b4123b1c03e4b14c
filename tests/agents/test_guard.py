"""The guard above a payment: who is asked, how much a run may pay, and what stays unknown."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from payman_sdk import PaymanClient
from payman_sdk._core.effects import Lock
from payman_sdk.agents import (
    AsyncPaymanToolkit,
    ConfirmationRequest,
    MemoryOperationStore,
    Operation,
    OperationResult,
    OperationStoreError,
    PaymanToolkit,
    SpendingLimit,
)
from payman_sdk.agents.limits import find_money
from payman_sdk.errors import ConfigurationError, OutcomeUnknownError, RateLimitError
from payman_sdk.sandbox import ConnectionLost, HTTPError, RPCError, Sandbox, ScriptedResponse
from tests.agents.conftest import connected, connected_async, let_settle, sends

PAYMENT = "send 10 TSD to Test Payee"
BIG = "send 200 TSD to Test Payee"


# --- confirm


@pytest.mark.parametrize("answer", [False, None, "yes", 1, PermissionError("not on a Sunday")])
def test_only_true_is_a_yes(answer: object, client: PaymanClient, sandbox: Sandbox) -> None:
    """What confirm answers otherwise, or raises, refuses: nothing is sent, the model is told, and it can be asked for again later."""

    def confirm(proposal: ConfirmationRequest) -> Any:
        if isinstance(answer, Exception):
            raise answer
        return answer

    store = MemoryOperationStore()
    result = PaymanToolkit(client, confirm=confirm, store=store).pay(PAYMENT, "invoice-1")
    assert (result.status, result.is_error, sandbox.requests) == ("refused", True, [])
    assert "nothing was paid: it was not agreed to" in result.text
    assert ("not on a Sunday" in result.text) is isinstance(answer, Exception)
    agreed = PaymanToolkit(client, confirm=lambda proposal: True, store=store)
    assert agreed.pay(PAYMENT, "invoice-1").status == "completed"


def test_confirm_is_asked_once_before_money_moves(client: PaymanClient, sandbox: Sandbox) -> None:
    """It sees the exact words before anything is sent, a reply with what it is about; never what was sent already, nor an ask."""
    seen: list[tuple[ConfirmationRequest, int]] = []

    def confirm(proposal: ConfirmationRequest) -> bool:
        seen.append((proposal, len(sends(sandbox))))
        return True

    toolkit = PaymanToolkit(client, confirm=confirm)
    waits = toolkit.pay(BIG, "invoice-1")
    toolkit.pay(BIG, "invoice-1")
    toolkit.pay("other words", "invoice-1")
    toolkit.check("invoice-1")
    toolkit.ask("list all wallets")
    toolkit.reply("invoice-1", "approve")
    toolkit.reply("invoice-1", "approve")
    (payment, before_payment), (reply, before_reply) = seen
    task_id = waits.task_id or ""
    assert (payment, before_payment) == (
        ConfirmationRequest(text=BIG, operation="invoice-1", task_id=task_id),
        0,
    )
    assert (reply.text, reply.operation, reply.is_reply, reply.about, before_reply) == (
        "approve", "invoice-1", True, BIG, 2,
    )  # fmt: skip
    assert "Approval needed" in str(reply.question)


def test_a_reply_can_be_refused(client: PaymanClient, sandbox: Sandbox) -> None:
    """A reply that is not agreed to is not sent, the payment waits on, and the same reply can be given later."""
    store = MemoryOperationStore()
    careful = PaymanToolkit(client, confirm=lambda proposal: not proposal.is_reply, store=store)
    careful.pay(BIG, "invoice-1")
    assert careful.reply("invoice-1", "approve").status == "refused"
    assert sends(sandbox) == [BIG]
    assert PaymanToolkit(client, store=store).reply("invoice-1", "approve").status == "completed"


def test_a_hook_of_the_client_refuses_too(sandbox: Sandbox) -> None:
    """What the client's own before_send raises is told as a refusal: nothing was sent, nothing counts, and it can be tried again."""
    refuses = {"on": True}

    def before_send(outgoing: Any) -> None:
        if refuses["on"]:
            raise PermissionError("not on a Sunday")

    with connected(sandbox, before_send=before_send) as client:
        toolkit = PaymanToolkit(client, limit=SpendingLimit(max_payments=1))
        for result in (toolkit.pay(PAYMENT, "a"), toolkit.ask("list all wallets")):
            assert (result.status, "not on a Sunday" in result.text) == ("refused", True)
        assert sends(sandbox) == []
        refuses["on"] = False
        assert toolkit.pay(BIG, "b").status == "input-required"
        refuses["on"] = True
        assert toolkit.reply("b", "approve").status == "refused"
        refuses["on"] = False
        assert toolkit.reply("b", "approve").status == "completed"


def test_a_hook_that_is_a_coroutine_function_refuses_too(sandbox: Sandbox) -> None:
    """The same on an event loop."""

    async def before_send(outgoing: Any) -> None:
        if "200" in outgoing.text:
            raise PermissionError("too much")

    async def main() -> list[str]:
        async with connected_async(sandbox, before_send=before_send) as client:
            toolkit = AsyncPaymanToolkit(client)
            return [(await toolkit.pay(text, text)).status for text in (BIG, PAYMENT)]

    assert anyio.run(main) == ["refused", "completed"]
    assert sends(sandbox) == [PAYMENT]


# --- limits


def test_a_run_past_its_number_of_payments(client: PaymanClient, sandbox: Sandbox) -> None:
    """Past the limit nothing is sent; what was paid can still be asked for, and a restarted run goes on counting."""
    store, asked = MemoryOperationStore(), list[ConfirmationRequest]()

    def toolkit(run_id: str) -> PaymanToolkit:
        return PaymanToolkit(
            client,
            run_id=run_id,
            limit=SpendingLimit(max_payments=2),
            store=store,
            confirm=lambda proposal: asked.append(proposal) or True,  # type: ignore[func-returns-value]
        )

    first = toolkit("monday")
    assert [first.pay(PAYMENT, name).status for name in ("a", "a", "b", "a")] == ["completed"] * 4
    before = len(sandbox.requests)
    for again in (first, toolkit("monday")):
        result = again.pay(PAYMENT, "c")
        assert (result.status, again.pay(PAYMENT, "a").status) == ("refused", "completed")
        assert "may make 2 payments" in result.text
    assert len(sandbox.requests) == before
    assert len(asked) == 2  # nobody is asked in vain
    assert toolkit("tuesday").pay(PAYMENT, "c").status == "completed"


def test_a_run_past_its_money(client: PaymanClient, sandbox: Sandbox) -> None:
    """Money is counted per currency, before it is sent; a text that states none, or another currency, is refused."""
    toolkit = PaymanToolkit(client, limit=SpendingLimit(max_amount={"TSD": Decimal(25)}))
    assert toolkit.pay(PAYMENT, "a").status == "completed"
    for text in (
        "send 15.01 TSD to Test Payee",
        "send 1 USD to Test Payee",
        "send ten TSD to Test Payee",
        "create a payee named Al",
    ):
        result = toolkit.pay(text, "b")
        assert result.status == "refused", text
    assert toolkit.pay("send 15 TSD to Test Payee", "b").status == "completed"
    assert "0 are left" in toolkit.pay("send 1 TSD to Test Payee", "c").text
    assert sends(sandbox) == [PAYMENT, "send 15 TSD to Test Payee"]
    assert sandbox.balance("TSD") == 975


def test_what_did_not_happen_does_not_count() -> None:
    """An operation that the agent or its server plainly refused, once, gives its count back."""
    refusals: list[Any] = [
        *map(HTTPError, (400, 403, 404, 405, 413, 415, 422, 451)),
        *map(RPCError, (-32602, -32601)),
    ]
    for refusal in refusals:
        with contextlib.closing(Sandbox()) as sandbox, connected(sandbox) as client:
            toolkit = PaymanToolkit(client, limit=SpendingLimit(max_payments=1))
            sandbox.script([refusal])
            statuses = [toolkit.pay(PAYMENT, name).status for name in "aba"]
            assert statuses == [statuses[0], "completed", "refused"], refusal
            assert statuses[0] in ("refused", "failed"), refusal


def test_what_may_have_happened_counts_until_that_is_known() -> None:
    """What was lost or turned away counts, also when it may be sent again, in the same words; nobody's answer to it proves anything."""
    failures: list[Any] = [*map(HTTPError, (401, 402, 408, 409, 423, 425, 429, 499, 500, 502, 503, 504, 520)), RPCError(-32603), RPCError(-1),
                ConnectionLost(taken=False)]  # fmt: skip
    for failure in failures:
        store = MemoryOperationStore()
        with contextlib.closing(Sandbox()) as sandbox, connected(sandbox, settle_time=0.01) as client:
            toolkit = PaymanToolkit(client, limit=SpendingLimit(max_payments=1), store=store)
            sandbox.script(
                [failure] * (2 if failure.status == 401 else 1)
                if isinstance(failure, HTTPError)
                else [failure]
            )
            first = toolkit.pay(PAYMENT, "a")
            assert (first.status, toolkit.pay(PAYMENT, "b").status) == ("unknown", "refused"), failure
            let_settle(store, first.task_id)
            other = toolkit.pay("send 11 TSD to Test Payee", "a")
            assert (other.status, "in the same words" in other.text) == ("unknown", True), failure
            assert [toolkit.pay(PAYMENT, name).status for name in "ab"] == ["completed", "refused"], failure
            assert len(sandbox.payments) == 1, failure


def test_what_may_have_happened_counts(client: PaymanClient, sandbox: Sandbox) -> None:
    """An operation that waits, or has failed at Payman, counts."""
    toolkit = PaymanToolkit(client, limit=SpendingLimit(max_payments=2))
    sandbox.script([ScriptedResponse("No.", state="failed")])
    assert [toolkit.pay(BIG, name).status for name in "abc"] == ["failed", "input-required", "refused"]


def test_a_reply_counts_in_the_run_that_gives_it(client: PaymanClient, sandbox: Sandbox) -> None:
    """An approval counts where it is given, and once: not again in the run of the payment, and in another run as a payment of its own."""
    store = MemoryOperationStore()
    run = {"limit": SpendingLimit(max_payments=1), "store": store}
    monday = PaymanToolkit(client, run_id="monday", **run)  # type: ignore[arg-type]
    tuesday = PaymanToolkit(client, run_id="tuesday", **run)  # type: ignore[arg-type]
    monday.pay(BIG, "a")
    tuesday.pay(PAYMENT, "b")
    assert tuesday.reply("a", "approve").status == "refused"
    assert sends(sandbox) == [BIG, PAYMENT]
    assert monday.reply("a", "approve").status == "completed"


@pytest.mark.parametrize(
    "text", ["make it 900 TSD", "yes, TSD-900", "send the rest to Bob", "nine hundred, please"]
)
def test_a_reply_cannot_change_what_was_counted(text: str, client: PaymanClient, sandbox: Sandbox) -> None:
    """In a run with a limit in money, a reply that may change how much is paid is refused; a plain one, or one without such a limit, is sent."""
    store = MemoryOperationStore()
    toolkit = PaymanToolkit(client, store=store, limit=SpendingLimit(max_amount={"TSD": 200}))
    toolkit.pay(BIG, "a")
    assert toolkit.reply("a", text).status == "refused"
    assert sends(sandbox) == [BIG]
    PaymanToolkit(client, store=store, limit=SpendingLimit(max_payments=1)).reply("a", text)
    assert toolkit.reply("a", "approve").status == "completed"
    assert sends(sandbox) == [BIG, text, "approve"]


@pytest.mark.parametrize(
    "limit", [SpendingLimit(max_payments=3), SpendingLimit(max_amount={"TSD": Decimal(35)})]
)
def test_payments_at_once_do_not_slip_under_the_limit(
    limit: SpendingLimit, client: PaymanClient, sandbox: Sandbox
) -> None:
    """Of many payments that are all agreed to at the same moment, so many are made as the limit allows, and no more is sent."""
    ready = threading.Barrier(12)
    toolkit = PaymanToolkit(client, limit=limit, confirm=lambda proposal: ready.wait(timeout=30) >= 0)

    def pay(name: int) -> str:
        return toolkit.pay(PAYMENT, f"invoice-{name}").status

    with ThreadPoolExecutor(12) as pool:
        statuses = list(pool.map(pay, range(12)))
    assert sorted(statuses) == ["completed"] * 3 + ["refused"] * 9
    assert sends(sandbox) == [PAYMENT] * 3


@pytest.mark.parametrize(
    "given", [{"max_payments": -1}, {"max_payments": 1.5}, {"max_payments": True}, {"max_amount": 5}, {"max_amount": {"$": 5}}, {"max_amount": {"TSD": "much"}},
              {"max_amount": {"TSD": -1}}, {"max_amount": {"TSD": True}}, {"max_amount": {"TSD": float("nan")}}, {"max_amount": {5: 5}}]
)  # fmt: skip
def test_a_limit_that_cannot_be_one(given: dict[str, Any]) -> None:
    """What is no number of payments and no amount of a currency is refused by name."""
    with pytest.raises(ConfigurationError, match=r"SpendingLimit\.max_(payments|amount)"):
        SpendingLimit(**given)


@pytest.mark.parametrize(
    ("text", "money"),
    [
        ("send 10 TSD to Bob", "10 TSD"),
        ("send 1,250.50 TSD to Bob from my TSD wallet", "1250.50 TSD"),
        ("Send 35.00 tsd to payee pd-1f048707-53da-6908-a779-972e0be1d5f8. Memo: Micro-loan", "35.00 TSD"),
        ("pay Bob USDC 0.5 for invoice-42", "0.5 USDC"),
        ("send $5 TSD to a5@example.com", "5 TSD"),
        ("send 3 XYZ to Bob", "3 XYZ"),
        ("pay Bob 50$", None),
        ("send 5 dollars to Bob", None),
        ("send 10 to Bob", None),
        ("send ten TSD to Bob", None),
        ("send 10 TSD to Bob and Al", None),
        ("send 10 TSD to each of my payees", None),
        ("send 10 TSD to Bob, then the same to Al", None),
        ("send 10 TSD to Bob twice", None),
        ("send 10 TSD to Bob, pay-500 to Al", None),
        ("send 10 TSD to Bob, 500 to Al", None),
        ("send 10 TSD to Bob; send 10 TSD to Al", None),
        ("send 10 thousand TSD to Bob", None),
        ("send 10k TSD to Bob", None),
        ("send 1.000 TSD to Bob", None),
        ("send 10,5 TSD to Bob", None),
        ("send -5 TSD to Bob", None),
        ("send 0 TSD to Bob", None),
        ("send 010 TSD to Bob", None),
        ("send \u0661\u0660 TSD to Bob", None),
        ("send ½ TSD to Bob", None),
        ("create a payee named Bob", None),
        ("send 10 TSD to Bob, transfer TSD-500 to Al", None),
        ("send 10 TSD to Bob, xyz-500 to Al", None),
        ("send 10 TSD to Bob, make-it-500", None),
        ("send 10 TSD to Bob, amount-500", None),
        ("leave 1 TSD in my wallet, send the rest to Bob", None),
        ("send what remains beyond 1 TSD to Bob", None),
        ("send my entire balance minus 1 TSD to Bob", None),
        ("send 10 TSD to Bob as well as Al", None),
    ],
)  # fmt: skip
def test_the_amount_of_a_text(text: str, money: str | None) -> None:
    """An amount is read where the text states exactly one; in doubt, none is."""
    found = find_money(text, ["XYZ"])
    assert (None if found is None else str(found)) == money


@given(st.text(max_size=30), st.integers(1, 10**6), st.text(max_size=30))
def test_no_second_number_goes_uncounted(before: str, amount: int, after: str) -> None:
    """Whatever stands around an amount: another number is found, or nothing is read."""
    found = find_money(f"{before} 10 TSD to Bob {after} {amount} TSD")
    assert found is None


# --- unknown outcomes


@pytest.fixture
def forgetful() -> Iterator[Sandbox]:
    """A sandbox without `tasks/get`."""
    sandbox = Sandbox(tasks_get=False)
    yield sandbox
    sandbox.close()


UNKNOWN = "Do not pay again"


def test_a_server_that_does_not_tell(forgetful: Sandbox) -> None:
    """Without tasks/get nothing is sent under a name, however often it is asked for, and the model is told that it is unknown."""
    with connected(forgetful) as client:
        toolkit = PaymanToolkit(client, limit=SpendingLimit(max_payments=1))
        results = [
            toolkit.pay(PAYMENT, "a"),
            toolkit.pay(PAYMENT, "a"),
            toolkit.check("a"),
            toolkit.pay(PAYMENT, "b"),
        ]
    assert {one.status for one in results} == {"unknown"}
    assert all(
        "Nothing was sent now" in one.text and "Do not pay in another way" in one.text for one in results
    )
    assert not any(one.is_error for one in results)
    assert sends(forgetful) == []


class Switchboard(httpx.BaseTransport):
    """Leads to a sandbox, and, from when it is told so, to one without `tasks/get` that keeps the same accounts.

    Attributes:
        sandboxes: the one with `tasks/get`, and the one without.
    """

    def __init__(self, file: Path) -> None:
        self.sandboxes = Sandbox(db=file), Sandbox(db=file, tasks_get=False, resubscribe="off")
        self._lines = [one.transport() for one in self.sandboxes]

    def switch(self, outgoing: object = None) -> None:
        """From now on, tasks cannot be looked up."""
        del self._lines[0]

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        return self._lines[0].handle_request(request)

    def sends(self) -> int:
        """How often something was sent to the agent."""
        return sum(len(sends(one)) for one in self.sandboxes)


@pytest.fixture
def switchboard(tmp_path: Path) -> Iterator[Switchboard]:
    switchboard = Switchboard(tmp_path / "sandbox.sqlite3")
    yield switchboard
    for sandbox in switchboard.sandboxes:
        sandbox.close()


def test_a_lost_answer_that_can_be_looked_up(toolkit: PaymanToolkit, sandbox: Sandbox) -> None:
    """An answer that is lost is looked up at once, and told as if it had come."""
    sandbox.script([ConnectionLost()])
    result = toolkit.pay(PAYMENT, "a")
    assert (result.status, len(sandbox.payments)) == ("completed", 1)
    assert toolkit.pay(PAYMENT, "a") == result


@pytest.mark.parametrize("is_streamed", [False, True])
def test_an_unknown_outcome_stays_unknown(is_streamed: bool, switchboard: Switchboard) -> None:
    """Where tasks/get is switched off in between, a lost answer stays unknown: nothing is sent again, in no words, and it counts."""
    known, forgetful = switchboard.sandboxes
    forgetful.script([ConnectionLost()])
    options: dict[str, Any] = {"on_message": lambda event: None} if is_streamed else {}
    with (
        httpx.Client(transport=switchboard) as http,
        known.client(http_client=http, max_retries=0, timeout=0.5, before_send=switchboard.switch) as client,
    ):
        toolkit = PaymanToolkit(client, limit=SpendingLimit(max_payments=1))
        first = toolkit.pay(PAYMENT, "a", **options)
        again = [toolkit.pay(PAYMENT, "a"), toolkit.check("a")]
        other = toolkit.pay("send 20 TSD to Test Payee", "a"), toolkit.reply("a", "approve")
        assert {one.status for one in (first, *again, *other)} == {"unknown"}
        assert all("Do not pay" in one.text and not one.is_error for one in (first, *again, *other))
        assert [one.as_dict() for one in again] == [first.as_dict()] * 2
        assert toolkit.pay(PAYMENT, "b").status == "refused"
    assert (len(known.payments), switchboard.sends()) == (1, 1)


def test_a_result_outlives_the_look_up(switchboard: Switchboard) -> None:
    """What is known to have ended is told though tasks/get is switched off; what waits is told as it was, and takes no reply."""
    with (
        httpx.Client(transport=switchboard) as http,
        switchboard.sandboxes[0].client(http_client=http, max_retries=0, timeout=0.5) as client,
    ):
        toolkit = PaymanToolkit(client)
        done, waits = toolkit.pay(PAYMENT, "a"), toolkit.pay(BIG, "b")
        switchboard.switch()
        assert toolkit.pay(PAYMENT, "a") == toolkit.check("a") == done
        assert toolkit.pay(BIG, "b") == toolkit.check("b") == waits
        assert "The reply was not sent" in toolkit.reply("b", "approve").text
    assert switchboard.sends() == 2


def test_what_was_known_once_is_not_sent_again() -> None:
    """That Payman has forgotten a task that it knew says nothing of the money: it is told as it was, and nothing is sent."""
    clients = {"pm-test-1": "s3cret"}
    store = MemoryOperationStore()
    with contextlib.closing(Sandbox(clients=clients)) as before, connected(before) as client:
        waits = PaymanToolkit(client, store=store).pay(BIG, "a")
    with contextlib.closing(Sandbox(clients=clients)) as after, connected(after) as client:
        toolkit = PaymanToolkit(client, store=store)
        assert toolkit.pay(BIG, "a") == toolkit.check("a") == waits
        assert "The reply was not sent" in toolkit.reply("a", "approve").text
        assert sends(after) == []


def test_a_task_that_is_still_at_work(sandbox: Sandbox) -> None:
    """A payment that has not ended in time is told as being at work, in words that invite no other try."""
    with connected(sandbox, timeout=0.3) as client:
        toolkit = PaymanToolkit(client, limit=SpendingLimit(max_payments=1))
        sandbox.script([ScriptedResponse("On it.", state="working")])
        results = [toolkit.pay(PAYMENT, "a"), toolkit.check("a")]
    assert [(one.status, UNKNOWN in one.text) for one in results] == [("working", True)] * 2
    assert len(sends(sandbox)) == 1


def test_a_reply_whose_answer_was_lost(sandbox: Sandbox) -> None:
    """Where it cannot be learned whether a reply arrived, none is sent any more while the task waits; once it is decided, that is told."""
    with connected(sandbox, timeout=0.3) as client:
        toolkit = PaymanToolkit(client)
        waits = toolkit.pay(BIG, "a")
        sandbox.script([ConnectionLost(answer=ScriptedResponse("Again?", state="input-required"))])
        results = [toolkit.reply("a", "approve"), toolkit.reply("a", "approve"), toolkit.reply("a", "yes")]
        assert [one.status for one in results] == ["unknown"] * 3
        assert all(UNKNOWN in one.text for one in results)
        assert sends(sandbox) == [BIG, "approve"]
        sandbox.approve(waits.task_id or "")
        assert toolkit.reply("a", "yes").status == "completed"
    assert sends(sandbox) == [BIG, "approve"]


def test_a_reply_that_was_not_taken_can_be_given_again(toolkit: PaymanToolkit, sandbox: Sandbox) -> None:
    """A reply that the server refused is told so, and is sent when it is given again; one that was turned away may have arrived."""
    toolkit.pay(BIG, "a")
    sandbox.script([HTTPError(403)])
    assert toolkit.reply("a", "approve").status == "refused"
    assert toolkit.reply("a", "approve").status == "completed"
    toolkit.pay(BIG, "b")
    sandbox.script([HTTPError(429)])
    assert [toolkit.reply("b", text).status for text in ("approve", "approve", "yes")] == ["unknown"] * 3
    assert sends(sandbox) == [BIG, "approve", "approve", BIG, "approve"]


class Flaky:
    """A store that can be made to fail, or to wait."""

    def __init__(self) -> None:
        self.kept = MemoryOperationStore()
        self.before_save: list[Callable[[], object]] = []
        self.load, self.list_by_run, self.lock = self.kept.load, self.kept.list_by_run, self.kept.lock

    def save(self, operation: Operation) -> None:
        if self.before_save:
            self.before_save.pop(0)()
        self.kept.save(operation)


def fails() -> None:
    raise OSError("the disk is full")


class Stuck:
    """A lock that fails when it is given back."""

    def __init__(self, lock: Lock, failure: Exception) -> None:
        self.lock, self.failure, self.acquire = lock, failure, lock.acquire

    def release(self) -> None:
        self.lock.release()
        raise self.failure


@pytest.mark.parametrize("failure", [OSError("stale"), OperationStoreError("The store is gone.")])
def test_a_lock_that_cannot_be_given_back(failure: Exception, client: PaymanClient, sandbox: Sandbox) -> None:
    """What was paid is told as paid, and not that nothing was sent, though the lock failed behind it."""
    store, made = MemoryOperationStore(), MemoryOperationStore().lock
    store.lock = lambda name: Stuck(made(name), failure)  # type: ignore[method-assign]
    toolkit = PaymanToolkit(client, store=store)
    assert toolkit.pay(PAYMENT, "a").status == "completed"
    assert sends(sandbox) == [PAYMENT]


def test_a_store_that_fails_after_the_payment(client: PaymanClient, sandbox: Sandbox) -> None:
    """What is known is told though it cannot be written down, and is learned from Payman the next time; it is paid once."""
    store = Flaky()
    store.before_save = [lambda: None, lambda: None, fails]  # claimed, sent, ended
    toolkit = PaymanToolkit(client, store=store)
    result = toolkit.pay(PAYMENT, "a")
    assert result.status == "completed"
    assert toolkit.pay(PAYMENT, "a") == toolkit.check("a") == result
    assert sends(sandbox) == [PAYMENT]


@pytest.mark.parametrize(
    "error", [RateLimitError("slow down"), ConfigurationError("wrong"), OutcomeUnknownError("lost")]
)
def test_an_error_of_the_sdk_that_a_hook_raises(
    error: Exception, client: PaymanClient, sandbox: Sandbox
) -> None:
    """What on_message raises says nothing of the payment, whatever it is: it comes out, and the payment counts and is known."""

    def on_message(event: object) -> None:
        raise error

    toolkit = PaymanToolkit(client, limit=SpendingLimit(max_payments=1))
    with pytest.raises(type(error)):
        toolkit.pay(PAYMENT, "a", on_message=on_message)
    assert toolkit.pay(PAYMENT, "b").status == "refused"
    assert toolkit.check("a").status == "completed"


# --- at once


def test_fifty_threads_send_once(toolkit: PaymanToolkit, sandbox: Sandbox) -> None:
    """Fifty threads that pay the same operation at the same moment send once, and all are told the same."""
    ready = threading.Barrier(50)

    def pay(_: int) -> OperationResult:
        ready.wait(timeout=30)
        return toolkit.pay(PAYMENT, "a")

    with ThreadPoolExecutor(50) as pool:
        results = set(pool.map(pay, range(50)))
    assert [one.status for one in results] == ["completed"]
    assert sends(sandbox) == [PAYMENT]


@pytest.mark.parametrize("loop", ["asyncio", "trio"])
def test_fifty_tasks_send_once(loop: str, sandbox: Sandbox) -> None:
    """The same for tasks of an event loop, of two toolkits that share a store."""
    results: set[OperationResult] = set()

    async def main() -> None:
        store = MemoryOperationStore()
        async with connected_async(sandbox) as client, anyio.create_task_group() as group:
            toolkits = [AsyncPaymanToolkit(client, store=store) for _ in range(2)]

            async def pay(toolkit: AsyncPaymanToolkit) -> None:
                results.add(await toolkit.pay(PAYMENT, "a"))

            for number in range(50):
                group.start_soon(pay, toolkits[number % 2])

    anyio.run(main, backend=loop)
    assert [one.status for one in results] == ["completed"]
    assert sends(sandbox) == [PAYMENT]


def test_who_waited_in_vain(sandbox: Sandbox) -> None:
    """Who waits for another call longer than the client's timeout is told that it is under way, and sends nothing."""
    with connected(sandbox, timeout=0.05) as client:
        inner: list[OperationResult] = []

        def confirm(proposal: ConfirmationRequest) -> bool:
            other = threading.Thread(
                target=lambda: inner.extend([toolkit.pay(PAYMENT, "a"), toolkit.check("a")])
            )
            other.start()
            other.join()
            return True

        toolkit = PaymanToolkit(client, confirm=confirm)
        toolkit.pay(PAYMENT, "a")
    assert [(one.status, UNKNOWN in one.text) for one in inner] == [("working", True)] * 2


@pytest.mark.parametrize("native", [True, False])
def test_who_is_cancelled_leaves_an_operation_that_can_be_settled(native: bool, sandbox: Sandbox) -> None:
    """A caller that is cancelled while Payman is at work, by asyncio or by a scope, leaves an operation that is told when it has ended."""
    import asyncio

    async def main() -> list[OperationResult]:
        async with connected_async(sandbox) as client:
            toolkit, begun = AsyncPaymanToolkit(client), asyncio.Event()

            async def on_message(event: object) -> None:
                begun.set()
                await asyncio.Event().wait()

            if native:
                task = asyncio.create_task(toolkit.pay(PAYMENT, "a", on_message=on_message))
                await begun.wait()
                task.cancel()
                await asyncio.wait([task])
                assert task.cancelled()
            else:
                async with anyio.create_task_group() as group:
                    group.start_soon(lambda: toolkit.pay(PAYMENT, "a", on_message=on_message))
                    await begun.wait()
                    group.cancel_scope.cancel()
            return [await toolkit.check("a"), await toolkit.pay(PAYMENT, "a")]

    results = asyncio.run(main())
    assert [one.status for one in results] == ["completed"] * 2
    assert sends(sandbox) == [PAYMENT]


def test_who_is_cancelled_while_asked_pays_nothing(sandbox: Sandbox) -> None:
    """A caller that is cancelled while confirm waits for a person has sent nothing, holds nothing and counts nowhere."""
    import asyncio

    async def main() -> list[OperationResult]:
        async with connected_async(sandbox) as client:
            asked, answers = asyncio.Event(), iter([False, True, True])

            async def confirm(proposal: ConfirmationRequest) -> bool:
                asked.set()
                if not next(answers):
                    await asyncio.Event().wait()
                return True

            toolkit = AsyncPaymanToolkit(client, confirm=confirm, limit=SpendingLimit(max_payments=1))
            task = asyncio.create_task(toolkit.pay(PAYMENT, "a"))
            await asked.wait()
            task.cancel()
            await asyncio.wait([task])
            return [
                await toolkit.check("a"),
                await toolkit.pay(PAYMENT, "b"),
                await toolkit.pay(PAYMENT, "a"),
            ]

    assert [one.status for one in asyncio.run(main())] == ["not-found", "completed", "refused"]


def test_who_is_cancelled_while_it_is_written_down(sandbox: Sandbox) -> None:
    """A caller that is cancelled while a store writes stays until that is done: nothing is written late, over what others wrote."""
    import asyncio

    store, entered, go = Flaky(), threading.Event(), threading.Event()

    def waits() -> None:
        entered.set()
        assert go.wait(timeout=30)

    async def main() -> list[OperationResult]:
        async with connected_async(sandbox) as client:
            toolkit = AsyncPaymanToolkit(client, store=store)
            store.before_save = [waits]
            task = asyncio.create_task(toolkit.pay(PAYMENT, "a"))
            await asyncio.to_thread(entered.wait, 30)
            task.cancel()
            for _ in range(5):
                await asyncio.sleep(0)
            assert not task.done()
            go.set()
            await asyncio.wait([task])
            assert task.cancelled()
            results = [await toolkit.check("a"), await toolkit.pay(PAYMENT, "a")]
            let_settle(store, results[0].task_id)
            return [*results, await toolkit.pay(PAYMENT, "a")]

    assert [one.status for one in asyncio.run(main())] == ["unknown", "unknown", "completed"]
    assert sends(sandbox) == [PAYMENT]


def test_what_is_on_its_way_is_not_sent_again(sandbox: Sandbox) -> None:
    """What a dead process has sent, and Payman does not know yet, is told as unknown, however often it is asked for, until it arrives."""
    store, held = MemoryOperationStore(), list[httpx.Request]()
    line = sandbox.transport()

    class Slow(httpx.BaseTransport):
        """Keeps what is sent, as the process ends and the request does not."""

        def handle_request(self, request: httpx.Request) -> httpx.Response:
            if request.url.path.endswith("tasks/send"):
                held.append(request)
                raise KeyboardInterrupt
            return line.handle_request(request)

    with httpx.Client(transport=Slow()) as http, sandbox.client(http_client=http, settle_time=30) as slow:
        toolkit = PaymanToolkit(slow, store=store, limit=SpendingLimit(max_payments=1))
        with pytest.raises(KeyboardInterrupt):
            toolkit.pay(PAYMENT, "a")
        results = [
            toolkit.pay(PAYMENT, "a"),
            toolkit.check("a"),
            toolkit.pay("send 30 TSD to Test Payee", "a"),
        ]
        assert [(one.status, UNKNOWN in one.text) for one in results] == [("unknown", True)] * 3
        assert toolkit.pay(PAYMENT, "b").status == "refused"
        [request] = held
        line.handle_request(request).read()
        assert toolkit.check("a").status == "completed"
        result = toolkit.pay("send 30 TSD to Test Payee", "a")
    assert "> Sent **10.00 TSD**" in result.text
    assert "Nothing was sent for the words given now" in result.text
    assert (len(sandbox.payments), sends(sandbox)) == (1, [PAYMENT])
