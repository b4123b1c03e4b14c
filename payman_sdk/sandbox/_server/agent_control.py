"""What tests do with a sandbox's agent: read its money, decide payments, and script its answers and faults."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from payman_sdk._core.options import read_task_id
from payman_sdk._core.payment_types import Payment
from payman_sdk.sandbox._agent import tasks
from payman_sdk.sandbox._ledger import accounts, ledger, payments
from payman_sdk.sandbox._ledger.accounts import Account
from payman_sdk.sandbox._ledger.environment import SandboxEnvironment
from payman_sdk.sandbox._ledger.ledger import LedgerRow
from payman_sdk.sandbox._ledger.payments import SandboxPayment
from payman_sdk.sandbox._ledger.store import Store, Transaction
from payman_sdk.sandbox._server.stream_faults import StreamFault, StreamFaults
from payman_sdk.sandbox.scripting import Entry, Script


class PaymentControl:
    """The money of a sandbox."""

    client_id: str
    _store: Store
    _world: SandboxEnvironment

    @property
    def payments(self) -> list[SandboxPayment]:
        """The payments of all clients, oldest first: made, waiting and rejected ones."""
        with self._store.transaction() as tx:
            return payments.list_payments(tx)

    @property
    def pending_payments(self) -> list[SandboxPayment]:
        """The payments that wait for approval, oldest first."""
        return [payment for payment in self.payments if payment.status == "AWAITING_APPROVAL"]

    def balance(self, currency: str = "TSD", *, client_id: str | None = None) -> Decimal:
        """Return the balance of the wallet in a currency.

        Args:
            currency: The currency code, such as `TSD`.
            client_id: The owner of the wallet; the sandbox's own client by default.

        Raises:
            LookupError: The client or the wallet is unknown.
        """
        with self._store.transaction() as tx:
            account = self._find_account(tx, client_id or self.client_id)
            for wallet in accounts.list_wallets(tx, account):
                if wallet.currency == currency:
                    return ledger.to_decimal(ledger.read_balance(tx, wallet.book))
        raise LookupError(f"client {account.client_id} has no {currency} wallet")

    def approve(
        self, task_id: str | SandboxPayment | Payment | Mapping[str, Any], *, client_id: str | None = None
    ) -> SandboxPayment:
        """Approve the payment that a task waits for.

        Args:
            task_id: The id of the task, or a payment or an answer that has it.
            client_id: The client of the task; needed only if several clients have a task with this id.

        Returns:
            The payment: `INITIATED`, or `REJECTED` if the policy or the balance now forbids it.

        Raises:
            LookupError: The task is unknown.
            ConfigurationError: `task_id` names no task.
            ValueError: The task does not wait for approval, or several clients have a task with this id.
        """
        return self._settle(task_id, client_id, approve=True)

    def deny(
        self, task_id: str | SandboxPayment | Payment | Mapping[str, Any], *, client_id: str | None = None
    ) -> SandboxPayment:
        """Deny the payment that a task waits for. Arguments, result and errors are those of `approve`."""
        return self._settle(task_id, client_id, approve=False)

    def _settle(self, task: object, client_id: str | None, *, approve: bool) -> SandboxPayment:
        task_id = read_task_id(task)
        with self._store.transaction() as tx:
            query = (
                "SELECT c.id FROM tasks t JOIN clients c ON c.account_id = t.account_id "
                "WHERE t.id = ? AND c.id = COALESCE(?, c.id)"
            )
            owners = [row["id"] for row in tx.execute(query, (task_id, client_id))]
            if len(owners) != 1:
                if owners:
                    raise ValueError(
                        f"several clients have a task {task_id}: say which one's with client_id="
                    )
                raise tasks.UnknownTaskError(f"unknown task {task_id}")
            account = self._find_account(tx, owners[0])
            tasks.settle(tx, self._world, account, task_id, approve=approve)
            settled = payments.find_by_task(tx, account, task_id)
        assert settled is not None  # noqa: S101 (there was something to settle)
        return settled

    def _find_account(self, tx: Transaction, client_id: str) -> Account:
        account = accounts.find_account(tx, client_id)
        if account is None:
            raise LookupError(f"unknown client {client_id}")
        return account

    def ledger(self) -> list[LedgerRow]:
        """Return every entry of the ledger, oldest first; those of one transfer add up to zero."""
        with self._store.transaction() as tx:
            return ledger.list_rows(tx)

    def check_invariants(self) -> None:
        """Check that the ledger adds up, no balance is negative, and every payment appears in it.

        Raises:
            UnbalancedError: The ledger is broken; the message says where.
        """
        with self._store.transaction() as tx:
            ledger.check_invariants(tx)


class FaultControl:
    """The scripts and faults of a sandbox."""

    _script: Script
    _stream_faults: StreamFaults

    def script(self, answers: Iterable[Entry]) -> None:
        """Script the answers to the next messages, one for each, after earlier scripts.

        Asks and replies of all clients use up entries, streamed or not. A request that is refused before the agent sees it does
        not, nor does a repeated send. After the last entry, the agent answers normally. Scripted answers move no money.

        Args:
            answers: One entry for each message. A text or a `ScriptedResponse` is the answer. `RPCError` and `HTTPError` are
                errors. `ConnectionLost` breaks the connection or never answers. `StreamFault` breaks the stream of the agent's
                own answer; an ask without a stream gets it whole. None is the agent's own answer.

        Raises:
            TypeError: An entry is invalid; the message names its place.

        Example:
            >>> from payman_sdk.sandbox import HTTPError, ConnectionLost, Sandbox
            >>> with Sandbox() as sandbox, sandbox.client() as client:
            ...     sandbox.script(["Good morning!", HTTPError(429, headers={"Retry-After": "0"}), ConnectionLost()])
            ...     print(client.ask("Hello!").text)
            ...     print(client.ask("send 10 TSD to Test Payee").status, len(sandbox.payments))
            Good morning!
            completed 1
        """
        self._script.add(answers)

    @property
    def remaining_script(self) -> int:
        """The number of unused answers of the script."""
        return len(self._script)

    def clear_script(self) -> None:
        """Remove the unused answers of the script."""
        self._script.clear()

    def inject_stream_faults(self, *faults: StreamFault | None) -> None:
        """Make the next streams fail, one fault for each, after earlier faults.

        Only answers to `tasks/sendSubscribe` and `tasks/resubscribe` use up faults. After the last fault, streams work normally.

        Args:
            faults: One entry for each stream; None for a stream without a fault.

        Raises:
            TypeError: An entry is neither a `StreamFault` nor None.

        Example:
            >>> from payman_sdk.sandbox import Sandbox, StreamFault
            >>> with Sandbox() as sandbox:
            ...     sandbox.inject_stream_faults(StreamFault(after_events=3))
        """
        self._stream_faults.add(faults)
