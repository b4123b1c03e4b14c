"""What was said in a session so far, for "What did we talk about earlier?"."""

from __future__ import annotations

from payman_sdk.sandbox._ledger.accounts import Account
from payman_sdk.sandbox._ledger.store import Transaction

_NEWEST = 20


def recall(tx: Transaction, account: Account, session_id: str) -> list[str]:
    """What the account's user said in the session, oldest first, the newest twenty at most."""
    found = tx.execute(
        "SELECT m.text FROM messages m JOIN tasks t ON t.number = m.task_number "
        "WHERE t.account_id = ? AND t.session_id = ? AND m.role = 'user' ORDER BY m.number DESC LIMIT ?",
        (account.id, session_id, _NEWEST),
    ).fetchall()
    return [row["text"] for row in reversed(found)]
