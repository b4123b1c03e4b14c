"""Free words for Payman's agent: with a token that can only read, or after a person has confirmed exactly these words.

Nothing reads the words. With a spending limit, only the token counts: no limit can bound what words may order.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from payman_sdk._core.auth.grants import is_read_only
from payman_sdk._core.effects import Flow, Invoke
from payman_sdk.agents.confirmation import (
    BlockedByHook,
    Confirm,
    ConfirmationRequest,
    format_denial,
    request_confirmation,
)
from payman_sdk.agents.results import OperationResult, OperationStatus, frame_words
from payman_sdk.errors import ConfigurationError, PaymanError

if TYPE_CHECKING:
    from payman_sdk._client.async_ import AsyncPaymanClient
    from payman_sdk._client.sync import PaymanClient
    from payman_sdk._core.task_response import FormattedTaskResponse

    Client = PaymanClient | AsyncPaymanClient

_NOT_BOUNDED = "Refused, nothing was sent: free words need a token that can only read, or a person who confirms them. Use the other tools."


def has_read_only_token(client: Client) -> bool:
    """Return whether a client's token is known to allow reading only; False where it has none yet, or its scopes are not known."""
    tokens = client._connect().tokens  # pyright: ignore[reportPrivateUsage] # the toolkit checks what the server issued
    return is_read_only(tokens.scope)


def ask(reader: Client, text: str, confirm: Confirm | None, options: dict[str, Any]) -> Flow[OperationResult]:
    """Return a flow that asks in free words."""
    try:
        yield Invoke(reader.get_access_token)  # a token that is renewed now may have other scopes
    except ConfigurationError:
        raise
    except PaymanError as error:
        return _describe_failure("not-sent", error)
    reads_only = has_read_only_token(reader)
    if not reads_only:
        if confirm is None:
            return OperationResult(_NOT_BOUNDED, "refused")
        why = yield from request_confirmation(confirm, ConfirmationRequest(action="ask", text=text))
        if why is not None:
            return OperationResult(f"Refused, nothing was sent: {why}", "refused")
    try:
        answer: FormattedTaskResponse = yield Invoke(partial(reader.ask, text, **options))
    except BlockedByHook as withheld:
        return OperationResult(f"Refused, nothing was sent: {format_denial(withheld.__cause__)}", "refused")
    except ConfigurationError:
        raise
    except PaymanError as error:
        return _describe_failure("failed" if reads_only or error.sent is False else "unknown", error)
    status: OperationStatus = "completed" if answer.status == "completed" else "failed"
    if answer.status == "in_progress":
        status = "input-required" if answer.requires_input else "working"
    return OperationResult(frame_words(answer.text), status, None, answer.task_id)


def _describe_failure(status: OperationStatus, error: PaymanError) -> OperationResult:
    said = frame_words(error.message, "The error says")
    text = "No answer came."
    if status == "unknown":
        text = (
            "No answer came, and the ask may have been carried out. Do not ask again; check the task later."
        )
    return OperationResult(f"{text}\n\n{said}", status, None, error.task_id)
