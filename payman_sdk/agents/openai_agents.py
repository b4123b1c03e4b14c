"""The tools for the OpenAI Agents SDK. Needs the extra `openai-agents`."""

from typing import Any

from payman_sdk.agents.tool_calls import OnMessage, Toolkit, get_toolkit_tools, parse_arguments, run_tool
from payman_sdk.agents.tools import Tool

try:
    from agents import FunctionTool
    from agents.tool_context import ToolContext
except ImportError as error:
    raise ImportError(
        "payman_sdk.agents.openai_agents needs openai-agents: pip install 'paymanai-sdk[openai-agents]'",
        name=error.name,
    ) from error

__all__ = ["payman_tools"]


def payman_tools(toolkit: Toolkit, *, on_message: OnMessage | None = None) -> list[FunctionTool]:
    """Return the tools of a toolkit for an `Agent` of the OpenAI Agents SDK.

    Args:
        toolkit: An `AsyncPaymanToolkit`, or a `PaymanToolkit`, which is called in threads.
        on_message: Called with every event while Payman is at work.

    Raises:
        ConfigurationError: The toolkit is none.

    Example:
        >>> from agents import Agent
        >>> from payman_sdk.agents import PaymanToolkit
        >>> from payman_sdk.agents.openai_agents import payman_tools
        >>> from payman_sdk.sandbox import Sandbox
        >>> with Sandbox() as sandbox, sandbox.client() as client:
        ...     agent = Agent(name="Bookkeeper", tools=payman_tools(PaymanToolkit(client)))
        ...     print([tool.name for tool in agent.tools])
        ['payman_pay', 'payman_wallets', 'payman_payees', 'payman_transactions', 'payman_create_payee', 'payman_check', 'payman_reply']
    """

    def make_tool(tool: Tool[Any]) -> FunctionTool:
        async def invoke(_: ToolContext[Any], arguments: str) -> str:
            return (await run_tool(toolkit, tool, parse_arguments(arguments), on_message)).text

        return FunctionTool(tool.name, tool.description, tool.parameters, invoke, strict_json_schema=True)

    return [make_tool(tool) for tool in get_toolkit_tools(toolkit)]
