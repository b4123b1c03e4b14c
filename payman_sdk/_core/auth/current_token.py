"""The token that a client knows of and its store keeps: which of two is the newer, and how none gets lost.

A token is in memory before it is saved. If saving fails, every use tries again: its refresh token may be the only good one.
"""

from __future__ import annotations

from collections import deque
from functools import partial
from typing import TYPE_CHECKING, Any

from payman_sdk._core.auth.grants import AccessToken, IssuedToken, TokenOwner, is_header_safe
from payman_sdk._core.auth.rotation import NEVER, Rotation
from payman_sdk._core.auth.stored_token import StoreAccess, StoredToken, fingerprint_token
from payman_sdk._core.effects import CallBlocking, Clock, Flow
from payman_sdk._refusals import describe_type
from payman_sdk._secrets import SecretStr
from payman_sdk._text.logger import get_logger
from payman_sdk.errors import ConfigurationError, PaymanError, TokenStoreError

if TYPE_CHECKING:
    from payman_sdk._core.hook_payloads import Reason

log = get_logger()

_SAVING, _LEAST = 5.0, 1.0
"""Seconds that keeping a token may take, and that it has also where the ask's deadline is nearer: it may be the only copy."""
_SHARE = 20
"""A store that fails slowly takes no more than one part in so many of a client's time."""
_SILENCE = 60.0
"""Seconds between two warnings that saving fails."""
_REMEMBERED = 64
"""How many tokens back a lineage goes."""


