"""The settings of a client, as a dict."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Literal, TypeAlias, TypedDict

from payman_sdk._annotations import LazyModule, support_pydantic
from payman_sdk._config import Resend

if TYPE_CHECKING:
    from payman_sdk._client import transports
    from payman_sdk._core import exchange
    from payman_sdk._core import hook_payloads as hooks
    from payman_sdk._telemetry import settings
else:
    exchange = LazyModule("payman_sdk._core.exchange")
    hooks = LazyModule("payman_sdk._core.hook_payloads")
    settings = LazyModule("payman_sdk._telemetry.settings")
    transports = LazyModule("payman_sdk._client.transports")

Environment: TypeAlias = Literal["LIVE", "TEST", "INTERNAL"]
"""A Payman environment; each has its own base URL [D]."""


class PaymanConfig(TypedDict, total=False):
    """What a client needs to know. Every key may be None, which means the same as leaving it out.

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
    """Another server than the environment's, such as a local sandbox; https, or http to this machine."""
    allow_http_hosts: Sequence[str] | None
    """Hosts of a private network that `base_url` may reach over plain http, such as `sandbox` or `sandbox:8642`; none by default."""
    name: str | None
    """A name for this client, for your own use; see `get_client_name()`."""
    session_id: str | None
    """A session to resume (`ses-…`); a new one is made without it."""
    connect_timeout: float | None
    """Seconds to wait for a connection, 5 by default."""
    read_timeout: float | None
    """Seconds that one attempt may take to be answered, 60 by default; of a stream, seconds of silence."""
    timeout: float | None
    """Seconds for a whole ask, 300 by default."""
    idle_timeout: float | None
    """Seconds without an event after which a stream counts as broken, 60 by default; comments do not count as events."""
    max_retries: int | None
    """How often an ask that did not arrive is sent again, 2 by default."""
    settle_time: float | None
    """Seconds that the agent must not know the task of an ask that may have arrived before it is sent again, 30 by default."""
    resend: Resend | None
    """`never` forbids a second send of anything that may have arrived; `after_settling` by default."""
    max_answer_bytes: int | None
    """How large an answer may be once it is decompressed, and what is kept of a stream; 64 MiB by default."""
    max_event_bytes: int | None
    """How large one event of a stream may be, 16 MiB by default."""
    key_store: exchange.KeyStore | None
    """Where the use of idempotency keys is recorded; a file of the user on this machine by default."""
    on_retry: hooks.OnRetry | None
    """Called before each repetition with a `RetryDetails`."""
    before_send: hooks.BeforeSend | None
    """Called with an `OutgoingAsk` before an ask is sent; what it raises keeps it from being sent, and comes out unchanged."""
    on_token: hooks.OnToken | None
    """Called with a `TokenRefresh` after each access token that was fetched, or could not be."""
    on_task: hooks.OnTask | None
    """Called with a `TaskStateChange` when a task changes state."""
    telemetry: bool | settings.Telemetry | None
    """True for spans and metrics of OpenTelemetry (extra `otel`), by the global providers, or a `Telemetry`; off by default."""
    default_headers: Mapping[str, str] | None
    """Headers to send with every request, beside the SDK's own, which are refused."""
    proxy: str | None
    """The proxy to send through, such as `http://proxy.example:3128`; what the environment names by default."""
    verify: transports.Verify | None
    """Whom to trust: an `ssl.SSLContext`, or a file of certificates in PEM form; what the environment names by default."""
    transport: transports.Transport | None
    """A transport of httpx to send with, which the client closes when it is closed, instead of the SDK's own; or a function that
    makes one, which is called anew in every process and event loop. "aiohttp" sends with aiohttp on asyncio (extra `aiohttp`)."""


support_pydantic(PaymanConfig)
