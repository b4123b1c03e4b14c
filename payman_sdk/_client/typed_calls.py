"""Typed calls: pay, list and create with typed arguments and typed results; what clients and conversations share.

All of it is [P]: Payman documents no such endpoints. The SDK asks Payman's agent, which is a language model, for one JSON object of a
schema, and believes nothing that does not agree with the order.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypeVar, Unpack

from payman_sdk._client.typed_lists import TypedLists

if TYPE_CHECKING:
    from payman_sdk._core.events import StreamEvent
    from payman_sdk._core.payment_flows import Call
    from payman_sdk._core.payment_types import (
        Payee,
        Payment,
        PayOptions,
        ReadOptions,
        SettleOptions,
        Wallet,
    )

T = TypeVar("T")


class TypedCalls(TypedLists):
    """Payments, beside wallets, payees and transactions."""

    def pay(
        self,
        payee: str | Payee,
        amount: Decimal | str | int,
        currency: str,
        *,
        memo: str | None = None,
        wallet: str | Wallet | None = None,
        verify: bool = True,
        on_event: Callable[[StreamEvent], Any] | None = None,
        **options: Unpack[PayOptions],
    ) -> Payment:
        """Order one payment, and return its outcome [P].

        The payment has all the safety of an ask: it is ordered once, and looked up where an answer was lost. `PAID` takes an object of
        the agent's that agrees with the order, and a transaction that shows it. What is not certain is `UNDETERMINED`, an ordinary
        result that programs must handle: do not order such a payment again under another key.

        Args:
            payee: Who is paid: a name, id, email or paytag, or a `Payee`.
            amount: How much: a Decimal, a str such as `"10.00"`, or an int; never a float.
            currency: The code of the currency, such as `TSD`.
            memo: What it is for: one line of 140 characters at most.
            wallet: The wallet to pay from, by its currency, paytag, id or name, or as a `Wallet`.
            verify: Whether the agent's word that it is paid has to be shown by a transaction, which takes one more request. With False
                the agent's object alone is believed.
            on_event: Called with every event; the answer is streamed then. What it raises comes out unchanged; the payment goes on.
            **options: `idempotency_key`, `key_store`, `new_session`, `metadata`, `message_metadata`, `part_metadata`, `timeout`,
                `read_timeout`, `idle_timeout`, `max_retries`, `settle_time`, `resend`, `on_retry`, `on_task`, `before_send`; see
                `PayOptions`.

        Raises:
            ConfigurationError: An argument is unusable; nothing was sent.
            IdempotencyKeyReuseError: The key was used for another payment; nothing was sent.
            PaymanError: It was not ordered, or turned away, as for `ask`. Where it may have been carried out nothing is raised:
                the payment is `UNDETERMINED`, and `payment.error` says why.

        Example:
            >>> from payman_sdk.sandbox import Sandbox
            >>> with Sandbox() as sandbox, sandbox.client() as client:
            ...     payment = client.pay("Test Payee", "10.00", "TSD", memo="coffee", idempotency_key="invoice-42")
            ...     print(payment.outcome, client.pay("Test Payee", 900, "TSD").reason)
            paid No payment was made: 900.00 TSD is above the limit of 500.00 TSD for one transaction.
        """
        from payman_sdk._core import payment_flows
        from payman_sdk._core.orders import read_payment_order

        order = read_payment_order(payee, amount, currency, memo, wallet)
        call = self._pay_call(options, on_event, verify)
        connection = self._connect()
        return connection.runner.run(payment_flows.pay(connection.agent, order, call))

    def approve(
        self,
        payment: Payment,
        *,
        verify: bool = True,
        on_event: Callable[[StreamEvent], Any] | None = None,
        **options: Unpack[SettleOptions],
    ) -> Payment:
        """Approve a payment that waits for approval, and return it with its new outcome [P].

        Args:
            payment: A payment whose outcome is `AWAITING_APPROVAL`.
            verify: As for `pay`.
            on_event: As for `pay`.
            **options: See `SettleOptions`.

        Raises:
            ConfigurationError: The payment does not wait for approval; nothing was sent.
            PaymanError: As for `pay`.

        Example:
            >>> from payman_sdk.sandbox import Sandbox
            >>> with Sandbox() as sandbox, sandbox.client() as client:
            ...     payment = client.pay("Test Payee", 200, "TSD")
            ...     print(payment.outcome, client.approve(payment).outcome)
            awaiting_approval paid
        """
        return self._settle("approve", payment, self._settle_call("approve", options, on_event, verify))

    def deny(
        self,
        payment: Payment,
        *,
        verify: bool = True,
        on_event: Callable[[StreamEvent], Any] | None = None,
        **options: Unpack[SettleOptions],
    ) -> Payment:
        """Deny a payment that waits for approval, and return it with its new outcome [P].

        Args:
            payment: A payment whose outcome is `AWAITING_APPROVAL`.
            verify: As for `pay`.
            on_event: As for `pay`.
            **options: See `SettleOptions`.

        Raises:
            ConfigurationError: The payment does not wait for approval; nothing was sent.
            PaymanError: As for `pay`.

        Example:
            >>> from payman_sdk.sandbox import Sandbox
            >>> with Sandbox() as sandbox, sandbox.client() as client:
            ...     print(client.deny(client.pay("Test Payee", 200, "TSD")).outcome, sandbox.balance("TSD"))
            refused 1000.00
        """
        return self._settle("deny", payment, self._settle_call("deny", options, on_event, verify))

    def payment_status(
        self,
        payment: Payment | str | Mapping[str, Any],
        *,
        verify: bool = True,
        **options: Unpack[ReadOptions],
    ) -> Payment:
        """Look the task of a payment up, and return the payment with its outcome by now [P].

        Args:
            payment: The payment, or the id of its task. By its id alone, the order is read from the history of the task, where the server
                keeps one.
            verify: As for `pay`.
            **options: See `ReadOptions`.

        Raises:
            TaskNotFoundError: The agent knows no such task.
            ConfigurationError: What was ordered is not known.
            PaymanError: The task could not be read.

        Example:
            >>> from payman_sdk.sandbox import Sandbox
            >>> with Sandbox() as sandbox, sandbox.client() as client:
            ...     payment = client.pay("Test Payee", 200, "TSD")
            ...     approved = sandbox.approve(payment.task_id)
            ...     print(payment.outcome, client.payment_status(payment).outcome)
            awaiting_approval paid
        """
        from payman_sdk._core import payment_flows

        call = self._read_call("payment_status", options, verify)
        connection = self._connect()
        return connection.runner.run(payment_flows.read_status(connection.agent, payment, call))

    def _settle(self, what: str, payment: Payment, call: Call) -> Payment:
        from payman_sdk._core import payment_flows

        connection = self._connect()
        return connection.runner.run(
            payment_flows.settle(connection.agent, payment, call, approve=what == "approve")
        )
