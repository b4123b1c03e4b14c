"""The token of a client: one caller renews it for all before it expires, and the server's refusal ends it.

In the early window, from 120 s before its expiry, one caller renews it and the others use the old one. A failure is only logged. In
the late window, from 60 s, all callers wait, and a failure is raised to all. A lifetime below 240 s has windows of a half and a
quarter of it.

If the answer to a renewal is lost, the client uses a valid access token until it expires; see `rotation.py`.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from payman_sdk._core.auth.current_token import CurrentToken
from payman_sdk._core.auth.grants import AccessToken, IssuedToken, TokenInfo, TokenOwner
from payman_sdk._core.auth.rotation import NEVER
from payman_sdk._core.auth.stored_token import StoreAccess, StoredToken
from payman_sdk._core.auth.token_requests import TokenRequests
from payman_sdk._core.effects import Clock, Flow, Sleep, WithLock
from payman_sdk._secrets import SecretStr
from payman_sdk._text.logger import get_logger
from payman_sdk.errors import APITimeoutError, PaymanError

if TYPE_CHECKING:
    from payman_sdk._core.hook_payloads import OnToken, Reason
    from payman_sdk._core.tracking import ClientObserver

log = get_logger()

ADVISORY_REFRESH_SECONDS, MANDATORY_REFRESH_SECONDS = 120.0, 60.0
_PAUSE = 10.0
"""Seconds until the early window is tried again after a failure."""
_RENEWAL = 20.0
"""Seconds a renewal may take; shorter than any store's lock lasts, so that nobody else spends the same refresh token."""
_FLUSH = 5.0
"""Seconds that a client which is closed waits for the lock of a store, to save what could not be saved."""
_WAIT = 45.0
"""Seconds to wait for the lock of a store: longer than another renewal takes, or a dead holder's lock lasts."""


def is_early(token: AccessToken, now: float) -> bool:
    """Return whether a token should be renewed, though it still serves."""
    return token.expires_at - now <= min(ADVISORY_REFRESH_SECONDS, token.lifetime / 2)


def is_late(token: AccessToken, now: float) -> bool:
    """Return whether a token should not be used any more."""
    return token.expires_at - now <= min(MANDATORY_REFRESH_SECONDS, token.lifetime / 4)


