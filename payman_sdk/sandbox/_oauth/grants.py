"""Scopes, grants of them, and their tokens: the authorization code, the access tokens and the refresh tokens.

A grant records what a person allowed a client once. Revoking it ends all its tokens. That happens when a spent code or refresh
token comes again (RFC 6749, section 4.1.2; RFC 9700, section 4.14.2). Tokens are stored as digests only.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from payman_api.models import Scope
from payman_sdk.sandbox._ledger import accounts
from payman_sdk.sandbox._ledger.accounts import Account
from payman_sdk.sandbox._ledger.environment import SandboxEnvironment
from payman_sdk.sandbox._ledger.store import Transaction

Scopes = tuple[Scope, ...]
"""Several scopes, each once, in the order in which they were asked for."""

EVERY: Scopes = tuple(Scope)

IN_WORDS: Mapping[Scope, str] = MappingProxyType(
    {
        Scope.READ_BALANCE: "See how much is in your wallets",
        Scope.READ_LIST_WALLETS: "See your wallets and their limits",
        Scope.READ_LIST_PAYEES: "See your payees",
        Scope.READ_LIST_TRANSACTIONS: "See your transactions and what waits for approval",
        Scope.WRITE_CREATE_PAYEE: "Add payees to your account",
        Scope.WRITE_SEND_PAYMENT: "Send payments from your wallets, and approve or deny those that wait",
        Scope.WRITE_CREATE_WALLET: "Open new wallets",
    }
)
"""What each scope allows, as the consent page says it."""


def parse_scopes(asked: str | Iterable[str]) -> Scopes:
    """Return the scopes of a list, or of a text with commas [D] or spaces [P]; raises ValueError."""
    names = asked.replace(",", " ").split() if isinstance(asked, str) else [str(name) for name in asked]
    if not names:
        raise ValueError(f"scope is empty; name at least one of {', '.join(EVERY)}")
    for name in names:
        if name not in EVERY:
            raise ValueError(f"scope {name[:80]!r} is unknown; known are {', '.join(EVERY)}")
    return tuple(dict.fromkeys(Scope(name) for name in names))


def format_scopes(scopes: Iterable[Scope]) -> str:
    """Return the scopes joined by commas, as Payman does [D]."""
    return ",".join(scopes)


_LONGEST_LIFETIME = 1_000_000_000


class TokenKind(StrEnum):
    """The kinds of tokens; an authorization code is one that gets others."""

    CODE = "code"
    ACCESS = "access"
    REFRESH = "refresh"


@dataclass(frozen=True, kw_only=True)
class Terms:
    """How long tokens live, in seconds, and which are given. Raises ValueError for an invalid lifetime."""

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
    number = tx.execute(
        "INSERT INTO grants (client_id, scope, by_credentials, redirect_uri, challenge) VALUES (?, ?, ?, ?, ?)",
        (client_id, format_scopes(allowed), by_credentials, redirect_uri, challenge),
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
            format_scopes(allowed),
            _compute_expiry(world, lifetime),
        ),
    )
    return value


def find_access(tx: Transaction, world: SandboxEnvironment, token: str | None) -> Access | None:
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
    return None if account is None else Access(account, parse_scopes(row["scope"]))


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
        parse_scopes(row["scope"]),
        row["redirect_uri"],
        row["challenge"],
    )
    return TokenRecord(row["digest"], grant, row["expires"], bool(row["spent"]), bool(row["revoked"]))


def spend(tx: Transaction, world: SandboxEnvironment, held: TokenRecord, remember: float) -> None:
    """Note its use for so many seconds: as long as the tokens it was used to get may live."""
    tx.execute(
        "UPDATE tokens SET spent = 1, expires = MAX(expires, ?) WHERE digest = ?",
        (_compute_expiry(world, remember), held.digest),
    )


def revoke(tx: Transaction, grant: Grant) -> None:
    tx.execute("UPDATE grants SET revoked = 1 WHERE number = ?", (grant.number,))


def withdraw(tx: Transaction, client_id: str | None, *kinds: TokenKind) -> None:
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
