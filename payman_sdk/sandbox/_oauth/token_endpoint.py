"""The token endpoint of OAuth 2.0: grants in, tokens out.

Answers have camelCase members, and parameters come in the query string, as Payman's clients use them [D]. A form body works too,
and errors follow RFC 6749 [P].

A code is valid for one use, by its client and with its PKCE verifier. Without PKCE, only a client with a secret can use it.
Payman's published clients omit the redirect URI; if present, it must be that of the authorization request. A refresh token is valid
for one use too, unless rotation is off. If two requests use it at the same time, one gets tokens. The other counts as theft and
ends the grant.
"""

import base64
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from payman_sdk.sandbox._ledger.environment import SandboxEnvironment
from payman_sdk.sandbox._ledger.store import Transaction
from payman_sdk.sandbox._oauth import clients, grants
from payman_sdk.sandbox._oauth.clients import Client, OAuthError, ReuseError
from payman_sdk.sandbox._oauth.grants import Grant, Scopes, Terms, TokenKind, TokenRecord

GRANT_TYPES = ("client_credentials", "authorization_code", "refresh_token")


@dataclass(frozen=True)
class TokenResponse:
    """An access token, and perhaps the refresh token that gets the next one; `lifetime` is in seconds."""

    value: str = field(repr=False)
    lifetime: int
    scope: str
    refresh_token: str | None = field(default=None, repr=False)

    def as_json(self) -> dict[str, str | int]:
        """Return the answer of the token endpoint [D]."""
        answer: dict[str, str | int] = {
            "accessToken": self.value,
            "tokenType": "Bearer",
            "expiresIn": self.lifetime,
            "scope": self.scope,
        }
        return answer if self.refresh_token is None else {**answer, "refreshToken": self.refresh_token}


def grant(
    tx: Transaction, world: SandboxEnvironment, terms: Terms, client: Client, given: Mapping[str, str]
) -> TokenResponse:
    """Answer a client's token request; raises OAuthError. What is written before a ReuseError must be kept."""
    match given.get("grant_type"):
        case None:
            raise OAuthError("invalid_request", "grant_type is missing")
        case "client_credentials":
            return _grant_by_credentials(tx, world, terms, client, given)
        case "authorization_code":
            return _grant_by_code(tx, world, terms, client, given)
        case "refresh_token":
            return _grant_by_refresh(tx, world, terms, client, given)
        case unknown:
            raise OAuthError("unsupported_grant_type", f"grant_type {unknown[:80]!r} is not supported")


def issue(
    tx: Transaction,
    world: SandboxEnvironment,
    terms: Terms,
    grant: Grant,
    allowed: Scopes | None = None,
    *,
    refresh: bool,
) -> TokenResponse:
    """Issue tokens for a grant: an access token for its scopes or fewer, and perhaps a refresh token."""
    allowed = grant.scopes if allowed is None else allowed
    value = grants.issue(tx, world, grant, TokenKind.ACCESS, allowed, terms.token_lifetime)
    renewal = None
    if refresh:
        renewal = grants.issue(
            tx, world, grant, TokenKind.REFRESH, grant.scopes, terms.refresh_token_lifetime
        )
    return TokenResponse(value, max(1, int(terms.token_lifetime)), grants.format_scopes(allowed), renewal)


def parse_requested_scopes(asked: str | None) -> Scopes | None:
    """Return the requested scopes, None without any; OAuthError if one is unknown."""
    try:
        return None if asked is None else grants.parse_scopes(asked)
    except ValueError as unknown:
        raise OAuthError("invalid_scope", str(unknown)) from None


def index_parameters(parameters: Sequence[tuple[str, str]]) -> Mapping[str, str]:
    """Return the parameters by name; OAuthError if one is there twice."""
    given: dict[str, str] = {}
    for name, value in parameters:
        if name in given:
            raise OAuthError("invalid_request", f"{name[:80]} is given more than once")
        given[name] = value
    # RFC 6749, section 3.2: a parameter without a value is as good as none.
    return {name: value for name, value in given.items() if value}


