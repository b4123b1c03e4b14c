"""Values of programs with habits: enums that are texts, numbers that say something else, a decimal context that rounds.

What is checked is what is sent, and no amount is ever rounded.
"""

from __future__ import annotations

import decimal
from decimal import ROUND_FLOOR, Context, Decimal, Inexact, InvalidOperation, Rounded
from enum import Enum
from typing import Any

import pytest

from payman_sdk._core.json_answer import find_objects
from payman_sdk._core.orders import read_payee_order, read_payment_order
from payman_sdk._core.requests import derive_task_id
from payman_sdk.agents import PaymanToolkit, SpendingLimit
from payman_sdk.sandbox import Sandbox
from tests.tables import table

CONTEXTS = {
    "two digits": Context(prec=2),
    "one digit, down": Context(prec=1, rounding=ROUND_FLOOR),
    "three digits, silent": Context(prec=3, traps=[]),
    "nothing may be rounded": Context(prec=3, traps=[Inexact, Rounded, InvalidOperation]),
    "small exponents": Context(prec=5, Emax=2, Emin=-2),
}


class Term(str, Enum):  # noqa: UP042 (what `StrEnum` would mend is what is tried)
    """A text to every function of `str`, and `Term.…` to `str` itself."""

    PAYEE = "Test Payee"
    CURRENCY = "TSD"
    AMOUNT = "104.04"
    MEMO = "coffee"
    KEY = "invoice-42"
    TYPE = "TEST_RAILS"
    CLIENT = "pm-test-1"


class Disguised(str):
    """A text that shows itself as another one, in which something hides."""

    def __str__(self) -> str:
        return "Eve\u202e"

    def __iter__(self) -> Any:
        return iter("Eve")

    def strip(self, *_: Any) -> str:
        return str(self)


class Grown(int):
    """A number that says that it is 1."""

    def __int__(self) -> int:
        return 1

    def __abs__(self) -> int:
        return 1


class Priced(Decimal):
    """A number that is written as another one."""

    def __format__(self, *_: Any) -> str:
        return "1"


@table(
    "given",
    [
        (Term.PAYEE, Term.AMOUNT, Term.CURRENCY, Term.MEMO, Term.CURRENCY),
        (
            Disguised("Test Payee"),
            Disguised("104.04"),
            Disguised("TSD"),
            Disguised("coffee"),
            Disguised("TSD"),
        ),
        ("Test Payee", Priced("104.04"), "TSD", "coffee", "TSD"),
    ],
)
def test_an_order_holds_the_texts_that_were_checked(given: tuple[Any, ...]) -> None:
    """Its text is the one that plain values give, to the letter."""
    plain = ("Test Payee", Decimal("104.04"), "TSD", "coffee", "TSD")
    order = read_payment_order(*given)
    assert tuple(order) == plain
    assert order.text() == read_payment_order(*plain).text()
    assert {type(value) for value in order} == {str, Decimal}


def test_a_number_is_what_it_holds_and_not_what_it_says() -> None:
    assert read_payment_order("Test Payee", Grown(999), "TSD", None, None).amount == Decimal("999.00")
    order = read_payee_order(Term.PAYEE, Term.TYPE, {})
    assert (order.name, order.type) == ("Test Payee", "TEST_RAILS")


def test_a_key_is_the_same_operation_in_every_kind_of_text() -> None:
    """A program that keeps its keys in an enum, and one that has them as plain texts, pay once."""
    with Sandbox() as sandbox, sandbox.client() as client:
        first = client.pay(Term.PAYEE, "1", Term.CURRENCY, idempotency_key=Term.KEY)
        for key in ("invoice-42", Disguised("invoice-42")):
            assert client.pay("Test Payee", "1", "TSD", idempotency_key=key).task_id == first.task_id
        assert len(sandbox.payments) == 1
    assert derive_task_id(Term.CLIENT, Term.KEY) == derive_task_id("pm-test-1", "invoice-42")


def test_a_run_is_the_same_in_every_kind_of_text() -> None:
    with Sandbox() as sandbox, sandbox.client() as client:
        toolkit = PaymanToolkit(client, run_id=Term.KEY)
    assert type(toolkit.run_id) is str


@table("name", CONTEXTS)
def test_a_context_that_rounds_changes_no_amount(name: str) -> None:
    with Sandbox() as sandbox, sandbox.client() as client, decimal.localcontext(CONTEXTS[name]):
        paid = client.pay("Test Payee", "99.99", "TSD")
        waits = client.pay("Test Payee", Decimal("104.04"), "TSD")
        made = [one.amount for one in sandbox.payments]
        balance = sandbox.balance("TSD")
    assert (str(paid.amount), str(waits.amount)) == ("99.99", "104.04")
    assert (paid.outcome, waits.outcome) == ("paid", "awaiting_approval")
    assert (list(map(str, made)), str(balance)) == (["99.99", "104.04"], "900.01")


@pytest.mark.slow
@table("name", CONTEXTS)
def test_a_context_that_rounds_lets_no_payment_past_a_limit(name: str) -> None:
    with Sandbox() as sandbox, sandbox.client() as client:
        toolkit = PaymanToolkit(client, limit=SpendingLimit(max_amount={"TSD": Decimal("100.00")}))
        with decimal.localcontext(CONTEXTS[name]):
            results = [
                toolkit.pay("Test Payee", amount, "TSD", operation=f"invoice-{amount}")
                for amount in ("99.98", "0.03", "4", "0.02", "0.01")
            ]
        spent = sum(one.amount for one in sandbox.payments)
    assert [one.status for one in results] == ["paid", "refused", "refused", "paid", "refused"]
    assert "100.00 TSD, of which 0.02 are left" in results[1].text
    assert spent == 100


@table("name", [*CONTEXTS, "the usual one"])
def test_two_answers_that_rounding_makes_equal_are_two(name: str) -> None:
    parts = [{"type": "text", "text": f'{{"amount": 10.{"0" * 30}{digit}}}'} for digit in (1, 2)]
    with decimal.localcontext(CONTEXTS.get(name)):
        assert len(find_objects({}, [{"parts": parts}])) == 2
