"""Reset all accounts. The clients keep their secrets and redirect URIs, and each gets a new account."""

from __future__ import annotations

from payman_sdk.sandbox._ledger import accounts
from payman_sdk.sandbox._ledger.environment import SandboxEnvironment
from payman_sdk.sandbox._ledger.store import Transaction

_KEPT = frozenset({"accounts", "clients", "redirect_uris"})


def reset(tx: Transaction, world: SandboxEnvironment) -> None:
    """Forget tasks, money, payees and tokens, and whatever else a table holds, and furnish every account again."""
    tx.execute("PRAGMA defer_foreign_keys = ON")  # checked at the commit, so that the order does not matter
    tables = [row["name"] for row in tx.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    for table in tables:
        if table not in _KEPT:
            tx.execute(f'DELETE FROM "{table}"')  # noqa: S608 # nosec B608 # a name of the schema
    tx.execute("UPDATE clients SET barred = 0")
    for account in accounts.list_accounts(tx):
        accounts.furnish(tx, world, account)
