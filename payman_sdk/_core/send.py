"""The flow of an ask: sends it once, and determines the outcome."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from payman_sdk._core.effects import CallHook, Flow
from payman_sdk._core.formatting import format_answer
from payman_sdk._core.polling import TaskAnswer, fetch_task_retrying, requires_input, wait_for_end
from payman_sdk._core.reconciliation import Attempts, build_unknown_error
from payman_sdk._core.requests import AskRequest, generate_id
from payman_sdk._core.retry import CallContext, is_ambiguous, retry_read
from payman_sdk._core.rpc import call_agent
from payman_sdk.errors import ConfigurationError, OutcomeUnknownError, PaymanError, TaskNotFoundError

if TYPE_CHECKING:
    from payman_sdk._core.exchange import AskExchange
    from payman_sdk._core.task_response import FormattedTaskResponse

T = TypeVar("T")


def carry_out(exchange: AskExchange[T]) -> Flow[T]:
    """Send an ask once, and return how it ended. The guard's time extends the exchange's; its exceptions pass unchanged.

    Raises OutcomeUnknownError if it was sent and is undetermined; PaymanError if not carried out, or if the agent answered with an
    error.
    """
    ask = exchange.ask
    try:
        if ask.idempotency_key is None:
            yield from _run_before_send(exchange)
            if ask.is_reply and ask.earlier is None:
                from payman_sdk._core.exchange import look_before_reply

                yield from look_before_reply(exchange)
            return (yield from exactly_once(exchange, exchange.attempt))
        return (yield from _send_by_key(exchange))
    except PaymanError as error:
        error.add_context(**ask.get_ids())
        raise


def _run_before_send(exchange: AskExchange[Any]) -> Flow[None]:
    """Consult the guard before anything is sent; the time that takes is not the ask's."""
    before_send = exchange.time.options.before_send
    if before_send is not None:
        began = exchange.time.clock()
        if (yield CallHook(before_send, exchange.ask.to_outgoing())) is False:
            fix = "Raise an exception to block the ask; return None to send it."
            raise ConfigurationError(
                "before_send returned False. Nothing was sent.", next_step=fix, sent=False
            )
        exchange.time = exchange.time.extend(exchange.time.clock() - began)


def _send_by_key(exchange: AskExchange[T]) -> Flow[T]:
    """Send the ask that a key names, unless it was sent before; return its outcome. Raises as `KeyClaim.find`, and PaymanError."""
    from payman_sdk._core.idempotency import KeyClaim

    claim = KeyClaim(exchange)
    ended = yield from claim.find()
    if ended is not None:
        return ended
    yield from _run_before_send(exchange)
    ended = yield from claim.take()
    if ended is not None:
        return ended

    def attempt() -> Flow[T]:
        yield from claim.renew()
        return (yield from exchange.attempt())

    try:
        return (yield from exactly_once(exchange, attempt))
    except PaymanError as error:
        yield from claim.release(error)
        raise


def exactly_once(exchange: AskExchange[T], attempt: Callable[[], Flow[T]]) -> Flow[T]:
    """Have an ask done once by attempts of this kind, and return how it ended.

    A reply that may have arrived is never sent again, as no look-up can show whether it arrived.

    Raises:
        OutcomeUnknownError: It may have been done, and its outcome is undetermined.
        PaymanError: `sent` is False: it was not done. `sent` is None: it was turned away, and the agent did not know it.
    """
    failed: Attempts[T] | None = None
    ask, time = exchange.ask, exchange.time
    time.watch.attempts = 1
    while True:
        try:
            return (yield from attempt())
        except OutcomeUnknownError:
            raise  # the look-up is done
        except PaymanError as error:
            failure = error
        except Exception as fault:
            # The SDK's own: what others raise after sending is an APIConnectionError by now.
            failure = time.watch.convert_fault(fault)
        failed = failed or Attempts(exchange.reconcile, time, ask.task_id, is_reply=ask.is_reply)
        ended = yield from failed.handle(failure)
        if ended is not None:
            time.watch.is_reconciled = True
            return ended


class ResponseFlow:
    """Sends an ask whose answer is read as a whole. With `renews`, for reads, a 401 sends it again at once with another token."""

    def __init__(self, ask: AskRequest, time: CallContext, *, renews: bool = False) -> None:
        self.ask = ask
        self.time = time
        self._renews = renews

    def attempt(self) -> Flow[TaskAnswer]:
        """Send the ask, and return the JSON-RPC answer with its task."""
        ask = self.ask
        request = ask.build_request()
        return call_agent(request, ask.request_id, ask.task_id, self.time, renews=self._renews)

    def reconcile(self, lost: PaymanError, is_patient: bool) -> Flow[TaskAnswer | None]:
        """Return how the ask ended; None where the agent does not know it."""
        try:
            known = yield from fetch_task_retrying(
                self.ask.task_id, self.time, is_patient=is_patient, was_sent=is_ambiguous(lost)
            )
        except TaskNotFoundError:
            return None
        known = yield from self.resume(known, lost)
        # A task that waits, still or again, does not show whether the reply arrived.
        return None if self.ask.is_reply and requires_input(known[1]) else known

    def resume(self, known: TaskAnswer, lost: PaymanError) -> Flow[TaskAnswer]:
        """Wait for the end of a task that was looked up; a later "not found" does not undo that."""
        try:
            return (yield from wait_for_end(self.ask.task_id, self.time, or_rests=True, known=known))
        except PaymanError as error:
            seen = f"The agent said that the task is {self.time.watch.state}."
            raise build_unknown_error(lost, error, seen) from lost


def read_repeatedly(
    ask: AskRequest, time: CallContext, read: Callable[[FormattedTaskResponse], T]
) -> Flow[T]:
    """Send a read as often as it takes, and return what `read` makes of the answer; raises the last failure.

    Each attempt is a task by itself; the first has the id of this ask. A `ResponseValidationError` of `read` is a failed attempt.
    """
    exchange = ResponseFlow(ask, time, renews=True)
    yield from _run_before_send(exchange)
    asks = iter((ask,))

    def attempt() -> Flow[T]:
        one = next(asks, None) or ask._replace(task_id=generate_id("tsk"), request_id=generate_id("req"))
        exchange.ask = one
        try:
            known = yield from exchange.attempt()
            _, task = yield from wait_for_end(one.task_id, exchange.time, or_rests=True, known=known)
        except PaymanError as error:
            error.add_context(**one.get_ids())
            raise
        return read(format_answer(task, one))

    return (yield from retry_read(attempt, exchange.time, ask.task_id))
