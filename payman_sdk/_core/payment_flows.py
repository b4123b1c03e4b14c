"""The flows of typed calls: an order is sent as an ask, with all of its safety, and its outcome is read from the answer.

What happens after an order may have been sent ends as a `Payment`, never as an error that says nothing was done.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar, cast

from payman_sdk._core.effects import Flow, OnEvent, Stopwatch, hand_out
from payman_sdk._core.exchange import get_earlier_artifacts
from payman_sdk._core.interruptions import describe_interruption, is_not_recorded
from payman_sdk._core.listings import read_moment, sanitize_line
from payman_sdk._core.orders import PaymentOrder, decision_text, find_payment_order
from payman_sdk._core.payment_types import Payment, PaymentOutcome
from payman_sdk._core.payments import UNDETERMINED, Verdict, needs_proof, prove, read_claim
from payman_sdk._core.task_response import FormattedTaskResponse
from payman_sdk._core.transaction_search import search_transactions
from payman_sdk._text.error_response import shorten
from payman_sdk.errors import ConfigurationError, OutcomeUnknownError, PaymanError

if TYPE_CHECKING:
    from payman_sdk._core.operations import Operations
    from payman_sdk._core.options import CallOptions

T = TypeVar("T")


_SLACK = dt.timedelta(seconds=1)
"""Transactions are listed to the second."""

_KEPT = ("task_id", "session_id", "payment_id", "idempotency_key", "ordered_at")
"""What a payment keeps if the answer to its approval is lost."""


class Call(NamedTuple):
    """What a typed call was given beside its order.

    Attributes:
        session_id: The session it belongs to.
        options: Its options, checked.
        on_event: Called with every event; the answer is streamed then.
        verify: Whether an outcome that the agent states must be shown by a transaction.
    """

    session_id: str
    options: CallOptions
    on_event: OnEvent | None = None
    verify: bool = True


class _Past(NamedTuple):
    """What is known of a payment beside its answer."""

    order: PaymentOrder
    task_id: str
    session_id: str | None
    since: dt.datetime | None
    idempotency_key: str | None = None

    def ids(self) -> dict[str, str | None]:
        return {
            "task_id": self.task_id,
            "session_id": self.session_id,
            "idempotency_key": self.idempotency_key,
        }


def pay(agent: Operations, order: PaymentOrder, call: Call) -> Flow[Payment]:
    """Order a payment, and return how it ended."""
    clock = Stopwatch(agent.now)
    try:
        response = yield from clock.without_guard(
            send_order(agent, order.text(), call), call.options.before_send
        )
    except PaymanError as error:
        return _lost(order, error)
    key = call.options.idempotency_key
    past = _Past(order, response.task_id, response.session_id, _earliest(response, call, clock), key)
    return (yield from _conclude(agent, past, response, call, clock))


def settle(agent: Operations, payment: Payment, call: Call, *, approve: bool) -> Flow[Payment]:
    """Approve or deny a payment that waits, and return how it ended."""
    order, task_id = _order_of(payment), payment.task_id
    response = payment.response
    if task_id is None or payment.outcome is not PaymentOutcome.AWAITING_APPROVAL:
        raise ConfigurationError(
            f"The payment does not wait for approval; its outcome is {payment.outcome.value}.",
            next_step="Pass a payment whose outcome is awaiting_approval; client.payment_status(payment) reads it again.",
        )
    if response is not None and not response.requires_input:
        raise ConfigurationError(
            "The task of the payment has ended, so no reply can approve or deny it.",
            next_step="Approve or deny it in Payman's own requests; client.payment_status(payment) reads how it ended.",
        )
    text = decision_text(payment.payment_id, approve=approve)
    clock = Stopwatch(agent.now)
    try:
        earlier = None if response is None else get_earlier_artifacts(response)
        order_flow = send_order(agent, text, call, task_id=task_id, earlier=earlier)
        answer = yield from clock.without_guard(order_flow, call.options.before_send)
    except PaymanError as error:
        return _lost(order, error, **{name: getattr(payment, name) for name in _KEPT})
    return (yield from _conclude(agent, _past_of(payment, task_id), answer, call, clock))


def read_status(agent: Operations, payment: Payment | str | Mapping[str, Any], call: Call) -> Flow[Payment]:
    """Look the task of a payment up, and return how the payment ended."""
    clock = Stopwatch(agent.now)
    if isinstance(payment, Payment):
        if payment.task_id is None:
            raise ConfigurationError("The payment has no task id, so it cannot be looked up.")
        before = payment.response
        earlier = None if before is None else get_earlier_artifacts(before)
        response, _ = yield from agent.look_up(payment.task_id, call.options, earlier)
        return (yield from _conclude(agent, _past_of(payment, payment.task_id), response, call, clock))
    response, text = yield from agent.look_up(payment, call.options, None)
    order = find_payment_order(text)
    if order is None:
        raise ConfigurationError(
            f"What the task {shorten(response.task_id)} ordered is not known: it is not of client.pay(), or the server keeps "
            "no history.",
            next_step="Pass the Payment that client.pay() returned, or read client.get_task(task_id).",
        )
    past = _Past(order, response.task_id, response.session_id, None)
    return (yield from _conclude(agent, past, response, call, clock))


def send_order(
    agent: Operations, text: str, call: Call, task_id: str | None = None, earlier: Any = None
) -> Flow[FormattedTaskResponse]:
    """Send an order as an ask, or as a reply; streamed where somebody reads the events."""
    if call.on_event is None:
        asked = agent.ask(text, call.session_id, call.options, task_id=task_id, earlier=earlier)
        answer = yield from asked.flow
        return cast("FormattedTaskResponse", answer)
    following = agent.build_stream(text, call.session_id, call.options, task_id=task_id, earlier=earlier)
    ids = following.ask.get_ids()
    yield from hand_out(
        following.run(), call.on_event, lambda error: describe_interruption(error, ids, sent=True)
    )
    return following.get_result()


def _conclude(
    agent: Operations, past: _Past, response: FormattedTaskResponse, call: Call, clock: Stopwatch
) -> Flow[Payment]:
    """Return the payment that an answer is about; the transactions are looked at once, where its task has ended."""
    error: PaymanError | None = None
    verdict = Verdict(UNDETERMINED)
    # Whatever fails here is a fault of the SDK's own: the payment may be made all the same.
    try:
        verdict = read_claim(response, past.order)
    except Exception as fault:
        verdict = _build_fault_verdict(fault, verdict)
    try:
        if needs_proof(response) and (call.verify or verdict.outcome is UNDETERMINED):
            verdict, error = yield from _look_at_transactions(agent, past, verdict, call, clock)
        if verdict.transaction is not None and not agent.proofs.take(verdict.transaction, past.task_id):
            verdict = Verdict(UNDETERMINED, "Its transaction shows another payment.", verdict.payment_id)
    except Exception as fault:
        verdict = _build_fault_verdict(fault, verdict)
    return Payment(
        outcome=verdict.outcome,
        reason=verdict.reason,
        payment_id=verdict.payment_id,
        transaction=verdict.transaction,
        task_id=past.task_id,
        session_id=response.session_id or past.session_id,
        idempotency_key=past.idempotency_key,
        ordered_at=past.since,
        error=error,
        response=response,
        **past.order._asdict(),
    )


def _build_fault_verdict(fault: Exception, claim: Verdict) -> Verdict:
    if is_not_recorded(fault):
        raise fault
    return Verdict(UNDETERMINED, f"The SDK failed with {type(fault).__name__}.", claim.payment_id)


def _look_at_transactions(
    agent: Operations, past: _Past, claim: Verdict, call: Call, clock: Stopwatch
) -> Flow[tuple[Verdict, PaymanError | None]]:
    """Return the verdict that the transactions support, and why they could not be read."""
    # The payment is made or not: nothing that a hook says to this look may replace its outcome.
    options = call.options._replace(
        before_send=None,
        on_task=None,
        on_retry=None,
        metadata=None,
        message_metadata=None,
        part_metadata=None,
        idempotency_key=None,
    )
    try:
        ids = past.task_id, claim.payment_id
        found = yield from search_transactions(agent, *ids, past.since, options, clock)
    except BaseException as interruption:
        if not isinstance(interruption, Exception):
            describe_interruption(interruption, past.ids(), sent=True)
        raise
    if found.problem is not None and claim.outcome in {PaymentOutcome.REFUSED, PaymentOutcome.FAILED}:
        return claim, None
    verdict = prove(
        claim,
        past.order,
        found.transactions,
        task_id=past.task_id,
        # Without an id, only one of all that were made since may be it.
        since=past.since if found.is_whole or claim.payment_id is not None else None,
        is_taken=lambda one: agent.proofs.is_taken(one, past.task_id),
    )
    if found.problem is not None and verdict.transaction is None:
        reason = (
            f"{verdict.reason or ''} The transactions could not be read: {shorten(found.problem.message)}"
        )
        return verdict._replace(reason=sanitize_line(reason.strip())), found.problem
    return verdict, None


def _earliest(response: FormattedTaskResponse, call: Call, clock: Stopwatch) -> dt.datetime | None:
    """Return when, by the server's clock, an order that is answered now can have arrived at the earliest."""
    try:
        moment = read_moment(response.timestamp)
        # An earlier call, with as much time as this one, may have ordered the payment of this key.
        seconds = clock.seconds() if call.options.idempotency_key is None else call.options.timeout
        return None if moment is None else moment - dt.timedelta(seconds=seconds) - _SLACK
    except Exception:  # the payment was ordered, and only its proof may need this
        return None


def _may_be_done(error: PaymanError) -> bool:
    return isinstance(error, OutcomeUnknownError) or error.sent is True


def _lost(order: PaymentOrder, error: PaymanError, **known: Any) -> Payment:
    """Return the payment whose answer was lost.

    Args:
        order: The order.
        error: Why no answer came.
        known: What is known of the payment from before.

    Raises:
        PaymanError: Nothing was sent, or it was turned away.
    """
    if not _may_be_done(error):
        raise error
    ids = {name: getattr(error, name) for name in ("task_id", "session_id", "idempotency_key")}
    reason = sanitize_line(error.message)
    return Payment(outcome=UNDETERMINED, reason=reason, error=error, **order._asdict(), **ids | known)


def _past_of(payment: Payment, task_id: str) -> _Past:
    """Return what an earlier call knows of a payment."""
    return _Past(_order_of(payment), task_id, payment.session_id, payment.ordered_at, payment.idempotency_key)


def _order_of(payment: Payment) -> PaymentOrder:
    return PaymentOrder(payment.payee, payment.amount, payment.currency, payment.memo, payment.wallet)
