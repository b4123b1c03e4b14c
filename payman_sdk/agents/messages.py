"""The texts that report the state of an operation to a model. They never invite another try where money may have moved."""

from typing import cast

from payman_sdk._core.listings import sanitize_line
from payman_sdk._text.error_response import format_sentence
from payman_sdk._text.sanitizer import sanitize
from payman_sdk.agents.results import OperationResult, OperationStatus, frame_words, quote_words
from payman_sdk.agents.stores import Operation
from payman_sdk.errors import PaymanError

_LONGEST_NAME = 300
"""Characters of what an operation is called."""


def describe_operation(operation: Operation) -> OperationResult:
    """Return the state of an operation as a result."""
    about = name_operation(operation)
    ordered = describe_order(operation)
    answer = frame_words(operation.reason or operation.answer)
    match operation.status:
        case None | "unknown":
            status: OperationStatus = "unknown"
            text = (
                f"The outcome of {about} is not known: it may have been carried out{ordered and f' ({ordered})'}. Do not pay again, "
                f"under this name or another; check the operation later.{_append_answer(_frame_all(operation))}"
            )
        case "paid":
            status, text = "paid", f"Paid: {ordered or about}. This was {about}."
        case "awaiting-approval":
            status = "awaiting-approval"
            text = f"Not paid yet: {ordered or about} waits for an approval. This is {about}.{_append_answer(answer)}"
        case "refused":
            status, text = (
                "refused",
                f"Refused, and not paid: {ordered or about}. This was {about}.{_append_answer(answer)}",
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
    return build_result(operation, text, status)


def _frame_all(operation: Operation) -> str:
    """Return the reason and the answer in one frame: both may repeat words of the agent."""
    said = [one for one in (operation.reason, operation.answer) if one]
    return frame_words(
        "\n\n".join(said), "The reason and the agent's answer" if len(said) > 1 else "The answer was"
    )


def build_result(
    operation: Operation, text: str, status: OperationStatus, reason: str | None = None
) -> OperationResult:
    """Return a result about an operation, with its order."""
    return OperationResult(
        text,
        status,
        operation.name,
        operation.task_id,
        payee=operation.payee,
        amount=None if operation.amount is None else str(operation.amount),
        currency=operation.currency,
        reason=reason or operation.reason,
        payment_id=operation.payment_id,
    )


def describe_order(operation: Operation) -> str:
    """Return an order as a sentence names it; nothing where it is not known."""
    if operation.payee is None:
        return ""
    memo = "" if operation.memo is None else f", memo {quote_words(operation.memo)}"
    return f"{operation.amount} {operation.currency} to {quote_words(operation.payee)}{memo}"


def describe_resendable(operation: Operation) -> OperationResult:
    """For what was sent so long ago that it cannot arrive any more, and that Payman does not know."""
    text = (
        f"Payman does not know {name_operation(operation)}, though it was sent before; it probably did not arrive. It may be asked for once "
        "more under the same name, with the same payee, amount, currency and memo, and only so. Do not pay in another way."
    )
    return build_result(operation, text, "unknown")


def explain_not_resent(why: str) -> str:
    """Return the remark for what was not sent once more."""
    return f"It was not sent again now: {format_sentence(why)}"


def name_operation(operation: Operation) -> str:
    """Return an operation as a sentence names it."""
    name = f"task {operation.task_id}" if operation.name is None else f"operation {operation.name}"
    return sanitize(name, one_line=True, max_length=_LONGEST_NAME)


def _append_answer(answer: str) -> str:
    return f"\n\n{answer}" if answer else ""


def explain_other_order(operation: Operation) -> str:
    """Return the remark for who uses the name of an operation for another order."""
    first = describe_order(operation) or "another order"
    return (
        f"Nothing was sent now: {name_operation(operation)} is the name of another order: {first}. The above is about "
        "that one. What was ordered now has NOT been paid; another payment needs another name."
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
    return build_result(
        operation, text, "refused", sanitize_line(why if isinstance(why, str) else why.message)
    )


def describe_not_sent(operation: Operation, failure: PaymanError) -> OperationResult:
    """For what never reached Payman's agent."""
    text = (
        f"Nothing was sent: it may be tried again with the same operation, {operation.name or operation.task_id}.\n\n"
        f"{_frame_error(failure)}"
    )
    return build_result(operation, text, "not-sent")


def describe_agent_error(operation: Operation, failure: PaymanError) -> OperationResult:
    """For what the agent refused with an error."""
    text = (
        f"It failed, and nothing was paid. It may be tried again with the same operation, {operation.name or operation.task_id}."
        f"\n\n{_frame_error(failure)}"
    )
    return build_result(operation, text, "failed")


def describe_unknown(operation: Operation, failure: PaymanError) -> OperationResult:
    """For what may have been carried out before, where nobody can find out."""
    next_step = f" {failure.next_step}" if failure.next_step else ""
    text = (
        f"Nothing was sent now. Whether {name_operation(operation)} was carried out before is unknown.{next_step} "
        f"Do not pay in another way; check the operation later.\n\n{_frame_error(failure)}"
    )
    return build_result(operation, text, "unknown")


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
    """Return the remark for a reply to what does not wait for any."""
    return f"The decision was not sent: {name_operation(operation)} does not wait for one."


def explain_unknown_state(failure: PaymanError) -> str:
    """Return the remark for a reply to a task whose state may have changed since the last look-up."""
    return f"The decision was not sent: the look-up of the payment failed.\n\n{_frame_error(failure)}"


def _frame_error(failure: PaymanError) -> str:
    return frame_words(failure.message, "The error says")


REPLIED_ALREADY = "This decision was sent before, and was not sent again; the above is its result."
REPLY_UNKNOWN = (
    "A decision was sent before, and it is not known whether it arrived; nothing was sent now. Do not pay again; check the "
    "operation later. Whoever owns the account can decide it in Payman's dashboard."
)
