"""Trying again: what may be sent again, when, and how often. Pure decisions, and the flows that follow from them.

An ask is sent again only where the server took nothing, or where `tasks/get` said that it does not know the task.
"""

from __future__ import annotations

import contextlib
import logging
import math
from collections.abc import Callable, Iterator
from email.utils import parsedate_to_datetime
from enum import Enum, auto
from itertools import count
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from payman_sdk.clock import wall_time
from payman_sdk.errors import (
    APIConnectionError,
    APITimeoutError,
    InternalAgentError,
    OutcomeUnknownError,
    PaymanError,
    RateLimitError,
    ResponseValidationError,
    ServerError,
)
from payman_sdk.flows import Consult, Flow, Sleep
from payman_sdk.telemetry.observer import tell
from payman_sdk.telemetry.watch import Watch

if TYPE_CHECKING:
    from payman_sdk.hooks import Retry

T = TypeVar("T")

log = logging.getLogger("payman_sdk")

_FIRST, _LONGEST = 0.5, 8.0
"""Seconds that the first pause between two attempts may last, and any of them."""
_FIRST_LOOK, _LONGEST_LOOK, _SHORTEST_LOOK = 0.25, 5.0, 0.1
"""The same for pauses between two looks at a task."""


class Verdict(Enum):
    """What a failure says about the ask."""

    FINAL = auto()
    """It failed, and would again."""
    NOT_TAKEN = auto()
    """The server did not take it: it may be sent again."""
    UNKNOWN = auto()
    """It may have been taken: whether it was, `tasks/get` has to tell before anything is sent."""


def judge(failure: PaymanError) -> Verdict:
    """What a failure of an ask means; see the table "Money safety" in docs/architecture.md."""
    match failure:
        case OutcomeUnknownError():
            return Verdict.FINAL
        case PaymanError(sent=True):
            return Verdict.UNKNOWN
        case ResponseValidationError(sent=None):
            return Verdict.UNKNOWN
        case APIConnectionError(is_passing=False):
            return Verdict.FINAL
        case APIConnectionError() | RateLimitError() | ResponseValidationError() | ServerError():
            return Verdict.NOT_TAKEN
        case _:
            return Verdict.FINAL


def is_passing(failure: PaymanError) -> bool:
    """Whether what only reads, and failed in this way, may succeed a moment later."""
    if isinstance(failure, APIConnectionError):
        return failure.is_passing
    return isinstance(failure, InternalAgentError | RateLimitError | ResponseValidationError | ServerError)


def retry_after(failure: PaymanError, now: Callable[[], float] = wall_time) -> float | None:
    """How many seconds the server wants to be left alone; None where it says nothing that can be read.

    Args:
        failure: What it answered: `retry-after-ms`, or `Retry-After` in seconds or as a date.
        now: Seconds since 1970; the server's own clock counts where it tells the time.
    """
    if failure.response is None:
        return None
    headers = failure.response.headers
    for name, in_a_second in (("retry-after-ms", 1000), ("retry-after", 1)):
        with contextlib.suppress(ValueError):
            seconds = float(headers.get(name, "")) / in_a_second
            if math.isfinite(seconds):
                return max(0.0, seconds)
    try:
        sent_at = parsedate_to_datetime(headers["date"]).timestamp() if "date" in headers else now()
        return max(0.0, parsedate_to_datetime(headers.get("retry-after", "")).timestamp() - sent_at)
    except (ValueError, OverflowError):
        return None


