"""Pays invoices through Payman, each once, and returns their outcomes."""

from dataclasses import dataclass
from decimal import Decimal

from payman_sdk import PaymanClient, PaymentOutcome


@dataclass(frozen=True)
class Invoice:
    """What is owed, and to whom."""

    number: str
    payee: str
    amount: Decimal


def pay(client: PaymanClient, invoice: Invoice) -> PaymentOutcome:
    """Pay an invoice once, however often this is called, and return the outcome."""
    payment = client.pay(
        invoice.payee,
        invoice.amount,
        "TSD",
        memo=f"invoice {invoice.number}",
        idempotency_key=f"invoice-{invoice.number}",
    )
    return payment.outcome
