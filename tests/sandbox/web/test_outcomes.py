from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from payman_sdk._core.payment_types import PaymentOutcome
from payman_sdk.sandbox._ledger.accounts import reset_accounts
from tests.sandbox.web.visitor import ORIGIN, Visitor, visiting


@pytest.fixture
def visitor() -> Iterator[Visitor]:
    with visiting() as visitor:
        yield visitor


def test_payments_are_shown_with_their_outcome(visitor: Visitor) -> None:
    """A refusal in a completed task is shown as refused, and so is a typed one; paid and waiting ones as such."""
    client = visitor.client
    client.ask("send 10 TSD to Test Payee for coffee")
    client.ask("send 900 TSD to Test Payee")
    client.ask("send 10 TSD to Nobody")
    client.ask("list all wallets")
    waiting = client.pay("Test Payee", 200, "TSD", memo="rent")
    assert client.pay("Test Payee", "901.50", "TSD").outcome is PaymentOutcome.REFUSED
    tasks = visitor.get("tasks")
    for words in (
        "send 10 TSD to Test Payee for coffee completed Paid 10.00 TSD",
        "send 900 TSD to Test Payee completed Refused",
        "send 10 TSD to Nobody completed Refused",
        "pay 200.00 TSD to Test Payee for rent input-required Waits: 200.00 TSD",
        "pay 901.50 TSD to Test Payee completed Refused",
    ):
        assert words in tasks.words
    assert "list all wallets completed Refused" not in tasks.words
    transactions = visitor.get("transactions")
    assert "3 payments that were ordered and not made" in transactions.words
    assert re.search("send 900 TSD to Test Payee Refused .*limit of 500.00 TSD", transactions.words)
    assert visitor.sandbox.payments[0].id in transactions.words
    assert re.search(r"\d\d:\d\d:\d\d UTC", transactions.words)
    assert re.search("990.00 TSD 200.00 TSD", visitor.get().words)
    client.deny(waiting)
    assert "Refused: 200.00 TSD" in visitor.get("tasks").words
    assert "Payment: Refused" in visitor.get("task", number="2").words


def test_the_ledger_says_what_happened(visitor: Visitor) -> None:
    """Its page has the entries of the account's transfers alone, newest first."""
    visitor.client.pay("Test Payee", 10, "TSD", memo="coffee")
    other = visitor.sandbox.add_client("other", "secret-of-other")
    page = visitor.get("ledger")
    assert "4 entries of this account's transfers" in page.words
    assert page.words.index("+10.00 TSD coffee") < page.words.index("-10.00 TSD coffee")
    assert page.words.index("-10.00 TSD coffee") < page.words.index("+1,000.00 TSD First balance")
    account = visitor.sandbox.service.store
    with account.transaction() as tx:
        number = tx.execute("SELECT account_id FROM clients WHERE id = ?", (other[0],)).fetchone()[
            "account_id"
        ]
    assert "2 entries" in visitor.get("ledger", account=number).words


def test_the_page_says_how_to_connect(visitor: Visitor) -> None:
    """Its address and the variables are there to be copied; the secret is not."""
    words = visitor.get().words
    assert f"export PAYMAN_BASE_URL={ORIGIN}" in words
    assert "export PAYMAN_CLIENT_ID=shop" in words
    assert "export PAYMAN_CLIENT_SECRET=…" in words
    assert "the-secret-of-the-shop" not in words


def test_a_reset_forgets_refusals(visitor: Visitor) -> None:
    visitor.client.ask("send 900 TSD to Test Payee")
    with visitor.sandbox.service.store.transaction() as tx:
        reset_accounts(tx, visitor.sandbox.service.world)
    assert "Nothing was refused." in visitor.get("transactions").words
