from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from payman_sdk.errors import TaskFailedError
from payman_sdk.sandbox import ScriptedResponse
from payman_sdk.types import MarkdownAskOptions
from tests.recorded.conftest import Server

sandbox_only = pytest.mark.sandbox_only


def test_wallets_and_their_balances(server: Server) -> None:
    """The answer as the SDK formats it."""
    response = server.client().ask("list all wallets and their balances")
    assert (response.status, response.is_final) == ("completed", True)
    assert "TSD" in response.text
    assert response.artifacts[0]["name"] == "response"
    assert {"agentId", "orgId", "timestamp"} <= set(response.metadata)


def test_wallets_as_json(server: Server) -> None:
    """The answer as the agent gave it, in both ways to ask for it."""
    client = server.client()
    ways = (client.ask("list all wallets", raw=True), client.ask("list all wallets", output_format="json"))
    for answer in ways:
        assert answer["jsonrpc"] == "2.0"
        assert answer["result"] is not None
        assert answer["result"]["status"]["state"].upper() == "COMPLETED"


def test_a_payee_is_created_and_paid(server: Server) -> None:
    """What most programs are for: a payee, a payment, and the list of payments."""
    client = server.client()
    assert client.ask("Create a payee of type Test Rails called John Doe").status == "completed"
    assert client.ask("send 10 TSD to John Doe. Description: Birthday gift").status == "completed"
    assert "John Doe" in client.ask("show my last 5 transactions").text


def test_metadata_goes_with_an_ask(server: Server) -> None:
    """Metadata of the task, of the message and of its part are three things."""
    options: MarkdownAskOptions = {
        "metadata": {"source": "web-app"},
        "message_metadata": {"language": "en"},
        "part_metadata": {"origin": "keyboard"},
    }
    assert server.client().ask("Hello!", options).status == "completed"


def test_a_session_is_kept_renewed_and_resumed(server: Server) -> None:
    """Asks of one client are in one session; another begins when it is asked for, and the first can be resumed."""
    client = server.client()
    first = client.ask("Hello!").session_id
    assert client.ask("what's my TSD wallet balance?").session_id == first
    assert client.ask("Hello again!", new_session=True).session_id != first
    later = server.client(session_id=first)
    assert later.ask("What did we talk about earlier?").session_id == first


def test_conversations_are_sessions_of_their_own(server: Server) -> None:
    """Two conversations of one client do not hear each other."""
    client = server.client()
    mine, yours = client.conversation(), client.conversation()
    mine.ask("what's my TSD wallet balance?")
    assert yours.ask("What did we talk about earlier?").session_id != mine.get_session_id()


def test_a_task_is_looked_up(server: Server) -> None:
    """A task can be asked for afterwards."""
    client = server.client()
    response = client.ask("list all payees")
    again = client.get_task(response.task_id)
    assert (again.task_id, again.text) == (response.task_id, response.text)


def test_an_idempotency_key_pays_once(server: Server) -> None:
    """The second ask with a key finds the task and sends nothing."""
    client = server.client()
    first, second = (client.ask("send 5 TSD to Test Payee", idempotency_key="invoice-42") for _ in range(2))
    assert first.task_id == second.task_id
    assert first.text == second.text


@sandbox_only
def test_a_task_that_fails(server: Server) -> None:
    """A failure of the agent's is an answer, or an error where the program wants one."""
    failed = ScriptedResponse("The bank is closed.", state="failed")
    server.meanwhile(lambda sandbox: sandbox.script([failed, failed]))
    client = server.client()
    assert client.ask("send 5 TSD to Test Payee").status == "failed"
    with pytest.raises(TaskFailedError):
        client.ask("send 5 TSD to Test Payee", raise_on_failure=True)


@sandbox_only
def test_artifacts_of_every_kind(server: Server) -> None:
    """Texts, data and files come as they are."""
    artifacts: list[str | Mapping[str, Any]] = [
        {"type": "data", "data": {"total": 3}},
        {
            "name": "receipt.pdf",
            "parts": [{"type": "file", "file": {"name": "receipt.pdf", "bytes": "JVBERi0="}}],
        },
    ]
    server.meanwhile(lambda sandbox: sandbox.script([ScriptedResponse("Here.", artifacts=artifacts)]))
    response = server.client().ask("give me everything")
    kinds = [part["type"] for artifact in response.artifacts for part in artifact["parts"]]
    assert kinds == ["text", "data", "file"]
