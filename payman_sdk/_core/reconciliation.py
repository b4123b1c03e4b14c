"""Do something once: repeat what did not arrive, look up what may have arrived.

Two rules hold for every ask; see "Money safety" in docs/architecture.md:

1. No second send without a look-up that found nothing, for `settle_time` after an attempt that may have arrived.
2. `error.sent` is False only if no byte can have left, or if the agent itself refused the only attempt.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeAlias

from payman_sdk._core.effects import Flow, Sleep, T
from payman_sdk._core.retry import CallContext, FailureClass, classify_failure
from payman_sdk._text.error_response import shorten
from payman_sdk.errors import AgentError, AuthenticationError, OutcomeUnknownError, PaymanError

Reconcile: TypeAlias = Callable[[PaymanError, bool], Flow[T | None]]
"""Looks up the outcome of an ask, given why it is unknown and whether to be patient: see `AskExchange`."""


class Attempts(Generic[T]):
    """What is known of an ask after some attempts that failed."""

    def __init__(self, look: Reconcile[T], time: CallContext, task_id: str, *, is_reply: bool) -> None:
        self._look = look
        self._time = time
        self._task_id = task_id
        self._is_reply = is_reply
        self._has_new_token = self._was_turned_away = self._is_stale = False
        self._lost: PaymanError | None = None  # the first attempt that may have arrived
        self._seen = ""

    def handle(self, failure: PaymanError) -> Flow[T | None]:
        """Return how the ask ended, None if another attempt may be made now; raises PaymanError if none is left."""
        kind = classify_failure(failure)
        is_stale = self._time.watch.may_be_stale and failure.request_id is None
        if kind is FailureClass.FATAL and failure.response is not None and is_stale:
            # It may be an answer that was there before the request, and proves nothing.
            kind, self._is_stale = FailureClass.TURNED_AWAY, True
        self._time.watch.record_failure(self._task_id, self._time.watch.attempts, failure, kind.name)
        if kind is FailureClass.AMBIGUOUS:
            self._lost = self._lost or failure
            ended = yield from self._settle(self._lost)
            if ended is not None:
                return ended
        self._was_turned_away = self._was_turned_away or kind is FailureClass.TURNED_AWAY
        if not (yield from self._may_repeat(kind, failure)):
            return (yield from self._conclude(failure))
        if self._lost is None and not self._was_turned_away:
            return None  # no byte of any attempt can have left
        try:
            return (yield from self._look(self._lost or failure, True))
        except OutcomeUnknownError:
            raise
        except PaymanError as error:
            if self._lost is not None:
                raise build_unknown_error(self._lost, error, self._seen) from error
            if isinstance(failure, AuthenticationError) and isinstance(error, AuthenticationError):
                failure = error  # why no other token came says more than the first 401
            failure.sent = None
            raise failure from (None if failure is error else error)

    def _settle(self, lost: PaymanError) -> Flow[T | None]:
        """Look until the agent knows the task, or has not known it for `settle_time`."""
        time, pauses = self._time, self._time.iter_pauses()
        settled_at: float | None = None
        while True:
            try:
                ended = yield from self._look(lost, True)
            except OutcomeUnknownError:
                raise
            except PaymanError as error:
                raise build_unknown_error(lost, error, self._seen) from lost
            if ended is not None:
                return ended
            now = time.clock()
            settled_at = now + time.options.settle_time if settled_at is None else settled_at
            quiet = now - settled_at + time.options.settle_time
            known = "The task still waited for input" if self._is_reply else "The agent did not know the task"
            self._seen = f"{known} for {quiet:.3g} s." if quiet >= 0.01 else f"{known}."
            if now >= settled_at or time.is_over():
                return None
            yield Sleep(min(next(pauses).seconds, settled_at - now))

    def _may_repeat(self, kind: FailureClass, failure: PaymanError) -> Flow[bool]:
        """Wait for another attempt; return whether there is one."""
        is_safe = kind is FailureClass.RETRYABLE and self._lost is None and not self._was_turned_away
        if not is_safe and self._time.options.resend == "never":
            return False
        if kind is FailureClass.FATAL or self._is_stale or isinstance(failure, AgentError):
            return False
        if kind is FailureClass.AMBIGUOUS and self._is_reply:
            return False
        if kind is FailureClass.TURNED_AWAY and isinstance(failure, AuthenticationError):
            # Another token is fetched once, without a pause, and beside the attempts that are counted.
            may_renew, self._has_new_token = not self._has_new_token, True
            return may_renew and not self._time.is_over()
        if not (yield from self._time.wait_before_retry(self._time.watch.attempts, failure, self._task_id)):
            return False
        self._time.watch.attempts += 1
        return True

    def _conclude(self, failure: PaymanError) -> Flow[T]:
        """Return the outcome of the ask after the last attempt; raises PaymanError if it is unknown or nothing was done."""
        if self._lost is not None:
            cause = None if failure is self._lost else failure
            raise build_unknown_error(self._lost, seen=self._seen) from cause
        if self._was_turned_away:
            # An error of the agent may come after the payment; what others turn away, it has hardly seen.
            may_be_done = isinstance(failure, AgentError) or self._is_stale
            try:
                ended = yield from self._look(failure, may_be_done)
            except OutcomeUnknownError:
                raise
            except PaymanError as error:
                if may_be_done and classify_failure(error) is not FailureClass.FATAL:
                    raise build_unknown_error(failure, error) from error
                ended = None
            if ended is not None:
                return ended
        # Of what was turned away, most likely nothing was done, and nothing proves it.
        failure.sent = None if self._was_turned_away else False
        raise failure


def build_unknown_error(
    lost: PaymanError, why: PaymanError | None = None, seen: str = ""
) -> OutcomeUnknownError:
    """Make the error for an ask that may have been done and whose outcome is undetermined."""
    more = "" if why is None else f" Looking the task up failed too: {shorten(why.message)}"
    parts = [lost.message, seen, f"The outcome of the ask is undetermined.{more}"]
    return OutcomeUnknownError(
        " ".join(part for part in parts if part),
        next_step="Do not send it again; client.get_task(error.task_id) returns the outcome once the agent knows the task.",
        response=lost.response,
        sent=True,
    )
