"""Asking the person before money moves: through the client whose call it is, in the manner of its version of the protocol.

Up to version 2025-11-25 a server asks in the middle of a call. Since 2026-07-28 it answers the call with its question, and the client
calls again with what the person said; what was asked travels with it, sealed, so that an answer counts for that question only.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Generator, Mapping
from contextvars import ContextVar
from typing import Any

from attrs import define
from mcp.server import ServerRequestContext
from mcp_types import (
    CallToolRequestParams,
    ElicitRequest,
    ElicitRequestFormParams,
    ElicitResult,
    InputRequiredResult,
)
from mcp_types.version import MODERN_PROTOCOL_VERSIONS

from payman_sdk._core.confirmation import format_markdown
from payman_sdk._io.event_loops import move_on_after
from payman_sdk.agents.confirmation import ConfirmationRequest

_SCHEMA = {
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
_KEY = "confirm"
_PATIENCE = 600.0
"""Seconds for an answer; meanwhile nobody else can carry the operation out, and a client may have gone without a word."""


class CannotAskError(Exception):
    """The client has no way to show a question to a person."""


@define
class ElicitationCall:
    """A call of a tool, as far as its client can be asked something.

    Args:
        context: The request, which knows its session.
        params: What it holds; an answer to what was asked before, perhaps.
        question: What the client is to be asked instead of being given a result.
    """

    context: ServerRequestContext[Any, Any]
    params: CallToolRequestParams
    question: InputRequiredResult | None = None


_current_call: ContextVar[ElicitationCall] = ContextVar("payman_mcp_asking")


@contextlib.contextmanager
def bind_call(
    context: ServerRequestContext[Any, Any], params: CallToolRequestParams
) -> Generator[ElicitationCall]:
    """Direct the questions of `elicit` in the block to the client of this request."""
    asking = ElicitationCall(context, params)
    token = _current_call.set(asking)
    try:
        yield asking
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
    session = asking.context.session
    if not can_ask(session.client_capabilities):
        raise CannotAskError(
            "this client cannot ask the user; the user may take one that supports elicitation, or start the server "
            "without confirmation"
        )
    message = format_question(proposal)
    if session.protocol_version not in MODERN_PROTOCOL_VERSIONS:
        with move_on_after(_PATIENCE):
            return _is_yes(await session.elicit_form(message, _SCHEMA, asking.context.request_id))
        raise CannotAskError("the user did not answer in time")
    answers = asking.params.input_responses or {}
    if asking.params.request_state == _make_request_state(proposal) and _KEY in answers:
        return _is_yes(answers[_KEY])
    form = ElicitRequestFormParams(message=message, requested_schema=_SCHEMA)
    asking.question = InputRequiredResult(
        input_requests={_KEY: ElicitRequest(params=form)}, request_state=_make_request_state(proposal)
    )
    return False


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
    elicitation = None if capabilities is None else capabilities.elicitation
    return elicitation is not None and (elicitation.form is not None or elicitation.url is None)


def _is_yes(answer: object) -> bool:
    """Whether a person said yes: they accepted, and the box is ticked."""
    if not isinstance(answer, ElicitResult) or answer.action != "accept":
        return False
    content: Mapping[str, Any] = answer.content or {}
    return content.get("confirm") is True
