"""examples/basic runs on a fresh machine, and against an account."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from payman_sdk.sandbox import ConnectionLost, HTTPError, Sandbox
from tests import programs
from tests.examples.programs import command, environment


def run(folder: Path, *questions: str, sandbox: Sandbox | None = None) -> subprocess.CompletedProcess[str]:
    done: subprocess.CompletedProcess[str] = programs.run(
        command("basic/first_ask.py", *questions),
        cwd=folder,
        env=environment(sandbox),
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )
    return done


def test_it_runs_without_an_account(tmp_path: Path) -> None:
    """It starts a local Payman, shows a token's lifetime and not the token, and the agent remembers the session."""
    done = run(tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert "local Payman" in done.stdout
    assert "token:   one for 3" in done.stdout
    assert re.search(r"^session: ses-", done.stdout, re.MULTILINE)
    assert "1,000.00 TSD" in done.stdout
    earlier = done.stdout.partition("> What did we talk about earlier?")[2]
    assert "what's my TSD wallet balance?" in earlier
    assert done.stdout.count("[completed, tsk-") == 2


def test_it_uses_the_account_of_the_environment(tmp_path: Path) -> None:
    """With credentials, it pays there, with one token, and says when a payment waits."""
    with Sandbox() as sandbox:
        done = run(tmp_path, "send 10 TSD to Test Payee", "send 150 TSD to Test Payee", sandbox=sandbox)
        assert (done.returncode, done.stderr) == (0, "")
        assert "local Payman" not in done.stdout
        assert "It waits for a person" in done.stdout
        paid, waits = sandbox.payments
        assert (int(paid.amount), paid.status) == (10, "INITIATED")
        assert (int(waits.amount), waits.status) == (150, "AWAITING_APPROVAL")
        assert len(sandbox.token_requests) == 1


def test_it_says_whether_it_was_done(tmp_path: Path) -> None:
    """A refusal is told as nothing done, and a lost answer with the id to ask about; neither with a traceback."""
    with Sandbox(tasks_get=False) as sandbox:
        sandbox.script([HTTPError(403), ConnectionLost()])
        refused = run(tmp_path, "send 10 TSD to Test Payee", sandbox=sandbox)
        assert refused.returncode == 1
        assert refused.stderr.startswith("Not done: ")
        assert sandbox.payments == []

        unknown = run(tmp_path, "send 10 TSD to Test Payee", sandbox=sandbox)
        assert unknown.returncode == 1
        [payment] = sandbox.payments
        assert unknown.stderr.startswith("It may have been carried out.")
        assert payment.task_id in unknown.stderr
    assert "Traceback" not in refused.stderr + unknown.stderr
