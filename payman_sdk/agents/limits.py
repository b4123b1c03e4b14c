"""How much a run may pay, and to whom. Limits compare typed orders; they read no text."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from decimal import Decimal, InvalidOperation
from types import MappingProxyType
from typing import cast

from attrs import field, frozen

from payman_sdk._core.payments import normalize_reference
from payman_sdk._refusals import describe_type, describe_value, refuse
from payman_sdk.agents.results import quote_words
from payman_sdk.agents.stores import Operation, RunTotals
from payman_sdk.agents.stores.operation import EXACT


def _convert_amounts(given: object) -> Mapping[str, Decimal] | None:
    if given is None:
        return None
    if not isinstance(given, Mapping):
        fix = 'Give a dict such as {"TSD": Decimal(100)}, or None.'
        refuse("SpendingLimit.max_amount", f"is {describe_type(given)}", fix)
    read: dict[str, Decimal] = {}
    spellings: dict[str, str] = {}
    for currency, amount in cast("Mapping[object, object]", given).items():
        if not isinstance(currency, str) or not re.fullmatch(r"[A-Za-z]{2,8}", currency):
            refuse(
                "SpendingLimit.max_amount", f"names the currency {currency!r}", "Use its code, such as 'TSD'."
            )
        if (other := spellings.setdefault(currency.upper(), currency)) != currency:
            refuse(
                "SpendingLimit.max_amount", f"names {other!r} and {currency!r}, one currency", "Give it once."
            )
        value, shown = Decimal("NaN"), "an int with thousands of digits"
        with suppress(InvalidOperation, ValueError):  # Python writes no such int out
            shown = repr(amount)[:200]
            value = value if isinstance(amount, bool) else Decimal(str(amount))
        if not value.is_finite() or value < 0 or value.adjusted() > 99:
            refuse(f"SpendingLimit.max_amount[{currency!r}]", f"is {shown}", "Give a Decimal, 0 or more.")
        read[currency.upper()] = value
    return MappingProxyType(read)


def _convert_payees(given: object) -> frozenset[str] | None:
    if given is None:
        return None
    if isinstance(given, str) or not isinstance(given, Iterable):
        fix = 'Give a list of names or ids, such as ["Test Payee"], or None.'
        refuse("SpendingLimit.allowed_payees", f"is {describe_type(given)}", fix)
    payees = list(cast("Iterable[object]", given))
    for payee in payees:
        if not isinstance(payee, str) or not payee.strip():
            fix = "Give names, ids, emails or paytags, as strings."
            refuse("SpendingLimit.allowed_payees", f"holds {describe_value(payee)}", fix)
    return frozenset(normalize_reference(cast("str", payee)) for payee in payees)


def _validate_count(limit: SpendingLimit, attribute: object, value: int | None) -> None:
    if value is not None and (not isinstance(value, int) or isinstance(value, bool) or value < 0):
        refuse(
            "SpendingLimit.max_payments",
            f"is {describe_value(value)}",
            "Give a whole number, 0 or more, or None.",
        )


@frozen(kw_only=True)
class SpendingLimit:
    """How much a run may pay, and to whom.

    A payment counts from the moment it may have been sent until it is proven that nothing was paid. So payments that wait for
    approval or whose outcome is unknown count. The store keeps the count, so a limit bounds whatever shares a store and a
    `run_id`. Without both, it bounds one toolkit object of one process.

    Args:
        max_payments: How many payments; None for any number.
        max_amount: How much of each currency, by its code. Currencies that it does not name cannot be paid. None for any amount.
        allowed_payees: Who can be paid: names, ids, emails or paytags, as the orders name them. They are compared without regard to
            case, width and spaces, ids and paytags exactly. None allows everybody. If it is given, no payee can be created.

    Raises:
        ConfigurationError: A value is invalid.

    Example:
        >>> from decimal import Decimal
        >>> from payman_sdk.agents import SpendingLimit
        >>> SpendingLimit(max_payments=10, max_amount={"TSD": Decimal("250.00")}, allowed_payees=["Test Payee"]).max_payments
        10
    """

    max_payments: int | None = field(default=None, validator=_validate_count)
    max_amount: Mapping[str, Decimal] | None = field(default=None, converter=_convert_amounts)
    allowed_payees: frozenset[str] | None = field(default=None, converter=_convert_payees)

    def refusal(self, operation: Operation, counted: RunTotals) -> str | None:
        """Return why an operation would exceed the limit, in a sentence for a model; None where it does not.

        Args:
            operation: What would be paid.
            counted: What counts in the run, the operation itself left out.
        """
        if self.max_payments is not None and counted.payments >= self.max_payments:
            return f"This run may make {self.max_payments} payments, and has made them."
        if self.allowed_payees is not None and (
            operation.payee is None or normalize_reference(operation.payee) not in self.allowed_payees
        ):
            payee = "a payee who is not known" if operation.payee is None else quote_words(operation.payee)
            return f"This run may not pay {payee}."
        if self.max_amount is None:
            return None
        if operation.amount is None or operation.currency is None:
            return "This run has a limit in money, and the amount of this payment is not known."
        if operation.currency not in self.max_amount:
            return f"This run may pay nothing in {operation.currency}."
        if counted.unpriced:
            return "This run has a limit in money, and the amount of an earlier payment is not known."
        most, spent = self.max_amount[operation.currency], counted.amounts.get(operation.currency, Decimal(0))
        if EXACT.add(spent, operation.amount) > most:
            return f"This run may pay {most} {operation.currency}, of which {EXACT.subtract(most, spent)} are left."
        return None


def explain_refusal(
    limit: SpendingLimit | None, run_id: str, store: object, operation: Operation, counted: RunTotals
) -> str | None:
    """Return why an operation would exceed a limit, and where payments are counted if that is why."""
    refusal = None if limit is None else limit.refusal(operation, counted)
    if refusal is None or (limit and limit.refusal(operation, RunTotals()) is not None):
        return refusal
    run, kind = quote_words(run_id), type(store).__name__
    counts = f"Run {run} counts {counted.payments} payments in {kind}, whatever the account."
    return f"{refusal} {counts} One that ended unpaid counts until it is checked."
