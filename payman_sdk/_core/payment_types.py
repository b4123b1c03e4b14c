"""Typed results: payments and their outcome, wallets, payees and transactions.

All of them come from Payman's agent, which writes an object of a given schema at the SDK's request [P]. The SDK validates it and
compares it with the order.
"""

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from enum import Enum, StrEnum
from functools import cache
from typing import Any, Literal, NotRequired, Required, Self, TypeAlias, cast, get_type_hints

from attr import asdict  # that of `attrs` keeps tuples
from attrs import NOTHING, field, fields, frozen

from payman_sdk._annotations import build_instance_schema, build_twin
from payman_sdk._core.task_response import FormattedTaskResponse
from payman_sdk.errors import PaymanError, PaymentNotMadeError

_HIDDEN = frozenset({"response", "error"})
"""Fields that are not data: the answer and the exception that come along."""


class TypedResult:
    """Base of typed results, so that programs can store them, send them as JSON and return them from web services."""

    __slots__ = ()

    def to_dict(self) -> dict[str, Any]:
        """Return the data as JSON has it: amounts as texts, times as in RFC 3339, payees and transactions as dicts.

        `response` and `error`, where there are such, are left out.

        Example:
            >>> from decimal import Decimal
            >>> from payman_sdk.types import Wallet
            >>> Wallet(currency="TSD", balance=Decimal("10.00")).to_dict()
            {'currency': 'TSD', 'id': None, 'paytag': None, 'name': None, 'balance': '10.00', 'pending': None}
        """
        return asdict(cast("Any", self), filter=_is_data, value_serializer=_to_json)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> Any:
        """Have pydantic take a result as it is, make one of a dict, and describe and write its data."""
        hints = get_type_hints(cls)
        members = {
            one.name: Required[hints[one.name]] if one.default is NOTHING else NotRequired[hints[one.name]]
            for one in fields(cast("Any", cls))
            if _is_data(one)
        }
        shape = handler.generate_schema(build_twin(cls, members))
        return build_instance_schema(cls, shape, lambda data: cls(**data), _list_data)

    @property
    def __pydantic_serializer__(self) -> Any:
        """What pydantic writes a result with where no annotation says what it is, as among the answers of an agent's tools."""
        return _build_serializer(cast("Any", type(self)))


@cache
def _build_serializer(kind: type) -> Any:
    from pydantic import TypeAdapter

    return TypeAdapter(kind).serializer


def _list_data(result: Any) -> dict[str, Any]:
    return asdict(result, recurse=False, filter=_is_data)


def _is_data(member: Any, _: object = None) -> bool:
    return member.name not in _HIDDEN


def _to_json(owner: object, member: object, value: Any) -> Any:
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, dt.datetime):
        return value.isoformat().replace("+00:00", "Z")
    return dict(cast("Mapping[str, Any]", value)) if isinstance(value, Mapping) else value


__all__ = ["Payee", "PayeeType", "Payment", "PaymentOutcome", "Transaction", "Wallet"]

PayeeType: TypeAlias = Literal["TEST_RAILS", "US_ACH", "CRYPTO_ADDRESS", "PAYMAN_WALLET"]
"""The types of payees [D]."""


class PaymentOutcome(StrEnum):
    """The proven outcome of a payment. Anything uncertain is `UNDETERMINED`."""

    PAID = "paid"
    """The agent says that it is paid, and a transaction shows it."""
    AWAITING_APPROVAL = "awaiting_approval"
    """Nothing is paid yet: a person has to approve or deny it."""
    REFUSED = "refused"
    """Payman refused it, or a person denied it; nothing is paid."""
    FAILED = "failed"
    """It failed, or its task was canceled. Nothing is paid."""
    UNDETERMINED = "undetermined"
    """It may be paid or not. Do not order it again under another key; `payment_status` reads it again."""


@frozen(kw_only=True)
class Wallet(TypedResult):
    """A wallet, as the agent describes it [P].

    Attributes:
        id: Its id, where the agent gave one.
        currency: The code of its currency, such as `TSD`.
        paytag: Its paytag, such as `tube.tense.cask/53`.
        name: Its name.
        balance: The amount that can be spent, or None if unknown.
        pending: The amount that waits for approval or is being transferred, or None if unknown.
        response: The answer that it comes from.
    """

    currency: str
    id: str | None = None
    paytag: str | None = None
    name: str | None = None
    balance: Decimal | None = None
    pending: Decimal | None = None
    response: FormattedTaskResponse | None = field(default=None, repr=False, eq=False)


@frozen(kw_only=True)
class Payee(TypedResult):
    """Somebody who can be paid, as the agent describes them [P]. Pass it to `pay` to name a payee by its id.

    Attributes:
        name: The name.
        id: The id, such as `pd-…`.
        type: `TEST_RAILS`, `US_ACH`, `CRYPTO_ADDRESS`, `PAYMAN_WALLET`, or another word of the agent.
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
class Transaction(TypedResult):
    """A transaction, as the agent lists it [P].

    Attributes:
        id: Its id, where the agent gave one.
        outcome: The outcome of its status; `UNDETERMINED` for an unknown status.
        status: The agent's own word, such as `INITIATED`.
        amount: The amount, above zero.
        currency: The code of its currency.
        payee: The payee; None for a deposit.
        memo: The purpose.
        created: The time with a time zone, or None if unknown.
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
class Payment(TypedResult):
    """A payment that was ordered, and its outcome.

    Attributes:
        outcome: The proven outcome.
        reason: The reason in words: the agent's for a refusal, the SDK's if undetermined. None if it is paid.
        amount: The ordered amount.
        currency: The code of its currency.
        payee: The payee as in the order: a name, id, email or paytag.
        memo: The purpose.
        wallet: The wallet in the order; None if the agent chose it.
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
        what = f"{self.amount} {self.currency} to {self.payee}"
        failure = PaymentNotMadeError(
            f"The payment of {what} is not proven to be paid; its outcome is {self.outcome.value.replace('_', ' ')}"
            f"{': ' + self.reason if self.reason else '.'}",
            task_id=self.task_id,
            session_id=self.session_id,
            idempotency_key=self.idempotency_key,
        )
        failure.payment = self
        failure.sent = self.outcome not in (PaymentOutcome.REFUSED, PaymentOutcome.FAILED)
        if failure.sent:
            failure.next_step = (
                "Do not order it again; client.payment_status(error.payment) reads its outcome again."
            )
        raise failure
