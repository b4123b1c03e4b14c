"""An operation from its claim to its end, as flows: it is written down before it is sent, and sent once.

What was sent, and Payman does not know, may still arrive for the client's `settle_time`: until then nothing is sent under its name.
"""

import contextlib
from collections.abc import Sequence
from functools import partial
from typing import Any, TypeGuard

from attrs import evolve

from payman_sdk._core.effects import Flow, Invoke
from payman_sdk._core.orders import PaymentOrder
from payman_sdk._core.payment_types import Payment
from payman_sdk.agents import messages
from payman_sdk.agents.confirmation import (
    BlockedByHook,
    ConfirmationRequest,
    OnMessage,
    format_denial,
    request_confirmation,
)
from payman_sdk.agents.operation_context import (
    OperationContext,
    apply_payment,
    describe_sending,
    hold,
    settle,
)
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
)


def pay(
    context: OperationContext,
    order: PaymentOrder,
    operation: str,
    task_id: str,
    patience: float,
    on_message: OnMessage | None,
) -> Flow[OperationResult]:
    """Return a flow that makes a payment, once."""
    paying = _pay(context, order, operation, task_id, on_message)
    return (yield from hold(context, operation, task_id, patience, paying))


def _pay(
    context: OperationContext,
    order: PaymentOrder,
    operation: str,
    task_id: str,
    on_message: OnMessage | None,
) -> Flow[OperationResult]:
    log = context.log
    known = yield from log.load(task_id)
    new = log.create_operation(task_id, operation, order, context.client.get_session_id())
    if known is not None and known.stage != "open":
        known, may_resend = yield from settle(context, known)
        if not may_resend:
            return format_repeat(known, order)
        if not has_order(known, order):  # the first order may have been carried out, so no other is sent
            return format_repeat(known, order, may_resend=True)
        # What was sent counts, also while it is sent once more.
        new = evolve(new, stage="sent", runs=known.runs, sent_at=known.sent_at)
    why: str | None = None
    if context.confirm is not None:  # nobody is asked in vain
        why = yield from log.check_limit(new)
    if why is None:
        proposal = ConfirmationRequest.of_payment("pay", new)
        why = yield from request_confirmation(context.confirm, proposal)
    if why is not None:
        return format_refusal(new, why)
    claimed = yield from log.claim(new, known)
    if claimed is None:
        return (yield from _report_overtaken(context, operation, task_id, order))
    if isinstance(claimed, str):
        return format_refusal(new, claimed)
    return (yield from describe_sending(_send(context, new, claimed, on_message), claimed))


def _report_overtaken(
    context: OperationContext, operation: str, task_id: str, order: PaymentOrder
) -> Flow[OperationResult]:
    """Return the state of an operation that another process continues, because its lock was lost."""
    known = yield from context.log.load(task_id)
    if known is None or known.stage == "open":
        return messages.describe_under_way(operation, task_id)
    known, _ = yield from settle(context, known)
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


def check(context: OperationContext, operation: str, task_id: str) -> Flow[OperationResult]:
    """Return the state of an operation, and send nothing."""
    looking = _check(context, operation, task_id, is_held=True)
    result = yield from context.log.hold(task_id, 0, looking)
    return (yield from _check(context, operation, task_id, is_held=False)) if result is None else result[0]


def _check(
    context: OperationContext, operation: str, task_id: str, *, is_held: bool
) -> Flow[OperationResult]:
    log = context.log
    known = yield from log.load(task_id)
    is_written = known is not None and known.stage != "open"
    if known is None or not is_written:
        name = None if operation == task_id else operation
        known = evolve(log.create_operation(task_id, name, None, None), stage="sent")
    elif is_held:
        known, may_resend = yield from settle(context, known)
        return messages.describe_resendable(known) if may_resend else messages.describe_operation(known)
    if known.stage == "ended":
        return messages.describe_operation(known)
    try:
        found = yield from context.look_up(known)
    except ConfigurationError:
        raise
    except PaymanError as error:
        return messages.describe_operation(known) if is_written else messages.describe_unknown(known, error)
    if found is not None:
        return messages.describe_operation(found[0])
    return (
        messages.describe_not_found(operation, task_id)
        if is_held
        else messages.describe_under_way(operation, task_id)
    )


def _send(
    context: OperationContext, before: Operation, claimed: Operation, on_message: OnMessage | None
) -> Flow[OperationResult]:
    """Return a flow that sends what is written down, and writes down what becomes of it."""
    log, raised = context.log, list[Exception]()
    key = log.make_key(claimed, before, context.config.key_store)
    options: dict[str, Any] = {"memo": claimed.memo, "idempotency_key": claimed.name, "key_store": key}
    payee, amount, currency = claimed.payee or "", claimed.amount or 0, claimed.currency or ""
    options.update(context.build_options(on_message, raised))
    try:
        payment: Payment = yield Invoke(partial(context.client.pay, payee, amount, currency, **options))
        raise_lost(payment)
    except BlockedByHook as withheld:
        written = yield from log.restore(claimed, before)
        return (
            format_refusal(before, format_denial(withheld.__cause__))
            if written is before
            else messages.describe_operation(written)
        )
    except Exception as error:
        claimed = claimed if key is None else key.operation
        if was_not_sent(error, raised) and isinstance(error, ConfigurationError):
            yield from log.restore(claimed, before)
            raise
        if not is_about(error, claimed, raised):
            with contextlib.suppress(PaymanError):
                yield from settle(context, claimed)
            raise
        if isinstance(error, IdempotencyKeyReuseError):
            # Another text has the name: these words were not sent, and what was counted before stays so.
            other = evolve(claimed, payee=None, amount=None, currency=None, memo=None, runs=before.runs)
            known, _ = yield from settle(context, (yield from log.note(other)))
            return messages.describe_operation(known).noting(messages.explain_other_order(known))
        return (yield from _handle_failure(context, before, claimed, error))
    claimed = claimed if key is None else key.operation
    return messages.describe_operation((yield from log.note(apply_payment(claimed, payment))))


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


def was_not_sent(error: Exception, raised: Sequence[Exception]) -> bool:
    """Return whether an error of an ask says that nothing was done, such as that the client was closed meanwhile."""
    return isinstance(error, PaymanError) and error.sent is False and all(error is not one for one in raised)


def _handle_failure(
    context: OperationContext, before: Operation, claimed: Operation, failure: PaymanError
) -> Flow[OperationResult]:
    """Return a flow for a failed send or a lost answer. Only an operation that was certainly not done stops counting."""
    log = context.log
    if failure.sent is False:
        written = yield from log.restore(claimed, before)
        return format_failure(before, failure) if written is before else messages.describe_operation(written)
    claimed = yield from log.note_sent(claimed)
    if isinstance(failure, AgentError):  # the agent can still report the task
        claimed, _ = yield from settle(context, claimed)
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
