"""Payments whose outcome is learned late, on accounts that have paid much since."""

from __future__ import annotations

import datetime as dt
import json
import uuid
from collections.abc import Callable, Generator
from decimal import Decimal
from functools import partial
from typing import Any, NamedTuple

import pytest

from payman_sdk._core import transaction_search
from payman_sdk._core.effects import Stopwatch
from payman_sdk._core.listings import InvalidObjectError
from payman_sdk._core.orders import PaymentOrder, read_order_line
from payman_sdk._core.payments import Verdict, prove
from payman_sdk._core.transaction_search import PAGE, Search, search_transactions
from payman_sdk.errors import APIConnectionError, PaymanError
from payman_sdk.sandbox import Sandbox
from payman_sdk.sandbox._ledger.environment import JsonAnswers
from payman_sdk.types import Payee, PaymentOutcome, Transaction

PAID, UNDETERMINED = PaymentOutcome.PAID, PaymentOutcome.UNDETERMINED
NOW = dt.datetime(2026, 11, 29, 12, tzinfo=dt.UTC)


def pay_others(sandbox: Sandbox, several: int, amount: str = "0.01") -> None:
    """Make so many other payments, without the way of a client."""
    token = str(sandbox.issue_token()["accessToken"])
    for _ in range(several):
        message = {"role": "user", "parts": [{"type": "text", "text": f"send {amount} TSD to Test Payee"}]}
        params = {"id": f"tsk-{uuid.uuid4()}", "message": message}
        request = {"jsonrpc": "2.0", "id": "r", "method": "tasks/send", "params": params}
        sandbox.service.call(token, "tasks/send", json.dumps(request).encode())


@pytest.mark.slow
def test_a_payment_is_found_behind_300_newer_ones() -> None:
    """By its id where the agent gave one, else page by page; also where transactions name no task."""
    found = []
    modes: list[tuple[JsonAnswers, int]] = [("careful", 2), ("unlinked", 2), ("unknown_status", 7)]
    for mode, lists in modes:
        with Sandbox(json_answers=mode) as sandbox, sandbox.client() as client:
            payment = client.pay("Test Payee", 5, "TSD", verify=False)
            pay_others(sandbox, 300)
            before = len(sandbox.requests)
            late = client.payment_status(payment)
            asks = [one for one in sandbox.requests[before:] if one.operation == "send_task"]
            found.append((mode, late.outcome, late.payment_id == sandbox.payments[0].id, len(asks) == lists))
        sandbox.close()
    assert found == [(mode, PAID, True, True) for mode in ("careful", "unlinked", "unknown_status")]


class Agent:
    """An agent that lists transactions as a function of the order says.

    Args:
        answer: Gets the order of each list; what it returns is listed, or raised.
    """

    def __init__(self, answer: Callable[[dict[str, Any]], list[Transaction] | Exception]) -> None:
        self._answer = answer
        self.orders: list[dict[str, Any]] = []

    def read(self, text: str, *_: object) -> Generator[Any, Any, Any]:
        """Stand in for `Operations.read`."""
        order = read_order_line(text)
        assert order is not None
        self.orders.append(order)
        answer = self._answer(order)
        if isinstance(answer, Exception):
            raise answer
        return answer
        yield


def listed(number: int, **changes: Any) -> Transaction:
    """Return the transaction of a number, of which the newest has 0; one is made a second."""
    given: dict[str, Any] = {
        "id": f"txn-{number}",
        "created": NOW - dt.timedelta(seconds=number),
        "status": "INITIATED",
    }
    return Transaction(
        **given | {"outcome": PAID, "amount": Decimal(1), "currency": "TSD", "payee": None} | changes
    )


class Options(NamedTuple):
    """Options of a call: its time alone."""

    timeout: float


