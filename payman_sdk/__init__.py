"""Payman SDK for Python: let AI agents move money through Payman, safely.

Example:
    >>> from payman_sdk import PaymanClient
    >>> from payman_sdk.sandbox import Sandbox
    >>> with Sandbox() as sandbox, sandbox.client() as client:
    ...     print(client.ask("what's my TSD wallet balance?").status)
    completed
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from payman_sdk.client import PaymanClient
    from payman_sdk.errors import PaymanError
    from payman_sdk.types import AskOptions, FormattedTaskResponse, PaymanConfig, TaskResponse, TaskState

__version__ = "2.0.0.dev0"

_HOME = {
    "AskOptions": "types",
    "FormattedTaskResponse": "types",
    "PaymanClient": "client",
    "PaymanConfig": "types",
    "PaymanError": "errors",
    "TaskResponse": "types",
    "TaskState": "types",
}
"""The module of each public name. They are imported when they are first asked for, so that `import payman_sdk` is cheap."""

__all__ = [
    "AskOptions",
    "FormattedTaskResponse",
    "PaymanClient",
    "PaymanConfig",
    "PaymanError",
    "TaskResponse",
    "TaskState",
    "__version__",
]

if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        if name not in _HOME:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = getattr(import_module(f".{_HOME[name]}", __name__), name)
        globals()[name] = value
        return value

    def __dir__() -> list[str]:
        return sorted(__all__)
