"""The words in which a model is told how an operation stands. They never invite another try where money may have moved."""

from __future__ import annotations

from typing import cast

from payman_sdk._text.error_response import format_sentence
from payman_sdk._text.sanitizer import sanitize
from payman_sdk.agents.results import OperationResult, OperationStatus, frame_words, quote_words
from payman_sdk.agents.stores import Operation
from payman_sdk.errors import PaymanError

_LONGEST_NAME = 300
"""Characters of what an operation is called."""


def describe_operation(operation: Operation) -> OperationResult:
    """How an operation stands, by what is known of it."""
    about = name_operation(operation)
    answer = frame_words(operation.answer)
    match operation.status:
        case None | "unknown":
            status: OperationStatus = "unknown"
            text = (
                f"The outcome of {about} is not known: it may have been carried out. Do not pay again, under this name or "
                "another; check the operation later."
            )
        case "working":
            status = "working"
            text = (
                f"Payman is still at work on {about}. Do not pay again; check the operation later."
                f"{_append_answer(answer)}"
            )
        case "input-required":
            status = "input-required"
            text = f"{answer}\n\nNothing has been decided yet: {about} waits for an approval or an answer."
        case "failed":
            status = "failed"
            text = f"{about[0].upper()}{about[1:]} has failed, and will not be carried out.{_append_answer(answer)}"
        case _:
            status = cast("OperationStatus", operation.status)
            text = answer or "Payman has completed it without a word."
    return OperationResult(text, status, operation.name, operation.task_id)


def describe_resendable(operation: Operation) -> OperationResult:
    """For what was sent so long ago that it cannot arrive any more, and that Payman does not know."""
    text = (
        f"Payman does not know {name_operation(operation)}, though it was sent before; it probably did not arrive. It may be asked for once "
        "more under the same name and in the same words, and only so. Do not pay in another way."
    )
    return OperationResult(text, "unknown", operation.name, operation.task_id)


def explain_not_resent(why: str) -> str:
    """The remark for what was not sent once more."""
    return f"It was not sent again now: {format_sentence(why)}"


def name_operation(operation: Operation) -> str:
    """An operation as a sentence names it."""
    name = f"task {operation.task_id}" if operation.name is None else f"operation {operation.name}"
    return sanitize(name, one_line=True, max_length=_LONGEST_NAME)


def _append_answer(answer: str) -> str:
    return f"\n\n{answer}" if answer else ""


def explain_other_words(operation: Operation) -> str:
    """The remark for who asks for an operation again, in other words than it stands for."""
    first = "other words" if operation.text is None else f"these words: {quote_words(operation.text)}"
    return (
        f"Nothing was sent for the words given now: {name_operation(operation)} was asked for before, in {first}. The above is about "
        "that. If another amount or another payee is meant now, that has NOT been paid; another payment needs a name of its own."
    )


def describe_under_way(operation: str, task_id: str) -> OperationResult:
    """For who waited in vain for somebody else who is carrying the operation out."""
    text = (
        f"Operation {operation} is being carried out by another call, and had not ended when this one had waited for long. "
        "Do not pay again; check the operation later."
    )
    return OperationResult(text, "working", operation, task_id)


def describe_refusal(operation: Operation, why: str | PaymanError) -> OperationResult:
    """For what the limit, the user or the server does not allow."""
    text = "Refused, and nothing was paid"
    text += f": {format_sentence(why)}" if isinstance(why, str) else f".\n\n{_frame_error(why)}"
    return OperationResult(text, "refused", operation.name, operation.task_id)


def describe_not_sent(operation: Operation, failure: PaymanError) -> OperationResult:
    """For what never reached Payman's agent."""
    text = (
        f"Nothing was sent: it may be tried again with the same operation, {operation.name or operation.task_id}.\n\n"
        f"{_frame_error(failure)}"
    )
    return OperationResult(text, "not-sent", operation.name, operation.task_id)


def describe_agent_error(operation: Operation, failure: PaymanError) -> OperationResult:
    """For what the agent refused with an error."""
    text = (
        f"It failed, and nothing was paid. It may be tried again with the same operation, {operation.name or operation.task_id}."
        f"\n\n{_frame_error(failure)}"
    )
    return OperationResult(text, "failed", operation.name, operation.task_id)


def describe_unknown(operation: Operation, failure: PaymanError) -> OperationResult:
    """For what may have been carried out before, where that cannot be learned."""
    next_step = f" {failure.next_step}" if failure.next_step else ""
    text = (
        f"Nothing was sent now, and whether {name_operation(operation)} was carried out before could not be learned.{next_step} "
        f"Do not pay in another way; check the operation later.\n\n{_frame_error(failure)}"
    )
    return OperationResult(text, "unknown", operation.name, operation.task_id)


def reject_task_id(operation: str) -> OperationResult:
    """For who gives the id of a task as the name of an operation to be paid."""
    text = (
        f"Nothing was done: {operation} is the id of a task, and no name of an operation. Use check or reply for it; a new payment "
        "needs a name such as an invoice number."
    )
    return OperationResult(text, "invalid", operation)


def describe_not_found(operation: str, task_id: str) -> OperationResult:
    """For a name under which nothing was asked for."""
    text = f"Nothing is known under the name {operation}, neither here nor at Payman."
    return OperationResult(text, "not-found", operation, task_id)


def explain_not_waiting(operation: Operation) -> str:
    """The remark for a reply to what does not wait for any."""
    return f"The reply was not sent: {name_operation(operation)} does not wait for one."


def explain_unknown_state(failure: PaymanError) -> str:
    """The remark for a reply to what stood so when it was heard of last, and may stand otherwise now."""
    return f"The reply was not sent: how it stands now could not be learned.\n\n{_frame_error(failure)}"


def _frame_error(failure: PaymanError) -> str:
    """What an error says: it may repeat words of the server's."""
    return frame_words(failure.message, "The error says")


REPLIED_ALREADY = (
    "This reply was given before, and was not sent again; the above is what came of it. If there is a new question, answer it "
    "in words of its own."
)
REPLY_UNKNOWN = (
    "A reply was sent before, and it is not known whether it arrived; nothing was sent now. Do not pay again; check the "
    "operation later. Whoever owns the account can decide it in Payman's dashboard."
)
