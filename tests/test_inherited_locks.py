"""A lock that another thread holds at the time of a fork is never released in the child, so the child has to have a new one."""

from __future__ import annotations

import ast
import os
import sqlite3
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar, Literal

import pytest

import payman_sdk
from payman_sdk._io import forks
from payman_sdk._io.key_store import MemoryKeyStore, SQLiteKeyStore
from payman_sdk._telemetry.observer import Observer
from payman_sdk.agents import MemoryOperationStore
from payman_sdk.agents.stores import Operation
from payman_sdk.agents.stores.sqlite import SQLiteOperationStore
from tests.tables import table

_PACKAGE = Path(payman_sdk.__file__).parent
_LOCKS = {"Lock", "RLock", "Condition", "Semaphore", "BoundedSemaphore", "Barrier"}
_OTHERS = {
    "_io/forks.py _ForkState": "a child replaces it",
    "_io/forks.py ": "this is the replacement",
    "_io/locks.py WaiterQueue": "belongs to the thread that waits",
    "_io/locks.py LockHolder": "belongs to the holder, and is only looked at",
    "_io/slots.py Slots": "a pool makes new ones",
    "_io/loopback.py _CallbackReceiver": "belongs to one login, which does not go on in a child",
}
"""Classes with a lock that they need not make anew in a child, and why."""
_NOT_USED_IN_CHILDREN = ("sandbox/", "_cli/")
"""A sandbox serves in the process that began it; the command does not fork."""


def find_inherited_locks(text: str) -> set[str]:
    """Find the classes, or else the module (as ""), that make a lock outside a `begin_anew`, which makes another."""
    tree = ast.parse(text)
    owners: dict[ast.AST, tuple[str, bool]] = {tree: ("", False)}
    found: set[str] = set()
    for node in ast.walk(tree):
        owner, is_renewed = owners[node]
        if isinstance(node, ast.ClassDef):
            names = {one.name for one in node.body if isinstance(one, ast.FunctionDef)}
            owner, is_renewed = node.name, "begin_anew" in names
        for child in ast.iter_child_nodes(node):
            owners[child] = owner, is_renewed
        if isinstance(node, ast.Call) and not is_renewed:
            called = node.func
            name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
            if name in _LOCKS and ast.unparse(called) in {name, f"threading.{name}"}:
                found.add(owner)
    return found


def test_every_lock_of_the_package_is_made_anew_in_a_child() -> None:
    """A class with a lock has `begin_anew`, or is listed with a reason."""
    found: set[str] = set()
    for path in _PACKAGE.rglob("*.py"):
        place = path.relative_to(_PACKAGE).as_posix()
        if not place.startswith(_NOT_USED_IN_CHILDREN):
            found.update(f"{place} {owner}" for owner in find_inherited_locks(path.read_text("utf-8")))
    assert found == set(_OTHERS)
    assert find_inherited_locks(
        "import threading\nclass A:\n    def f(self): self.x = threading.Condition()"
    ) == {"A"}
    assert find_inherited_locks("from threading import Lock\nLOCK = Lock()") == {""}


def _make_calls() -> dict[str, tuple[Any, list[Callable[[], object]]]]:
    keys, operations, observer = MemoryKeyStore(), MemoryOperationStore(), Observer()
    one = Operation(task_id="tsk-1", account="a")
    return {
        "keys": (keys, [lambda: keys.claim("a", 1.0, None), lambda: keys.forget("a", 1.0)]),
        "operations": (
            operations,
            [
                lambda: operations.save(one),
                lambda: operations.load("tsk-1"),
                lambda: operations.list_by_run("r"),
                lambda: operations.lock("a").acquire(timeout=0),
            ],
        ),
        "observer": (observer, [observer.get_stats]),
    }


def _is_held_up() -> bool:
    """Whether a fork would wait for this thread."""
    return threading.get_ident() in forks._inside


