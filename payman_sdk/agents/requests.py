"""What tools ask of Payman beside payments: lists by typed calls, payees to create, and free words.

A payee is created once for each operation, after a confirmation, and never where a limit names who can be paid. Free words need a
token that can only read, or a person who has confirmed exactly these words. With a spending limit, only the token counts.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from attrs import evolve

from payman_sdk._core.auth.grants import is_read_only
from payman_sdk._core.effects import Flow, Invoke
from payman_sdk._core.listings import sanitize_line
from payman_sdk._core.orders import PayeeOrder
from payman_sdk._core.payment_types import Payee, PayeeType, Transaction, Wallet
from payman_sdk.agents.confirmation import (
    BlockedByHook,
    Confirm,
    ConfirmationRequest,
    OnMessage,
    build_send_options,
    format_denial,
    request_confirmation,
)
from payman_sdk.agents.operation_context import OperationContext, hold
from payman_sdk.agents.results import OperationResult, OperationStatus, frame_words
from payman_sdk.errors import ConfigurationError, IdempotencyKeyReuseError, PaymanError, TaskFailedError

if TYPE_CHECKING:
    from payman_sdk._client.async_ import AsyncPaymanClient
    from payman_sdk._client.sync import PaymanClient

    Client = PaymanClient | AsyncPaymanClient

Item: TypeAlias = Mapping[str, str | None]

_MOST = 50
"""Items that a model is shown."""
_MOST_CHARACTERS = 6000
"""Characters of a list that a model is shown; the newest or first items stay."""


def describe_wallet(wallet: Wallet) -> Item:
    """Return what a model is shown of a wallet."""
    return _clean(
        id=wallet.id, name=wallet.name, currency=wallet.currency, paytag=wallet.paytag,
        balance=wallet.balance, pending=wallet.pending,
    )  # fmt: skip


def describe_payee(payee: Payee) -> Item:
    """Return what a model is shown of a payee."""
    return _clean(id=payee.id, name=payee.name, type=payee.type, email=payee.email, paytag=payee.paytag)


def describe_transaction(one: Transaction) -> Item:
    """Return what a model is shown of a transaction."""
    return _clean(
        id=one.id, outcome=one.outcome.value, amount=one.amount, currency=one.currency,
        payee=one.payee and (one.payee.name or one.payee.id), memo=one.memo,
        created=one.created and one.created.isoformat(),
    )  # fmt: skip


def _call(
    client: Client, function: Callable[..., Any], **hooks: Callable[[Any], Any] | None
) -> Flow[Any | PaymanError]:
    """Return what a method of a client returns, or the error that it raises. What hooks raise passes, whatever its class."""
    raised = list[Exception]()
    options = build_send_options(client._config, raised, **hooks)  # pyright: ignore[reportPrivateUsage] # the toolkit watches its hooks
    try:
        return (yield Invoke(partial(function, **options)))
    except PaymanError as error:
        if isinstance(error, ConfigurationError) or any(error is one for one in raised):
            raise
        return error


def list_items(
    client: Client, read: Callable[..., Any], describe: Callable[[Any], Item], what: str
) -> Flow[OperationResult]:
    """Return a flow that reads a list."""
    try:
        found = yield from _call(client, read)
    except BlockedByHook as withheld:
        return OperationResult(f"Refused, nothing was sent: {format_denial(withheld.__cause__)}", "refused")
    if isinstance(found, PaymanError):
        said = frame_words(found.message, "The error says")
        return OperationResult(f"The {what} could not be read.\n\n{said}", "failed", None, found.task_id)
    return describe_items([describe(one) for one in found], f"{len(found)} {what}")


def describe_items(items: Sequence[Item], headline: str) -> OperationResult:
    """Return a result with items: as text for a model, in the frame of others' words, and as dicts for a program."""
    lines: list[str] = []
    length = 0
    for item in items[:_MOST]:
        line = json.dumps(
            {name: value for name, value in item.items() if value is not None}, ensure_ascii=False
        )
        length += len(line)
        if length > _MOST_CHARACTERS:
            break
        lines.append(line)
    kept = tuple(items[: len(lines)])
    left = f", of which {len(kept)} are shown" if len(kept) < len(items) else ""
    framed = frame_words("\n".join(lines), "Payman lists", max_length=2 * _MOST_CHARACTERS)
    text = f"{headline}{left}." + (f"\n\n{framed}" if framed else "")
    return OperationResult(text, "completed", items=kept)


def _clean(**members: Any) -> Item:
    """Return the members as strings of one line in which nothing hides."""
    return {name: None if value is None else sanitize_line(str(value)) for name, value in members.items()}


