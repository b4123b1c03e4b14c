"""An operation from its claim to its end, as flows: it is written down before it is sent, and sent once."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, TypeGuard

from attrs import evolve

from payman_sdk.agents import wording
from payman_sdk.agents.asking import (
    Confirm,
    OnMessage,
    Proposal,
    WithheldError,
    agreed,
    not_agreed,
    sending,
)
from payman_sdk.agents.ledger import Ledger
from payman_sdk.agents.results import OperationResult
from payman_sdk.agents.steps import Flow, Invoke, Sleep
from payman_sdk.agents.stores import Operation, OperationStoreError
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
    TokenStoreError,
)
from payman_sdk.types import TaskState

if TYPE_CHECKING:
    from payman_sdk.async_client import AsyncPaymanClient
    from payman_sdk.client import PaymanClient
    from payman_sdk.types import FormattedTaskResponse


_SETTLING = 0.5
"""Seconds before what Payman does not know counts as never sent: a process may have died while it was on its way."""


class Desk:
    """What operations need: a client, its ledger, and who is asked before money moves.

    Args:
        client: The client that everything is sent with.
        ledger: What is written down.
        confirm: Who is asked; None where nobody is.
        before_send: The hook of the client's own, if it has one.
    """

    def __init__(
        self,
        client: PaymanClient | AsyncPaymanClient,
        ledger: Ledger,
        confirm: Confirm | None,
        before_send: Callable[[Any], Any] | None,
    ) -> None:
        self.client = client
        self.ledger = ledger
        self.confirm = confirm
        self._before_send = before_send

    def options(self, on_message: OnMessage | None) -> dict[str, Any]:
        """The options of what is sent."""
        return sending(on_message, self._before_send)

    def looked_up(self, operation: Operation, settling: float = 0.0) -> Flow[Operation]:
        """A flow that learns how an operation that may have been sent stands now; it is not written down.

        Args:
            operation: The operation.
            settling: Seconds to wait before a second look, where Payman does not know it.

        Raises:
            PaymanError: That cannot be learned.
        """
        try:
            answer = yield Invoke(lambda: self.client.get_task(operation.task_id))
        except TaskNotFoundError:
            if operation.status is not None:
                raise  # Payman knew it once; that it is forgotten now says nothing
        else:
            return heard(operation, answer)
        if settling:
            yield Sleep(settling)
            return (yield from self.looked_up(operation))
        return operation.reopened()


def heard(operation: Operation, answer: FormattedTaskResponse) -> Operation:
    """An operation after Payman has told how it stands."""
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
    desk: Desk, text: str, operation: str, task_id: str, patience: float, on_message: OnMessage | None
) -> Flow[OperationResult]:
    """A flow that has an operation carried out, once.

    Args:
        desk: What it needs.
        text: What Payman's agent should do.
        operation: The name of the operation.
        task_id: The id of its task.
        patience: Seconds to wait for somebody else who carries it out.
        on_message: What is told every event.
    """
    ledger = desk.ledger
    with (yield from ledger.hold(task_id)) as hold:
        if not (yield from hold.taken(patience)):
            return wording.under_way(operation, task_id)
        known = yield from ledger.load(task_id)
        if known is not None and known.stage != "open":
            known = yield from settled(desk, known, _SETTLING)
            if known.stage != "open":
                return repeated(known, text)
        new = ledger.new(task_id, operation, text, desk.client.get_session_id())
        why = yield from ledger.refusal(new)
        if why is None:
            proposal = Proposal(text=text, operation=operation, task_id=task_id)
            why = yield from agreed(desk.confirm, proposal)
        if why is not None:
            return wording.not_allowed(new, why)
        claimed = yield from ledger.claim(new)
        if isinstance(claimed, str):
            return wording.not_allowed(new, claimed)
        return (yield from _sent(desk, claimed, on_message))


def settled(desk: Desk, operation: Operation, settling: float = 0.0) -> Flow[Operation]:
    """A flow that learns how an operation went on that may have been sent, as far as that can be learned."""
    if operation.stage != "sent":
        return operation
    try:
        operation = yield from desk.looked_up(operation, settling)
    except ConfigurationError:
        raise
    except PaymanError:
        return operation
    return (yield from desk.ledger.note(operation))


def repeated(operation: Operation, text: str) -> OperationResult:
    """What somebody is told who asks for an operation again."""
    result = wording.told(operation)
    return result if operation.text == text else result.noting(wording.in_other_words(operation))


def check(desk: Desk, operation: str, task_id: str) -> Flow[OperationResult]:
    """A flow that tells how an operation stands, and sends nothing."""
    ledger = desk.ledger
    with (yield from ledger.hold(task_id)) as hold:
        is_held = yield from hold.taken(0)
        known = yield from ledger.load(task_id)
        if known is None or known.stage == "open":
            name = None if operation == task_id else operation
            known = evolve(ledger.new(task_id, name, None, None), stage="sent")
            is_written = False
        else:
            is_written = True
        if known.stage == "sent":
            try:
                known = yield from desk.looked_up(known, _SETTLING if is_written else 0.0)
            except ConfigurationError:
                raise
            except PaymanError as error:
                return wording.told(known) if is_written else wording.cannot_be_told(known, error)
            if known.stage == "open" and not is_held:
                return wording.under_way(operation, task_id)
            if is_written and is_held:
                yield from ledger.note(known)
        return wording.not_known(operation, task_id) if known.stage == "open" else wording.told(known)


def _sent(desk: Desk, operation: Operation, on_message: OnMessage | None) -> Flow[OperationResult]:
    """A flow that sends what is written down, and writes down what becomes of it."""
    ledger, options = desk.ledger, desk.options(on_message)
    text = operation.text or ""
    try:
        answer = yield Invoke(partial(desk.client.ask, text, idempotency_key=operation.name, **options))
    except WithheldError as withheld:
        opened = yield from ledger.note(operation.reopened())
        return wording.not_allowed(opened, not_agreed(withheld.__cause__))
    except IdempotencyKeyReuseError:
        known = yield from settled(desk, evolve(operation, text=None, runs=()))
        return wording.told(known).noting(wording.in_other_words(known))
    except Exception as error:
        if is_about(error, operation):
            return (yield from _failed(desk, operation, error))
        with contextlib.suppress(PaymanError):
            yield from settled(desk, operation)
        raise
    return wording.told((yield from ledger.note(heard(operation, answer))))


def is_about(error: Exception, operation: Operation) -> TypeGuard[PaymanError]:
    """Whether an error tells what became of an operation; others are mistakes of the program, or raised by its hooks."""
    return (
        isinstance(error, PaymanError)
        and not isinstance(error, ConfigurationError)
        and error.task_id == operation.task_id
    )


def _failed(desk: Desk, operation: Operation, failure: PaymanError) -> Flow[OperationResult]:
    """A flow for what could not be sent, or whose answer was lost."""
    ledger = desk.ledger
    if was_not_taken(failure):
        opened = yield from ledger.note(operation.reopened())
        return not_taken(opened, failure)
    operation = yield from (
        settled(desk, operation) if isinstance(failure, AgentError) else ledger.note(operation)
    )
    if operation.stage == "open":
        return wording.not_carried_out(operation, failure)
    return wording.told(operation)


def was_not_taken(failure: PaymanError) -> bool:
    """Whether what failed in this way certainly did not reach the agent."""
    if failure.sent is not None:
        return not failure.sent
    return isinstance(failure, APIStatusError | TokenStoreError | OperationStoreError)


def not_taken(operation: Operation, failure: PaymanError) -> OperationResult:
    """What a model is told of what was not taken: whether to try again."""
    from payman_sdk.tasks.retrying import is_passing

    if isinstance(failure, OutcomeUnknownError):  # the look-up before the send failed
        cause = failure.__cause__
        passes = isinstance(cause, PaymanError) and is_passing(cause)
        return wording.not_taken(operation, failure) if passes else wording.cannot_be_told(operation, failure)
    is_refusal = isinstance(failure, APIStatusError) and not isinstance(failure, RateLimitError | ServerError)
    if is_refusal:
        return wording.not_allowed(operation, failure.message)
    return wording.not_taken(operation, failure)
