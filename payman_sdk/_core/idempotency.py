"""Asks with an idempotency key: what was sent before is found, and nothing is sent while that may still arrive."""

import math
from collections.abc import Callable
from functools import partial
from typing import Any, Generic
from unicodedata import normalize

from payman_api.models import Task, TextPart
from payman_sdk import errors
from payman_sdk._core.effects import CallBlocking, Flow, Sleep, T
from payman_sdk._core.exchange import AskExchange
from payman_sdk._core.key_store import KeyStore, check_returned
from payman_sdk._core.polling import TaskAnswer, fetch_task_retrying
from payman_sdk._core.retry import is_transient
from payman_sdk._refusals import describe_type
from payman_sdk._text.error_response import format_exception
from payman_sdk._text.logger import get_logger

log = get_logger()

MESSAGES = 100
"""How many messages of a task are read to find the text that a key was first used with."""


_NOT_AGAIN = "This one was not sent once more, and its first attempts may still arrive."
_SENT_ELSEWHERE = f"Another process has sent an ask with the same idempotency key. {_NOT_AGAIN}"
_STORE_BROKEN = f"This user's key store cannot be used any more. {_NOT_AGAIN}"
_SENT_BEFORE = """An ask with this idempotency key was sent before, and may still arrive. \
Payman does not know its task yet, and nothing was sent now."""


