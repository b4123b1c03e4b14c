"""What the sandbox offers, without HTTP: each method is one transaction and may be called from any thread."""

from __future__ import annotations

from payman_api.models.scope import Scope
from payman_sdk._text.logger import get_logger
from payman_sdk.sandbox._agent import event_schedule, serialization, tasks
from payman_sdk.sandbox._agent.event_schedule import StreamSettings
from payman_sdk.sandbox._agent.serialization import Json, Style, TaskWatcher
from payman_sdk.sandbox._ledger.accounts import Account
from payman_sdk.sandbox._ledger.environment import SandboxEnvironment
from payman_sdk.sandbox._ledger.store import Store, Transaction
from payman_sdk.sandbox._oauth import grants
from payman_sdk.sandbox._oauth.grants import Access
from payman_sdk.sandbox._server import rpc
from payman_sdk.sandbox.scripting import NotTakenError, Script

logger = get_logger(__name__)


class UnauthorizedError(Exception):
    """The access token is missing, unknown, revoked or expired."""


class ForbiddenError(Exception):
    """The access token lacks a scope; the text names it."""


class Service:
    """The agent endpoints' inside."""

    def __init__(
        self, store: Store, world: SandboxEnvironment, style: Style, manner: StreamSettings, script: Script
    ) -> None:
        self.store = store
        self.world = world
        self.style = style
        self.manner = manner
        self.script = script

    def call(
        self, who: str | Access | None, method: str, body: bytes, last_event_id: str | None = None
    ) -> Json | TaskWatcher:
        """Answer a JSON-RPC request, or return the task to watch for its answer or its stream.

        Whoever has an `Access` needs no token: a person at the sandbox itself.

        Raises:
            UnauthorizedError: if the token opens nothing.
            NotTakenError: if the script says so.
        """
        try:
            with self.store.transaction() as tx:
                access = who if isinstance(who, Access) else self._find_access(tx, who)
                agent = rpc.RPCMethods(
                    tx, self._find, self.world, self.style, self.manner, self.script, access
                )
                return agent.call(method, body, last_event_id)
        except (UnauthorizedError, NotTakenError):
            raise
        except Exception:
            # The transaction was rolled back: to the client the task was never there, and it may send it again.
            logger.exception("The sandbox failed; nothing was written")
            return rpc.make_error(body, -32603, "internal error of the sandbox; nothing was done")

    def _find(self, account: Account, task_id: str) -> tasks.Task:
        with self.store.transaction() as tx:
            return tasks.find(tx, account, task_id)

    def settle(self, token: str | None, task_id: str, *, approve: bool) -> Json:
        """Approve or deny what a task waits for.

        Raises:
            UnauthorizedError: if the token opens nothing.
            ForbiddenError: if it lacks the scope for that.
            UnknownTaskError: if the account has no such task.
            EndedTaskError: if it waits for nothing.
        """
        with self.store.transaction() as tx:
            access = self._find_access(tx, token)
            if Scope.WRITE_SEND_PAYMENT not in access.scopes:
                raise ForbiddenError(f"the access token lacks the scope {Scope.WRITE_SEND_PAYMENT}")
            task = tasks.settle(tx, self.world, access.account, task_id, approve=approve)
            task = event_schedule.snapshot_task(self.manner, task, self.world.now())
            return serialization.serialize_task(self.style, access.account, task)

    def _find_access(self, tx: Transaction, token: str | None) -> Access:
        access = grants.find_access(tx, self.world, token)
        if access is None:
            raise UnauthorizedError
        return access
