from __future__ import annotations

import json
import sys
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from payman_api import PATHS
from payman_sdk import PaymanClient, _config
from payman_sdk._cli.run import TerminatedError
from payman_sdk.sandbox import Sandbox, ScriptedResponse
from tests import programs
from tests.cli.command import Payman, environment_of
from tests.peer import Answer, Peer, answer, reset, rpc, task_with

LOOKUPS = {"tasks": "payman tasks get", "payments": "payman payments status"}
"""The command that is advised after a failed look-up."""


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
    """A task that the agent does not know may still arrive, or be known to another replica; the message names it."""
    for command in (("tasks", "get"), ("tasks", "wait"), ("tasks", "cancel"), ("payments", "status")):
        said = payman(*command, "tsk-nobody")
        assert (said.status, said.out) == (5, ""), command
        assert f"{LOOKUPS[command[0]]} tsk-nobody" in said.err, command


FAILED_LOOKUPS: dict[str, Answer] = {
    "no gateway": answer(502, "bad gateway"),
    "busy": answer(503, "x"),
    "busy for a while": answer(503, "x", retry_after="60"),
    "too many": answer(429, "slow down"),
    "refused": answer(401, "{}"),
    "forbidden": answer(403, "{}"),
    "no page": answer(404, "<html>"),
    "elsewhere": answer(307, "", location="/elsewhere"),
    "no object": answer(200, "[]"),
    "a page": answer(200, "<html>", "text/html"),
    "no content": answer(204),
    "another task": task_with(id="tsk-2"),
    "no state": task_with(status={}),
    "broken agent": rpc(error={"code": -32603, "message": "It broke."}),
    "no such method": rpc(error={"code": -32601, "message": "No."}),
    "unknown task": rpc(error={"code": -32001, "message": "No such task."}),
    "a code of nobody's": rpc(error={"code": 7, "message": "Seven."}),
    "a reset": reset,
}
"""Answers to a look-up that say nothing about the task."""


def test_a_failed_lookup_says_nothing_about_the_task(
    payman: Payman, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither "failed" nor "nothing was sent": a script that believes that would pay again."""
    monkeypatch.setitem(_config.READERS, "max_retries", lambda value, name: 0)
    monkeypatch.setitem(_config.READERS, "timeout", partial(_config.read_seconds, default=0.2))
    commands = (("payments", "status"), ("payments", "approve"), ("tasks", "get"), ("tasks", "wait"))
    with Peer() as peer:
        monkeypatch.setenv("PAYMAN_BASE_URL", peer.base_url)
        for name, failure in FAILED_LOOKUPS.items():
            peer.always(PATHS["get_task"], failure)
            for command in commands:
                said = payman(*command, "tsk-1", "--json")
                error = json.loads(said.out)["error"]
                assert (said.status, error["exit_code"]) == (5, 5), (name, command, said)
                assert error["sent"] is not False, (name, command)
                assert (error["task_id"], LOOKUPS[command[0]] in error["next_step"]) == ("tsk-1", True), name
    for command in commands:  # nobody listens any more
        said = payman(*command, "tsk-1", "--json")
        assert (said.status, json.loads(said.out)["error"]["sent"]) == (5, None), command
    monkeypatch.setitem(_config.READERS, "timeout", partial(_config.read_seconds, default=30))
    monkeypatch.setenv("PAYMAN_BASE_URL", sandbox.base_url)
    monkeypatch.setenv("PAYMAN_CLIENT_SECRET", "wrong")
    for command in commands:
        said = payman(*command, "tsk-1", "--json")
        assert (said.status, json.loads(said.out)["error"]["sent"]) == (6, None), command


def test_the_server_is_named_in_what_is_advised(payman: Payman, sandbox: Sandbox) -> None:
    """Flags that chose the server are repeated in the advice."""
    said = payman("--base-url", sandbox.base_url, "ask", "send 150 TSD to Test Payee")
    assert f"payman --base-url {sandbox.base_url} tasks wait tsk-" in said.err


@pytest.mark.parametrize(("end", "status"), [(KeyboardInterrupt, 130), (TerminatedError, 143)])
def test_an_interrupted_command_says_what_may_have_been_done(
    payman: Payman,
    waiting: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    end: type[BaseException],
    status: int,
) -> None:
    """Behind its request, a cancellation may have been carried out; a look-up says nothing about the task, and names no other."""
    paid = json.loads(payman("pay", "10", "TSD", "Test Payee", "--json").out)["task_id"]
    rows: tuple[tuple[str, tuple[str, ...], bool | None], ...] = (
        ("cancel_task", ("tasks", "cancel", waiting["task_id"]), None),
        ("get_task", ("tasks", "get", paid), None),
        ("wait", ("tasks", "wait", paid), None),
        ("payment_status", ("payments", "status", paid), None),
        ("payment_status", ("payments", "approve", paid), None),
        ("reply", ("tasks", "reply", paid, "approve"), False),
        ("wallets", ("wallets",), True),
    )
    for method, command, sent in rows:
        with monkeypatch.context() as patch:
            patch.setattr(
                PaymanClient,
                method,
                _interrupt(getattr(PaymanClient, method), end, is_called=sent is not False),
            )
            said = payman(*command, "--json")
        error = json.loads(said.out)["error"]
        assert (said.status, error["class"], error["sent"]) == (status, "Interrupted", sent), command
        assert (
            ("Nothing was sent" in said.err) == ("Nothing was sent" in error["message"]) == (sent is False)
        ), command
        assert "continues" not in said.err, command
        if sent is None:
            assert error["task_id"] == command[2], command
            assert error["next_step"].endswith(f"{LOOKUPS[command[0]]} {command[2]}"), command
            assert error["next_step"] in said.err, command


def _interrupt(call: Callable[..., Any], end: type[BaseException], *, is_called: bool) -> Callable[..., Any]:
    """A method that is interrupted at its end, or before it has begun."""

    def interrupted(*given: Any, **options: Any) -> None:
        if is_called:
            call(*given, **options)
        raise end

    return interrupted


@pytest.mark.slow
def test_a_mistake_behind_a_request_is_undetermined(payman: Payman, waiting: dict[str, str]) -> None:
    """An exception that nobody expected, behind the request of `tasks cancel`: it may have been canceled."""
    program = (
        "import sys; from payman_sdk._cli import main, terminal\n"
        "def broken(self, text): raise RuntimeError\n"
        "terminal.Terminal.write_document = broken\n"
        "sys.exit(main.main())"
    )
    for command, status in ((["tasks", "cancel", waiting["task_id"]], 5), (["wallets"], 1)):
        done = programs.run(
            [sys.executable, "-c", program, *command, "--json"],
            capture_output=True,
            text=True,
            env=environment_of(),
        )
        assert done.returncode == status, (command, done)
        assert ("payman tasks get tsk-" in done.stderr) == (status == 5), command
