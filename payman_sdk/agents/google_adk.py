"""The tools for Google's Agent Development Kit. Needs the package `google-adk`."""

from __future__ import annotations

from typing import Any

from payman_sdk.agents.tool_calls import OnMessage, Toolkit, get_toolkit_tools, import_framework, run_tool
from payman_sdk.agents.tools import Tool

__all__ = ["payman_tools"]

_BaseTool: Any = import_framework("google.adk.tools.base_tool", "google-adk").BaseTool
_types: Any = import_framework("google.genai.types", "google-adk")


def payman_tools(toolkit: Toolkit, *, on_message: OnMessage | None = None) -> list[Any]:
    """Return the tools of a toolkit for the `tools` of an `LlmAgent` of the ADK.

    Args:
        toolkit: An `AsyncPaymanToolkit`, or a `PaymanToolkit`, which is called in threads.
        on_message: Called with every event while Payman is at work.

    Raises:
        ConfigurationError: The toolkit is none.
    """

    def make_tool(tool: Tool[Any]) -> Any:
        async def run(_: Any, *, args: Any, tool_context: Any) -> dict[str, Any]:
            return {"result": (await run_tool(toolkit, tool, args, on_message)).text}

        def get_declaration(_: Any) -> Any:
            return declaration

        declaration = _types.FunctionDeclaration(
            name=tool.name, description=tool.description, parameters_json_schema=tool.parameters
        )
        members: dict[str, Any] = {"run_async": run, "_get_declaration": get_declaration}
        return type(_BaseTool)("PaymanTool", (_BaseTool,), members)(
            name=tool.name, description=tool.description
        )

    return [make_tool(tool) for tool in get_toolkit_tools(toolkit)]
