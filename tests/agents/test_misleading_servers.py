"""Servers and gateways that carry an order out and say something else: a limit holds, and nothing is called undone that was done."""

from __future__ import annotations

from typing import Any

import pytest

from payman_sdk.agents import MemoryOperationStore, PaymanToolkit, SpendingLimit
from tests.agents.conftest import let_settle
from tests.agents.late_agent import LateAgent
from tests.conftest import Connect
from tests.peer import ASK_PATH, Answer, Peer, answer, reset, rpc, task_with

pytestmark = pytest.mark.slow


MISLEADING: dict[str, tuple[Answer, Answer | None]] = {
    "the answer is lost": (reset, None),
    "409 to our own second send": (reset, answer(409, '{"error": "a request with this id is in progress"}')),
    "404 to our own second send": (reset, answer(404, "{}")),
    "an error of the agent to our own second send": (
        reset,
        rpc(error={"code": -32602, "message": "known already"}),
    ),
    "task not found to our own second send": (
        reset,
        rpc(error={"code": -32001, "message": "Task not found"}),
    ),
    "a gateway that gives up": (answer(504, "<h1>504 Gateway Time-out</h1>", "text/html"), None),
    "a cache that has lost the answer": (answer(503, "", retry_after="0"), None),
    "a gateway that wants a token": (answer(401, "{}"), None),
    "a gateway that wants to be left alone": (answer(429, "{}", retry_after="0"), None),
    "an internal error": (rpc(error={"code": -32603, "message": "Internal error"}), None),
    "a status that nobody has listed": (answer(299, "{}"), None),
    "an answer that is none": (answer(200, "<html>"), None),
    "an answer about another task": (task_with(id="tsk-other"), None),
}


@pytest.mark.parametrize("is_streamed", [False, True])
def test_a_limit_holds_whatever_a_server_says(is_streamed: bool, peer: Peer, connect: Connect) -> None:
    """Of eight payments, each tried again in the end, no more are sent than the limit allows, and those that were sent are told as paid."""
    options: dict[str, Any] = {"on_message": lambda event: None} if is_streamed else {}
    for row, (name, (first, second)) in enumerate(MISLEADING.items()):
        agent, store = LateAgent(peer, first, second, collapses=True), MemoryOperationStore()
        client = connect(settle_time=0.01, max_retries=1, timeout=60)
        toolkit = PaymanToolkit(client, limit=SpendingLimit(max_payments=3), store=store)
        results = [
            toolkit.pay("Bob", "10", "TSD", operation=f"invoice-{row}-{number}", **options)
            for number in range(8)
        ]
        assert [one.status for one in results] == ["unknown"] * 3 + ["refused"] * 5, name
        assert len(agent.payments) == 3, name
        agent.shows = True
        again = [toolkit.pay("Bob", "10", "TSD", operation=f"invoice-{row}-{number}") for number in range(8)]
        assert [one.status for one in again] == ["paid"] * 3 + ["refused"] * 5, name
        assert sum(agent.payments.values()) == 3, name


def test_resend_never_sends_nothing_twice(peer: Peer, connect: Connect) -> None:
    """Where a second send is forbidden, an operation that Payman does not know is never sent again, however long ago it was sent."""
    for row, (name, (first, second)) in enumerate(MISLEADING.items()):
        agent, store = LateAgent(peer, first, second), MemoryOperationStore()
        client = connect(settle_time=0.01, resend="never", max_retries=3, timeout=60)
        toolkit = PaymanToolkit(client, store=store)
        result = toolkit.pay("Bob", "10", "TSD", operation=f"invoice-{row}")
        let_settle(store, result.task_id)
        again = [toolkit.pay("Bob", "10", "TSD", operation=f"invoice-{row}"), toolkit.check(f"invoice-{row}")]
        assert {one.text for one in (result, *again)} == {result.text}, name
        assert (result.status, set(agent.payments.values())) == ("unknown", {1}), name


def test_a_task_that_is_rejected_and_listed_as_paid_is_unknown(peer: Peer, connect: Connect) -> None:
    """Where the task says `rejected` and the transactions say paid, the result is unknown, it counts, and nothing more is sent."""
    rejected = task_with(
        status={
            "state": "REJECTED",
            "message": {"role": "agent", "parts": [{"type": "text", "text": "policy says no"}]},
        },
        artifacts=[],
    )
    agent = LateAgent(peer, rejected, collapses=True)
    toolkit = PaymanToolkit(connect(), limit=SpendingLimit(max_payments=1))
    results = [toolkit.pay("Bob", "10", "TSD", operation="invoice-1") for _ in range(2)]
    assert results[0] == results[1] == toolkit.check("invoice-1")
    assert results[0].status == "unknown"
    assert toolkit.pay("Bob", "10", "TSD", operation="invoice-2").status == "refused"
    assert list(agent.payments.values()) == [1]


def test_a_completed_answer_with_odd_members_is_an_outcome(peer: Peer, connect: Connect) -> None:
    """A payment whose answer has a number for a timestamp is paid as its transaction shows, and is not paid again."""
    odd = task_with(status={"state": "completed", "timestamp": 1751038291})
    agent = LateAgent(peer, odd)
    toolkit = PaymanToolkit(connect(), limit=SpendingLimit(max_payments=1))
    assert [toolkit.pay("Bob", "10", "TSD", operation=name).status for name in ("a", "a", "b")] == [
        "paid",
        "paid",
        "refused",
    ]
    assert sum(agent.payments.values()) == 1


def test_an_answer_without_a_word_has_a_text(peer: Peer, connect: Connect) -> None:
    """A model reads only the text, so the text names the status of the task. Invisible text counts as none."""
    toolkit = PaymanToolkit(connect(), confirm=lambda request: True)
    for state, status in (
        ("completed", "completed"),
        ("failed", "failed"),
        ("input-required", "input-required"),
    ):
        for artifacts in ([], [{"name": "response", "parts": [{"type": "text", "text": " \n"}]}]):
            peer.script(ASK_PATH, task_with(status={"state": state}, artifacts=artifacts))
            result = toolkit.ask("hello")
            said = f"Payman answered without a word, and the task is {status}."
            assert (result.status, result.text) == (status, said)
