"""An ask that only reads; a text that may move money is not sent."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from payman_sdk._core.money import may_move_money
from payman_sdk.agents.confirmation import BlockedByHook, format_denial
from payman_sdk.agents.effects import Flow, Invoke
from payman_sdk.agents.results import OperationResult, OperationStatus, frame_words
from payman_sdk.errors import ConfigurationError, PaymanError

if TYPE_CHECKING:
    from payman_sdk._client.async_ import AsyncPaymanClient
    from payman_sdk._client.sync import PaymanClient
    from payman_sdk._core.task_response import FormattedTaskResponse

USE_PAY = (
    "Refused, nothing was sent: this may move money or change who can be paid, or cannot be told apart from that. If it is meant "
    "to, use pay, with the name of the operation. If not, ask again as a plain question about wallets, balances, payees or "
    "transactions, such as: list all payees."
)


def ask(
    reader: PaymanClient | AsyncPaymanClient, text: str, options: dict[str, Any]
) -> Flow[OperationResult]:
    """A flow that asks what only reads, and refuses everything else.

    Args:
        reader: The client that asks.
        text: What is asked.
        options: What `sending` gives.
    """
    if may_move_money(text):
        return OperationResult(USE_PAY, "refused")
    try:
        answer: FormattedTaskResponse = yield Invoke(partial(reader.ask, text, **options))
    except BlockedByHook as withheld:
        return OperationResult(f"Refused, nothing was sent: {format_denial(withheld.__cause__)}", "refused")
    except ConfigurationError:
        raise
    except PaymanError as error:
        said = frame_words(error.message, "The error says")
        return OperationResult(f"It could not be learned.\n\n{said}", "failed", None, error.task_id)
    status: OperationStatus = "completed" if answer.status == "completed" else "failed"
    if answer.status == "in_progress":
        status = "input-required" if answer.requires_input else "working"
    return OperationResult(frame_words(answer.text), status, None, answer.task_id)
