"""`PaymanClient`: what a user of the SDK holds. Thin: it owns the connections and drives flows.

Whatever takes long to import (httpx, the generated models) is imported where it is first used.
"""

from __future__ import annotations

import weakref
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from payman_sdk._annotations import Hidden, LazyModule, Setting
from payman_sdk._client.base import BaseClient, gather_settings
from payman_sdk._client.config_types import Environment, PaymanConfig
from payman_sdk._client.conversation import BaseConversation
from payman_sdk._client.sync_methods import SyncMethods
from payman_sdk._config import Config, Resend
from payman_sdk._io.forks import get_fork_lock
from payman_sdk._secrets import to_secret, wrap_secrets

if TYPE_CHECKING:
    import httpx

    from payman_sdk._client import transports
    from payman_sdk._core import exchange
    from payman_sdk._core import hook_payloads as hooks
    from payman_sdk._core.auth import access_token, stored_token
    from payman_sdk._io.runner import SyncRunner
    from payman_sdk._telemetry import settings
else:
    access_token = LazyModule("payman_sdk._core.auth.access_token")
    exchange = LazyModule("payman_sdk._core.exchange")
    hooks = LazyModule("payman_sdk._core.hook_payloads")
    httpx = LazyModule("httpx")
    settings = LazyModule("payman_sdk._telemetry.settings")
    stored_token = LazyModule("payman_sdk._core.auth.stored_token")
    transports = LazyModule("payman_sdk._client.transports")


class Conversation(SyncMethods, BaseConversation["SyncRunner"]):
    """A conversation with the agent. Create it with `client.conversation()`. Any number may be used at the same time.

    Example:
        >>> from payman_sdk.sandbox import Sandbox
        >>> with Sandbox() as sandbox, sandbox.client() as client:
        ...     mine, yours = client.conversation(), client.conversation()
        ...     print(mine.ask("Hello!").session_id == yours.ask("Hello!").session_id)
        False
    """


class PaymanClient(SyncMethods, BaseClient["httpx.Client", "SyncRunner"]):
    """A client of Payman's agent, for one application and one session. Threads may share it.

    Args:
        config: The settings as a dict; see `PaymanConfig` for the keys.
        http_client: An `httpx.Client` to use instead of the client's own connections. You close it.
        token_store: The token store, to share the token between processes.

    The other keywords are the settings of `PaymanConfig`; a keyword overrides the dict.

    Raises:
        ConfigurationError: A setting is missing, unknown or unusable; nothing was sent.

    Example:
        >>> from payman_sdk import PaymanClient
        >>> from payman_sdk.sandbox import Sandbox
        >>> with Sandbox() as sandbox:
        ...     with PaymanClient(
        ...         client_id=sandbox.client_id, client_secret=sandbox.client_secret, base_url=sandbox.base_url
        ...     ) as client:
        ...         print(client.ask("list all wallets").status)
        completed
    """

    _finalizer: Any = None

    # fmt: off
    @classmethod
    def with_auth_code(
        cls, config: Setting[PaymanConfig | Mapping[str, Any]], auth_code: Hidden[str], *,
        redirect_uri: Setting[str] = None, code_verifier: Setting[str] = None,
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
    ) -> Self:
        config, given = wrap_secrets(config), gather_settings(locals())
        auth_code, code_verifier = to_secret(auth_code), to_secret(code_verifier)
        del client_secret, default_headers, proxy
        client, exchange = cls._prepare_code_exchange(
            config, given, auth_code, redirect_uri, code_verifier, http_client, token_store
        )
        try:
            client._connect().runner.run(exchange)
        except BaseException:
            client.close()
            raise
        return client
    # fmt: on

    def conversation(self, session_id: str | None = None) -> Conversation:
        return Conversation(self._connect, self._refuse_if_closed, session_id, self._config)

    def get_access_token(self) -> access_token.TokenInfo | None:
        connection = self._connect()
        return connection.runner.run(connection.tokens.info(connection.agent.compute_deadline()))

    def close(self) -> None:
        if self._original is not None:  # its connections are another client's
            self._closed = True
            return
        if self._connection is not None and self._connection.tokens.is_unsaved:
            self._connection.runner.run(self._connection.tokens.flush())
        with get_fork_lock():
            self._closed = True
            if self._owns_http and self._http is not None:
                self._http.close()
                if self._finalizer is not None:
                    self._finalizer.detach()  # what it calls could swallow an interrupt

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def _prepare_http(self, config: Config) -> type[SyncRunner]:
        from payman_sdk._io.runner import SyncRunner
        from payman_sdk._io.transport import build_http_client, check_kind

        check_kind(self._http, httpx.Client, "http_client")
        if self._http is None:
            self._http = build_http_client(config.base_url, config.transport, config.proxy, config.verify)
            # Programs make clients and drop them; their connections must not wait for the end of the process.
            self._finalizer = weakref.finalize(self, self._http.close)
        return SyncRunner
