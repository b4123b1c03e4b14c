"""The double-entry ledger: every transfer takes from one book what it gives to another.

Amounts are integers in minor units (hundredths of a TSD). Each wallet and each payee has a book. New wallets are filled from the
issuer's book, the only one that may be below zero. The database updates balances as it writes entries.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Context, Decimal
from typing import Any

from payman_sdk.sandbox._ledger.store import Transaction

DECIMALS = 2
_EXACT = Context(prec=100)


class RefusedError(Exception):
    """The payment is not made; the text says why, as the end of a sentence."""


class InsufficientFundsError(RefusedError):
    """There is less in the wallet than is to be paid."""


class LimitError(RefusedError):
    """The wallet's policy forbids the payment."""


class UnbalancedError(AssertionError):
    """The ledger contradicts itself. This is always a fault of the sandbox."""


@dataclass(frozen=True)
class LedgerRow:
    """One entry of the ledger, ready for a table.

    Attributes:
        transfer: The number of the transfer; its rows add up to zero.
        moment: The time in nanoseconds since 1970.
        book: The book: a wallet's paytag, a payee's name, or `issuer`.
        amount: The amount; negative if it left the book.
        currency: The currency code, such as `TSD`.
        memo: The purpose of the transfer.
    """

    transfer: int
    moment: int
    book: str
    amount: Decimal
    currency: str
    memo: str


def to_minor(amount: Decimal) -> int:
    """Return an amount in integer minor units; more decimals than the currency has are a ValueError."""
    minor = amount.scaleb(DECIMALS, _EXACT)
    if minor != minor.to_integral_value():
        raise ValueError(f"{amount} has more than {DECIMALS} decimals")
    return int(minor)


def to_decimal(minor: int) -> Decimal:
    """Return an amount as a decimal number with the currency's decimals."""
    return Decimal(minor).scaleb(-DECIMALS, _EXACT)


def open_book(tx: Transaction, book: str, kind: str, currency: str) -> str:
    """Open a book, unless it is open; returns its id."""
    tx.execute("INSERT OR IGNORE INTO books (id, kind, currency) VALUES (?, ?, ?)", (book, kind, currency))
    return book


def read_balance(tx: Transaction, book: str) -> int:
    """Return what is in a book, in minor units."""
    found: int = tx.execute("SELECT balance FROM books WHERE id = ?", (book,)).fetchone()["balance"]
    return found


def post(
    tx: Transaction,
    *,
    source: str,
    target: str,
    amount: int,
    memo: str,
    moment: int,
    payment_id: str | None = None,
) -> None:
    """Write the two entries of a transfer, of opposite sign. A payment has one at most.

    The amount is in minor units, and the moment in nanoseconds since 1970. Raises ValueError if the amount is not above zero, or
    exceeds the source.
    """
    if amount <= 0:
        raise ValueError(f"a transfer is above zero, not {amount}")
    issues = source.startswith("issuer")
    if not issues and read_balance(tx, source) < amount:
        raise ValueError(f"there is less than {amount} in {source}")
    transfer = tx.execute(
        "INSERT INTO transfers (payment_id, memo, moment) VALUES (?, ?, ?)", (payment_id, memo, moment)
    ).lastrowid
    tx.executemany(
        "INSERT INTO entries (transfer_number, book_id, amount) VALUES (?, ?, ?)",
        ((transfer, source, -amount), (transfer, target, amount)),
    )


def list_rows(tx: Transaction) -> list[LedgerRow]:
    """Every entry, oldest first."""
    return _rows(tx.execute(f"{_ENTRIES} ORDER BY e.number"))


def rows_of(tx: Transaction, account_id: str, count: int, after: int = 0) -> tuple[list[LedgerRow], int]:
    """Return entries of an account's transfers, newest first, after leaving out so many; and how many there are."""
    own = (
        "WHERE e.transfer_number IN (SELECT o.transfer_number FROM entries o JOIN wallets v ON v.book_id = o.book_id "
        "WHERE v.account_id = ?)"
    )
    found = tx.execute(
        f"{_ENTRIES} {own} ORDER BY e.number DESC LIMIT ? OFFSET ?", (account_id, count, after)
    )
    total: int = tx.execute(f"SELECT COUNT(*) FROM entries e {own}", (account_id,)).fetchone()[0]  # noqa: S608 # nosec B608 # a constant
    return _rows(found), total


_ENTRIES = """
        SELECT t.number AS transfer, t.moment, COALESCE(w.paytag, p.name, b.kind) AS book, e.amount, b.currency, t.memo
        FROM entries e JOIN transfers t ON t.number = e.transfer_number JOIN books b ON b.id = e.book_id
        LEFT JOIN wallets w ON w.book_id = b.id LEFT JOIN payees p ON p.book_id = b.id
        """


def _rows(found: Iterable[Any]) -> list[LedgerRow]:
    return [
        LedgerRow(
            transfer=row["transfer"],
            moment=row["moment"],
            book=row["book"],
            amount=to_decimal(row["amount"]),
            currency=row["currency"],
            memo=row["memo"],
        )
        for row in found
    ]


_BROKEN = {
    "the entries do not add up to zero": """
        SELECT b.currency, SUM(e.amount) FROM entries e JOIN books b ON b.id = e.book_id
        GROUP BY b.currency HAVING SUM(e.amount) <> 0""",
    "a transfer is not two entries of one currency that add up to zero": """
        SELECT t.number FROM transfers t LEFT JOIN entries e ON e.transfer_number = t.number
        LEFT JOIN books b ON b.id = e.book_id GROUP BY t.number
        HAVING COUNT(e.number) <> 2 OR SUM(e.amount) <> 0 OR COUNT(DISTINCT b.currency) <> 1""",
    "a book is below zero": """
        SELECT b.id, SUM(e.amount) FROM entries e JOIN books b ON b.id = e.book_id
        WHERE b.kind <> 'issuer' GROUP BY b.id HAVING SUM(e.amount) < 0""",
    "a book's balance is not the sum of its entries": """
        SELECT b.id, b.balance FROM books b LEFT JOIN entries e ON e.book_id = b.id
        GROUP BY b.id HAVING b.balance <> COALESCE(SUM(e.amount), 0)""",
    "a payment and the ledger disagree": """
        SELECT p.id, p.status FROM payments p JOIN wallets w ON w.id = p.wallet_id JOIN payees r ON r.id = p.payee_id
        LEFT JOIN transfers t ON t.payment_id = p.id
        LEFT JOIN entries o ON o.transfer_number = t.number AND o.book_id = w.book_id AND o.amount = -p.amount
        LEFT JOIN entries i ON i.transfer_number = t.number AND i.book_id = r.book_id AND i.amount = p.amount
        WHERE (p.status = 'INITIATED') <> (o.number IS NOT NULL AND i.number IS NOT NULL)
        OR (p.status <> 'INITIATED' AND t.number IS NOT NULL)""",
}


def check_invariants(tx: Transaction) -> None:
    """Check that the ledger adds up, that no balance is negative, and that it holds every payment. Raises UnbalancedError."""
    for complaint, query in _BROKEN.items():
        broken = [tuple(row) for row in tx.execute(query)]
        if broken:
            raise UnbalancedError(f"{complaint}: {broken}")
