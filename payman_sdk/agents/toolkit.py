"""The toolkits: what an agent's program holds."""

from collections.abc import Awaitable
from decimal import Decimal

from payman_sdk._annotations import Option
from payman_sdk._client.async_ import AsyncPaymanClient
from payman_sdk._client.sync import PaymanClient
from payman_sdk._core.payment_types import PayeeType
from payman_sdk.agents.base_toolkit import BaseToolkit, run, run_async
from payman_sdk.agents.confirmation import OnMessage
from payman_sdk.agents.replies import Decision
from payman_sdk.agents.results import OperationResult
from payman_sdk.agents.tools import Tool


class PaymanToolkit(BaseToolkit[PaymanClient]):
    """Tools for an agent that moves money through Payman, with limits, records and confirmation. Threads may share it.

    An operation has a name and is carried out once. A repeated call returns the first result, even from another thread, process
    or machine with the same store. A different order under the same name is refused. If an order was sent but Payman does not
    know it, the result is `unknown` for the client's `settle_time`, and nothing is sent. After that, the toolkit sends the same
    order once more, unless the client's `resend` is `never`.

    Args:
        client: The client that sends all requests.
        run_id: The run that the limit applies to. The default is a new run. With the same id and store, a restarted run continues.
        confirm: Called with a `ConfirmationRequest` before money moves. Only True is a yes; another value or an exception refuses.
        limit: How much a run may pay, and to whom. Whatever was sent counts until it is proven that it was not paid.
        store: The store that records operations. Without one, this toolkit keeps them in memory: a limit then bounds this object only,
            and a new process counts from zero.
        reader: A client of the same account with read scopes only, for lists and free words. The default is `client`.

    Raises:
        ConfigurationError: An argument is invalid.

    Example:
        >>> from payman_sdk.agents import PaymanToolkit
        >>> from payman_sdk.sandbox import Sandbox
        >>> with Sandbox() as sandbox, sandbox.client() as client:
        ...     toolkit = PaymanToolkit(client)
        ...     first = toolkit.pay("Test Payee", "10.00", "TSD", operation="invoice-42")
        ...     again = toolkit.pay("Test Payee", "10.00", "TSD", operation="invoice-42")
        ...     print(first.status, again.status, len(sandbox.payments))
        paid paid 1
    """

    _kind = PaymanClient
    _is_async = False

    @property
    def tools(self) -> tuple[Tool[OperationResult], ...]:
        """The tools for a framework. `payman_ask` is among them only if `ask` is allowed."""
        return tuple(Tool(spec, self._get_flow(spec), run) for spec in self._specs)

    def pay(
        self,
        payee: str,
        amount: Decimal | str | int,
        currency: str,
        *,
        operation: str,
        memo: str | None = None,
        on_message: Option[OnMessage] = None,
    ) -> OperationResult:
        """Make one payment, once.

        Args:
            payee: The payee's name, id, email or paytag.
            amount: A Decimal, a str such as `"10.00"`, or an int, in whole units; never a float.
            currency: The currency code, such as `TSD`.
            operation: The name of the business operation, such as `invoice-42`. Its normal form is the idempotency key: case, width,
                accents, and kinds of dashes and spaces make no difference. Invisible characters and look-alikes are refused.
            memo: The purpose: one line of at most 140 characters.
            on_message: Called with every event while Payman works. Its exceptions pass unchanged.

        Raises:
            ConfigurationError: An argument is invalid, or the client is closed. Nothing was sent.

        Example:
            >>> from payman_sdk.agents import SpendingLimit, PaymanToolkit
            >>> from payman_sdk.sandbox import Sandbox
            >>> with Sandbox() as sandbox, sandbox.client() as client:
            ...     toolkit = PaymanToolkit(client, limit=SpendingLimit(max_payments=1))
            ...     for operation in ("invoice-1", "invoice-1", "invoice-2"):
            ...         print(toolkit.pay("Test Payee", "10.00", "TSD", operation=operation).status)
            paid
            paid
            refused
        """
        return run(self._pay(payee, amount, currency, operation, memo, on_message))

    def wallets(self) -> OperationResult:
        """List the wallets and their balances.

        Example:
            >>> from payman_sdk.agents import PaymanToolkit
            >>> from payman_sdk.sandbox import Sandbox
            >>> with Sandbox() as sandbox, sandbox.client() as client:
            ...     print([(one["currency"], one["balance"]) for one in PaymanToolkit(client).wallets().items])
            [('TSD', '1000.00')]
        """
        return run(self._wallets())

    def payees(self, query: str | None = None) -> OperationResult:
        """List who can be paid.

        Args:
            query: Part of the name, email, id or paytag of the payees to list.

        Raises:
            ConfigurationError: The query is invalid, or the client is closed. Nothing was sent.
        """
        return run(self._payees(query))

    def transactions(self, limit: int = 20) -> OperationResult:
        """List the newest transactions.

        Args:
            limit: How many, from 1 to 100.

        Raises:
            ConfigurationError: The limit is invalid, or the client is closed. Nothing was sent.
        """
        return run(self._transactions(limit))

    def create_payee(
        self,
        name: str,
        type: PayeeType,  # noqa: A002 (as the API has it)
        *,
        operation: str,
        **fields: str | None,
    ) -> OperationResult:
        """Create one payee, once, if `confirm` agrees. A limit with `allowed_payees` refuses it.

        Args:
            name: The name.
            type: `TEST_RAILS`, `US_ACH`, `CRYPTO_ADDRESS` or `PAYMAN_WALLET`.
            operation: As for `pay`.
            **fields: What the type needs, as for `client.create_payee`.

        Raises:
            ConfigurationError: A field is missing, invalid, or of another type. Nothing was sent.

        Example:
            >>> from payman_sdk.agents import PaymanToolkit
            >>> from payman_sdk.sandbox import Sandbox
            >>> with Sandbox() as sandbox, sandbox.client() as client:
            ...     result = PaymanToolkit(client).create_payee("Ada", "TEST_RAILS", operation="payee-ada")
            ...     print(result.status, result.items[0]["name"])
            completed Ada
        """
        return run(self._create_payee(name, type, operation, None, **fields))

    def check(self, operation: str) -> OperationResult:
        """Look an operation up, and send nothing.

        Args:
            operation: The name that was given to `pay`, or the id of a task.

        Raises:
            ConfigurationError: The name is invalid, or the client is closed.

        Example:
            >>> from payman_sdk.agents import PaymanToolkit
            >>> from payman_sdk.sandbox import Sandbox
            >>> with Sandbox() as sandbox, sandbox.client() as client:
            ...     print(PaymanToolkit(client).check("invoice-42").text)
            Nothing is known under the name invoice-42, neither here nor at Payman.
        """
        return run(self._check(operation))

    def reply(
        self, operation: str, decision: Decision, *, on_message: Option[OnMessage] = None
    ) -> OperationResult:
        """Approve or deny a payment that waits for an approval.

        `confirm` must agree, and an approval must fit the limit. The same decision is sent once.

        Args:
            operation: The name that was given to `pay`, or the id of a task.
            decision: `approve` or `deny`.
            on_message: Called with every event while Payman works. Its exceptions pass unchanged.

        Raises:
            ConfigurationError: The decision or the name is invalid, or the client is closed. Nothing was sent.

        Example:
            >>> from payman_sdk.agents import PaymanToolkit
            >>> from payman_sdk.sandbox import Sandbox
            >>> with Sandbox() as sandbox, sandbox.client() as client:
            ...     toolkit = PaymanToolkit(client)
            ...     rent = toolkit.pay("Test Payee", "200", "TSD", operation="rent")
            ...     print(rent.status, toolkit.reply("rent", "approve").status)
            awaiting-approval paid
        """
        return run(self._reply(operation, decision, on_message))

    def ask(self, text: str, *, on_message: Option[OnMessage] = None) -> OperationResult:
        """Ask Payman's agent in free words. Nothing reads the words, so something else must bound them.

        They are sent with a token whose scopes only read, or after `confirm` agreed to exactly these words. With a limit, only such a
        token counts. Everything else is refused, and nothing is sent.

        Args:
            text: The words.
            on_message: Called with every event while Payman is at work.

        Raises:
            ConfigurationError: The text is blank, or the client is closed.

        Example:
            >>> from payman_sdk.agents import PaymanToolkit
            >>> from payman_sdk.sandbox import Sandbox
            >>> with Sandbox() as sandbox, sandbox.client() as client:
            ...     bounded = PaymanToolkit(client, confirm=lambda request: request.text == "list all wallets")
            ...     print(bounded.ask("list all wallets").status, PaymanToolkit(client).ask("list all wallets").status)
            completed refused
        """
        return run(self._ask(text, on_message))


