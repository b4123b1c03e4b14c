"""What a failed attempt means, and when an ask may be sent again. The rules that follow are in `reconciliation.py`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from enum import Enum
from typing import TYPE_CHECKING

from payman_sdk import errors
from payman_sdk._annotations import NamedTuple
from payman_sdk._core.effects import CallHook, Clock, Flow, Sleep, T
from payman_sdk._core.error_classes import AGENT_REFUSALS, PLAIN_REFUSALS, parse_retry_after
from payman_sdk._text.logger import get_logger

if TYPE_CHECKING:
    from payman_sdk._core.auth.tokens import TokenManager
    from payman_sdk._core.key_store import KeyStore
    from payman_sdk._core.options import CallOptions
    from payman_sdk._core.tracking import Tracker


log = get_logger()

_FIRST, _LONGEST = 0.5, 8.0
"""Seconds that the first pause between two attempts may last, and any of them."""
_FIRST_LOOK, _LONGEST_LOOK, _SHORTEST_LOOK = 0.25, 5.0, 0.1
"""The same for pauses between two looks at a task."""

_TRANSIENT = frozenset({408, 409, 425})
"""HTTP statuses below 500, beside 429, after which a read may succeed a moment later."""


class FailureClass(Enum):
    """What the failure of an attempt says about the ask; the values are for the log."""

    FATAL = "it would fail again"
    """Nothing was done."""
    RETRYABLE = "nothing was sent, so it may be sent again"
    TURNED_AWAY = "it was turned away; the task is looked up before it is sent again"
    """Probably before the agent saw it: one look-up that finds nothing allows another send."""
    AMBIGUOUS = "it may have arrived; the task is looked up"
    """The task has to stay unknown for `settle_time` before another send."""


def classify_failure(failure: errors.PaymanError) -> FailureClass:
    """Return what the failure of an attempt means, AMBIGUOUS by default; see "Money safety" in docs/architecture.md."""
    if failure.sent is False:
        return FailureClass.RETRYABLE if is_transient(failure) else FailureClass.FATAL
    match failure:
        # These end an ask on purpose: raised before a send, or after all has been looked up.
        case errors.OutcomeUnknownError() | errors.ConfigurationError() | errors.IdempotencyKeyReuseError():
            return FailureClass.FATAL
        case errors.PaymanError(sent=True):
            return FailureClass.AMBIGUOUS
        # With another status, it may be a gateway's answer to what it passed on.
        case errors.AgentError() if (failure.status_code or 200) in {*range(300), *PLAIN_REFUSALS}:
            return FailureClass.FATAL if failure.code in AGENT_REFUSALS else FailureClass.TURNED_AWAY
        case errors.RateLimitError() | errors.AuthenticationError():
            return FailureClass.TURNED_AWAY
        case errors.ServerError(status_code=503, response=response) if (
            response and "retry-after" in response.headers
        ):
            return FailureClass.TURNED_AWAY
        case errors.APIStatusError() if failure.status_code in PLAIN_REFUSALS:
            return FailureClass.FATAL
        case _:
            return FailureClass.AMBIGUOUS


def is_ambiguous(failure: errors.PaymanError) -> bool:
    """Return whether an attempt that failed in this way may have arrived."""
    return classify_failure(failure) is FailureClass.AMBIGUOUS


def is_transient(failure: errors.PaymanError) -> bool:
    """Whether what only reads, and failed in this way, may succeed a moment later."""
    if isinstance(failure, errors.APIConnectionError):
        return failure.is_transient
    if isinstance(failure, errors.APIStatusError) and failure.status_code in _TRANSIENT:
        return True
    answers = errors.InternalAgentError | errors.RateLimitError | errors.ResponseValidationError
    return isinstance(failure, answers | errors.ServerError)


class CallContext(NamedTuple):
    """The tokens, options and time limits of one call.

    `deadline` is on `clock`; `patience` are the seconds until one attempt must be answered. `wall_clock` gives seconds since 1970,
    `random` numbers from 0 to 1. The same key is another operation at another `server`. `open_key_store` may block; it returns the
    user's key store on this machine, or None.
    """

    tokens: TokenManager
    options: CallOptions
    deadline: float
    patience: float
    clock: Clock
    random: Callable[[], float]
    watch: Tracker
    wall_clock: Clock
    server: str
    open_key_store: Callable[[], KeyStore | None]

    def is_over(self) -> bool:
        """Whether there is none left."""
        return self.clock() >= self.deadline

    def extend(self, seconds: float) -> CallContext:
        """Return a context with so many seconds more."""
        return self._replace(deadline=self.deadline + seconds)

    def shorten(self, seconds: float = 5.0) -> CallContext:
        """Return a context for a brief look, of so many seconds at most."""
        deadline = min(self.deadline, self.clock() + seconds)
        return self._replace(patience=min(self.patience, seconds), deadline=deadline)

    def iter_pauses(self) -> Iterator[Sleep]:
        """Yield pauses between look-ups, growing to 5 s, and up to a half shorter by chance.

        None is longer than a tenth of what is left, so that there are many look-ups in a short time.
        """
        longest = _FIRST_LOOK
        while True:
            left = max(0.0, self.deadline - self.clock())
            yield Sleep(min(longest * (0.5 + self.random() / 2), max(left / 10, _SHORTEST_LOOK), left))
            longest = min(2 * longest, _LONGEST_LOOK)

    def wait_before_retry(self, attempt: int, failure: errors.PaymanError, task_id: str) -> Flow[bool]:
        """Return a flow that waits before another attempt: as the server says, or else longer each time, by chance.

        It returns whether there is another attempt, and time for it.
        """
        said = parse_retry_after(failure, self.wall_clock)
        # The exponent is bounded, for a float is too.
        delay = self.random() * min(_LONGEST, _FIRST * 2 ** min(attempt - 1, 10)) if said is None else said
        if attempt > self.options.max_retries or self.clock() + delay >= self.deadline:
            return False
        log.warning("%s: attempt %d failed; retrying in %.2f s: %s", task_id, attempt, delay, failure)
        self.watch.record_retry(attempt, failure, delay)
        if self.options.on_retry is not None:
            from payman_sdk._core.hook_payloads import RetryDetails

            yield CallHook(self.options.on_retry, RetryDetails(attempt, failure, delay, task_id))
        # The hook may have taken its time, which is the ask's.
        yield Sleep(min(delay, max(0.0, self.deadline - self.clock())))
        return not self.is_over()


def retry_read(attempt: Callable[[], Flow[T]], time: CallContext, task_id: str) -> Flow[T]:
    """Return a flow for a read: it tries again after a passing failure, and raises the last one."""
    number = 0
    while True:
        number += 1
        try:
            return (yield from attempt())
        except errors.PaymanError as error:
            failure = error
        if not is_transient(failure) or not (yield from time.wait_before_retry(number, failure, task_id)):
            raise failure
