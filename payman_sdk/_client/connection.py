"""A client's connection, made on first use, and what a client knows without asking anybody: the same for both clients."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from payman_sdk._client.calls import APIConnection, BaseCalls, RunnerT, Session
from payman_sdk._client.interface import ClientInterface
from payman_sdk._client.lazy import httpx, key_stores, observers, settings
from payman_sdk._config import Config, check_headers, check_methods
from payman_sdk._core.auth.credentials import Credentials
from payman_sdk._io.clock import monotonic, wall_time
from payman_sdk._io.forks import expect_forks, get_fork_lock
from payman_sdk._refusals import refuse
from payman_sdk._secrets import SecretStr, is_secret_header

if TYPE_CHECKING:
    from payman_sdk._core.auth.tokens import TokenManager
    from payman_sdk._core.tracking import ClientObserver

Http = TypeVar("Http")

_EXPIRES_SOON = 60.0
PROVEN: dict[tuple[str, str], str] = {}
"""The transactions that have proven a payment: for all clients of this process, as web programs make one for every request."""


class ConnectionOwner(BaseCalls[RunnerT], ClientInterface, Generic[Http, RunnerT]):
    """An object with settings and credentials, which connects on first use."""

    _credentials: Credentials
    _http: Any
    _http_kind: str
    """The class of httpx that a given `http_client` is of."""
    _owns_http: bool

    def _set_up(self, identity: Credentials, http_client: Http | None) -> None:
        expect_forks()
        check_methods(identity.store, "token_store", ("load", "save"), "load and save", "See TokenStore.")
        config = identity.config
        if http_client is not None:
            from payman_sdk._io.given_transport import check_kind

            check_kind(http_client, getattr(httpx, self._http_kind), "http_client")
        if config.proxy is not None:
            from payman_sdk._io.proxies import read_proxy

            read_proxy("proxy", config.proxy)
        self._check_hooks(config._asdict())
        transport = None if isinstance(config.transport, str) else config.transport
        for given, way in (("http_client", http_client), ("transport", transport)):
            for name in ("transport", "proxy", "verify"):
                if way is not None and name != given and getattr(config, name) is not None:
                    refuse(given, f"and {name} are both given", f"Give the {name} to the {given}.")
        from payman_sdk._telemetry.observer import create_observer

        if os.environ.get("PAYMAN_LOG"):
            from payman_sdk._text.logger import configure_from_environment

            configure_from_environment()
        if (folder := os.environ.get("PAYMAN_STATE_DIR")) and not os.path.isabs(folder):  # noqa: PTH117 # pathlib takes a while to import
            from payman_sdk._io.key_store import find_state_folder

            find_state_folder()  # as the path is meant now: the process may go elsewhere before it uses a key
        self._observer = create_observer(config.telemetry, config.base_url)
        self._credentials, self._config = identity, config
        self._session = Session(config.session_id)
        self._http = http_client
        self._owns_http = http_client is None

    def _withhold_secrets(self, file_server: str) -> None:
        """Send no secret of the program's, now or later, to a server that only a file in the working directory names."""
        config = self._config = self._config._replace(file_server=file_server)
        self._credentials = self._credentials._replace(config=config)
        check_headers(config, config.default_headers, "default_headers")
        http = self._http
        added = {name: SecretStr() for name in getattr(http, "headers", ()) if is_secret_header(name)}
        added |= {name: SecretStr() for name in ("auth", "cookies", "params") if getattr(http, name, None)}
        check_headers(config, added, "http_client")

    def get_client_name(self) -> str | None:
        """Return the name the client was given, None if none."""
        return self._config.name

    def get_refresh_token(self) -> str | None:
        """Return the newest refresh token, None if there is none. Keep it as carefully as a password."""
        refresh_token = self._connect().tokens.refresh_token
        return None if refresh_token is None else refresh_token.reveal()

    def is_access_token_expired(self) -> bool:
        """Return whether the access token is missing, has expired, or expires within 60 seconds."""
        return self._connect().tokens.get_seconds_left() <= _EXPIRES_SOON

    def stats(self) -> settings.Stats:
        """Return what this client and its conversations have done since the client was made, in numbers.

        Example:
            >>> from payman_sdk.sandbox import Sandbox
            >>> with Sandbox() as sandbox, sandbox.client() as client:
            ...     status = client.conversation().ask("Hello!").status
            ...     print(client.stats().completed)
            1
        """
        return self._observer.get_stats()

    @property
    def tasks(self) -> list[observers.TaskEntry]:
        """The newest tasks of this client and its conversations, at most 1,000, the newest last.

        Example:
            >>> from payman_sdk.sandbox import Sandbox
            >>> with Sandbox() as sandbox, sandbox.client() as client:
            ...     response = client.ask("send 200 TSD to Test Payee", idempotency_key="invoice-42")
            ...     for task in client.tasks:
            ...         print(task.task_id == response.task_id, task.state, task.idempotency_key)
            True input-required invoice-42
        """
        return self._observer.list_tasks()

    def __repr__(self) -> str:
        if not hasattr(self, "_credentials"):
            # Its settings were refused; a traceback may show it all the same.
            return f"<{type(self).__name__}>"
        name = f" {self._config.name!r}" if self._config.name else ""
        return f"<{type(self).__name__}{name} {self._config.client_id} at {self._config.base_url}>"

    def _open(self) -> APIConnection[RunnerT]:
        if self._original is not None:
            # The connection of another client, with the settings of this one.
            self._refuse_if_closed()
            shared, own = self._original._connect(), self._connection
            if own is None or own.runner is not shared.runner:
                own = self._connection = shared._replace(agent=shared.agent._replace(config=self._config))
            return own
        with get_fork_lock():
            self._refuse_if_closed()
            connection = self._connection
            if connection is None:
                from payman_sdk._text.logger import install_log_redaction

                install_log_redaction()
                connection = self._build_connection(_create_token_manager(self._credentials, self._observer))
                self._connection = connection
                self._process = None if self._owns_http else os.getpid()
        return connection

    def _build_connection(self, tokens: TokenManager) -> APIConnection[RunnerT]:
        from payman_sdk._core.operations import Operations, Proofs
        from payman_sdk._io.http import Timeouts

        config = self._config
        runner = self._prepare_http(config)(
            self._http,
            config.base_url,
            Timeouts(connect=config.connect_timeout, read=config.read_timeout),
            max_answer_bytes=config.max_answer_bytes,
            headers=config.default_headers,
        )
        proofs = Proofs(config.base_url, PROVEN)
        agent = Operations(
            tokens, config, monotonic, _draw_random, wall_time, self._observer, _open_key_store, proofs
        )
        return APIConnection(runner, tokens, agent)

    def _prepare_http(self, config: Config) -> Callable[..., RunnerT]:
        """See that there are connections, and return what makes the runner that uses them."""
        raise NotImplementedError