class AsyncPaymanToolkit(BaseToolkit[AsyncPaymanClient]):
    """`PaymanToolkit` for asyncio and trio, with the same arguments. `confirm` and `on_message` may be coroutine functions.

    If a call is canceled, the operation may already have been sent. `check`, or the same `pay` again, returns its outcome.

    Example:
        >>> import asyncio
        >>> from payman_sdk.agents import AsyncPaymanToolkit
        >>> from payman_sdk.sandbox import Sandbox
        >>> async def main() -> None:
        ...     async with sandbox.async_client() as client:
        ...         toolkit = AsyncPaymanToolkit(client)
        ...         print((await toolkit.pay("Test Payee", "10.00", "TSD", operation="invoice-42")).status)
        >>> with Sandbox() as sandbox:
        ...     asyncio.run(main())
        paid
    """

    _kind = AsyncPaymanClient
    _is_async = True

    @property
    def tools(self) -> tuple[Tool[Awaitable[OperationResult]], ...]:
        """The tools for a framework. `payman_ask` is among them only if `ask` is allowed."""
        return tuple(Tool(spec, self._get_flow(spec), run_async) for spec in self._specs)

    async def pay(
        self,
        payee: str,
        amount: Decimal | str | int,
        currency: str,
        *,
        operation: str,
        memo: str | None = None,
        on_message: Option[OnMessage] = None,
    ) -> OperationResult:
        """Make one payment, once. Arguments, result and errors are those of `PaymanToolkit.pay`."""
        return await run_async(self._pay(payee, amount, currency, operation, memo, on_message))

    async def wallets(self) -> OperationResult:
        """List the wallets and their balances. See `PaymanToolkit.wallets`."""
        return await run_async(self._wallets())

    async def payees(self, query: str | None = None) -> OperationResult:
        """List who can be paid. See `PaymanToolkit.payees`."""
        return await run_async(self._payees(query))

    async def transactions(self, limit: int = 20) -> OperationResult:
        """List the newest transactions. See `PaymanToolkit.transactions`."""
        return await run_async(self._transactions(limit))

    async def create_payee(
        self,
        name: str,
        type: PayeeType,  # noqa: A002 (as the API has it)
        *,
        operation: str,
        **fields: str | None,
    ) -> OperationResult:
        """Create one payee, once. Arguments, result and errors are those of `PaymanToolkit.create_payee`."""
        return await run_async(self._create_payee(name, type, operation, None, **fields))

    async def check(self, operation: str) -> OperationResult:
        """Look an operation up, and send nothing. See `PaymanToolkit.check`."""
        return await run_async(self._check(operation))

    async def reply(
        self, operation: str, decision: Decision, *, on_message: Option[OnMessage] = None
    ) -> OperationResult:
        """Approve or deny a payment that waits for an approval. See `PaymanToolkit.reply`."""
        return await run_async(self._reply(operation, decision, on_message))

    async def ask(self, text: str, *, on_message: Option[OnMessage] = None) -> OperationResult:
        """Ask Payman's agent in free words. See `PaymanToolkit.ask`."""
        return await run_async(self._ask(text, on_message))
