"""The tools for LlamaIndex. Needs the package `llama-index-core`."""

from __future__ import annotations

from typing import Any

from payman_sdk.agents.tool_calls import (
    OnMessage,
    Toolkit,
    build_arguments_model,
    call_tool,
    get_toolkit_tools,
    import_framework,
    run_tool,
)
from payman_sdk.agents.tools import Tool

__all__ = ["payman_tools"]

_tools: Any = import_framework("llama_index.core.tools", "llama-index-core")


def payman_tools(toolkit: Toolkit, *, on_message: OnMessage | None = None) -> list[Any]:
    """Return the tools of a toolkit for the agents of LlamaIndex, such as `FunctionAgent`.

    A `ToolOutput` has the text for the model as its content, and the result as a dict as its raw output.

    Args:
        toolkit: A `PaymanToolkit`, or an `AsyncPaymanToolkit` for `acall` alone, which agents use.
        on_message: Called with every event while Payman is at work.

    Raises:
        ConfigurationError: The toolkit is none.
    """

    def make_tool(tool: Tool[Any]) -> Any:
        def output(arguments: Any, result: Any) -> Any:
            return _tools.ToolOutput(
                content=result.text,
                tool_name=tool.name,
                raw_input={"kwargs": arguments},
                raw_output=result.to_dict(),
                is_error=result.is_error,
            )

        # An argument alone comes without its name first, and with it after a TypeError.
        def call(_: Any, /, **arguments: Any) -> Any:
            return output(arguments, call_tool(toolkit, tool, arguments, on_message))

        async def acall(_: Any, /, **arguments: Any) -> Any:
            return output(arguments, await run_tool(toolkit, tool, arguments, on_message))

        metadata = _tools.ToolMetadata(tool.description, tool.name, build_arguments_model(tool))
        members = {"metadata": property(lambda _: metadata), "call": call, "acall": acall}
        base = _tools.AsyncBaseTool
        return type(base)("PaymanTool", (base,), members)()

    return [make_tool(tool) for tool in get_toolkit_tools(toolkit)]
