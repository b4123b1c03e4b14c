from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from payman_sdk.sandbox import Sandbox
from tests.peer import PLAIN
from tests.sandbox.wire_client import WireClient, texts

_PAY = "send 10 TSD to Test Payee"
_MUCH = "send 200 TSD to Test Payee for rent"


def _settle(wire_client: WireClient, task_id: str, what: str) -> httpx.Response:
    headers = {"x-payman-access-token": wire_client.token}
    return wire_client.http.post(f"/sandbox/tasks/{task_id}/{what}", headers=headers)


def test_repeated_task_pays_once(wire_client: WireClient) -> None:
    """The same task id is the same task: the answer is the same, and one payment is made."""
    first = wire_client.send(_PAY, "tsk-1")
    assert wire_client.send(_PAY, "tsk-1") == first
    assert wire_client.send("send 20 TSD to Test Payee", "tsk-1") == first
    assert wire_client.send(_PAY, "tsk-1", sessionId="ses-other") == first
    assert wire_client.call("tasks/get", id="tsk-1")["result"] == first
    assert wire_client.made == [(10, "Test Payee")]


def test_repeated_task_pays_once_at_the_same_instant(wire_client: WireClient) -> None:
    """Sixteen equal sends at one instant make one payment, and all get its task."""
    together = Barrier(16)

    def send(_: int) -> dict[str, Any]:
        with httpx.Client(base_url=wire_client.sandbox.base_url, verify=PLAIN) as http:
            one = WireClient(wire_client.sandbox, wire_client.client_id, wire_client.client_secret, http)
            one.session = wire_client.session
            together.wait(60)
            return one.send(_PAY, "tsk-race")

    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(send, range(16)))
    assert all(answer == answers[0] for answer in answers)
    assert wire_client.made == [(10, "Test Payee")]


def test_two_sandboxes_with_one_file_pay_once(tmp_path: Path) -> None:
    """Two servers that share a file share its tasks: the same id at the same instant is one payment."""
    db = tmp_path / "payman.db"
    together = Barrier(2)
    with Sandbox(db=db) as first, Sandbox(db=db) as second:
        assert first.client_id == second.client_id

        def send(sandbox: Sandbox) -> list[str]:
            with httpx.Client(base_url=sandbox.base_url) as http:
                wire_client = WireClient(sandbox, sandbox.client_id, sandbox.client_secret, http)
                seen: list[str] = []
                for number in range(20):
                    together.wait(60)
                    seen += texts(wire_client.send(_PAY, f"tsk-{number}"))
                return seen

        with ThreadPoolExecutor(2) as pool:
            ours, theirs = pool.map(send, (first, second))
        assert ours == theirs
        assert len(first.payments) == len(second.payments) == 20
        assert first.balance() == 800
        first.check_invariants()
    first.close()
    second.close()


def test_tasks_belong_to_their_account(wire_client: WireClient, shared: Sandbox, http: httpx.Client) -> None:
    """Another client's task id is not found, says nothing, and is free for one's own use."""
    theirs = WireClient(shared, *shared.add_client(), http)
    theirs.send(_MUCH, "tsk-theirs")
    for method in ("tasks/get", "tasks/cancel"):
        assert wire_client.call(method, id="tsk-theirs")["error"]["code"] == -32001
    assert _settle(wire_client, "tsk-theirs", "approve").status_code == 404
    assert texts(wire_client.send("hello", "tsk-theirs"))[0].startswith("Hello")
    assert "rent" not in wire_client.ask("What did we talk about earlier?")
    assert theirs.call("tasks/get", id="tsk-theirs")["result"]["status"]["state"] == "INPUT_REQUIRED"
    assert not wire_client.payments


def test_payment_above_the_threshold_waits(wire_client: WireClient) -> None:
    """A payment above 100 TSD leaves its task waiting for input, and moves no money."""
    task = wire_client.send(_MUCH)
    assert task["status"]["state"] == "INPUT_REQUIRED"
    assert "No payment was made yet" in texts(task)[0]
    assert [payment.status for payment in wire_client.payments] == ["AWAITING_APPROVAL"]
    assert wire_client.balance == 1000


@pytest.mark.parametrize(
    ("words", "status", "balance", "says"),
    [("approve", "INITIATED", 800, "Approved. Sent"), ("deny", "REJECTED", 1000, "No payment was made")],
)
@pytest.mark.parametrize("way", ["same task", "session", "http", "python"])
def test_waiting_payment_is_settled(
    wire_client: WireClient, way: str, words: str, status: str, balance: int, says: str
) -> None:
    """Approve and deny do the same in the task, in its session, over HTTP and in Python; what was said is kept."""
    question = wire_client.send(_MUCH, "tsk-wait")
    match way:
        case "same task":
            wire_client.send(words, "tsk-wait")
        case "session":
            assert says in wire_client.ask(words)
        case "http":
            assert _settle(wire_client, "tsk-wait", words).json()["id"] == "tsk-wait"
        case _:
            settle = wire_client.sandbox.approve if words == "approve" else wire_client.sandbox.deny
            assert settle("tsk-wait", client_id=wire_client.client_id).status == status
    task = wire_client.call("tasks/get", id="tsk-wait", historyLength=9)["result"]
    assert task["status"]["state"] == "COMPLETED"
    assert task["artifacts"][0] == question["artifacts"][0]
    assert says in texts(task)[1]
    assert task["history"][0]["parts"][0]["text"] == _MUCH
    assert [payment.status for payment in wire_client.payments] == [status]
    assert wire_client.balance == balance
    assert _settle(wire_client, "tsk-wait", words).status_code == 409


