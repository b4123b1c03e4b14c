"""A reply to a task that waits: it may move money, so it is asked about, counted and written down like a payment."""

from __future__ import annotations

from functools import partial

from attrs import evolve

from payman_sdk.agents import messages
from payman_sdk.agents.confirmation import (
    BlockedByHook,
    ConfirmationRequest,
    OnMessage,
    format_denial,
    request_confirmation,
)
from payman_sdk.agents.effects import Flow, Invoke
from payman_sdk.agents.operations import OperationContext, apply_response, format_failure, is_about, settle
from payman_sdk.agents.results import OperationResult
from payman_sdk.agents.stores import Operation
from payman_sdk.errors import AgentError, ConfigurationError, PaymanError


def reply(
    desk: OperationContext,
    text: str,
    operation: str,
    task_id: str,
    patience: float,
    on_message: OnMessage | None,
) -> Flow[OperationResult]:
    """A flow that answers a task that waits for input, once.

    Args:
        desk: What it needs.
        text: The answer.
        operation: The name of the operation, or the id of its task.
        task_id: The id of its task.
        patience: Seconds to wait for somebody else who is at it.
        on_message: What is told every event.
    """
    ledger = desk.ledger
    with (yield from ledger.make_guard(task_id)) as hold:
        if not (yield from hold.acquire(patience)):
            return messages.describe_under_way(operation, task_id)
        written = yield from ledger.load(task_id)
        known = written
        if known is None or known.stage == "open":
            name = None if operation == task_id else operation
            known = evolve(ledger.create_operation(task_id, name, None, None), stage="sent")
        if known.stage == "sent":
            try:
                found = yield from desk.look_up(known)
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
            known = found
        return (yield from _confirm_reply(desk, text, known, written, on_message))


def _confirm_reply(
    desk: OperationContext,
    text: str,
    known: Operation,
    written: Operation | None,
    on_message: OnMessage | None,
) -> Flow[OperationResult]:
    said = text.strip().casefold()
    if known.is_replying:
        return evolve(messages.describe_operation(known), status="unknown").noting(messages.REPLY_UNKNOWN)
    if said in known.replies:
        return messages.describe_operation(known).noting(messages.REPLIED_ALREADY)
    if known.status != "input-required":
        return messages.describe_operation(known).noting(messages.explain_not_waiting(known))
    why = yield from desk.ledger.check_limit(known, text)
    if why is None:
        proposal = ConfirmationRequest(
            text=text,
            operation=known.name,
            task_id=known.task_id,
            is_reply=True,
            about=known.text,
            question=known.answer,
        )
        why = yield from request_confirmation(desk.confirm, proposal)
    if why is not None:
        return messages.describe_refusal(known, why)
    claimed = yield from desk.ledger.claim(
        evolve(known, replies=(*known.replies, said), is_replying=True), written
    )
    if claimed is None:
        return messages.describe_under_way(known.name or known.task_id, known.task_id)
    if isinstance(claimed, str):
        return messages.describe_refusal(known, claimed)
    return (yield from _send(desk, text, known, claimed, on_message))


def _send(
    desk: OperationContext, text: str, before: Operation, claimed: Operation, on_message: OnMessage | None
) -> Flow[OperationResult]:
    task = {"task_id": claimed.task_id, "session_id": claimed.session_id}
    ledger, raised = desk.ledger, list[Exception]()
    try:
        answer = yield Invoke(
            partial(desk.client.reply, task, text, **desk.build_options(on_message, raised))
        )
    except BlockedByHook as withheld:
        yield from ledger.restore(claimed, before)
        return messages.describe_refusal(before, format_denial(withheld.__cause__))
    except Exception as error:
        if not is_about(error, claimed, raised):
            raise
        if error.sent is False:
            yield from ledger.restore(claimed, before)
            return format_failure(before, error)
        if isinstance(error, AgentError):  # it refuses the reply, and can still tell how the task stands
            claimed, _ = yield from settle(desk, claimed)
        if claimed.status != "input-required":
            return messages.describe_operation(claimed)
        return evolve(messages.describe_operation(claimed), status="unknown").noting(messages.REPLY_UNKNOWN)
    arrived = apply_response(evolve(claimed, is_replying=False), answer)
    return messages.describe_operation((yield from ledger.note(arrived)))
