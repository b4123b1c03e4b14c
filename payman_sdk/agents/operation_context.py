"""What operations share: the client, the log, and what a look at Payman says of an operation."""

from __future__ import annotations

import datetime as dt
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import evolve

from payman_api.models.task_state import TaskState
from payman_sdk._core.effects import Flow, Invoke
from payman_sdk._core.error_classes import describe_interruption, is_described
from payman_sdk._core.payment_types import Payment, PaymentOutcome
from payman_sdk._core.task_response import Phase, get_phase
from payman_sdk.agents.confirmation import Confirm, OnMessage, build_send_options
from payman_sdk.agents.messages import describe_under_way
from payman_sdk.agents.operation_log import OperationLog
from payman_sdk.agents.results import OperationResult
from payman_sdk.agents.stores import Operation
from payman_sdk.errors import ConfigurationError, PaymanError, TaskNotFoundError

if TYPE_CHECKING:
    from payman_sdk._client.async_ import AsyncPaymanClient
    from payman_sdk._client.sync import PaymanClient
    from payman_sdk._config import Config
    from payman_sdk._core.task_response import FormattedTaskResponse

T = TypeVar("T")


class OperationContext:
    """What operations need: a client, its log, and who is asked before money moves."""

    def __init__(
        self,
        client: PaymanClient | AsyncPaymanClient,
        log: OperationLog,
        confirm: Confirm | None,
        config: Config,
    ) -> None:
        self.client = client
        self.log = log
        self.confirm = confirm
        self.config = config

    def build_options(self, on_message: OnMessage | None, raised: list[Exception]) -> dict[str, Any]:
        """Return the options of what is sent."""
        return build_send_options(self.config, raised, on_event=on_message, on_task=self.config.on_task)

    def look_up(self, operation: Operation) -> Flow[tuple[Operation, Payment | None] | None]:
        """Return the state of an operation that may have been sent, and its payment; None where Payman does not know it.

        It is not written down. The payment is None for a task that is not a typed payment.

        Raises:
            PaymanError: The look-up failed.
        """
        try:
            payment = yield Invoke(partial(self.client.payment_status, build_payment(operation)))
            return apply_payment(operation, payment), payment
        except ConfigurationError:  # not a typed payment, as far as its task shows
            answer = yield Invoke(lambda: self.client.get_task(operation.task_id))
            return apply_response(operation, answer), None
        except TaskNotFoundError:
            if operation.status is not None:
                raise  # Payman knew it once; that it is forgotten now says nothing
            return None

    def may_resend(self, operation: Operation, now: float) -> bool:
        """Return whether an operation that Payman does not know at this time may be sent again: it cannot arrive any more."""
        if self.config.resend != "after_settling" or operation.payee is None or operation.is_replying:
            return False
        sent_at = operation.sent_at
        return sent_at is not None and now - sent_at >= self.config.settle_time


def describe_sending(flow: Flow[T], operation: Operation) -> Flow[T]:
    """Run the flow that sends a claimed operation; write on what interrupts it which task that is, as a client does while it asks."""
    try:
        return (yield from flow)
    except BaseException as interruption:
        ids = {
            "task_id": operation.task_id,
            "session_id": operation.session_id,
            "idempotency_key": operation.name,
        }
        if not is_described(interruption, ids):
            describe_interruption(interruption, ids, sent=True)
        raise


def hold(
    context: OperationContext, operation: str, task_id: str, patience: float, flow: Flow[OperationResult]
) -> Flow[OperationResult]:
    """Run a flow under the lock of an operation; return its result, or that another call holds the lock."""
    ended: list[OperationResult] = []

    def run() -> Flow[None]:
        ended.append((yield from flow))

    try:
        yield from context.log.hold(task_id, patience, run())
    except BaseException as interruption:
        ids = {"task_id": task_id, "idempotency_key": operation}
        if ended and not ended[0].is_error and not is_described(interruption, ids):
            describe_interruption(interruption, ids, sent=True)
        raise
    return ended[0] if ended else describe_under_way(operation, task_id)


def build_payment(operation: Operation) -> Payment | str:
    """Return the payment of an operation, to be looked up; the id of its task where its order is not known."""
    if operation.payee is None or operation.amount is None or operation.currency is None:
        return operation.task_id
    ordered_at = None if operation.ordered_at is None else dt.datetime.fromisoformat(operation.ordered_at)
    return Payment(
        outcome=PaymentOutcome.UNDETERMINED,
        amount=operation.amount,
        currency=operation.currency,
        payee=operation.payee,
        memo=operation.memo,
        task_id=operation.task_id,
        session_id=operation.session_id,
        idempotency_key=operation.name,
        ordered_at=ordered_at,
    )


def apply_payment(operation: Operation, payment: Payment) -> Operation:
    """Return an operation with what is known of its payment. Only a proven end ends it."""
    response = payment.response
    if response is None:  # whether it was made is not known
        return operation
    outcome, waits, since = payment.outcome, response.requires_input, payment.ordered_at
    status = _STATUSES.get(outcome, "unknown")
    is_unknown = get_phase(response.state) is Phase.UNKNOWN
    if status == "unknown" and response.status == "in_progress" and not waits and not is_unknown:
        status = "working"
    is_decided = outcome in {PaymentOutcome.PAID, PaymentOutcome.REFUSED, PaymentOutcome.FAILED}
    return evolve(
        operation,
        payee=payment.payee,
        amount=payment.amount,
        currency=payment.currency,
        memo=payment.memo,
        stage="ended" if is_decided and response.is_final else "sent",
        status=status,
        reason=payment.reason,
        payment_id=payment.payment_id,
        answer=response.text,
        ordered_at=operation.ordered_at or (None if since is None else since.isoformat()),
        session_id=payment.session_id or operation.session_id,
        is_replying=waits and operation.is_replying,
    )


_STATUSES = {
    PaymentOutcome.PAID: "paid",
    PaymentOutcome.AWAITING_APPROVAL: "awaiting-approval",
    PaymentOutcome.REFUSED: "refused",
    PaymentOutcome.FAILED: "failed",
}
"""Every other outcome is unknown."""


def apply_response(operation: Operation, answer: FormattedTaskResponse) -> Operation:
    """Return an operation with the state of a task that is not a typed payment."""
    status: str = (
        "input-required" if answer.requires_input else answer.status.replace("in_progress", "working")
    )
    if answer.state == TaskState.UNKNOWN:
        status = "unknown"
    still_waits = status == "input-required" and operation.is_replying
    return evolve(
        operation,
        stage="ended" if answer.is_final and status != "unknown" else "sent",
        status=status,
        answer=answer.text,
        session_id=answer.session_id or operation.session_id,
        is_replying=still_waits,
    )


def settle(context: OperationContext, operation: Operation) -> Flow[tuple[Operation, bool]]:
    """Return the state of an operation that may have been sent, and whether it may be sent again."""
    if operation.stage != "sent":
        return operation, False
    try:
        now = yield from context.log.read_clock()  # before the look, which has to come after `settle_time`
        found = yield from context.look_up(operation)
    except ConfigurationError:
        raise
    except PaymanError:
        return operation, False
    if found is not None:
        return (yield from context.log.note(found[0])), False
    if operation.sent_at is None or operation.sent_at > now:
        # No record says when, or a clock was set back or is another machine's: it was sent now at the latest.
        return (yield from context.log.note(evolve(operation, sent_at=now))), False
    return operation, context.may_resend(operation, now)
