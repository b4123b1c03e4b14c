"""A token store as flows see it: asked by steps, what it gives is checked, and whatever it raises is an error of ours."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial
from typing import Any

from payman_sdk.auth.grants import is_carried
from payman_sdk.auth.stores import MemoryTokenStore, StoredToken, TokenStore
from payman_sdk.errors import ConfigurationError, PaymanError, TokenStoreError
from payman_sdk.flows import Call, Flow, Lock

log = logging.getLogger("payman_sdk")


class Keeping:
    """A store, for one owner.

    Args:
        store: Any store, of a program's own too.
        owner: Whose token it is to hold.
    """

    def __init__(self, store: TokenStore, owner: str) -> None:
        self._store = store
        self._owner = owner

    @property
    def lock(self) -> Lock:
        """The store's lock."""
        # Trying the lock of a store in memory never blocks, which the doors know.
        return self._store.lock if type(self._store) is MemoryTokenStore else _StoreLock(self._store)

    def load(self) -> Flow[StoredToken | None]:
        """A flow that returns the token that is kept, None if there is none.

        Raises:
            ConfigurationError: It is somebody else's.
            TokenStoreError: The store failed, or gave something that cannot be used.
        """
        stored: Any = yield from self._asked(self._store.load)
        if stored is None:
            return None
        if not isinstance(stored, StoredToken):
            raise TokenStoreError(f"The token store gave a {type(stored).__name__}, not a StoredToken.")
        if stored.issued_to != self._owner:
            raise ConfigurationError(
                f"The token store holds a token of {stored.issued_to}, and this client is {self._owner}.",
                next_step="Give every account a store of its own, by a name of its own.",
            )
        if stored.access_token is not None and not is_carried(stored.access_token):
            raise TokenStoreError("The token store holds an access token that no header can carry.")
        return stored

    def save(self, token: StoredToken) -> Flow[None]:
        """A flow that keeps a token in place of the one before.

        Raises:
            TokenStoreError: The store failed.
        """
        yield from self._asked(partial(self._store.save, token))

    def _asked(self, function: Callable[[], Any]) -> Flow[Any]:
        try:
            return (yield Call(function))
        except PaymanError:
            raise
        except Exception as error:
            failure = _failure("The token store failed", error)
        raise failure  # out here, it carries no frames of the store's with it, which hold the token


class _StoreLock:
    """The lock of a store, whose failures are ours."""

    def __init__(self, store: TokenStore) -> None:
        self._store = store

    def acquire(self, *, timeout: float) -> bool:
        """Waits so many seconds for the lock; 0 only tries. Returns whether it is held now."""
        try:
            return self._store.lock.acquire(timeout=timeout)
        except PaymanError:
            raise
        except Exception as error:
            failure = _failure("The token store's lock failed", error)
        raise failure

    def release(self) -> None:
        """Gives the lock back; that it could not be is for whoever wants it next."""
        try:
            self._store.lock.release()
        except Exception as error:
            log.warning("The lock of the token store could not be given back: %s", type(error).__name__)


def _failure(what: str, error: Exception) -> TokenStoreError:
    # What the operating system says holds no token; what others say may.
    said = f": {error}" if isinstance(error, OSError) else ""
    return TokenStoreError(f"{what}: {type(error).__name__}{said}.")
