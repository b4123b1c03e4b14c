"""The tools for AutoGen. Needs the package `autogen-core`, which comes with `autogen-agentchat`."""

from __future__ import annotations

from typing import Any

from payman_sdk.agents.tool_calls import (
    OnMessage,
    Toolkit,
    build_arguments_model,
    get_toolkit_tools,
    import_framework,
    run_tool,
)
from payman_sdk.agents.tools import Tool

__all__ = ["payman_tools"]

_BaseTool: Any = import_framework("autogen_core.tools", "autogen-core").BaseTool


def payman_tools(toolkit: Toolkit, *, on_message: OnMessage | None = None) -> list[Any]:
    """Return the tools of a toolkit for the `tools` of an `AssistantAgent` of AutoGen.

    Args:
        toolkit: An `AsyncPaymanToolkit`, or a `PaymanToolkit`, which is called in threads.
        on_message: Called with every event while Payman is at work.

    Raises:
        ConfigurationError: The toolkit is none.
    """

    def make_tool(tool: Tool[Any]) -> Any:
        async def run_json(_: Any, args: Any, cancellation_token: Any, call_id: str | None = None) -> str:
            return (await run_tool(toolkit, tool, dict(args), on_message)).text

        async def run(_: Any, args: Any, cancellation_token: Any) -> str:
            return await run_json(_, args.model_dump(), cancellation_token)

        members = {"run": run, "run_json": run_json}
        return type(_BaseTool)("PaymanTool", (_BaseTool,), members)(
            build_arguments_model(tool), str, tool.name, tool.description, strict=True
        )

    return [make_tool(tool) for tool in get_toolkit_tools(toolkit)]
