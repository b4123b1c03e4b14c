"""What a run counts, kept as one record, so that a payment costs the same after a million others as after none."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from decimal import Context, Decimal, Inexact, InvalidOperation
from types import MappingProxyType
from typing import Any, Self, cast

from attrs import evolve, field, frozen

from payman_sdk.agents.stores.operation import Operation, OperationStoreError

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
    """Return what an operation adds to a run, for comparison."""
    if operation is None or run_id not in operation.runs:
        return None
    return (operation.amount, operation.currency) if operation.counts else False
