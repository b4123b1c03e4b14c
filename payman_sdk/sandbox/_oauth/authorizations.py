"""The connections of an app to its account, as a person sees and ends them.

A client is connected in two ways at most: by consent, which people gave once or several times, and by its own
credentials. Each is revoked as a whole. After a consent was revoked another can be given; credentials are good for
nothing until they are allowed again.
"""

from __future__ import annotations

from dataclasses import dataclass

from payman_sdk.sandbox._ledger.environment import SandboxEnvironment
from payman_sdk.sandbox._ledger.store import Transaction
from payman_sdk.sandbox._oauth import scopes
from payman_sdk.sandbox._oauth.scopes import Scopes


@dataclass(frozen=True)
class ClientAuthorization:
    """One way in which a client is connected.

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


def revoke(tx: Transaction, client_id: str, *, by_credentials: bool) -> None:
    """End a connection and every code and token that came of it."""
    tx.execute(
        "UPDATE grants SET revoked = 1 WHERE client_id = ? AND by_credentials = ?",
        (client_id, by_credentials),
    )
    if by_credentials:
        tx.execute("UPDATE clients SET barred = 1 WHERE id = ?", (client_id,))


def allow_again(tx: Transaction, client_id: str) -> None:
    """Let a client get tokens by its own credentials again."""
    tx.execute("UPDATE clients SET barred = 0 WHERE id = ?", (client_id,))


def is_barred(tx: Transaction, client_id: str) -> bool:
    """Whether the client's own credentials are good for nothing."""
    return bool(tx.execute("SELECT barred FROM clients WHERE id = ?", (client_id,)).fetchone()["barred"])
