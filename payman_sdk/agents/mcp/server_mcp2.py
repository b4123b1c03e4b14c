"""The server, with version 2 of the official SDK."""

import itertools
import secrets
from typing import Any

from attrs import define
from mcp import MCPError
from mcp.server import Server, ServerRequestContext
from mcp.server.request_state import RequestStateBoundary, RequestStateSecurity
from mcp_types import (
    INVALID_PARAMS,
    CallToolRequestParams,
    CallToolResult,
    ElicitRequest,
    ElicitRequestFormParams,
    ElicitResult,
    InputRequiredResult,
    ListResourcesResult,
    ListToolsResult,
    PaginatedRequestParams,
    ReadResourceRequestParams,
    ReadResourceResult,
    TextResourceContents,
)
from mcp_types.version import MODERN_PROTOCOL_VERSIONS

from payman_sdk._text.error_response import shorten
from payman_sdk._version import __version__
from payman_sdk.agents.mcp.served_tools import (
    CARD,
    SCHEMA,
    URI,
    ServedTools,
    fetch_agent_card,
    wait_for_answer,
)

Context = ServerRequestContext[Any, Any]

_KEY = "confirm"
_MOST = 1000
"""Open questions that are remembered. An answer to an older one is not valid any more, so the client is asked again."""


@define
class Mcp2Call:
    """A call of a tool, as far as its client can be asked something.

    Args:
        context: The request, which knows its session.
        params: What it holds, perhaps an answer to an earlier question.
        open_questions: The questions without an answer, each by the state that its answer comes with.
        question: What to ask the client instead of giving it a result.
    """

    context: Context
    params: CallToolRequestParams
    open_questions: dict[str, str]
    question: InputRequiredResult | None = None

    @property
    def capabilities(self) -> Any:
        """What the client says it can do."""
        return self.context.session.client_capabilities

    async def ask(self, message: str, state: str) -> Any:
        """Ask in the middle of the call, or instead of its result, as the protocol's version has it."""
        session = self.context.session
        if session.protocol_version not in MODERN_PROTOCOL_VERSIONS:
            return await wait_for_answer(session.elicit_form(message, SCHEMA, self.context.request_id))
        answers = self.params.input_responses or {}
        # Taken out first: a client that repeats a call brings an answer that was used.
        if self.open_questions.pop(self.params.request_state or "", None) == state and _KEY in answers:
            answer = answers[_KEY]
            return answer if isinstance(answer, ElicitResult) else None
        number = secrets.token_hex(16)
        self.open_questions[number] = state
        if len(self.open_questions) > _MOST:
            del self.open_questions[next(iter(self.open_questions))]
        form = ElicitRequestFormParams(message=message, requested_schema=SCHEMA)
        self.question = InputRequiredResult(
            input_requests={_KEY: ElicitRequest(params=form)}, request_state=number
        )
        return None


def build_server(tools: ServedTools) -> Server[Any]:
    """Return the server."""
    open_questions = dict[str, str]()

    async def list_tools(context: Context, params: PaginatedRequestParams | None) -> ListToolsResult:
        return ListToolsResult.model_validate({"tools": await tools.list()})

    async def call_tool(
        context: Context, params: CallToolRequestParams
    ) -> CallToolResult | InputRequiredResult:
        call, numbers = Mcp2Call(context, params, open_questions), itertools.count(1)

        async def report(line: str) -> None:
            await context.session.report_progress(next(numbers), message=line)

        is_followed = context.meta is not None and context.meta.get("progress_token") is not None
        result = await tools.call(params.name, params.arguments, call, report if is_followed else None)
        if result is None:
            raise MCPError(INVALID_PARAMS, f"Unknown tool {shorten(params.name)}.")
        return call.question or CallToolResult.model_validate(result)

    async def list_resources(context: Context, params: PaginatedRequestParams | None) -> ListResourcesResult:
        return ListResourcesResult.model_validate({"resources": [CARD]})

    async def read_resource(context: Context, params: ReadResourceRequestParams) -> ReadResourceResult:
        if params.uri != URI:
            raise MCPError(INVALID_PARAMS, f"Unknown resource {shorten(params.uri)}. Read {URI}.")
        kind, text = await fetch_agent_card(tools.client)
        return ReadResourceResult(contents=[TextResourceContents(uri=URI, mime_type=kind, text=text)])

    server: Server[Any] = Server(
        "payman",
        version=__version__,
        on_list_tools=list_tools,
        on_call_tool=call_tool,
        on_list_resources=list_resources,
        on_read_resource=read_resource,
    )
    # A client returns the question unchanged: it is sealed with a key that ends with this process.
    server.middleware.append(
        RequestStateBoundary(RequestStateSecurity.ephemeral(), default_audience="payman")
    )
    return server
