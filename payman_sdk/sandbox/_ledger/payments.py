"""Payments: proposed, judged by the wallet's policy, carried out, approved or denied.

Only payments that were carried out count towards the limits of a day and a month (UTC). Nothing is set aside for one that waits:
limits and balance are checked again at its approval.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

from payman_sdk.sandbox._agent.language.intents import PayeeKind
from payman_sdk.sandbox._ledger import accounts, ledger
from payman_sdk.sandbox._ledger.accounts import Account, PayeeAccount, WalletAccount
from payman_sdk.sandbox._ledger.environment import SandboxEnvironment, compute_day_and_month
from payman_sdk.sandbox._ledger.ledger import InsufficientFundsError, LimitError, RefusedError
from payman_sdk.sandbox._ledger.store import Transaction

Status = Literal["INITIATED", "AWAITING_APPROVAL", "REJECTED"]


@dataclass(frozen=True)
class SandboxPayment:
    """A payment as the account sees it.

    Attributes:
        id: `txn-…`.
        status: `INITIATED` (carried out), `AWAITING_APPROVAL` or `REJECTED` [D].
        amount: The amount.
        currency: The code, such as `TSD`.
        payee: The payee's name.
        payee_id: `pd-…`.
        description: The purpose, or None.
        task_id: The task that ordered it.
        session_id: The session of that task.
        client_id: The client whose account pays.
        created: The time of the order, in nanoseconds since 1970.
        executed: The time of execution, likewise, or None.
    """

    id: str
    status: Status
    amount: Decimal
    currency: str
    payee: str
    payee_id: str
    description: str | None
    task_id: str
    session_id: str
    client_id: str
    created: int
    executed: int | None


_SELECT = """
    SELECT p.id, p.status, p.amount, p.currency, r.name AS payee, r.id AS payee_id, p.description, t.id AS task_id,
    t.session_id, c.id AS client_id, p.created, p.executed
    FROM payments p JOIN payees r ON r.id = p.payee_id JOIN tasks t ON t.number = p.task_number
    JOIN clients c ON c.account_id = p.account_id
"""


def _read_payment(row: Any) -> SandboxPayment:
    fields: dict[str, Any] = dict(row)
    fields["amount"] = ledger.to_decimal(row["amount"])
    return SandboxPayment(**fields)


def list_payments(tx: Transaction) -> list[SandboxPayment]:
    return [_read_payment(row) for row in tx.execute(f"{_SELECT} ORDER BY p.number")]


def list_newest(tx: Transaction, account: Account, count: int, after: int = 0) -> list[SandboxPayment]:
    found = tx.execute(
        f"{_SELECT} WHERE p.account_id = ? ORDER BY p.number DESC LIMIT ? OFFSET ?",
        (account.id, count, after),
    )
    return [_read_payment(row) for row in found]


def count(tx: Transaction, account: Account) -> int:
    query = "SELECT COUNT(*) AS several FROM payments WHERE account_id = ?"
    several: int = tx.execute(query, (account.id,)).fetchone()["several"]
    return several


def list_waiting(tx: Transaction, account: Account) -> list[SandboxPayment]:
    """Return the account's payments that wait for approval, oldest first."""
    found = tx.execute(
        f"{_SELECT} WHERE p.account_id = ? AND p.status = 'AWAITING_APPROVAL' ORDER BY p.number",
        (account.id,),
    )
    return [_read_payment(row) for row in found]


def sum_waiting(tx: Transaction, account: Account, currency: str) -> int:
    """Return how much of a currency waits for approval in the account, in minor units."""
    waiting = list_waiting(tx, account)
    return sum(ledger.to_minor(one.amount) for one in waiting if one.currency == currency)


def find(tx: Transaction, account: Account, reference: str) -> SandboxPayment | None:
    """Return the account's payment with that id, or that of the task with that id."""
    found = tx.execute(f"{_SELECT} WHERE p.id = ? AND p.account_id = ?", (reference, account.id)).fetchone()
    return find_by_task(tx, account, reference) if found is None else _read_payment(found)


def find_by_task(tx: Transaction, account: Account, task_id: str) -> SandboxPayment | None:
    found = tx.execute(f"{_SELECT} WHERE t.id = ? AND t.account_id = ?", (task_id, account.id)).fetchone()
    return None if found is None else _read_payment(found)


def find_by_task_number(tx: Transaction, task_number: int) -> SandboxPayment | None:
    found = tx.execute(f"{_SELECT} WHERE t.number = ?", (task_number,)).fetchone()
    return None if found is None else _read_payment(found)


@dataclass(frozen=True)
class Refusal:
    """An order that is refused, and why, in the agent's words; `moment` is in nanoseconds since 1970."""

    task_number: int
    reason: str
    moment: int


def record_refusal(tx: Transaction, world: SandboxEnvironment, task_number: int, reason: str) -> None:
    tx.execute("INSERT OR REPLACE INTO refusals VALUES (?, ?, ?)", (task_number, reason, world.now()))


def refusal_of(tx: Transaction, task_number: int) -> Refusal | None:
    found = tx.execute("SELECT * FROM refusals WHERE task_number = ?", (task_number,)).fetchone()
    return None if found is None else Refusal(*found)


