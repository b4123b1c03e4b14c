"""What the sandbox offers, without HTTP: each method is one transaction and may be called from any thread."""

from __future__ import annotations

import logging
from collections.abc import Iterator

from payman_api.models.scope import Scope
from payman_sdk.sandbox import grants, rpc, tasks, wire
from payman_sdk.sandbox.grants import Access
from payman_sdk.sandbox.store import Store, Transaction
from payman_sdk.sandbox.wire import Json, Style
from payman_sdk.sandbox.world import World

logger = logging.getLogger(__name__)


class UnauthorizedError(Exception):
    """The access token is missing, unknown, revoked or expired."""


class ForbiddenError(Exception):
    """The access token lacks a scope; the text names it."""


class Service:
    """The agent endpoints' inside.

    Args:
        store: where everything is kept.
        world: the clock and the source of chance.
        style: how states and timestamps are spelled.
    """

    def __init__(self, store: Store, world: World, style: Style) -> None:
        self.store = store
        self.world = world
        self.style = style

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
        """Approve or deny what a task waits for.

        Raises:
            UnauthorizedError: if the token opens nothing.
            ForbiddenError: if it lacks the scope for that.
            UnknownTaskError: if the account has no such task.
            EndedTaskError: if it waits for nothing.
        """
        with self.store.transaction() as tx:
            access = self._access(tx, token)
            if Scope.WRITE_SEND_PAYMENT not in access.scopes:
                raise ForbiddenError(f"the access token lacks the scope {Scope.WRITE_SEND_PAYMENT}")
            task = tasks.settle(tx, self.world, access.account, task_id, approve=approve)
            return wire.task(self.style, access.account, task)

    def _agent(self, tx: Transaction, token: str | None) -> rpc.Agent:
        return rpc.Agent(tx, self.world, self.style, self._access(tx, token))

    def _access(self, tx: Transaction, token: str | None) -> Access:
        access = grants.access(tx, self.world, token)
        if access is None:
            raise UnauthorizedError
        return access


def _internal_error(body: bytes) -> Json:
    """The transaction was rolled back: to the client the task was never there, and it may send it again."""
    logger.exception("The sandbox failed; nothing was written")
    return rpc.error(body, -32603, "internal error of the sandbox; nothing was done")
