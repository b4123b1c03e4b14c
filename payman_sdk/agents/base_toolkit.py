"""What both toolkits have in common: they check their arguments and build flows."""

import re
from collections.abc import Callable
from decimal import Decimal
from functools import partial
from typing import Any, Generic, TypeVar, get_args

from payman_sdk._client.async_ import AsyncPaymanClient
from payman_sdk._client.sync import PaymanClient
from payman_sdk._config import check_methods
from payman_sdk._core.effects import Flow
from payman_sdk._core.orders import read_payee_order, read_payment_order
from payman_sdk._core.requests import check_text, derive_task_id, generate_id
from payman_sdk._refusals import (
    describe_type,
    describe_value,
    is_coroutine_function,
    refuse,
    refuse_coroutine,
)
from payman_sdk._text.error_response import format_sentence
from payman_sdk._text.logger import get_logger
from payman_sdk.agents import messages, operations, replies, requests
from payman_sdk.agents.confirmation import Confirm, OnMessage
from payman_sdk.agents.limits import SpendingLimit
from payman_sdk.agents.operation_context import OperationContext
from payman_sdk.agents.operation_log import OperationLog
from payman_sdk.agents.operation_names import normalize_name
from payman_sdk.agents.results import OperationResult
from payman_sdk.agents.stores import MemoryOperationStore, OperationStore, OperationStoreError
from payman_sdk.agents.tools import ASK, LONGEST_NAME, TOOLS, ToolSpec, find_name_problem, find_value_problem
from payman_sdk.errors import ConfigurationError

Client = TypeVar("Client", PaymanClient, AsyncPaymanClient)
T = TypeVar("T")

log = get_logger()

