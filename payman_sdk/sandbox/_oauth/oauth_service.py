"""The OAuth server without HTTP: each method is one transaction and may be called from any thread."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from urllib.parse import parse_qsl, urlencode

from payman_sdk.sandbox._ledger.environment import SandboxEnvironment
from payman_sdk.sandbox._ledger.store import Store, Transaction
from payman_sdk.sandbox._oauth import authorization, clients, grants, token_endpoint
from payman_sdk.sandbox._oauth.authorization import Consent, Redirect, UnanswerableError
from payman_sdk.sandbox._oauth.clients import Client, OAuthError, ReuseError
from payman_sdk.sandbox._oauth.grants import Scopes, Terms, TokenKind
from payman_sdk.sandbox._oauth.token_endpoint import TokenResponse

_PATIENCE = 3600  # seconds that a person may take to decide


@dataclass(frozen=True)
class TokenRequest:
    """A request to the token endpoint and its result, without secrets.

    Attributes:
        grant_type: One of the three that are supported, or None.
        client_id: The client, or None if it is not identified.
        outcome: `issued`, or the error of RFC 6749, such as `invalid_grant`.
    """

    grant_type: str | None
    client_id: str | None
    outcome: str


class OAuthService:
    def __init__(self, store: Store, world: SandboxEnvironment, terms: Terms) -> None:
        self.store, self._world, self._terms = store, world, terms
        # In memory only: after a restart of the sandbox, an open page must be loaded again.
        self._key = world.randomness(32)
        self.token_requests: list[TokenRequest] = []
        self.reuse_detected = 0

    def answer_token_request(
        self, authorization: str | None, parameters: Sequence[tuple[str, str]] | None
    ) -> TokenResponse:
        """Answer a token request, whose parameters are None if they could not be read; raises OAuthError."""
        given: Mapping[str, str] = {}
        client: Client | None = None
        outcome = "server_error"
        try:
            if parameters is None:
                raise OAuthError("invalid_request", "the parameters are not form-encoded")
            given = token_endpoint.index_parameters(parameters)
            with self.store.transaction() as tx:
                client = clients.authenticate(tx, authorization, given.get("client_id"))
                answer = self._grant_token(tx, client, given)
            if isinstance(answer, ReuseError):
                raise answer
            outcome = "issued"
            return answer
        except OAuthError as refusal:
            outcome = refusal.error
            raise
        finally:
            grant_type = given.get("grant_type")
            self.token_requests.append(
                TokenRequest(
                    grant_type if grant_type in token_endpoint.GRANT_TYPES else None,
                    None if client is None else client.id,
                    outcome,
                )
            )

    def _grant_token(
        self, tx: Transaction, client: Client, given: Mapping[str, str]
    ) -> TokenResponse | ReuseError:
        """Return a ReuseError instead of raising it: what it revoked must be saved."""
        try:
            return token_endpoint.grant(tx, self._world, self._terms, client, given)
        except ReuseError as reuse:
            if given.get("grant_type") == "refresh_token":
                self.reuse_detected += 1
            return reuse

    def ask(self, parameters: Sequence[tuple[str, str]]) -> Consent | Redirect:
        """Return what to show for an authorization request, or where to send the browser. Raises UnanswerableError."""
        with self.store.transaction() as tx:
            question = authorization.parse_request(tx, parameters)
        if isinstance(question, Redirect):
            return question
        request = urlencode(question.parameters)
        expires = int(self._world.clock()) + _PATIENCE
        return Consent(question, request, authorization.sign_ticket(request, self._key, expires))

    def decide(self, form: Sequence[tuple[str, str]]) -> Redirect:
        """Return where to send the browser with an answer from the request's page. Raises UnanswerableError."""
        answer = dict(form)
        request, decision = answer.get("request", ""), answer.get("decision")
        if not authorization.is_valid_ticket(
            answer.get("ticket", ""), request, self._key, self._world.clock()
        ):
            raise UnanswerableError("the page that this answer comes from is too old, or not ours")
        with self.store.transaction() as tx:
            question = authorization.parse_request(tx, parse_qsl(request))
            if isinstance(question, Redirect):
                return question
            if decision != "allow":
                return question.make_redirect(
                    error="access_denied", error_description="the person did not allow it"
                )
            code = self._issue_code(
                tx,
                question.client_id,
                question.scopes,
                redirect_uri=question.redirect_uri,
                challenge=question.challenge,
            )
            return question.make_redirect(code=code)

    def issue_code(
        self, client_id: str, allowed: Scopes, *, redirect_uri: str | None, challenge: str | None
    ) -> str:
        """Return a code as a person's consent would give it; LookupError if the client is unknown."""
        with self.store.transaction() as tx:
            _check_client(tx, client_id)
            return self._issue_code(tx, client_id, allowed, redirect_uri=redirect_uri, challenge=challenge)

    def issue_token(
        self, client_id: str, allowed: Scopes, *, lifetime: float | None, refresh: bool
    ) -> TokenResponse:
        """Tokens without a request for them; LookupError if the client is unknown."""
        terms = self._terms if lifetime is None else replace(self._terms, token_lifetime=lifetime)
        with self.store.transaction() as tx:
            _check_client(tx, client_id)
            return token_endpoint.issue(
                tx, self._world, terms, grants.open_grant(tx, client_id, allowed), refresh=refresh
            )

    def revoke(self, client_id: str | None, *, refresh: bool) -> None:
        with self.store.transaction() as tx:
            if client_id is not None:
                _check_client(tx, client_id)
            grants.withdraw(tx, client_id, TokenKind.ACCESS, *([TokenKind.REFRESH] if refresh else []))

    def _issue_code(
        self,
        tx: Transaction,
        client_id: str,
        allowed: Scopes,
        *,
        redirect_uri: str | None,
        challenge: str | None,
    ) -> str:
        grant = grants.open_grant(tx, client_id, allowed, redirect_uri=redirect_uri, challenge=challenge)
        return grants.issue(tx, self._world, grant, TokenKind.CODE, allowed, self._terms.code_lifetime)


def _check_client(tx: Transaction, client_id: str) -> None:
    if clients.find(tx, client_id) is None:
        raise LookupError(f"unknown client {client_id}")