class Time(NamedTuple):
    """The time there is for something, and how it is spent between two attempts.

    Args:
        deadline: When, on the clock, it has to be over.
        patience: Seconds one attempt may take to be answered.
        max_retries: How often an attempt that failed is repeated.
        clock: Seconds that only go forward.
        random: A number from 0 to 1, another at every call.
        watch: Who looks on.
        on_retry: Called before each repetition with a `Retry`.
    """

    deadline: float
    patience: float
    max_retries: int
    clock: Callable[[], float]
    random: Callable[[], float]
    watch: Watch
    on_retry: Callable[[Retry], Any] | None = None

    def is_over(self) -> bool:
        """Whether there is none left."""
        return self.clock() >= self.deadline

    def longer(self, seconds: float) -> Time:
        """So many seconds more."""
        return self._replace(deadline=self.deadline + seconds)

    def pauses(self) -> Iterator[Sleep]:
        """Pauses between two looks at a task, growing to 5 s, and up to a half shorter by chance.

        None is longer than a tenth of what is left, so that there are many looks, however short the time is.
        """
        longest = _FIRST_LOOK
        while True:
            left = max(0.0, self.deadline - self.clock())
            yield Sleep(min(longest * (0.5 + self.random() / 2), max(left / 10, _SHORTEST_LOOK), left))
            longest = min(2 * longest, _LONGEST_LOOK)

    def before_another(self, attempt: int, failure: PaymanError, task_id: str | None) -> Flow[bool]:
        """A flow that waits before another attempt: as long as the server says, or else longer each time, by chance.

        Args:
            attempt: Which attempt failed, from 1.
            failure: How.
            task_id: The task it was about.

        Returns:
            Whether there is another attempt, and time for it.
        """
        said = retry_after(failure)
        # The exponent is bounded, for a float is too.
        delay = self.random() * min(_LONGEST, _FIRST * 2 ** min(attempt - 1, 10)) if said is None else said
        if attempt > self.max_retries or self.clock() + delay >= self.deadline:
            return False
        log.warning("Attempt %d failed, another follows in %.2f s: %s", attempt, delay, failure)
        self.watch.observer.count("retries")
        if self.on_retry is not None or self.watch.readers:
            from payman_sdk.hooks import Retry

            retry = Retry(attempt, failure, delay, task_id)
            tell(self.watch.readers, retry)
            if self.on_retry is not None:
                yield Consult(self.on_retry, retry)
        # The hook may have taken its time, which is the ask's.
        yield Sleep(min(delay, max(0.0, self.deadline - self.clock())))
        return not self.is_over()


def repeated(attempt: Callable[[], Flow[T]], time: Time, task_id: str) -> Flow[T]:
    """A flow for what only reads: tries again while the failure may be a passing one.

    Raises:
        PaymanError: The last failure.
    """
    for number in count(1):
        try:
            return (yield from attempt())
        except PaymanError as error:
            failure = error
        if not is_passing(failure) or not (yield from time.before_another(number, failure, task_id)):
            raise failure
    raise AssertionError("counting does not end")


def once(
    task_id: str, attempt: Callable[[], Flow[T]], learned: Callable[[PaymanError], Flow[T | None]], time: Time
) -> Flow[T]:
    """A flow that has something done once, and learns how it ended.

    Args:
        task_id: The task.
        attempt: Sends it, and returns how it ended.
        learned: Learns, after a failure that leaves it open, how it ended; None where it never arrived.
        time: The time there is for all of it.

    Raises:
        OutcomeUnknownError: It was sent, and how it ended could not be learned.
        PaymanError: It was not done, or the agent answered with an error.
    """
    lost: PaymanError | None = None
    watch = time.watch
    for number in count(1):
        watch.attempts = number
        try:
            return (yield from attempt())
        except PaymanError as error:
            failure, verdict = error, judge(error)
        watch.judged(task_id, number, failure, verdict.name)
        if verdict is Verdict.UNKNOWN:
            # What timed out may still arrive, whatever becomes of what was sent after it.
            lost = lost if isinstance(lost, APITimeoutError) else failure
            if (ended := (yield from learned(lost))) is not None:
                watch.is_reconciled = True
                return ended
        another = verdict is not Verdict.FINAL and (yield from time.before_another(number, failure, task_id))
        if lost is not None:
            # What is still on its way looks like what never arrived, so it is looked for once more.
            again = learned(lost) if another else _looked_for(lost, learned, time)
            if (ended := (yield from again)) is not None:
                watch.is_reconciled = True
                return ended
        if not another:
            raise _never_arrived(failure) if verdict is Verdict.UNKNOWN else failure
    raise AssertionError("counting does not end")


def _looked_for(
    lost: PaymanError, learned: Callable[[PaymanError], Flow[T | None]], time: Time
) -> Flow[T | None]:
    """Looks for what will not be sent again: once more, and what timed out, and so may still arrive, to the deadline."""
    for pause in time.pauses():
        yield pause
        ended = yield from learned(lost)
        if ended is not None or not isinstance(lost, APITimeoutError):
            return ended
    raise AssertionError("there is always another pause")


def _never_arrived(failure: PaymanError) -> PaymanError:
    response = failure.response
    kind = ServerError if response is not None and response.status_code >= 500 else APIConnectionError
    error = kind(
        f"{failure.message} The agent does not know the task: the ask did not arrive.", response=response
    )
    error.sent = False
    return error
