"""The apps that are connected to an account, and the scopes that can be asked with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from payman_sdk.sandbox._ledger.accounts import Account
from payman_sdk.sandbox._ledger.environment import SandboxEnvironment
from payman_sdk.sandbox._ledger.store import Transaction
from payman_sdk.sandbox._oauth import clients, grants, scopes
from payman_sdk.sandbox._oauth.grants import ClientAuthorization
from payman_sdk.sandbox._oauth.scopes import IN_WORDS, Scopes

_MOST_TARGETS = 5


@dataclass(frozen=True)
class AppView:
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


def list_apps(tx: Transaction, world: SandboxEnvironment, account: Account) -> list[AppView]:
    """Return the connections of the account's app."""
    return [_make_view(one) for one in grants.list_authorizations(tx, world, account.client_id)]


def find_scopes(tx: Transaction, world: SandboxEnvironment, account: Account, kind: str) -> Scopes:
    """Return what an ask of that kind may do: as one of the connections may, or everything."""
    for one in grants.list_authorizations(tx, world, account.client_id):
        if _find_kind(one) == kind and one.scopes:
            return one.scopes
    return scopes.EVERY


def _make_view(one: ClientAuthorization) -> AppView:
    kind = _find_kind(one)
    targets = sorted({clients.format_origin(uri) for uri in one.redirect_uris})[:_MOST_TARGETS]
    allowed = [(scope.value, IN_WORDS[scope]) for scope in one.scopes]
    return AppView(kind, _HOW[kind], allowed, targets, one.tokens, one.revoked)


def _find_kind(one: ClientAuthorization) -> str:
    return "credentials" if one.by_credentials else "consent"
