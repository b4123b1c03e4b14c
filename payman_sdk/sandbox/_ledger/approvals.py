"""Payments that wait for a person: which one is meant, and what becomes of it."""

from __future__ import annotations

from dataclasses import dataclass

from payman_sdk.sandbox._agent import markdown
from payman_sdk.sandbox._ledger import payments
from payman_sdk.sandbox._ledger.accounts import Account, fold_name
from payman_sdk.sandbox._ledger.environment import SandboxEnvironment
from payman_sdk.sandbox._ledger.ledger import RefusedError
from payman_sdk.sandbox._ledger.payments import Payment
from payman_sdk.sandbox._ledger.store import Transaction


@dataclass(frozen=True)
class Settlement:
    """How a waiting payment ended.

    Attributes:
        task_id: the task that waited for it.
        text: what is to be said about it, in markdown.
    """

    task_id: str
    text: str


def settle(
    tx: Transaction, world: SandboxEnvironment, account: Account, payment: Payment, *, approve: bool
) -> Settlement:
    """Approve or deny a waiting payment."""
    what = f"**{markdown.format_amount(payment)}** to **{markdown.escape(payment.payee)}**"
    if not approve:
        payments.reject(tx, account, payment)
        return Settlement(payment.task_id, f"Denied: {what}. No payment was made (`{payment.id}`).")
    try:
        payments.approve(tx, world, account, payment)
    except RefusedError as refusal:
        text = f"Approved, but refused: {refusal}. No payment was made: {what} (`{payment.id}`)."
        return Settlement(payment.task_id, text)
    return Settlement(payment.task_id, f"Approved. Sent {what} (`{payment.id}`).")


def is_reference_to(reference: str | None, payment: Payment) -> bool:
    """Whether a reference fits a payment: its id, its task's, or its payee; no reference fits every payment."""
    if reference is None or reference in (payment.id, payment.task_id, payment.payee_id):
        return True
    wanted, name = fold_name(reference), fold_name(payment.payee)
    return wanted == name or name.startswith(f"{wanted} ")


def resolve_payment(
    tx: Transaction, account: Account, session_id: str, reference: str | None
) -> Payment | str:
    """Return the waiting payment that a reference means, or, as a sentence, why it is not clear which.

    An id reaches every waiting payment of the account; a payee's name, or no reference, those of the session.
    """
    waiting = payments.list_waiting(tx, account)
    for payment in waiting:
        if reference in (payment.id, payment.task_id):
            return payment
    here = [
        payment
        for payment in waiting
        if payment.session_id == session_id and is_reference_to(reference, payment)
    ]
    match here:
        case [payment]:
            return payment
        case []:
            what = f' for "{markdown.escape(reference)}"' if reference else ""
            return f"Nothing waits for approval{what} in this session."
        case several:
            lines = markdown.format_bullets([markdown.format_payment(payment) for payment in several])
            return f"Several payments wait for approval; name one by its id:\n\n{lines}"
