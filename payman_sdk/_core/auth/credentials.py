"""Who a client acts for: the application's own account, or a person who gave a token."""

from __future__ import annotations

from typing import TYPE_CHECKING

from payman_sdk._annotations import NamedTuple
from payman_sdk._config import Config

if TYPE_CHECKING:
    from payman_sdk._core.auth.grants import TokenOwner
    from payman_sdk._core.auth.initial_token import InitialToken
    from payman_sdk._core.auth.stored_token import TokenStore


class Credentials(NamedTuple):
    """Who a client acts for.

    Args:
        config: Its settings.
        has_own_account: Whether its credentials alone get a token: the client credentials grant.
        given: A token to begin with, where the store has none.
        store: The token store. Without one, clients with the application's own account share a store in this process. A client
            that acts for a person keeps its token to itself.
    """

    config: Config
    has_own_account: bool
    given: InitialToken | None = None
    store: TokenStore | None = None

    @property
    def owner(self) -> TokenOwner:
        """Whose tokens they are."""
        from payman_sdk._core.auth.grants import TokenOwner

        config = self.config
        return TokenOwner(config.client_id, config.client_secret, config.base_url, self.has_own_account)