class KeyClaim(Generic[T]):
    """The key of one ask: who may send it, and when."""

    def __init__(self, exchange: AskExchange[T]) -> None:
        self._exchange = exchange
        self._operation = f"{exchange.ask.task_id} at {exchange.time.server}"
        self._keys = exchange.time.options.key_store
        self._is_default = self._keys is None
        self._recorded: float | None = None  # when the ask was last sent, by the store
        self._earlier: float | None = None  # the same before this ask was sent
        self._is_taken = self._is_renewed = False

    def find(self) -> Flow[T | None]:
        """Return the outcome of the ask that the key names; None if it may be sent now.

        Raises:
            IdempotencyKeyReuseError: The key was used with another text.
            OutcomeUnknownError: Whether something was sent with the key, or its outcome, is unknown.
            KeyStoreError: The store failed; nothing was sent.
        """
        if self._is_default:
            self._keys = yield CallBlocking(self._exchange.time.open_key_store)
        return (yield from self._look_and_wait())

    def take(self) -> Flow[T | None]:
        """Record that the ask is sent now; return how it ended if somebody else has sent it meanwhile."""
        while not (yield from self._record()):
            ended = yield from self._look_and_wait()
            if ended is not None:
                return ended
        self._is_taken = True
        return None

    def renew(self) -> Flow[None]:
        """Record that the ask is sent once more.

        Raises OutcomeUnknownError if somebody else has sent it meanwhile, or the store fails.
        """
        if not self._is_renewed:
            self._is_renewed = True  # `take` has just recorded it
        elif not (yield from self._record()):
            raise self._build_pending_error(_STORE_BROKEN if self._keys is None else _SENT_ELSEWHERE)

    def release(self, error: errors.PaymanError) -> Flow[None]:
        """Remove the record where nothing was done, so that the key may be used again at once."""
        if self._is_taken and self._earlier is None and error.sent is False and self._recorded is not None:
            yield from self._forget(self._recorded)

    def _forget(self, recorded: float) -> Flow[None]:
        """Remove a record; where that fails, the next ask with the key waits."""
        try:
            yield from self._call(lambda keys: keys.forget(self._operation, recorded))
        except errors.KeyStoreError as error:
            log.warning("Could not remove the record of an idempotency key: %s", error)

    def _look_and_wait(self) -> Flow[T | None]:
        """Look for the task until nothing that was sent with the key before may still arrive."""
        recorded = yield from self._call(lambda keys: keys.load(self._operation))
        is_number = isinstance(recorded, int | float) and not isinstance(recorded, bool)
        if recorded is not None and not (is_number and math.isfinite(recorded)):
            kind = describe_type(recorded)
            raise errors.KeyStoreError(f"The key store returned {kind}, not seconds since 1970.")
        self._recorded = None if recorded is None else float(recorded)
        time = self._exchange.time
        pauses = time.iter_pauses()
        known = yield from self._find_by_key()
        ends = time.clock() + self._get_seconds_left()
        # A time to end at: a rest of seconds could round to no step.
        while known is None and (left := ends - time.clock()) > 0:
            yield Sleep(min(next(pauses).seconds, left))
            if time.is_over():
                raise self._build_pending_error()
            known = yield from self._find_by_key()
        if known is not None:
            return (yield from self._exchange.resume(known, errors.PaymanError("The ask was sent before.")))
        if self._recorded is not None and time.options.resend == "never":
            raise self._build_pending_error()
        return None

    def _get_seconds_left(self) -> float:
        """How long what was sent with the key may still be on its way."""
        settle_time = self._exchange.time.options.settle_time
        if self._keys is None:
            return settle_time  # nobody knows whether something was sent
        if self._recorded is None:
            return 0.0
        # A clock that was set back, or is another machine's, may show a time that is still to come.
        return max(0.0, min(settle_time, self._recorded + settle_time - self._exchange.time.wall_clock()))

    def _build_pending_error(self, what: str = _SENT_BEFORE) -> errors.OutcomeUnknownError:
        return errors.OutcomeUnknownError(
            what,
            next_step="Ask again with the same key later, or call client.get_task(error.task_id).",
            sent=None if self._recorded is None else True,
        )

    def _find_by_key(self) -> Flow[TaskAnswer | None]:
        """Look for the task that the key names; None if the agent knows none. Raises as `find`, or PaymanError for a refusal."""
        time = self._exchange.time
        try:
            body, task = yield from fetch_task_retrying(self._exchange.ask.task_id, time, messages=MESSAGES)
        except errors.TaskNotFoundError:
            return None
        except (errors.AuthenticationError, errors.PermissionDeniedError) as error:
            error.sent = self._recorded is not None
            raise
        except errors.PaymanError as error:
            if isinstance(error, errors.ConfigurationError) and self._recorded is None:
                raise  # nothing was sent, neither now nor before
            is_passing = is_transient(error)
            fix = "Ask again with the same key." if is_passing else "Keys need a server that looks tasks up."
            raise errors.OutcomeUnknownError(
                f"Whether this key was used before is unknown. {error.message}",
                next_step=f"Nothing was sent now. {fix}",
                response=error.response,
                sent=self._recorded is not None,
            ) from error
        time.watch.is_repeated = True
        said = first_text(task)
        if said is not None and _read_lines(said) != _read_lines(self._exchange.ask.text):
            raise errors.IdempotencyKeyReuseError(
                "The idempotency key belongs to an ask with another text.",
                next_step="Give every operation its own key. Nothing was sent now.",
            )
        return body, task

    def _record(self) -> Flow[bool]:
        """Record that the ask is sent now, unless somebody else has recorded that meanwhile."""
        if self._keys is None:
            return True
        before, now = self._recorded, self._exchange.time.wall_clock()
        try:
            if not (yield from self._call(lambda keys: self._claim(keys, now, before))):
                return False
        except errors.KeyStoreError:
            if before is None:  # it may be recorded all the same, and nothing was sent
                yield from self._forget(now)
            raise
        if not self._is_taken:
            self._earlier = before
        self._recorded = now
        return True

    def _claim(self, keys: KeyStore, now: float, before: float | None) -> bool:
        return check_returned(keys.claim(self._operation, now, before), bool, "claim")

    def _call(self, function: Callable[[KeyStore], Any]) -> Flow[Any]:
        """Call the store; without one, nothing is recorded."""
        if self._keys is None:
            return None
        try:
            return (yield CallBlocking(partial(function, self._keys), deadline=self._exchange.time.deadline))
        except Exception as error:
            if not self._is_default:
                raise errors.KeyStoreError(
                    f"The key store failed: {type(error).__name__}: {format_exception(error)}",
                    next_step="Repair the store, then ask again with the same key.",
                    # Once the key is taken, this is about one attempt: those before it are counted elsewhere.
                    sent=self._recorded is not None and not self._is_taken,
                ) from error
            log.warning(
                "Cannot use this user's key store (%s); asks with a key first wait for settle_time", error
            )
            self._keys = None
            return None


def first_text(task: Task) -> str | None:
    """Return what a task was first asked; None where the server does not return it as text."""
    history = task.history if isinstance(task.history, list) else []
    if not history or len(history) >= MESSAGES or str(history[0].role).lower() not in {"user", "role_user"}:
        return None
    texts = [part.text for part in history[0].parts if isinstance(part, TextPart)]
    return "\n".join(texts) or None


def _read_lines(text: str) -> list[str]:
    """Return the lines of a text, however its ends of lines and its accents are encoded."""
    return normalize("NFC", text).splitlines()
