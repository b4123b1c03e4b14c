"""What an MCP server serves, with each version of the official SDK: tools, questions to the person, and the agent card.

Up to version 2025-11-25 of the protocol, a server asks in the middle of a call. Since 2026-07-28 it answers the call with its question.
The client calls again with the answer and the sealed question, so that an answer is valid for that question only.
"""

import contextlib
import hashlib
import json
from collections.abc import Awaitable, Callable, Generator, Mapping
from contextvars import ContextVar
from typing import Any, Protocol, get_args

from payman_api import PATHS
from payman_sdk._client.async_ import AsyncPaymanClient
from payman_sdk._core.effects import Flow, SendRequest
from payman_sdk._core.events import ArtifactUpdate, StatusUpdate
from payman_sdk._core.wire_json import as_object, dump_json
from payman_sdk._io.clock import monotonic
from payman_sdk._io.event_loops import move_on_after
from payman_sdk._text.error_response import shorten
from payman_sdk.agents.confirmation import ConfirmationRequest
from payman_sdk.agents.confirmation_text import format_markdown
from payman_sdk.agents.results import OperationResult, OperationStatus, frame_words
from payman_sdk.agents.toolkit import AsyncPaymanToolkit
from payman_sdk.agents.tools import Tool
from payman_sdk.errors import PaymanError

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
"""Seconds for an answer; meanwhile nobody else can carry the operation out."""


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
            state: What a valid answer comes with.

        Raises:
            CannotAskError: There was no answer in time.
        """
        ...


async def wait_for_answer(answer: Awaitable[Any]) -> Any:
    """Return how a client answers a form; raises CannotAskError where no answer comes in time."""
    with move_on_after(PATIENCE):
        return await answer
    raise CannotAskError("the user did not answer in time")


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
    """Ask a person whether to send something. The `confirm` of a toolkit that is called through MCP.

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

    In plain text, Markdown and HTML, a value is the text that is sent and nothing else.
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


URI = "payman://agent-card"
_CARD_TIMEOUT = 10.0
_LONGEST = 200_000


async def fetch_agent_card(client: AsyncPaymanClient) -> tuple[str, str]:
    """Return the card and its media type; words that say so where the server gives none."""
    runner = client._connect().runner  # pyright: ignore[reportPrivateUsage] # no credentials go with it, only its connections
    try:
        status, text = await runner.run(_request_card())
    except PaymanError as error:
        return (
            "text/plain",
            f"The agent card cannot be fetched now.\n\n{frame_words(error.message, 'The error says')}",
        )
    if status != 200:
        return "text/plain", f"Payman gives no agent card here: it answered with status {status}."
    card = _normalize_card(text) if len(text) <= _LONGEST else None
    if card is None:
        return "text/plain", "Payman gives no agent card here: its answer is not an agent card."
    return "application/json", card


def _request_card() -> Flow[tuple[int, str]]:
    request = {"method": "get", "url": PATHS["get_agent_card"]}
    answer = yield SendRequest(request, monotonic() + _CARD_TIMEOUT)
    return answer.status_code, answer.content.decode("utf-8", "replace")


def _normalize_card(text: str) -> str | None:
    """Return the card as ASCII, with invisible characters as escapes, or None if it is not an object."""
    try:
        card = as_object(json.loads(text))
        return None if card is None else dump_json(card, indent=2)
    except (ValueError, RecursionError):
        return None


CARD = {
    "uri": URI,
    "name": "agent-card",
    "description": "What Payman's agent says it can do.",
    "mimeType": "application/json",
}
"""The resource, as the protocol writes it."""

_RESULT = {
    "type": "object",
    "properties": {
        "text": {"type": "string"},
        "status": {"type": "string", "enum": list(get_args(OperationStatus))},
        **{
            name: {"type": ["string", "null"]}
            for name in ("operation", "task_id", "payee", "amount", "currency", "reason", "payment_id")
        },
        "items": {
            "type": ["array", "null"],
            "items": {"type": "object", "additionalProperties": {"type": ["string", "null"]}},
        },
    },
    "required": ["text", "status"],
    "additionalProperties": False,
}


class ServedTools:
    """What a server serves, whichever version of the official SDK it is made with."""

    def __init__(
        self, toolkit: AsyncPaymanToolkit, client: AsyncPaymanClient, reader: AsyncPaymanClient | None
    ) -> None:
        self._toolkit, self.client, self._reader = toolkit, client, reader

    async def list(self) -> list[dict[str, Any]]:
        """Return the tools, as the protocol writes them."""
        if self._reader is not None:  # whether free words are offered depends on its token
            with contextlib.suppress(PaymanError):
                await self._reader.get_access_token()
        return [_describe_tool(tool) for tool in self._toolkit.tools]

    async def call(
        self,
        name: str,
        arguments: dict[str, Any] | None,
        asking: ElicitationCall,
        report: Callable[[str], Awaitable[object]] | None,
    ) -> dict[str, Any] | None:
        """Call a tool and return its result in the form of the protocol, or None if the tool does not exist."""
        tool = next((one for one in self._toolkit.tools if one.name == name), None)
        if tool is None:
            return None

        async def report_event(event: Any) -> None:
            if report is not None:
                await report(_format_event(event))

        with bind_call(asking):
            result = await tool.call(arguments or {}, report_event if report is not None else None)
        return _format_result(result)


def _describe_tool(tool: Tool[Any]) -> dict[str, Any]:
    moves_money = tool.spec.moves_money
    return {
        "name": tool.name,
        "description": tool.description,
        "inputSchema": spread_types(tool.parameters),
        "outputSchema": _RESULT,
        "annotations": {
            "readOnlyHint": not moves_money,
            "destructiveHint": moves_money,
            "idempotentHint": True,  # an operation is paid once, and a reply given once
            "openWorldHint": True,
        },
    }


def spread_types(parameters: dict[str, Any]) -> dict[str, Any]:
    """Return a schema whose members have one type or `anyOf`: clients such as Semantic Kernel fail at a list of types.

    Example:
        >>> spread_types({"type": "object", "properties": {"memo": {"type": ["string", "null"]}}})["properties"]
        {'memo': {'anyOf': [{'type': 'string'}, {'type': 'null'}]}}
    """
    members = {
        name: member
        if isinstance(member["type"], str)
        else {
            "anyOf": [{"type": one} for one in member["type"]],
            **{key: value for key, value in member.items() if key != "type"},
        }
        for name, member in parameters["properties"].items()
    }
    return {**parameters, "properties": members}


def _format_result(result: OperationResult) -> dict[str, Any]:
    return {
        "content": [{"type": "text", "text": result.text}],
        "structuredContent": result.to_dict(),
        "isError": result.is_error,
    }


def _format_event(event: Any) -> str:
    if isinstance(event, ArtifactUpdate):
        return shorten(event.artifact.content.rstrip().rpartition("\n")[2])
    if isinstance(event, StatusUpdate):
        return shorten(event.status_message or str(event.state))
    return "working"
