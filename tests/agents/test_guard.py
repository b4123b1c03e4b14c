"""The guard above a payment: who is asked, how much a run may pay, and what stays unknown."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from functools import partial
from pathlib import Path
from types import MappingProxyType, SimpleNamespace
from typing import Any

import anyio
import httpx
import pytest
from attrs import evolve

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
from payman_sdk.agents.stores.sqlite import SQLiteOperationStore
from payman_sdk.errors import ConfigurationError, OutcomeUnknownError, RateLimitError
from payman_sdk.sandbox import ConnectionLost, HTTPError, RPCError, Sandbox, ScriptedResponse
from tests.agents.conftest import BIG, PAYMENT, connected, connected_async, let_settle, sends
from tests.steps import UnwritableError, raise_unwritable
from tests.tables import table

# --- confirm


@pytest.mark.parametrize("answer", [False, None, "yes", 1, PermissionError("not on a Sunday")])
def test_only_true_is_a_yes(answer: object, client: PaymanClient, sandbox: Sandbox) -> None:
    """What confirm answers otherwise, or raises, refuses: nothing is sent, the model is told, and it can be asked for again later."""

    def confirm(proposal: ConfirmationRequest) -> Any:
        if isinstance(answer, Exception):
            raise answer
        return answer

    store = MemoryOperationStore()
    result = PaymanToolkit(client, confirm=confirm, store=store).pay(*PAYMENT, operation="invoice-1")
    assert (result.status, result.is_error, sandbox.requests) == ("refused", True, [])
    assert "nothing was paid: it was not agreed to" in result.text
    assert ("not on a Sunday" in result.text) is isinstance(answer, Exception)
    agreed = PaymanToolkit(client, confirm=lambda proposal: True, store=store)
    assert agreed.pay(*PAYMENT, operation="invoice-1").status == "paid"


def test_confirm_is_asked_once_before_money_moves(client: PaymanClient, sandbox: Sandbox) -> None:
    """It sees the exact words before anything is sent, a reply with what it is about; never what was sent already, nor an ask."""
    seen: list[tuple[ConfirmationRequest, int]] = []

    def confirm(proposal: ConfirmationRequest) -> bool:
        seen.append((proposal, len(sends(sandbox))))
        return True

    toolkit = PaymanToolkit(client, confirm=confirm)
    waits = toolkit.pay(*BIG, operation="invoice-1")
    toolkit.pay(*BIG, operation="invoice-1")
    toolkit.pay("Test Payee", "11", "TSD", operation="invoice-1")
    toolkit.check("invoice-1")
    toolkit.wallets()
    toolkit.reply("invoice-1", "approve")
    toolkit.reply("invoice-1", "approve")
    (payment, before_payment), (reply, before_reply) = seen
    payee, amount, currency = BIG
    order: dict[str, Any] = {"payee": payee, "amount": Decimal(amount), "currency": currency}
    expected = ConfirmationRequest(action="pay", **order, operation="invoice-1", task_id=waits.task_id)
    assert (payment, before_payment) == (expected, 0)
    assert (evolve(reply, question=None), before_reply) == (evolve(expected, action="approve"), 1)
    assert "Approval needed" in str(reply.question)


def test_a_reply_can_be_refused(client: PaymanClient, sandbox: Sandbox) -> None:
    """A reply that is not agreed to is not sent, the payment waits on, and the same reply can be given later."""
    store = MemoryOperationStore()
    careful = PaymanToolkit(client, confirm=lambda proposal: not proposal.is_reply, store=store)
    careful.pay(*BIG, operation="invoice-1")
    assert careful.reply("invoice-1", "approve").status == "refused"
    assert sends(sandbox) == [BIG]
    assert PaymanToolkit(client, store=store).reply("invoice-1", "approve").status == "paid"


def test_a_hook_of_the_client_refuses_too(sandbox: Sandbox) -> None:
    """What the client's own before_send raises is told as a refusal: nothing was sent, nothing counts, and it can be tried again."""
    refuses = {"on": True}

    def before_send(outgoing: Any) -> None:
        if refuses["on"]:
            raise PermissionError("not on a Sunday")

    with connected(sandbox, before_send=before_send) as client:
        toolkit = PaymanToolkit(client, limit=SpendingLimit(max_payments=1))
        for result in (toolkit.pay(*PAYMENT, operation="a"), toolkit.wallets()):
            assert (result.status, "not on a Sunday" in result.text) == ("refused", True)
        assert sends(sandbox) == []
        refuses["on"] = False
        assert toolkit.pay(*BIG, operation="b").status == "awaiting-approval"
        refuses["on"] = True
        assert toolkit.reply("b", "approve").status == "refused"
        refuses["on"] = False
        assert toolkit.reply("b", "approve").status == "paid"


