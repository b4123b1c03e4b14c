"""Typed lists: wallets, payees and transactions, and new payees; what clients and conversations share.

All of it is [P]: Payman documents no such endpoints. The SDK asks Payman's agent, which is a language model, for one JSON object of a
schema, and believes nothing that does not agree with the order.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Literal, TypeVar, Unpack

from payman_sdk._client.typed_session import TypedSession

if TYPE_CHECKING:
    from payman_sdk._core.payment_flows import Call
    from payman_sdk._core.payment_types import (
        Payee,
        PayeeType,
        PayOptions,
        ReadOptions,
        Transaction,
        Wallet,
    )
    from payman_sdk._core.task_response import FormattedTaskResponse
    from payman_sdk._io.runner import SyncRunner  # noqa: F401 (named in a string below)

T = TypeVar("T")


class TypedLists(TypedSession["SyncRunner"]):
    """Wallets, payees and transactions."""

    def wallets(self, **options: Unpack[ReadOptions]) -> list[Wallet]:
        """Return the wallets, as the agent lists them [P].

        It changes nothing, so it is repeated at once where it fails.

        Args:
            **options: `timeout`, `read_timeout`, `max_retries`, `on_retry`, `before_send`; see `ReadOptions`.

        Raises:
            TaskFailedError: The agent cannot list them, such as with a token that lacks the scope.
            ResponseValidationError: The agent's answer is not the list that was asked for.
            PaymanError: As for `ask`.

        Example:
            >>> from payman_sdk.sandbox import Sandbox
            >>> with Sandbox() as sandbox, sandbox.client() as client:
            ...     print([(wallet.currency, wallet.balance) for wallet in client.wallets()])
            [('TSD', Decimal('1000.00'))]
        """
        from payman_sdk._core.listings import read_wallets
        from payman_sdk._core.orders import wallets_text

        return self._read(wallets_text(), read_wallets, self._read_call("wallets", options))

    def payees(self, query: str | None = None, **options: Unpack[ReadOptions]) -> list[Payee]:
        """Return the payees, as the agent lists them [P].

        Args:
            query: What the name, email, id or paytag contains; None lists all.
            **options: See `ReadOptions`.

        Raises:
            PaymanError: As for `wallets`.

        Example:
            >>> from payman_sdk.sandbox import Sandbox
            >>> with Sandbox() as sandbox, sandbox.client() as client:
            ...     print([payee.name for payee in client.payees("test")])
            ['Test Payee']
        """
        from payman_sdk._core.listings import read_payees
        from payman_sdk._core.orders import payees_text

        return self._read(payees_text(query), read_payees, self._read_call("payees", options))

    def transactions(
        self, limit: int = 20, wallet: str | Wallet | None = None, **options: Unpack[ReadOptions]
    ) -> list[Transaction]:
        """Return the newest transactions, as the agent lists them [P].

        Args:
            limit: How many, from 1 to 100.
            wallet: Of which wallet; None for all.
            **options: See `ReadOptions`.

        Raises:
            PaymanError: As for `wallets`.

        Example:
            >>> from payman_sdk.sandbox import Sandbox
            >>> with Sandbox() as sandbox, sandbox.client() as client:
            ...     payment = client.pay("Test Payee", 10, "TSD")
            ...     print([(one.amount, one.payee and one.payee.name, one.outcome.value) for one in client.transactions()])
            [(Decimal('10.00'), 'Test Payee', 'paid')]
        """
        from payman_sdk._core.listings import read_transactions
        from payman_sdk._core.orders import transactions_text

        text = transactions_text(limit, wallet)
        return self._read(text, read_transactions, self._read_call("transactions", options))

    def create_payee(
        self,
        name: str,
        type: PayeeType,  # noqa: A002 (as the API has it)
        *,
        account_holder_name: str | None = None,
        account_holder_type: Literal["individual", "business"] | None = None,
        account_number: str | None = None,
        routing_number: str | None = None,
        account_type: Literal["checking", "savings"] | None = None,
        address: str | None = None,
        chain: str | None = None,
        currency: str | None = None,
        paytag: str | None = None,
        email: str | None = None,
        phone: str | None = None,
        postal_address: str | None = None,
        tax_id: str | None = None,
        tags: Sequence[str] | None = None,
        **options: Unpack[PayOptions],
    ) -> Payee:
        """Create a payee, and return it as the agent describes it [P]. A payee who is there already is returned.

        Args:
            name: The name.
            type: `TEST_RAILS`, `US_ACH`, `CRYPTO_ADDRESS` or `PAYMAN_WALLET` [D].
            account_holder_name: US_ACH: who holds the account.
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
            tags: Words to find it by.
            **options: As for `pay`.

        Raises:
            ConfigurationError: A field is missing, unusable, or of another type; nothing was sent.
            TaskFailedError: The agent refused, or the payee does not exist.
            OutcomeUnknownError: Whether it was created is not known; see `payees`.
            PaymanError: As for `ask`.

        Example:
            >>> from payman_sdk.sandbox import Sandbox
            >>> with Sandbox() as sandbox, sandbox.client() as client:
            ...     ada = client.create_payee("Ada Lovelace", "TEST_RAILS", email="ada@example.com")
            ...     print(ada.name, client.pay(ada, 5, "TSD").outcome)
            Ada Lovelace paid
        """
        from payman_sdk._core.orders import read_payee_order
        from payman_sdk._core.payee_flow import create_payee

        given = {
            "account_holder_name": account_holder_name,
            "account_holder_type": account_holder_type,
            "account_number": account_number,
            "routing_number": routing_number,
            "account_type": account_type,
            "address": address,
            "chain": chain,
            "currency": currency,
            "paytag": paytag,
            "email": email,
            "phone": phone,
            "postal_address": postal_address,
            "tax_id": tax_id,
            "tags": tags,
        }
        order = read_payee_order(name, type, given)
        call = self._create_call(options)
        connection = self._connect()
        return connection.runner.run(create_payee(connection.agent, order, call))

    def _read(self, text: str, read: Callable[[FormattedTaskResponse], T], call: Call) -> T:
        connection = self._connect()
        return connection.runner.run(connection.agent.read(text, call.session_id, call.options, read))
