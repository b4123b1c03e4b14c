"""A run: carries out rows, side by side and round by round."""

from __future__ import annotations

import contextlib
import importlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from scripts.benchmarks.environment import Environment
from scripts.benchmarks.fresh import first_ask, imported
from scripts.benchmarks.peers import PEERS
from scripts.benchmarks.row import How, Row, Side
from scripts.benchmarks.sides import Reading, Target, counted
from scripts.benchmarks.workers import SideFailedError, Worker

NOT_INSTALLED = "not installed"


@dataclass
class Measured:
    """What a row came to.

    Attributes:
        row: The row.
        readings: By side, round by round.
        failures: Why there are none, by side.
    """

    row: Row
    readings: dict[str, list[Reading]] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)


class Bench:
    """Measures; used in a `with` block.

    Args:
        environments: By the name of the peer.
        target: What all are measured with.
    """

    def __init__(self, environments: Mapping[str, Environment], target: Target) -> None:
        self._environments = environments
        self._target = target
        self._peers = {peer.name: peer for peer in PEERS}
        self._running = contextlib.ExitStack()
        self._workers: dict[str, Worker] = {}

    def measure(self, row: Row) -> Measured:
        """Has the sides take turns, so that a change of the machine's pace hits all."""
        measured = Measured(row)
        for number in range(-1 if row.warm else 0, row.rounds):
            for side in row.sides:
                if side.label in measured.failures:
                    continue
                try:
                    reading = self._reading(row.how, side)
                except SideFailedError as error:
                    measured.failures[side.label] = str(error)
                    measured.readings.pop(side.label, None)
                    continue
                if number >= 0:
                    measured.readings.setdefault(side.label, []).append(reading)
        return measured

    def _reading(self, how: How, side: Side) -> Reading:
        environment = self._environments[side.peer]
        if environment.python is None:
            raise SideFailedError(f"{NOT_INSTALLED}: {environment.why_not}")
        if how is How.INSTALLED:
            return Reading(len(environment.distributions), size=environment.size)
        before = counted(self._target.base_url)["busy"]
        reading = self._ran(how, side, environment.python)
        reading.served = counted(self._target.base_url)["busy"] - before
        if side.count is not None and reading.count != side.count:
            raise SideFailedError(f"of {side.count} it gave {reading.count}")
        return reading

    def _ran(self, how: How, side: Side, python: str) -> Reading:
        peer = self._peers[side.peer]
        if how is How.IMPORT:
            return imported(python, peer.imports)
        if how is How.PROGRAM:
            program: str = getattr(
                importlib.import_module(f"scripts.benchmarks.peers.{peer.sides}"), side.does
            )
            return first_ask(python, program, self._target)
        with self._worker(side.peer, python, is_fresh=how is How.FRESH) as worker:
            return worker.reading(side.does, dict(side.arguments))

    @contextlib.contextmanager
    def _worker(self, name: str, python: str, *, is_fresh: bool) -> Iterator[Worker]:
        if is_fresh:
            with Worker(python, self._peers[name].sides, self._target) as worker:
                yield worker
            return
        if name not in self._workers:
            worker = Worker(python, self._peers[name].sides, self._target)
            self._workers[name] = self._running.enter_context(worker)
        yield self._workers[name]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._running.close()