def test_a_hook_that_returns_false_is_a_mistake(sandbox: Sandbox) -> None:
    """The toolkit raises it; nothing was sent, and the same operation can be tried again."""
    may_send = {"now": False}

    def before_send(_: object) -> bool:
        return may_send["now"]

    with connected(sandbox, before_send=before_send) as client:
        toolkit = PaymanToolkit(client, limit=SpendingLimit(max_payments=1))
        for _ in range(2):
            with pytest.raises(ConfigurationError, match="before_send returned False"):
                toolkit.pay(*PAYMENT, operation="a")
        assert sends(sandbox) == []
        may_send["now"] = True
        assert toolkit.pay(*PAYMENT, operation="a").status == "paid"


def test_a_hook_that_is_a_coroutine_function_refuses_too(sandbox: Sandbox) -> None:
    """The same on an event loop."""

    async def before_send(outgoing: Any) -> None:
        if "200.00" in outgoing.text:
            raise PermissionError("too much")

    async def main() -> list[str]:
        async with connected_async(sandbox, before_send=before_send) as client:
            toolkit = AsyncPaymanToolkit(client)
            return [(await toolkit.pay(*order, operation=order[1])).status for order in (BIG, PAYMENT)]

    assert anyio.run(main) == ["refused", "paid"]
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
    assert [first.pay(*PAYMENT, operation=name).status for name in ("a", "a", "b", "a")] == ["paid"] * 4
    before = len(sandbox.requests)
    for again in (first, toolkit("monday")):
        result = again.pay(*PAYMENT, operation="c")
        assert (result.status, again.pay(*PAYMENT, operation="a").status) == ("refused", "paid")
        assert "may make 2 payments" in result.text
    assert len(sandbox.requests) == before
    assert len(asked) == 2  # nobody is asked in vain
    assert toolkit("tuesday").pay(*PAYMENT, operation="c").status == "paid"


def test_a_run_past_its_money(client: PaymanClient, sandbox: Sandbox) -> None:
    """Money is counted per currency, before it is sent; another currency is refused."""
    toolkit = PaymanToolkit(client, limit=SpendingLimit(max_amount={"TSD": Decimal(25)}))
    assert toolkit.pay(*PAYMENT, operation="a").status == "paid"
    for amount, currency in (("15.01", "TSD"), ("1", "USD"), ("999999999999.99", "TSD")):
        result = toolkit.pay("Test Payee", amount, currency, operation="b")
        assert result.status == "refused", amount
    assert toolkit.pay("Test Payee", "15", "TSD", operation="b").status == "paid"
    assert "0 are left" in toolkit.pay("Test Payee", "1", "TSD", operation="c").text
    assert sends(sandbox) == [PAYMENT, ("Test Payee", "15.00", "TSD")]
    assert sandbox.balance("TSD") == 975


@pytest.mark.parametrize("limit", [SpendingLimit(max_payments=1), SpendingLimit(max_amount={"TSD": 200})])
def test_what_ended_elsewhere_counts_until_it_is_checked(
    limit: SpendingLimit, client: PaymanClient, sandbox: Sandbox
) -> None:
    """A refusal looks nothing up, and says what frees the place of a payment that somebody has denied."""
    toolkit = PaymanToolkit(client, limit=limit)
    waiting = toolkit.pay(*BIG, operation="a")
    client.deny(client.payment_status(waiting.task_id or ""))
    refused = toolkit.pay(*PAYMENT, operation="b")
    assert (refused.status, "ended unpaid counts until it is checked" in refused.text) == ("refused", True)
    assert toolkit.check("a").status == "refused"
    assert toolkit.pay(*PAYMENT, operation="b").status == "paid"


