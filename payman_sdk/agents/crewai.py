"""The tools for CrewAI. Needs the package `crewai`."""

from __future__ import annotations

from typing import Any

from payman_sdk.agents.tool_calls import (
    OnMessage,
    build_arguments_model,
    call_tool,
    get_blocking_tools,
    import_framework,
)
from payman_sdk.agents.toolkit import PaymanToolkit
from payman_sdk.agents.tools import Tool

__all__ = ["payman_tools"]

_BaseTool: Any = import_framework("crewai.tools", "crewai").BaseTool


def payman_tools(toolkit: PaymanToolkit, *, on_message: OnMessage | None = None) -> list[Any]:
    """Return the tools of a toolkit for the `tools` of an `Agent` or a `Task` of CrewAI.

    Args:
        toolkit: A `PaymanToolkit`: CrewAI calls tools without an event loop, in `akickoff` in threads.
        on_message: Called with every event while Payman is at work.

    Raises:
        ConfigurationError: The toolkit is none, or needs an event loop.
    """

    def make_tool(tool: Tool[Any]) -> Any:
        def run(_: Any, /, **arguments: Any) -> str:
            return call_tool(toolkit, tool, arguments, on_message).text

        kind = type(_BaseTool)("PaymanTool", (_BaseTool,), {"__module__": __name__, "_run": run})
        # What a tool answers changes, so CrewAI may not give the first answer again.
        return kind(
            name=tool.name,
            description=tool.description,
            args_schema=build_arguments_model(tool),
            cache_function=_refuse_to_cache,
        )

    return [make_tool(tool) for tool in get_blocking_tools(toolkit)]


def _refuse_to_cache(*_: object) -> bool:
    return False
