"""What the scopes of a token allow. A scope that is not known to read only may write."""

from __future__ import annotations

from payman_api.models.scope import Scope

_READING = frozenset(
    {
        Scope.READ_BALANCE,
        Scope.READ_LIST_PAYEES,
        Scope.READ_LIST_TRANSACTIONS,
        Scope.READ_LIST_WALLETS,
    }
)


def is_read_only(scope: str | None) -> bool:
    """Return whether a token of these scopes can only read; False where they are not known.

    Example:
        >>> from payman_sdk._core.auth.scopes import is_read_only
        >>> is_read_only("read_balance,read_list_wallets"), is_read_only("read_balance write_send_payment"), is_read_only(None)
        (True, False, False)
    """
    names = (scope or "").replace(",", " ").split()
    return bool(names) and all(name in _READING for name in names)
