"""Payman SDK for Python: let AI agents move money through Payman, safely.

Example:
    >>> from payman_sdk import PaymanClient
    >>> from payman_sdk.sandbox import Sandbox
    >>> with Sandbox() as sandbox, sandbox.client() as client:
    ...     print(client.ask("what's my TSD wallet balance?").status)
    completed
"""

from typing import TYPE_CHECKING

from payman_sdk import errors
from payman_sdk._annotations import import_on_use
from payman_sdk._version import __version__

if TYPE_CHECKING:
    from payman_api.models.task_state import TaskState
    from payman_sdk._client.async_ import AsyncConversation, AsyncPaymanClient
    from payman_sdk._client.async_task_stream import AsyncTaskStream
    from payman_sdk._client.config_types import Environment, PaymanConfig
    from payman_sdk._client.login import login
    from payman_sdk._client.sync import Conversation, PaymanClient
    from payman_sdk._client.task_stream import TaskStream
    from payman_sdk._core.auth.authorization import (
        AuthorizationRequest,
        Scope,
        authorization_url,
        parse_redirect,
    )
    from payman_sdk._core.auth.grants import TokenInfo
    from payman_sdk._core.auth.stored_token import StoredToken, TokenStore
    from payman_sdk._core.events import ArtifactUpdate, StatusUpdate, StreamEvent, UnknownUpdate
    from payman_sdk._core.hook_payloads import OutgoingAsk, RetryDetails, TaskStateChange, TokenRefresh
    from payman_sdk._core.key_store import KeyStore
    from payman_sdk._core.option_types import AskOptions
    from payman_sdk._core.payment_types import Payee, Payment, PaymentOutcome, Transaction, Wallet
    from payman_sdk._core.task_response import FormattedTaskResponse, ParsedResponse, TaskResponse
    from payman_sdk._io.key_store import MemoryKeyStore, SQLiteKeyStore
    from payman_sdk._telemetry.observer import TaskEntry
    from payman_sdk._telemetry.settings import Stats, Telemetry
    from payman_sdk.errors import *  # noqa: F403 (its `__all__` says which)

    # griffe follows no star to what the module itself imports
    from payman_sdk.errors import ErrorResponse as ErrorResponse
    from payman_sdk.token_stores.file import FileTokenStore as FileTokenStore
    from payman_sdk.token_stores.keyring import KeyringTokenStore as KeyringTokenStore
    from payman_sdk.token_stores.memory import MemoryTokenStore
    from payman_sdk.token_stores.postgres import PostgresTokenStore as PostgresTokenStore
    from payman_sdk.token_stores.redis import RedisTokenStore as RedisTokenStore

# fmt: off
__all__ = [
    "ArtifactUpdate", "AskOptions", "AsyncConversation", "AsyncPaymanClient", "AsyncTaskStream",
    "AuthorizationRequest", "Conversation", "Environment", "FormattedTaskResponse", "KeyStore",
    "MemoryKeyStore", "MemoryTokenStore", "OutgoingAsk", "ParsedResponse", "Payee", "PaymanClient",
    "PaymanConfig", "Payment", "PaymentOutcome", "RetryDetails", "SQLiteKeyStore", "Scope", "Stats",
    "StatusUpdate", "StoredToken", "StreamEvent", "TaskEntry", "TaskResponse", "TaskState", "TaskStateChange",
    "TaskStream", "Telemetry", "TokenInfo", "TokenRefresh", "TokenStore", "Transaction", "UnknownUpdate",
    "Wallet", "__version__", "authorization_url", "login", "parse_redirect",
]
# fmt: on
__all__ += errors.__all__

if not TYPE_CHECKING:
    __all__.sort()
    # `__all__` leaves out the stores that need an extra, so that `import *` needs none.
    __getattr__, __dir__ = import_on_use(
        __name__, ("FileTokenStore", "KeyringTokenStore", "PostgresTokenStore", "RedisTokenStore")
    )