@pytest.mark.parametrize("kind", [MemoryOperationStore, SQLiteOperationStore])
def test_a_refusal_says_where_payments_are_counted(kind: Any, sandbox: Sandbox, tmp_path: Path) -> None:
    """It names the run and the store, to threads and tasks; whatever the account, for a run may have been another's."""
    store = kind(tmp_path / "operations.sqlite3") if kind is SQLiteOperationStore else kind()
    limit, run_id = SpendingLimit(max_payments=2, max_amount={"TSD": 15}), 'monday "x"\u202e'
    shared: dict[str, Any] = {"run_id": run_id, "store": store, "limit": limit}
    priced: dict[str, Any] = {"amount": Decimal(10), "currency": "TSD", "runs": [run_id]}
    store.save(Operation(task_id="tsk-1", account="another", stage="sent", **priced))

    async def pay() -> str:
        async with connected_async(sandbox) as client:
            return (await AsyncPaymanToolkit(client, **shared).pay(*PAYMENT, operation="a")).text

    with connected(sandbox) as client:
        toolkit = PaymanToolkit(client, **shared)
        where = f'Run "monday \\"x\\"\\u202e" counts {{}} payments in {kind.__name__}, whatever the account.'
        assert where.format(1) in toolkit.pay(*PAYMENT, operation="a").text
        assert where.format(1) in anyio.run(pay)
        assert toolkit.pay("Test Payee", "5", "TSD", operation="b").status == "paid"
        assert where.format(2) in toolkit.pay("Test Payee", "1", "TSD", operation="c").text
        # What no count refuses is said without one.
        assert "counts" not in toolkit.pay("Test Payee", "1", "USD", operation="d").text
        assert len(toolkit.pay(*PAYMENT, operation="a").text) < 250
    assert sends(sandbox) == [("Test Payee", "5.00", "TSD")]


EMPTY: dict[str, dict[str, Any]] = {
    "no payments": {"max_payments": 0},
    "no currency": {"max_amount": {}},
    "no currency of another mapping": {"max_amount": MappingProxyType({})},
    "no currency beside a number of payments": {"max_amount": {}, "max_payments": 9},
    "no currency beside payees": {"max_amount": {}, "allowed_payees": ["Test Payee"]},
    "nothing of a currency": {"max_amount": {"tsd": 0}},
    "no payees": {"allowed_payees": []},
    "no payees of a generator": {"allowed_payees": iter(())},
}
"""Limits that leave nothing to pay."""


@pytest.mark.parametrize("title", EMPTY)
def test_an_empty_limit_refuses_every_payment(title: str, sandbox: Sandbox) -> None:
    """What is given and names nothing allows nothing: to threads, to tasks and at the smallest amount."""
    limit = SpendingLimit(**EMPTY[title])

    async def pay() -> str:
        async with connected_async(sandbox) as client:
            return (await AsyncPaymanToolkit(client, limit=limit).pay(*PAYMENT, operation="b")).status

    with connected(sandbox) as client:
        toolkit = PaymanToolkit(client, limit=limit)
        statuses = {
            toolkit.pay("Test Payee", amount, currency, operation="a").status
            for amount, currency in (("0.01", "TSD"), ("1", "USD"), ("1", "USDC"))
        }
    assert statuses | {anyio.run(pay)} == {"refused"}
    assert sends(sandbox) == []


def test_no_limit_by_amount(client: PaymanClient) -> None:
    """None allows any amount of any currency, as not to name it does."""
    for limit in (SpendingLimit(max_amount=None), SpendingLimit(max_payments=9)):
        assert limit.max_amount is None
        toolkit = PaymanToolkit(client, limit=limit)
        assert toolkit.pay(*PAYMENT, operation=f"a-{limit.max_payments}").status == "paid"


@pytest.mark.parametrize("given", [("TSD", "tsd"), ("uSd", "USd"), ("eur", "GBP", "EUR")])
def test_a_currency_in_two_spellings_is_refused(given: tuple[str, ...]) -> None:
    """Neither amount wins; the error names both spellings."""
    with pytest.raises(ConfigurationError, match=r"SpendingLimit\.max_amount") as caught:
        SpendingLimit(max_amount={currency: Decimal(number) for number, currency in enumerate(given)})
    assert repr(given[0]) in str(caught.value)
    assert repr(given[-1]) in str(caught.value)


@pytest.mark.slow
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
            statuses = [toolkit.pay(*PAYMENT, operation=name).status for name in "aba"]
            assert statuses == [statuses[0], "paid", "refused"], refusal
            assert statuses[0] in ("refused", "failed"), refusal