def create_payee(
    context: OperationContext, order: PayeeOrder, operation: str, task_id: str, patience: float
) -> Flow[OperationResult]:
    """Return a flow that creates a payee. The client's idempotency key keeps it from being created twice."""
    limit = context.log.limit
    if limit is not None and limit.allowed_payees is not None:
        return _describe(
            "Refused, nothing was created: this run may only pay payees that exist",
            "refused",
            operation,
            task_id,
        )
    creating = _create_payee(context, order, operation, task_id)
    return (yield from hold(context, operation, task_id, patience, creating))


def _create_payee(
    context: OperationContext, order: PayeeOrder, operation: str, task_id: str
) -> Flow[OperationResult]:
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
    client, kind = context.client, cast("PayeeType", order.type)
    create = partial(client.create_payee, order.name, kind, **order.fields, idempotency_key=operation)
    try:
        payee = yield from _call(client, create, on_task=context.config.on_task)
    except BlockedByHook as withheld:
        why = format_denial(withheld.__cause__)
        return _describe(f"Refused, nothing was created: {why}", "refused", operation, task_id)
    if isinstance(payee, IdempotencyKeyReuseError):
        text = f"Nothing was created: operation {operation} is the name of another order"
        return _describe(text, "refused", operation, task_id)
    if isinstance(payee, PaymanError):
        return _describe_payee_failure(payee, operation, task_id)
    created = describe_items([describe_payee(payee)], f"The payee exists. This was operation {operation}")
    return evolve(created, operation=operation, task_id=task_id)


def _describe_payee_failure(error: PaymanError, operation: str, task_id: str) -> OperationResult:
    said = frame_words(error.message, "The error says")
    # Proof only if the task has ended: one that works or waits may still create the payee.
    if isinstance(error, TaskFailedError) and not error.sent and error.task and error.task.is_final:
        status: OperationStatus = "refused"
        text = "Payman did not create the payee"
    elif error.sent is False:
        status = "not-sent"
        text = f"Nothing was sent: it may be tried again with the same operation, {operation}"
    else:
        status = "unknown"
        text = "Whether the payee was created is not known. List the payees before you try again"
    return _describe(f"{text}.\n\n{said}", status, operation, task_id)


def _describe(text: str, status: OperationStatus, operation: str, task_id: str) -> OperationResult:
    return OperationResult(text if text.endswith((".", ">")) else f"{text}.", status, operation, task_id)


_NOT_BOUNDED = "Refused, nothing was sent: free words need a token that can only read, or a person who confirms them. Use the other tools."


def has_read_only_token(client: Client) -> bool:
    """Return whether a client's token is known to allow reading only; False where it has none yet, or its scopes are not known."""
    tokens = client._connect().tokens  # pyright: ignore[reportPrivateUsage] # the toolkit checks what the server issued
    return is_read_only(tokens.scope)


def ask(
    reader: Client, text: str, confirm: Confirm | None, on_message: OnMessage | None
) -> Flow[OperationResult]:
    """Return a flow that asks in free words."""
    try:
        yield Invoke(reader.get_access_token)  # a token that is renewed now may have other scopes
    except ConfigurationError:
        raise
    except PaymanError as error:
        return _describe_ask_failure("not-sent", error)
    reads_only = has_read_only_token(reader)
    if not reads_only:
        if confirm is None:
            return OperationResult(_NOT_BOUNDED, "refused")
        why = yield from request_confirmation(confirm, ConfirmationRequest(action="ask", text=text))
        if why is not None:
            return OperationResult(f"Refused, nothing was sent: {why}", "refused")
    try:
        on_task = reader._config.on_task  # pyright: ignore[reportPrivateUsage] # as above
        answer = yield from _call(reader, partial(reader.ask, text), on_message=on_message, on_task=on_task)
    except BlockedByHook as withheld:
        return OperationResult(f"Refused, nothing was sent: {format_denial(withheld.__cause__)}", "refused")
    if isinstance(answer, PaymanError):
        return _describe_ask_failure("failed" if reads_only or answer.sent is False else "unknown", answer)
    status: OperationStatus = "completed" if answer.status == "completed" else "failed"
    if answer.status == "in_progress":
        status = "input-required" if answer.requires_input else "working"
    said = frame_words(answer.text) or f"Payman answered without a word, and the task is {status}."
    return OperationResult(said, status, None, answer.task_id)


def _describe_ask_failure(status: OperationStatus, error: PaymanError) -> OperationResult:
    said = frame_words(error.message, "The error says")
    text = "No answer came."
    if status == "unknown":
        text = (
            "No answer came, and the ask may have been carried out. Do not ask again; check the task later."
        )
    return OperationResult(f"{text}\n\n{said}", status, None, error.task_id)
