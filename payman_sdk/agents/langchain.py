"""The tools for LangChain and LangGraph. Needs the extra `langchain`."""

from typing import Any, Literal

from payman_sdk.agents.tool_calls import OnMessage, Toolkit, call_tool, get_toolkit_tools, run_tool
from payman_sdk.agents.tools import Tool

try:
    from langchain_core.tools import BaseTool
except ImportError as error:
    raise ImportError(
        "payman_sdk.agents.langchain needs langchain-core: pip install 'paymanai-sdk[langchain]'",
        name=error.name,
    ) from error

__all__ = ["payman_tools"]


class _PaymanTool(BaseTool):
    """A tool that hands over a model's arguments as they are, and gives a text for the model and a dict for the program."""

    response_format: Literal["content", "content_and_artifact"] = "content_and_artifact"
    _toolkit: Toolkit
    _tool: Tool[Any]
    _on_message: OnMessage | None

    def __init__(self, toolkit: Toolkit, tool: Tool[Any], on_message: OnMessage | None) -> None:
        super().__init__(name=tool.name, description=tool.description, args_schema=tool.parameters)
        self._toolkit, self._tool, self._on_message = toolkit, tool, on_message

    # A model may name an argument as it likes, also `self`: every name but the known ones is answered by the tool.
    def _run(self, /, **arguments: Any) -> tuple[str, dict[str, Any]]:
        result = call_tool(self._toolkit, self._tool, arguments, self._on_message)
        return result.text, result.to_dict()

    async def _arun(self, /, **arguments: Any) -> tuple[str, dict[str, Any]]:
        result = await run_tool(self._toolkit, self._tool, arguments, self._on_message)
        return result.text, result.to_dict()


def payman_tools(toolkit: Toolkit, *, on_message: OnMessage | None = None) -> list[BaseTool]:
    """Return the tools of a toolkit for LangChain: for `bind_tools`, `create_agent`, or a `ToolNode`.

    A `ToolMessage` has the text for the model as its content, and the result as a dict as its artifact.

    Args:
        toolkit: A `PaymanToolkit`, for `invoke` and `ainvoke`, or an `AsyncPaymanToolkit`, for `ainvoke` alone.
        on_message: Called with every event while Payman is at work.

    Raises:
        ConfigurationError: The toolkit is none.

    Example:
        >>> from payman_sdk.agents import PaymanToolkit
        >>> from payman_sdk.agents.langchain import payman_tools
        >>> from payman_sdk.sandbox import Sandbox
        >>> with Sandbox() as sandbox, sandbox.client() as client:
        ...     pay = payman_tools(PaymanToolkit(client))[0]
        ...     print(pay.invoke({"payee": "Test Payee", "amount": "10", "currency": "TSD", "memo": None, "operation": "invoice-42"}))
        Paid: 10.00 TSD to "Test Payee". This was operation invoice-42.
    """
    return [_PaymanTool(toolkit, tool, on_message) for tool in get_toolkit_tools(toolkit)]
