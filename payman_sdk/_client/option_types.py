"""The settings of a client and the options of its calls, as dicts; each is a keyword as well."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, Required, TypeAlias, TypedDict

from payman_sdk._annotations import LazyModule, support_pydantic
from payman_sdk._config import Resend

if TYPE_CHECKING:
    from payman_sdk._core import events, exchange, hook_payloads
    from payman_sdk._io import transport as transport_types
    from payman_sdk._telemetry import settings
else:
    events = LazyModule("payman_sdk._core.events")
    exchange = LazyModule("payman_sdk._core.exchange")
    hook_payloads = LazyModule("payman_sdk._core.hook_payloads")
    settings = LazyModule("payman_sdk._telemetry.settings")
    transport_types = LazyModule("payman_sdk._io.transport")

Environment: TypeAlias = Literal["LIVE", "TEST", "INTERNAL"]
"""A Payman environment; each has its own base URL [D]."""
OutputFormat: TypeAlias = Literal["markdown", "json"]
"""What `ask` returns: `markdown` a `FormattedTaskResponse`, `json` the JSON-RPC answer as it came."""


class PaymanConfig(TypedDict, total=False):
    """The settings of a client. A value of None counts as not given.

    Example:
        >>> from payman_sdk.types import PaymanConfig
        >>> config: PaymanConfig = {"client_id": "pm-test-1", "client_secret": "s3cret", "environment": "TEST"}
    """

    client_id: str | None
    """The id of your application, such as `pm-test-…`."""
    client_secret: str | None
    """Its secret."""
    environment: Environment | None
    """LIVE (default), TEST or INTERNAL."""
    base_url: str | None
    """A server to use instead of the environment's, such as a local sandbox. It needs https, or http to this machine."""
    allow_http_hosts: Sequence[str] | None
    """Hosts of a private network that `base_url` may reach over plain http, such as `sandbox` or `sandbox:8642`; none by default."""
    name: str | None
    """A name for this client, for your own use; see `get_client_name()`."""
    session_id: str | None
    """A session to resume (`ses-…`). The default is a new session."""
    connect_timeout: float | None
    """Seconds to wait for a connection, 5 by default."""
    read_timeout: float | None
    """Seconds until one attempt must be answered, 60 by default. For a stream, seconds of silence."""
    timeout: float | None
    """Seconds for a whole ask, 300 by default."""
    idle_timeout: float | None
    """Seconds without an event after which a stream counts as broken, 60 by default. Comments are not events."""
    max_retries: int | None
    """How often an ask that did not arrive is sent again, 2 by default."""
    settle_time: float | None
    """Seconds of look-ups before an ask that may have arrived is sent again, 30 by default."""
    resend: Resend | None
    """`never` forbids a second send of an ask that may have arrived. The default is `after_settling`."""
    max_answer_bytes: int | None
    """Maximum bytes of a decompressed answer, and of the stored text of a stream; 64 MiB by default."""
    max_event_bytes: int | None
    """Maximum bytes of one event of a stream, 16 MiB by default."""
    key_store: exchange.KeyStore | None
    """The store that records the use of idempotency keys. The default is a file of the user on this machine."""
    on_retry: hook_payloads.OnRetry | None
    """Called with a `RetryDetails` before each retry."""
    before_send: hook_payloads.BeforeSend | None
    """Called with an `OutgoingAsk` before an ask is sent. An exception blocks the ask and passes unchanged."""
    on_token: hook_payloads.OnToken | None
    """Called with a `TokenRefresh` after each attempt to fetch an access token."""
    on_task: hook_payloads.OnTask | None
    """Called with a `TaskStateChange` when a task changes state."""
    telemetry: bool | settings.Telemetry | None
    """True for spans and metrics of OpenTelemetry with the global providers (extra `otel`), or a `Telemetry`. The default is off."""
    default_headers: Mapping[str, str] | None
    """Headers to send with every request. Names of the SDK's own headers are refused."""
    proxy: str | None
    """The URL of a proxy, such as `http://proxy.example:3128`. The default comes from the environment."""
    verify: transport_types.Verify | None
    """The certificates to trust: an `ssl.SSLContext`, or a path of a PEM file. The default comes from the environment."""
    transport: transport_types.Transport | None
    """An httpx transport to use instead of the SDK's own. The client closes it. Or a function that creates one, which is called
    in every process and event loop. "aiohttp" sends with aiohttp on asyncio (extra `aiohttp`)."""


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
    """A name for the operation, such as `invoice-42`: calls with the same key are one task, in any process."""
    key_store: exchange.KeyStore | None
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

support_pydantic(PaymanConfig, ReadOptions, SettleOptions, PayOptions, ReplyOptions, StreamOptions)
support_pydantic(MarkdownAskOptions, RawAskOptions, JsonAskOptions)
