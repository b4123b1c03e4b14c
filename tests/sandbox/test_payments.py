from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal

import httpx
import pytest

from payman_sdk.sandbox import Sandbox
from tests.sandbox.wire_client import WireClient
from tests.tables import table


class _Day:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.now = dt.datetime(2025, 6, 27, 12, tzinfo=dt.UTC)

    def __call__(self) -> float:
        return self.now.timestamp()


@pytest.fixture
def day() -> _Day:
    return _Day()


@pytest.fixture
def timed(day: _Day) -> Iterator[WireClient]:
    """A client of a sandbox whose clock the test moves, with tokens that last."""
    with (
        Sandbox(clock=day, token_lifetime=10**9) as sandbox,
        httpx.Client(base_url=sandbox.base_url) as http,
    ):
        yield WireClient(sandbox, sandbox.client_id, sandbox.client_secret, http)
        sandbox.check_invariants()


def _add_money(sandbox: Sandbox, amount: int) -> None:
    """Give the first wallet more, so that limits are met before the balance is."""
    from payman_sdk.sandbox._ledger import ledger

    with sandbox.service.store.transaction() as tx:
        book = tx.execute("SELECT book_id FROM wallets").fetchone()[0]
        ledger.post(tx, source="issuer-TSD", target=book, amount=amount * 100, memo="More", moment=0)


@pytest.mark.parametrize(
    ("amount", "outcome"),
    [
        ("0.01", "Sent"),
        ("100", "Sent"),
        ("100.01", "Approval needed"),
        ("500", "Approval needed"),
        ("500.01", "above the limit of 500.00 TSD for one transaction"),
        ("999,999,999,999.99", "above the limit of 500.00 TSD"),
    ],
)
def test_policy_of_one_payment(wire_client: WireClient, amount: str, outcome: str) -> None:
    """Up to 100 TSD are sent, up to 500 wait for approval, and more is refused; each to the hundredth."""
    answer = wire_client.ask(f"send {amount} TSD to Test Payee")
    assert outcome in answer
    assert bool(wire_client.made) == (outcome == "Sent")


def test_refusal_is_an_answer(wire_client: WireClient) -> None:
    """A refused payment completes its task, says that nothing was paid and why, and leaves no payment."""
    task = wire_client.send("send 501 TSD to Test Payee")
    assert task["status"]["state"] == "COMPLETED"
    text = task["artifacts"][0]["parts"][0]["text"]
    assert text.startswith("No payment was made: ")
    assert not wire_client.payments
    assert wire_client.balance == 1000


def test_limit_of_a_day(timed: WireClient, day: _Day) -> None:
    """1,000 TSD a day and no more; at midnight UTC a new day begins."""
    _add_money(timed.sandbox, 5000)
    for _ in range(10):
        assert timed.ask("send 100 TSD to Test Payee").startswith("Sent")
    assert "the limit is 1,000.00 TSD a day, and 1,000.00 TSD of it is spent" in timed.ask(
        "send 0.01 TSD to Test Payee"
    )
    day.now = dt.datetime(2025, 6, 27, 23, 59, 59, tzinfo=dt.UTC)
    assert "a day" in timed.ask("send 0.01 TSD to Test Payee")
    day.now = dt.datetime(2025, 6, 28, tzinfo=dt.UTC)
    assert timed.ask("send 0.01 TSD to Test Payee").startswith("Sent")


@pytest.mark.slow
def test_limit_of_a_month(timed: WireClient, day: _Day) -> None:
    """10,000 TSD a calendar month and no more; the next month begins anew."""
    _add_money(timed.sandbox, 50_000)
    for date in range(1, 11):
        day.now = dt.datetime(2025, 7, date, tzinfo=dt.UTC)
        for _ in range(10):
            assert timed.ask("send 100 TSD to Test Payee").startswith("Sent")
    day.now = dt.datetime(2025, 7, 31, 23, tzinfo=dt.UTC)
    assert "10,000.00 TSD a month" in timed.ask("send 0.01 TSD to Test Payee")
    day.now = dt.datetime(2025, 8, 1, tzinfo=dt.UTC)
    assert timed.ask("send 0.01 TSD to Test Payee").startswith("Sent")


def test_balance_is_the_last_limit(timed: WireClient, day: _Day) -> None:
    """A wallet pays what is in it and not a hundredth more."""
    for _ in range(10):
        timed.ask("send 99.99 TSD to Test Payee")
    day.now += dt.timedelta(days=1)
    assert "its balance is 0.10 TSD" in timed.ask("send 0.11 TSD to Test Payee")
    assert timed.ask("send 0.10 TSD to Test Payee").startswith("Sent")
    assert timed.balance == 0
    assert "its balance is 0.00 TSD" in timed.ask("send 0.01 TSD to Test Payee")


def test_waiting_payments_count_when_they_are_approved(timed: WireClient) -> None:
    """What waits is not counted; limits and balance are looked at again at the approval, which may be refused."""
    for number in range(3):
        timed.send("send 400 TSD to Test Payee", f"tsk-{number}")
    assert timed.balance == 1000
    statuses = [timed.sandbox.approve(f"tsk-{number}").status for number in range(3)]
    assert statuses == ["INITIATED", "INITIATED", "REJECTED"]
    said = timed.call("tasks/get", id="tsk-2")["result"]["artifacts"][1]["parts"][0]["text"]
    assert "refused: there is not enough in the wallet" in said
    assert "No payment was made" in said
    assert timed.balance == 200


