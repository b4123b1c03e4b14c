from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from decimal import Decimal

import pytest

from payman_sdk.sandbox._ledger import ledger
from payman_sdk.sandbox._ledger.store import Store, Transaction


@pytest.fixture
def tx() -> Iterator[Transaction]:
    """A ledger in which a wallet holds 5.00."""
    with Store().transaction() as tx:
        for book, kind in (("issuer", "issuer"), ("wallet", "wallet"), ("payee", "payee")):
            ledger.open_book(tx, book, kind, "TSD")
        ledger.post(tx, source="issuer", target="wallet", amount=500, memo="", moment=0)
        yield tx


def test_transfer_moves_money(tx: Transaction) -> None:
    """What one book gives the other gets."""
    ledger.post(tx, source="wallet", target="payee", amount=500, memo="", moment=0)
    assert (ledger.read_balance(tx, "wallet"), ledger.read_balance(tx, "payee")) == (0, 500)
    ledger.check_invariants(tx)


@pytest.mark.parametrize(
    ("amount", "complaint"), [(501, "less than 501"), (0, "above zero"), (-1, "above zero")]
)
def test_impossible_transfer_is_refused(tx: Transaction, amount: int, complaint: str) -> None:
    """More than there is, nothing, and less than nothing cannot be moved."""
    with pytest.raises(ValueError, match=complaint):
        ledger.post(tx, source="wallet", target="payee", amount=amount, memo="", moment=0)
    assert ledger.read_balance(tx, "wallet") == 500


def test_database_itself_keeps_books_above_zero(tx: Transaction) -> None:
    """Even an entry that went round all rules cannot bring a wallet below zero."""
    with pytest.raises(sqlite3.IntegrityError):
        tx.execute("INSERT INTO entries (transfer_number, book_id, amount) VALUES (1, 'wallet', -501)")


def test_minor_units_are_exact() -> None:
    """Amounts are hundredths, exactly; a finer amount is refused and not rounded."""
    assert ledger.to_minor(Decimal("12.5")) == 1250
    assert ledger.to_decimal(1250) == Decimal("12.50")
    assert ledger.to_minor(ledger.to_decimal(10**17 + 1)) == 10**17 + 1
    with pytest.raises(ValueError, match="more than 2 decimals"):
        ledger.to_minor(Decimal("0.001"))
