from __future__ import annotations

import re
from typing import Any

import pytest

from tests.sandbox.wire_client import WireClient, texts

_ALL = (
    "read_balance",
    "read_list_payees",
    "read_list_transactions",
    "read_list_wallets",
    "write_create_payee",
    "write_create_wallet",
    "write_send_payment",
)


def _allow(wire_client: WireClient, *scopes: str) -> None:
    wire_client.token = str(
        wire_client.sandbox.issue_token(wire_client.client_id, scopes=scopes)["accessToken"]
    )


def _forbid(wire_client: WireClient, scope: str) -> None:
    _allow(wire_client, *(set(_ALL) - {scope}))


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
def test_each_scope_is_needed_and_enough(
    wire_client: WireClient, order: str, scope: str, outcome: str
) -> None:
    """Without its scope an order is refused in words that name the scope; with it alone it is not."""
    _forbid(wire_client, scope)
    task = wire_client.send(order)
    assert texts(task) == [f"{outcome}: the access token lacks the scope `{scope}`."]
    assert task["status"]["state"] == "COMPLETED"
    assert not wire_client.payments
    _allow(wire_client, scope)
    assert "lacks the scope `" + scope not in wire_client.ask(order)


@pytest.mark.parametrize(
    "text", ["Hello!", "test connection", "What's the weather?", "What did we talk about?", "xyz"]
)
def test_talk_needs_no_scope(wire_client: WireClient, text: str) -> None:
    """What tells nothing of the account and changes nothing is for every token."""
    _allow(wire_client, "write_create_wallet")
    assert "scope" not in wire_client.ask(text)


def test_waiting_payment_goes_on_waiting(wire_client: WireClient) -> None:
    """Approval without the scope is refused, and the task waits on for somebody who may."""
    task = wire_client.send("send 150 TSD to Test Payee", "tsk-waits")
    assert task["status"]["state"] == "INPUT_REQUIRED"
    full = wire_client.token
    for word in ("approve", "deny"):
        _forbid(wire_client, "write_send_payment")
        task = wire_client.send(word, "tsk-waits")
        assert (
            texts(task)[-1] == "No payment was made: the access token lacks the scope `write_send_payment`."
        )
        assert task["status"]["state"] == "INPUT_REQUIRED"
        assert [payment.status for payment in wire_client.payments] == ["AWAITING_APPROVAL"]
    wire_client.token = full
    assert wire_client.send("yes", "tsk-waits")["status"]["state"] == "COMPLETED"
    assert wire_client.made == [(150, "Test Payee")]


def test_approval_from_elsewhere_needs_the_scope(wire_client: WireClient) -> None:
    """Approving in another task, by the payment's id, needs the scope as well."""
    wire_client.send("send 150 TSD to Test Payee")
    [payment] = wire_client.payments
    _forbid(wire_client, "write_send_payment")
    assert "`write_send_payment`" in wire_client.ask(f"approve {payment.id}")
    assert not wire_client.made


@pytest.mark.parametrize("decision", ["approve", "deny"])
def test_approval_over_http_needs_the_scope(wire_client: WireClient, decision: str) -> None:
    """The sandbox's own endpoints for approving and denying answer 403 `insufficient_scope`, whatever the task is."""
    wire_client.send("send 150 TSD to Test Payee", "tsk-http")
    _forbid(wire_client, "write_send_payment")
    for task_id in ("tsk-http", "tsk-unknown"):
        answer = wire_client.post(f"/sandbox/tasks/{task_id}/{decision}", b"")
        assert (answer.status_code, answer.json()["error"]) == (403, "insufficient_scope")
        assert "write_send_payment" in answer.json()["error_description"]
    assert [payment.status for payment in wire_client.payments] == ["AWAITING_APPROVAL"]


def test_refusal_is_streamed_too(wire_client: WireClient) -> None:
    """A streamed order without the scope is refused in the same words."""
    _forbid(wire_client, "write_send_payment")
    message = {"role": "user", "parts": [{"type": "text", "text": "send 5 TSD to Test Payee"}]}
    body: dict[str, Any] = {"jsonrpc": "2.0", "id": 1, "method": "tasks/sendSubscribe"}
    answer = wire_client.post(
        "/api/a2a/tasks/sendSubscribe", body | {"params": {"id": "tsk-s", "message": message}}
    )
    assert "write_send_payment" in answer.text
    assert not wire_client.payments


def test_balance_is_not_reported_on_the_way(wire_client: WireClient) -> None:
    """Without `read_balance`, neither the list of wallets nor the answer to a payment tells how much there is."""
    _forbid(wire_client, "read_balance")
    wallets = wire_client.ask("list all wallets and their balances")
    assert "TSD Wallet" in wallets
    assert "`read_balance`" in wallets
    paid = wire_client.ask("send 10 TSD to Test Payee")
    assert paid.startswith("Sent **10.00 TSD** to **Test Payee**")
    for answer in (wallets, paid):
        said = re.sub(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", "", answer)  # ids are random
        assert "990" not in said
        assert "1,000" not in said
    _allow(wire_client, "read_list_wallets", "read_balance")
    assert "990.00 TSD" in wire_client.ask("list all wallets and their balances")


def test_narrowed_token_is_held_to_it(wire_client: WireClient) -> None:
    """Scopes that a token request asks for hold for its token, and say nothing about the client's others."""
    full = wire_client.token
    answer = wire_client.http.post(
        "/api/oauth2/token",
        params={"grant_type": "client_credentials", "scope": "read_balance"},
        auth=(wire_client.client_id, wire_client.client_secret),
    )
    wire_client.token = answer.json()["accessToken"]
    assert wire_client.ask("send 5 TSD to Test Payee").startswith("No payment was made")
    wire_client.token = full
    assert wire_client.ask("send 5 TSD to Test Payee").startswith("Sent")
