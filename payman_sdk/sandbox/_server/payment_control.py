"""The account owner's view for tests: balances, payments and their approval, and the ledger."""

from __future__ import annotations

from decimal import Decimal

from payman_sdk.sandbox._agent import tasks
from payman_sdk.sandbox._ledger import accounts, ledger, payments
from payman_sdk.sandbox._ledger.accounts import Account
from payman_sdk.sandbox._ledger.environment import SandboxEnvironment
from payman_sdk.sandbox._ledger.ledger import LedgerRow
from payman_sdk.sandbox._ledger.payments import Payment
from payman_sdk.sandbox._ledger.store import Store, Transaction


class PaymentControl:
    """The money of a sandbox."""

    client_id: str
    _store: Store
    _world: SandboxEnvironment

    @property
    def payments(self) -> list[Payment]:
        """The payments of all clients, oldest first: made, waiting and rejected ones."""
        with self._store.transaction() as tx:
            return payments.list_payments(tx)

    @property
    def pending_payments(self) -> list[Payment]:
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

    def approve(self, task_id: str, *, client_id: str | None = None) -> Payment:
        """Approve the payment that a task waits for.

        Args:
            task_id: The id of the task.
            client_id: The client of the task; needed only if several clients have a task with this id.

        Returns:
            The payment: `INITIATED`, or `REJECTED` if the policy or the balance now forbids it.

        Raises:
            LookupError: The task is unknown.
            ValueError: The task does not wait for approval, or several clients have a task with this id.
        """
        return self._settle(task_id, client_id, approve=True)

    def deny(self, task_id: str, *, client_id: str | None = None) -> Payment:
        """Deny the payment that a task waits for. Arguments, result and errors are those of `approve`."""
        return self._settle(task_id, client_id, approve=False)

    def _settle(self, task_id: str, client_id: str | None, *, approve: bool) -> Payment:
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
        """Every entry of the ledger, oldest first; those of one transfer add up to zero."""
        with self._store.transaction() as tx:
            return ledger.list_rows(tx)

    def check_invariants(self) -> None:
        """Check that the ledger adds up, no balance is negative, and every payment appears in it.

        Raises:
            UnbalancedError: The ledger is broken; the message says where.
        """
        with self._store.transaction() as tx:
            ledger.check_invariants(tx)
