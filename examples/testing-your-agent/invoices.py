"""Pays invoices through Payman, each once, and says what became of them."""

from dataclasses import dataclass
from decimal import Decimal

from payman_sdk import PaymanClient
from payman_sdk.errors import OutcomeUnknownError, PaymanError


@dataclass(frozen=True)
class Invoice:
    """What is owed, and to whom."""

    number: str
    payee: str
    amount: Decimal


def pay(client: PaymanClient, invoice: Invoice) -> str:
    """Pays an invoice, however often this is called; returns `paid`, `waiting`, `refused` or `unknown`."""
    text = f"send {invoice.amount} TSD to {invoice.payee}. Description: invoice {invoice.number}"
    try:
        response = client.ask(text, idempotency_key=f"invoice-{invoice.number}")
    except OutcomeUnknownError:
        return "unknown"
    except PaymanError:
        return "refused"
    if response.requires_input:
        return "waiting"
    # The agent refuses in words, and a task may have been answered more than once: the last words count.
    if response.status == "failed" or "No payment was made" in response.artifacts[-1]["content"]:
        return "refused"
    return "paid"
