from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.desk import Desk, texts

_ALL = (
    "read_balance",
    "read_list_payees",
    "read_list_transactions",
    "read_list_wallets",
    "write_create_payee",
    "write_create_wallet",
    "write_send_payment",
)


def _allow(desk: Desk, *scopes: str) -> None:
    desk.token = str(desk.sandbox.issue_token(desk.client_id, scopes=scopes)["accessToken"])


def _forbid(desk: Desk, scope: str) -> None:
    _allow(desk, *(set(_ALL) - {scope}))


@pytest.mark.parametrize(
    ("order", "scope", "outcome"),
    [
        ("send 5 TSD to Test Payee", "write_send_payment", "No payment was made"),
        ("Could you pay Test Payee 5 TSD?", "write_send_payment", "No payment was made"),
        ("send 5 TSD to Peter", "write_send_payment", "No payment was made"),
        ("approve", "write_send_payment", "No payment was made"),
        ("deny", "write_send_payment", "No payment was made"),
        ("create a payee named John Doe", "write_create_payee", "No payee was created"),
        ("How much money do I have in my wallet?", "read_balance", "I cannot say that"),
        ("what's my TSD wallet balance?", "read_balance", "I cannot say that"),
        ("list all wallets", "read_list_wallets", "I cannot say that"),
        ("show my limits", "read_list_wallets", "I cannot say that"),
        ("list all payees", "read_list_payees", "I cannot say that"),
        ("get payee Test Payee", "read_list_payees", "I cannot say that"),
        ("show my last 5 transactions", "read_list_transactions", "I cannot say that"),
        ("get transaction status for txn-1", "read_list_transactions", "I cannot say that"),
        ("list pending requests", "read_list_transactions", "I cannot say that"),
    ],
)
def test_each_scope_is_needed_and_enough(desk: Desk, order: str, scope: str, outcome: str) -> None:
    """Without its scope an order is refused in words that name the scope; with it alone it is not."""
    _forbid(desk, scope)
    task = desk.send(order)
    assert texts(task) == [f"{outcome}: the access token lacks the scope `{scope}`."]
    assert task["status"]["state"] == "COMPLETED"
    assert not desk.payments
    _allow(desk, scope)
    assert "lacks the scope `" + scope not in desk.ask(order)


@pytest.mark.parametrize(
    "text", ["Hello!", "test connection", "What's the weather?", "What did we talk about?", "xyz"]
)
def test_talk_needs_no_scope(desk: Desk, text: str) -> None:
    """What tells nothing of the account and changes nothing is for every token."""
    _allow(desk, "write_create_wallet")
    assert "scope" not in desk.ask(text)


def test_waiting_payment_goes_on_waiting(desk: Desk) -> None:
    """Approval without the scope is refused, and the task waits on for somebody who may."""
    task = desk.send("send 150 TSD to Test Payee", "tsk-waits")
    assert task["status"]["state"] == "INPUT_REQUIRED"
    full = desk.token
    for word in ("approve", "deny"):
        _forbid(desk, "write_send_payment")
        task = desk.send(word, "tsk-waits")
        assert (
            texts(task)[-1] == "No payment was made: the access token lacks the scope `write_send_payment`."
        )
        assert task["status"]["state"] == "INPUT_REQUIRED"
        assert [payment.status for payment in desk.payments] == ["AWAITING_APPROVAL"]
    desk.token = full
    assert desk.send("yes", "tsk-waits")["status"]["state"] == "COMPLETED"
    assert desk.made == [(150, "Test Payee")]


def test_approval_from_elsewhere_needs_the_scope(desk: Desk) -> None:
    """Approving in another task, by the payment's id, needs the scope as well."""
    desk.send("send 150 TSD to Test Payee")
    [payment] = desk.payments
    _forbid(desk, "write_send_payment")
    assert "`write_send_payment`" in desk.ask(f"approve {payment.id}")
    assert not desk.made


@pytest.mark.parametrize("decision", ["approve", "deny"])
def test_approval_over_http_needs_the_scope(desk: Desk, decision: str) -> None:
    """The sandbox's own endpoints for approving and denying answer 403 `insufficient_scope`, whatever the task is."""
    desk.send("send 150 TSD to Test Payee", "tsk-http")
    _forbid(desk, "write_send_payment")
    for task_id in ("tsk-http", "tsk-unknown"):
        answer = desk.post(f"/sandbox/tasks/{task_id}/{decision}", b"")
        assert (answer.status_code, answer.json()["error"]) == (403, "insufficient_scope")
        assert "write_send_payment" in answer.json()["error_description"]
    assert [payment.status for payment in desk.payments] == ["AWAITING_APPROVAL"]


def test_refusal_is_streamed_too(desk: Desk) -> None:
    """A streamed order without the scope is refused in the same words."""
    _forbid(desk, "write_send_payment")
    message = {"role": "user", "parts": [{"type": "text", "text": "send 5 TSD to Test Payee"}]}
    body: dict[str, Any] = {"jsonrpc": "2.0", "id": 1, "method": "tasks/sendSubscribe"}
    answer = desk.post("/api/a2a/tasks/sendSubscribe", body | {"params": {"id": "tsk-s", "message": message}})
    assert "write_send_payment" in answer.text
    assert not desk.payments


def test_balance_is_not_reported_on_the_way(desk: Desk) -> None:
    """Without `read_balance`, neither the list of wallets nor the answer to a payment tells how much there is."""
    _forbid(desk, "read_balance")
    wallets = desk.ask("list all wallets and their balances")
    assert "TSD Wallet" in wallets
    assert "`read_balance`" in wallets
    paid = desk.ask("send 10 TSD to Test Payee")
    assert paid.startswith("Sent **10.00 TSD** to **Test Payee**")
    for answer in (wallets, paid):
        assert "990" not in answer
        assert "1,000" not in answer
    _allow(desk, "read_list_wallets", "read_balance")
    assert "990.00 TSD" in desk.ask("list all wallets and their balances")


def test_narrowed_token_is_held_to_it(desk: Desk) -> None:
    """Scopes that a token request asks for hold for its token, and say nothing about the client's others."""
    full = desk.token
    answer = desk.http.post(
        "/api/oauth2/token",
        params={"grant_type": "client_credentials", "scope": "read_balance"},
        auth=(desk.client_id, desk.client_secret),
    )
    desk.token = answer.json()["accessToken"]
    assert desk.ask("send 5 TSD to Test Payee").startswith("No payment was made")
    desk.token = full
    assert desk.ask("send 5 TSD to Test Payee").startswith("Sent")