def search(agent: Agent, payment_id: str | None, since: float | None, now: Callable[[], float]) -> Search:
    """Run a search for the payment of `tsk-0`, ordered so many seconds ago."""
    began = None if since is None else NOW - dt.timedelta(seconds=since)
    given: Any = (agent, "tsk-0", payment_id, began, Options(100), Stopwatch(now))
    flow = search_transactions(*given)
    with pytest.raises(StopIteration) as end:
        next(flow)
    found: Search = end.value.value
    return found


def page(order: dict[str, Any], **of: dict[str, Any]) -> list[Transaction]:
    """Return what a careful agent lists of 1,000 transactions; `of` changes those of some numbers."""
    everything = [listed(number, **of.get(f"number_{number}", {})) for number in range(1000)]
    if "id" in order:
        return [one for one in everything if one.id == order["id"]]
    return everything[order.get("skip", 0) :][: order["limit"]]


def test_a_search_ends_where_it_has_found_the_payment_or_cannot(monkeypatch: pytest.MonkeyPatch) -> None:
    """It ends at the payment, at what is older than the order, at an agent that lists nothing new, at a failure, and at its time."""
    monkeypatch.setattr(transaction_search, "read_transactions", lambda answer, _: answer)
    lost = APIConnectionError("It is lost.")
    own, unnamed = {"number_120": {"task_id": "tsk-0"}}, {"id": None}
    times = iter(range(0, 1000, 40))
    cases: list[tuple[str, Any, str | None, float | None, Any, list[Any], int, bool]] = [
        # what it is, the agent, the id, how long ago it was ordered, the clock, what is asked for, how many are found, and whether they are all
        ("of the task", lambda order: page(order, **own), None, None, None, [0, 50, 100], 150, False),
        ("of the id", page, "txn-700", 900, None, [0, "txn-700"], 51, False),
        ("in the first page", page, "txn-7", 900, None, [0], 50, False),
        ("older than the order", page, None, 120, None, [0, 50, 100], 150, True),
        ("an id of nobody", page, "txn-x", 120, None, [0, "txn-x", 50, 100], 150, True),
        ("a short list", lambda order: page(order)[:20], None, None, None, [0], 20, True),
        ("the same again", lambda order: page({"limit": 50}), "txn-x", 900, None, [0, "txn-x", 50], 50, False),
        ("a row twice", lambda order: [*page(order)[:20], *page(order)[3:5]], None, None, None, [0], 20, True),
        ("two states of one row", lambda order: [*page(order)[:20], listed(3, outcome=UNDETERMINED)], None, None, None, [0], 21, True),
        ("without ids", lambda order: [listed(1, **unnamed)] * PAGE, "txn-x", 900, None, [0], 50, False),
        ("no end", page, None, None, None, [*range(0, 500, 50)], 500, False),
        ("lost at once", lambda order: lost, None, None, None, [0], 0, False),
        ("lost later", lambda order: lost if "skip" in order else page(order), None, None, None, [0, 50], 50, False),
        ("a fault", lambda order: ValueError() if "id" in order else page(order), "txn-x", 900, None, [0, "txn-x"], 50, False),
        ("no time left", page, None, None, lambda: next(times), [0, 50], 100, False),
    ]  # fmt: skip
    wrong = []
    for what, answer, payment_id, since, clock, asked, several, is_whole in cases:
        agent = Agent(answer)
        found = search(agent, payment_id, since, clock or (lambda: 0.0))
        got = [order.get("id", order.get("skip", 0)) for order in agent.orders]
        is_lost = what.startswith(("lost", "a fault", "no time"))
        if (got, len(found.transactions), found.is_whole, found.problem is not None) != (
            asked,
            several,
            is_whole,
            is_lost,
        ):
            wrong.append((what, got, len(found.transactions), found.is_whole, found.problem))
    assert wrong == []


