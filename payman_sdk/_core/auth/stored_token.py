"""What every token store does, and the token that it keeps."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from typing import Any, Protocol, Self

from payman_sdk._annotations import NamedTuple
from payman_sdk._core.effects import Lock
from payman_sdk._core.wire_json import parse_object
from payman_sdk._secrets import SecretStr, reveal_for_wire
from payman_sdk.errors import TokenStoreError


class _StoredFields(NamedTuple):
    issued_to: str
    access_token: SecretStr | None
    expires_at: float
    lifetime: float
    refresh_token: SecretStr | None
    scope: str | None
    lineage: tuple[str, ...]
    unanswered: tuple[float, ...]


class StoredToken(_StoredFields):
    """A token in a store.

    Args:
        issued_to: The account and server that it belongs to. A client refuses the token of another.
        access_token: The access token, or None if only a refresh token is known.
        expires_at: The end of the access token, in seconds since 1970.
        lifetime: The lifetime of the access token from its issue, in seconds.
        refresh_token: The refresh token, if any.
        scope: The scopes, as the server reported them.
        lineage: Marks of this token's ancestors, its own mark last. They show whether two tokens belong to one authorization, and
            which is newer.
        unanswered: When the refresh token was sent without a readable answer, in seconds since 1970. It may be spent.

    Example:
        >>> from payman_sdk.token_stores import StoredToken
        >>> token = StoredToken("shop at https://agent.payman.ai", "secret", expires_at=2e9, lifetime=3600)
        >>> StoredToken.from_json(token.to_json(), "row 1") == token
        True
    """

    __slots__ = ()

    def __new__(
        cls,
        issued_to: str,
        access_token: str | None,
        expires_at: float,
        lifetime: float,
        refresh_token: str | None = None,
        scope: str | None = None,
        lineage: Iterable[str] = (),
        unanswered: Iterable[float] = (),
    ) -> Self:
        """Wrap the tokens as secrets, so that tracebacks hide them."""
        access = None if access_token is None else SecretStr(access_token)
        refresh = None if refresh_token is None else SecretStr(refresh_token)
        return super().__new__(
            cls, issued_to, access, expires_at, lifetime, refresh, scope, tuple(lineage), tuple(unanswered)
        )

    def to_json(self) -> str:
        """Return the token as JSON text, secrets included."""
        return json.dumps(reveal_for_wire(self._asdict()))

    @classmethod
    def from_json(cls, text: str, where: str) -> Self:
        """Return the token in the text of `to_json`.

        Args:
            text: The text that a store has saved.
            where: The place for error messages, such as `row 7`.

        Raises:
            TokenStoreError: It is something else; `where` names the place.
        """
        text = SecretStr(text)
        token = cls._read(text)
        if token is None:
            raise TokenStoreError(f"{where} holds no token.", next_step="Delete it and authorize again.")
        return token

    @classmethod
    def _read(cls, text: SecretStr) -> Self | None:
        """Return the token; None for nonsense. Nothing is raised here, where a traceback would hold the token."""
        if (members := parse_object(text.reveal())) is None:
            return None
        known: dict[str, Any] = {name: members.get(name) for name in cls._fields}
        known["unanswered"] = members.get("unanswered", [])  # earlier versions did not write it
        if any(type(known[name]) is not list for name in ("lineage", "unanswered")):
            return None
        optional = [known[name] for name in ("access_token", "refresh_token", "scope")]
        texts = [known["issued_to"], *known["lineage"], *(text for text in optional if text is not None)]
        numbers = [known["expires_at"], known["lifetime"], *known["unanswered"]]
        is_sound = all(isinstance(text, str) for text in texts) and all(map(_is_number, numbers))
        return cls(**known) if is_sound else None


def fingerprint_token(token: str | None) -> tuple[str, ...]:
    """Return what a lineage keeps of a token: enough to know it again, too little to use it; nothing for no token."""
    import hashlib  # here, because it takes long, and the first ask of most programs needs no mark

    if not token:
        return ()
    return (hashlib.sha256(SecretStr(token).reveal().encode("utf-8", "replace")).hexdigest()[:16],)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


class TokenStore(Protocol):
    """Stores one token. Methods may block; the async client calls them in a worker thread.

    If a method raises, the ask ends with `TokenStoreError`.

    Example:
        >>> from payman_sdk.token_stores import MemoryTokenStore, TokenStore
        >>> store: TokenStore = MemoryTokenStore()
        >>> store.load() is None
        True
    """

    def load(self) -> StoredToken | None:
        """Return the stored token, or None."""
        ...

    def save(self, token: StoredToken) -> None:
        """Replace the stored token. The client holds the lock.

        Args:
            token: The new token. Save `token.to_json()` unchanged.
        """
        ...

    @property
    def lock(self) -> Lock:
        """The lock that is held across "read again, renew, write"."""
        ...


class StoreAccess(Protocol):
    """Calls a token store within a time limit. Exceptions of the store become `TokenStoreError`."""

    @property
    def name(self) -> str:
        """The store in words."""
        ...

    @property
    def lock(self) -> Lock:
        """The store's lock."""
        ...

    is_in_memory: bool
    """Whether the store is this process's memory: it never blocks, fails or loses a token."""

    def peek(self) -> StoredToken | None:
        """Return the token of a store in memory; None for other stores."""
        ...

    def load(self, seconds: float) -> Any:
        """Return what the store holds; it may block."""
        ...

    def save(self, token: StoredToken, seconds: float) -> None:
        """Keep a token; it may block."""
        ...
