"""What interrupts a toolkit's call comes out as it is, and leaves neither a lock nor an operation that nobody can settle."""

from __future__ import annotations

import inspect
import sys
import threading
from collections.abc import Callable
from decimal import Decimal
from types import FrameType
from typing import Any

import anyio
import pytest
from attrs import evolve

from payman_sdk._core.effects import Lock
from payman_sdk.agents import (
    AsyncPaymanToolkit,
    MemoryOperationStore,
    OperationResult,
    PaymanToolkit,
    SpendingLimit,
)
from payman_sdk.agents.stores import Operation, RunTotals
from payman_sdk.sandbox import Sandbox
from tests.agents.conftest import PAYMENT, connected, connected_async, sends
from tests.tables import table


class Halt(BaseException):
    """An interruption that no library knows."""


class Interrupting(MemoryOperationStore):
    """A store, a hook and a person, one of whom interrupts the first time."""

    def __init__(self, place: str, error: BaseException) -> None:
        super().__init__()
        self.place, self.error = place, error
        self.locks: list[Lock] = []

    def pass_by(self, place: str) -> None:
        """Interrupt, if this is the place."""
        if place == self.place:
            self.place = ""
            raise self.error

    def lock(self, name: str) -> Lock:
        self.locks.append(super().lock(name))  # a lock that nobody refers to would be free
        return self.locks[-1]

    def load(self, task_id: str) -> Any:
        self.pass_by("load")
        return super().load(task_id)

    def save(self, operation: Any) -> None:
        self.pass_by("save")
        super().save(operation)

    def confirm(self, _: object) -> bool:
        self.pass_by("confirm")
        return True

    def on_message(self, _: object) -> None:
        self.pass_by("event")


PLACES = {"load": 0, "confirm": 0, "save": 0, "event": 1}
"""Who interrupts, and how many orders have been sent by then."""
ROWS = [(place, kind) for place in PLACES for kind in (KeyboardInterrupt, SystemExit, GeneratorExit, Halt)]


def check_settled(results: list[OperationResult], place: str, sandbox: Sandbox) -> None:
    """Check what a look, another call and another order are answered, and what was sent in all."""
    assert [one.status for one in results] == ["paid" if PLACES[place] else "not-found", "paid", "paid"]
    assert sends(sandbox) == [PAYMENT, PAYMENT]


@pytest.mark.slow
@table("place, kind", ROWS)
def test_what_interrupts_a_thread(place: str, kind: type[BaseException]) -> None:
    """An interruption at any step leaves the operation to be looked up, called again, and followed by another."""
    with Sandbox() as sandbox, connected(sandbox) as client:
        store = Interrupting(place, kind())
        toolkit = PaymanToolkit(client, store=store, confirm=store.confirm)
        with pytest.raises(kind) as raised:
            toolkit.pay(*PAYMENT, operation="a", on_message=store.on_message)
        assert raised.value is store.error
        again = [toolkit.check("a"), toolkit.pay(*PAYMENT, operation="a")]
        check_settled([*again, toolkit.pay(*PAYMENT, operation="b")], place, sandbox)


@pytest.mark.slow
@table("place, kind", ROWS)
@table("library", ["asyncio", "trio"])
def test_what_interrupts_a_task(library: str, place: str, kind: type[BaseException]) -> None:
    """The same holds on asyncio and trio."""

    async def main() -> list[OperationResult]:
        async with connected_async(sandbox) as client:
            store = Interrupting(place, kind())
            toolkit = AsyncPaymanToolkit(client, store=store, confirm=store.confirm)
            try:
                await toolkit.pay(*PAYMENT, operation="a", on_message=store.on_message)
            except BaseException as raised:
                assert raised is store.error, repr(raised)
            else:
                raise AssertionError("it was not interrupted")
            again = [await toolkit.check("a"), await toolkit.pay(*PAYMENT, operation="a")]
            return [*again, await toolkit.pay(*PAYMENT, operation="b")]

    with Sandbox() as sandbox:
        check_settled(anyio.run(main, backend=library), place, sandbox)


class Elsewhere:
    """A store in another place, whose locks take their time to be released: at most until `answers` is set."""

    def __init__(self) -> None:
        self.kept = MemoryOperationStore()
        self.answers = threading.Event()
        self.released: list[tuple[str, int]] = []
        self.load, self.save, self.list_by_run = self.kept.load, self.kept.save, self.kept.list_by_run

    def lock(self, name: str) -> Lock:
        return SlowLock(self, name)