def test_retries_while_a_task_waits(wire_client: WireClient) -> None:
    """While a task waits, its first message again is a retry; and so is the approval, once it has been given."""
    question = wire_client.send(_MUCH, "tsk-retry")
    assert wire_client.send(_MUCH, "tsk-retry") == question
    done = wire_client.send("approve", "tsk-retry")
    assert wire_client.send("approve", "tsk-retry") == done
    assert wire_client.send(_MUCH, "tsk-retry") == done
    assert wire_client.made == [(200, "Test Payee")]


def test_waiting_task_takes_no_other_order(wire_client: WireClient) -> None:
    """A waiting task takes approve or deny and nothing else, least of all another payment."""
    wire_client.send(_MUCH, "tsk-busy")
    for words in (
        _PAY,
        "hello",
        "don't approve",
        "approve?",
        "approve the payment to Jane",
        "deny tsk-other",
    ):
        task = wire_client.send(words, "tsk-busy")
        assert task["status"]["state"] == "INPUT_REQUIRED"
        assert "waits for your approval" in texts(task)[-1]
    assert not wire_client.made
    wire_client.send("deny", "tsk-busy")
    assert not wire_client.made


def test_cancel_withdraws_what_waits(wire_client: WireClient) -> None:
    """Cancelling a waiting task rejects its payment for good."""
    wire_client.send(_MUCH, "tsk-cancel")
    task = wire_client.call("tasks/cancel", id="tsk-cancel")["result"]
    assert task["status"]["state"] == "CANCELED"
    assert [payment.status for payment in wire_client.payments] == ["REJECTED"]
    assert _settle(wire_client, "tsk-cancel", "approve").status_code == 409
    assert "Nothing waits" in wire_client.ask("approve")
    assert wire_client.call("tasks/cancel", id="tsk-cancel")["error"]["code"] == -32002


def test_ended_task_cannot_be_canceled(wire_client: WireClient) -> None:
    """A task that has ended is -32002, and its payment stays."""
    wire_client.send(_PAY, "tsk-done")
    assert wire_client.call("tasks/cancel", id="tsk-done")["error"]["code"] == -32002
    assert wire_client.made == [(10, "Test Payee")]


def test_approvals_at_the_same_instant_pay_once(wire_client: WireClient) -> None:
    """Approving from many sides at once pays once."""
    wire_client.send(_MUCH, "tsk-many")
    together = Barrier(8)

    def approve(_: int) -> int:
        with httpx.Client(base_url=wire_client.sandbox.base_url, verify=PLAIN) as http:
            together.wait(60)
            headers = {"x-payman-access-token": wire_client.token}
            return http.post("/sandbox/tasks/tsk-many/approve", headers=headers).status_code

    with ThreadPoolExecutor(8) as pool:
        statuses = sorted(pool.map(approve, range(8)))
    assert statuses == [200] + [409] * 7
    assert wire_client.made == [(200, "Test Payee")]


def test_python_approval_needs_to_know_whose(shared: Sandbox, http: httpx.Client) -> None:
    """A task id that two clients use has to be approved with `client_id`; an unknown one is a LookupError."""
    one, other = (WireClient(shared, *shared.add_client(), http) for _ in range(2))
    for wire_client in (one, other):
        wire_client.send(_MUCH, "tsk-twin")
    with pytest.raises(ValueError, match="client_id="):
        shared.approve("tsk-twin")
    with pytest.raises(LookupError, match="tsk-nowhere"):
        shared.approve("tsk-nowhere")
    assert shared.approve("tsk-twin", client_id=one.client_id).client_id == one.client_id
    with pytest.raises(ValueError, match="does not wait"):
        shared.deny("tsk-twin", client_id=one.client_id)
    assert [payment.client_id for payment in shared.pending_payments if payment.task_id == "tsk-twin"] == [
        other.client_id
    ]


def test_settling_needs_the_token(wire_client: WireClient) -> None:
    """Approving over HTTP without the account's access token is a 401."""
    wire_client.send(_MUCH, "tsk-safe")
    wire_client.token = "wrong"
    assert _settle(wire_client, "tsk-safe", "approve").status_code == 401
    assert not wire_client.made


def test_odd_task_ids_are_ids(wire_client: WireClient) -> None:
    """Ids are the client's own: slashes, spaces and quotes are part of them."""
    for number, task_id in enumerate(("a/b", "a b'\"; DROP TABLE tasks", "ü %2F", "a/approve")):
        wire_client.send("send 101 TSD to Test Payee", task_id)
        assert wire_client.call("tasks/get", id=task_id)["result"]["id"] == task_id
        headers = {"x-payman-access-token": wire_client.token}
        path = f"/sandbox/tasks/{quote(task_id, safe='')}/deny"
        assert wire_client.http.post(path, headers=headers).status_code == 200
        assert len(wire_client.payments) == number + 1
