"""Clients that are connected to a sandbox."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from payman_sdk._annotations import LazyModule, Setting
from payman_sdk._client.base import gather_settings
from payman_sdk._client.config_types import Environment, PaymanConfig
from payman_sdk._config import Resend

if TYPE_CHECKING:
    import httpx

    from payman_sdk._client import async_, sync, transports
    from payman_sdk._core import exchange
    from payman_sdk._core import hook_payloads as hooks
    from payman_sdk._core.auth import stored_token
    from payman_sdk._telemetry import settings
else:
    async_ = LazyModule("payman_sdk._client.async_")
    exchange = LazyModule("payman_sdk._core.exchange")
    hooks = LazyModule("payman_sdk._core.hook_payloads")
    httpx = LazyModule("httpx")
    settings = LazyModule("payman_sdk._telemetry.settings")
    stored_token = LazyModule("payman_sdk._core.auth.stored_token")
    sync = LazyModule("payman_sdk._client.sync")
    transports = LazyModule("payman_sdk._client.transports")


_SETTLE_TIME = 0.25
"""Seconds after which a client of the sandbox may send again: the sandbox shows a task as soon as it has it."""


class ClientFactory:
    """Makes clients of a sandbox."""

    client_id: str
    client_secret: str

    @property
    def base_url(self) -> str:
        """Where it listens."""
        raise NotImplementedError

    def _is_reachable(self) -> bool:
        raise NotImplementedError

    # fmt: off
    def client(
        self, *,
        http_client: Setting[httpx.Client] = None, token_store: Setting[stored_token.TokenStore] = None,
        client_id: Setting[str] = None, client_secret: Setting[str] = None, environment: Setting[Environment] = None,
        base_url: Setting[str] = None, allow_http_hosts: Setting[Sequence[str]] = None, name: Setting[str] = None, session_id: Setting[str] = None,
        connect_timeout: Setting[float] = None, read_timeout: Setting[float] = None, timeout: Setting[float] = None,
        idle_timeout: Setting[float] = None, max_retries: Setting[int] = None, settle_time: Setting[float] = None,
        resend: Setting[Resend] = None, max_answer_bytes: Setting[int] = None, max_event_bytes: Setting[int] = None,
        on_retry: Setting[hooks.OnRetry] = None, before_send: Setting[hooks.BeforeSend] = None,
        on_token: Setting[hooks.OnToken] = None, on_task: Setting[hooks.OnTask] = None,
        key_store: Setting[exchange.KeyStore] = None, telemetry: Setting[bool | settings.Telemetry] = None,
        default_headers: Setting[Mapping[str, str]] = None, proxy: Setting[str] = None, verify: Setting[transports.Verify] = None,
        transport: Setting[transports.Transport] = None,
    ) -> sync.PaymanClient:
        """Return a client that is connected to this sandbox.

        Args:
            http_client: an httpx client to use instead of one of the client's own. Of a sandbox that was never started,
                which has no address, it is asked at `https://sandbox.invalid`: give it a `transport()` of this sandbox.
            token_store: where the token is kept.

        The other keywords are those of `PaymanClient.with_credentials`; other credentials may be among them.
        """
        config = gather_settings(locals())
        del client_secret, default_headers, proxy
        return sync.PaymanClient.with_credentials(
            self._build_config(http_client or transport),
            http_client=http_client,
            token_store=token_store,
            **config,
        )

    def async_client(
        self, *,
        http_client: Setting[httpx.AsyncClient] = None, token_store: Setting[stored_token.TokenStore] = None,
        client_id: Setting[str] = None, client_secret: Setting[str] = None, environment: Setting[Environment] = None,
        base_url: Setting[str] = None, allow_http_hosts: Setting[Sequence[str]] = None, name: Setting[str] = None, session_id: Setting[str] = None,
        connect_timeout: Setting[float] = None, read_timeout: Setting[float] = None, timeout: Setting[float] = None,
        idle_timeout: Setting[float] = None, max_retries: Setting[int] = None, settle_time: Setting[float] = None,
        resend: Setting[Resend] = None, max_answer_bytes: Setting[int] = None, max_event_bytes: Setting[int] = None,
        on_retry: Setting[hooks.OnRetry] = None, before_send: Setting[hooks.BeforeSend] = None,
        on_token: Setting[hooks.OnToken] = None, on_task: Setting[hooks.OnTask] = None,
        key_store: Setting[exchange.KeyStore] = None, telemetry: Setting[bool | settings.Telemetry] = None,
        default_headers: Setting[Mapping[str, str]] = None, proxy: Setting[str] = None, verify: Setting[transports.Verify] = None,
        transport: Setting[transports.Transport] = None,
    ) -> async_.AsyncPaymanClient:
        """Return a client for asyncio and trio that is connected to this sandbox.

        Args:
            http_client: an httpx client to use instead of one of the client's own. Of a sandbox that was never started,
                which has no address, it is asked at `https://sandbox.invalid`: give it a `transport()` of this sandbox.
            token_store: where the token is kept.

        The other keywords are those of `AsyncPaymanClient.with_credentials`; other credentials may be among them.
        """
        config = gather_settings(locals())
        del client_secret, default_headers, proxy
        return async_.AsyncPaymanClient.with_credentials(
            self._build_config(http_client or transport),
            http_client=http_client,
            token_store=token_store,
            **config,
        )
    # fmt: on

    def _build_config(self, way: object) -> PaymanConfig:
        # No name that ends in .invalid leads anywhere (RFC 6761): without a transport the client finds nobody.
        nowhere = way is not None and not isinstance(way, str) and not self._is_reachable()
        return {
            "client_id": self.client_id,
            "client_secret": self.client_secret,
            "base_url": "https://sandbox.invalid" if nowhere else self.base_url,
            "settle_time": _SETTLE_TIME,
        }
