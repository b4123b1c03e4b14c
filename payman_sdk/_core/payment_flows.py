"""The flows of typed calls: an order is sent as an ask, and its outcome is read from the answer.

What happens after an order may have been sent ends as a `Payment`, never as an error that says nothing was done.
"""

import datetime as dt
import math
from collections.abc import Mapping
from functools import partial
from typing import Any, NamedTuple, cast

from attrs import evolve

from payman_sdk._core import listings
from payman_sdk._core.arguments import refuse
from payman_sdk._core.effects import Flow, Stopwatch
from payman_sdk._core.error_classes import describe_interruption, is_not_recorded, read_sending_time
from payman_sdk._core.exchange import get_earlier_artifacts
from payman_sdk._core.formatting import build_failure, get_ids
from payman_sdk._core.json_answer import NoObjectError, find_object, find_objects
from payman_sdk._core.listings import read_moment, sanitize_line
from payman_sdk._core.operations import DescribedFlow, Operations
from payman_sdk._core.options import CallOptions, read_task_id
from payman_sdk._core.orders import PayeeOrder, PaymentOrder, decision_text, find_payment_order
from payman_sdk._core.payment_types import Payee, Payment, PaymentOutcome
from payman_sdk._core.payments import UNDETERMINED, Verdict, fold, prove, read_claim
from payman_sdk._core.task_response import FormattedTaskResponse
from payman_sdk._core.transaction_search import search_transactions
from payman_sdk._core.wire_json import as_object
from payman_sdk._refusals import describe_type
from payman_sdk._text.error_response import shorten
from payman_sdk.errors import ConfigurationError, OutcomeUnknownError, PaymanError

_IDS = ("task_id", "session_id", "idempotency_key")
_OF_THE_ORDER: dict[str, Any] = dict.fromkeys(
    ("before_send", "on_task", "on_retry", "metadata", "message_metadata", "part_metadata", "idempotency_key")
)
"""Options that are about an order, and not about what is read after it."""
_SLACK = dt.timedelta(seconds=1)
"""Transactions are listed to the second."""
_SKEW = 300.0
"""Seconds that two clocks may differ."""


class Call(NamedTuple):
    """One typed call; `verify`: whether a transaction must show what the agent states."""

    agent: Operations
    session_id: str
    options: CallOptions
    verify: bool
    clock: Stopwatch

    def plan_ask(self, text: str, **reply: Any) -> DescribedFlow[FormattedTaskResponse]:
        """Return the ask that sends an order, or a reply."""
        asked = self.agent.ask(text, self.session_id, self.options, **reply)
        timed = asked.then(partial(self.clock.without_guard, guard=self.options.before_send))
        return cast("DescribedFlow[FormattedTaskResponse]", timed)


def pay(call: Call, order: PaymentOrder, asked: Flow[FormattedTaskResponse]) -> Flow[Payment]:
    """Send an order by the flow of its ask, and return how the payment ended."""
    ordered = Payment(outcome=UNDETERMINED, **order._asdict())
    try:
        response = yield from asked
    except PaymanError as error:
        return _lose_answer(evolve(ordered, **{name: getattr(error, name) for name in _IDS}), error)
    ids = {name: response[name] for name in _IDS}
    sent = evolve(ordered, **ids, ordered_at=_find_earliest(call, response))
    return (yield from _conclude(call, sent, response))


def check_waiting(payment: object) -> None:
    """Refuse what waits for no approval."""
    if not isinstance(payment, Payment):
        fix = "For a task id, pass client.payment_status(task_id)."
        refuse(
            "payment", f"is {describe_type(payment)}", f"Pass the Payment that client.pay() returned. {fix}"
        )
    response = payment.response
    if payment.task_id is None or payment.outcome is not PaymentOutcome.AWAITING_APPROVAL:
        raise ConfigurationError(
            f"The payment does not wait for approval; its outcome is {payment.outcome.value}.",
            next_step="Pass a payment whose outcome is awaiting_approval; client.payment_status(payment) reads it again.",
        )
    if response is not None and not response.requires_input:
        raise ConfigurationError(
            "The task of the payment has ended, so no reply can approve or deny it.",
            next_step="Approve or deny it in Payman's own requests; client.payment_status(payment) reads how it ended.",
        )


