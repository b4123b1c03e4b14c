"""The types of the public API: settings, options, answers, events, what hooks receive, and counts.

Settings and options (`PaymanConfig`, `AskOptions`) and the result of `raw=True` (`TaskResponse`) are plain dicts. An answer
(`FormattedTaskResponse`) is a dict whose members are also attributes.
"""

from typing import TYPE_CHECKING

from payman_sdk._annotations import import_on_use

if TYPE_CHECKING:
    from payman_api.models.task_state import TaskState
    from payman_sdk._client.config_types import Environment, PaymanConfig
    from payman_sdk._config import Resend
    from payman_sdk._core.auth.grants import TokenInfo
    from payman_sdk._core.events import (
        ArtifactUpdate,
        OnAnswer,
        OnEvent,
        StatusUpdate,
        StreamEvent,
        UnknownUpdate,
    )
    from payman_sdk._core.hook_payloads import (
        BeforeSend,
        OnRetry,
        OnTask,
        OnToken,
        OutgoingAsk,
        RetryDetails,
        TaskStateChange,
        TokenRefresh,
    )
    from payman_sdk._core.key_store import KeyStore
    from payman_sdk._core.option_types import (
        AskOptions,
        JsonAskOptions,
        MarkdownAskOptions,
        OutputFormat,
        PayOptions,
        RawAskOptions,
        ReadOptions,
        ReplyOptions,
        SettleOptions,
        StreamOptions,
    )
    from payman_sdk._core.payment_types import Payee, PayeeType, Payment, PaymentOutcome, Transaction, Wallet
    from payman_sdk._core.task_response import (
        Artifact,
        FormattedTaskResponse,
        ParsedResponse,
        Status,
        TaskResponse,
    )
    from payman_sdk._io.given_transport import Transport, Verify
    from payman_sdk._telemetry.observer import TaskEntry
    from payman_sdk._telemetry.settings import Stats, Telemetry

# fmt: off
__all__ = [
    "Artifact", "ArtifactUpdate", "AskOptions", "BeforeSend", "Environment", "FormattedTaskResponse",
    "JsonAskOptions", "KeyStore", "MarkdownAskOptions", "OnAnswer", "OnEvent", "OnRetry", "OnTask", "OnToken",
    "OutgoingAsk", "OutputFormat", "ParsedResponse", "PayOptions", "Payee", "PayeeType", "PaymanConfig",
    "Payment", "PaymentOutcome", "RawAskOptions", "ReadOptions", "ReplyOptions", "Resend", "RetryDetails",
    "SettleOptions", "Stats", "Status", "StatusUpdate", "StreamEvent", "StreamOptions", "TaskEntry",
    "TaskResponse", "TaskState", "TaskStateChange", "Telemetry", "TokenInfo", "TokenRefresh", "Transaction",
    "Transport", "UnknownUpdate", "Verify", "Wallet",
]
# fmt: on

if not TYPE_CHECKING:
    __getattr__, __dir__ = import_on_use(__name__)
