from __future__ import annotations

import json

import pytest

from payman_sdk.sandbox import Sandbox, ScriptedResponse
from tests.cli.command import Payman


@pytest.fixture
def waiting(payman: Payman) -> dict[str, str]:
    """A payment that waits for approval."""
    answer: dict[str, str] = json.loads(payman("ask", "send 150 TSD to Test Payee", "--json").out)
    return answer


def test_a_task_is_looked_up(payman: Payman, waiting: dict[str, str]) -> None:
    """`tasks get` shows how a task stands, by its exit status too."""
    said = payman("tasks", "get", waiting["task_id"])
    assert said.status == 3
    assert "Approval needed" in said.out
    assert (
        json.loads(payman("tasks", "get", waiting["task_id"], "--json").out)["task_id"] == waiting["task_id"]
    )


def test_what_is_advised_works(payman: Payman, sandbox: Sandbox, waiting: dict[str, str]) -> None:
    """The command that is shown for approving approves."""
    said = payman("tasks", "get", waiting["task_id"])
    (advice,) = [line for line in said.err.splitlines() if "To approve it: " in line]
    words = advice.partition("To approve it: payman ")[2].split()
    assert payman(*words).status == 0
    assert sandbox.balance() == 850
    assert payman("tasks", "wait", waiting["task_id"]).status == 0


def test_a_task_is_waited_for(payman: Payman, sandbox: Sandbox, waiting: dict[str, str]) -> None:
    """`tasks wait` returns when somebody has decided, and tells what `tasks get` tells when nobody has in time."""
    said = payman("tasks", "wait", waiting["task_id"], "--timeout", "0.1")
    assert said == payman("tasks", "get", waiting["task_id"])
    assert said.status == 3
    sandbox.deny(waiting["task_id"])
    assert payman("tasks", "wait", waiting["task_id"]).status in {0, 1}


def test_a_task_is_canceled(payman: Payman, sandbox: Sandbox, waiting: dict[str, str]) -> None:
    """`tasks cancel` succeeds when the task is canceled; one that has ended cannot be."""
    assert payman("tasks", "cancel", waiting["task_id"]).status == 0
    assert sandbox.balance() == 1000
    assert payman("tasks", "get", waiting["task_id"]).status == 1
    done = json.loads(payman("ask", "list all wallets", "--json").out)["task_id"]
    assert payman("tasks", "cancel", done).status == 1


def test_a_task_at_work_has_no_known_outcome(payman: Payman, sandbox: Sandbox) -> None:
    """A task that has not ended is status 5, and the message says how to wait for it."""
    sandbox.script([ScriptedResponse("Hm.", state="working")])
    said = payman("ask", "list all wallets", "--timeout", "1")
    assert said.status == 5
    assert "tasks wait tsk-" in said.err or "tasks get tsk-" in said.err
    said = payman("tasks", "wait", sandbox.requests[-1].task_id or "", "--timeout", "0.1")
    assert (said.status, said.out) == (5, "")
    assert "payman tasks get tsk-" in said.err


def test_a_task_that_is_not_there(payman: Payman) -> None:
    """A task that the agent does not know is a failure with a name."""
    said = payman("tasks", "get", "tsk-nobody")
    assert (said.status, said.out) == (1, "")
    assert "tsk-nobody" in said.err


def test_the_server_is_named_in_what_is_advised(payman: Payman, sandbox: Sandbox) -> None:
    """Flags that chose the server are repeated in the advice."""
    said = payman("--base-url", sandbox.base_url, "ask", "send 150 TSD to Test Payee")
    assert f"payman --base-url {sandbox.base_url} tasks wait tsk-" in said.err
