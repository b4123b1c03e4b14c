"""What the adapters of frameworks have in common: a tool of either toolkit called from an event loop, a model's arguments read."""

import json
from collections.abc import Callable
from functools import partial
from importlib import import_module
from typing import Any, TypeAlias

from payman_sdk._core.wire_json import unite_members
from payman_sdk._refusals import describe_type, refuse
from payman_sdk.agents.results import OperationResult
from payman_sdk.agents.toolkit import AsyncPaymanToolkit, PaymanToolkit
from payman_sdk.agents.tools import Tool
from payman_sdk.errors import ConfigurationError

Toolkit: TypeAlias = PaymanToolkit | AsyncPaymanToolkit
OnMessage: TypeAlias = Callable[[Any], Any]


def get_toolkit_tools(toolkit: Toolkit) -> tuple[Tool[Any], ...]:
    """Return the tools of a toolkit.

    Raises:
        ConfigurationError: It is none.
    """
    if not isinstance(toolkit, Toolkit):
        refuse("toolkit", f"is {describe_type(toolkit)}", "Give a PaymanToolkit or an AsyncPaymanToolkit.")
    return toolkit.tools


def get_blocking_tools(toolkit: PaymanToolkit) -> tuple[Tool[Any], ...]:
    """Return the tools of a toolkit for a framework that calls them without an event loop.

    Raises:
        ConfigurationError: It is none, or needs an event loop.
    """
    if isinstance(toolkit, AsyncPaymanToolkit):
        raise ConfigurationError(
            "toolkit is an AsyncPaymanToolkit, and this framework calls tools without an event loop.",
            next_step="Give a PaymanToolkit.",
        )
    return get_toolkit_tools(toolkit)


async def run_tool(
    toolkit: Toolkit, tool: Tool[Any], arguments: Any, on_message: OnMessage | None
) -> OperationResult:
    """Call a tool from an event loop. One that blocks runs in a new thread, so that many may wait at once."""
    call: Callable[[], Any] = partial(tool.call, arguments, on_message)
    if isinstance(toolkit, AsyncPaymanToolkit):
        result: OperationResult = await call()
        return result
    import anyio
    import anyio.to_thread

    # A canceled call returns at once. The thread finishes, and its outcome is recorded.
    return await anyio.to_thread.run_sync(call, abandon_on_cancel=True, limiter=anyio.CapacityLimiter(1))


def call_tool(
    toolkit: Toolkit, tool: Tool[Any], arguments: Any, on_message: OnMessage | None
) -> OperationResult:
    """Call a tool without an event loop.

    Raises:
        ConfigurationError: The toolkit needs an event loop.
    """
    if isinstance(toolkit, AsyncPaymanToolkit):
        raise ConfigurationError(
            f"{tool.name} belongs to an AsyncPaymanToolkit, and cannot be called without an event loop.",
            next_step="Call it from an event loop, or give a PaymanToolkit.",
        )
    result: OperationResult = tool.call(arguments, on_message)
    return result


def build_arguments_model(tool: Tool[Any]) -> Any:
    """Return a model of pydantic that has the schema of a tool and takes whatever a model gives: the tool checks that itself."""
    from pydantic import BaseModel, ConfigDict

    class Arguments(BaseModel):
        model_config = ConfigDict(extra="allow")

        @classmethod
        def model_json_schema(cls, *_: Any, **__: Any) -> dict[str, Any]:
            return tool.parameters

    return Arguments


def import_framework(module: str, package: str) -> Any:
    """Return a module of a framework.

    Raises:
        ImportError: The framework is not installed; it says what is to be installed.
    """
    try:
        return import_module(module)
    except ImportError as error:
        raise ImportError(
            f"{module} cannot be imported ({error}): pip install {package}", name=error.name
        ) from error


def parse_arguments(arguments: str) -> Any:
    """Return a model's arguments out of their JSON; other text stays as it is, for the tool to answer.

    Whoever reads the JSON may take the first of two values for what is done, and the tool the last: it refuses a list of both.
    """
    try:
        return json.loads(arguments or "{}", object_pairs_hook=unite_members)
    except (ValueError, RecursionError):
        return arguments