def plan_decision(call: Call, payment: Payment, *, approve: bool) -> DescribedFlow[FormattedTaskResponse]:
    """Return the reply that approves or denies a payment."""
    earlier = get_earlier_artifacts(payment.response)
    text = decision_text(payment.payment_id, approve=approve)
    return call.plan_ask(text, task_id=payment.task_id, earlier=earlier)


def settle(call: Call, payment: Payment, asked: Flow[FormattedTaskResponse]) -> Flow[Payment]:
    """Approve or deny a payment that waits by the flow of the reply, and return how it ended."""
    try:
        answer = yield from asked
    except PaymanError as error:
        return _lose_answer(payment, error)
    return (yield from _conclude(call, payment, answer))


def check_has_task(payment: object) -> None:
    """Refuse what names no task."""
    if not isinstance(payment, Payment):
        read_task_id(payment)
    elif payment.task_id is None:
        raise ConfigurationError("The payment has no task id, so it cannot be looked up.")


def read_status(call: Call, payment: Payment | str | Mapping[str, Any]) -> Flow[Payment]:
    """Look the task of a payment up, and return how the payment ended."""
    if isinstance(payment, Payment):
        earlier = get_earlier_artifacts(payment.response)
        response, _ = yield from call.agent.look_up(payment.task_id, call.options, earlier)
        return (yield from _conclude(call, payment, response))
    response, text = yield from call.agent.look_up(payment, call.options, None)
    order = find_payment_order(text)
    if order is None:
        raise ConfigurationError(
            f"What the task {shorten(response.task_id)} ordered is not known: it is not of client.pay(), or the server keeps "
            "no history.",
            next_step="Pass the Payment that client.pay() returned, or read client.get_task(task_id).",
        )
    known = Payment(outcome=UNDETERMINED, **order._asdict(), task_id=response.task_id)
    return (yield from _conclude(call, known, response))


def _conclude(call: Call, payment: Payment, response: FormattedTaskResponse) -> Flow[Payment]:
    """Return a payment with the answer's claim; if its task has ended, the transactions are looked at once."""
    order, task_id = _order_of(payment), cast("str", payment.task_id)
    error: PaymanError | None = None
    # Whatever fails here is a fault of the SDK's own: the payment may be made all the same.
    try:
        verdict = read_claim(response, order)
    except Exception as fault:
        verdict = _build_fault_verdict(fault, None)
    try:
        if response.is_final and (call.verify or verdict.outcome is UNDETERMINED):
            verdict, error = yield from _look_at_transactions(call, payment, task_id, verdict)
        if verdict.transaction is not None and not call.agent.proofs.take(verdict.transaction, task_id):
            verdict = Verdict(UNDETERMINED, "Its transaction shows another payment.", verdict.payment_id)
    except Exception as fault:
        verdict = _build_fault_verdict(fault, verdict.payment_id)
    session_id = response.session_id or payment.session_id
    return evolve(payment, **verdict._asdict(), session_id=session_id, error=error, response=response)


def _build_fault_verdict(fault: Exception, payment_id: str | None) -> Verdict:
    if is_not_recorded(fault):
        raise fault
    return Verdict(UNDETERMINED, f"The SDK failed with {type(fault).__name__}.", payment_id)


def _look_at_transactions(
    call: Call, payment: Payment, task_id: str, claim: Verdict
) -> Flow[tuple[Verdict, PaymanError | None]]:
    """Return the verdict that the transactions support, and why they could not be read."""
    agent, since = call.agent, payment.ordered_at
    if since is None and claim.outcome in {PaymentOutcome.REFUSED, PaymentOutcome.FAILED}:
        since = dt.datetime.fromtimestamp(agent.wall_clock() - call.options.timeout - _SKEW, dt.UTC)
    # The payment is made or not: nothing that a hook says to this look may replace its outcome.
    options = call.options._replace(**_OF_THE_ORDER)
    try:
        found = yield from search_transactions(agent, task_id, claim.payment_id, since, options, call.clock)
    except BaseException as interruption:
        if not isinstance(interruption, Exception):
            ids = {name: getattr(payment, name) for name in _IDS}
            describe_interruption(interruption, ids, sent=True)
        raise
    verdict = prove(
        claim,
        _order_of(payment),
        found,
        task_id=task_id,
        since=since,
        is_taken=lambda one: agent.proofs.is_taken(one, task_id),
        shown=payment.transaction if payment.outcome is PaymentOutcome.PAID else None,
    )
    if found.problem is not None and verdict.transaction is None and verdict.outcome is UNDETERMINED:
        problem = f"The transactions could not be read: {shorten(found.problem.message)}"
        reason = sanitize_line(f"{verdict.reason or ''} {problem}".strip())
        return verdict._replace(reason=reason), found.problem
    return verdict, None


