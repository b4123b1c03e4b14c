"""The token of a client: kept, renewed before its end by one caller for all, dropped when the server refuses it.

Two windows before the end of a token decide who renews it. In the early one, from 120 s before the end, one caller does and
the others go on with the token they have; a failure is logged and nothing more. In the late one, from 60 s, callers wait,
and a failure is theirs. Tokens that live less than 240 s have windows of a half and a quarter of their life.
"""

from __future__ import annotations

import copy
import logging
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from payman_sdk.auth.grants import Application, IssuedToken, read_token
from payman_sdk.auth.keeping import Keeping
from payman_sdk.auth.stores import MemoryTokenStore, StoredToken, TokenStore, mark
from payman_sdk.clock import monotonic, wall_time
from payman_sdk.errors import (
    APIConnectionError,
    APITimeoutError,
    AuthenticationError,
    ConfigurationError,
    PaymanError,
    TokenStoreError,
)
from payman_sdk.flows import Alone, Consult, Flow, Send
from payman_sdk.secrecy import Secret
from payman_sdk.telemetry.observer import Observer
from payman_sdk.telemetry.watch import Watch
from payman_sdk.types import TokenInfo

if TYPE_CHECKING:
    from payman_sdk.hooks import Reason, Renewal

log = logging.getLogger("payman_sdk")

_EARLY, _LATE = 120.0, 60.0
_PAUSE = 10.0
"""Seconds until the early window is tried again after a failure."""
_RENEWAL = 20.0
"""Seconds a renewal may take; shorter than any store's lock lasts, so that nobody else spends the same refresh token."""
_REMEMBERED = 64
"""How many tokens back a lineage goes."""
_NEVER = float("-inf")


class Token(NamedTuple):
    """An access token on this client's clock."""

    value: Secret
    lifetime: float
    expires_at: float

    def is_early(self, now: float) -> bool:
        """Whether it should be renewed, though it still serves."""
        return self.expires_at - now <= min(_EARLY, self.lifetime / 2)

    def is_late(self, now: float) -> bool:
        """Whether it should not be used any more."""
        return self.expires_at - now <= min(_LATE, self.lifetime / 4)


class Owner(NamedTuple):
    """Whose token it is, and what gets the next one.

    Args:
        application: Who asks for tokens.
        base_url: The server that issues them.
        has_own_account: Whether the application acts for itself, so that its own credentials get a token. A person's
            token is never replaced by the application's: that would spend from another account.
    """

    application: Application
    base_url: str
    has_own_account: bool

    @property
    def name(self) -> str:
        """The owner as stores write it down."""
        acting = "" if self.has_own_account else " for a person"
        return f"{self.application.client_id}{acting} at {self.base_url}"


