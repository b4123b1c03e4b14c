"""Processes of their own that begin where everything is imported already: forks of one that has imported it and done nothing else."""

from __future__ import annotations

import multiprocessing
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import Any

if sys.platform == "win32":  # it cannot fork: each process imports anew
    _FORKS = multiprocessing.get_context("spawn")
else:
    _FORKS = multiprocessing.get_context("forkserver")
    _FORKS.set_forkserver_preload(
        ["tests.faults.asker", "tests.auth.fleet_worker", "tests.agents.mortal", "tests.agents.payer"]
    )


class Forked:
    """A process that carries out an order when it is given one, reports, and stays until it is dismissed or killed.

    Args:
        carry_out: What it does with its order; a function of a module that is preloaded above.
        is_asked: Whether it gets, after its order, the line on which it may ask whoever started it.
    """

    def __init__(self, carry_out: Callable[..., Any], *, is_asked: bool = False) -> None:
        self._waiting = threading.Lock()  # the end of a process is told once
        self._line, theirs = _FORKS.Pipe()
        self._process = _FORKS.Process(target=_serve, args=(carry_out, theirs, is_asked))
        self._process.start()
        theirs.close()

    def order(self, order: Any) -> None:
        """Gives it its order, or answers what it asked."""
        self._line.send(order)

    def report(self, timeout: float) -> Any:
        """What came of it, or what it asks."""
        assert self._line.poll(timeout), "the process does not come to an end"
        return self._line.recv()

    def dismiss(self) -> None:
        """Lets it end."""
        self._line.close()

    def kill(self) -> None:
        """Kills it at once, and returns when it is dead."""
        self._process.kill()
        self.status()

    def status(self) -> int | None:
        """Its exit status, once it has ended; of one that was killed, the signal's number below 0."""
        with self._waiting:
            self._process.join(60)
            status: int | None = self._process.exitcode
            return status

    def close(self) -> None:
        """Ends it, whatever it does."""
        self.kill()
        self._process.close()
        self.dismiss()


def _serve(carry_out: Callable[..., Any], line: Connection, is_asked: bool) -> None:
    order = line.recv()
    line.send(carry_out(order, line) if is_asked else carry_out(order))
    with suppress(EOFError):  # nobody listens any more
        line.recv()
