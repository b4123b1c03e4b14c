"""An operation as a store keeps it, and what a run counts, kept as one record: a payment costs the same after a million others."""

from __future__ import annotations

import datetime as dt
import json
import math
from collections.abc import Iterable, Mapping
from decimal import Context, Decimal, Inexact, InvalidOperation
from types import MappingProxyType
from typing import Any, Literal, Self, TypeAlias, cast, get_args

from attrs import asdict, evolve, field, frozen

from payman_sdk.errors import PaymanError

Stage: TypeAlias = Literal["open", "sent", "ended"]
"""`open`: certainly not carried out, so any order may be sent under its name. `sent`: it may have been sent. `ended`: its end is known."""

_STATUSES = (
    None, "paid", "awaiting-approval", "refused", "failed", "working", "unknown", "completed", "input-required",
)  # fmt: skip
"""What `Operation.status` may be."""


class OperationStoreError(PaymanError):
    """The place where operations are written down cannot be read or written."""


class TotalsChangedError(OperationStoreError):
    """Another process has counted in the run meanwhile, so nothing was written."""


def _convert_texts(given: Iterable[str]) -> tuple[str, ...]:
    return tuple(given)


@frozen(kw_only=True)
class Operation:
    """An operation as a store keeps it.

    Args:
        task_id: The id of its task, which is its key.
        account: Whose it is: the client's id, whether it acts for a person, and its server.
        name: The name that it was given; None for a task that was only replied to.
        payee: Who is paid; None where the order is not known, as for the next three.
        amount: How much.
        currency: The code of its currency.
        memo: What it is for.
        stage: How far it has come.
        runs: The runs that it was sent in. It counts there until it is known not to have happened.
        status: Its newest known status; None if there is none.
        reason: Why it is not paid, as far as that is known.
        payment_id: Its id at Payman.
        answer: The agent's newest answer.
        ordered_at: The earliest time it can have been made, by the server's clock, in ISO 8601.
        session_id: The session that it belongs to.
        replies: The decisions that were sent for it.
        is_replying: Whether the last reply may not have arrived.
        sent_at: When it was sent last, in seconds since 1970 by the store's clock; None if it never was, or that is not recorded.
    """

    task_id: str
    account: str
    name: str | None = None
    payee: str | None = None
    amount: Decimal | None = None
    currency: str | None = None
    memo: str | None = None
    stage: Stage = "open"
    runs: tuple[str, ...] = field(default=(), converter=_convert_texts)
    status: str | None = None
    reason: str | None = None
    payment_id: str | None = None
    answer: str = ""
    ordered_at: str | None = None
    session_id: str | None = None
    replies: tuple[str, ...] = field(default=(), converter=_convert_texts)
    is_replying: bool = False
    sent_at: float | None = None

    @property
    def counts(self) -> bool:
        """Whether it counts as a payment: it may have been made, or may still be."""
        return self.stage != "ended" or self.status not in {"refused", "failed"}

    def reopened(self) -> Operation:
        """Return the same, certain not to have been carried out: it counts nowhere."""
        return evolve(
            self,
            stage="open",
            runs=(),
            status=None,
            reason=None,
            payment_id=None,
            answer="",
            ordered_at=None,
            sent_at=None,
        )

    def to_json(self) -> str:
        """Return the record as JSON text in ASCII, which every place can hold."""
        amount = None if self.amount is None else str(self.amount)
        return json.dumps({**asdict(self), "amount": amount})

    @classmethod
    def from_json(cls, text: str | bytes, where: str) -> Self:
        """Read what `to_json` has written, and nothing else.

        Records of earlier versions have no `sent_at`; what they call sent counts as sent when it is read.

        Raises:
            OperationStoreError: It is something else; `where` names the place.
        """
        try:
            members: dict[str, Any] = {"sent_at": None, **json.loads(text)}
            if members.keys() == _KINDS.keys() and _is_sound(members):
                if members["amount"] is not None:
                    members["amount"] = Decimal(members["amount"])
                return cls(**members)
        except (ValueError, TypeError, ArithmeticError, RecursionError):
            pass
        raise OperationStoreError(
            f"{where} holds a damaged operation.", next_step="Find out from Payman what was paid."
        )


_OPTIONAL = (
    "name", "payee", "amount", "currency", "memo", "status", "reason", "payment_id", "ordered_at", "session_id",
)  # fmt: skip
_KINDS: Mapping[str, tuple[type, ...]] = {
    **dict.fromkeys(("task_id", "account", "stage", "answer"), (str,)),
    **dict.fromkeys(_OPTIONAL, (str, type(None))),
    **dict.fromkeys(("runs", "replies"), (list,)),
    "is_replying": (bool,),
    "sent_at": (int, float, type(None)),
}
"""The members of a record, and what each may be in JSON."""