def _grant_by_credentials(
    tx: Transaction, world: SandboxEnvironment, terms: Terms, client: Client, given: Mapping[str, str]
) -> TokenResponse:
    if client.is_public:
        raise OAuthError("unauthorized_client", "client_credentials is for clients that have a secret")
    if clients.is_barred(tx, client.id):
        raise OAuthError(
            "unauthorized_client",
            "what this client may do by its own credentials was revoked; allow it again on the sandbox's page",
        )
    allowed = parse_requested_scopes(given.get("scope")) or grants.EVERY
    opened = grants.open_grant(tx, client.id, allowed, by_credentials=True)
    return issue(tx, world, terms, opened, refresh=terms.refresh_for_credentials)


def _grant_by_code(
    tx: Transaction, world: SandboxEnvironment, terms: Terms, client: Client, given: Mapping[str, str]
) -> TokenResponse:
    code = _find_token(tx, world, TokenKind.CODE, client, given.get("code"), "code")
    redirect_uri = given.get("redirect_uri")
    if None not in (redirect_uri, code.grant.redirect_uri) and redirect_uri != code.grant.redirect_uri:
        raise OAuthError("invalid_grant", "redirect_uri is not that of the authorization request")
    if code.grant.challenge is None and client.is_public:
        raise OAuthError(
            "invalid_grant",
            "the code was asked for without a code_challenge, which a client without a secret must give",
        )
    _prove(code.grant.challenge, given.get("code_verifier"))
    grants.spend(tx, world, code, terms.refresh_token_lifetime)
    return issue(tx, world, terms, code.grant, refresh=True)


def _grant_by_refresh(
    tx: Transaction, world: SandboxEnvironment, terms: Terms, client: Client, given: Mapping[str, str]
) -> TokenResponse:
    held = _find_token(tx, world, TokenKind.REFRESH, client, given.get("refresh_token"), "refresh_token")
    allowed = parse_requested_scopes(given.get("scope"))
    for scope in allowed or ():
        if scope not in held.grant.scopes:
            raise OAuthError(
                "invalid_scope", f"scope {scope} was not granted; a refresh cannot add to what was"
            )
    if terms.rotate_refresh_tokens:
        grants.spend(tx, world, held, terms.refresh_token_lifetime)
    return issue(tx, world, terms, held.grant, allowed, refresh=terms.rotate_refresh_tokens)


def _find_token(
    tx: Transaction, world: SandboxEnvironment, kind: TokenKind, client: Client, value: str | None, name: str
) -> TokenRecord:
    if value is None:
        raise OAuthError("invalid_request", f"{name} is missing")
    held = grants.find(tx, kind, value)
    if held is None or held.grant.client_id != client.id:
        raise OAuthError("invalid_grant", f"the {name} is unknown, or another client's")
    if held.spent:
        grants.revoke(tx, held.grant)
        raise ReuseError("invalid_grant", f"the {name} was used before; all tokens of its grant are revoked")
    if held.revoked:
        raise OAuthError("invalid_grant", f"the {name} is revoked")
    if held.expires <= world.now():
        raise OAuthError("invalid_grant", f"the {name} has expired")
    return held


def _prove(challenge: str | None, verifier: str | None) -> None:
    """Refuse a verifier that does not belong to the challenge (RFC 7636), and one without the other."""
    if challenge is None:
        if verifier is not None:
            raise OAuthError("invalid_grant", "the code was asked for without a code_challenge")
        return
    if verifier is None:
        raise OAuthError("invalid_grant", "code_verifier is missing; the code was asked for with a challenge")
    digest = hashlib.sha256(verifier.encode()).digest()
    met = base64.urlsafe_b64encode(digest).rstrip(b"=")
    if not hmac.compare_digest(met, challenge.encode()):
        raise OAuthError("invalid_grant", "code_verifier is not that of the code_challenge")