@pytest.mark.slow
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
            first = toolkit.pay(*PAYMENT, operation="a")
            assert (first.status, toolkit.pay(*PAYMENT, operation="b").status) == ("unknown", "refused"), (
                failure
            )
            let_settle(store, first.task_id)
            other = toolkit.pay("Test Payee", "11", "TSD", operation="a")
            assert (other.status, "with the same payee" in other.text) == ("unknown", True), failure
            assert [toolkit.pay(*PAYMENT, operation=name).status for name in "ab"] == ["paid", "refused"], (
                failure
            )
            assert len(sandbox.payments) == 1, failure


def test_what_may_have_happened_counts(client: PaymanClient, sandbox: Sandbox) -> None:
    """An operation that waits, or whose outcome is not known, counts; one that has failed or was refused at Payman does not."""
    toolkit = PaymanToolkit(client, limit=SpendingLimit(max_payments=2))
    sandbox.script([ScriptedResponse("No.", state="failed")])
    assert toolkit.pay(*BIG, operation="a").status == "failed"
    sandbox.script([ScriptedResponse("Well.")])
    assert [toolkit.pay(*BIG, operation=name).status for name in "bc"] == ["unknown", "awaiting-approval"]
    assert "has made them" in toolkit.pay(*BIG, operation="d").text
    toolkit = PaymanToolkit(client, limit=SpendingLimit(max_payments=1))
    assert toolkit.pay("Nobody", "1", "TSD", operation="e").reason == 'you have no payee "Nobody"'
    assert [toolkit.pay(*PAYMENT, operation=name).status for name in "fg"] == ["paid", "refused"]


def test_a_reply_counts_in_the_run_that_gives_it(client: PaymanClient, sandbox: Sandbox) -> None:
    """An approval counts where it is given, and once: not again in the run of the payment, and in another run as a payment of its own."""
    store = MemoryOperationStore()
    run = {"limit": SpendingLimit(max_payments=1), "store": store}
    monday = PaymanToolkit(client, run_id="monday", **run)  # type: ignore[arg-type]
    tuesday = PaymanToolkit(client, run_id="tuesday", **run)  # type: ignore[arg-type]
    monday.pay(*BIG, operation="a")
    tuesday.pay(*PAYMENT, operation="b")
    assert tuesday.reply("a", "approve").status == "refused"
    assert sends(sandbox) == [BIG, PAYMENT]
    assert monday.reply("a", "approve").status == "paid"


def test_a_denial_needs_no_room_in_the_limit(client: PaymanClient, sandbox: Sandbox) -> None:
    """A denial moves no money, so it is sent in a run that may pay nothing; it gives the payment's count back."""
    store = MemoryOperationStore()
    run = {"limit": SpendingLimit(max_payments=1), "store": store, "run_id": "monday"}
    PaymanToolkit(client, **run).pay(*BIG, operation="a")  # type: ignore[arg-type]
    none = PaymanToolkit(client, store=store, limit=SpendingLimit(max_payments=0, allowed_payees=[]))
    assert [none.reply("a", decision).status for decision in ("approve", "deny")] == ["refused", "refused"]
    assert sends(sandbox) == [BIG, "deny"]
    assert PaymanToolkit(client, **run).pay(*PAYMENT, operation="b").status == "paid"  # type: ignore[arg-type]


def test_payees_that_a_run_may_pay(client: PaymanClient, sandbox: Sandbox) -> None:
    """Payees are compared in a normal form, as the order names them; letters that only look alike are other letters."""
    toolkit = PaymanToolkit(
        client, limit=SpendingLimit(allowed_payees=["test  PAYEE", "\uff41da@example.com"])
    )
    assert toolkit.pay("TEST Payee", "1", "TSD", operation="a").status == "paid"
    for payee in (
        "Test Pay\u0435e",
        "Test Payee.",
        "Eve",
        "Test",
        "pd-1",
        "Test Paye\u1d49",
        "\U0001d413est Payee",
    ):
        result = toolkit.pay(payee, "1", "TSD", operation="b")
        assert (result.status, "may not pay" in result.text) == ("refused", True), payee
    assert toolkit.pay("ada@example.com", "1", "TSD", operation="c").status == "refused"
    assert sends(sandbox) == [("TEST Payee", "1.00", "TSD"), ("ada@example.com", "1.00", "TSD")]


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
        return toolkit.pay(*PAYMENT, operation=f"invoice-{name}").status

    with ThreadPoolExecutor(12) as pool:
        statuses = list(pool.map(pay, range(12)))
    assert sorted(statuses) == ["paid"] * 3 + ["refused"] * 9
    assert sends(sandbox) == [PAYMENT] * 3


