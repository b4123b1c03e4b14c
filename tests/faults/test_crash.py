from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest

from payman_sdk.sandbox import Sandbox
from payman_sdk.testing.faults import FaultProxy, Plan
from payman_sdk.testing.faults.ports import Port

ROOT = Path(__file__).parent.parent.parent
POINTS = [
    (False, "", "accepted"),
    (False, "token", "half received"),
    (False, "token", "received"),
    (False, "token", "forwarded"),
    (False, "token", "half passed"),
    (False, "token", "passed"),
    (False, "get", "head received"),
    (False, "get", "received"),
    (False, "get", "forwarded"),
    (False, "get", "head passed"),
    (False, "get", "passed"),
    (False, "send", "head received"),
    (False, "send", "half received"),
    (False, "send", "received"),
    (False, "send", "forwarded half"),
    (False, "send", "forwarded"),
    (False, "send", "answered"),
    (False, "send", "head passed"),
    (False, "send", "half passed"),
    (False, "send", "passed"),
    (True, "stream", "half received"),
    (True, "stream", "forwarded"),
    (True, "stream", "half passed"),
    (True, "stream", "passed"),
]
"""Where the process is killed: whether it streams, the request, and the step of it that has just been made."""
UNTOUCHED = {"head received", "half received", "received", "forwarded half"}
"""Steps of a send after which the server has no whole request."""


class Asker:
    """A process that asks once it is told to."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.asker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )

    def ask(self, order: dict[str, Any]) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == "ready\n"
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()

    def kill(self) -> None:
        """Kills it at once, and returns when it is dead."""
        os.kill(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def end(self) -> tuple[int, str, str]:
        """Its exit status, and what it has said."""
        said, complaints = self._process.communicate(timeout=60)
        return self._process.returncode, said, complaints

    def close(self) -> None:
        if self._process.poll() is None:
            self.kill()
        for pipe in (self._process.stdin, self._process.stdout, self._process.stderr):
            assert pipe is not None
            pipe.close()


@pytest.fixture
def askers() -> Iterator[tuple[Asker, Asker]]:
    """Two processes, which load what they need at the same time."""
    with ExitStack() as stack:
        yield stack.enter_context(closing(Asker())), stack.enter_context(closing(Asker()))


@pytest.mark.parametrize(("streams", "request_name", "step"), POINTS)
def test_a_process_that_is_killed_and_run_again_pays_once(
    streams: bool, request_name: str, step: str, askers: tuple[Asker, Asker], tmp_path: Path
) -> None:
    """Wherever a process is killed in the middle of an ask, the same ask with the same key pays once and is told so."""
    killed, run_again = askers
    reached: list[str] = []

    def kill(name: str, made: str) -> bool:
        if (name, made) != (request_name, step):
            return False
        reached.append(made)
        killed.kill()
        return True

    with (
        closing(Port()) as port,
        Sandbox(port=port.number, db=tmp_path / "payman.db") as sandbox,
        FaultProxy(port.number, Plan(seed=1, rate=0.0)) as proxy,
        proxy.line(1, step=kill) as first,
        proxy.line(2, looks_up_first=True) as second,
    ):
        order = {
            "client_id": sandbox.client_id,
            "client_secret": sandbox.client_secret,
            "key": "invoice-42",
            "text": "send 10 TSD to Test Payee for invoice 42",
            "streams": streams,
        }
        killed.ask({**order, "base_url": first.url})
        status, _, complaints = killed.end()
        assert (status, reached) == (-signal.SIGKILL, [step]), complaints
        first.close()
        proxy.settle()
        done = [payment.status for payment in sandbox.payments]
        sends = request_name in ("send", "stream") and step not in UNTOUCHED
        assert done == (["INITIATED"] if sends else [])

        run_again.ask({**order, "base_url": second.url})
        status, said, complaints = run_again.end()
        assert status == 0, complaints
        [payment] = sandbox.payments
        assert json.loads(said) == {"status": "completed", "task_id": payment.task_id}
        assert (payment.status, str(payment.amount), str(sandbox.balance())) == (
            "INITIATED",
            "10.00",
            "990.00",
        )
        assert not any(entry.blind for entry in second.entries)
        sandbox.check_invariants()
        sandbox.close()
