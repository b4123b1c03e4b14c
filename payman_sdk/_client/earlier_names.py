"""The names of methods of other Payman clients, for whoever comes from one."""

from __future__ import annotations

import re

_NAMES = {
    "with_client_credentials": "with_credentials",
    "payments": "pay",
    "send_payment": "pay",
    "send_direct_payment": "pay",
    "search_payees": "payees",
    "list_payees": "payees",
    "balances": "wallets",
    "get_balance": "wallets",
    "get_spendable_balance": "wallets",
    "list_wallets": "wallets",
    "list_transactions": "transactions",
}
"""Methods of the client of the older REST API and of the TypeScript SDK, in snake_case, and what they are called here."""


def explain_missing(owner: type, name: str) -> str:
    """Return the message of the AttributeError for a name that a client does not have.

    Example:
        >>> from payman_sdk._client.earlier_names import explain_missing
        >>> from payman_sdk._client.sync import PaymanClient
        >>> explain_missing(PaymanClient, "withClientCredentials")
        "PaymanClient has no attribute 'withClientCredentials'; use PaymanClient.with_credentials."
    """
    said = f"{owner.__name__} has no attribute {name!r}"
    snake = re.sub(r"(?<=[a-z0-9])([A-Z])", r"_\1", name).lower()
    known = _NAMES.get(snake, snake)
    if name.startswith("_") or known == name or not any(known in vars(base) for base in owner.__mro__):
        return said
    return f"{said}; use {owner.__name__}.{known}."
