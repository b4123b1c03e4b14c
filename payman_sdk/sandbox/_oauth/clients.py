"""Clients: confidential ones, which have a secret, and public ones, which have none; and where they may be redirected to."""

from __future__ import annotations

import base64
import hmac
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import unquote_plus

from payman_sdk.sandbox._ledger.store import Transaction
from payman_sdk.sandbox._oauth import redirects
from payman_sdk.sandbox._oauth.errors import OAuthError


@dataclass(frozen=True)
class Client:
    """A client that is registered; a public one has no secret."""

    id: str
    is_public: bool


def find(tx: Transaction, client_id: str) -> Client | None:
    """Return the client of that id."""
    row = tx.execute("SELECT id, secret IS NULL AS public FROM clients WHERE id = ?", (client_id,)).fetchone()
    return None if row is None else Client(row["id"], bool(row["public"]))


def find_first(tx: Transaction) -> tuple[str, str] | None:
    """Return the id and secret of the confidential client that was registered first."""
    row = tx.execute(
        "SELECT id, secret FROM clients WHERE secret IS NOT NULL ORDER BY rowid LIMIT 1"
    ).fetchone()
    return None if row is None else (row["id"], row["secret"])


def register_redirects(tx: Transaction, client_id: str, uris: Iterable[str]) -> None:
    """Fix the redirect URIs of a client, in place of earlier ones; with none, it may use any usable one.

    Raises:
        ValueError: if the client is unknown, or a URI is not usable.
    """
    if find(tx, client_id) is None:
        raise ValueError(f"redirect_uris: unknown client {client_id}")
    tx.execute("DELETE FROM redirect_uris WHERE client_id = ?", (client_id,))
    for uri in dict.fromkeys([uris] if isinstance(uris, str) else uris):
        try:
            redirects.check(uri)
        except ValueError as unusable:
            raise ValueError(f"redirect_uris of {client_id}: {unusable}") from None
        tx.execute("INSERT INTO redirect_uris VALUES (?, ?)", (client_id, uri))


def list_redirects(tx: Transaction, client_id: str) -> list[str]:
    """Return the fixed redirect URIs of a client; none where it may use any."""
    rows = tx.execute("SELECT uri FROM redirect_uris WHERE client_id = ? ORDER BY rowid", (client_id,))
    return [row["uri"] for row in rows]


def authenticate(tx: Transaction, authorization: str | None, client_id: str | None) -> Client:
    """Who asks: by an Authorization header (Basic), or, without one, the public client that is named.

    Raises:
        OAuthError: if nobody is named, or the client is not known, or has a secret and does not show it.
    """
    if authorization:
        client = Client(_authenticate_basic(tx, authorization), is_public=False)
        if client_id not in (None, client.id):
            raise OAuthError("invalid_request", "client_id is not the client of the Authorization header")
        return client
    named = None if client_id is None else find(tx, client_id)
    if named is None or not named.is_public:
        raise OAuthError(
            "invalid_client",
            "an Authorization header with the client's id and secret is missing; "
            "only a public client sends its client_id alone",
            401,
        )
    return named


def _authenticate_basic(tx: Transaction, authorization: str) -> str:
    """Return the id of the client whose credentials are in the header."""
    refusal = OAuthError("invalid_client", "the client is unknown or its secret is wrong", status=401)
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
        known = None if row is None else row["secret"]
        # Compared in any case, so that an unknown client takes as long as a wrong secret.
        same = hmac.compare_digest(key.encode(), (known or "").encode())
        if known is not None and same:
            return name
    raise refusal
