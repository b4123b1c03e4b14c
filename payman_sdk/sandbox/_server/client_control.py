"""Clients of the sandbox for tests: register them, issue and revoke their tokens, and list token requests."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from payman_sdk.sandbox._ledger import accounts
from payman_sdk.sandbox._ledger.environment import SandboxEnvironment
from payman_sdk.sandbox._ledger.store import Store
from payman_sdk.sandbox._oauth import clients, scopes
from payman_sdk.sandbox._oauth.authorization import is_challenge
from payman_sdk.sandbox._oauth.grants import check_lifetime
from payman_sdk.sandbox._oauth.oauth_service import OAuthService, TokenRequest
from payman_sdk.sandbox._oauth.scopes import Scopes


class ClientControl:
    """The clients and tokens of a sandbox."""

    authority: OAuthService
    client_id: str
    _store: Store
    _world: SandboxEnvironment

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

        It is for the client's own account, which in the sandbox is also the person's account.

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
    return scopes.EVERY if asked is None else scopes.parse_scopes(asked)
