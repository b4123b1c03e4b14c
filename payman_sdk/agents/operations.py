"""An operation from its claim to its end, as flows: it is written down before it is sent, and sent once.

What was sent, and Payman does not know, may still arrive for the client's `settle_time`: until then nothing is sent under its name.
It counts until it is known not to have happened, also when it may be sent again.
"""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, TypeGuard

from attrs import evolve

from payman_api.models.task_state import TaskState
from payman_sdk._core.orders import PaymentOrder
from payman_sdk._core.payment_types import Payment, PaymentOutcome
from payman_sdk._core.states import Phase, get_phase
from payman_sdk.agents import messages
from payman_sdk.agents.confirmation import (
    BlockedByHook,
    Confirm,
    ConfirmationRequest,
    OnMessage,
    build_send_options,
    format_denial,
    remember_raised,
    request_confirmation,
)
from payman_sdk.agents.effects import Flow, Invoke
from payman_sdk.agents.operation_log import OperationLog
from payman_sdk.agents.results import OperationResult
from payman_sdk.agents.stores import Operation
from payman_sdk.errors import (
    AgentError,
    APIStatusError,
    ConfigurationError,
    IdempotencyKeyReuseError,
    OutcomeUnknownError,
    PaymanError,
    RateLimitError,
    ServerError,
    TaskNotFoundError,
)

if TYPE_CHECKING:
    from payman_sdk._client.async_ import AsyncPaymanClient
    from payman_sdk._client.sync import PaymanClient
    from payman_sdk._config import Config
    from payman_sdk._core.task_response import FormattedTaskResponse


class OperationContext:
    """What operations need: a client, its ledger, and who is asked before money moves.

    Args:
        client: The client that everything is sent with.
        ledger: What is written down.
        confirm: Who is asked; None where nobody is.
        config: The client's settings: its hooks, and when something may be sent again.
    """

    def __init__(
        self,
        client: PaymanClient | AsyncPaymanClient,
        ledger: OperationLog,
        confirm: Confirm | None,
        config: Config,
    ) -> None:
        self.client = client
        self.ledger = ledger
        self.confirm = confirm
        self.config = config

    def build_options(self, on_message: OnMessage | None, raised: list[Exception]) -> dict[str, Any]:
        """Return the options of what is sent.

        Args:
            on_message: Called with every event.
            raised: What hooks raise is added here.
        """
        config = self.config
        hooks = {"on_event": on_message, "on_retry": config.on_retry, "on_task": config.on_task}
        watched = {name: remember_raised(hook, raised) for name, hook in hooks.items() if hook is not None}
        return watched | build_send_options(None, config.before_send)

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
        """Return whether an operation that Payman does not know at this time may be sent again: it cannot arrive any more.

        Args:
            operation: What was sent.
            now: The time by the ledger's clock.
        """
        if self.config.resend != "after_settling" or operation.payee is None or operation.is_replying:
            return False
        sent_at = operation.sent_at
        return sent_at is not None and now - sent_at >= self.config.settle_time


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


def pay(
    desk: OperationContext,
    order: PaymentOrder,
    operation: str,
    task_id: str,
    patience: float,
    on_message: OnMessage | None,
) -> Flow[OperationResult]:
    """Return a flow that makes a payment, once.

    Args:
        desk: What it needs.
        order: The payment.
        operation: The name of the operation.
        task_id: The id of its task.
        patience: Seconds to wait for somebody else who carries it out.
        on_message: Called with every event.
    """
    ledger = desk.ledger
    with (yield from ledger.make_guard(task_id)) as hold:
        if not (yield from hold.acquire(patience)):
            return messages.describe_under_way(operation, task_id)
        known = yield from ledger.load(task_id)
        new = ledger.create_operation(task_id, operation, order, desk.client.get_session_id())
        if known is not None and known.stage != "open":
            known, may_resend = yield from settle(desk, known)
            if not may_resend:
                return format_repeat(known, order)
            if not has_order(known, order):  # the first order may have been carried out, so no other is sent
                return format_repeat(known, order, may_resend=True)
            # What was sent counts, also while it is sent once more.
            new = evolve(new, stage="sent", runs=known.runs, sent_at=known.sent_at)
        why: str | None = None
        if desk.confirm is not None:  # nobody is asked in vain
            why = yield from ledger.check_limit(new)
        if why is None:
            proposal = ConfirmationRequest.of_payment("pay", new)
            why = yield from request_confirmation(desk.confirm, proposal)
        if why is not None:
            return format_refusal(new, why)
        claimed = yield from ledger.claim(new, known)
        if claimed is None:
            return (yield from _report_overtaken(desk, operation, task_id, order))
        if isinstance(claimed, str):
            return format_refusal(new, claimed)
        return (yield from _send(desk, new, claimed, on_message))


