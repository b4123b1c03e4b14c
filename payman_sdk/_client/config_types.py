"""The settings of a client, as a dict."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Literal, TypeAlias, TypedDict

from payman_sdk._annotations import LazyModule, support_pydantic
from payman_sdk._config import Resend

if TYPE_CHECKING:
    from payman_sdk._core import hook_payloads as hooks
    from payman_sdk._core import key_store as key_stores
    from payman_sdk._io import given_transport as transports
    from payman_sdk._telemetry import settings
else:
    hooks = key_stores = settings = transports = LazyModule()

Environment: TypeAlias = Literal["LIVE", "TEST", "INTERNAL"]
"""A Payman environment; each has its own base URL [D]."""


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
    """LIVE, TEST or INTERNAL. The default is `PAYMAN_ENVIRONMENT`, else LIVE."""
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
    key_store: key_stores.KeyStore | None
    """The store that records the use of idempotency keys. The default is a file of the user on this machine."""
    on_retry: hooks.OnRetry | None
    """Called with a `RetryDetails` before each retry."""
    before_send: hooks.BeforeSend | None
    """Called with an `OutgoingAsk` before an ask is sent. An exception blocks the ask and passes unchanged."""
    on_token: hooks.OnToken | None
    """Called with a `TokenRefresh` after each attempt to fetch an access token."""
    on_task: hooks.OnTask | None
    """Called with a `TaskStateChange` when a task changes state."""
    telemetry: bool | settings.Telemetry | None
    """True for spans and metrics of OpenTelemetry with the global providers (extra `otel`), or a `Telemetry`. The default is off."""
    default_headers: Mapping[str, str] | None
    """Headers to send with every request. Names of the SDK's own headers are refused."""
    proxy: str | None
    """The URL of a proxy, such as `http://proxy.example:3128`. The default comes from the environment."""
    verify: transports.Verify | None
    """The certificates to trust: an `ssl.SSLContext`, or a path of a PEM file. The default comes from the environment."""
    transport: transports.Transport | None
    """An httpx transport to use instead of the SDK's own. The client closes it. Or a function that creates one, which is called
    in every process and event loop. "aiohttp" sends with aiohttp on asyncio (extra `aiohttp`)."""


support_pydantic(PaymanConfig)
