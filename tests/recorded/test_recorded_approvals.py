from __future__ import annotations

import pytest

from tests.recorded.conftest import Server

sandbox_only = pytest.mark.sandbox_only


def test_the_user_approves(server: Server) -> None:
    """A payment above the threshold waits, and a reply lets it through."""
    client = server.client()
    response = client.ask("send 150 TSD to Test Payee")
    assert (response.state, response.requires_input) == ("input-required", True)
    assert client.reply(response, "approve").status == "completed"


def test_the_user_denies(server: Server) -> None:
    """A payment that is denied is not made, and its task has ended."""
    client = server.client()
    answer = client.reply(client.ask("send 150 TSD to Test Payee"), "deny")
    assert "No payment was made" in answer.artifacts[-1]["content"]


@sandbox_only
def test_a_person_approves(server: Server) -> None:
    """Somebody approves elsewhere, and the program that waits learns it."""
    client = server.client()
    response = client.ask("send 150 TSD to Test Payee")
    server.meanwhile(lambda sandbox: sandbox.approve(response.task_id))
    assert client.wait(response, timeout=60).status == "completed"


def test_a_payment_is_canceled(server: Server) -> None:
    """What waits can be called off."""
    client = server.client()
    assert client.cancel_task(client.ask("send 150 TSD to Test Payee")).state == "canceled"
