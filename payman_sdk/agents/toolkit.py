"""The toolkits: what an agent's program holds. Thin: they check what they are given and carry flows out."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from inspect import iscoroutinefunction
from typing import Any, Generic, TypeVar

from payman_sdk._client.async_ import AsyncPaymanClient
from payman_sdk._client.sync import PaymanClient
from payman_sdk._core.ids import derive_task_id, generate_id
from payman_sdk._text.error_response import format_sentence
from payman_sdk.agents import messages, operations, read_only_asks, replies
from payman_sdk.agents.confirmation import Confirm, OnMessage, build_send_options
from payman_sdk.agents.effects import Flow, run, run_async
from payman_sdk.agents.limits import SpendingLimit
from payman_sdk.agents.operation_log import OperationLog
from payman_sdk.agents.operation_names import normalize_name
from payman_sdk.agents.operations import OperationContext
from payman_sdk.agents.results import OperationResult
from payman_sdk.agents.stores import MemoryOperationStore, OperationStore, OperationStoreError
from payman_sdk.agents.tools import ASK, CHECK, LONGEST_NAME, PAY, REPLY, Tool, find_name_problem
from payman_sdk.errors import ConfigurationError

Client = TypeVar("Client", PaymanClient, AsyncPaymanClient)

_TASK_ID = re.compile(r"tsk-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class _Toolkit(Generic[Client]):
    """What both toolkits have in common: everything but awaiting."""

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
                raise ConfigurationError(
                    f"{name} is a {type(given).__name__}.", next_step=f"Give a {self._kind.__name__}."
                )
        if run_id is not None and (
            not isinstance(run_id, str) or not run_id.strip() or len(run_id) > LONGEST_NAME
        ):
            raise ConfigurationError(
                f"run_id is {run_id!r}."[:300], next_step="Give a text that names the run, or None."
            )
        if confirm is not None and not callable(confirm):
            raise ConfigurationError(f"confirm is a {type(confirm).__name__}.", next_step="Give a function.")
        if confirm is not None and not self._is_async and iscoroutinefunction(confirm):
            raise ConfigurationError(
                "confirm is a coroutine function, which nobody would await.",
                next_step="Give a function, or use AsyncPaymanToolkit.",
            )
        if limit is not None and not isinstance(limit, SpendingLimit):
            raise ConfigurationError(f"limit is a {type(limit).__name__}.", next_step="Give a Limit.")
        store = MemoryOperationStore() if store is None else store
        if not all(callable(getattr(store, name, None)) for name in ("load", "save", "list_by_run", "lock")):
            raise ConfigurationError(
                f"store is a {type(store).__name__}, which cannot keep operations.",
                next_step="See OperationStore.",
            )
        self.client: Client = client
        self.reader: Client = client if reader is None else reader
        self.run_id = generate_id("run") if run_id is None else run_id
        config = client._config  # pyright: ignore[reportPrivateUsage] # whose operations they are is for the toolkit to know
        self._client_id: str = config.client_id
        self._patience: float = config.timeout
        ledger = OperationLog(store, f"{config.client_id} at {config.base_url}", self.run_id, limit)
        self._context = OperationContext(client, ledger, confirm, config)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of run {getattr(self, 'run_id', '')}>"

    def _ask(self, text: str, on_message: OnMessage | None = None) -> Flow[OperationResult]:
        text = _check_text(text)
        before_send = self.reader._config.before_send  # pyright: ignore[reportPrivateUsage] # as below
        return (
            yield from read_only_asks.ask(
                self.reader, text, build_send_options(self._check_on_message(on_message), before_send)
            )
        )

    def _pay(self, text: str, operation: str, on_message: OnMessage | None = None) -> Flow[OperationResult]:
        text, operation = _check_text(text), _check_operation(operation)
        if _TASK_ID.fullmatch(operation):
            return messages.reject_task_id(operation)
        task_id = derive_task_id(self._client_id, operation)
        flow = operations.pay(
            self._context, text, operation, task_id, self._patience, self._check_on_message(on_message)
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

    def _reply(self, operation: str, text: str, on_message: OnMessage | None = None) -> Flow[OperationResult]:
        text, operation = _check_text(text), _check_operation(operation)
        task_id = self._resolve_task_id(operation)
        flow = replies.reply(
            self._context, text, operation, task_id, self._patience, self._check_on_message(on_message)
        )
        return (yield from _handle_store_error(flow, operation, task_id))

    def _resolve_task_id(self, operation: str) -> str:
        return operation if _TASK_ID.fullmatch(operation) else derive_task_id(self._client_id, operation)

    def _check_on_message(self, on_message: OnMessage | None) -> OnMessage | None:
        is_lost = not self._is_async and iscoroutinefunction(on_message)
        if on_message is not None and (is_lost or not callable(on_message)):
            raise ConfigurationError(
                "on_message is no function that this toolkit can call.", next_step="Give a plain function."
            )
        return on_message


class PaymanToolkit(_Toolkit[PaymanClient]):
    """The tools of an agent that moves money through Payman, with a guard above them; safe to share between threads.

    An operation has a name, and is carried out once: a repeated call, from another thread, process or machine that shares the store,
    in the same words or others, is told the first result. What was sent, and Payman does not know, may still arrive for the client's
    `settle_time`: until then it is unknown, and nothing is sent under its name. After that, the same words send it once more, unless
    the client's `resend` is `never`.

    Args:
        client: The client that everything is sent with.
        run_id: The run whose limit counts; a run that is restarted under the same id, with the same store, goes on counting. An id
            that the store does not know begins a new run. Without one, every toolkit is a run of its own.
        confirm: Called with a `ConfirmationRequest` before money moves; only what it answers with True is sent. What it raises refuses too.
        limit: How much a run may pay. Whatever was sent counts until it is known not to have happened.
        store: Where operations are written down; without one, in the memory of this toolkit.
        reader: A client for `ask`, whose account is connected with read scopes only; without one, `client`.

    Raises:
        ConfigurationError: One of them cannot be used.

    Example:
        >>> from payman_sdk.agents import PaymanToolkit
        >>> from payman_sdk.sandbox import Sandbox
        >>> with Sandbox() as sandbox, sandbox.client() as client:
        ...     toolkit = PaymanToolkit(client)
        ...     first = toolkit.pay("send 10 TSD to Test Payee", "invoice-42")
        ...     again = toolkit.pay("please send 10 TSD to Test Payee now", "invoice-42")
        ...     print(first.status, again.status, len(sandbox.payments))
        completed completed 1
    """

    _kind = PaymanClient
    _is_async = False

    @property
    def tools(self) -> tuple[Tool[OperationResult], ...]:
        """The tools `payman_ask`, `payman_pay`, `payman_check` and `payman_reply`, for a framework to be given."""
        flows: tuple[tuple[Any, Callable[..., Flow[OperationResult]]], ...] = (
            (ASK, self._ask), (PAY, self._pay), (CHECK, self._check), (REPLY, self._reply),
        )  # fmt: skip
        return tuple(Tool(spec, flow, run) for spec, flow in flows)

    def ask(self, text: str, *, on_message: OnMessage | None = None) -> OperationResult:
        """Asks something that only reads: wallets, balances, payees, transactions.

        A text that may move money, or that is not understood, is refused, and nothing is sent.

        Args:
            text: The question, in plain words.
            on_message: Called with every event while Payman is at work.

        Raises:
            ConfigurationError: The text is blank, or the client is closed.

        Example:
            >>> from payman_sdk.agents import PaymanToolkit
            >>> from payman_sdk.sandbox import Sandbox
            >>> with Sandbox() as sandbox, sandbox.client() as client:
            ...     toolkit = PaymanToolkit(client)
            ...     print(toolkit.ask("list all wallets").status, toolkit.ask("send 5 TSD to Bob").status)
            completed refused
        """
        return run(self._ask(text, on_message))

    def pay(self, text: str, operation: str, *, on_message: OnMessage | None = None) -> OperationResult:
        """Has something done that moves money or changes who can be paid, once.

        Args:
            text: What Payman's agent should do, in plain words.
            operation: The name of the business operation, such as `invoice-42`; its normal form is the idempotency key of the ask.
                Case, width, accents, and kinds of dashes and spaces make no other name. What cannot be seen, and letters that
                pass for others, are refused.
            on_message: Called with every event while Payman is at work; what it raises comes out unchanged.

        Raises:
            ConfigurationError: The text or the name is unusable, or the client is closed; nothing was sent.

        Example:
            >>> from payman_sdk.agents import SpendingLimit, PaymanToolkit
            >>> from payman_sdk.sandbox import Sandbox
            >>> with Sandbox() as sandbox, sandbox.client() as client:
            ...     toolkit = PaymanToolkit(client, limit=SpendingLimit(max_payments=1))
            ...     for operation in ("invoice-1", "invoice-1", "invoice-2"):
            ...         print(toolkit.pay("send 10 TSD to Test Payee", operation).status)
            completed
            completed
            refused
        """
        return run(self._pay(text, operation, on_message))

    def check(self, operation: str) -> OperationResult:
        """Tells how an operation stands, and sends nothing.

        Args:
            operation: The name that was given to `pay`, or the id of a task.

        Raises:
            ConfigurationError: The name is unusable, or the client is closed.

        Example:
            >>> from payman_sdk.agents import PaymanToolkit
            >>> from payman_sdk.sandbox import Sandbox
            >>> with Sandbox() as sandbox, sandbox.client() as client:
            ...     print(PaymanToolkit(client).check("invoice-42").text)
            Nothing is known under the name invoice-42, neither here nor at Payman.
        """
        return run(self._check(operation))

    def reply(self, operation: str, text: str, *, on_message: OnMessage | None = None) -> OperationResult:
        """Answers an operation that waits for an approval or an answer.

        It passes `confirm` and the limit, as a payment does. The same reply is given once: again, it is not sent.

        Args:
            operation: The name that was given to `pay`, or the id of a task.
            text: The answer, such as `approve`.
            on_message: Called with every event while Payman is at work; what it raises comes out unchanged.

        Raises:
            ConfigurationError: The text or the name is unusable, or the client is closed; nothing was sent.

        Example:
            >>> from payman_sdk.agents import PaymanToolkit
            >>> from payman_sdk.sandbox import Sandbox
            >>> with Sandbox() as sandbox, sandbox.client() as client:
            ...     toolkit = PaymanToolkit(client)
            ...     print(toolkit.pay("send 200 TSD to Test Payee", "rent").status, toolkit.reply("rent", "approve").status)
            input-required completed
        """
        return run(self._reply(operation, text, on_message))


class AsyncPaymanToolkit(_Toolkit[AsyncPaymanClient]):
    """The same as `PaymanToolkit`, for asyncio and trio; `confirm` and `on_message` may be coroutine functions.

    Who is cancelled leaves an operation that may have been sent; `check`, or the same `pay` again, tells how it ended.

    Example:
        >>> import asyncio
        >>> from payman_sdk.agents import AsyncPaymanToolkit
        >>> from payman_sdk.sandbox import Sandbox
        >>> async def main() -> None:
        ...     async with sandbox.async_client() as client:
        ...         toolkit = AsyncPaymanToolkit(client)
        ...         print((await toolkit.pay("send 10 TSD to Test Payee", "invoice-42")).status)
        >>> with Sandbox() as sandbox:
        ...     asyncio.run(main())
        completed
    """

    _kind = AsyncPaymanClient
    _is_async = True

    @property
    def tools(self) -> tuple[Tool[Awaitable[OperationResult]], ...]:
        """The tools `payman_ask`, `payman_pay`, `payman_check` and `payman_reply`, for a framework to be given."""
        flows: tuple[tuple[Any, Callable[..., Flow[OperationResult]]], ...] = (
            (ASK, self._ask), (PAY, self._pay), (CHECK, self._check), (REPLY, self._reply),
        )  # fmt: skip
        return tuple(Tool(spec, flow, run_async) for spec, flow in flows)

    async def ask(self, text: str, *, on_message: OnMessage | None = None) -> OperationResult:
        """Asks something that only reads: wallets, balances, payees, transactions. See `PaymanToolkit.ask`."""
        return await run_async(self._ask(text, on_message))

    async def pay(self, text: str, operation: str, *, on_message: OnMessage | None = None) -> OperationResult:
        """Has something done that moves money or changes who can be paid, once. See `PaymanToolkit.pay`."""
        return await run_async(self._pay(text, operation, on_message))

    async def check(self, operation: str) -> OperationResult:
        """Tells how an operation stands, and sends nothing. See `PaymanToolkit.check`."""
        return await run_async(self._check(operation))

    async def reply(
        self, operation: str, text: str, *, on_message: OnMessage | None = None
    ) -> OperationResult:
        """Answers an operation that waits for an approval or an answer. See `PaymanToolkit.reply`."""
        return await run_async(self._reply(operation, text, on_message))


def _handle_store_error(flow: Flow[OperationResult], operation: str, task_id: str) -> Flow[OperationResult]:
    """A flow with a result for a store that fails; it fails before anything is sent."""
    try:
        return (yield from flow)
    except OperationStoreError as error:
        text = (
            f"Nothing was sent now: {format_sentence(error.message)} Do not pay in another way; the same operation, "
            f"{operation}, may be tried again later."
        )
        return OperationResult(text, "not-sent", operation, task_id)


def _check_text(text: str) -> str:
    """A text that can be asked, without the white space around it."""
    from payman_sdk._core.options import check_text

    check_text(text)
    return text.strip()


def _check_operation(operation: str) -> str:
    """The name of an operation, as it counts."""
    problem = find_name_problem(operation)
    if problem is not None:
        raise ConfigurationError(
            f"operation {problem}.",
            next_step="Name the operation with Latin letters, digits and plain punctuation, such as 'invoice-42'.",
        )
    return normalize_name(operation)
