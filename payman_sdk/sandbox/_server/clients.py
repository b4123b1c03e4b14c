"""Clients of the sandbox: connected ones, and for tests their registration, tokens and token requests."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from payman_sdk._annotations import LazyModule, Setting
from payman_sdk._client.base import gather_settings
from payman_sdk._client.config_types import Environment, PaymanConfig
from payman_sdk._client.lazy import hooks, httpx, key_stores, settings, stored_token, transports
from payman_sdk._config import Resend
from payman_sdk.sandbox._ledger import accounts
from payman_sdk.sandbox._ledger.environment import SandboxEnvironment
from payman_sdk.sandbox._ledger.store import Store
from payman_sdk.sandbox._oauth import clients, grants
from payman_sdk.sandbox._oauth.authorization import is_challenge
from payman_sdk.sandbox._oauth.grants import Scopes, check_lifetime
from payman_sdk.sandbox._oauth.oauth_service import OAuthService, TokenRequest

if TYPE_CHECKING:
    from payman_sdk._client import async_, sync
else:
    async_ = LazyModule("payman_sdk._client.async_")
    sync = LazyModule("payman_sdk._client.sync")

_SETTLE_TIME = 0.25
"""Seconds after which a client of the sandbox may send again: the sandbox shows a task at once."""


class ClientControl:
    """The clients and tokens of a sandbox, and clients that are connected to it."""

    authority: OAuthService
    client_id: str
    client_secret: str
    _store: Store
    _world: SandboxEnvironment

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
        key_store: Setting[key_stores.KeyStore] = None, telemetry: Setting[bool | settings.Telemetry] = None,
        default_headers: Setting[Mapping[str, str]] = None, proxy: Setting[str] = None, verify: Setting[transports.Verify] = None,
        transport: Setting[transports.Transport] = None,
    ) -> sync.PaymanClient:
        """Return a client that is connected to this sandbox.

        Args:
            http_client: An httpx client to use. If the sandbox was never started, it needs a `transport()` of this sandbox, and the
                address is `https://sandbox.invalid`.
            token_store: Where the token is kept.

        Other keywords, also other credentials, are those of `PaymanClient.with_credentials`.
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
        key_store: Setting[key_stores.KeyStore] = None, telemetry: Setting[bool | settings.Telemetry] = None,
        default_headers: Setting[Mapping[str, str]] = None, proxy: Setting[str] = None, verify: Setting[transports.Verify] = None,
        transport: Setting[transports.Transport] = None,
    ) -> async_.AsyncPaymanClient:
        """Return a client for asyncio and trio that is connected to this sandbox.

        Args:
            http_client: An httpx client to use. If the sandbox was never started, it needs a `transport()` of this sandbox, and the
                address is `https://sandbox.invalid`.
            token_store: Where the token is kept.

        Other keywords, also other credentials, are those of `AsyncPaymanClient.with_credentials`.
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

    def _register(
        self,
        given: Mapping[str, str | None],
        public: Iterable[str],
        redirect_uris: Mapping[str, Iterable[str]],
    ) -> tuple[str, str]:
        """Register the clients; returns the id and secret of the sandbox's own."""
        registered = dict(given)
        for client_id in [public] if isinstance(public, str) else public:
            if registered.setdefault(client_id, None) is not None:
                raise ValueError(f"public_clients: {client_id} has a secret in clients")
        own: tuple[str, str] | None = None
        for client_id, secret in registered.items():
            if secret is None:
                self.add_public_client(client_id)
            else:
                own = own or (client_id, secret)
                self.add_client(client_id, secret)
        with self._store.transaction() as tx:
            own = own or clients.find_first(tx)
            for client_id, uris in redirect_uris.items():
                clients.register_redirects(tx, client_id, uris)
        return own or self.add_client()

    def add_client(self, client_id: str | None = None, client_secret: str | None = None) -> tuple[str, str]:
        """Register a client with its own account, even while the sandbox serves.

        Args:
            client_id: The id; made if missing. A registered client keeps its account and gets the secret.
            client_secret: The secret; made if missing.

        Returns:
            The client's id and secret.

        Raises:
            ValueError: The id or the secret is empty, or the id has a colon.
        """
        client_id = self._world.new_id("pm-test") if client_id is None else client_id
        client_secret = self._world.new_secret() if client_secret is None else client_secret
        if not client_id or not client_secret or ":" in client_id:
            raise ValueError("clients: ids and secrets may not be empty, and an id has no colon in it")
        with self._store.transaction() as tx:
            accounts.open_account(tx, self._world, client_id, client_secret)
        return client_id, client_secret

    def add_public_client(self, client_id: str | None = None) -> str:
        """Register a client without a secret, with its own account, even while the sandbox serves.

        Args:
            client_id: The id; made if missing. A registered client keeps its account and loses its secret.

        Returns:
            The client's id.

        Raises:
            ValueError: The id is empty.
        """
        client_id = self._world.new_id("pm-test") if client_id is None else client_id
        if not client_id:
            raise ValueError("public_clients: an id may not be empty")
        with self._store.transaction() as tx:
            accounts.open_account(tx, self._world, client_id, None)
        return client_id

    def issue_code(
        self,
        client_id: str | None = None,
        *,
        redirect_uri: str | None = None,
        scopes: Iterable[str] | None = None,
        code_challenge: str | None = None,
    ) -> str:
        """Return an authorization code, as if a person had consented on the consent page.

        In the sandbox, the client's own account is also the person's.

        Args:
            client_id: The client; the sandbox's own by default.
            redirect_uri: The redirect URI, which a token request must repeat if it has one. By default, it may have any.
            scopes: The scopes; all by default.
            code_challenge: A PKCE challenge (S256). With one, the token request must send the verifier; without, it must not.

        Raises:
            LookupError: The client is unknown.
            ValueError: A scope, the redirect URI or the challenge is invalid.

        Example:
            >>> from payman_sdk.sandbox import Sandbox
            >>> with Sandbox() as sandbox:
            ...     code = sandbox.issue_code(scopes=["read_balance"])
        """
        if redirect_uri is not None:
            clients.check_redirect(redirect_uri)
        if code_challenge is not None and not is_challenge(code_challenge):
            raise ValueError("code_challenge must be the base64url of a SHA-256 digest, 43 characters")
        return self.authority.issue_code(
            client_id or self.client_id,
            _parse_scopes(scopes),
            redirect_uri=redirect_uri,
            challenge=code_challenge,
        )

    def issue_token(
        self,
        client_id: str | None = None,
        *,
        scopes: Iterable[str] | None = None,
        lifetime: float | None = None,
        refresh: bool = True,
    ) -> dict[str, str | int]:
        """Return an access token, as the token endpoint would answer: what `with_token` takes.

        Args:
            client_id: The client; the sandbox's own by default.
            scopes: The scopes; all by default.
            lifetime: Seconds until the access token expires; `token_lifetime` by default.
            refresh: Whether to issue a refresh token too.

        Returns:
            `accessToken`, `tokenType`, `expiresIn` (seconds), `scope` and perhaps `refreshToken`.

        Raises:
            LookupError: The client is unknown.
            ValueError: A scope or the lifetime is invalid.

        Example:
            >>> from payman_sdk.sandbox import Sandbox
            >>> with Sandbox() as sandbox:
            ...     sandbox.issue_token(lifetime=60, scopes=["read_balance"])["scope"]
            'read_balance'
        """
        if lifetime is not None:
            check_lifetime("lifetime", lifetime)
        token = self.authority.issue_token(
            client_id or self.client_id, _parse_scopes(scopes), lifetime=lifetime, refresh=refresh
        )
        return token.as_json()

    def revoke_tokens(self, client_id: str | None = None, *, refresh: bool = False) -> None:
        """Revoke access tokens: the next request with one of them gets a 401.

        Args:
            client_id: The client whose tokens to revoke. The default is every client.
            refresh: Whether to revoke refresh tokens too.

        Raises:
            LookupError: The client is unknown.
        """
        self.authority.revoke(client_id, refresh=refresh)

    @property
    def token_requests(self) -> list[TokenRequest]:
        """Every request to the token endpoint since the sandbox was created, including refused ones, oldest first.

        Example:
            >>> from payman_sdk.sandbox import Sandbox
            >>> with Sandbox() as sandbox, sandbox.client() as client:
            ...     answers = [client.ask("hello"), client.ask("list all wallets")]
            ...     [(request.grant_type, request.outcome) for request in sandbox.token_requests]
            [('client_credentials', 'issued')]
        """
        return list(self.authority.token_requests)

    @property
    def reuse_detected(self) -> int:
        """How often a spent refresh token came again. Each time, all tokens of its grant were revoked."""
        return self.authority.reuse_detected


def _parse_scopes(asked: Iterable[str] | None) -> Scopes:
    return grants.EVERY if asked is None else grants.parse_scopes(asked)