def _find_earliest(call: Call, response: FormattedTaskResponse) -> dt.datetime | None:
    """Return the earliest time, by the server's clock, at which an order that is answered now can have arrived.

    A state older than its order shows no such time, unless the agent knew the task before.
    """
    try:
        moment, is_repeated = read_moment(response.timestamp), response._is_repeated  # pyright: ignore[reportPrivateUsage] # of this package
        # An earlier call, with as much time as this one, may have ordered the payment of this key.
        seconds = call.clock.seconds() if call.options.idempotency_key is None else call.options.timeout
        wall_clock = call.agent.wall_clock
        oldest = -math.inf if is_repeated else read_sending_time(response.headers, wall_clock) - seconds
        if moment is None or moment.timestamp() < oldest - _SKEW:
            return None
        return moment - dt.timedelta(seconds=seconds) - _SLACK
    except Exception:  # the payment was ordered, and only its proof may need this
        return None


def _lose_answer(payment: Payment, error: PaymanError) -> Payment:
    """Return the payment whose answer was lost; raises PaymanError if nothing was sent, or it was turned away."""
    if not (isinstance(error, OutcomeUnknownError) or error.sent is True):
        raise error
    reason = sanitize_line(error.message)
    return evolve(payment, outcome=UNDETERMINED, reason=reason, error=error, transaction=None, response=None)


def _order_of(payment: Payment) -> PaymentOrder:
    return PaymentOrder(payment.payee, payment.amount, payment.currency, payment.memo, payment.wallet)


def create_payee(order: PayeeOrder, asked: Flow[FormattedTaskResponse]) -> Flow[Payee]:
    """Send an order by the flow of its ask, and return the payee that was created."""
    response = yield from asked
    try:
        return _read_created_payee(response, order)
    except PaymanError:
        raise
    except Exception as error:  # the answer's, or the SDK's own
        is_answer = isinstance(error, NoObjectError | listings.InvalidObjectError)
        problem = str(error) if is_answer else type(error).__name__
    raise OutcomeUnknownError(
        f"Whether the payee was created is not known. {listings.unreadable(response, problem).message}",
        next_step="See client.payees(name) before you create it again.",
        **get_ids(response),
        sent=True,
    )


def _read_created_payee(response: FormattedTaskResponse, order: PayeeOrder) -> Payee:
    """Return the payee that an answer says was created.

    Raises TaskFailedError if the agent refused, or its task failed and nothing says otherwise; ValueError if neither is certain.
    """
    state = response["state"]
    if response.status == "in_progress":
        raise NoObjectError(f"the task is {state}")
    if response.status == "failed" and not find_objects(response, response.artifacts):
        listings.check_completed(response)
    value = find_object(response, response.artifacts).value
    status, found = str(value.get("status")).lower(), as_object(value.get("payee"))
    if status == "refused":
        why = shorten(listings.text_or_none(value, "reason") or "no reason was given")
        raise build_failure(response, f"The payee was not created: {why}")
    if response.status == "failed" or status not in {"created", "exists"} or found is None:
        raise NoObjectError(f"the task is {state}, and its object does not say so")
    payee = listings.read_payee(found, response)
    if not _is_ordered_payee(payee, order):
        raise NoObjectError("it is about another payee")
    return payee


def _is_ordered_payee(payee: Payee, order: PayeeOrder) -> bool:
    email = order.fields.get("email")
    return (
        fold(payee.name) == fold(order.name)
        and (payee.type is None or fold(payee.type) == fold(order.type))
        and (email is None or payee.email is None or fold(payee.email) == fold(email))
    )
