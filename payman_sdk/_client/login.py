"""`login()`: a client for a person's account, for programs that run on the person's own machine."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Unpack

from payman_api import AUTHORIZATION_SERVER, SERVERS
from payman_sdk._client.config_types import PaymanConfig
from payman_sdk._client.sync import PaymanClient
from payman_sdk._config import read_config
from payman_sdk._secrets import wrap_secrets

if TYPE_CHECKING:
    import httpx

    from payman_sdk._core.auth.authorization import Scope
    from payman_sdk._core.auth.stored_token import TokenStore


def login(
    config: PaymanConfig | None = None,
    *,
    scopes: Iterable[Scope | str],
    open_browser: Callable[[str], object] | None = None,
    port: int = 0,
    wait: float = 300.0,
    server: str | None = None,
    http_client: httpx.Client | None = None,
    token_store: TokenStore | None = None,
    **settings: Unpack[PaymanConfig],
) -> PaymanClient:
    """Open the authorization page in the person's browser, wait for their decision, and return a client for their account.

    The answer comes to an address on 127.0.0.1, where the SDK listens for it and no longer.

    Args:
        config: The settings as a dict, with `client_id` at least.
        scopes: What the application asks for, see `Scope`.
        open_browser: Gets the address of the page, instead of the system's browser; returning False means that it could not
            show it.
        port: The port to listen on, where the application is registered with a fixed one; 0 takes a free one.
        wait: Seconds to wait for the person.
        server: The server of the page; Payman's own without it, or `base_url` where that is not one of Payman's.
        http_client: An `httpx.Client` to use instead of one of the client's own.
        token_store: Where the tokens are kept, so that the person need not log in again.
        **settings: The same settings as keywords; a keyword wins over the dict.

    Raises:
        AuthenticationError: The person or Payman refused.
        APITimeoutError: Nobody decided in time.
        ConfigurationError: A setting is unusable, the port is taken, or no browser could be opened.
    """
    from payman_sdk._io.loopback import authorize

    config, settings = wrap_secrets(config), wrap_secrets(settings)
    checked = read_config(config, settings)
    if server is None:
        server = AUTHORIZATION_SERVER if checked.base_url in SERVERS.values() else checked.base_url
    authorization = authorize(
        checked.client_id, scopes, server=server, open_browser=open_browser, port=port, timeout=wait
    )
    return PaymanClient.with_auth_code(
        config or {},
        authorization.code,
        redirect_uri=authorization.redirect_uri,
        code_verifier=authorization.code_verifier,
        http_client=http_client,
        token_store=token_store,
        **settings,
    )
