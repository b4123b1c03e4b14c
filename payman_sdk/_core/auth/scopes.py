"""What the scopes of a token allow. A scope that is not known to read only may write."""

from __future__ import annotations


def is_read_only(scope: str | None) -> bool:
    """Return whether a token of these scopes can only read; False where they are not known, or one of them is not.

    Example:
        >>> from payman_sdk._core.auth.scopes import is_read_only
        >>> is_read_only("read_balance,read_list_wallets"), is_read_only("read_balance write_send_payment"), is_read_only(None)
        (True, False, False)
    """
    from payman_api.models.scope import Scope

    reading = {one.value for one in Scope if one.value.startswith("read_")}
    names = (scope or "").replace(",", " ").split()
    return bool(names) and reading.issuperset(names)
