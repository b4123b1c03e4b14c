"""The tools for Pydantic AI. Needs the extra `pydantic-ai`."""

from typing import Any, cast

from payman_sdk.agents.tool_calls import OnMessage, Toolkit, get_toolkit_tools, parse_arguments, run_tool

try:
    from pydantic_ai import RunContext
    from pydantic_ai.tools import ToolDefinition
    from pydantic_ai.toolsets import AbstractToolset, ToolsetTool
except ImportError as error:
    raise ImportError(
        "payman_sdk.agents.pydantic_ai needs pydantic-ai-slim: pip install 'paymanai-sdk[pydantic-ai]'",
        name=error.name,
    ) from error

__all__ = ["PaymanToolset"]

_NO_OBJECT = "(no object)"


class _PassThroughValidator:
    """Takes a model's arguments as they are: the tool answers what cannot be used, and Pydantic AI has nothing to retry."""

    def validate_json(self, input: str | bytes | bytearray, **options: Any) -> dict[str, Any]:  # noqa: A002 # its name
        return self.validate_python(
            parse_arguments(input if isinstance(input, str) else input.decode(errors="replace"))
        )

    def validate_python(self, input: Any, **options: Any) -> dict[str, Any]:  # noqa: A002 # its name
        return cast("dict[str, Any]", input) if isinstance(input, dict) else {_NO_OBJECT: input}


class PaymanToolset(AbstractToolset[Any]):
    """The tools of a toolkit, for the `toolsets` of a Pydantic AI `Agent`.

    Args:
        toolkit: An `AsyncPaymanToolkit`, or a `PaymanToolkit`, which is called in threads.
        on_message: Called with every event while Payman is at work.

    Raises:
        ConfigurationError: The toolkit is none.

    Example:
        >>> from pydantic_ai import Agent
        >>> from payman_sdk.agents import PaymanToolkit
        >>> from payman_sdk.agents.pydantic_ai import PaymanToolset
        >>> from payman_sdk.sandbox import Sandbox
        >>> with Sandbox() as sandbox, sandbox.client() as client:
        ...     agent = Agent(toolsets=[PaymanToolset(PaymanToolkit(client))])
        ...     print(agent.toolsets[-1].id)
        payman
    """

    def __init__(self, toolkit: Toolkit, *, on_message: OnMessage | None = None) -> None:
        self._tools = {tool.name: tool for tool in get_toolkit_tools(toolkit)}
        self._toolkit = toolkit
        self._on_message = on_message

    @property
    def id(self) -> str:
        """What Pydantic AI knows it by."""
        return "payman"

    async def get_tools(self, ctx: RunContext[Any]) -> dict[str, ToolsetTool[Any]]:
        """Return the tools as Pydantic AI holds them."""
        return {
            tool.name: ToolsetTool(
                toolset=self,
                tool_def=ToolDefinition(
                    name=tool.name, description=tool.description, parameters_json_schema=tool.parameters
                ),
                max_retries=0,
                args_validator=_PassThroughValidator(),
            )
            for tool in self._tools.values()
        }

    async def call_tool(
        self, name: str, tool_args: dict[str, Any], ctx: RunContext[Any], tool: ToolsetTool[Any]
    ) -> str:
        """Call one of them."""
        arguments = None if _NO_OBJECT in tool_args else tool_args
        return (await run_tool(self._toolkit, self._tools[name], arguments, self._on_message)).text
