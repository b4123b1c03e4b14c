"""Refresh tokens that were sent and whose answer nobody has read: they may be spent.

A second use looks like theft and may end the whole authorization. So the client notes a refresh token in the store until it has
read the answer, or no byte can have left. Another process may save a newer token. So the client sends this one again only after a
pause, then every ten minutes at most, and only without a valid access token.
"""

from __future__ import annotations

from payman_sdk import errors
from payman_sdk._core.auth.stored_token import StoredToken
from payman_sdk._core.effects import Clock
from payman_sdk._core.error_classes import PLAIN_REFUSALS, parse_retry_after
from payman_sdk._text.error_response import shorten

NEVER = float("-inf")

_PAUSES = (5.0, 600.0)
"""Seconds until a refresh token is sent again: after one answer that was lost, and after more."""
_LONGEST = 600.0
"""No `Retry-After` makes the pause longer."""
_REFUSALS = PLAIN_REFUSALS | {401}
"""The statuses by which the token endpoint refuses what it has not carried out; 401 is its word for a wrong secret."""


class Rotation:
    """When the refresh token may be sent.

    `now` gives seconds since 1970, which the notes in the store are in. It may jump.
    """

    def __init__(self, clock: Clock, now: Clock) -> None:
        self._clock = clock
        self._now = now
        self._harmless: set[float] = set()
        self._times: tuple[float, ...] = ()
        self._since = NEVER
        self._retry_after = 0.0

    def merge(self, ours: StoredToken | None, theirs: StoredToken) -> StoredToken:
        """Return what is in the store, with what this process knows of the same refresh token."""
        times = set(theirs.unanswered)
        if ours is not None and ours.refresh_token == theirs.refresh_token:
            times |= set(ours.unanswered)
        return theirs._replace(unanswered=tuple(sorted(times - self._harmless)))

    def mark_sent(self, token: StoredToken) -> StoredToken:
        """Return the token with the note that its refresh token is being sent."""
        # Each note counts, also where the clock was set back or is frozen.
        at = max([self._now(), *(earlier + 0.001 for earlier in (*token.unanswered, *self._harmless))])
        return token._replace(unanswered=(*token.unanswered, at))

    def mark_not_sent(self, token: StoredToken, before: StoredToken) -> StoredToken:
        """Return the token without that note: it is certain that it was not spent."""
        self._harmless |= set(token.unanswered) - set(before.unanswered)
        return token._replace(unanswered=before.unanswered)

    def record_lost(self, token: StoredToken, failure: errors.PaymanError) -> errors.PaymanError:
        """Return the error for an answer that nobody has read; the pause begins now."""
        self._times, self._since = token.unanswered, self._clock()
        self._retry_after = min(parse_retry_after(failure, self._now) or 0.0, _LONGEST)
        if len(token.unanswered) == 1:
            failure.next_step = (
                f"The refresh token may be spent. Ask again after {self._get_pause_seconds():g} s: the client then tries it once more, "
                "unless the token store has a newer one."
            )
            return failure
        return errors.AuthenticationError(
            f"The refresh token may be spent: it was sent {len(token.unanswered)} times without an answer. "
            f"{shorten(failure.message)}",
            next_step="Ask the person to authorize again. Until then the refresh token is tried every 10 minutes at most.",
        )

    def get_earliest_send(self, token: StoredToken | None) -> float:
        """When, on the clock, the refresh token may be sent; it may at once where it was never sent."""
        if token is None or not token.unanswered:
            return NEVER
        if token.unanswered != self._times:  # another process has noted it, by its own clock
            self._times, self._retry_after = token.unanswered, 0.0
            ago = self._now() - self._times[-1]
            self._since = self._clock() - min(max(0.0, ago), self._get_pause_seconds())
        return self._since + self._get_pause_seconds()

    def find_pause(self, token: StoredToken | None) -> errors.PaymanError | None:
        """Return why a refresh token must not be sent now, for whoever cannot wait; None if it may be sent."""
        until = self.get_earliest_send(token)
        if until <= self._clock():
            return None
        return errors.AuthenticationError(
            "The access token has expired, and the refresh token may be spent: it was sent without an answer.",
            next_step=f"Try again in {until - self._clock():.0f} s; if that fails, ask the person to authorize again.",
        )

    def _get_pause_seconds(self) -> float:
        return max(_PAUSES[min(len(self._times), len(_PAUSES)) - 1], self._retry_after)


def may_have_arrived(failure: errors.PaymanError) -> bool:
    """Whether a failed request for a token may have been carried out. Only what is known to be harmless is not."""
    if isinstance(failure, errors.APIConnectionError):
        return failure.sent is not False
    is_refusal = isinstance(failure, errors.APIStatusError) and failure.status_code in _REFUSALS
    return not is_refusal and not isinstance(failure, errors.ConfigurationError)
