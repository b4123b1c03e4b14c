"""What the sandbox offers, without HTTP: each method is one transaction and may be called from any thread."""

from typing import NoReturn, cast

from payman_api.models import Scope
from payman_sdk._text.logger import get_logger
from payman_sdk.sandbox._agent import event_schedule, serialization, tasks
from payman_sdk.sandbox._agent.event_schedule import StreamSettings
from payman_sdk.sandbox._agent.serialization import Json, Style, TaskWatcher
from payman_sdk.sandbox._ledger.accounts import Account
from payman_sdk.sandbox._ledger.environment import SandboxEnvironment
from payman_sdk.sandbox._ledger.store import Store, Transaction
from payman_sdk.sandbox._oauth import grants
from payman_sdk.sandbox._oauth.grants import Access
from payman_sdk.sandbox._server.request_log import parse_body
from payman_sdk.sandbox.scripting import NotTakenError, RPCError, Script

logger = get_logger(__name__)


class UnauthorizedError(Exception):
    """The access token is missing, unknown, revoked or expired."""


class ForbiddenError(Exception):
    """The access token lacks a scope; the text names it."""


_LONGEST_ID = 200


class _FaultError(Exception):
    """A JSON-RPC error: a code, a message, the id of the request as far as it is known, and perhaps more."""

    def __init__(self, code: int, message: str, request_id: object = None, data: object = None) -> None:
        super().__init__(message)
        self.code = code
        self.request_id = request_id
        self.data = data


class RPCRequest:
    """A JSON-RPC request of the right shape; its method has a slash, however it was written."""

    def __init__(self, body: bytes) -> None:
        try:
            read = parse_body(body)
        except (ValueError, RecursionError):
            raise _FaultError(-32700, "the body is not valid JSON") from None
        if not isinstance(read, dict):
            raise _FaultError(-32600, "the body is not one JSON object; batches are not supported")
        request = cast("dict[str, object]", read)
        self.id = _read_request_id(request)
        if request.get("jsonrpc") != "2.0":
            raise _FaultError(-32600, 'jsonrpc must be "2.0"', self.id)
        method = request.get("method")
        if not isinstance(method, str):
            raise _FaultError(-32600, "method must be a string", self.id)
        # Version 1.0.8 of the published Python client writes a dot [D].
        self.method = method.replace(".", "/", 1)
        params = request.get("params")
        if not isinstance(params, dict):
            raise _FaultError(-32602, "params must be an object", self.id)
        self.params = cast("dict[str, object]", params)

    def read_text(self, name: str) -> str:
        """Return the parameter of that name, a string that is neither empty nor too long for an id."""
        value = self.params.get(name)
        if not isinstance(value, str) or not value or len(value) > _LONGEST_ID:
            self.refuse(f"params.{name} must be a string of 1 to {_LONGEST_ID} characters")
        return value

    def read_optional_text(self, name: str) -> str | None:
        """As `read_text`; None where the parameter is absent or null."""
        return None if self.params.get(name) is None else self.read_text(name)

    def read_history_length(self) -> int:
        """How many messages of a task's history are wanted; none where nothing is said."""
        value = self.params.get("historyLength")
        if value is None:
            return 0
        if not isinstance(value, int) or isinstance(value, bool) or value < 0:
            self.refuse("params.historyLength must be a whole number, 0 or more")
        return value

    def read_message_text(self) -> str:
        """Return the words of the message: its text parts, one below the other."""
        message = self.params.get("message")
        if not isinstance(message, dict):
            self.refuse("params.message must be an object")
        content = cast("dict[str, object]", message)
        if content.get("role") != "user":
            self.refuse('params.message.role must be "user"')
        parts = content.get("parts")
        if not isinstance(parts, list) or not parts:
            self.refuse("params.message.parts must be a list of at least one part")
        texts: list[str] = []
        for position, part in enumerate(cast("list[object]", parts)):
            where = f"params.message.parts[{position}]"
            match part:
                case {"type": "text", "text": str(text)}:
                    texts.append(text)
                case {"type": "text"}:
                    self.refuse(f"{where}.text must be a string")
                case {"type": "file", "file": {}} | {"type": "data", "data": {}}:
                    pass  # The agent reads words only.
                case {"type": "file"}:
                    self.refuse(f"{where}.file must be an object")
                case {"type": "data"}:
                    self.refuse(f"{where}.data must be an object")
                case _:
                    self.refuse(f'{where}.type must be "text", "file" or "data"')
        return "\n".join(texts)

    def refuse(self, message: str) -> NoReturn:
        raise _FaultError(-32602, message, self.id)

    def refuse_method(self) -> NoReturn:
        raise _FaultError(-32601, f"method {self.method!r} is not known here", self.id)


