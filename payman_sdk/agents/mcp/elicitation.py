"""Asking the person before money moves: through the client whose call it is, in the manner of its version of the protocol.

Up to version 2025-11-25 a server asks in the middle of a call. Since 2026-07-28 it answers the call with its question, and the
client calls again with the person's answer. The sealed question travels along, so that an answer is valid for that question only.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Generator, Mapping
from contextvars import ContextVar
from typing import Any, Protocol

from payman_sdk._core.confirmation import format_markdown
from payman_sdk.agents.confirmation import ConfirmationRequest

SCHEMA = {
    "type": "object",
    "properties": {
        "confirm": {
            "type": "boolean",
            "title": "Yes, send this to Payman",
            "description": "Only yes sends it. Everything else sends nothing.",
        }
    },
    "required": ["confirm"],
}
PATIENCE = 600.0
"""Seconds for an answer; meanwhile nobody else can carry the operation out, and a client may have gone without a word."""


class CannotAskError(Exception):
    """The client has no way to show a question to a person."""


class ElicitationCall(Protocol):
    """A call of a tool, as far as its client can be asked something."""

    @property
    def capabilities(self) -> Any:
        """What the client says it can do; None where it says nothing."""
        ...

    async def ask(self, message: str, state: str) -> Any:
        """Return how the client answers a form; None where it was not asked, or is asked instead of being given a result.

        Args:
            message: What a person is shown.
            state: What an answer has to come with to count for this question.

        Raises:
            CannotAskError: There was no answer in time.
        """
        ...


_current_call: ContextVar[ElicitationCall] = ContextVar("payman_mcp_asking")


@contextlib.contextmanager
def bind_call(call: ElicitationCall) -> Generator[None]:
    """Direct the questions of `elicit` in the block to the client that makes this call."""
    token = _current_call.set(call)
    try:
        yield
    finally:
        _current_call.reset(token)


async def elicit(proposal: ConfirmationRequest) -> bool:
    """Show a person what is about to be sent; whether they said yes. The `confirm` of a toolkit that is called through MCP.

    Args:
        proposal: What is about to be sent.

    Raises:
        CannotAskError: The client cannot show a question to a person, so nothing may be sent.
    """
    asking = _current_call.get(None)
    if asking is None:
        raise CannotAskError("nobody can be asked here, outside of a call through MCP")
    if not can_ask(asking.capabilities):
        raise CannotAskError(
            "this client cannot ask the user; the user may take one that supports elicitation, or start the server "
            "without confirmation"
        )
    answer = await asking.ask(format_question(proposal), _make_request_state(proposal))
    content: Mapping[str, Any] = getattr(answer, "content", None) or {}
    return getattr(answer, "action", None) == "accept" and content.get("confirm") is True


def format_question(proposal: ConfirmationRequest) -> str:
    """Return what a person is shown of what is about to be sent.

    Clients show it as plain text, as Markdown or as HTML: in each of them, a value is the text that is sent and nothing else.

    Example:
        >>> from decimal import Decimal
        >>> from payman_sdk.agents import ConfirmationRequest
        >>> from payman_sdk.agents.mcp.elicitation import format_question
        >>> request = ConfirmationRequest(action="pay", payee="John Doe", amount=Decimal("10.00"), currency="TSD", operation="invoice-42")
        >>> print(format_question(request))
        Action: `pay`
        <BLANKLINE>
        Payee: `John Doe`
        <BLANKLINE>
        Amount: `10.00 TSD`
        <BLANKLINE>
        Operation: `invoice-42`
        <BLANKLINE>
        This may move money. Send it to Payman?
    """
    return f"{format_markdown(proposal.fields)}\n\nThis may move money. Send it to Payman?"


def _make_request_state(proposal: ConfirmationRequest) -> str:
    """Return what an answer has to come with to count for this proposal, and for no other that looks like it."""
    return hashlib.sha256(repr(proposal).encode("utf-8", "surrogatepass")).hexdigest()


def can_ask(capabilities: Any) -> bool:
    """Whether a client shows forms; one that names no kind of elicitation means these, as there was no other kind once."""
    elicitation = getattr(capabilities, "elicitation", None)
    if elicitation is None:
        return False
    return getattr(elicitation, "form", None) is not None or getattr(elicitation, "url", None) is None