class _Watched(sqlite3.Connection):
    """A connection that notes whether its steps keep forks waiting."""

    steps: ClassVar[list[tuple[str, bool]]] = []

    def __init__(self, *args: Any, **options: Any) -> None:
        self.steps.append(("connect", _is_held_up()))
        super().__init__(*args, **options)

    def execute(self, *args: Any) -> sqlite3.Cursor:
        self.steps.append(("execute", _is_held_up()))
        return super().execute(*args)

    def __exit__(self, *raised: object) -> Literal[False]:
        self.steps.append(("commit", _is_held_up()))
        return super().__exit__(*raised)  # type: ignore[arg-type] # they are passed on

    def close(self) -> None:
        self.steps.append(("close", _is_held_up()))
        super().close()


def test_a_fork_waits_for_the_locks_of_sqlite(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """SQLite has locks for the whole process: a child that finds them taken waits for ever, deaf to signals."""
    monkeypatch.setattr(sqlite3, "connect", partial(sqlite3.connect, factory=_Watched))
    monkeypatch.setattr(_Watched, "steps", [])
    keys = SQLiteKeyStore(tmp_path / "own" / "keys")
    operations = SQLiteOperationStore(tmp_path / "own" / "operations")
    calls: list[Callable[[], object]] = [
        lambda: keys.claim("a", 1.0, None),
        lambda: keys.load("a"),
        lambda: keys.forget("a", 1.0),
        lambda: operations.save(Operation(task_id="tsk-1", account="a")),
        lambda: operations.load("tsk-1"),
        lambda: operations.list_by_run("r"),
    ]
    for call in calls:
        _Watched.steps.clear()
        call()
        assert {name for name, _ in _Watched.steps} == {"connect", "execute", "commit", "close"}
        assert all(is_held_up for _, is_held_up in _Watched.steps)
        assert not _is_held_up()


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
@table("name", ["keys", "operations", "observer"])
def test_a_child_does_not_wait_for_a_thread_of_its_parent(name: str) -> None:
    """Whatever a store in memory is doing at the time of a fork, the child can use it."""
    store, calls = _make_calls()[name]
    locks = [one for one in (*vars(store).values(), *_list_parts(store)) if hasattr(one, "acquire")]
    entered, leave = threading.Event(), threading.Event()

    def hold() -> None:
        for lock in locks:
            lock.acquire()
        entered.set()
        leave.wait(60)
        for lock in locks:
            lock.release()

    thread = threading.Thread(target=hold)
    thread.start()
    assert entered.wait(60)
    child = os.fork()
    if child == 0:
        done = list[object]()
        working = threading.Thread(target=lambda: done.extend(call() for call in calls), daemon=True)
        working.start()
        working.join(10)
        os._exit(len(done) != len(calls))
    leave.set()
    thread.join()
    assert locks
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def _list_parts(store: object) -> list[Any]:
    return [part for one in vars(store).values() if hasattr(one, "begin_anew") for part in vars(one).values()]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_fork_waits_once_for_a_thread_that_stays_inside(monkeypatch: pytest.MonkeyPatch) -> None:
    """What runs before a fork is registered twice; it waits half a second in all, and without the lock of logging."""
    now, ended = [0.0], threading.Event()

    def pass_time(seconds: float) -> None:
        now[0] += seconds

    monkeypatch.setattr(forks, "monotonic", lambda: now[0])
    monkeypatch.setattr(forks, "time", SimpleNamespace(sleep=pass_time))
    monkeypatch.setattr(forks, "_complete_imports", lambda: None)
    monkeypatch.setattr(forks, "_inside", {0})
    monkeypatch.setattr(forks._ForkState, "is_in_use", True)
    other = threading.Thread(target=ended.wait, daemon=True)
    other.start()
    try:
        for step in (forks._before_fork, forks._before_fork, forks._resume_parent, forks._resume_parent):
            step()
    finally:
        ended.set()
        other.join()
    assert 0.5 <= now[0] < 0.51
