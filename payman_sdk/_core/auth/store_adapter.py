"""A token store as flows see it: called by effects, and what it returns is checked."""

from __future__ import annotations

from functools import partial
from typing import Any, Protocol

from payman_sdk._core.auth.grants import is_header_safe
from payman_sdk._core.auth.stored_token import StoredToken
from payman_sdk._core.effects import CallBlocking, Flow, Lock
from payman_sdk.errors import ConfigurationError, TokenStoreError


class StoreAccess(Protocol):
    """Calls a token store within a time limit; what the store raises comes out as `TokenStoreError`."""

    @property
    def name(self) -> str:
        """The store in words."""
        ...

    @property
    def lock(self) -> Lock:
        """The store's lock."""
        ...

    def peek(self) -> StoredToken | None:
        """Return the token of a store that never blocks; None for other stores."""
        ...

    def load(self, seconds: float) -> Any:
        """Return what the store holds; it may block."""
        ...

    def save(self, token: StoredToken, seconds: float) -> None:
        """Keep a token; it may block."""
        ...


class StoreAdapter:
    """A store, for one owner.

    Args:
        access: Calls the store.
        owner: Whose token it is to hold.
    """

    def __init__(self, access: StoreAccess, owner: str) -> None:
        self._access = access
        self._owner = owner

    @property
    def name(self) -> str:
        """The store in words."""
        return self._access.name

    @property
    def lock(self) -> Lock:
        """The store's lock."""
        return self._access.lock

    def peek(self) -> StoredToken | None:
        """Return this owner's token in a store that never blocks; None for other stores, and for another owner's token."""
        stored = self._access.peek()
        return stored if stored is not None and stored.issued_to == self._owner else None

    def load(self, seconds: float) -> Flow[StoredToken | None]:
        """A flow that returns the token that is kept, None if there is none.

        Args:
            seconds: How long it may take, as far as the store can be left behind.

        Raises:
            ConfigurationError: It is somebody else's.
            TokenStoreError: The store failed, or gave something that cannot be used.
        """
        stored: Any = yield CallBlocking(partial(self._access.load, seconds))
        if stored is None:
            return None
        if not isinstance(stored, StoredToken):
            raise TokenStoreError(f"The token store gave a {type(stored).__name__}, not a StoredToken.")
        if stored.issued_to != self._owner:
            raise ConfigurationError(
                f"The token store holds a token of {stored.issued_to}, and this client is {self._owner}.",
                next_step="Give every account its own store, with its own name.",
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
        yield CallBlocking(partial(self._access.save, token, seconds))
