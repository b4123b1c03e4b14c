"""Stores of access tokens, so that many clients, processes and machines can share one.

A client holds the lock of a store while it reads the token again, refreshes it and saves it. `MemoryTokenStore` is the default. The
other stores need an extra each and are imported on first use.
"""

from typing import TYPE_CHECKING

from payman_sdk._annotations import import_on_use

if TYPE_CHECKING:
    from payman_sdk.token_stores.base import StoredToken, TokenStore
    from payman_sdk.token_stores.file import FileTokenStore
    from payman_sdk.token_stores.keyring import KeyringTokenStore
    from payman_sdk.token_stores.memory import MemoryTokenStore
    from payman_sdk.token_stores.postgres import PostgresTokenStore
    from payman_sdk.token_stores.redis import RedisTokenStore

__all__ = [
    "FileTokenStore",
    "KeyringTokenStore",
    "MemoryTokenStore",
    "PostgresTokenStore",
    "RedisTokenStore",
    "StoredToken",
    "TokenStore",
]


if not TYPE_CHECKING:
    __getattr__, __dir__ = import_on_use(__name__)