class CurrentToken:
    """The newest token of an owner, None where there is none; `is_unsaved` says whether the store lacks it."""

    def __init__(
        self, owner: TokenOwner, store: StoreAccess, given: StoredToken | None, clock: Clock, now: Clock
    ) -> None:
        self.known = given
        self.store = store
        self.rotation = Rotation(clock, now)
        self.is_unsaved = False
        self._owner, self._clock, self._now = owner, clock, now
        # An account's own tokens are compared by nobody, unless a store fails to save one.
        self._is_unmarked = owner.has_own_account and store.is_in_memory
        if not self._is_unmarked:
            fingerprint_token(None)  # imports what it needs now, rather than when there is a token to lose
        self.refused: deque[SecretStr] = deque(maxlen=8)  # access tokens that the server refused
        self._replaces_all = False
        self._save_after = self._silent_until = NEVER
        # What is in memory can be looked at without waiting for anybody.
        in_memory = store.peek()
        if in_memory is not None and in_memory.issued_to == owner.name:
            self.adopt(in_memory)

    @property
    def refresh_token(self) -> SecretStr | None:
        """The newest refresh token."""
        return self.known.refresh_token if self.known else None

    @property
    def access_token(self) -> AccessToken | None:
        """The newest access token, on the client's clock."""
        return self._to_local_clock(self.known)

    def get_refresh_reason(self) -> Reason:
        """Return why another access token is fetched."""
        if self.known is None or self.known.access_token is None:
            return "first"
        if self.known.access_token in self.refused:
            return "refused"
        return "ending" if self.known.expires_at > self._now() else "ended"

    def adopt(self, stored: StoredToken) -> bool:
        """Take the token of the store if it is as new; return whether it is.

        Raises ConfigurationError for a living token of another authorization.
        """
        if not self.is_usable(stored):
            return False
        self.known = self.rotation.merge(self.known, stored)
        return True

    def load(self, seconds: float) -> Flow[bool]:
        """Return a flow that looks into the store, and returns whether what is known is now what is there, or was given."""
        stored = (yield from self.load_stored(seconds)) or self.known
        return stored is not None and self.adopt(stored)

    def load_stored(self, seconds: float) -> Flow[StoredToken | None]:
        """Return a flow that returns the token in the store, if there is one; raises ConfigurationError or TokenStoreError."""
        stored: Any = yield CallBlocking(partial(self.store.load, seconds))
        if stored is None:
            return None
        if not isinstance(stored, StoredToken):
            raise TokenStoreError(f"The token store returned {describe_type(stored)}, not a StoredToken.")
        if stored.issued_to != self._owner.name:
            raise ConfigurationError(
                f"The token store holds a token of {stored.issued_to}, and this client is {self._owner.name}.",
                next_step="Give every account its own store, with its own name.",
            )
        access_token, refresh_token = stored.access_token, stored.refresh_token
        if access_token is not None and not is_header_safe(access_token):
            raise TokenStoreError(
                "The token store holds an access token with characters that a header cannot carry."
            )
        if refresh_token is not None and not (refresh_token.isascii() and refresh_token.isprintable()):
            raise TokenStoreError(
                "The token store holds a refresh token that cannot be sent.",
                next_step="Your own store must save StoredToken.to_json() unchanged.",
            )
        return stored

    def keep(self, issued: IssuedToken, deadline: float, *, replaces_all: bool = False) -> Flow[None]:
        """Return a flow that keeps a token that was issued, in memory first; `replaces_all` for another authorization's."""
        before = None if replaces_all else self.known
        token = issued.access_token
        mark = () if self._is_unmarked else fingerprint_token(issued.refresh_token or token.value)
        self.known = StoredToken(
            issued_to=self._owner.name,
            access_token=token.value,
            expires_at=self._now() + token.expires_at - self._clock(),
            lifetime=token.lifetime,
            refresh_token=issued.refresh_token or (before.refresh_token if before else None),
            scope=issued.scope,
            lineage=(*(before.lineage if before else ()), *mark)[-_REMEMBERED:],
        )
        self.is_unsaved, self._replaces_all = True, replaces_all
        yield from self._save(deadline)

    def note(self, noted: StoredToken, deadline: float) -> Flow[None]:
        """Return a flow that notes whether the refresh token may be spent; if that fails, this process still knows."""
        self.known = noted
        try:
            yield from self._write(noted, deadline)
        except PaymanError as error:
            log.debug("Could not note a renewal in %s: %s", self.store.name, error)

    def drop_refresh_token(self, deadline: float) -> Flow[None]:
        """Return a flow that forgets the refresh token, which no longer works."""
        if self.known is not None:
            self.known = self.known._replace(refresh_token=None, unanswered=())
            try:
                yield from self._write(self.known, deadline)
            except PaymanError as error:
                log.warning("Could not remove a refused refresh token: %s", error)

    def is_due(self) -> bool:
        """Whether it is time to try again to save what could not be saved."""
        return self._clock() >= self._save_after

    def retry_save(self, deadline: float) -> Flow[None]:
        """Return a flow that tries again to save, unless the store has something newer by now."""
        if not self.is_unsaved or self.known is None:
            return
        try:
            stored = yield from self.load_stored(self._get_seconds(deadline))
        except TokenStoreError:  # nothing that can be read, so that nothing is lost by writing
            stored = None
        except PaymanError as error:  # somebody else's, which is not replaced
            self._warn_unsaved(error)
            return
        if stored is not None and self.known.lineage and self.known.lineage[-1] in stored.lineage:
            self.is_unsaved = False
            self.adopt(stored)
            return
        if stored is not None and not self._replaces_all and not self._may_replace(stored):
            self.is_unsaved = False
            log.warning(
                "Did not save the renewed token: %s holds one of another authorization", self.store.name
            )
            return
        yield from self._save(deadline)

    def _may_replace(self, stored: StoredToken) -> bool:
        """Whether a stored token is older than ours, or worth nothing; what another renewal made of the same one is not."""
        ours = self.known.lineage if self.known else ()
        is_older = bool(stored.lineage) and stored.lineage[-1] in ours
        return self._owner.has_own_account or self._is_dead(stored) or is_older

    def _save(self, deadline: float) -> Flow[None]:
        assert self.known is not None  # noqa: S101 (it was set just now)
        began, known = self._clock(), self.known
        self._save_after = began + _SAVING  # meanwhile nobody else tries
        try:
            yield from self._write(known, deadline)
        except PaymanError as error:
            self._save_after = self._clock() + _SHARE * (self._clock() - began)
            self._warn_unsaved(error)
            return
        if self.known is known:
            self.is_unsaved = False

    def _write(self, token: StoredToken, deadline: float) -> Flow[None]:
        yield CallBlocking(partial(self.store.save, token, self._get_seconds(deadline)))

    def _get_seconds(self, deadline: float) -> float:
        return max(_LEAST, min(deadline - self._clock(), _SAVING))

    def _warn_unsaved(self, error: PaymanError) -> None:
        if self._clock() < self._silent_until:
            return
        self._silent_until = self._clock() + _SILENCE
        lost = ", and its refresh token would be lost with this process" if self.refresh_token else ""
        log.warning("Could not save the new access token%s; the next use tries again: %s", lost, error)

    def is_usable(self, stored: StoredToken) -> bool:
        """Whether a stored token takes the place of what this client knows; raises ConfigurationError."""
        ours, theirs = self.known.lineage if self.known else (), stored.lineage
        if self._is_dead(stored):
            return False
        if not ours or self._owner.has_own_account:
            return True
        if not set(ours) & set(theirs):
            raise ConfigurationError(
                "The token store holds a token of another authorization than this client's.",
                next_step="Give every account its own store, with its own name; with_auth_code replaces what is there.",
            )
        # After a save that failed, what is there is older than what we have: its refresh token is spent.
        return ours[-1] in theirs

    def _is_dead(self, stored: StoredToken) -> bool:
        """Whether a stored token is good for nothing any more: ended or refused, and without a refresh token."""
        token = self._to_local_clock(stored)
        serves = token is not None and token.value not in self.refused and token.expires_at > self._clock()
        return stored.refresh_token is None and not serves

    def _to_local_clock(self, stored: StoredToken | None) -> AccessToken | None:
        if stored is None or stored.access_token is None:
            return None
        # Wall clocks are set, and tests freeze them; a token never lives longer than it was issued for.
        left = min(stored.expires_at - self._now(), stored.lifetime)
        return AccessToken(stored.access_token, stored.lifetime, self._clock() + left)
