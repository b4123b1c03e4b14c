"""Decide a payment that waits. An approval may move money, so it is confirmed, counted and written down like a payment."""

from functools import partial
from typing import Literal, TypeAlias

from attrs import evolve

from payman_sdk._core.effects import Flow, Invoke
from payman_sdk._core.listings import sanitize_line
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
from payman_sdk.agents.operations import format_failure, is_about, raise_lost, was_not_sent
from payman_sdk.agents.results import OperationResult
from payman_sdk.agents.stores import Operation
from payman_sdk.errors import AgentError, ConfigurationError, PaymanError

Decision: TypeAlias = Literal["approve", "deny"]


def reply(
    context: OperationContext,
    decision: Decision,
    operation: str,
    task_id: str,
    patience: float,
    on_message: OnMessage | None,
) -> Flow[OperationResult]:
    """Return a flow that approves or denies a payment that waits, once."""
    replying = _reply(context, decision, operation, task_id, on_message)
    return (yield from hold(context, operation, task_id, patience, replying))


def _reply(
    context: OperationContext,
    decision: Decision,
    operation: str,
    task_id: str,
    on_message: OnMessage | None,
) -> Flow[OperationResult]:
    log = context.log
    written = yield from log.load(task_id)
    known = written
    if known is None or known.stage == "open":
        name = None if operation == task_id else operation
        known = evolve(log.create_operation(task_id, name, None, None), stage="sent")
    payment: Payment | None = None
    if known.stage == "sent":
        try:
            found = yield from context.look_up(known)
        except ConfigurationError:
            raise
        except PaymanError as error:
            if known.status is None:
                return messages.describe_unknown(known, error)
            return messages.describe_operation(known).noting(messages.explain_unknown_state(error))
        if found is None and (written is None or written.stage == "open"):
            return messages.describe_not_found(operation, task_id)
        if found is None:
            return messages.describe_operation(known).noting(messages.explain_not_waiting(known))
        known, payment = found
    return (yield from _confirm_reply(context, decision, known, payment, written, on_message))


def _confirm_reply(
    context: OperationContext,
    decision: Decision,
    known: Operation,
    payment: Payment | None,
    written: Operation | None,
    on_message: OnMessage | None,
) -> Flow[OperationResult]:
    if known.is_replying:
        return evolve(messages.describe_operation(known), status="unknown").noting(messages.REPLY_UNKNOWN)
    if decision in known.replies:
        return messages.describe_operation(known).noting(messages.REPLIED_ALREADY)
    is_waiting = known.status == "awaiting-approval"
    if not is_waiting or payment is None or payment.response is None or not payment.response.requires_input:
        return messages.describe_operation(known).noting(messages.explain_not_waiting(known))
    moves_money = decision != "deny"
    why = (yield from context.log.check_limit(known)) if moves_money else None
    if why is None:
        proposal = ConfirmationRequest.of_payment(decision, known, sanitize_line(known.reason))
        why = yield from request_confirmation(context.confirm, proposal)
    if why is not None:
        return messages.describe_refusal(known, why)
    claimed = yield from context.log.claim(
        evolve(known, replies=(*known.replies, decision), is_replying=True), written, moves_money=moves_money
    )
    if claimed is None:
        return messages.describe_under_way(known.name or known.task_id, known.task_id)
    if isinstance(claimed, str):
        return messages.describe_refusal(known, claimed)
    sending = _send(context, payment, decision, known, claimed, on_message)
    return (yield from describe_sending(sending, claimed))


def _send(
    context: OperationContext,
    waiting: Payment,
    decision: Decision,
    before: Operation,
    claimed: Operation,
    on_message: OnMessage | None,
) -> Flow[OperationResult]:
    log, raised = context.log, list[Exception]()
    send = context.client.approve if decision == "approve" else context.client.deny
    try:
        payment: Payment = yield Invoke(partial(send, waiting, **context.build_options(on_message, raised)))
        raise_lost(payment)
    except BlockedByHook as withheld:
        yield from log.restore(claimed, before)
        return messages.describe_refusal(before, format_denial(withheld.__cause__))
    except Exception as error:
        if was_not_sent(error, raised):
            yield from log.restore(claimed, before)
        if not is_about(error, claimed, raised):
            raise
        if error.sent is False:
            return format_failure(before, error)
        if isinstance(error, AgentError):  # it refuses the reply, and can still report the task
            claimed, _ = yield from settle(context, claimed)
        if claimed.status not in {"awaiting-approval", "input-required"}:
            return messages.describe_operation(claimed)
        return evolve(messages.describe_operation(claimed), status="unknown").noting(messages.REPLY_UNKNOWN)
    arrived = apply_payment(evolve(claimed, is_replying=False), payment)
    return messages.describe_operation((yield from log.note(arrived)))