def refusals(tx: Transaction, account: Account, count: int) -> tuple[list[Refusal], int]:
    """Return the newest refusals of an account, newest first, and how many there are on all."""
    where = "FROM refusals r JOIN tasks t ON t.number = r.task_number WHERE t.account_id = ?"
    found = tx.execute(f"SELECT r.* {where} ORDER BY r.task_number DESC LIMIT ?", (account.id, count))
    total: int = tx.execute(f"SELECT COUNT(*) AS several {where}", (account.id,)).fetchone()["several"]
    return [Refusal(*row) for row in found], total


def propose(
    tx: Transaction,
    world: SandboxEnvironment,
    account: Account,
    *,
    task_number: int,
    wallet: WalletAccount,
    payee: PayeeAccount,
    amount: int,
    description: str | None,
    ask: bool,
) -> SandboxPayment:
    """Pay, or let the payment wait for approval if the policy or `ask` requires it; raises RefusedError.

    The amount is in minor units, above zero.
    """
    _check_policy(tx, world, wallet, payee, amount)
    waits = ask or amount > wallet.policy.approval_above
    identity = world.new_id("txn")
    tx.execute(
        "INSERT INTO payments (id, account_id, task_number, wallet_id, payee_id, amount, currency, description, status, "
        "created) VALUES (?, ?, ?, ?, ?, ?, ?, ?, 'AWAITING_APPROVAL', ?)",
        (
            identity,
            account.id,
            task_number,
            wallet.id,
            payee.id,
            amount,
            wallet.currency,
            description,
            world.now(),
        ),
    )
    if not waits:
        _carry_out(tx, world, identity, wallet, payee, amount, description)
    written = find(tx, account, identity)
    assert written is not None  # noqa: S101 (it was written in this transaction)
    return written


def approve(tx: Transaction, world: SandboxEnvironment, payment: SandboxPayment) -> None:
    """Carry out a waiting payment; raises RefusedError, and rejects it, if the policy or the balance now forbids it."""
    row = tx.execute("SELECT wallet_id, amount FROM payments WHERE id = ?", (payment.id,)).fetchone()
    wallet, payee = accounts.load_wallet(tx, row["wallet_id"]), accounts.load_payee(tx, payment.payee_id)
    try:
        _check_policy(tx, world, wallet, payee, row["amount"])
    except RefusedError:
        reject(tx, payment)
        raise
    _carry_out(tx, world, payment.id, wallet, payee, row["amount"], payment.description)


def reject(tx: Transaction, payment: SandboxPayment) -> None:
    tx.execute(
        "UPDATE payments SET status = 'REJECTED' WHERE id = ? AND status = 'AWAITING_APPROVAL'", (payment.id,)
    )


def _check_policy(
    tx: Transaction, world: SandboxEnvironment, wallet: WalletAccount, payee: PayeeAccount, amount: int
) -> None:
    """Raise RefusedError where the payment may not be made."""
    policy, currency = wallet.policy, wallet.currency

    def format_minor(minor: int) -> str:
        return f"{ledger.to_decimal(minor):,} {currency}"

    if payee.kind is not PayeeKind.TEST_RAILS:
        raise RefusedError(
            f"{currency} reaches payees of type Test Rails only, and this one's type is {payee.kind.words}"
        )
    if amount > policy.most_per_transaction:
        raise LimitError(
            f"{format_minor(amount)} is above the limit of {format_minor(policy.most_per_transaction)} for one transaction"
        )
    if amount > (there := ledger.read_balance(tx, wallet.book)):
        raise InsufficientFundsError(
            f"there is not enough in the wallet: its balance is {format_minor(there)}"
        )
    day, month = _sum_spent(tx, world, wallet)
    for name, most, spent in (("day", policy.most_per_day, day), ("month", policy.most_per_month, month)):
        if spent + amount > most:
            raise LimitError(
                f"the limit is {format_minor(most)} a {name}, and {format_minor(spent)} of it is spent"
            )


def _sum_spent(tx: Transaction, world: SandboxEnvironment, wallet: WalletAccount) -> tuple[int, int]:
    """Return what the wallet paid since the day began, and since the month began."""
    day, month = compute_day_and_month(world.now())
    found = tx.execute(
        "SELECT COALESCE(SUM(amount) FILTER (WHERE day >= ?), 0) AS day, COALESCE(SUM(amount), 0) AS month "
        "FROM spending WHERE wallet_id = ? AND day >= ?",
        (day, wallet.id, month),
    ).fetchone()
    return found["day"], found["month"]


def _carry_out(
    tx: Transaction,
    world: SandboxEnvironment,
    identity: str,
    wallet: WalletAccount,
    payee: PayeeAccount,
    amount: int,
    description: str | None,
) -> None:
    moment = world.now()
    tx.execute("UPDATE payments SET status = 'INITIATED', executed = ? WHERE id = ?", (moment, identity))
    tx.execute(
        "INSERT INTO spending VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET amount = amount + excluded.amount",
        (wallet.id, compute_day_and_month(moment)[0], amount),
    )
    ledger.post(
        tx,
        source=wallet.book,
        target=payee.book,
        amount=amount,
        memo=description or f"Payment to {payee.name}",
        moment=moment,
        payment_id=identity,
    )