class Tokens:
    """Holds the current token and tells, as flows, how to get another.

    Args:
        owner: Whose token it is.
        store: Where it is kept.
        given: A token to begin with, where the store has none.
        clock: Seconds that only go forward; the clock of the door that runs the flows.
        now: Seconds since 1970, which is what stores understand.
        observer: Who is told of renewals.
        on_token: Called with a `Renewal` after each, and out of every lock: whatever the hook does, nothing gets lost.
    """

    def __init__(
        self,
        owner: Owner,
        store: TokenStore,
        *,
        given: StoredToken | None = None,
        clock: Callable[[], float] = monotonic,
        now: Callable[[], float] = wall_time,
        observer: Observer | None = None,
        on_token: Callable[[Renewal], Any] | None = None,
    ) -> None:
        self._owner = owner
        self._keeping = Keeping(store, owner.name)
        self._clock = clock
        self._now = now
        self._known = given
        self._refused: deque[Secret] = deque(maxlen=8)
        # What is in memory can be looked at without waiting for anybody.
        in_memory = store.load() if type(store) is MemoryTokenStore else None
        if in_memory is not None and in_memory.issued_to == owner.name and self._supersedes(in_memory):
            self._known = in_memory
        self._current = self._on_our_clock(self._known)
        self._early_after = _NEVER
        self._failure: PaymanError | None = None
        self._failures = 0
        self._observer = Observer() if observer is None else observer
        self._on_token = on_token
        self._untold: deque[Renewal] = deque(maxlen=_REMEMBERED)

    @property
    def refresh_token(self) -> Secret | None:
        """The newest refresh token this client knows of."""
        return self._known.refresh_token if self._known else None

    @property
    def can_renew(self) -> bool:
        """Whether there is anything that gets a token: credentials of the own account, or a refresh token."""
        return self._owner.has_own_account or self.refresh_token is not None

    def remaining(self) -> float:
        """Seconds until the current token ends; 0 where there is none."""
        return max(0.0, self._current.expires_at - self._clock()) if self._current else 0.0

    def obtain(self, deadline: float) -> Flow[Token]:
        """A flow that returns a token to use now; one renewal for any number of callers, its failure included.

        Raises:
            AuthenticationError: There is no token and nothing that gets one, or Payman refused.
            APIConnectionError: Payman could not be asked.
            TokenStoreError: The store failed.
        """
        token, now = self._current, self._clock()
        if token is not None and (not token.is_early(now) or (now < token.expires_at and not self.can_renew)):
            return token
        if token is not None and not token.is_late(now):
            if now >= self._early_after:
                # A time that has passed only tries the lock: whoever does not get it goes on with the token there is.
                yield from self._alone(Alone(self._renewed_early(token, deadline), until=now))
            return self._current or token
        renewed = yield from self._alone(
            Alone(self._renewed(token, self._failures, deadline), until=deadline)
        )
        if renewed is None:
            raise _busy()
        return renewed

    def report(self, deadline: float) -> Flow[TokenInfo | None]:
        """A flow that returns the token that is valid now and the seconds it still lives, None where nothing gets one.

        Raises:
            PaymanError: As for `obtain`.
        """
        if not self.can_renew and self.remaining() <= 0:
            stored = (yield from self._keeping.load()) or self._known
            if stored is None or not self._supersedes(stored):
                return None
        token = yield from self.obtain(deadline)
        return TokenInfo(accessToken=str(token.value), expiresIn=int(token.expires_at - self._clock()))

    def exchange(self, request: dict[str, Any], deadline: float) -> Flow[Token]:
        """A flow that gets the first token with a request of its own, such as one with an authorization code.

        Raises:
            PaymanError: As for `obtain`.
        """
        token = yield from self._alone(
            Alone(self._exchanged(request, deadline), until=deadline, lock=self._keeping.lock)
        )
        if token is None:
            raise _busy()
        return token

    def forget(self, refused: Token) -> None:
        """Drops a token that the server refused, unless another has taken its place."""
        self._refused.append(refused.value)
        if self._current is not None and self._current.value == refused.value:
            self._current = None

    def _alone(self, step: Alone) -> Flow[Token | None]:
        """Alone, and then, when the lock is free for others, the hook hears of what was renewed or was not."""
        try:
            token: Token | None = yield step
        except PaymanError:
            yield from self._consulted()
            raise
        yield from self._consulted()
        return token

    def _consulted(self) -> Flow[None]:
        while self._on_token is not None:
            try:
                renewal = self._untold.popleft()
            except IndexError:
                return
            yield Consult(self._on_token, renewal)

    def _renewed_early(self, seen: Token, deadline: float) -> Flow[None]:
        if self._current is not seen:
            return
        now = self._clock()
        try:
            # At most half of the time that the caller has: what it wants the token for still has to be done.
            yield Alone(self._renew((now + deadline) / 2), until=now, lock=self._keeping.lock)
        except PaymanError as error:
            self._early_after = self._clock() + _PAUSE
            log.warning("The access token could not be renewed yet, and still serves: %s", error)

    def _renewed(self, seen: Token | None, failures: int, deadline: float) -> Flow[Token]:
        """Alone in this client: whoever waited gets what the one before has got, be it a token or a failure."""
        if self._current is not None and self._current is not seen:
            return self._current
        if self._failure is not None and self._failures != failures:
            raise copy.copy(self._failure)
        had_time = deadline - self._clock() >= _RENEWAL
        try:
            token: Token | None = yield Alone(self._renew(deadline), until=deadline, lock=self._keeping.lock)
            if token is None:
                raise _busy()
        except PaymanError as error:
            if had_time:  # those who waited may have more time than one who was in a hurry
                self._failure, self._failures = copy.copy(error), self._failures + 1
            raise
        return token

    def _renew(self, deadline: float) -> Flow[Token]:
        """Alone among all who share the store: read again, renew, write."""
        stored = (yield from self._keeping.load()) or self._known
        if stored is not None and self._supersedes(stored):
            self._known = stored
            token = self._on_our_clock(stored)
            if token is not None and token.value not in self._refused and not token.is_early(self._clock()):
                self._current = token
                return token
        until = min(deadline, self._clock() + _RENEWAL)
        return (yield from self._watched(self._reason(), self._issued(until)))

    def _watched(self, reason: Reason, flow: Flow[IssuedToken]) -> Flow[Token]:
        """Has a token issued, keeps it, and tells of it."""
        before = self.refresh_token

        def kept() -> Flow[Token]:
            return (yield from self._keep((yield from flow)))

        def told(token: Token | None, error: PaymanError | None) -> Renewal | None:
            if self._on_token is None and not self._observer.readers:
                return None
            from payman_sdk.hooks import Renewal

            is_rotated = token is not None and self.refresh_token not in (None, before)
            renewal = Renewal(reason, token.lifetime if token else None, is_rotated, error)
            if self._on_token is not None:
                self._untold.append(renewal)
            return renewal

        return (yield from self._observer.renewed(reason, kept(), told))

    def _reason(self) -> Reason:
        known = self._known
        if known is None or known.access_token is None:
            return "first"
        if known.access_token in self._refused:
            return "refused"
        return "ending" if known.expires_at > self._now() else "ended"

    def _issued(self, deadline: float) -> Flow[IssuedToken]:
        application = self._owner.application
        refresh_token = self.refresh_token
        if refresh_token is not None:
            try:
                return (yield from self._requested(application.refresh(refresh_token), deadline))
            except AuthenticationError as error:
                if not _is_about_the_grant(error):
                    raise
                yield from self._drop_refresh_token()
                if not self._owner.has_own_account:
                    error.next_step = "Authorize again: the refresh token is no longer good."
                    raise
        if self._owner.has_own_account:
            return (yield from self._requested(application.client_credentials(), deadline))
        raise AuthenticationError(
            "The access token has ended or was refused, and there is no refresh token to get another.",
            next_step="Authorize again.",
        )

    def _exchanged(self, request: dict[str, Any], deadline: float) -> Flow[Token]:
        self._known = None
        issued = self._requested(request, min(deadline, self._clock() + _RENEWAL))
        return (yield from self._watched("code", issued))

    def _requested(self, request: dict[str, Any], deadline: float) -> Flow[IssuedToken]:
        sent_at = self._clock()
        try:
            answer = yield from Watch(self._observer, self._clock).sent(Send(request, deadline))
        except APIConnectionError as error:
            error.message = f"No access token could be fetched. {error.message}"
            error.sent = False  # the token request perhaps, what the token was wanted for certainly not
            raise
        return read_token(answer, sent_at)

    def _keep(self, issued: IssuedToken) -> Flow[Token]:
        token = Token(issued.access_token, issued.lifetime, issued.expires_at)
        stored = StoredToken(
            issued_to=self._owner.name,
            access_token=issued.access_token,
            expires_at=self._now() + issued.expires_at - self._clock(),
            lifetime=issued.lifetime,
            refresh_token=issued.refresh_token or self.refresh_token,
            scope=issued.scope,
            lineage=(*self._lineage(), *mark(issued.refresh_token or issued.access_token))[-_REMEMBERED:],
        )
        self._known, self._current = stored, token
        self._early_after, self._failure = _NEVER, None
        try:
            yield from self._keeping.save(stored)
        except TokenStoreError as error:
            if issued.refresh_token is not None:  # the one that others still find there is spent
                raise
            log.warning("The new access token could not be kept for others: %s", error)
        return token

    def _drop_refresh_token(self) -> Flow[None]:
        if self._known is not None:
            self._known = self._known._replace(refresh_token=None)
            try:
                yield from self._keeping.save(self._known)
            except TokenStoreError as error:
                log.warning("A refresh token that was refused could not be removed: %s", error)

    def _lineage(self) -> tuple[str, ...]:
        return self._known.lineage if self._known else ()

    def _supersedes(self, stored: StoredToken) -> bool:
        """Whether a stored token takes the place of what this client knows.

        Raises:
            ConfigurationError: It lives, and is of another person's authorization, or of another of the same person's.
        """
        ours, theirs = self._lineage(), stored.lineage
        if self._is_dead(stored):
            return False
        if not ours or self._owner.has_own_account:
            return True
        if not set(ours) & set(theirs):
            raise ConfigurationError(
                "The token store holds a token of another authorization than this client's.",
                next_step="Give every account a store of its own, by a name of its own; with_auth_code replaces what is there.",
            )
        # After a save that failed, what is there is older than what we have: its refresh token is spent.
        return ours[-1] in theirs

    def _is_dead(self, stored: StoredToken) -> bool:
        """Whether a stored token is good for nothing any more: ended or refused, and without a refresh token."""
        token = self._on_our_clock(stored)
        serves = token is not None and token.value not in self._refused and token.expires_at > self._clock()
        return stored.refresh_token is None and not serves

    def _on_our_clock(self, stored: StoredToken | None) -> Token | None:
        if stored is None or stored.access_token is None:
            return None
        # Wall clocks are set, and tests freeze them; a token never lives longer than it was issued for.
        left = min(stored.expires_at - self._now(), stored.lifetime)
        return Token(stored.access_token, stored.lifetime, self._clock() + left)


def _is_about_the_grant(error: AuthenticationError) -> bool:
    """Whether a refusal says that the refresh token is no longer good, and not the client, the request or a proxy."""
    if error.error is not None:
        return error.error == "invalid_grant"
    response = error.response
    return response is not None and response.status_code in {400, 401} and "json" in response.content_type


def _busy() -> APITimeoutError:
    failure = APITimeoutError(
        "Another renewal of the access token did not end in time.", next_step="Try again."
    )
    failure.sent = False
    return failure
