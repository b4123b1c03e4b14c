"""What the agent may do with the scopes of an access token; a refusal is an answer in words, like its other refusals."""

from __future__ import annotations

from collections.abc import Container

from payman_api.models.scope import Scope
from payman_sdk.sandbox._agent.language import intents as intent

_NEEDED: dict[type[intent.Intent], Scope] = {
    intent.Pay: Scope.WRITE_SEND_PAYMENT,
    intent.Approve: Scope.WRITE_SEND_PAYMENT,
    intent.Deny: Scope.WRITE_SEND_PAYMENT,
    intent.CreatePayee: Scope.WRITE_CREATE_PAYEE,
    intent.ShowBalance: Scope.READ_BALANCE,
    intent.ListWallets: Scope.READ_LIST_WALLETS,
    intent.ShowPolicy: Scope.READ_LIST_WALLETS,
    intent.ListPayees: Scope.READ_LIST_PAYEES,
    intent.ShowPayee: Scope.READ_LIST_PAYEES,
    intent.ListTransactions: Scope.READ_LIST_TRANSACTIONS,
    intent.ShowTransaction: Scope.READ_LIST_TRANSACTIONS,
    intent.ListRequests: Scope.READ_LIST_TRANSACTIONS,
}
"""Anything else needs no scope: it reveals nothing of the account and changes nothing."""


def find_refusal(meaning: intent.Intent, scopes: Container[Scope]) -> str | None:
    """Why the scopes do not allow what is meant, as the agent's whole answer; None where they do."""
    needed = _NEEDED.get(type(meaning))
    if needed is None or needed in scopes:
        return None
    match meaning:
        case intent.Pay() | intent.Approve() | intent.Deny():
            outcome = "No payment was made"
        case intent.CreatePayee():
            outcome = "No payee was created"
        case _:
            outcome = "I cannot say that"
    return f"{outcome}: the access token lacks the scope `{needed}`."
