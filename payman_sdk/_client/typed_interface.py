"""The methods for payments and lists, described; see `interface.py`."""

from __future__ import annotations

from typing import Any

from payman_sdk._client.interface import CallInterface


class TypedCallInterface(CallInterface):
    """The typed calls of a session."""

    def pay(self, *args: Any, **kwargs: Any) -> Any:
        """Order one payment, and return its outcome [P].

        A payment is as safe as an ask: it is ordered once, and looked up if an answer is lost. `PAID` requires an object of the
        agent that matches the order, and a transaction that shows it. Anything uncertain is `UNDETERMINED`, an ordinary result
        that programs must handle. Do not order such a payment again under another key.

        Args:
            payee: The payee's name, id, email or paytag, or a `Payee`.
            amount: A Decimal, a str such as `"10.00"`, or an int, in whole units; never a float.
            currency: The currency code, such as `TSD`.
            memo: The purpose: one line of at most 140 characters.
            wallet: The wallet to pay from, by its currency, paytag, id or name, or as a `Wallet`.
            verify: Whether a transaction must confirm the agent's answer, which takes one more request. With False, the agent's
                object alone is enough.
            on_event: Called with every event; the answer is streamed then. Its exceptions pass unchanged, and the payment continues.

        The other keywords are those of `PayOptions`.

        Raises:
            ConfigurationError: An argument is invalid. Nothing was sent.
            IdempotencyKeyReuseError: The key was used for another payment. Nothing was sent now.
            PaymanError: The order was not sent or was turned away, as for `ask`. If it may have been carried out, nothing is
                raised: the payment is `UNDETERMINED`, and `payment.error` says why.

        Example:
            >>> from payman_sdk.sandbox import Sandbox
            >>> with Sandbox() as sandbox, sandbox.client() as client:
            ...     payment = client.pay("Test Payee", "10.00", "TSD", memo="coffee", idempotency_key="invoice-42")
            ...     print(payment.outcome, client.pay("Test Payee", 900, "TSD").reason)
            paid No payment was made: 900.00 TSD is above the limit of 500.00 TSD for one transaction.
        """

    def approve(self, *args: Any, **kwargs: Any) -> Any:
        """Approve a payment that waits for approval, and return it with its new outcome [P].

        Args:
            payment: A payment whose outcome is `AWAITING_APPROVAL`.
            verify: As for `pay`.
            on_event: As for `pay`.

        The other keywords are those of `SettleOptions`.

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

    def deny(self, *args: Any, **kwargs: Any) -> Any:
        """Deny a payment that waits for approval, and return it with its new outcome [P].

        Args:
            payment: A payment whose outcome is `AWAITING_APPROVAL`.
            verify: As for `pay`.
            on_event: As for `pay`.

        The other keywords are those of `SettleOptions`.

        Raises:
            ConfigurationError: The payment does not wait for approval; nothing was sent.
            PaymanError: As for `pay`.

        Example:
            >>> from payman_sdk.sandbox import Sandbox
            >>> with Sandbox() as sandbox, sandbox.client() as client:
            ...     print(client.deny(client.pay("Test Payee", 200, "TSD")).outcome, sandbox.balance("TSD"))
            refused 1000.00
        """

    def payment_status(self, *args: Any, **kwargs: Any) -> Any:
        """Look the task of a payment up, and return the payment with its current outcome [P].

        Args:
            payment: The payment, or the id of its task. With an id, the client reads the order from the history of the task, if
                the server keeps one.
            verify: As for `pay`.

        The other keywords are those of `ReadOptions`.

        Raises:
            TaskNotFoundError: The agent knows no such task.
            ConfigurationError: The order is unknown.
            PaymanError: The task could not be read.

        Example:
            >>> from payman_sdk.sandbox import Sandbox
            >>> with Sandbox() as sandbox, sandbox.client() as client:
            ...     payment = client.pay("Test Payee", 200, "TSD")
            ...     approved = sandbox.approve(payment.task_id)
            ...     print(payment.outcome, client.payment_status(payment).outcome)
            awaiting_approval paid
        """

    def wallets(self, *args: Any, **kwargs: Any) -> Any:
        """Return the wallets, as the agent lists them [P].

        This changes nothing, so the client retries it at once.

        The keywords are those of `ReadOptions`.

        Raises:
            TaskFailedError: The agent cannot list them, such as with a token that lacks the scope.
            ResponseValidationError: The agent's answer is not the requested list.
            PaymanError: As for `ask`.

        Example:
            >>> from payman_sdk.sandbox import Sandbox
            >>> with Sandbox() as sandbox, sandbox.client() as client:
            ...     print([(wallet.currency, wallet.balance) for wallet in client.wallets()])
            [('TSD', Decimal('1000.00'))]
        """

    def payees(self, *args: Any, **kwargs: Any) -> Any:
        """Return the payees, as the agent lists them [P].

        Args:
            query: A part of the name, email, id or paytag; None lists all.

        The other keywords are those of `ReadOptions`.

        Raises:
            PaymanError: As for `wallets`.

        Example:
            >>> from payman_sdk.sandbox import Sandbox
            >>> with Sandbox() as sandbox, sandbox.client() as client:
            ...     print([payee.name for payee in client.payees("test")])
            ['Test Payee']
        """

    def transactions(self, *args: Any, **kwargs: Any) -> Any:
        """Return the newest transactions, as the agent lists them [P].

        Args:
            limit: How many, from 1 to 100.
            wallet: The wallet; None for all.

        The other keywords are those of `ReadOptions`.

        Raises:
            PaymanError: As for `wallets`.

        Example:
            >>> from payman_sdk.sandbox import Sandbox
            >>> with Sandbox() as sandbox, sandbox.client() as client:
            ...     payment = client.pay("Test Payee", 10, "TSD")
            ...     print([(one.amount, one.payee and one.payee.name, one.outcome.value) for one in client.transactions()])
            [(Decimal('10.00'), 'Test Payee', 'paid')]
        """

    def create_payee(self, *args: Any, **kwargs: Any) -> Any:
        """Create a payee, and return it as the agent describes it [P]. An existing payee is returned.

        Args:
            name: The name.
            type: `TEST_RAILS`, `US_ACH`, `CRYPTO_ADDRESS` or `PAYMAN_WALLET` [D].
            account_holder_name: US_ACH: the name of the account holder.
            account_holder_type: US_ACH: `individual` or `business`.
            account_number: US_ACH: 4 to 17 digits.
            routing_number: US_ACH: nine digits.
            account_type: US_ACH: `checking` or `savings`.
            address: CRYPTO_ADDRESS: the address.
            chain: CRYPTO_ADDRESS: the chain, such as `ethereum`.
            currency: CRYPTO_ADDRESS: the code of the currency, such as `USDC`.
            paytag: PAYMAN_WALLET: the paytag of the wallet.
            email: An email address to reach the payee by.
            phone: A phone number.
            postal_address: A postal address, on one line.
            tax_id: A tax id.
            tags: Tags for the payee.

        The other keywords are those of `PayOptions`.

        Raises:
            ConfigurationError: A field is missing, invalid, or belongs to another type. Nothing was sent.
            TaskFailedError: The agent refused, or the payee does not exist.
            OutcomeUnknownError: The payee may have been created; see `payees`.
            PaymanError: As for `ask`.

        Example:
            >>> from payman_sdk.sandbox import Sandbox
            >>> with Sandbox() as sandbox, sandbox.client() as client:
            ...     ada = client.create_payee("Ada Lovelace", "TEST_RAILS", email="ada@example.com")
            ...     print(ada.name, client.pay(ada, 5, "TSD").outcome)
            Ada Lovelace paid
        """
