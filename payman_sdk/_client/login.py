"""`login()`: a client for a person's account, for programs that run on the person's own machine."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from payman_api import AUTHORIZATION_SERVER, SERVERS
from payman_sdk._annotations import Setting
from payman_sdk._client.base import gather_settings
from payman_sdk._client.config_types import Environment, PaymanConfig
from payman_sdk._client.lazy import (
    authorizations,
    hooks,
    httpx,
    key_stores,
    settings,
    stored_token,
    transports,
)
from payman_sdk._client.sync import PaymanClient
from payman_sdk._config import Resend, read_config
from payman_sdk._secrets import wrap_secrets


# fmt: off
def login(
    config: Setting[PaymanConfig | Mapping[str, Any]] = None, *, scopes: Iterable[authorizations.Scope | str],
    open_browser: Callable[[str], object] | None = None, port: int = 0, wait: float = 300.0, server: str | None = None,
    http_client: Setting[httpx.Client] = None, token_store: Setting[stored_token.TokenStore] = None,
    client_id: Setting[str] = None, client_secret: Setting[str] = None, environment: Setting[Environment] = None,
    base_url: Setting[str] = None, allow_http_hosts: Setting[Sequence[str]] = None, name: Setting[str] = None, session_id: Setting[str] = None,
    connect_timeout: Setting[float] = None, read_timeout: Setting[float] = None, timeout: Setting[float] = None,
    idle_timeout: Setting[float] = None, max_retries: Setting[int] = None, settle_time: Setting[float] = None,
    resend: Setting[Resend] = None, max_answer_bytes: Setting[int] = None, max_event_bytes: Setting[int] = None,
    on_retry: Setting[hooks.OnRetry] = None, before_send: Setting[hooks.BeforeSend] = None,
    on_token: Setting[hooks.OnToken] = None, on_task: Setting[hooks.OnTask] = None,
    key_store: Setting[key_stores.KeyStore] = None, telemetry: Setting[bool | settings.Telemetry] = None,
    default_headers: Setting[Mapping[str, str]] = None, proxy: Setting[str] = None, verify: Setting[transports.Verify] = None,
    transport: Setting[transports.Transport] = None,
) -> PaymanClient:
# fmt: on
    """Open the authorization page in the person's browser, wait for their decision, and return a client for their account.

    The SDK listens on 127.0.0.1 for the answer, and stops after it.

    Args:
        config: The settings as a dict, with `client_id` at least.
        scopes: The scopes to request; see `Scope`.
        open_browser: Called with the address of the page, instead of opening the system's browser. Return False if it cannot show the page.
        port: The port to listen on, if the application is registered with a fixed one; 0 picks a free one.
        wait: Seconds to wait for the person.
        server: The server of the page. The default is Payman's, or `base_url` if that is not Payman's.
        http_client: An `httpx.Client` to use instead of one of the client's own.
        token_store: The token store, so that the person need not log in again.

    The other keywords are the settings of `PaymanConfig`; a keyword overrides the dict.

    Raises:
        AuthenticationError: The person or Payman refused.
        APITimeoutError: Nobody decided in time.
        ConfigurationError: A setting is invalid, the port is taken, or no browser could be opened.

    Example:
        client = login(client_id="your_client_id", client_secret="your_client_secret", scopes=[Scope.READ_BALANCE])
    """
    from payman_sdk._io.loopback import authorize

    config, given = wrap_secrets(config), gather_settings(locals())
    del client_secret, default_headers, proxy
    checked = read_config(config, given)
    if server is None:
        server = AUTHORIZATION_SERVER if checked.base_url in SERVERS.values() else checked.base_url
    authorization = authorize(
        checked.client_id, scopes, server=server, open_browser=open_browser, port=port, timeout=wait,
        allow_http_hosts=sorted(checked.allow_http_hosts),
    )
    return PaymanClient.with_auth_code(
        config or {},
        authorization.code,
        redirect_uri=authorization.redirect_uri,
        code_verifier=authorization.code_verifier,
        http_client=http_client,
        token_store=token_store,
        **given,
    )
