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

from payman_sdk._version import __version__

if TYPE_CHECKING:
    from payman_api.models.task_state import TaskState
    from payman_sdk._client.async_ import AsyncPaymanClient
    from payman_sdk._client.async_conversation import AsyncConversation
    from payman_sdk._client.async_task_stream import AsyncTaskStream
    from payman_sdk._client.config_types import Environment, PaymanConfig
    from payman_sdk._client.conversation import Conversation
    from payman_sdk._client.login import login
    from payman_sdk._client.sync import PaymanClient
    from payman_sdk._client.task_stream import TaskStream
    from payman_sdk._core.auth.access_token import TokenInfo
    from payman_sdk._core.auth.authorization import (
        AuthorizationRequest,
        Scope,
        authorization_url,
        parse_redirect,
    )
    from payman_sdk._core.auth.stored_token import StoredToken, TokenStore
    from payman_sdk._core.events import ArtifactUpdate, StatusUpdate, StreamEvent, UnknownUpdate
    from payman_sdk._core.exchange import KeyStore
    from payman_sdk._core.hook_payloads import OutgoingAsk, RetryDetails, TaskStateChange, TokenRefresh
    from payman_sdk._core.option_types import AskOptions
    from payman_sdk._core.payment_types import Payee, Payment, PaymentOutcome, Transaction, Wallet
    from payman_sdk._core.task_response import FormattedTaskResponse, ParsedResponse, TaskResponse
    from payman_sdk._io.key_store import MemoryKeyStore, SQLiteKeyStore
    from payman_sdk._telemetry.settings import Stats, Telemetry
    from payman_sdk._telemetry.task_history import TaskEntry
    from payman_sdk.errors import (
        AgentError,
        APIConnectionError,
        APIStatusError,
        APITimeoutError,
        AuthenticationError,
        BadRequestError,
        ConfigurationError,
        ConflictError,
        ErrorResponse,
        IdempotencyKeyReuseError,
        InternalAgentError,
        InvalidJSONError,
        InvalidParamsError,
        InvalidRequestError,
        KeyStoreError,
        MethodNotFoundError,
        NotFoundError,
        OutcomeUnknownError,
        PaymanError,
        PaymentNotMadeError,
        PermissionDeniedError,
        PushNotificationsNotSupportedError,
        RateLimitError,
        ResponseValidationError,
        ServerError,
        StreamInterruptedError,
        TaskFailedError,
        TaskNotCancelableError,
        TaskNotFoundError,
        TokenStoreError,
        UnprocessableEntityError,
        UnsupportedOperationError,
    )
    from payman_sdk.token_stores.file import FileTokenStore as FileTokenStore
    from payman_sdk.token_stores.keyring import KeyringTokenStore as KeyringTokenStore
    from payman_sdk.token_stores.memory import MemoryTokenStore
    from payman_sdk.token_stores.postgres import PostgresTokenStore as PostgresTokenStore
    from payman_sdk.token_stores.redis import RedisTokenStore as RedisTokenStore

