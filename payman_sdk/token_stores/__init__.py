"""Where clients keep their access tokens, so that many clients, processes and machines can share one.

A token store loads and saves one token. A client holds its lock while it reads the token again, refreshes it and saves it.
`MemoryTokenStore` is the default. The other stores need an extra each and are imported on first use.

Example:
    >>> from payman_sdk.token_stores import MemoryTokenStore
    >>> MemoryTokenStore().load() is None
    True
"""

from importlib import import_module
from typing import TYPE_CHECKING

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

_MODULES = {
    "FileTokenStore": "file",
    "KeyringTokenStore": "keyring",
    "MemoryTokenStore": "memory",
    "PostgresTokenStore": "postgres",
    "RedisTokenStore": "redis",
    "StoredToken": "base",
    "TokenStore": "base",
}

if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        if name not in _MODULES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = getattr(import_module(f".{_MODULES[name]}", __name__), name)
        globals()[name] = value
        return value

    def __dir__() -> list[str]:
        return sorted(__all__)
