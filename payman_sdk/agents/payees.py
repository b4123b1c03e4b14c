"""Create a payee for a model: once for each operation, after a confirmation, and never where a limit names who can be paid."""

from __future__ import annotations

from functools import partial
from typing import cast

from attrs import evolve

from payman_sdk._core.effects import Flow, Invoke
from payman_sdk._core.orders import PayeeOrder
from payman_sdk._core.payment_types import Payee, PayeeType
from payman_sdk.agents import messages
from payman_sdk.agents.confirmation import (
    BlockedByHook,
    ConfirmationRequest,
    build_send_options,
    format_denial,
    request_confirmation,
)
from payman_sdk.agents.listings import describe_items, describe_payee
from payman_sdk.agents.operation_context import OperationContext
from payman_sdk.agents.results import OperationResult, OperationStatus, frame_words
from payman_sdk.errors import ConfigurationError, IdempotencyKeyReuseError, PaymanError, TaskFailedError


def create_payee(
    context: OperationContext, order: PayeeOrder, operation: str, task_id: str, patience: float
) -> Flow[OperationResult]:
    """Return a flow that creates a payee. The client's idempotency key keeps it from being created twice.

    Args:
        context: The client, the log, and who is asked before money moves.
        order: The payee.
        operation: The name of the operation.
        task_id: The id of its task.
        patience: Seconds to wait for somebody else who uses the name.
    """
    limit = context.log.limit
    if limit is not None and limit.allowed_payees is not None:
        return _describe(
            "Refused, nothing was created: this run may only pay payees that exist",
            "refused",
            operation,
            task_id,
        )
    with (yield from context.log.make_guard(task_id)) as guard:
        if not (yield from guard.acquire(patience)):
            return messages.describe_under_way(operation, task_id)
        known = yield from context.log.load(task_id)
        if known is not None and known.stage != "open":
            text = f"Nothing was created: operation {operation} is the name of a payment"
            return _describe(text, "refused", operation, task_id)
        details = tuple((name, str(value)) for name, value in order.fields.items())
        request = ConfirmationRequest(
            action="create_payee",
            operation=operation,
            task_id=task_id,
            payee=order.name,
            details=(("type", order.type), *details),
        )
        why = yield from request_confirmation(context.confirm, request)
        if why is not None:
            return _describe(f"Refused, nothing was created: {why}", "refused", operation, task_id)
        options = build_send_options(None, context.config.before_send)
        kind = cast("PayeeType", order.type)
        try:
            payee: Payee = yield Invoke(
                partial(
                    context.client.create_payee, order.name, kind, **order.fields, idempotency_key=operation, **options
                )
            )  # fmt: skip
        except BlockedByHook as withheld:
            why = format_denial(withheld.__cause__)
            return _describe(f"Refused, nothing was created: {why}", "refused", operation, task_id)
        except ConfigurationError:
            raise
        except IdempotencyKeyReuseError:
            text = f"Nothing was created: operation {operation} is the name of another order"
            return _describe(text, "refused", operation, task_id)
        except PaymanError as error:
            return _describe_failure(error, operation, task_id)
    created = describe_items([describe_payee(payee)], f"The payee exists. This was operation {operation}")
    return evolve(created, operation=operation, task_id=task_id)


def _describe_failure(error: PaymanError, operation: str, task_id: str) -> OperationResult:
    said = frame_words(error.message, "The error says")
    if isinstance(error, TaskFailedError):
        status: OperationStatus = "refused"
        text = "Payman did not create the payee"
    elif error.sent is False:
        status = "not-sent"
        text = f"Nothing was created: it may be tried again with the same operation, {operation}"
    else:
        status = "unknown"
        text = "Whether the payee was created is not known. List the payees before you try again"
    return _describe(f"{text}.\n\n{said}", status, operation, task_id)


def _describe(text: str, status: OperationStatus, operation: str, task_id: str) -> OperationResult:
    return OperationResult(text if text.endswith((".", ">")) else f"{text}.", status, operation, task_id)