def settle(desk: OperationContext, operation: Operation) -> Flow[tuple[Operation, bool]]:
    """Return the state of an operation that may have been sent, and whether it may be sent again."""
    if operation.stage != "sent":
        return operation, False
    try:
        now = yield from desk.ledger.read_clock()  # before the look, which has to come after `settle_time`
        found = yield from desk.look_up(operation)
    except ConfigurationError:
        raise
    except PaymanError:
        return operation, False
    if found is not None:
        return (yield from desk.ledger.note(found[0])), False
    if operation.sent_at is None or operation.sent_at > now:
        # No record says when, or a clock was set back or is another machine's: it was sent now at the latest.
        return (yield from desk.ledger.note(evolve(operation, sent_at=now))), False
    return operation, desk.may_resend(operation, now)


def _report_overtaken(
    desk: OperationContext, operation: str, task_id: str, order: PaymentOrder
) -> Flow[OperationResult]:
    """Return the state of an operation that another process continues, because its lock was lost."""
    known = yield from desk.ledger.load(task_id)
    if known is None or known.stage == "open":
        return messages.describe_under_way(operation, task_id)
    known, _ = yield from settle(desk, known)
    return format_repeat(known, order)


def has_order(operation: Operation, order: PaymentOrder) -> bool:
    """Return whether an operation is the name of an order."""
    return (operation.payee, operation.amount, operation.currency, operation.memo) == order[:4]


def format_repeat(operation: Operation, order: PaymentOrder, *, may_resend: bool = False) -> OperationResult:
    """Return what somebody reads who asks for an operation again."""
    result = messages.describe_resendable(operation) if may_resend else messages.describe_operation(operation)
    return result if has_order(operation, order) else result.noting(messages.explain_other_order(operation))


def format_refusal(operation: Operation, why: str) -> OperationResult:
    """Return what somebody reads whose operation is not sent now. What was sent before may still have been carried out."""
    if operation.stage == "open":
        return messages.describe_refusal(operation, why)
    return messages.describe_resendable(operation).noting(messages.explain_not_resent(why))


def check(desk: OperationContext, operation: str, task_id: str) -> Flow[OperationResult]:
    """Return the state of an operation, and send nothing."""
    ledger = desk.ledger
    with (yield from ledger.make_guard(task_id)) as hold:
        is_held = yield from hold.acquire(0)
        known = yield from ledger.load(task_id)
        is_written = known is not None and known.stage != "open"
        if known is None or not is_written:
            name = None if operation == task_id else operation
            known = evolve(ledger.create_operation(task_id, name, None, None), stage="sent")
        elif is_held:
            known, may_resend = yield from settle(desk, known)
            return messages.describe_resendable(known) if may_resend else messages.describe_operation(known)
        if known.stage == "ended":
            return messages.describe_operation(known)
        try:
            found = yield from desk.look_up(known)
        except ConfigurationError:
            raise
        except PaymanError as error:
            return (
                messages.describe_operation(known) if is_written else messages.describe_unknown(known, error)
            )
        if found is not None:
            return messages.describe_operation(found[0])
        return (
            messages.describe_not_found(operation, task_id)
            if is_held
            else messages.describe_under_way(operation, task_id)
        )


