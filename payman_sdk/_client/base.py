"""The ways to make a client: the same for both clients."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self, TypeVar

from payman_sdk._annotations import Setting
from payman_sdk._client.calls import RunnerT
from payman_sdk._client.connection import ConnectionOwner, Http
from payman_sdk._client.lazy import configs, grants, hooks, key_stores, settings, stored_token, transports
from payman_sdk._config import SETTINGS, Resend, change_config, read_config, require_text
from payman_sdk._core.auth.credentials import Credentials, check_code, check_parameter, read_token_info
from payman_sdk._secrets import wrap_secrets

if TYPE_CHECKING:
    from payman_sdk._core.effects import Flow

ClientT = TypeVar("ClientT", bound="BaseClient[Any, Any]")
"""Used instead of `Self`, which jedi takes for the class that defines the method."""

_NAMES = {
    "with_client_credentials": "with_credentials",
    **dict.fromkeys(("payments", "send_payment", "send_direct_payment"), "pay"),
    **dict.fromkeys(("search_payees", "list_payees"), "payees"),
    **dict.fromkeys(("balances", "get_balance", "get_spendable_balance", "list_wallets"), "wallets"),
    "list_transactions": "transactions",
}
"""Methods of the client of the older REST API and of the TypeScript SDK, in snake_case, and what they are called here."""


def explain_missing(owner: type, name: str) -> str:
    """Return the message of the AttributeError for a name that a client does not have."""
    said = f"{owner.__name__} has no attribute {name!r}"
    snake = re.sub(r"(?<=[a-z0-9])([A-Z])", r"_\1", name).lower()
    known = _NAMES.get(snake, snake)
    if name.startswith("_") or known == name or not any(known in vars(base) for base in owner.__mro__):
        return said
    return f"{said}; use {owner.__name__}.{known}."


class ClientType(type):
    """The type of the client classes: says what a class method of another Payman client is called here."""

    if not TYPE_CHECKING:  # type checkers are to report names that do not exist

        def __getattr__(cls, name: str) -> object:
            raise AttributeError(explain_missing(cls, name), name=name, obj=cls)


class EarlierNames(metaclass=ClientType):
    """A client that says what a method of another Payman client is called here."""

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> object:
            raise AttributeError(explain_missing(type(self), name), name=name, obj=self)


class BaseClient(ConnectionOwner[Http, RunnerT], EarlierNames):
    """A client and its constructors."""

    # The settings stand in groups, a group a line. `locals()` are a method's own keywords.
    # fmt: off
    def __init__(
        self, config: Setting[configs.PaymanConfig | Mapping[str, Any]] = None, *,
        http_client: Setting[Http] = None, token_store: Setting[stored_token.TokenStore] = None,
        client_id: Setting[str] = None, client_secret: Setting[str] = None, environment: Setting[configs.Environment] = None,
        base_url: Setting[str] = None, allow_http_hosts: Setting[Sequence[str]] = None, name: Setting[str] = None, session_id: Setting[str] = None,
        connect_timeout: Setting[float] = None, read_timeout: Setting[float] = None, timeout: Setting[float] = None,
        idle_timeout: Setting[float] = None, max_retries: Setting[int] = None, settle_time: Setting[float] = None,
        resend: Setting[Resend] = None, max_answer_bytes: Setting[int] = None, max_event_bytes: Setting[int] = None,
        on_retry: Setting[hooks.OnRetry] = None, before_send: Setting[hooks.BeforeSend] = None,
        on_token: Setting[hooks.OnToken] = None, on_task: Setting[hooks.OnTask] = None,
        key_store: Setting[key_stores.KeyStore] = None, telemetry: Setting[bool | settings.Telemetry] = None,
        default_headers: Setting[Mapping[str, str]] = None, proxy: Setting[str] = None, verify: Setting[transports.Verify] = None,
        transport: Setting[transports.Transport] = None,
    ) -> None:
        config, given = wrap_secrets(config), gather_settings(locals())
        del client_secret, default_headers, proxy  # a traceback with locals would show them
        checked = read_config(config, given)
        require_text(checked.client_secret, "client_secret")
        self._set_up(Credentials(config=checked, has_own_account=True, store=token_store), http_client)

    @classmethod
    def with_credentials(
        cls: type[ClientT], config: Setting[configs.PaymanConfig | Mapping[str, Any]] = None, *,
        http_client: Setting[Http] = None, token_store: Setting[stored_token.TokenStore] = None,
        client_id: Setting[str] = None, client_secret: Setting[str] = None, environment: Setting[configs.Environment] = None,
        base_url: Setting[str] = None, allow_http_hosts: Setting[Sequence[str]] = None, name: Setting[str] = None, session_id: Setting[str] = None,
        connect_timeout: Setting[float] = None, read_timeout: Setting[float] = None, timeout: Setting[float] = None,
        idle_timeout: Setting[float] = None, max_retries: Setting[int] = None, settle_time: Setting[float] = None,
        resend: Setting[Resend] = None, max_answer_bytes: Setting[int] = None, max_event_bytes: Setting[int] = None,
        on_retry: Setting[hooks.OnRetry] = None, before_send: Setting[hooks.BeforeSend] = None,
        on_token: Setting[hooks.OnToken] = None, on_task: Setting[hooks.OnTask] = None,
        key_store: Setting[key_stores.KeyStore] = None, telemetry: Setting[bool | settings.Telemetry] = None,
        default_headers: Setting[Mapping[str, str]] = None, proxy: Setting[str] = None, verify: Setting[transports.Verify] = None,
        transport: Setting[transports.Transport] = None,
    ) -> ClientT:
        """Return a client that acts for the application's own account: the client credentials grant [D].

        The first ask fetches the access token. Clients of one process with the same credentials share it.

        Args:
            config: The settings as a dict, with `client_id` and `client_secret` at least.
            http_client: An httpx client to use instead of one of the client's own.
            token_store: The token store, to share the token between processes.

        The other keywords are the settings of `PaymanConfig`; a keyword overrides the dict.

        Raises:
            ConfigurationError: A setting is missing, unknown or invalid. Nothing was sent.

        Example:
            >>> from payman_sdk import PaymanClient
            >>> client = PaymanClient.with_credentials(
            ...     {"client_id": "your_client_id", "client_secret": "your_client_secret", "environment": "TEST"}
            ... )
            >>> client.get_session_id()[:4]
            'ses-'
        """
        config, given = wrap_secrets(config), gather_settings(locals())
        del client_secret, default_headers, proxy
        return cls(config, http_client=http_client, token_store=token_store, **given)

    @classmethod
    def from_env(
        cls: type[ClientT], *, dotenv: bool = False,
        http_client: Setting[Http] = None, token_store: Setting[stored_token.TokenStore] = None,
        client_id: Setting[str] = None, client_secret: Setting[str] = None, environment: Setting[configs.Environment] = None,
        base_url: Setting[str] = None, allow_http_hosts: Setting[Sequence[str]] = None, name: Setting[str] = None, session_id: Setting[str] = None,
        connect_timeout: Setting[float] = None, read_timeout: Setting[float] = None, timeout: Setting[float] = None,
        idle_timeout: Setting[float] = None, max_retries: Setting[int] = None, settle_time: Setting[float] = None,
        resend: Setting[Resend] = None, max_answer_bytes: Setting[int] = None, max_event_bytes: Setting[int] = None,
        on_retry: Setting[hooks.OnRetry] = None, before_send: Setting[hooks.BeforeSend] = None,
        on_token: Setting[hooks.OnToken] = None, on_task: Setting[hooks.OnTask] = None,
        key_store: Setting[key_stores.KeyStore] = None, telemetry: Setting[bool | settings.Telemetry] = None,
        default_headers: Setting[Mapping[str, str]] = None, proxy: Setting[str] = None, verify: Setting[transports.Verify] = None,
        transport: Setting[transports.Transport] = None,
    ) -> ClientT:
        """Return a client with the settings in PAYMAN_CLIENT_ID, PAYMAN_CLIENT_SECRET, PAYMAN_ENVIRONMENT and PAYMAN_BASE_URL.

        Args:
            dotenv: Whether to read missing variables from the file `.env` in the working directory (extra `dotenv`). Do not use
                it in a directory that others can write. If the file names a server other than Payman's, it must hold the
                credentials too.
            http_client: An httpx client to use instead of one of the client's own.
            token_store: The token store, to share the token between processes.

        The other keywords are the settings of `PaymanConfig`, which override the environment.

        Raises:
            ConfigurationError: A variable is missing or invalid, or the server and the credentials come from different sources.
                Nothing was sent.
        """
        from payman_sdk._client.environment import load_env_config

        given = gather_settings(locals())
        del client_secret, default_headers, proxy
        known, sources, file_server = load_env_config(given, dotenv=dotenv)
        read_config(known, {}, sources)  # here, errors can name the variables
        client = cls(known, http_client=http_client, token_store=token_store)
        client._withhold_secrets(file_server)
        return client

    @classmethod
    def with_token(
        cls: type[ClientT], client_id: Setting[str | configs.PaymanConfig | Mapping[str, Any]] = None, token_info: Setting[grants.TokenInfo | Mapping[str, Any]] = None,
        environment: Setting[configs.Environment] = None, name: Setting[str] = None, session_id: Setting[str] = None,
        client_secret: Setting[str] = None, *, base_url: Setting[str] = None, allow_http_hosts: Setting[Sequence[str]] = None,
        http_client: Setting[Http] = None, token_store: Setting[stored_token.TokenStore] = None,
        connect_timeout: Setting[float] = None, read_timeout: Setting[float] = None, timeout: Setting[float] = None,
        idle_timeout: Setting[float] = None, max_retries: Setting[int] = None, settle_time: Setting[float] = None,
        resend: Setting[Resend] = None, max_answer_bytes: Setting[int] = None, max_event_bytes: Setting[int] = None,
        on_retry: Setting[hooks.OnRetry] = None, before_send: Setting[hooks.BeforeSend] = None,
        on_token: Setting[hooks.OnToken] = None, on_task: Setting[hooks.OnTask] = None,
        key_store: Setting[key_stores.KeyStore] = None, telemetry: Setting[bool | settings.Telemetry] = None,
        default_headers: Setting[Mapping[str, str]] = None, proxy: Setting[str] = None, verify: Setting[transports.Verify] = None,
        transport: Setting[transports.Transport] = None,
    ) -> ClientT:
        """Return a client that uses an existing token, and acts for whoever it was issued to [D].

        With a refresh token, the client renews the access token. It sends the client secret with that request, or only the client
        id if the application has no secret [P].

        Args:
            client_id: The application's id; or all settings as a dict, in which case only `token_info` follows.
            token_info: `accessToken` and `expiresIn` (seconds until it expires), `refreshToken`, or only a `refreshToken`;
                snake_case works too. None if the token is in the `token_store`.
            environment: LIVE, TEST or INTERNAL. The default is `PAYMAN_ENVIRONMENT`, else LIVE.
            name: A name for this client, for your own use.
            session_id: A session to resume.
            client_secret: The application's secret, if it has one.
            http_client: An httpx client to use instead of one of the client's own.
            token_store: The token store, to share tokens between processes. A stored token replaces a given one that has
                expired.

        The other keywords are the settings of `PaymanConfig`.

        Raises:
            ConfigurationError: A setting or the token is missing or invalid. Nothing was sent.

        Example:
            >>> from payman_sdk import PaymanClient
            >>> client = PaymanClient.with_token("your_client_id", {"accessToken": "your_access_token", "expiresIn": 3600})
            >>> client.is_access_token_expired()
            False
        """
        config = wrap_secrets(client_id) if isinstance(client_id, Mapping) else None
        given, token_info = gather_settings(locals()), wrap_secrets(token_info)
        if config is not None:
            given.pop("client_id", None)
        del client_id, client_secret, default_headers, proxy
        checked = read_config(config, given)
        first = None if token_info is None and token_store is not None else read_token_info(token_info)
        identity = Credentials(config=checked, has_own_account=False, given=first, store=token_store)
        return cls._from_credentials(identity, http_client)

    def with_options(
        self: ClientT, *, name: Setting[str] = None,
        timeout: Setting[float] = None, read_timeout: Setting[float] = None, idle_timeout: Setting[float] = None,
        max_retries: Setting[int] = None, settle_time: Setting[float] = None, resend: Setting[Resend] = None,
        on_retry: Setting[hooks.OnRetry] = None, before_send: Setting[hooks.BeforeSend] = None, on_task: Setting[hooks.OnTask] = None,
        key_store: Setting[key_stores.KeyStore] = None, default_headers: Setting[Mapping[str, str]] = None,
        max_event_bytes: Setting[int] = None,
    ) -> ClientT:
        """Return a client with other settings that shares connections, tokens, session, history and counts with this one.

        Closing it leaves this one open. Headers are added to those of this one.

        Raises:
            ConfigurationError: A setting is invalid.

        Example:
            >>> from payman_sdk.sandbox import Sandbox
            >>> with Sandbox() as sandbox, sandbox.client() as client:
            ...     patient = client.with_options(timeout=900, max_retries=5)
            ...     print(patient.ask("list all wallets").session_id == client.get_session_id())
            True
        """
        given = gather_settings(locals())
        del default_headers
        self._check_hooks(given)
        other = object.__new__(type(self))
        vars(other).update(vars(self))
        vars(other).pop("_finalizer", None)
        other._config = change_config(self._config, given)
        other._credentials = self._credentials._replace(config=other._config)
        other._original, other._connection, other._closed = self, None, False
        return other
    # fmt: on

    @classmethod
    def _from_credentials(cls, identity: Credentials, http_client: Http | None) -> Self:
        client = cls.__new__(cls)
        client._set_up(identity, http_client)
        return client

    @classmethod
    def _prepare_code_exchange(
        cls, settings: Mapping[str, Any], given: Mapping[str, Any]
    ) -> tuple[Self, Flow[grants.AccessToken]]:
        """Return a client that has no token yet, and the flow that exchanges a code for its first.

        `given` are the arguments of `with_auth_code` by their names; what may be secret shows nothing.
        """
        code = check_code(given["auth_code"])
        verifier, redirect_uri = (
            check_parameter(given[name], name) for name in ("code_verifier", "redirect_uri")
        )
        config = read_config(given["config"], settings)
        identity = Credentials(config=config, has_own_account=False, store=given["token_store"])
        client = cls._from_credentials(identity, given["http_client"])
        _, tokens, agent = client._connect()
        request = identity.owner.build_code_request(code, redirect_uri=redirect_uri, code_verifier=verifier)
        return client, tokens.exchange_code(request, agent.compute_deadline())


def gather_settings(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings among the arguments of a method, without those that were not given; what may be secret shows nothing."""
    named = {name: given[name] for name in SETTINGS & given.keys() if given[name] is not None}
    settings: dict[str, Any] = wrap_secrets(named)
    return settings
