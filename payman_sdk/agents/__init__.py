"""For agents: the tools that a model is given, with a guard above them that lets an operation happen once.

It needs no framework; each adapter is a module: `mcp`, `langchain`, `openai_agents`, `pydantic_ai`.
"""

from payman_sdk.agents.confirmation import ConfirmationRequest
from payman_sdk.agents.limits import SpendingLimit
from payman_sdk.agents.results import OperationResult, OperationStatus
from payman_sdk.agents.stores import (
    MemoryOperationStore,
    Operation,
    OperationStore,
    OperationStoreError,
    RunTotals,
)
from payman_sdk.agents.toolkit import AsyncPaymanToolkit, PaymanToolkit
from payman_sdk.agents.tools import TOOLS, Tool, ToolSpec

__all__ = [
    "TOOLS",
    "AsyncPaymanToolkit",
    "ConfirmationRequest",
    "MemoryOperationStore",
    "Operation",
    "OperationResult",
    "OperationStatus",
    "OperationStore",
    "OperationStoreError",
    "PaymanToolkit",
    "RunTotals",
    "SpendingLimit",
    "Tool",
    "ToolSpec",
]


def __dir__() -> list[str]:
    return sorted(__all__)