def test_rejected_payments_do_not_count(timed: WireClient) -> None:
    """Denied payments use up no limit."""
    for number in range(5):
        timed.send("send 500 TSD to Test Payee", f"tsk-{number}")
        timed.sandbox.deny(f"tsk-{number}")
    assert timed.ask("send 100 TSD to Test Payee").startswith("Sent")


def test_approval_counts_on_its_own_day(timed: WireClient, day: _Day) -> None:
    """A payment counts on the day when it is carried out, not when it was asked for."""
    _add_money(timed.sandbox, 5000)
    timed.send("send 500 TSD to Test Payee", "tsk-night")
    day.now += dt.timedelta(days=1)
    timed.sandbox.approve("tsk-night")
    for _ in range(5):
        timed.ask("send 100 TSD to Test Payee")
    assert "500.00" not in timed.ask("send 0.01 TSD to Test Payee")
    assert len(timed.made) == 6


def test_payment_says_what_it_is(wire_client: WireClient) -> None:
    """A payment in Python has the amount as a decimal, and everything that was said."""
    wire_client.send("Send $12.50 to Test Payee. Memo: two pizzas", "tsk-typed")
    [payment] = wire_client.payments
    assert (payment.amount, payment.currency, payment.payee) == (Decimal("12.50"), "TSD", "Test Payee")
    assert (payment.description, payment.task_id, payment.session_id) == (
        "two pizzas",
        "tsk-typed",
        wire_client.session,
    )
    assert payment.status == "INITIATED"
    assert payment.executed is not None
    assert payment.payee_id.startswith("pd-")


def test_test_dollars_reach_test_payees_only(wire_client: WireClient) -> None:
    """A payee of another type cannot be paid in TSD, and is told why."""
    wire_client.ask("create a payee named Bank of type US ACH")
    assert "reaches payees of type Test Rails only" in wire_client.ask("send 5 TSD to Bank")
    assert not wire_client.payments


@pytest.mark.parametrize(
    "order", ["5 USD", "USDC 5", "€5", "5 EUR", "US$5", "5 GBP", "5 BTC", "5 b\u0131tcoin"]
)
def test_other_currencies_are_refused(wire_client: WireClient, order: str) -> None:
    """There is a TSD wallet only, and no other currency is taken for TSD."""
    assert "you have no wallet that holds" in wire_client.ask(f"send {order} to Test Payee")
    assert not wire_client.payments


@pytest.mark.parametrize("wallet", ["USD wallet", "my EUR wallet", "wallet a.b.c/12", "the savings account"])
def test_other_wallets_are_refused(wire_client: WireClient, wallet: str) -> None:
    """A wallet that the account does not have is refused, however it is named."""
    assert "you have no wallet" in wire_client.ask(f"send 5 TSD to Test Payee from {wallet}")
    assert not wire_client.payments


def test_wallet_by_paytag(wire_client: WireClient) -> None:
    """The wallet may be named by its paytag."""
    paytag = wire_client.ask("list wallets").split("`")[1]
    assert wire_client.ask(f"send 5 TSD to Test Payee from wallet {paytag} for lunch").startswith("Sent")
    assert wire_client.ask(f"send 5 TSD from {paytag} to Test Payee").startswith("Sent")
    assert [payment.description for payment in wire_client.payments] == ["lunch", None]


def test_ledger_shows_both_sides(timed: WireClient) -> None:
    """Every payment is two rows of the ledger, one for each side, that add up to zero."""
    timed.ask("send 7 TSD to Test Payee for lunch")
    rows = timed.sandbox.ledger()
    assert [row.amount for row in rows] == [-1000, 1000, -7, 7]
    assert [row.book for row in rows[2:]][1] == "Test Payee"
    assert {row.memo for row in rows[2:]} == {"lunch"}
    assert rows[2].transfer == rows[3].transfer


@table(
    "damage",
    [
        "UPDATE entries SET amount = amount + 1 WHERE number = 1",
        "UPDATE entries SET amount = -amount WHERE transfer_number = 1",
        "DELETE FROM entries WHERE transfer_number = 2",
        "UPDATE payments SET status = 'REJECTED', executed = NULL",
        "UPDATE payments SET amount = amount + 1",
        "INSERT INTO transfers (payment_id, memo, moment) VALUES (NULL, '', 0)",
    ],
)
def test_invariants_notice_damage(damage: str) -> None:
    """A ledger that was tampered with fails the check, whatever was done to it."""
    with Sandbox() as sandbox, httpx.Client(base_url=sandbox.base_url) as http:
        WireClient(sandbox, sandbox.client_id, sandbox.client_secret, http).ask("send 7 TSD to Test Payee")
    sandbox.check_invariants()
    with sandbox.service.store.transaction() as tx:
        tx.execute(damage)
    with pytest.raises(AssertionError):
        sandbox.check_invariants()
