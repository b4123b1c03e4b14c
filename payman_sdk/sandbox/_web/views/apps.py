"""The apps that are connected to an account, and the scopes that can be asked with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from payman_sdk.sandbox._ledger.accounts import Account
from payman_sdk.sandbox._ledger.environment import World
from payman_sdk.sandbox._ledger.store import Transaction
from payman_sdk.sandbox._oauth import authorizations, redirects, scopes
from payman_sdk.sandbox._oauth.authorizations import Connection
from payman_sdk.sandbox._oauth.scopes import IN_WORDS, Scopes

_MOST_TARGETS = 5


@dataclass(frozen=True)
class AppShown:
    """A connection of the account's app.

    Attributes:
        kind: `consent` or `credentials`.
        how: that in words.
        scopes: names and what they allow.
        targets: where consents led, some of them.
        tokens: how many tokens are alive.
        revoked: whether it was ended, so that it can be allowed again.
    """

    kind: str
    how: str
    scopes: Sequence[tuple[str, str]]
    targets: Sequence[str]
    tokens: int
    revoked: bool


_HOW = {"consent": "By consent", "credentials": "By its own credentials"}


def connected(tx: Transaction, world: World, account: Account) -> list[AppShown]:
    """The connections of the account's app."""
    return [_shown(one) for one in authorizations.of_client(tx, world, account.client_id)]


def scopes_of(tx: Transaction, world: World, account: Account, kind: str) -> Scopes:
    """What an ask of that kind may do: as one of the connections may, or everything."""
    for one in authorizations.of_client(tx, world, account.client_id):
        if _kind(one) == kind and one.scopes:
            return one.scopes
    return scopes.EVERY


def _shown(one: Connection) -> AppShown:
    kind = _kind(one)
    targets = sorted({redirects.origin(uri) for uri in one.redirect_uris})[:_MOST_TARGETS]
    allowed = [(scope.value, IN_WORDS[scope]) for scope in one.scopes]
    return AppShown(kind, _HOW[kind], allowed, targets, one.tokens, one.revoked)


def _kind(one: Connection) -> str:
    return "credentials" if one.by_credentials else "consent"
