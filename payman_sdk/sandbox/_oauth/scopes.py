"""Scopes: what a token allows the agent, how a list of them is written, and how a person reads it."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from types import MappingProxyType

from payman_api.models.scope import Scope
from payman_sdk.sandbox._agent.language import intents as intent

Scopes = tuple[Scope, ...]
"""Several scopes, each once, in the order in which they were asked for."""

EVERY: Scopes = tuple(Scope)

IN_WORDS: Mapping[Scope, str] = MappingProxyType(
    {
        Scope.READ_BALANCE: "See how much is in your wallets",
        Scope.READ_LIST_WALLETS: "See your wallets and their limits",
        Scope.READ_LIST_PAYEES: "See your payees",
        Scope.READ_LIST_TRANSACTIONS: "See your transactions and what waits for approval",
        Scope.WRITE_CREATE_PAYEE: "Add payees to your account",
        Scope.WRITE_SEND_PAYMENT: "Send payments from your wallets, and approve or deny those that wait",
        Scope.WRITE_CREATE_WALLET: "Open new wallets",
    }
)
"""What each scope allows, as the consent page says it."""


def parse_scopes(asked: str | Iterable[str]) -> Scopes:
    """Return the scopes in a list of them, or in a text that joins them by commas, as Payman does [D], or by spaces [P].

    Raises:
        ValueError: if there is none in it, or one that is unknown.
    """
    names = asked.replace(",", " ").split() if isinstance(asked, str) else [str(name) for name in asked]
    if not names:
        raise ValueError(f"scope is empty; name at least one of {', '.join(EVERY)}")
    for name in names:
        if name not in EVERY:
            raise ValueError(f"scope {name[:80]!r} is unknown; known are {', '.join(EVERY)}")
    return tuple(dict.fromkeys(Scope(name) for name in names))


def format_scopes(scopes: Iterable[Scope]) -> str:
    """Return the scopes joined by commas, as Payman does [D]."""
    return ",".join(scopes)


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
    """Return why the scopes do not allow what is meant, as the agent's whole answer; None where they do."""
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