@table(
    "given", [{"max_payments": -1}, {"max_payments": 1.5}, {"max_payments": True}, {"max_amount": 5}, {"max_amount": {"$": 5}}, {"max_amount": {"TSD": "much"}},
              {"max_amount": {"TSD": -1}}, {"max_amount": {"TSD": 10**5000}}, {"max_amount": {"TSD": True}}, {"max_amount": {"TSD": float("nan")}}, {"max_amount": {5: 5}}, {"allowed_payees": "Bob"}, {"allowed_payees": 5}, {"allowed_payees": [5]}, {"allowed_payees": [" "]}]
)  # fmt: skip
def test_a_limit_that_cannot_be_one(given: dict[str, Any]) -> None:
    """What is no number of payments, amount of a currency or payee is refused by name."""
    with pytest.raises(ConfigurationError, match=r"SpendingLimit\.(max_payments|max_amount|allowed_payees)"):
        SpendingLimit(**given)


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
            toolkit.pay(*PAYMENT, operation="a"),
            toolkit.pay(*PAYMENT, operation="a"),
            toolkit.check("a"),
            toolkit.pay(*PAYMENT, operation="b"),
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
    result = toolkit.pay(*PAYMENT, operation="a")
    assert (result.status, len(sandbox.payments)) == ("paid", 1)
    assert toolkit.pay(*PAYMENT, operation="a") == result


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
        first = toolkit.pay(*PAYMENT, operation="a", **options)
        again = [toolkit.pay(*PAYMENT, operation="a"), toolkit.check("a")]
        other = toolkit.pay("Test Payee", "20", "TSD", operation="a"), toolkit.reply("a", "approve")
        assert {one.status for one in (first, *again, *other)} == {"unknown"}
        assert all("Do not pay" in one.text and not one.is_error for one in (first, *again, *other))
        assert [one.to_dict() for one in again] == [first.to_dict()] * 2
        assert toolkit.pay(*PAYMENT, operation="b").status == "refused"
    assert (len(known.payments), switchboard.sends()) == (1, 1)


def test_a_result_outlives_the_look_up(switchboard: Switchboard) -> None:
    """What is known to have ended is told though tasks/get is switched off; what waits is told as it was, and takes no reply."""
    with (
        httpx.Client(transport=switchboard) as http,
        switchboard.sandboxes[0].client(http_client=http, max_retries=0, timeout=0.5) as client,
    ):
        toolkit = PaymanToolkit(client)
        done, waits = toolkit.pay(*PAYMENT, operation="a"), toolkit.pay(*BIG, operation="b")
        switchboard.switch()
        assert toolkit.pay(*PAYMENT, operation="a") == toolkit.check("a") == done
        assert toolkit.pay(*BIG, operation="b") == toolkit.check("b") == waits
        assert "The decision was not sent" in toolkit.reply("b", "approve").text
    assert switchboard.sends() == 2


def test_what_was_known_once_is_not_sent_again() -> None:
    """That Payman has forgotten a task that it knew says nothing of the money: it is told as it was, and nothing is sent."""
    clients = {"pm-test-1": "s3cret"}
    store = MemoryOperationStore()
    with contextlib.closing(Sandbox(clients=clients)) as before, connected(before) as client:
        waits = PaymanToolkit(client, store=store).pay(*BIG, operation="a")
    with contextlib.closing(Sandbox(clients=clients)) as after, connected(after) as client:
        toolkit = PaymanToolkit(client, store=store)
        assert toolkit.pay(*BIG, operation="a") == toolkit.check("a") == waits
        assert "The decision was not sent" in toolkit.reply("a", "approve").text
        assert sends(after) == []


def test_a_task_that_is_still_at_work(sandbox: Sandbox) -> None:
    """A payment that has not ended in time is told as being at work, in words that invite no other try."""
    with connected(sandbox, timeout=0.8) as client:
        client.get_access_token()  # the time of the payment is for the payment
        toolkit = PaymanToolkit(client, limit=SpendingLimit(max_payments=1))
        sandbox.script([ScriptedResponse("On it.", state="working")])
        results = [toolkit.pay(*PAYMENT, operation="a"), toolkit.check("a")]
    assert [(one.status, UNKNOWN in one.text) for one in results] == [("working", True)] * 2
    assert len(sends(sandbox)) == 1