_TASK_ID = re.compile(r"tsk-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class BaseToolkit(Generic[Client]):
    """The common part of both toolkits, which runs no flow."""

    _kind: type[Any]
    _is_async: bool

    def __init__(
        self,
        client: Client,
        *,
        run_id: str | None = None,
        confirm: Confirm | None = None,
        limit: SpendingLimit | None = None,
        store: OperationStore | None = None,
        reader: Client | None = None,
    ) -> None:
        for name, given in (("client", client), ("reader", reader)):
            if not isinstance(given, self._kind) and (name == "client" or given is not None):
                refuse(
                    name,
                    f"is {describe_type(given)}",
                    f"Give {'an' if self._is_async else 'a'} {self._kind.__name__}.",
                )
        if find_value_problem(run_id, {"type": ["string", "null"]}, LONGEST_NAME) is not None:
            refuse("run_id", f"is {describe_value(run_id)}", "Give a text that names the run, or None.")
        if confirm is not None and not callable(confirm):
            refuse("confirm", f"is {describe_type(confirm)}", "Give a function.")
        if confirm is not None and not self._is_async and is_coroutine_function(confirm):
            refuse_coroutine("confirm", "PaymanToolkit")
        if limit is not None and not isinstance(limit, SpendingLimit):
            refuse("limit", f"is {describe_type(limit)}", "Give a SpendingLimit.")
        check_methods(
            store, "store", ("load", "save", "list_by_run", "lock"), "keep operations", "See OperationStore."
        )
        store = MemoryOperationStore() if store is None else store
        self.client: Client = client
        self.reader: Client = client if reader is None else reader
        self.run_id = generate_id("run") if run_id is None else str.__str__(run_id)
        config = client._config  # pyright: ignore[reportPrivateUsage] # whose operations they are is for the toolkit to know
        self._client_id: str = config.client_id
        self._patience: float = config.timeout
        account = client._credentials.owner.name  # pyright: ignore[reportPrivateUsage] # likewise
        operation_log = OperationLog(store, account, self.run_id, limit, is_async=self._is_async)
        self._context = OperationContext(client, operation_log, confirm, config)
        if limit is not None and (run_id is None or isinstance(store, MemoryOperationStore)):
            log.warning(
                "The spending limit of %s bounds this process only. Pass a run_id and a store that outlives the process, such as "
                "SQLiteOperationStore, to go on counting in the next one.",
                self.run_id,
            )

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of run {getattr(self, 'run_id', '')}>"

    @property
    def _specs(self) -> tuple[ToolSpec, ...]:
        """The tools to offer: free words only where something bounds them."""
        can_ask = self._ask_confirm is not None or requests.has_read_only_token(self.reader)
        return (*TOOLS, ASK) if can_ask else TOOLS

    @property
    def _ask_confirm(self) -> Confirm | None:
        """Who confirms free words; nobody where a limit counts, which no words may pass by."""
        return None if self._context.log.limit is not None else self._context.confirm

    def _get_flow(self, spec: ToolSpec) -> Callable[..., Flow[OperationResult]]:
        flow: Callable[..., Flow[OperationResult]] = getattr(self, spec.name.removeprefix("payman"))
        return flow

    def _ask(self, text: str, on_message: OnMessage | None = None) -> Flow[OperationResult]:
        text = _check_text(text)
        on_message = self._check_on_message(on_message)
        return (yield from requests.ask(self.reader, text, self._ask_confirm, on_message))

    def _wallets(self, on_message: OnMessage | None = None) -> Flow[OperationResult]:
        read, describe = self.reader.wallets, requests.describe_wallet
        return (yield from requests.list_items(self.reader, read, describe, "wallets"))

    def _payees(self, query: str | None = None, on_message: OnMessage | None = None) -> Flow[OperationResult]:
        read, describe = partial(self.reader.payees, query), requests.describe_payee
        return (yield from requests.list_items(self.reader, read, describe, "payees"))

    def _transactions(
        self, limit: int | None = None, on_message: OnMessage | None = None
    ) -> Flow[OperationResult]:
        read = partial(self.reader.transactions, limit=20 if limit is None else limit)
        describe = requests.describe_transaction
        return (yield from requests.list_items(self.reader, read, describe, "transactions"))

    def _create_payee(
        self,
        name: str,
        type: str,  # noqa: A002 (as the API has it)
        operation: str,
        on_message: OnMessage | None = None,
        **fields: str | None,
    ) -> Flow[OperationResult]:
        order, operation = read_payee_order(name, type, fields), _check_operation(operation)
        if _TASK_ID.fullmatch(operation):
            return messages.reject_task_id(operation)
        task_id = derive_task_id(self._client_id, operation)
        flow = requests.create_payee(self._context, order, operation, task_id, self._patience)
        return (yield from _handle_store_error(flow, operation, task_id))

    def _pay(
        self,
        payee: str,
        amount: Decimal | str | int,
        currency: str,
        operation: str,
        memo: str | None = None,
        on_message: OnMessage | None = None,
    ) -> Flow[OperationResult]:
        order, operation = (
            read_payment_order(payee, amount, currency, memo, None), _check_operation(operation),
        )  # fmt: skip
        if _TASK_ID.fullmatch(operation):
            return messages.reject_task_id(operation)
        task_id = derive_task_id(self._client_id, operation)
        flow = operations.pay(
            self._context, order, operation, task_id, self._patience, self._check_on_message(on_message)
        )
        return (yield from _handle_store_error(flow, operation, task_id))

    def _check(self, operation: str, on_message: OnMessage | None = None) -> Flow[OperationResult]:
        operation = _check_operation(operation)
        task_id = self._resolve_task_id(operation)
        return (
            yield from _handle_store_error(
                operations.check(self._context, operation, task_id), operation, task_id
            )
        )

    def _reply(
        self, operation: str, decision: replies.Decision, on_message: OnMessage | None = None
    ) -> Flow[OperationResult]:
        operation = _check_operation(operation)
        if decision not in get_args(replies.Decision):
            raise ConfigurationError(
                f"decision is {describe_value(decision)}.", next_step="Use 'approve' or 'deny'."
            )
        task_id = self._resolve_task_id(operation)
        flow = replies.reply(
            self._context, decision, operation, task_id, self._patience, self._check_on_message(on_message)
        )
        return (yield from _handle_store_error(flow, operation, task_id))

    def _resolve_task_id(self, operation: str) -> str:
        return operation if _TASK_ID.fullmatch(operation) else derive_task_id(self._client_id, operation)

    def _check_on_message(self, on_message: OnMessage | None) -> OnMessage | None:
        is_lost = not self._is_async and is_coroutine_function(on_message)
        if on_message is not None and (is_lost or not callable(on_message)):
            raise ConfigurationError(
                "This toolkit cannot call on_message.", next_step="Give a plain function."
            )
        return on_message


def _handle_store_error(flow: Flow[OperationResult], operation: str, task_id: str) -> Flow[OperationResult]:
    """Return a flow with a result for a store that fails; it fails before anything is sent."""
    try:
        return (yield from flow)
    except OperationStoreError as error:
        text = (
            f"Nothing was sent now: {format_sentence(error.message)} Do not pay in another way; the same operation, "
            f"{operation}, may be tried again later."
        )
        return OperationResult(text, "not-sent", operation, task_id)


def _check_text(text: str) -> str:
    check_text(text)
    return text.strip()


def _check_operation(operation: str) -> str:
    problem = find_name_problem(operation)
    if problem is not None:
        raise ConfigurationError(
            f"operation {problem}.",
            next_step="Name the operation with Latin letters, digits and plain punctuation, such as 'invoice-42'.",
        )
    return normalize_name(operation)


def run(flow: Flow[T]) -> T:
    """Run a flow in this thread."""
    from payman_sdk._io.runner import SyncRunner  # with httpx, which takes a while to import

    return SyncRunner().run(flow)


async def run_async(flow: Flow[T]) -> T:
    """Run a flow on asyncio or trio."""
    from payman_sdk._io.async_runner import AsyncRunner

    return await AsyncRunner().run(flow)
