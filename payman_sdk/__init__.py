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
    from payman_sdk.async_client import AsyncPaymanClient
    from payman_sdk.async_conversation import AsyncConversation
    from payman_sdk.auth.authorization import AuthorizationRequest, Scope, authorization_url, parse_redirect
    from payman_sdk.auth.stores import MemoryTokenStore, StoredToken, TokenStore
    from payman_sdk.auth.stores.file import FileTokenStore as FileTokenStore
    from payman_sdk.auth.stores.keyring import KeyringTokenStore as KeyringTokenStore
    from payman_sdk.auth.stores.redis import RedisTokenStore as RedisTokenStore
    from payman_sdk.client import PaymanClient
    from payman_sdk.conversation import Conversation
    from payman_sdk.errors import PaymanError
    from payman_sdk.hooks import Outgoing, Renewal, Retry, TaskChange
    from payman_sdk.logging_in import login
    from payman_sdk.streaming.events import ArtifactUpdate, StatusUpdate, StreamEvent, UnknownUpdate
    from payman_sdk.streaming.streams import AsyncTaskStream, TaskStream
    from payman_sdk.telemetry.settings import Telemetry
    from payman_sdk.telemetry.stats import Stats
    from payman_sdk.types import (
        AskOptions,
        Environment,
        FormattedTaskResponse,
        PaymanConfig,
        TaskResponse,
        TaskState,
        TokenInfo,
    )

__version__ = "2.0.0.dev0"

_HOME = {
    "ArtifactUpdate": "streaming.events",
    "AskOptions": "types",
    "AsyncConversation": "async_conversation",
    "AsyncPaymanClient": "async_client",
    "AsyncTaskStream": "streaming.streams",
    "AuthorizationRequest": "auth.authorization",
    "Conversation": "conversation",
    "Environment": "types",
    "FileTokenStore": "auth.stores.file",
    "FormattedTaskResponse": "types",
    "KeyringTokenStore": "auth.stores.keyring",
    "MemoryTokenStore": "auth.stores",
    "Outgoing": "hooks",
    "PaymanClient": "client",
    "PaymanConfig": "types",
    "PaymanError": "errors",
    "RedisTokenStore": "auth.stores.redis",
    "Renewal": "hooks",
    "Retry": "hooks",
    "Scope": "auth.authorization",
    "Stats": "telemetry.stats",
    "StatusUpdate": "streaming.events",
    "StoredToken": "auth.stores",
    "StreamEvent": "streaming.events",
    "TaskChange": "hooks",
    "TaskResponse": "types",
    "TaskState": "types",
    "TaskStream": "streaming.streams",
    "Telemetry": "telemetry.settings",
    "TokenInfo": "types",
    "TokenStore": "auth.stores",
    "UnknownUpdate": "streaming.events",
    "authorization_url": "auth.authorization",
    "login": "logging_in",
    "parse_redirect": "auth.authorization",
}
"""The module of each public name; the stores that need an extra are no part of `__all__`, so that `import *` needs none.

They are imported when they are first asked for, so that `import payman_sdk` is cheap."""

__all__ = [
    "ArtifactUpdate",
    "AskOptions",
    "AsyncConversation",
    "AsyncPaymanClient",
    "AsyncTaskStream",
    "AuthorizationRequest",
    "Conversation",
    "Environment",
    "FormattedTaskResponse",
    "MemoryTokenStore",
    "Outgoing",
    "PaymanClient",
    "PaymanConfig",
    "PaymanError",
    "Renewal",
    "Retry",
    "Scope",
    "Stats",
    "StatusUpdate",
    "StoredToken",
    "StreamEvent",
    "TaskChange",
    "TaskResponse",
    "TaskState",
    "TaskStream",
    "Telemetry",
    "TokenInfo",
    "TokenStore",
    "UnknownUpdate",
    "__version__",
    "authorization_url",
    "login",
    "parse_redirect",
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