def _send(
    desk: OperationContext, before: Operation, claimed: Operation, on_message: OnMessage | None
) -> Flow[OperationResult]:
    """Return a flow that sends what is written down, and writes down what becomes of it."""
    ledger, raised = desk.ledger, list[Exception]()
    key = ledger.make_key(claimed, before, desk.config.key_store)
    options: dict[str, Any] = {"memo": claimed.memo, "idempotency_key": claimed.name, "key_store": key}
    payee, amount, currency = claimed.payee or "", claimed.amount or 0, claimed.currency or ""
    options.update(desk.build_options(on_message, raised))
    try:
        payment: Payment = yield Invoke(partial(desk.client.pay, payee, amount, currency, **options))
        raise_lost(payment)
    except BlockedByHook as withheld:
        written = yield from ledger.restore(claimed, before)
        return (
            format_refusal(before, format_denial(withheld.__cause__))
            if written is before
            else messages.describe_operation(written)
        )
    except Exception as error:
        claimed = claimed if key is None else key.operation
        if not is_about(error, claimed, raised):
            with contextlib.suppress(PaymanError):
                yield from settle(desk, claimed)
            raise
        if isinstance(error, IdempotencyKeyReuseError):
            # Another text has the name: these words were not sent, and what was counted before stays so.
            other = evolve(claimed, payee=None, amount=None, currency=None, memo=None, runs=before.runs)
            known, _ = yield from settle(desk, (yield from ledger.note(other)))
            return messages.describe_operation(known).noting(messages.explain_other_order(known))
        return (yield from _handle_failure(desk, before, claimed, error))
    claimed = claimed if key is None else key.operation
    return messages.describe_operation((yield from ledger.note(apply_payment(claimed, payment))))


def raise_lost(payment: Payment) -> None:
    """Raise what kept the answer about a payment from coming.

    Raises:
        PaymanError: No answer came.
    """
    if payment.response is None and payment.error is not None:
        raise payment.error


def is_about(error: Exception, operation: Operation, raised: Sequence[Exception]) -> TypeGuard[PaymanError]:
    """Return whether an error of an ask says what became of an operation. The exceptions of hooks never do."""
    return (
        isinstance(error, PaymanError)
        and not isinstance(error, ConfigurationError)
        and error.task_id == operation.task_id
        and all(error is not one for one in raised)
    )


def _handle_failure(
    desk: OperationContext, before: Operation, claimed: Operation, failure: PaymanError
) -> Flow[OperationResult]:
    """Return a flow for a failed send or a lost answer. Only an operation that was certainly not done stops counting."""
    ledger = desk.ledger
    if failure.sent is False:
        written = yield from ledger.restore(claimed, before)
        return format_failure(before, failure) if written is before else messages.describe_operation(written)
    claimed = yield from ledger.note_sent(claimed)
    if isinstance(failure, AgentError):  # the agent can still report the task
        claimed, _ = yield from settle(desk, claimed)
    return messages.describe_operation(claimed)


def format_failure(operation: Operation, failure: PaymanError) -> OperationResult:
    """Return the text for a model when nothing was done: whether to try again."""
    from payman_sdk._core.retry import is_transient

    if operation.stage != "open" and operation.status is None:  # it was sent before, too
        return messages.describe_unknown(operation, failure)
    if isinstance(failure, OutcomeUnknownError):  # the look-up before the send failed
        cause = failure.__cause__
        passes = isinstance(cause, PaymanError) and is_transient(cause)
        return (
            messages.describe_not_sent(operation, failure)
            if passes
            else messages.describe_unknown(operation, failure)
        )
    if isinstance(failure, AgentError):
        return messages.describe_agent_error(operation, failure)
    is_refusal = isinstance(failure, APIStatusError) and not isinstance(failure, RateLimitError | ServerError)
    if is_refusal:
        return messages.describe_refusal(operation, failure)
    return messages.describe_not_sent(operation, failure)