def test_a_long_list_is_compared_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The agent may list more than was asked for; comparing each with each would stop an event loop for many seconds."""
    compared: list[Transaction] = []

    def compare(one: Transaction, other: object) -> bool:
        compared.append(one)
        return one is other

    monkeypatch.setattr(transaction_search, "read_transactions", lambda answer, _: answer)
    rows = [listed(number, payee=Payee(name="Ada"), created=NOW) for number in range(500)]
    order = PaymentOrder("Ada", Decimal(1), "TSD")
    monkeypatch.setattr(Transaction, "__eq__", compare)
    monkeypatch.setattr(Transaction, "__hash__", object.__hash__)
    found = search(Agent(lambda _: rows), None, 10, lambda: 0.0)._replace(is_whole=True)
    verdict = prove(Verdict(PAID), order, found, task_id="tsk-1", since=NOW, is_taken=lambda _: False)
    assert (len(found.transactions), verdict.outcome) == (500, UNDETERMINED)
    assert len(compared) < 500


def test_what_a_search_could_not_read_may_be_the_payment(monkeypatch: pytest.MonkeyPatch) -> None:
    """A fault of the SDK, or a row that cannot be read, hides what it may show; a row of another task or of an earlier time does not."""

    def read(listed: list[Any], skipped: list[InvalidObjectError]) -> list[Transaction]:
        skipped += [one for one in listed if isinstance(one, InvalidObjectError)]
        return [one for one in listed if isinstance(one, Transaction)]

    def answer_with(rows: list[Any], _: object) -> list[Any]:
        return rows

    monkeypatch.setattr(transaction_search, "read_transactions", read)
    monkeypatch.setattr(transaction_search, "unreadable", lambda _, problem: PaymanError(problem))
    since = NOW - dt.timedelta(seconds=60)
    rows: list[tuple[str, object, bool]] = [
        ("no object", 5, True),
        ("of the task", {"task_id": "tsk-0"}, True),
        ("of no task", {"task_id": None}, True),
        ("of a word", {"task_id": "pending"}, True),
        ("of another task", {"task_id": "tsk-1"}, False),
        ("of another kind of task", {"task_id": "a2b4c6d8"}, False),
        ("too short for an id", {"task_id": "a2b4c6d"}, True),
        ("at the time of the order", {"created": since.isoformat()}, True),
        ("before the order", {"created": (since - dt.timedelta(seconds=1)).isoformat()}, False),
    ]
    for what, item, may_hide in rows:
        problem = InvalidObjectError(f"{what}: it cannot be read")
        problem.item = item
        rows_of_page: list[Any] = [listed(1), problem]
        found = search(Agent(partial(answer_with, rows_of_page)), None, 60, lambda: 0.0)
        assert found.may_hide_one is may_hide, what
        assert (found.transactions, len(found.others), found.is_whole) == ([], 1, False), what
        assert what in str(found.problem)
    fault = search(Agent(lambda _: ValueError()), None, 60, lambda: 0.0)
    assert (fault.may_hide_one, fault.is_whole) == (True, False)
    # The time of the order is still its time: only what is older ends the list.
    assert len(search(Agent(page), None, 49, lambda: 0.0).transactions) == 100


def test_of_equal_payments_none_is_proven_before_all_are_known(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without an id and without tasks, one transaction that fits proves nothing while others may be behind those that were listed."""
    claim = (
        '{"status": "paid", "payment_id": null, "amount": "5.00", "currency": "TSD", '
        '"payee": {"name": "Test Payee", "id": null, "email": null, "paytag": null}, "reason": null}'
    )
    outcomes = []
    with Sandbox(json_answers="unlinked") as sandbox, sandbox.client() as client:
        sandbox.script([claim])
        payment = client.pay("Test Payee", 5, "TSD", verify=False)
        pay_others(sandbox, 60)
        pay_others(sandbox, 1, "5.00")
        pay_others(sandbox, 60)
        for pages in (2, 3):
            monkeypatch.setattr(transaction_search, "_MOST_PAGES", pages)
            outcomes.append(client.payment_status(payment).outcome)
    sandbox.close()
    assert outcomes == [UNDETERMINED, PAID]
