"""The tools for smolagents. Needs the package `smolagents`."""

from __future__ import annotations

from typing import Any

from payman_sdk.agents.tool_calls import OnMessage, call_tool, get_blocking_tools, import_framework
from payman_sdk.agents.toolkit import PaymanToolkit
from payman_sdk.agents.tools import Tool

__all__ = ["payman_tools"]

_Tool: Any = import_framework("smolagents", "smolagents").Tool


def payman_tools(toolkit: PaymanToolkit, *, on_message: OnMessage | None = None) -> list[Any]:
    """Return the tools of a toolkit for a `ToolCallingAgent` or a `CodeAgent` of smolagents.

    Args:
        toolkit: A `PaymanToolkit`: smolagents calls tools without an event loop.
        on_message: Called with every event while Payman is at work.

    Raises:
        ConfigurationError: The toolkit is none, or needs an event loop.
    """

    def make_tool(tool: Tool[Any]) -> Any:
        def forward(_: Any, /, *values: Any, **arguments: Any) -> str:
            given = {**dict(zip(inputs, values, strict=False)), **arguments}
            return call_tool(toolkit, tool, given, on_message).text

        inputs = {
            name: {**member, "nullable": "null" in member["type"]}
            for name, member in tool.parameters["properties"].items()
        }
        members = {
            "name": tool.name,
            "description": tool.description,
            "inputs": inputs,
            "output_type": "string",
            "forward": forward,
            "skip_forward_signature_validation": True,
        }
        return type(_Tool)("PaymanTool", (_Tool,), members)()

    return [make_tool(tool) for tool in get_blocking_tools(toolkit)]
