"""A token store as flows see it: asked by steps, what it gives is checked, and whatever it raises is an error of ours."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from payman_sdk._core.auth.grants import is_header_safe
from payman_sdk._core.effects import CallBlocking, Flow, Lock
from payman_sdk._io.locks import HolderLock, LockHolder, adapt_lock
from payman_sdk._io.logger import get_logger
from payman_sdk.errors import ConfigurationError, PaymanError, TokenStoreError
from payman_sdk.token_stores._time_limits import limit_time
from payman_sdk.token_stores.base import StoredToken, TokenStore
from payman_sdk.token_stores.memory import MemoryTokenStore

log = get_logger()

_LOCK_ANSWER, _RELEASE_ANSWER = 2.0, 1.0
"""Seconds that the place of a lock has to answer at least, and to take a lock back."""
_SILENCE = 3.0
"""Seconds after which a warning says that a lock is waited for."""


class StoreAdapter:
    """A store, for one owner.

    Args:
        store: Any store, of a program's own too.
        owner: Whose token it is to hold.
    """

    def __init__(self, store: TokenStore, owner: str) -> None:
        self._store = store
        self._owner = owner

    @property
    def name(self) -> str:
        """The store in words; what a program's own store says of itself may be a secret."""
        kind = type(self._store)
        return repr(self._store) if kind.__module__.startswith("payman_sdk.") else kind.__name__

    @property
    def lock(self) -> Lock:
        """The store's lock."""
        # Trying the lock of a store in memory never blocks, which the doors know.
        if type(self._store) is MemoryTokenStore:
            return self._store.lock
        return _StoreLock(self._store, self.name)

    def load(self, seconds: float) -> Flow[StoredToken | None]:
        """A flow that returns the token that is kept, None if there is none.

        Args:
            seconds: How long it may take, as far as the store can be left behind.

        Raises:
            ConfigurationError: It is somebody else's.
            TokenStoreError: The store failed, or gave something that cannot be used.
        """
        stored: Any = yield from self._call_store(self._store.load, seconds)
        if stored is None:
            return None
        if not isinstance(stored, StoredToken):
            raise TokenStoreError(f"The token store gave a {type(stored).__name__}, not a StoredToken.")
        if stored.issued_to != self._owner:
            raise ConfigurationError(
                f"The token store holds a token of {stored.issued_to}, and this client is {self._owner}.",
                next_step="Give every account a store of its own, by a name of its own.",
            )
        access_token, refresh_token = stored.access_token, stored.refresh_token
        if access_token is not None and not is_header_safe(access_token):
            raise TokenStoreError("The token store holds an access token that no header can carry.")
        if refresh_token is not None and not (refresh_token.isascii() and refresh_token.isprintable()):
            raise TokenStoreError(
                "The token store holds a refresh token that cannot be sent.",
                next_step="A store of your own has to write StoredToken.to_json().",
            )
        return stored

    def save(self, token: StoredToken, seconds: float) -> Flow[None]:
        """A flow that keeps a token in place of the one before.

        Args:
            token: The token.
            seconds: How long it may take, as far as the store can be left behind.

        Raises:
            TokenStoreError: The store failed.
        """
        yield from self._call_store(partial(self._store.save, token), seconds)

    def _call_store(self, function: Callable[[], Any], seconds: float) -> Flow[Any]:
        def ask() -> Any:
            with limit_time(seconds):
                return function()

        try:
            return (yield CallBlocking(ask))
        except PaymanError:
            raise
        except Exception as error:
            failure = _build_error(f"The token store {self.name} failed", error)
        raise failure  # out here, it carries no frames of the store's with it, which hold the token


class _StoreLock:
    """The lock of a store, whose failures are ours."""

    def __init__(self, store: TokenStore, name: str) -> None:
        self._store = store
        self._name = name
        self._held: HolderLock | None = None

    def acquire(self, *, timeout: float) -> bool:
        """Waits so many seconds for the lock; 0 only tries. Returns whether it is held now."""
        return self._take_lock(lambda seconds: self._store.lock.acquire(timeout=seconds), timeout)

    def release(self) -> None:
        """Gives the lock back; that it could not be is for whoever wants it next."""
        self._give_back_lock(lambda: self._store.lock.release())

    def take(self, ticket: LockHolder, *, timeout: float) -> bool:
        """Wait so many seconds for the lock; 0 only tries. Return whether the ticket holds it now."""

        def take(seconds: float) -> bool:
            self._held = self._held or adapt_lock(self._store.lock)
            return self._held.take(ticket, timeout=seconds)

        return self._take_lock(take, timeout)

    def drop(self, ticket: LockHolder) -> None:
        """Give the lock back, if the ticket holds it."""
        if (held := self._held) is not None:
            self._give_back_lock(lambda: held.drop(ticket))

    def _take_lock(self, take: Callable[[float], bool], timeout: float) -> bool:
        try:
            with limit_time(max(timeout, _LOCK_ANSWER)):
                if timeout <= _SILENCE:
                    return take(timeout)
                if take(_SILENCE):
                    return True
                log.warning("Waiting for the lock of %s, which another renewal holds", self._name)
                return take(timeout - _SILENCE)
        except PaymanError:
            raise
        except Exception as error:
            failure = _build_error(f"The lock of the token store {self._name} failed", error)
        raise failure

    def _give_back_lock(self, give_back: Callable[[], None]) -> None:
        try:
            with limit_time(_RELEASE_ANSWER):
                give_back()
        except Exception as error:
            log.warning("The lock of %s could not be given back: %s", self._name, type(error).__name__)


def _build_error(what: str, error: Exception) -> TokenStoreError:
    # What the operating system says holds no token; what others say may.
    said = f": {error}" if isinstance(error, OSError) else ""
    return TokenStoreError(f"{what}: {type(error).__name__}{said}.")
