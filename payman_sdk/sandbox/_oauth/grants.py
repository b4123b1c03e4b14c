"""Grants and the tokens that hang on them: the authorization code, the access tokens and the refresh tokens.

A grant records what a person allowed a client once. Revoking it ends all its tokens. That happens when a spent code or refresh
token comes again (RFC 6749, section 4.1.2; RFC 9700, section 4.14.2). Tokens are stored as digests only.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import StrEnum

from payman_sdk.sandbox._ledger import accounts
from payman_sdk.sandbox._ledger.accounts import Account
from payman_sdk.sandbox._ledger.environment import SandboxEnvironment
from payman_sdk.sandbox._ledger.store import Transaction
from payman_sdk.sandbox._oauth import scopes
from payman_sdk.sandbox._oauth.scopes import Scopes

_LONGEST_LIFETIME = 1_000_000_000


class TokenKind(StrEnum):
    """The kinds of tokens; an authorization code is one that gets others."""

    CODE = "code"
    ACCESS = "access"
    REFRESH = "refresh"


@dataclass(frozen=True, kw_only=True)
class Terms:
    """How long tokens live, in seconds, and which are given.

    Raises:
        ValueError: if a lifetime cannot be one.
    """

    token_lifetime: float = 3600
    refresh_token_lifetime: float = 30 * 24 * 3600
    code_lifetime: float = 60
    rotate_refresh_tokens: bool = True
    refresh_for_credentials: bool = False

    def __post_init__(self) -> None:
        for name in ("token_lifetime", "refresh_token_lifetime", "code_lifetime"):
            check_lifetime(name, getattr(self, name))


def check_lifetime(name: str, seconds: object) -> float:
    """Return the lifetime, or a ValueError that names it."""
    if not isinstance(seconds, int | float) or not 0 < seconds <= _LONGEST_LIFETIME:
        raise ValueError(f"{name} must be above 0 and at most {_LONGEST_LIFETIME} seconds, not {seconds!r}")
    return seconds


@dataclass(frozen=True)
class Grant:
    """What a client was allowed; a token of it may allow less. A redirect URI and a challenge of PKCE belong to its code."""

    number: int
    client_id: str
    scopes: Scopes
    redirect_uri: str | None
    challenge: str | None


@dataclass(frozen=True)
class TokenRecord:
    """The record of a code or refresh token that somebody holds."""

    digest: bytes
    grant: Grant
    expires: int
    spent: bool
    revoked: bool


@dataclass(frozen=True)
class Access:
    """What an access token opens: an account, as far as the scopes go."""

    account: Account
    scopes: Scopes


def open_grant(
    tx: Transaction,
    client_id: str,
    allowed: Scopes,
    *,
    by_credentials: bool = False,
    redirect_uri: str | None = None,
    challenge: str | None = None,
) -> Grant:
    """Write down what a client was allowed: by a person, or by its own credentials."""
    number = tx.execute(
        "INSERT INTO grants (client_id, scope, by_credentials, redirect_uri, challenge) VALUES (?, ?, ?, ?, ?)",
        (client_id, scopes.format_scopes(allowed), by_credentials, redirect_uri, challenge),
    ).lastrowid
    assert number is not None  # noqa: S101 (a row was inserted)
    return Grant(number, client_id, allowed, redirect_uri, challenge)


def issue(
    tx: Transaction,
    world: SandboxEnvironment,
    grant: Grant,
    kind: TokenKind,
    allowed: Scopes,
    lifetime: float,
) -> str:
    """Return a new token of a grant; the lifetime is in seconds."""
    _forget(tx, world)
    value = world.new_secret()
    tx.execute(
        "INSERT INTO tokens (digest, kind, grant_number, scope, expires) VALUES (?, ?, ?, ?, ?)",
        (
            _hash_token(value),
            kind,
            grant.number,
            scopes.format_scopes(allowed),
            _compute_expiry(world, lifetime),
        ),
    )
    return value


def find_access(tx: Transaction, world: SandboxEnvironment, token: str | None) -> Access | None:
    """Return what an access token opens; None if it is missing, unknown, revoked or expired."""
    if not token:
        return None
    row = tx.execute(
        "SELECT g.client_id, t.scope FROM tokens t JOIN grants g ON g.number = t.grant_number "
        "WHERE t.digest = ? AND t.kind = ? AND t.expires > ? AND NOT g.revoked",
        (_hash_token(token), TokenKind.ACCESS, world.now()),
    ).fetchone()
    if row is None:
        return None
    account = accounts.find_account(tx, row["client_id"])
    return None if account is None else Access(account, scopes.parse_scopes(row["scope"]))


def find(tx: Transaction, kind: TokenKind, value: str) -> TokenRecord | None:
    """Return the code or refresh token, valid or not."""
    row = tx.execute(
        "SELECT t.digest, t.expires, t.spent, g.* FROM tokens t JOIN grants g ON g.number = t.grant_number "
        "WHERE t.digest = ? AND t.kind = ?",
        (_hash_token(value), kind),
    ).fetchone()
    if row is None:
        return None
    grant = Grant(
        row["number"],
        row["client_id"],
        scopes.parse_scopes(row["scope"]),
        row["redirect_uri"],
        row["challenge"],
    )
    return TokenRecord(row["digest"], grant, row["expires"], bool(row["spent"]), bool(row["revoked"]))


def spend(tx: Transaction, world: SandboxEnvironment, held: TokenRecord, remember: float) -> None:
    """Note that it was used, and remember that for so many seconds: as long as what it was used to get may live."""
    tx.execute(
        "UPDATE tokens SET spent = 1, expires = MAX(expires, ?) WHERE digest = ?",
        (_compute_expiry(world, remember), held.digest),
    )


def revoke(tx: Transaction, grant: Grant) -> None:
    """End every token of a grant."""
    tx.execute("UPDATE grants SET revoked = 1 WHERE number = ?", (grant.number,))


def withdraw(tx: Transaction, client_id: str | None, *kinds: TokenKind) -> None:
    """Delete all tokens of those kinds, of one client or of all."""
    for kind in kinds:
        tx.execute(
            "DELETE FROM tokens WHERE kind = ? AND grant_number IN "
            "(SELECT number FROM grants WHERE client_id = COALESCE(?, client_id))",
            (kind, client_id),
        )


def _forget(tx: Transaction, world: SandboxEnvironment) -> None:
    """Delete what has expired, and grants that have nothing left."""
    gone = tx.execute(
        "DELETE FROM tokens WHERE expires <= ? RETURNING grant_number", (world.now(),)
    ).fetchall()
    for number in {row["grant_number"] for row in gone}:
        tx.execute(
            "DELETE FROM grants WHERE number = :number "
            "AND NOT EXISTS (SELECT 1 FROM tokens WHERE grant_number = :number)",
            {"number": number},
        )


def _compute_expiry(world: SandboxEnvironment, seconds: float) -> int:
    return world.now() + round(seconds * 1_000_000_000)


def _hash_token(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


@dataclass(frozen=True)
class ClientAuthorization:
    """One way in which a client is connected: by consent, which people gave once or several times, or by its own credentials.

    Each is revoked as a whole. After a consent was revoked another can be given; credentials are good for nothing until they are
    allowed again.

    Attributes:
        by_credentials: whether by its own credentials; otherwise by consent.
        scopes: all that its tokens may allow, in the order of the API.
        tokens: how many access and refresh tokens are alive.
        redirect_uris: where consents led.
        revoked: whether a person ended it, so that no more tokens are given.
    """

    by_credentials: bool
    scopes: Scopes
    tokens: int
    redirect_uris: tuple[str, ...] = ()
    revoked: bool = False


def list_authorizations(
    tx: Transaction, world: SandboxEnvironment, client_id: str
) -> list[ClientAuthorization]:
    """Return the connections that have a token alive, and the credentials that were revoked."""
    rows = tx.execute(
        "SELECT g.by_credentials, g.scope, g.redirect_uri, COUNT(*) AS tokens FROM grants g "
        "JOIN tokens t ON t.grant_number = g.number WHERE g.client_id = ? AND NOT g.revoked AND NOT t.spent "
        "AND t.expires > ? AND t.kind <> 'code' GROUP BY g.by_credentials, g.scope, g.redirect_uri",
        (client_id, world.now()),
    ).fetchall()
    found: list[ClientAuthorization] = []
    for by_credentials in (False, True):
        several = [row for row in rows if bool(row["by_credentials"]) is by_credentials]
        revoked = by_credentials and is_barred(tx, client_id)
        if several or revoked:
            allowed = {scope for row in several for scope in scopes.parse_scopes(row["scope"])}
            found.append(
                ClientAuthorization(
                    by_credentials,
                    tuple(scope for scope in scopes.EVERY if scope in allowed),
                    sum(row["tokens"] for row in several),
                    tuple(sorted({row["redirect_uri"] for row in several if row["redirect_uri"]})),
                    revoked,
                )
            )
    return found


def revoke_authorization(tx: Transaction, client_id: str, *, by_credentials: bool) -> None:
    """End a connection and every code and token that came of it."""
    tx.execute(
        "UPDATE grants SET revoked = 1 WHERE client_id = ? AND by_credentials = ?",
        (client_id, by_credentials),
    )
    if by_credentials:
        tx.execute("UPDATE clients SET barred = 1 WHERE id = ?", (client_id,))


def allow_credentials(tx: Transaction, client_id: str) -> None:
    """Let a client get tokens by its own credentials again."""
    tx.execute("UPDATE clients SET barred = 0 WHERE id = ?", (client_id,))


def is_barred(tx: Transaction, client_id: str) -> bool:
    """Whether the client's own credentials are good for nothing."""
    return bool(tx.execute("SELECT barred FROM clients WHERE id = ?", (client_id,)).fetchone()["barred"])
