"""The options of calls, as dicts; each is a keyword of the method as well."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal, Required, TypeAlias, TypedDict

from payman_sdk._annotations import LazyModule, support_pydantic
from payman_sdk._config import Resend

if TYPE_CHECKING:
    from payman_sdk._core import events, hook_payloads
    from payman_sdk._core import key_store as key_stores
else:
    events = key_stores = hook_payloads = LazyModule()

OutputFormat: TypeAlias = Literal["markdown", "json"]
"""What `ask` returns: `markdown` a `FormattedTaskResponse`, `json` the JSON-RPC answer as it came."""


class ReadOptions(TypedDict, total=False):
    """Options of the calls that only read: `wallets`, `payees`, `transactions`, `payment_status`."""

    timeout: float | None
    """Seconds for the whole call; the client's, 300 by default."""
    read_timeout: float | None
    """Seconds that one attempt may take to be answered; the client's, 60 by default."""
    max_retries: int | None
    """How often a call that failed is repeated; the client's, 2 by default."""
    on_retry: hook_payloads.OnRetry | None
    """Called before each repetition with a `RetryDetails`; the client's by default."""
    before_send: hook_payloads.BeforeSend | None
    """Called with an `OutgoingAsk` before it is sent; the client's by default."""
    extra_headers: Mapping[str, str] | None
    """Headers to send with the requests of the call, beside the client's `default_headers`; never in place of the SDK's own."""


class SettleOptions(ReadOptions, total=False):
    """Options of `approve` and `deny`."""

    metadata: Mapping[str, Any] | None
    """Sent with the task."""
    message_metadata: Mapping[str, Any] | None
    """Sent with the message of the task."""
    part_metadata: Mapping[str, Any] | None
    """Sent with the text part of the message."""
    settle_time: float | None
    """Seconds of look-ups before an ask that may have arrived is sent again; the client's, 30 by default."""
    resend: Resend | None
    """`never` forbids a second send of an ask that may have arrived; the client's, `after_settling` by default."""
    on_task: hook_payloads.OnTask | None
    """Called with a `TaskStateChange` when the task changes state; the client's by default."""
    idle_timeout: float | None
    """Seconds without an event after which a stream counts as broken; the client's, 60 by default."""


class PayOptions(SettleOptions, total=False):
    """Options of `pay` and `create_payee`."""

    new_session: bool | None
    """Start a new session with this call; the client stays in it."""
    idempotency_key: str | None
    """A name for the operation, such as `invoice-42`: calls with the same key are one task, in any process of this machine."""
    key_store: key_stores.KeyStore | None
    """The store that records the use of the key; the client's by default."""


class ReplyOptions(SettleOptions, total=False):
    """Options of `reply`."""

    raise_on_failure: bool | None
    """Raise `TaskFailedError` if the task ends without success, instead of returning the answer."""
    on_message: events.OnEvent | None
    """Called with every event; the answer is streamed then."""


class StreamOptions(PayOptions, total=False):
    """Options of `stream`."""

    raise_on_failure: bool | None
    """Raise `TaskFailedError` if the task ends without success, instead of returning the answer."""


class MarkdownAskOptions(StreamOptions, total=False):
    """Options of an `ask` that returns a `FormattedTaskResponse`."""

    on_message: events.OnEvent | None
    """Called with every event; the answer is streamed then."""
    output_format: Literal["markdown"] | None
    """The formatted answer, which is the default."""


class RawAskOptions(StreamOptions, total=False):
    """Options of an `ask` with `raw=True`, which returns a `TaskResponse`."""

    on_message: events.OnAnswer | None
    """Called with every JSON-RPC answer; the answer is streamed then."""
    output_format: Literal["json"] | None
    """The agent's JSON-RPC answer, unchanged."""


class JsonAskOptions(StreamOptions, total=False):
    """Options of an `ask` with `raw` or `output_format`, which returns a `TaskResponse`."""

    on_message: events.OnAnswer | None
    """Called with every JSON-RPC answer; the answer is streamed then."""
    output_format: Required[Literal["json"]]
    """The agent's JSON-RPC answer, unchanged."""


AskOptions: TypeAlias = MarkdownAskOptions | JsonAskOptions
"""The options of `ask`, as a dict."""

support_pydantic(ReadOptions, SettleOptions, PayOptions, ReplyOptions, StreamOptions)
support_pydantic(MarkdownAskOptions, RawAskOptions, JsonAskOptions)
