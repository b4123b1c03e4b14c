"""What the token that is used may do, as far as its scopes say."""

from __future__ import annotations

from typing import TYPE_CHECKING

from payman_sdk._core.auth.scopes import is_read_only
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