def test_a_reply_whose_answer_was_lost(sandbox: Sandbox) -> None:
    """Where it cannot be learned whether a reply arrived, none is sent any more while the task waits; once it is decided, that is told."""
    with connected(sandbox, timeout=0.6) as client:
        client.get_access_token()
        toolkit = PaymanToolkit(client)
        waits = toolkit.pay(*BIG, operation="a")
        sandbox.script([ConnectionLost(answer=ScriptedResponse("Again?", state="input-required"))])
        results = [toolkit.reply("a", "approve"), toolkit.reply("a", "approve"), toolkit.reply("a", "deny")]
        assert [one.status for one in results] == ["unknown"] * 3
        assert all(UNKNOWN in one.text for one in results)
        assert sends(sandbox) == [BIG, "approve"]
        sandbox.approve(waits.task_id or "")
        assert toolkit.reply("a", "deny").status == "paid"
    assert sends(sandbox) == [BIG, "approve"]


def test_a_reply_that_was_not_taken_can_be_given_again(toolkit: PaymanToolkit, sandbox: Sandbox) -> None:
    """A reply that the server refused is told so, and is sent when it is given again; one that was turned away may have arrived."""
    toolkit.pay(*BIG, operation="a")
    sandbox.script([HTTPError(403)])
    assert toolkit.reply("a", "approve").status == "refused"
    assert toolkit.reply("a", "approve").status == "paid"
    toolkit.pay(*BIG, operation="b")
    sandbox.script([HTTPError(429)])
    assert [toolkit.reply("b", text).status for text in ("approve", "approve", "deny")] == ["unknown"] * 3
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


def test_an_exception_whose_text_cannot_be_written(sandbox: Sandbox) -> None:
    """It is named by its class, whoever raises it; a payment that was made is reported as paid."""
    with connected(sandbox) as client:
        for calls, status in enumerate(("not-sent", "not-sent", "paid")):  # claimed, sent, ended
            store = Flaky()
            store.before_save = [*[lambda: None] * calls, raise_unwritable]
            result = PaymanToolkit(client, store=store).pay(*PAYMENT, operation=f"store-{calls}")
            assert (result.status, "UnwritableError" in result.text) == (status, status != "paid")
        assert sends(sandbox) == [PAYMENT]
        result = PaymanToolkit(client, confirm=raise_unwritable).pay(*PAYMENT, operation="confirm")
        assert (result.status, "(UnwritableError)" in result.text) == ("refused", True)
    with connected(sandbox, before_send=raise_unwritable) as client:
        for call in (
            partial(PaymanToolkit(client).pay, *PAYMENT),
            partial(PaymanToolkit(client).create_payee, "Ada", "TEST_RAILS"),
        ):
            result = call(operation="hook")
            assert (result.status, "(UnwritableError)" in result.text) == ("refused", True)
    assert sends(sandbox) == [PAYMENT]


@pytest.mark.parametrize(
    "failure", [OSError("stale"), OperationStoreError("The store is gone."), UnwritableError()]
)
def test_a_lock_that_cannot_be_given_back(failure: Exception, client: PaymanClient, sandbox: Sandbox) -> None:
    """What was paid is told as paid, and not that nothing was sent, though the lock failed behind it."""
    store, made = MemoryOperationStore(), MemoryOperationStore().lock
    store.lock = lambda name: Stuck(made(name), failure)  # type: ignore[method-assign]
    toolkit = PaymanToolkit(client, store=store)
    assert toolkit.pay(*PAYMENT, operation="a").status == "paid"
    assert sends(sandbox) == [PAYMENT]


def test_a_store_that_fails_after_the_payment(client: PaymanClient, sandbox: Sandbox) -> None:
    """What is known is told though it cannot be written down, and is learned from Payman the next time; it is paid once."""
    store = Flaky()
    store.before_save = [lambda: None, lambda: None, fails]  # claimed, sent, ended
    toolkit = PaymanToolkit(client, store=store)
    result = toolkit.pay(*PAYMENT, operation="a")
    assert result.status == "paid"
    assert toolkit.pay(*PAYMENT, operation="a") == toolkit.check("a") == result
    assert sends(sandbox) == [PAYMENT]


