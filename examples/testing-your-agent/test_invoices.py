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
    assert pay(payman_client, roof) == "waiting"
    assert payman_sandbox.balance("TSD") == 1000

    [waiting] = payman_sandbox.pending_payments
    payman_sandbox.approve(waiting.task_id)
    assert pay(payman_client, roof) == "paid"
    assert payman_sandbox.balance("TSD") == 600


def test_trouble_on_the_way_is_no_trouble(payman_client, payman_sandbox):
    """A busy server and a lost answer change nothing, and a refusal of the agent's is told as one."""
    payman_sandbox.script(
        [
            HTTPError(503, headers={"Retry-After": "0"}),  # nothing was taken
            ConnectionLost(),  # the payment is made, and the connection breaks before the answer
            "No payment was made: the payee is not known.",
        ]
    )
    assert pay(payman_client, COFFEE) == "paid"
    assert len(payman_sandbox.payments) == 1

    assert pay(payman_client, Invoice("2026-3", "Nobody", Decimal(5))) == "refused"
    assert "Nobody" in payman_sandbox.requests[-1].text