def _is_sound(members: Mapping[str, Any]) -> bool:
    """Whether members that were read can be those of an operation. A damaged one must not pass for an operation that counts less."""
    amount, sent_at = members["amount"], members["sent_at"]
    return (
        all(isinstance(members[name], kinds) for name, kinds in _KINDS.items())
        and all(isinstance(one, str) for name in ("runs", "replies") for one in members[name])
        and members["stage"] in get_args(Stage)
        and members["status"] in _STATUSES
        and (amount is None) == (members["currency"] is None) == (members["payee"] is None)
        and (
            members["ordered_at"] is None
            or dt.datetime.fromisoformat(members["ordered_at"]).tzinfo is not None
        )
        and (amount is None or (Decimal(amount).is_finite() and Decimal(amount) > 0))
        and (sent_at is None or (not isinstance(sent_at, bool) and sent_at >= 0 and math.isfinite(sent_at)))
    )


EXACT = Context(prec=400, traps=[Inexact, InvalidOperation])
"""Sums are exact or fail: a rounded one could let a payment through."""


def _freeze(amounts: Mapping[str, Decimal]) -> Mapping[str, Decimal]:
    return MappingProxyType(dict(amounts))


@frozen(kw_only=True)
class RunTotals:
    """Return what a run counts. A payment counts from the moment it may have been sent until it is known not to have happened.

    Args:
        members: The operations that were sent in the run, also those that do not count any more.
        payments: Those of them that count.
        unpriced: Those that count, and whose amount is not known.
        amounts: The sum of the others, by currency.
        changes: How often the totals have changed; it only grows.
    """

    members: int = 0
    payments: int = 0
    unpriced: int = 0
    amounts: Mapping[str, Decimal] = field(factory=dict[str, Decimal], converter=_freeze)
    changes: int = 0

    @classmethod
    def of(cls, operations: Iterable[Operation]) -> Self:
        """Return the totals of the operations of a run."""
        totals = cls()
        for operation in operations:
            totals = totals._add(operation, 1)
        return totals

    def replace(self, run_id: str, before: Operation | None, after: Operation | None) -> Self:
        """Return the totals of a run once the record of an operation has changed; the same ones where that changes nothing.

        Args:
            run_id: The run.
            before: The record until now, None if there is none.
            after: The record from now on.
        """
        if not self.is_changed(run_id, before, after):
            return self
        totals = self
        if before is not None and run_id in before.runs:
            totals = totals._add(before, -1)
        if after is not None and run_id in after.runs:
            totals = totals._add(after, 1)
        if not totals._is_sound():
            raise OperationStoreError(f"The totals of the run {run_id} are less than one of its payments.")
        return evolve(totals, changes=self.changes + 1)

    @staticmethod
    def is_changed(run_id: str, before: Operation | None, after: Operation | None) -> bool:
        """Return whether the totals of a run change with the record of an operation."""
        return _weigh(run_id, before) != _weigh(run_id, after)

    def _is_sound(self) -> bool:
        sums = self.amounts.values()
        return 0 <= self.unpriced <= self.payments <= self.members and all(amount >= 0 for amount in sums)

    def _add(self, operation: Operation, sign: int) -> Self:
        members, changes = self.members + sign, self.changes + 1
        if not operation.counts:
            return evolve(self, members=members, changes=changes)
        amounts, unpriced = dict(self.amounts), self.unpriced
        if operation.amount is None or operation.currency is None:
            unpriced += sign
        else:
            amount = amounts.get(operation.currency, Decimal(0))
            count = EXACT.add if sign > 0 else EXACT.subtract
            amounts[operation.currency] = count(amount, operation.amount)
        payments = self.payments + sign
        return evolve(
            self, members=members, payments=payments, unpriced=unpriced, amounts=amounts, changes=changes
        )

    def to_json(self) -> str:
        """Return the totals as JSON text."""
        amounts = {currency: str(amount) for currency, amount in self.amounts.items()}
        counts = (self.members, self.payments, self.unpriced, self.changes)
        return json.dumps([*counts, amounts])

    @classmethod
    def from_json(cls, text: str | bytes, where: str) -> Self:
        """Read what `to_json` has written, and nothing else.

        Raises:
            OperationStoreError: It is something else; `where` names the place.
        """
        try:
            *counts, amounts = cast("list[Any]", json.loads(text))
            [members, payments, unpriced, changes] = counts
            sums = {currency: Decimal(amount) for currency, amount in amounts.items()}
            totals = cls(members=members, payments=payments, unpriced=unpriced, amounts=sums, changes=changes)
            is_plain = all(type(one) is int for one in counts) and all(map(Decimal.is_finite, sums.values()))
            if is_plain and members <= changes and totals._is_sound():
                return totals
        except (ValueError, TypeError, AttributeError, ArithmeticError, RecursionError):
            pass
        raise OperationStoreError(
            f"{where} holds damaged totals of a run.", next_step="Find out from Payman what was paid."
        )


def _weigh(run_id: str, operation: Operation | None) -> object:
    if operation is None or run_id not in operation.runs:
        return None
    return (operation.amount, operation.currency) if operation.counts else False