class Awaitable:
    """As what a coroutine function returns."""

    def __await__(self) -> Iterator[None]:
        yield


ODD: dict[str, tuple[str, object, str]] = {
    "a record that nobody writes": ("save", Awaitable(), "save returned an Awaitable, which nobody awaits"),
    "a lock to be awaited": ("acquire", Awaitable(), "the lock's acquire returned an Awaitable"),
    "a claim to be awaited": ("claim", Awaitable(), "claim returned an Awaitable"),
    "an operation to be awaited": ("load", Awaitable(), "returned an Awaitable, not an Operation"),
    "no operation": ("load", {}, "returned a dict, not an Operation"),
    "a lock that may be held": ("acquire", 1, "the lock's acquire returned an int, not bool"),
    "a lock that says nothing": ("acquire", None, "the lock's acquire returned a NoneType"),
    "a claim that says nothing": ("claim", None, "claim returned a NoneType, not bool"),
    "a claim in words": ("claim", "conflict", "claim returned a str, not bool"),
    "no totals": ("sum_run", {}, "sum_run returned a dict, not RunTotals"),
    "no list": ("list_by_run", None, "TypeError"),
    "a list of something else": ("list_by_run", ["tsk-1"], "list_by_run returned a str, not Operation"),
    "no time": ("now", None, "TypeError"),
    "a time in words": ("now", "noon", "ValueError"),
}


def test_a_lock_is_released_whose_acquire_does_not_return_a_bool(sandbox: Sandbox) -> None:
    """Some libraries return an object instead of True. The payment is refused, and the lock is free again."""
    held = list[str]()

    def acquire(timeout: float) -> list[str]:
        held.append("held")
        return held

    lock = SimpleNamespace(acquire=acquire, release=held.clear)
    store: Any = MemoryOperationStore()
    store.lock = lambda name: lock
    with connected(sandbox) as client:
        result = PaymanToolkit(client, store=store).pay(*PAYMENT, operation="a")
    assert (result.status, held) == ("not-sent", [])


@table("method, returned, said", ODD.values(), ids=ODD)
def test_what_a_store_returns_is_checked(method: str, returned: object, said: str, sandbox: Sandbox) -> None:
    """What is not of the kind that its method returns is a failed store, named with the method or the kind; nothing is sent."""
    kept = MemoryOperationStore()
    store: Any = SimpleNamespace(
        **{name: getattr(kept, name) for name in ("load", "save", "list_by_run", "lock")}
    )
    setattr(store, method, lambda *_: returned)
    if method == "acquire":
        store.lock = lambda name: SimpleNamespace(acquire=lambda timeout: returned, release=lambda: None)
    with connected(sandbox) as client:
        result = PaymanToolkit(client, store=store, limit=SpendingLimit(max_payments=1)).pay(
            *PAYMENT, operation="a"
        )
    assert (result.status, said in result.text) == ("not-sent", True)
    assert sends(sandbox) == []


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
        toolkit.pay(*PAYMENT, operation="a", on_message=on_message)
    assert toolkit.pay(*PAYMENT, operation="b").status == "refused"
    assert toolkit.check("a").status == "paid"


# --- at once


def test_fifty_threads_send_once(toolkit: PaymanToolkit, sandbox: Sandbox) -> None:
    """Fifty threads that pay the same operation at the same moment send once, and all are told the same."""
    ready = threading.Barrier(50)

    def pay(_: int) -> OperationResult:
        ready.wait(timeout=30)
        return toolkit.pay(*PAYMENT, operation="a")

    with ThreadPoolExecutor(50) as pool:
        results = set(pool.map(pay, range(50)))
    assert [one.status for one in results] == ["paid"]
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
                results.add(await toolkit.pay(*PAYMENT, operation="a"))

            for number in range(50):
                group.start_soon(pay, toolkits[number % 2])

    anyio.run(main, backend=loop)
    assert [one.status for one in results] == ["paid"]
    assert sends(sandbox) == [PAYMENT]


