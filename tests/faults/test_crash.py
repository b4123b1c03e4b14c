from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from payman_sdk.sandbox import Sandbox
from tests.faults import FaultProxy, Plan
from tests.faults.asker import ask
from tests.faults.kills import kill_many
from tests.faults.reserved_ports import Port
from tests.processes import Forked

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


@pytest.fixture
def askers() -> Iterator[tuple[Forked, Forked]]:
    """Two processes that are ready to ask."""
    with ExitStack() as stack:
        yield stack.enter_context(closing(Forked(ask))), stack.enter_context(closing(Forked(ask)))


@pytest.mark.parametrize(("streams", "request_name", "step"), POINTS)
def test_a_process_that_is_killed_and_run_again_pays_once(
    streams: bool, request_name: str, step: str, askers: tuple[Forked, Forked], tmp_path: Path
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
        killed.order({**order, "base_url": first.url})
        assert (killed.status(), reached) == (-signal.SIGKILL, [step])
        first.close()
        proxy.settle()
        done = [payment.status for payment in sandbox.payments]
        sends = request_name in ("send", "stream") and step not in UNTOUCHED
        assert done == (["INITIATED"] if sends else [])

        run_again.order({**order, "base_url": second.url})
        claimed = run_again.report(timeout=60)
        run_again.dismiss()
        assert run_again.status() == 0
        [payment] = sandbox.payments
        assert claimed == {"status": "completed", "task_id": payment.task_id}
        assert (payment.status, str(payment.amount), str(sandbox.balance())) == (
            "INITIATED",
            "10.00",
            "990.00",
        )
        assert not any(entry.blind for entry in second.entries)
        sandbox.check_invariants()
        sandbox.close()


def test_a_process_that_is_killed_at_any_moment_pays_once() -> None:
    """The server pays for whatever it is sent, works for a while, and shows every second task only when it is done."""
    assert kill_many(20) == []
