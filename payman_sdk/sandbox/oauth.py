"""OAuth 2.0: clients, grants and access tokens.

The answer's camelCase members and the parameters in the query string are what Payman's clients were seen to use [D];
a form body is understood as well, and errors are those of RFC 6749 [P].
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import unquote_plus

from payman_sdk.sandbox import accounts
from payman_sdk.sandbox.accounts import Account
from payman_sdk.sandbox.store import Transaction
from payman_sdk.sandbox.world import World

SCOPES = (
    "read_balance",
    "read_list_wallets",
    "read_list_payees",
    "read_list_transactions",
    "write_create_payee",
    "write_send_payment",
    "write_create_wallet",
)
"""Every scope that Payman documents [D]."""


class OAuthError(Exception):
    """An error of RFC 6749, section 5.2; `status` is that of its HTTP answer."""

    def __init__(self, error: str, description: str, status: int = 400) -> None:
        super().__init__(f"{error}: {description}")
        self.error, self.description, self.status = error, description, status


@dataclass(frozen=True)
class Token:
    """An access token; `lifetime` is in seconds."""

    value: str
    lifetime: int
    scope: str

    def as_json(self) -> dict[str, object]:
        """The answer of the token endpoint [D]."""
        return {
            "accessToken": self.value,
            "tokenType": "Bearer",
            "expiresIn": self.lifetime,
            "scope": self.scope,
        }


def grant(
    tx: Transaction,
    world: World,
    *,
    authorization: str | None,
    parameters: Sequence[tuple[str, str]],
    lifetime: float,
) -> Token:
    """Answer a token request.

    Args:
        tx: the transaction it happens in.
        world: the clock and the source of chance.
        authorization: the header of that name.
        parameters: those of the query and of the form, as they came.
        lifetime: of the token, in seconds.

    Raises:
        OAuthError: if the client is not known, or the request is not understood.
    """
    given = _once(parameters)
    client_id = _authenticate(tx, authorization)
    if given.get("client_id", client_id) != client_id:
        raise OAuthError("invalid_request", "client_id is not the client of the Authorization header")
    match given.get("grant_type"):
        case None:
            raise OAuthError("invalid_request", "grant_type is missing")
        case "client_credentials":
            return _issue(tx, world, client_id, _scope(given.get("scope")), lifetime)
        case unknown:
            raise OAuthError("unsupported_grant_type", f"grant_type {unknown[:80]!r} is not supported")


def account_of(tx: Transaction, world: World, token: str | None) -> Account | None:
    """The account that an access token opens; None where there is no token, or it is unknown or has expired."""
    if not token:
        return None
    row = tx.execute(
        "SELECT client_id FROM tokens WHERE digest = ? AND expires > ?", (_digest(token), world.now())
    ).fetchone()
    return None if row is None else accounts.find_account(tx, row["client_id"])


def _issue(tx: Transaction, world: World, client_id: str, scope: str, lifetime: float) -> Token:
    tx.execute("DELETE FROM tokens WHERE expires <= ?", (world.now(),))
    token = Token(world.new_secret(), int(lifetime), scope)
    expires = world.now() + round(lifetime * 1_000_000_000)
    tx.execute("INSERT INTO tokens VALUES (?, ?, ?, ?)", (_digest(token.value), client_id, scope, expires))
    return token


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


def _once(parameters: Sequence[tuple[str, str]]) -> Mapping[str, str]:
    given: dict[str, str] = {}
    for name, value in parameters:
        if name in given:
            raise OAuthError("invalid_request", f"{name[:80]} is there more than once")
        given[name] = value
    # RFC 6749, section 3.2: a parameter without a value is as good as none.
    return {name: value for name, value in given.items() if value}


def _authenticate(tx: Transaction, authorization: str | None) -> str:
    """The id of the client whose credentials are in the Authorization header."""
    refusal = OAuthError("invalid_client", "the client is unknown or its secret is wrong", status=401)
    if not authorization:
        raise OAuthError(
            "invalid_client", "an Authorization header with the client's id and secret is missing", 401
        )
    scheme, _, encoded = authorization.partition(" ")
    try:
        client_id, colon, secret = base64.b64decode(encoded.strip(), validate=True).decode().partition(":")
    except ValueError:
        raise refusal from None
    if scheme.casefold() != "basic" or not colon:
        raise refusal
    # RFC 6749, section 2.3.1, has both parts form-encoded; most clients leave them as they are.
    for name, key in ((client_id, secret), (unquote_plus(client_id), unquote_plus(secret))):
        row = tx.execute("SELECT secret FROM clients WHERE id = ?", (name,)).fetchone()
        # Compared in any case, so that an unknown client takes as long as a wrong secret.
        same = hmac.compare_digest(key.encode(), (row["secret"] if row else "").encode())
        if row and same:
            return name
    raise refusal


def _scope(asked: str | None) -> str:
    """The scopes that are granted, joined by commas as Payman does; all of them where none is asked for."""
    scopes = asked.replace(",", " ").split() if asked else list(SCOPES)
    for scope in scopes:
        if scope not in SCOPES:
            raise OAuthError(
                "invalid_scope", f"scope {scope[:80]!r} is unknown; known are {', '.join(SCOPES)}"
            )
    return ",".join(scopes)