class TokenManager:
    """Holds the current token, and gets another by flows.

    `clock` is the runner's; `now` gives seconds since 1970, as in stores. `given` is a first token, for an empty store. `on_token`
    runs outside every lock, so a hook cannot lose a token.
    """

    def __init__(
        self,
        owner: TokenOwner,
        store: StoreAccess,
        *,
        clock: Clock,
        now: Clock,
        observer: ClientObserver,
        given: StoredToken | None = None,
        on_token: OnToken | None = None,
    ) -> None:
        self._owner = owner
        self._clock = clock
        self._kept = CurrentToken(owner, store, given, clock, now)
        self._current = self._kept.access_token
        self._early_after = NEVER
        self._failure: PaymanError | None = None
        self._failures = 0
        self._requests = TokenRequests(owner, self._kept, clock, observer, on_token)

    @property
    def refresh_token(self) -> SecretStr | None:
        return self._kept.refresh_token

    @property
    def current_secret(self) -> SecretStr | None:
        """The access token of now, which a server may repeat."""
        return self._current.value if self._current else None

    @property
    def scope(self) -> str | None:
        """What the newest token allows, as the server said it; None where that is not known."""
        return self._kept.known.scope if self._kept.known else None

    @property
    def can_refresh(self) -> bool:
        """Whether own credentials or a refresh token can get a token."""
        return self._owner.has_own_account or self.refresh_token is not None

    def get_seconds_left(self) -> float:
        """Seconds until the current token ends; 0 where there is none."""
        return max(0.0, self._current.expires_at - self._clock()) if self._current else 0.0

    def get(self, deadline: float) -> Flow[AccessToken]:
        """Return a flow that returns a token to use now; any number of callers share one renewal and its failure.

        Raises AuthenticationError (none, refused, or perhaps spent), APIConnectionError or TokenStoreError.
        """
        while True:
            if self._kept.is_unsaved and self._kept.is_due():
                yield from self._retry_save(deadline)
            token, now = self._current, self._clock()
            if token is not None and self._is_usable(token, now):
                return token
            if token is not None and not is_late(token, now):
                if now >= self._early_after:
                    # A time in the past only tries the lock: a caller that does not get it uses the current token.
                    yield from self._run_with_lock(WithLock(self._refresh_early(token, deadline), until=now))
                return self._current or token
            try:
                renewed = yield from self._run_with_lock(
                    WithLock(self._refresh(token, self._failures, deadline), until=deadline)
                )
                if renewed is None:
                    raise _build_busy_error("this client")
            except PaymanError as error:
                renewed = error
            if isinstance(renewed, AccessToken):
                return renewed
            if still := (yield from self._handle_lost_answer(renewed, deadline)):
                return still

    def info(self, deadline: float) -> Flow[TokenInfo | None]:
        """Return a flow that returns the valid token and its remaining seconds, or None."""
        if not self.can_refresh and self.get_seconds_left() <= 0:
            stored = (yield from self._kept.load_stored(self._get_time_left(deadline))) or self._kept.known
            if stored is None or not self._kept.is_usable(stored):
                return None
        token = yield from self.get(deadline)
        return TokenInfo(accessToken=token.value.reveal(), expiresIn=int(token.expires_at - self._clock()))

    def exchange_code(self, request: dict[str, Any], deadline: float) -> Flow[AccessToken]:
        """Return a flow that gets the first token, such as by an authorization code."""
        until = min(deadline, self._clock() + _WAIT)
        token = yield from self._run_with_lock(
            WithLock(self._exchange_code(request, deadline), until=until, lock=self._kept.store.lock)
        )
        if not isinstance(token, AccessToken):
            raise _build_busy_error(self._kept.store.name)
        return token

    @property
    def is_unsaved(self) -> bool:
        """Whether there is a token that could not be saved until now."""
        return self._kept.is_unsaved

    def flush(self) -> Flow[None]:
        """Return a flow that saves what could not be saved until now; a failure is logged."""
        if self._kept.is_unsaved:
            # Nothing follows that could save it, so this waits for the lock.
            yield from self._retry_save(self._clock() + _RENEWAL, until=self._clock() + _FLUSH)

    def invalidate(self, refused: AccessToken) -> None:
        """Drop a token that the server refused, unless another has taken its place."""
        self._kept.refused.append(refused.value)
        if self._current is not None and self._current.value == refused.value:
            self._current = None

    def forget(self) -> None:
        """Drop everything that is known, as if nothing had been fetched yet."""
        self._current = self._kept.known = self._failure = None

    def _is_usable(self, token: AccessToken, now: float) -> bool:
        if not is_early(token, now):
            return True
        return now < token.expires_at and (not self.can_refresh or now < self._get_earliest_refresh())

    def _get_earliest_refresh(self) -> float:
        """When a token can be requested: at once, but for a refresh token that may be spent."""
        if self._owner.has_own_account:
            return NEVER
        return self._kept.rotation.get_earliest_send(self._kept.known)

    def _get_time_left(self, deadline: float) -> float:
        return max(0.1, min(deadline - self._clock(), _RENEWAL))

    def _handle_lost_answer(self, failure: PaymanError, deadline: float) -> Flow[AccessToken | None]:
        """Return a flow that waits, or returns a token that still serves, if the refresh token may be spent.

        It returns None after the pause, in which another process may have stored a newer token.
        """
        until, now, known = self._get_earliest_refresh(), self._clock(), self._kept.known
        if until <= now or known is None:
            raise failure
        token = self._current
        if token is not None and now < token.expires_at:
            return token
        if len(known.unanswered) > 1 or until >= deadline:
            raise failure
        log.warning(
            "The answer to a renewal was lost; retrying its refresh token once in %.1f s", until - now
        )
        yield Sleep(until - now)
        return None

    def _run_with_lock(self, step: WithLock) -> Flow[AccessToken | PaymanError | None]:
        """Run alone. When the lock is free again, run the hook with the result of the refresh."""
        try:
            token: AccessToken | PaymanError | None = yield step
        except PaymanError:
            yield from self._requests.call_hooks()
            raise
        yield from self._requests.call_hooks()
        return token

    def _retry_save(self, deadline: float, *, until: float = NEVER) -> Flow[None]:
        try:
            yield WithLock(self._kept.retry_save(deadline), until=until, lock=self._kept.store.lock)
        except PaymanError as error:
            log.debug("Could not get the lock for saving the token: %s", error)

    def _refresh_early(self, seen: AccessToken, deadline: float) -> Flow[None]:
        if self._current is not seen:
            return
        now = self._clock()
        try:
            # At most half of the time that the caller has: its request needs the rest.
            yield WithLock(self._refresh_shared((now + deadline) / 2), until=now, lock=self._kept.store.lock)
        except PaymanError as error:
            self._early_after = self._clock() + _PAUSE
            log.warning("Could not renew the access token yet; the current one is still valid: %s", error)

    def _refresh(
        self, seen: AccessToken | None, failures: int, deadline: float
    ) -> Flow[AccessToken | PaymanError]:
        """Alone in this client: whoever waited shares the result of the one before."""
        if self._current is not None and self._current is not seen:
            return self._current
        if self._failure is not None and self._failures != failures:
            raise copy.copy(self._failure)
        had_time = deadline - self._clock() >= _RENEWAL
        until = min(deadline, self._clock() + _WAIT)
        try:
            token: AccessToken | PaymanError | None = yield WithLock(
                self._refresh_shared(deadline), until=until, lock=self._kept.store.lock
            )
            if token is None:
                raise _build_busy_error(self._kept.store.name)
        except PaymanError as error:
            if had_time:  # those who waited may have more time than one who was in a hurry
                self._failure, self._failures = copy.copy(error), self._failures + 1
            raise
        return token

    def _refresh_shared(self, deadline: float) -> Flow[AccessToken | PaymanError]:
        """Alone among all who share the store: read again, renew, write."""
        if (yield from self._kept.load(self._get_time_left(deadline))):
            token = self._kept.access_token
            is_usable = token is not None and self._is_usable(token, self._clock())
            if token is not None and is_usable and token.value not in self._kept.refused:
                self._current = token
                return token
        pause = None if self._owner.has_own_account else self._kept.rotation.find_pause(self._kept.known)
        if pause is not None:
            return pause
        until = min(deadline, self._clock() + _RENEWAL)
        reason = self._kept.get_refresh_reason()
        return (yield from self._issue(reason, self._requests.refresh(until), deadline))

    def _issue(self, reason: Reason, flow: Flow[IssuedToken], deadline: float) -> Flow[AccessToken]:
        """Get a token issued, keep it, and report that to the observer and the hook."""

        def issue() -> Flow[AccessToken]:
            issued = yield from flow
            token = self._current = issued.access_token
            self._early_after, self._failure = NEVER, None
            yield from self._kept.keep(issued, deadline, replaces_all=reason == "code")
            return token

        return (yield from self._requests.track(reason, issue()))

    def _exchange_code(self, request: dict[str, Any], deadline: float) -> Flow[AccessToken]:
        until = min(deadline, self._clock() + _RENEWAL)
        self._kept.known = None
        if_spent = "The code may be spent. Ask the person to authorize again."
        return (yield from self._issue("code", self._requests.issue(request, until, if_spent), deadline))


def _build_busy_error(where: str) -> APITimeoutError:
    return APITimeoutError(
        f"Another renewal of the access token did not end in time: it holds the lock of {where}.",
        next_step="Try again.",
        sent=False,
    )
