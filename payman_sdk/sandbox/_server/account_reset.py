"""Everything anew: the clients stay, with their secrets and redirect URIs, and each has what a new account has."""

from __future__ import annotations

from payman_sdk.sandbox._ledger import accounts
from payman_sdk.sandbox._ledger.environment import SandboxEnvironment
from payman_sdk.sandbox._ledger.store import Transaction

# In an order that leaves no row without the one that it refers to.
_FORGOTTEN = (
    "entries",
    "transfers",
    "refusals",
    "payments",
    "artifacts",
    "messages",
    "tasks",
    "payees",
    "wallets",
    "books",
    "tokens",
    "grants",
)


def reset(tx: Transaction, world: SandboxEnvironment) -> None:
    """Forget tasks, money, payees and tokens, and furnish every account again."""
    for table in _FORGOTTEN:
        tx.execute(f"DELETE FROM {table}")  # noqa: S608 (the names are those above) # nosec B608
    tx.execute("UPDATE clients SET barred = 0")
    for account in accounts.list_accounts(tx):
        accounts.furnish(tx, world, account)
