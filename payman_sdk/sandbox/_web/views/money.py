"""Wallets, payees, transactions, what waits for approval, and the policy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from payman_sdk.sandbox._agent import markdown, tasks
from payman_sdk.sandbox._ledger import accounts, ledger, payments
from payman_sdk.sandbox._ledger.accounts import Account, Payee, Policy, Wallet
from payman_sdk.sandbox._ledger.payments import Payment
from payman_sdk.sandbox._ledger.store import Transaction

ON_A_PAGE = 50
_T = TypeVar("_T")


@dataclass(frozen=True)
class Leaf(Generic[_T]):
    """One page of a long list.

    Attributes:
        items: what is on it.
        number: its number, from 1.
        last: the number of the last one.
        total: how many there are on all.
    """

    items: Sequence[_T]
    number: int
    last: int
    total: int

    @classmethod
    def place(cls, total: int, wanted: int) -> tuple[int, int]:
        """The number of the page that is nearest to the wanted one, and of the last one."""
        last = max(1, -(-total // ON_A_PAGE))
        return min(max(wanted, 1), last), last


@dataclass(frozen=True)
class WalletShown:
    """A wallet: what is in it, and its paytag."""

    id: str
    currency: str
    balance: str
    paytag: str


@dataclass(frozen=True)
class PaymentShown:
    """A payment."""

    id: str
    task: int
    created: int
    payee: str
    amount: str
    about: str
    status: str


@dataclass(frozen=True)
class PolicyField:
    """One amount of a policy, as a form has it: `text` is what stands in it, `error` what is wrong with that."""

    name: str
    label: str
    hint: str
    text: str
    error: str | None = None


_STATUS = {"INITIATED": "Paid", "AWAITING_APPROVAL": "Waits for approval", "REJECTED": "Rejected"}

POLICY = {
    "approval_above": ("Approval needed above", "A payment of more than this waits for you."),
    "most_per_transaction": ("At most per transaction", "A payment of more than this is refused."),
    "most_per_day": ("At most per day", "All payments of a day (UTC) together."),
    "most_per_month": ("At most per month", "All payments of a month (UTC) together."),
}
"""The amounts of a policy: what they are called, and what they do."""


def wallets(tx: Transaction, account: Account) -> list[WalletShown]:
    """The account's wallets."""
    return [
        WalletShown(
            one.id, one.currency, markdown.money(ledger.balance(tx, one.book), one.currency), one.paytag
        )
        for one in accounts.wallets(tx, account)
    ]


def pending(tx: Transaction, account: Account) -> Leaf[PaymentShown]:
    """The payments that wait for approval, oldest first, as many as a page has."""
    found = payments.waiting(tx, account)
    return Leaf([payment(tx, account, one) for one in found[:ON_A_PAGE]], 1, 1, len(found))


def transactions(tx: Transaction, account: Account, wanted: int) -> Leaf[PaymentShown]:
    """A page of the account's payments, newest first."""
    total = payments.count(tx, account)
    number, last = Leaf.place(total, wanted)
    found = payments.newest(tx, account, ON_A_PAGE, (number - 1) * ON_A_PAGE)
    return Leaf([payment(tx, account, one) for one in found], number, last, total)


def payees(tx: Transaction, account: Account, wanted: int) -> Leaf[Payee]:
    """A page of the account's payees, oldest first."""
    everybody = accounts.payees(tx, account)
    number, last = Leaf.place(len(everybody), wanted)
    first = (number - 1) * ON_A_PAGE
    return Leaf(everybody[first : first + ON_A_PAGE], number, last, len(everybody))


def payment(tx: Transaction, account: Account, one: Payment) -> PaymentShown:
    """One payment."""
    return PaymentShown(
        one.id,
        tasks.number_of(tx, account, one.task_id),
        one.created,
        one.payee,
        markdown.amount(one),
        one.description or "",
        _STATUS[one.status],
    )


def policy(wallet: Wallet) -> list[PolicyField]:
    """The form of a wallet's policy, as the policy is."""
    written = _written(wallet.policy)
    return [PolicyField(name, *words, written[name]) for name, words in POLICY.items()]


def _written(one: Policy) -> dict[str, str]:
    return {name: f"{ledger.to_decimal(getattr(one, name))}" for name in POLICY}