def test_who_waited_in_vain(sandbox: Sandbox) -> None:
    """Who waits for another call longer than the client's timeout is told that it is under way, and sends nothing."""
    with connected(sandbox, timeout=0.5) as client:
        inner: list[OperationResult] = []

        def confirm(proposal: ConfirmationRequest) -> bool:
            other = threading.Thread(
                target=lambda: inner.extend([toolkit.pay(*PAYMENT, operation="a"), toolkit.check("a")])
            )
            other.start()
            other.join()
            return True

        toolkit = PaymanToolkit(client, confirm=confirm)
        toolkit.pay(*PAYMENT, operation="a")
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
                task = asyncio.create_task(toolkit.pay(*PAYMENT, operation="a", on_message=on_message))
                await begun.wait()
                task.cancel()
                await asyncio.wait([task])
                assert task.cancelled()
            else:
                async with anyio.create_task_group() as group:
                    group.start_soon(lambda: toolkit.pay(*PAYMENT, operation="a", on_message=on_message))
                    await begun.wait()
                    group.cancel_scope.cancel()
            return [await toolkit.check("a"), await toolkit.pay(*PAYMENT, operation="a")]

    results = asyncio.run(main())
    assert [one.status for one in results] == ["paid"] * 2
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
            task = asyncio.create_task(toolkit.pay(*PAYMENT, operation="a"))
            await asked.wait()
            task.cancel()
            await asyncio.wait([task])
            return [
                await toolkit.check("a"),
                await toolkit.pay(*PAYMENT, operation="b"),
                await toolkit.pay(*PAYMENT, operation="a"),
            ]

    assert [one.status for one in asyncio.run(main())] == ["not-found", "paid", "refused"]


def test_who_is_cancelled_while_it_is_written_down(sandbox: Sandbox) -> None:
    """A caller that is cancelled while a store writes stays until that is done: nothing is written late, over what others wrote."""
    import asyncio

    store, entered, go = Flaky(), threading.Event(), threading.Event()

    def waits() -> None:
        entered.set()
        assert go.wait(timeout=30)

    async def main() -> list[OperationResult]:
        async with connected_async(sandbox, settle_time=60) as client:
            toolkit = AsyncPaymanToolkit(client, store=store)
            store.before_save = [waits]
            task = asyncio.create_task(toolkit.pay(*PAYMENT, operation="a"))
            await asyncio.to_thread(entered.wait, 30)
            task.cancel()
            for _ in range(5):
                await asyncio.sleep(0)
            assert not task.done()
            go.set()
            await asyncio.wait([task])
            assert task.cancelled()
            results = [await toolkit.check("a"), await toolkit.pay(*PAYMENT, operation="a")]
            let_settle(store, results[0].task_id)
            return [*results, await toolkit.pay(*PAYMENT, operation="a")]

    assert [one.status for one in asyncio.run(main())] == ["unknown", "unknown", "paid"]
    assert sends(sandbox) == [PAYMENT]


def test_what_is_on_its_way_is_not_sent_again(sandbox: Sandbox) -> None:
    """What a dead process has sent, and Payman does not know yet, is told as unknown, however often it is asked for, until it arrives."""
    store, held = MemoryOperationStore(), list[httpx.Request]()
    line = sandbox.transport()

    class Slow(httpx.BaseTransport):
        """Keeps what is sent, as the process ends and the request does not."""

        def handle_request(self, request: httpx.Request) -> httpx.Response:
            if request.url.path.endswith("tasks/send") and not held:
                held.append(request)
                raise KeyboardInterrupt
            return line.handle_request(request)

    with httpx.Client(transport=Slow()) as http, sandbox.client(http_client=http, settle_time=30) as slow:
        toolkit = PaymanToolkit(slow, store=store, limit=SpendingLimit(max_payments=1))
        with pytest.raises(KeyboardInterrupt):
            toolkit.pay(*PAYMENT, operation="a")
        results = [
            toolkit.pay(*PAYMENT, operation="a"),
            toolkit.check("a"),
            toolkit.pay("Test Payee", "30", "TSD", operation="a"),
        ]
        assert [(one.status, UNKNOWN in one.text) for one in results] == [("unknown", True)] * 3
        assert toolkit.pay(*PAYMENT, operation="b").status == "refused"
        [request] = held
        line.handle_request(request).read()
        assert toolkit.check("a").status == "paid"
        result = toolkit.pay("Test Payee", "30", "TSD", operation="a")
    assert "is the name of another order" in result.text
    assert (len(sandbox.payments), sends(sandbox)) == (1, [PAYMENT])