class SlowLock:
    def __init__(self, store: Elsewhere, name: str) -> None:
        self._store, self._name = store, name
        self._lock = store.kept.lock(name)

    def acquire(self, *, timeout: float) -> bool:
        return self._lock.acquire(timeout=timeout)

    def release(self) -> None:
        self._store.released.append((self._name.partition(" ")[0], threading.get_ident()))
        assert self._store.answers.wait(5)
        self._lock.release()


@table("ending", ["paid", "raises", "cancelled", "refused"])
@table("library", ["asyncio", "trio"])
def test_an_event_loop_does_not_wait_until_a_lock_is_released(library: str, ending: str) -> None:
    """However a call ends, other tasks go on while the place of a lock does not answer; a cancelled call does not wait either."""

    async def main() -> None:
        store = Elsewhere()

        async def wait_for_release(number: int) -> None:
            with anyio.fail_after(10):
                while len(store.released) < number:  # noqa: ASYNC110 (a thread releases it)
                    await anyio.sleep(0.001)

        async def answer() -> None:
            await wait_for_release(1)
            store.answers.set()

        def on_message(_: object) -> None:
            if ending == "raises":
                raise ValueError
            if ending == "cancelled":
                store.answers.clear()
                call.cancel()

        limit = SpendingLimit(max_payments=1, allowed_payees=["nobody"] if ending == "refused" else None)
        async with connected_async(sandbox) as client, anyio.create_task_group() as tasks:
            toolkit = AsyncPaymanToolkit(client, store=store, limit=limit, run_id="r")
            tasks.start_soon(answer)
            with anyio.CancelScope() as call:
                try:
                    await toolkit.pay(*PAYMENT, operation="a", on_message=on_message)
                except ValueError:
                    assert ending == "raises"
            assert call.cancelled_caught == (ending == "cancelled")
            if ending == "cancelled":
                await wait_for_release(2)
                assert not store.answers.is_set()
            store.answers.set()
        assert [kind for kind, _ in store.released] == ["run", "operation"]
        assert threading.get_ident() not in {thread for _, thread in store.released}

    with Sandbox() as sandbox:
        anyio.run(main, backend=library)


def interrupt_at(step: int, call: Callable[[], object]) -> bool:
    """Call a function of the store in memory, and interrupt it at one of its instructions; return whether there are so many."""
    left = step

    def trace(frame: FrameType, event: str, _: object) -> Any:
        nonlocal left
        if not frame.f_code.co_filename.endswith(("stores/__init__.py", "stores/operation.py")):
            return None
        frame.f_trace_opcodes = True
        left -= event == "opcode"
        if left == 0 and event == "opcode":
            sys.settrace(None)
            raise KeyboardInterrupt
        return trace

    before, here = sys.gettrace(), inspect.currentframe()
    assert here is not None
    # Python 3.12 reports no instruction to a tracer that is set before a frame asks for that.
    here.f_trace_opcodes = True
    sys.settrace(trace)
    try:
        call()
    except KeyboardInterrupt:
        return True
    finally:
        sys.settrace(before)
    return False


SENT = Operation(
    task_id="tsk-1", account="a", payee="b", amount=Decimal(200), currency="TSD", stage="sent", runs=("r",)
)
CHANGES = {
    "new": SENT,
    "refused": evolve(SENT, stage="ended", status="refused"),
    "reopened": SENT.reopened(),
    "in another run, too": evolve(SENT, runs=("r", "s")),
    "in another run": evolve(SENT, runs=("s",)),
}


@table("change", list(CHANGES.values()), list(CHANGES))
def test_what_interrupts_a_save_changes_all_or_nothing(change: Operation) -> None:
    """Wherever a save is interrupted, the totals of each run are the sum of its operations. Saving again keeps them so."""
    step, is_interrupted = 0, True
    while is_interrupted:
        step += 1
        store = MemoryOperationStore()
        store.save(evolve(SENT, task_id="tsk-0"))
        if change is not SENT:
            store.save(SENT)
        is_interrupted = interrupt_at(step, lambda store=store: store.save(change))  # type: ignore[misc]
        for _ in range(2):
            for run in "rs":
                summed = RunTotals.of(store.list_by_run(run))
                assert evolve(store.sum_run(run), changes=0) == evolve(summed, changes=0), (step, run)
            store.save(change)
        assert store.load("tsk-1") == change
    assert step > 50
