"""The ways to make a client, and what a client knows without asking anybody: the same for both clients."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Generic, Literal, Self, TypeVar, Unpack, cast, overload

from payman_sdk._client.earlier_names import EarlierNames
from payman_sdk._client.session import APIConnection, BaseSession, RunnerT
from payman_sdk._config import Config, read_config, require_secret
from payman_sdk._core.auth.credentials import Credentials, check_code, check_parameter, read_token_info
from payman_sdk._core.requests import generate_id
from payman_sdk._io.forks import expect_forks, get_fork_lock
from payman_sdk._secrets import wrap_secrets
from payman_sdk.errors import ConfigurationError

if TYPE_CHECKING:
    from payman_sdk._client.config_types import Environment, PaymanConfig
    from payman_sdk._core.auth.access_token import TokenInfo
    from payman_sdk._core.auth.stored_token import TokenStore
    from payman_sdk._core.auth.tokens import AccessToken, TokenManager
    from payman_sdk._core.effects import Flow
    from payman_sdk._core.exchange import KeyStore
    from payman_sdk._telemetry.settings import Stats, Telemetry

Http = TypeVar("Http")

_EXPIRES_SOON = 60.0


class BaseClient(BaseSession[RunnerT], EarlierNames, Generic[Http, RunnerT]):
    """A client before it does anything: settings, identity, session, and connections that are made on first use."""

    _credentials: Credentials
    _http: Http | None
    _owns_http: bool

    def __init__(
        self,
        config: PaymanConfig | None = None,
        *,
        http_client: Http | None = None,
        token_store: TokenStore | None = None,
        **settings: Unpack[PaymanConfig],
    ) -> None:
        config, settings = wrap_secrets(config), wrap_secrets(settings)
        checked = read_config(config, settings)
        require_secret(checked)
        self._set_up(Credentials(config=checked, has_own_account=True, store=token_store), http_client)

    def _set_up(self, identity: Credentials, http_client: Http | None) -> None:
        expect_forks()
        store = identity.store
        if store is not None and not all(callable(getattr(store, name, None)) for name in ("load", "save")):
            raise ConfigurationError(
                f"token_store is a {type(store).__name__}, which cannot load and save.",
                next_step="See TokenStore.",
            )
        config = identity.config
        self._check_hooks(config._asdict())
        if http_client is not None and config.transport is not None:
            raise ConfigurationError(
                "http_client and transport are both given.",
                next_step="Give the transport to the http_client.",
            )
        from payman_sdk._telemetry.observer import create_observer

        self._observer = create_observer(config.telemetry, config.base_url)
        self._credentials = identity
        self._session_id = identity.config.session_id or generate_id("ses")
        self._http = http_client
        self._owns_http = http_client is None
        self._connection: APIConnection[RunnerT] | None = None
        self._closed = False
        self._process = os.getpid()

    @classmethod
    def _from_credentials(cls, identity: Credentials, http_client: Http | None) -> Self:
        client = cls.__new__(cls)
        client._set_up(identity, http_client)
        return client

    @classmethod
    def with_credentials(
        cls,
        config: PaymanConfig | None = None,
        *,
        http_client: Http | None = None,
        token_store: TokenStore | None = None,
        **settings: Unpack[PaymanConfig],
    ) -> Self:
        """Return a client that acts for the application's own account: the client credentials grant [D].

        Its access token is fetched when it is first needed. Clients of one process with the same credentials share it.

        Args:
            config: The settings as a dict, with `client_id` and `client_secret` at least.
            http_client: An httpx client to use instead of one of the client's own.
            token_store: Where the token is kept, to share it between processes.
            **settings: The same settings as keywords; a keyword wins over the dict.

        Raises:
            ConfigurationError: A setting is missing, unknown or unusable; nothing was sent.

        Example:
            >>> from payman_sdk._client.sync import PaymanClient
            >>> client = PaymanClient.with_credentials(
            ...     {"client_id": "your_client_id", "client_secret": "your_client_secret", "environment": "TEST"}
            ... )
            >>> client.get_session_id()[:4]
            'ses-'
        """
        config, settings = wrap_secrets(config), wrap_secrets(settings)
        return cls(config, http_client=http_client, token_store=token_store, **settings)

    @classmethod
    def from_env(
        cls,
        *,
        dotenv: bool = False,
        http_client: Http | None = None,
        token_store: TokenStore | None = None,
        **settings: Unpack[PaymanConfig],
    ) -> Self:
        """Make a client from PAYMAN_CLIENT_ID, PAYMAN_CLIENT_SECRET, PAYMAN_ENVIRONMENT and PAYMAN_BASE_URL.

        Args:
            dotenv: Whether the file `.env` in the working directory supplies what the environment does not have. It needs
                python-dotenv (the extra `dotenv`). Leave it out where the directory may hold what others wrote. A file
                that names another server than Payman's has to hold the credentials for it, too.
            http_client: An httpx client to use instead of one of the client's own.
            token_store: Where the token is kept, to share it between processes.
            **settings: Settings that win over the environment's.

        Raises:
            ConfigurationError: A variable is missing or its value unusable, or one source names the server and another gives
                the credentials; nothing was sent.
        """
        from payman_sdk._client.environment import load_env_config

        settings = wrap_secrets(settings)
        known = load_env_config(settings, dotenv=dotenv)
        return cls(known, http_client=http_client, token_store=token_store)

    @overload
    @classmethod
    def with_token(
        cls,
        client_id: str,
        token_info: TokenInfo | Mapping[str, Any] | None = None,
        environment: Environment | None = None,
        name: str | None = None,
        session_id: str | None = None,
        client_secret: str | None = None,
        *,
        http_client: Http | None = None,
        token_store: TokenStore | None = None,
        base_url: str | None = None,
        connect_timeout: float | None = None,
        read_timeout: float | None = None,
        timeout: float | None = None,
        idle_timeout: float | None = None,
        max_retries: int | None = None,
        settle_time: float | None = None,
        resend: Literal["after_settling", "never"] | None = None,
        max_answer_bytes: int | None = None,
        max_event_bytes: int | None = None,
        key_store: KeyStore | None = None,
        on_retry: Callable[[Any], Any] | None = None,
        before_send: Callable[[Any], Any] | None = None,
        on_token: Callable[[Any], Any] | None = None,
        on_task: Callable[[Any], Any] | None = None,
        telemetry: bool | Telemetry | None = None,
    ) -> Self: ...
    @overload
    @classmethod
    def with_token(
        cls,
        client_id: PaymanConfig,
        token_info: TokenInfo | Mapping[str, Any] | None = None,
        *,
        http_client: Http | None = None,
        token_store: TokenStore | None = None,
    ) -> Self: ...
    @classmethod
    def with_token(
        cls,
        client_id: str | PaymanConfig,
        token_info: TokenInfo | Mapping[str, Any] | None = None,
        environment: Environment | None = None,
        name: str | None = None,
        session_id: str | None = None,
        client_secret: str | None = None,
        *,
        http_client: Http | None = None,
        token_store: TokenStore | None = None,
        **settings: Any,
    ) -> Self:
        """Return a client that acts with a token that was issued before, for whoever it was issued to [D].

        With a refresh token it gets the next access token by itself; the client secret goes with that request, or, for an
        application without one, the client id [P].

        Args:
            client_id: The application's id; or all settings as a dict, in which case only `token_info` follows.
            token_info: `accessToken` and `expiresIn` (seconds it still lives), `refreshToken`, or only a `refreshToken`;
                snake_case is understood too. None where the token is in the `token_store`.
            environment: LIVE (default), TEST or INTERNAL.
            name: A name for this client, for your own use.
            session_id: A session to resume.
            client_secret: The application's secret, if it has one.
            http_client: An httpx client to use instead of one of the client's own.
            token_store: Where tokens are kept, to share them between processes. A token that is in it wins over a given
                one that has ended.
            **settings: Other settings; see `PaymanConfig`.

        Raises:
            ConfigurationError: A setting or the token is missing or unusable; nothing was sent.

        Example:
            >>> from payman_sdk._client.sync import PaymanClient
            >>> client = PaymanClient.with_token("your_client_id", {"accessToken": "your_access_token", "expiresIn": 3600})
            >>> client.is_access_token_expired()
            False
        """
        config = cast("PaymanConfig", wrap_secrets(client_id)) if isinstance(client_id, Mapping) else None
        token_info = wrap_secrets(token_info)
        keywords = wrap_secrets(
            {
                "client_id": None if config is not None else client_id,
                "environment": environment,
                "name": name,
                "session_id": session_id,
                "client_secret": client_secret,
                **settings,
            }
        )
        del client_id, client_secret, settings
        checked = read_config(config, keywords)
        given = None if token_info is None and token_store is not None else read_token_info(token_info)
        identity = Credentials(config=checked, has_own_account=False, given=given, store=token_store)
        return cls._from_credentials(identity, http_client)

    @classmethod
    def _prepare_code_exchange(
        cls,
        config: PaymanConfig | None,
        settings: Mapping[str, Any],
        auth_code: str,
        redirect_uri: str | None,
        code_verifier: str | None,
        http_client: Http | None,
        token_store: TokenStore | None,
    ) -> tuple[Self, Flow[AccessToken]]:
        """Return a client that has no token yet, and the flow that exchanges a code for its first."""
        code, verifier = check_code(auth_code), check_parameter(code_verifier, "code_verifier")
        redirect_uri = check_parameter(redirect_uri, "redirect_uri")
        identity = Credentials(config=read_config(config, settings), has_own_account=False, store=token_store)
        client = cls._from_credentials(identity, http_client)
        _, tokens, agent = client._connect()
        request = identity.application.build_code_request(
            code, redirect_uri=redirect_uri, code_verifier=verifier
        )
        return client, tokens.exchange_code(request, agent.compute_deadline())

    def get_client_name(self) -> str | None:
        """Return the name the client was given, None if none."""
        return self._config.name

    def get_refresh_token(self) -> str | None:
        """Return the newest refresh token, None if there is none. Keep it as carefully as a password."""
        refresh_token = self._connect().tokens.refresh_token
        return None if refresh_token is None else refresh_token.reveal()

    def is_access_token_expired(self) -> bool:
        """Whether the access token is missing, has expired, or expires within 60 seconds."""
        return self._connect().tokens.get_seconds_left() <= _EXPIRES_SOON

    def stats(self) -> Stats:
        """Return what this client and its conversations have done since the client was made, in numbers.

        Example:
            >>> from payman_sdk.sandbox import Sandbox
            >>> with Sandbox() as sandbox, sandbox.client() as client:
            ...     status = client.conversation().ask("Hello!").status
            ...     print(client.stats().completed)
            1
        """
        return self._observer.get_stats()

    def __repr__(self) -> str:
        if not hasattr(
            self, "_credentials"
        ):  # its settings were refused; a traceback may show it all the same
            return f"<{type(self).__name__}>"
        name = f" {self._config.name!r}" if self._config.name else ""
        return f"<{type(self).__name__}{name} {self._config.client_id} at {self._config.base_url}>"

    @property
    def _config(self) -> Config:
        return self._credentials.config

    def _refuse_if_closed(self) -> None:
        if self._closed:
            raise ConfigurationError("This client has been closed.", next_step="Make a new one.")

    def _connect(self) -> APIConnection[RunnerT]:
        """Return the connection, made on first use.

        Raises:
            ConfigurationError: The client is closed, or its `http_client` belongs to the parent process.
        """
        connection = self._connection
        if connection is None:
            with get_fork_lock():
                self._refuse_if_closed()
                connection = self._connection
                if connection is None:
                    from payman_sdk._client.token_manager import create_token_manager
                    from payman_sdk._io.log_redaction import install_log_redaction

                    install_log_redaction()
                    connection = self._build_connection(
                        create_token_manager(self._credentials, self._observer)
                    )
                    self._connection, self._process = connection, os.getpid()
        self._refuse_if_closed()
        if not self._owns_http and self._process != os.getpid():
            raise ConfigurationError(
                "http_client was used before this process was forked; its connections are the parent's.",
                next_step="Make the client after the fork, or give a transport instead.",
            )
        return connection

    def _build_connection(self, tokens: TokenManager) -> APIConnection[RunnerT]:
        raise NotImplementedError