def _draw_random() -> float:
    """Return a number from 0 to 1, without the import of `random`."""
    return int.from_bytes(os.urandom(7)) / 2**56


def _open_key_store() -> key_stores.KeyStore | None:
    from payman_sdk._io.key_store import open_default_store  # asks without a key need no database

    return open_default_store()


def _create_token_manager(credentials: Credentials, observer: ClientObserver) -> TokenManager:
    """Return the tokens of these credentials; the observer sees every refresh."""
    from payman_sdk._core.auth.stored_token import StoredToken, fingerprint_token
    from payman_sdk._core.auth.tokens import TokenManager
    from payman_sdk._io.token_store_access import TokenStoreAccess
    from payman_sdk.token_stores.memory import SHARERS, MemoryTokenStore, shared_store

    config, given, owner = credentials.config, credentials.given, credentials.owner
    store = credentials.store
    if store is None and credentials.has_own_account and config.client_secret is not None:
        store = shared_store(config.base_url, config.client_id, config.client_secret)
    known = None
    if given is not None:
        expires_at = wall_time() + given.lifetime
        lineage = fingerprint_token(given.refresh_token or given.access_token)
        known = StoredToken(issued_to=owner.name, expires_at=expires_at, lineage=lineage, **given._asdict())
    manager = TokenManager(
        owner,
        TokenStoreAccess(store or MemoryTokenStore()),
        clock=monotonic,
        now=wall_time,
        given=known,
        observer=observer,
        on_token=config.on_token,
    )
    if store is not credentials.store:
        SHARERS.add(manager)
    return manager
