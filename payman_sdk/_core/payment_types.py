"""Typed results: payments and their outcome, wallets, payees and transactions.

All of them come from what Payman's agent writes at the SDK's request [P]: an object of a given schema, validated, and compared with
what was ordered. The classes are imported when they are first used.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Literal, Self, TypeAlias, TypedDict

from attrs import field, frozen

if TYPE_CHECKING:
    from payman_sdk._core.exchange import KeyStore
    from payman_sdk._core.task_response import FormattedTaskResponse
    from payman_sdk.errors import PaymanError

__all__ = [
    "PayOptions",
    "Payee",
    "PayeeType",
    "Payment",
    "PaymentOutcome",
    "ReadOptions",
    "SettleOptions",
    "Transaction",
    "Wallet",
]

PayeeType: TypeAlias = Literal["TEST_RAILS", "US_ACH", "CRYPTO_ADDRESS", "PAYMAN_WALLET"]
"""The types of payees [D]."""


class PaymentOutcome(StrEnum):
    """How a payment ended, as far as it could be proven. What is not certain is `UNDETERMINED`."""

    PAID = "paid"
    """The agent says that it is paid, and a transaction shows it."""
    AWAITING_APPROVAL = "awaiting_approval"
    """Nothing is paid yet: a person has to approve or deny it."""
    REFUSED = "refused"
    """Payman refused it, or a person denied it; nothing is paid."""
    FAILED = "failed"
    """It was tried without success, or its task was canceled."""
    UNDETERMINED = "undetermined"
    """It may be paid or not. Do not order it again under another key; `payment_status` reads it anew."""


@frozen(kw_only=True)
class Wallet:
    """A wallet, as the agent describes it [P].

    Attributes:
        id: Its id, where the agent gave one.
        currency: The code of its currency, such as `TSD`.
        paytag: Its paytag, such as `tube.tense.cask/53`.
        name: What it is called.
        balance: What can be spent; None where the agent did not say.
        pending: What waits for approval or is on its way; None where the agent did not say.
        response: The answer that it was read from.
    """

    currency: str
    id: str | None = None
    paytag: str | None = None
    name: str | None = None
    balance: Decimal | None = None
    pending: Decimal | None = None
    response: FormattedTaskResponse | None = field(default=None, repr=False, eq=False)


@frozen(kw_only=True)
class Payee:
    """Somebody who can be paid, as the agent describes them [P]. Pass it to `pay` to name a payee by its id.

    Attributes:
        name: The name.
        id: The id, such as `pd-…`.
        type: `TEST_RAILS`, `US_ACH`, `CRYPTO_ADDRESS`, `PAYMAN_WALLET`, or what else the agent says.
        email: The email of its contact details.
        paytag: Its paytag.
        response: The answer that it was read from.
    """

    name: str
    id: str | None = None
    type: PayeeType | str | None = None
    email: str | None = None
    paytag: str | None = None
    response: FormattedTaskResponse | None = field(default=None, repr=False, eq=False)


@frozen(kw_only=True)
class Transaction:
    """A transaction, as the agent lists it [P].

    Attributes:
        id: Its id, where the agent gave one.
        outcome: What its status means; `UNDETERMINED` for a status that is not known.
        status: The agent's own word, such as `INITIATED`.
        amount: The amount, above zero.
        currency: The code of its currency.
        payee: Who is paid; None where nobody is, as for a deposit.
        memo: What it is for.
        created: When it was made, with a time zone; None where the agent did not say.
        task_id: The task that ordered it, where the agent knows it.
        response: The answer that it was read from.
    """

    outcome: PaymentOutcome
    status: str
    amount: Decimal
    currency: str
    payee: Payee | None = None
    id: str | None = None
    memo: str | None = None
    created: dt.datetime | None = None
    task_id: str | None = None
    response: FormattedTaskResponse | None = field(default=None, repr=False, eq=False)


@frozen(kw_only=True)
class Payment:
    """A payment that was ordered, and its outcome.

    Attributes:
        outcome: How it ended, as far as it could be proven.
        reason: Why, for a person to read: the agent's words for a refusal, the SDK's for what is undetermined. None if it is paid.
        amount: What was ordered.
        currency: The code of its currency.
        payee: Who was to be paid, as it was ordered: a name, id, email or paytag.
        memo: What it is for.
        wallet: The wallet it was ordered from; None where the agent chose it.
        payment_id: Its id as the agent gave it, else None.
        task_id: The id of its task (`tsk-…`).
        session_id: The id of its session (`ses-…`).
        idempotency_key: The key it was ordered with, if any.
        transaction: The transaction that shows the outcome, if one was found.
        ordered_at: The earliest time it can have been made, by the server's clock; None where that is not known.
        error: Why the outcome is undetermined, where an exception says so, such as an `OutcomeUnknownError`.
        response: The agent's answer; None where there was none.

    Example:
        >>> from payman_sdk.sandbox import Sandbox
        >>> with Sandbox() as sandbox, sandbox.client() as client:
        ...     payment = client.pay("Test Payee", "10.00", "TSD", memo="coffee")
        ...     print(payment.outcome, payment.amount, sandbox.balance("TSD"))
        paid 10.00 990.00
    """

    outcome: PaymentOutcome
    amount: Decimal
    currency: str
    payee: str
    reason: str | None = None
    memo: str | None = None
    wallet: str | None = None
    payment_id: str | None = None
    task_id: str | None = None
    session_id: str | None = None
    idempotency_key: str | None = None
    transaction: Transaction | None = field(default=None, repr=False)
    ordered_at: dt.datetime | None = field(default=None, repr=False)
    error: PaymanError | None = field(default=None, repr=False, eq=False)
    response: FormattedTaskResponse | None = field(default=None, repr=False, eq=False)

    @property
    def is_paid(self) -> bool:
        """Whether it is proven to be paid."""
        return self.outcome is PaymentOutcome.PAID

    def raise_unless_paid(self) -> Self:
        """Return the payment if it is paid.

        Raises:
            PaymentNotMadeError: It is not paid, or not proven to be; `error.payment` is the payment.

        Example:
            >>> from payman_sdk.errors import PaymentNotMadeError
            >>> from payman_sdk.sandbox import Sandbox
            >>> with Sandbox() as sandbox, sandbox.client() as client:
            ...     try:
            ...         client.pay("Test Payee", 900, "TSD").raise_unless_paid()
            ...     except PaymentNotMadeError as error:
            ...         print(error.payment.outcome)
            refused
        """
        if self.is_paid:
            return self
        from payman_sdk.errors import PaymentNotMadeError

        raise PaymentNotMadeError.of(self)


class ReadOptions(TypedDict, total=False):
    """Options of the calls that only read: `wallets`, `payees`, `transactions`, `payment_status`."""

    timeout: float | None
    """Seconds for the whole call; the client's, 300 by default."""
    read_timeout: float | None
    """Seconds that one attempt may take to be answered; the client's, 60 by default."""
    max_retries: int | None
    """How often a call that failed is repeated; the client's, 2 by default."""
    on_retry: Callable[[Any], Any] | None
    """Called before each repetition with a `RetryDetails`; the client's by default."""
    before_send: Callable[[Any], Any] | None
    """Called with an `OutgoingAsk` before it is sent; the client's by default."""


class SettleOptions(ReadOptions, total=False):
    """Options of `approve` and `deny`."""

    metadata: dict[str, Any] | None
    """Sent with the task."""
    message_metadata: dict[str, Any] | None
    """Sent with the message of the task."""
    part_metadata: dict[str, Any] | None
    """Sent with the text part of the message."""
    settle_time: float | None
    """Seconds that the agent must not know the task before what may have arrived is sent again; the client's, 30 by default."""
    resend: Literal["after_settling", "never"] | None
    """`never` forbids a second send of what may have arrived; the client's, `after_settling` by default."""
    on_task: Callable[[Any], Any] | None
    """Called with a `TaskStateChange` whenever the task changes; the client's by default."""
    idle_timeout: float | None
    """Seconds without an event after which a stream counts as broken; the client's, 60 by default."""


class PayOptions(SettleOptions, total=False):
    """Options of `pay` and `create_payee`."""

    new_session: bool | None
    """Start a new session with this call; the client stays in it."""
    idempotency_key: str | None
    """A name for the operation, such as `invoice-42`: a call with the same key is the same task, from any process."""
    key_store: KeyStore | None
    """Where the use of the key is recorded; the client's by default."""