_HOME = {
    "ArtifactUpdate": "_core.events",
    "AskOptions": "_core.option_types",
    "AsyncConversation": "_client.async_conversation",
    "AsyncPaymanClient": "_client.async_",
    "AsyncTaskStream": "_client.async_task_stream",
    "AuthorizationRequest": "_core.auth.authorization",
    "Conversation": "_client.conversation",
    "Environment": "_client.config_types",
    "FileTokenStore": "token_stores.file",
    "FormattedTaskResponse": "_core.task_response",
    "KeyStore": "_core.exchange",
    "KeyringTokenStore": "token_stores.keyring",
    "MemoryKeyStore": "_io.key_store",
    "MemoryTokenStore": "token_stores.memory",
    "OutgoingAsk": "_core.hook_payloads",
    "ParsedResponse": "_core.task_response",
    "Payee": "_core.payment_types",
    "PaymanClient": "_client.sync",
    "PaymanConfig": "_client.config_types",
    "Payment": "_core.payment_types",
    "PaymentOutcome": "_core.payment_types",
    "PostgresTokenStore": "token_stores.postgres",
    "RedisTokenStore": "token_stores.redis",
    "RetryDetails": "_core.hook_payloads",
    "SQLiteKeyStore": "_io.key_store",
    "Scope": "_core.auth.authorization",
    "Stats": "_telemetry.settings",
    "StatusUpdate": "_core.events",
    "StoredToken": "_core.auth.stored_token",
    "StreamEvent": "_core.events",
    "TaskEntry": "_telemetry.task_history",
    "TaskResponse": "_core.task_response",
    "TaskState": "_core.states",
    "TaskStateChange": "_core.hook_payloads",
    "TaskStream": "_client.task_stream",
    "Telemetry": "_telemetry.settings",
    "TokenInfo": "_core.auth.access_token",
    "TokenRefresh": "_core.hook_payloads",
    "TokenStore": "_core.auth.stored_token",
    "Transaction": "_core.payment_types",
    "UnknownUpdate": "_core.events",
    "Wallet": "_core.payment_types",
    "authorization_url": "_core.auth.authorization",
    "login": "_client.login",
    "parse_redirect": "_core.auth.authorization",
    **dict.fromkeys(
        (
            "APIConnectionError",
            "APIStatusError",
            "APITimeoutError",
            "AgentError",
            "AuthenticationError",
            "BadRequestError",
            "ConfigurationError",
            "ConflictError",
            "ErrorResponse",
            "IdempotencyKeyReuseError",
            "InternalAgentError",
            "InvalidJSONError",
            "InvalidParamsError",
            "InvalidRequestError",
            "KeyStoreError",
            "MethodNotFoundError",
            "NotFoundError",
            "OutcomeUnknownError",
            "PaymanError",
            "PaymentNotMadeError",
            "PermissionDeniedError",
            "PushNotificationsNotSupportedError",
            "RateLimitError",
            "ResponseValidationError",
            "ServerError",
            "StreamInterruptedError",
            "TaskFailedError",
            "TaskNotCancelableError",
            "TaskNotFoundError",
            "TokenStoreError",
            "UnprocessableEntityError",
            "UnsupportedOperationError",
        ),
        "errors",
    ),
}
"""The module of each public name; `__all__` leaves out the stores that need an extra, so that `import *` needs none.

They are imported when they are first asked for, so that `import payman_sdk` is cheap."""

__all__ = [
    "APIConnectionError",
    "APIStatusError",
    "APITimeoutError",
    "AgentError",
    "ArtifactUpdate",
    "AskOptions",
    "AsyncConversation",
    "AsyncPaymanClient",
    "AsyncTaskStream",
    "AuthenticationError",
    "AuthorizationRequest",
    "BadRequestError",
    "ConfigurationError",
    "ConflictError",
    "Conversation",
    "Environment",
    "ErrorResponse",
    "FormattedTaskResponse",
    "IdempotencyKeyReuseError",
    "InternalAgentError",
    "InvalidJSONError",
    "InvalidParamsError",
    "InvalidRequestError",
    "KeyStore",
    "KeyStoreError",
    "MemoryKeyStore",
    "MemoryTokenStore",
    "MethodNotFoundError",
    "NotFoundError",
    "OutcomeUnknownError",
    "OutgoingAsk",
    "ParsedResponse",
    "Payee",
    "PaymanClient",
    "PaymanConfig",
    "PaymanError",
    "Payment",
    "PaymentNotMadeError",
    "PaymentOutcome",
    "PermissionDeniedError",
    "PushNotificationsNotSupportedError",
    "RateLimitError",
    "ResponseValidationError",
    "RetryDetails",
    "SQLiteKeyStore",
    "Scope",
    "ServerError",
    "Stats",
    "StatusUpdate",
    "StoredToken",
    "StreamEvent",
    "StreamInterruptedError",
    "TaskEntry",
    "TaskFailedError",
    "TaskNotCancelableError",
    "TaskNotFoundError",
    "TaskResponse",
    "TaskState",
    "TaskStateChange",
    "TaskStream",
    "Telemetry",
    "TokenInfo",
    "TokenRefresh",
    "TokenStore",
    "TokenStoreError",
    "Transaction",
    "UnknownUpdate",
    "UnprocessableEntityError",
    "UnsupportedOperationError",
    "Wallet",
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
