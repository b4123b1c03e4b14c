"""A token in memory, and the stores that clients with the same credentials share."""

from __future__ import annotations

import os
from typing import Any
from weakref import WeakSet

from payman_sdk._core.auth.stored_token import StoredToken
from payman_sdk._core.effects import Lock
from payman_sdk._io.forks import get_fork_lock
from payman_sdk._io.locks import ThreadLock
from payman_sdk._secrets import SecretStr
from payman_sdk._weak_call import WeakCall

__all__ = ["MemoryTokenStore"]


class MemoryTokenStore:
    """Stores a token in memory, for all clients of one process that use this store.

    Example:
        >>> from payman_sdk.token_stores import MemoryTokenStore
        >>> MemoryTokenStore().load() is None
        True
    """

    _is_in_memory = True
    """Clients call it without waiting for anybody."""

    def __init__(self) -> None:
        self._token: StoredToken | None = None
        self._lock = ThreadLock()

    def load(self) -> StoredToken | None:
        """Return the stored token, or None."""
        return self._token

    def save(self, token: StoredToken) -> None:
        """Replace the stored token. See `TokenStore`."""
        self._token = token

    def clear(self) -> None:
        """Delete the stored token."""
        self._token = None

    @property
    def lock(self) -> Lock:
        """The lock that is held across "read again, renew, write"."""
        return self._lock

    def __repr__(self) -> str:
        return "<MemoryTokenStore>"


_SHARED: dict[tuple[str, str, int, int], MemoryTokenStore] = {}
_SHARED_AT_MOST = 1024


SHARERS: WeakSet[Any] = WeakSet()
"""What remembers a token of these stores beside them, and has a method `forget`."""


def shared_store(base_url: str, client_id: str, client_secret: str) -> MemoryTokenStore:
    """Return the store of all clients of this process with the same credentials at the same server.

    Web programs that make a client for every request thus need no new token for each.
    """
    secret = SecretStr(client_secret)
    # Python's hashes of texts are keyed anew in each process, so the key gives no secret away. Two of them are as good as a
    # digest here; hashlib would be the largest import of a first ask.
    key = (base_url, client_id, hash(secret.reveal()), hash(f"{secret.reveal()}\n"))
    with get_fork_lock():
        store = _SHARED.pop(key, None) or MemoryTokenStore()
        _SHARED[key] = store  # the one used last is at the end
        if len(_SHARED) > _SHARED_AT_MOST:
            del _SHARED[next(iter(_SHARED))]
        return store


def forget_shared_stores() -> None:
    """Make the clients made from now on share nothing with those made before."""
    _SHARED.clear()


def forget_shared_tokens() -> None:
    """Forget the tokens that clients with the same credentials share; those clients fetch another."""
    for sharer in [*SHARERS]:
        sharer.forget()
    for store in [*_SHARED.values()]:
        store.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=WeakCall(forget_shared_stores))
