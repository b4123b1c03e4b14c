"""What the token that is used may do, as far as its scopes say."""

from __future__ import annotations

from typing import TYPE_CHECKING

from payman_sdk.errors import TokenStoreError

if TYPE_CHECKING:
    from payman_sdk.token_stores.base import TokenStore


def may_move_money(store: TokenStore) -> bool:
    """Return whether the token in a store may be used to pay; a token whose scopes are not known may be."""
    try:
        kept = store.load()
    except TokenStoreError:
        return True
    return kept is None or not is_read_only(kept.scope)


def is_read_only(scope: str | None) -> bool:
    """Return whether scopes allow nothing but to read; a scope that nobody has listed does not count as one that reads.

    Example:
        >>> from payman_sdk._cli.token_scopes import is_read_only
        >>> is_read_only("read_balance,read_list_payees"), is_read_only("read_balance write_send_payment"), is_read_only("")
        (True, False, False)
    """
    from payman_sdk._core.auth.authorization import Scope

    reading = {one.value for one in Scope if one.value.startswith("read_")}
    names = (scope or "").replace(",", " ").split()
    return bool(names) and reading.issuperset(names)
