"""The types of the public API: settings, options, answers, events, what hooks receive, and counts.

What goes in (`PaymanConfig`, `AskOptions`) and what `raw=True` returns (`TaskResponse`) are plain dicts. An answer
(`FormattedTaskResponse`) is a dict too, one that can also be read by attributes.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from payman_api.models.task_state import TaskState
    from payman_sdk._client.config_types import Environment, PaymanConfig
    from payman_sdk._client.transports import Transport, Verify
    from payman_sdk._config import Resend
    from payman_sdk._core.auth.access_token import TokenInfo
    from payman_sdk._core.events import (
        ArtifactUpdate,
        OnAnswer,
        OnEvent,
        StatusUpdate,
        StreamEvent,
        UnknownUpdate,
    )
    from payman_sdk._core.exchange import KeyStore
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
    from payman_sdk._core.payment_types import (
        Payee,
        PayeeType,
        Payment,
        PaymentOutcome,
        Transaction,
        Wallet,
    )
    from payman_sdk._core.states import Status
    from payman_sdk._core.task_response import (
        Artifact,
        FormattedTaskResponse,
        ParsedResponse,
        TaskResponse,
    )
    from payman_sdk._telemetry.settings import Stats, Telemetry
    from payman_sdk._telemetry.task_history import TaskEntry

__all__ = [
    "Artifact",
    "ArtifactUpdate",
    "AskOptions",
    "BeforeSend",
    "Environment",
    "FormattedTaskResponse",
    "JsonAskOptions",
    "KeyStore",
    "MarkdownAskOptions",
    "OnAnswer",
    "OnEvent",
    "OnRetry",
    "OnTask",
    "OnToken",
    "OutgoingAsk",
    "OutputFormat",
    "ParsedResponse",
    "PayOptions",
    "Payee",
    "PayeeType",
    "PaymanConfig",
    "Payment",
    "PaymentOutcome",
    "RawAskOptions",
    "ReadOptions",
    "ReplyOptions",
    "Resend",
    "RetryDetails",
    "SettleOptions",
    "Stats",
    "Status",
    "StatusUpdate",
    "StreamEvent",
    "StreamOptions",
    "TaskEntry",
    "TaskResponse",
    "TaskState",
    "TaskStateChange",
    "Telemetry",
    "TokenInfo",
    "TokenRefresh",
    "Transaction",
    "Transport",
    "UnknownUpdate",
    "Verify",
    "Wallet",
]

_HOME = {
    "Artifact": "_core.task_response",
    "ArtifactUpdate": "_core.events",
    "AskOptions": "_core.option_types",
    "BeforeSend": "_core.hook_payloads",
    "Environment": "_client.config_types",
    "FormattedTaskResponse": "_core.task_response",
    "JsonAskOptions": "_core.option_types",
    "KeyStore": "_core.exchange",
    "MarkdownAskOptions": "_core.option_types",
    "OnAnswer": "_core.events",
    "OnEvent": "_core.events",
    "OnRetry": "_core.hook_payloads",
    "OnTask": "_core.hook_payloads",
    "OnToken": "_core.hook_payloads",
    "OutgoingAsk": "_core.hook_payloads",
    "OutputFormat": "_core.option_types",
    "ParsedResponse": "_core.task_response",
    "PayOptions": "_core.option_types",
    "Payee": "_core.payment_types",
    "PayeeType": "_core.payment_types",
    "PaymanConfig": "_client.config_types",
    "Payment": "_core.payment_types",
    "PaymentOutcome": "_core.payment_types",
    "RawAskOptions": "_core.option_types",
    "ReadOptions": "_core.option_types",
    "ReplyOptions": "_core.option_types",
    "Resend": "_config",
    "RetryDetails": "_core.hook_payloads",
    "SettleOptions": "_core.option_types",
    "Stats": "_telemetry.settings",
    "Status": "_core.states",
    "StatusUpdate": "_core.events",
    "StreamEvent": "_core.events",
    "StreamOptions": "_core.option_types",
    "TaskEntry": "_telemetry.task_history",
    "TaskResponse": "_core.task_response",
    "TaskState": "_core.states",
    "TaskStateChange": "_core.hook_payloads",
    "Telemetry": "_telemetry.settings",
    "TokenInfo": "_core.auth.access_token",
    "TokenRefresh": "_core.hook_payloads",
    "Transaction": "_core.payment_types",
    "Transport": "_client.transports",
    "UnknownUpdate": "_core.events",
    "Verify": "_client.transports",
    "Wallet": "_core.payment_types",
}
"""The module of each name. It is imported when the name is first used, so that importing one type is cheap."""

if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        if name not in _HOME:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = getattr(import_module(f"payman_sdk.{_HOME[name]}"), name)
        globals()[name] = value
        return value

    def __dir__() -> list[str]:
        return sorted(__all__)