def _read_request_id(request: dict[str, object]) -> str | int:
    """Return the request's id; a notification without one could not be answered and is refused."""
    value = request.get("id")
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise _FaultError(-32600, "id must be a string or a whole number")
    if isinstance(value, int) and abs(value) >= 2**63:
        raise _FaultError(-32600, "id is too large a number")
    return value


def read_id(body: bytes) -> object:
    try:
        return RPCRequest(body).id
    except _FaultError as fault:
        return fault.request_id


class Service:
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
        """Answer a JSON-RPC request for that method; of a send or a resubscription, return the task to watch.

        With an `Access`, a person at the sandbox needs no token. A resubscription continues behind the number of the last event
        that its sender has seen. Raises UnauthorizedError, or NotTakenError if the script says so.
        """
        try:
            with self.store.transaction() as tx:
                access = who if isinstance(who, Access) else self._find_access(tx, who)
                return self._answer(tx, access, method, body, last_event_id)
        except (UnauthorizedError, NotTakenError):
            raise
        except Exception:
            # The transaction was rolled back: to the client the task was never there, and it may send it again.
            logger.exception("The sandbox failed; nothing was written")
            said = "internal error of the sandbox; nothing was done"
            return serialization.make_error(read_id(body), -32603, said)

    def _answer(
        self, tx: Transaction, access: Access, method: str, body: bytes, last_event_id: str | None
    ) -> Json | TaskWatcher:
        try:
            request = RPCRequest(body)
            if request.method != method:
                raise _FaultError(
                    -32601, f"method {request.method[:80]!r} is not known here; it is {method}", request.id
                )
            try:
                return self._carry_out(tx, access, request, last_event_id)
            except tasks.UnknownTaskError as unknown:
                raise _FaultError(-32001, f"task not found: {unknown}", request.id) from None
            except tasks.EndedTaskError as ended:
                raise _FaultError(-32002, f"task cannot be canceled: {ended}", request.id) from None
            except NotTakenError as scripted:
                if not isinstance(scripted.failure, RPCError):
                    raise
                failure = scripted.failure
                raise _FaultError(failure.code, failure.message, request.id, failure.data) from None
        except _FaultError as fault:
            return serialization.make_error(fault.request_id, fault.code, str(fault), fault.data)

    def _carry_out(
        self, tx: Transaction, access: Access, request: RPCRequest, last_event_id: str | None
    ) -> Json | TaskWatcher:
        account = access.account
        match request.method:
            case "tasks/send" | "tasks/sendSubscribe":
                return self._watch(account, request, self._send(tx, access, request))
            case "tasks/resubscribe" if self.manner.resubscribe == "off":
                request.refuse_method()
            case "tasks/resubscribe":
                found = tasks.find(tx, account, request.read_text("id"))
                watch = self._watch(account, request, tasks.SendResult(found))
                watch.resume(last_event_id)
                return watch
            case "tasks/get" if not self.manner.tasks_get:
                request.refuse_method()
            case "tasks/get":
                task = tasks.find(tx, account, request.read_text("id"))
            case "tasks/cancel":
                task = tasks.cancel(tx, self.world, account, request.read_text("id"))
            case unknown:
                raise NotImplementedError(unknown)
        task = event_schedule.snapshot_task(self.manner, task, self.world.now())
        shape = serialization.serialize_task(self.style, account, task, request.read_history_length())
        return serialization.make_result(request.id, shape)

    def _watch(self, account: Account, request: RPCRequest, sent: tasks.SendResult) -> TaskWatcher:
        return TaskWatcher(
            self._find,
            self.world,
            self.style,
            self.manner,
            account,
            sent,
            request_id=request.id,
            history_length=request.read_history_length(),
        )

    def _send(self, tx: Transaction, access: Access, request: RPCRequest) -> tasks.SendResult:
        text = request.read_message_text()
        request.read_history_length()
        return tasks.send(
            tx,
            self.world,
            access.account,
            access.scopes,
            self.script,
            task_id=request.read_text("id"),
            session_id=request.read_optional_text("sessionId"),
            text=text,
        )

    def _find(self, account: Account, task_id: str) -> tasks.Task:
        with self.store.transaction() as tx:
            return tasks.find(tx, account, task_id)

    def settle(self, token: str | None, task_id: str, *, approve: bool) -> Json:
        """Approve or deny what a task waits for; raises as `call`, or if the scope is missing or nothing waits."""
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
