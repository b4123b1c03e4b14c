"""What the sandbox offers, without HTTP: each method is one transaction and may be called from any thread."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence

from payman_sdk.sandbox import oauth, rpc, tasks, wire
from payman_sdk.sandbox.accounts import Account
from payman_sdk.sandbox.oauth import Token
from payman_sdk.sandbox.store import Store, Transaction
from payman_sdk.sandbox.wire import Json, Style
from payman_sdk.sandbox.world import World

logger = logging.getLogger(__name__)


class UnauthorizedError(Exception):
    """The access token is missing, unknown or expired."""


class Service:
    """The endpoints' inside.

    Args:
        store: where everything is kept.
        world: the clock and the source of chance.
        style: how states and timestamps are spelled.
        token_lifetime: of a new access token, in seconds.
    """

    def __init__(self, store: Store, world: World, style: Style, token_lifetime: float) -> None:
        self.store = store
        self.world = world
        self.style = style
        self.token_lifetime = token_lifetime

    def token(self, authorization: str | None, parameters: Sequence[tuple[str, str]]) -> Token:
        """Answer a token request; raises OAuthError."""
        with self.store.transaction() as tx:
            return oauth.grant(
                tx,
                self.world,
                authorization=authorization,
                parameters=parameters,
                lifetime=self.token_lifetime,
            )

    def call(self, token: str | None, method: str, body: bytes) -> Json:
        """Answer a JSON-RPC request; raises UnauthorizedError."""
        try:
            with self.store.transaction() as tx:
                return self._agent(tx, token).call(method, body)
        except UnauthorizedError:
            raise
        except Exception:
            return _internal_error(body)

    def stream(self, token: str | None, body: bytes) -> Json | Iterator[Json]:
        """The events that answer a streamed send, or an error's answer; raises UnauthorizedError."""
        try:
            with self.store.transaction() as tx:
                return self._agent(tx, token).stream(body)
        except UnauthorizedError:
            raise
        except Exception:
            return _internal_error(body)

    def settle(self, token: str | None, task_id: str, *, approve: bool) -> Json:
        """Approve or deny what a task waits for; raises UnauthorizedError, UnknownTaskError, EndedTaskError."""
        with self.store.transaction() as tx:
            account = self._account(tx, token)
            task = tasks.settle(tx, self.world, account, task_id, approve=approve)
            return wire.task(self.style, account, task)

    def _agent(self, tx: Transaction, token: str | None) -> rpc.Agent:
        return rpc.Agent(tx, self.world, self.style, self._account(tx, token))

    def _account(self, tx: Transaction, token: str | None) -> Account:
        account = oauth.account_of(tx, self.world, token)
        if account is None:
            raise UnauthorizedError
        return account


def _internal_error(body: bytes) -> Json:
    """The transaction was rolled back: to the client the task was never there, and it may send it again."""
    logger.exception("The sandbox failed; nothing was written")
    return rpc.error(body, -32603, "internal error of the sandbox; nothing was done")
