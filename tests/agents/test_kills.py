"""Processes that are killed at every step of a payment, with a server that shows a task late: nothing is paid twice, nor beyond a limit."""

from __future__ import annotations

import signal
from contextlib import ExitStack, closing
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import redis as redis_library

from payman_sdk._core.requests import derive_task_id
from payman_sdk._io.key_store import SQLiteKeyStore
from tests.agents.conftest import let_settle
from tests.agents.late_agent import LateAgent
from tests.agents.mortal import pay, store_of
from tests.peer import Peer
from tests.processes import Forked

pytestmark = pytest.mark.slow


@pytest.fixture(params=["sqlite", "postgres", "redis"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> dict[str, Any]:
    """A store, as an order names it."""
    if request.param == "sqlite":
        return {"sqlite": str(tmp_path / "operations.sqlite3")}
    if request.param == "postgres":
        return {"postgres": request.getfixturevalue("postgres_url"), "name": tmp_path.name}
    return {"redis": request.getfixturevalue("redis_url"), "name": tmp_path.name}


def free_locks(place: dict[str, Any]) -> None:
    """Let the locks of the dead expire."""
    if "redis" in place:
        with redis_library.Redis.from_url(place["redis"]) as server:
            for key in server.scan_iter(f"payman:operations:{place['name']}:lock:*"):
                server.delete(key)


def run(order: dict[str, Any]) -> bool:
    """Carry an order out in a process; return whether that was killed."""
    with closing(Forked(pay)) as process:
        process.order(order)
        try:
            process.report(timeout=60)
        except EOFError:
            return process.status() == -signal.SIGKILL
        return False


def test_a_process_that_is_killed_at_any_step_pays_once(
    place: dict[str, Any], peer: Peer, tmp_path: Path
) -> None:
    """The same operation again is told as unknown or paid, and never paid twice; beside it the limit of one lets nothing through."""
    tsk = derive_task_id("pm-test-1", "a")
    for step in count():
        agent = LateAgent(peer)
        key = "sqlite" if "sqlite" in place else "name"
        order: dict[str, Any] = {
            "base_url": agent.base_url,
            "store": {**place, key: f"{place[key]}-{step}"},
            "limit": 1,
            "keys": str(tmp_path / f"keys-{step}"),
            "names": ["a"],
            "dies_at": step,
        }
        was_killed = run(order)
        free_locks(order["store"])
        again = {**order, "names": ["a", "b", "a"], "dies_at": None}
        first, other, same = pay(again)
        assert agent.payments[tsk] <= 1, f"step {step}"
        assert (other, same) == ("refused", first), f"step {step}"
        assert first in ("paid", "unknown"), f"step {step}"
        if not agent.payments:  # it died between the claim and the sending
            let_settle(store_of(order["store"]), tsk)
            Path(order["keys"]).unlink(missing_ok=True)
        agent.shows = True
        assert pay(again) == ["paid", "refused", "paid"], f"step {step}"
        assert agent.payments == {tsk: 1}, f"step {step}"
        if not was_killed:
            break
    assert step >= 9


def test_a_process_without_a_store_that_is_killed_at_any_step_pays_once(peer: Peer, tmp_path: Path) -> None:
    """Where the operations ended with their process, the client's own key store says that something was sent, and may still arrive."""
    tsk, unsent = derive_task_id("pm-test-1", "a"), 0
    for step in count():
        agent = LateAgent(peer)
        order: dict[str, Any] = {
            "base_url": agent.base_url, "store": {"memory": "its own"}, "limit": 1, "keys": str(tmp_path / f"keys-{step}"),
            "names": ["a"], "dies_at": step,
        }  # fmt: skip
        was_killed = run(order)
        was_recorded = SQLiteKeyStore(order["keys"]).load(f"{tsk} at {agent.base_url}") is not None
        statuses = pay({**order, "dies_at": None, "timeout": 0.2})
        assert agent.payments[tsk] <= 1, f"step {step}"
        if agent.payments:
            agent.shows = True
            statuses = pay({**order, "dies_at": None})
            assert (statuses, agent.payments) == (["paid"], {tsk: 1}), f"step {step}"
        elif was_recorded:
            assert statuses == ["unknown"], f"step {step}"
            unsent += 1
        else:  # on a busy machine, the time was over before anything was sent
            assert statuses[0] in ("not-sent", "unknown"), f"step {step}"
        if not was_killed:
            break
    assert step >= 6 and unsent


def test_processes_that_are_killed_in_the_middle_of_a_run_pay_no_more_than_its_limit(
    place: dict[str, Any], peer: Peer, tmp_path: Path
) -> None:
    """Eight processes at once, most of which die on their way, send no more than three payments, and nothing twice."""
    agent = LateAgent(peer)
    order = {"base_url": agent.base_url, "store": place, "limit": 3, "keys": str(tmp_path / "keys")}
    with ExitStack() as stack:
        processes = [stack.enter_context(closing(Forked(pay))) for _ in range(8)]
        for number, process in enumerate(processes):
            names = [f"invoice-{number}-{index}" for index in range(3)]
            dies_at = None if number > 5 else 3 * number + 2
            process.order({**order, "names": names, "dies_at": dies_at})
        for process in processes[6:]:
            process.report(timeout=60)
    names = [f"invoice-{number}-{index}" for number in range(8) for index in range(3)]
    free_locks(place)
    statuses = pay({**order, "names": names, "timeout": 0.2})
    assert sum(agent.payments.values()) <= 3
    assert set(agent.payments.values()) <= {1}  # none, if those that died have claimed all of the limit
    assert len(statuses) - statuses.count("refused") == 3
