"""The tokens of a client, from its credentials."""

from __future__ import annotations

from typing import TYPE_CHECKING

from payman_sdk._core.auth.access_token import TokenOwner
from payman_sdk._core.auth.credentials import Credentials
from payman_sdk._core.auth.stored_token import StoredToken, fingerprint_token
from payman_sdk._core.auth.tokens import TokenManager
from payman_sdk._io.clock import monotonic, wall_time
from payman_sdk._io.token_store_access import TokenStoreAccess
from payman_sdk.token_stores.memory import SHARERS, MemoryTokenStore, shared_store

if TYPE_CHECKING:
    from payman_sdk._core.tracking import ClientObserver


def create_token_manager(credentials: Credentials, observer: ClientObserver) -> TokenManager:
    """Return the tokens of these credentials; the observer sees every refresh."""
    config, given = credentials.config, credentials.given
    owner = TokenOwner(
        application=credentials.application,
        base_url=config.base_url,
        has_own_account=credentials.has_own_account,
    )
    store = credentials.store
    is_shared = False
    if store is None and credentials.has_own_account and config.client_secret is not None:
        is_shared = True
        store = shared_store(config.base_url, config.client_id, config.client_secret)
    known = None
    if given is not None:
        known = StoredToken(
            issued_to=owner.name,
            access_token=given.access_token,
            expires_at=wall_time() + given.lifetime,
            lifetime=given.lifetime,
            refresh_token=given.refresh_token,
            scope=given.scope,
            lineage=fingerprint_token(given.refresh_token or given.access_token),
        )
    manager = TokenManager(
        owner,
        TokenStoreAccess(store or MemoryTokenStore()),
        clock=monotonic,
        now=wall_time,
        given=known,
        observer=observer,
        on_token=config.on_token,
    )
    if is_shared:
        SHARERS.add(manager)
    return manager
