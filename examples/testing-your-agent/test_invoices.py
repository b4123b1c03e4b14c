"""What the program does, tried against a local Payman."""

from decimal import Decimal

from invoices import Invoice, pay

from payman_sdk.sandbox import ConnectionLost, HTTPError

COFFEE = Invoice("2026-1", "Test Payee", Decimal("12.50"))


def test_an_invoice_is_paid_once(payman_client, payman_sandbox):
    """A second run of the program pays nothing again."""
    assert [pay(payman_client, COFFEE), pay(payman_client, COFFEE)] == ["paid", "paid"]

    [payment] = payman_sandbox.payments
    assert (payment.amount, payment.payee) == (COFFEE.amount, "Test Payee")
    assert payman_sandbox.balance("TSD") == Decimal("987.50")


def test_a_large_invoice_waits_for_a_person(payman_client, payman_sandbox):
    """Above the policy's threshold nothing is paid until a person approves, and then it is paid."""
    roof = Invoice("2026-2", "Test Payee", Decimal(400))
    assert pay(payman_client, roof) == "awaiting_approval"
    assert payman_sandbox.balance("TSD") == 1000

    [waiting] = payman_sandbox.pending_payments
    payman_sandbox.approve(waiting.task_id)
    assert pay(payman_client, roof) == "paid"
    assert payman_sandbox.balance("TSD") == 600


def test_failures_on_the_way_change_nothing(payman_client, payman_sandbox):
    """A busy server and a lost answer lead to one payment, and an unclear answer proves nothing."""
    payman_sandbox.script(
        [
            HTTPError(503, headers={"Retry-After": "0"}),  # nothing was taken
            ConnectionLost(),  # the payment is made, and the connection breaks before the answer
            None,  # the agent's own answer: the transactions that prove the payment
            "I will see what I can do.",  # words that prove nothing
        ]
    )
    assert pay(payman_client, COFFEE) == "paid"
    assert len(payman_sandbox.payments) == 1

    assert pay(payman_client, Invoice("2026-3", "Test Payee", Decimal(5))) == "undetermined"
    assert pay(payman_client, Invoice("2026-4", "Nobody", Decimal(5))) == "refused"
    assert len(payman_sandbox.payments) == 1
