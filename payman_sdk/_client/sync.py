"""`PaymanClient`: what a user of the SDK holds. Thin: it owns the connections and drives flows.

Whatever takes long to import (httpx, the generated models) is imported where it is first used.
"""

from __future__ import annotations

import weakref
from types import TracebackType
from typing import TYPE_CHECKING, Self, Unpack

from payman_sdk._client.base import BaseClient
from payman_sdk._client.conversation import Conversation
from payman_sdk._client.session import APIConnection
from payman_sdk._client.sync_methods import SyncMethods
from payman_sdk._io.clock import monotonic, wall_time
from payman_sdk._io.forks import get_fork_lock
from payman_sdk._secrets import to_secret, wrap_secrets

if TYPE_CHECKING:
    import httpx

    from payman_sdk._client.config_types import PaymanConfig
    from payman_sdk._core.auth.access_token import TokenInfo
    from payman_sdk._core.auth.stored_token import TokenStore
    from payman_sdk._core.auth.tokens import TokenManager
    from payman_sdk._io.runner import SyncRunner


class PaymanClient(BaseClient["httpx.Client", "SyncRunner"], SyncMethods):
    """A connection to Payman's agent, for one application and one conversation; safe to share between threads.

    Args:
        config: The settings as a dict; see `PaymanConfig` for the keys.
        http_client: An `httpx.Client` to use instead of one of the client's own; closing it stays with whoever made it.
        token_store: Where the token is kept, to share it between processes.
        **settings: The same settings as keywords; a keyword wins over the dict.

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

    _finalizer: weakref.finalize[[], PaymanClient] | None = None

    @classmethod
    def with_auth_code(
        cls,
        config: PaymanConfig,
        auth_code: str,
        *,
        redirect_uri: str | None = None,
        code_verifier: str | None = None,
        http_client: httpx.Client | None = None,
        token_store: TokenStore | None = None,
        **settings: Unpack[PaymanConfig],
    ) -> Self:
        """Return a client that acts for the person who authorized the application: the authorization code grant [D].

        The code is exchanged at once, because codes live shortly. The refresh token that comes with it is kept, and gets the
        next access token by itself.

        Args:
            config: The settings as a dict, with `client_id` at least, and `client_secret` where the application has one.
            auth_code: The code that came to the redirect URI; see `parse_redirect`.
            redirect_uri: The redirect URI of the authorization request, where the server wants it again [P].
            code_verifier: The PKCE verifier of the authorization request, if there was one [P].
            http_client: An httpx client to use instead of one of the client's own.
            token_store: Where the tokens are kept, to share them between processes; what was in it is replaced.
            **settings: The same settings as keywords; a keyword wins over the dict.

        Raises:
            ConfigurationError: A setting is missing, unknown or unusable; nothing was sent.
            AuthenticationError: Payman refused the code.
            PaymanError: The exchange failed; the code may be spent.
        """
        config, settings = wrap_secrets(config), wrap_secrets(settings)
        auth_code, code_verifier = to_secret(auth_code), to_secret(code_verifier)
        client, exchange = cls._prepare_code_exchange(
            config, settings, auth_code, redirect_uri, code_verifier, http_client, token_store
        )
        try:
            client._connect().runner.run(exchange)
        except BaseException:
            client.close()
            raise
        return client

    def conversation(self, session_id: str | None = None) -> Conversation:
        """Return a conversation with a new session, on this client's connections and token.

        It costs nothing: a web service keeps one client, and makes a conversation for every visitor.

        Args:
            session_id: A session to resume (`ses-…`); a new one is made without it.

        Raises:
            ConfigurationError: The session id is not a string, or is blank.

        Example:
            >>> from payman_sdk.sandbox import Sandbox
            >>> with Sandbox() as sandbox, sandbox.client() as client:
            ...     conversation = client.conversation()
            ...     print(conversation.ask("Hello!").session_id == client.get_session_id())
            False
        """
        return Conversation(self._connect, self._refuse_if_closed, session_id)

    def get_access_token(self) -> TokenInfo | None:
        """Return the access token that is valid now and the seconds it still lives; fetched or renewed if need be.

        Keep it as carefully as a password.

        Returns:
            `{'accessToken', 'expiresIn'}`, None without a valid token and a way to get one.

        Raises:
            AuthenticationError: Payman refused.
            PaymanError: It could not be fetched or renewed.

        Example:
            >>> from payman_sdk.sandbox import Sandbox
            >>> with Sandbox() as sandbox, sandbox.client() as client:
            ...     print(sorted(client.get_access_token()))
            ['accessToken', 'expiresIn']
        """
        connection = self._connect()
        return connection.runner.run(connection.tokens.info(connection.agent.compute_deadline()))

    def close(self) -> None:
        """Close the client's connections; doing it twice is harmless. A given `http_client` stays open."""
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

    def _build_connection(self, tokens: TokenManager) -> APIConnection[SyncRunner]:
        import random

        import httpx

        from payman_sdk._core.operations import Operations
        from payman_sdk._io.given_transport import check_transport
        from payman_sdk._io.http import Timeouts
        from payman_sdk._io.key_store import open_default_store
        from payman_sdk._io.runner import SyncRunner
        from payman_sdk._io.transport import build_http_client, check_kind

        config = self._config
        check_kind(self._http, httpx.Client, "http_client")
        check_transport(config.transport, httpx.BaseTransport)
        if self._http is None:
            self._http = build_http_client(config.base_url, config.transport)
            # Programs make clients and drop them; their connections must not wait for the end of the process.
            self._finalizer = weakref.finalize(self, self._http.close)
        runner = SyncRunner(
            self._http,
            config.base_url,
            Timeouts(connect=config.connect_timeout, read=config.read_timeout),
            max_answer_bytes=config.max_answer_bytes,
        )
        return APIConnection(
            runner,
            tokens,
            Operations(
                tokens,
                config,
                monotonic,
                random.random,
                wall_clock=wall_time,
                observer=self._observer,
                open_key_store=open_default_store,
            ),
        )
