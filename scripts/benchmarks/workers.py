"""Processes in which sides run, each in the environment of its peer, so that rounds can interleave."""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from scripts.benchmarks.sides import Reading, Side, Target

ROOT = Path(__file__).parents[2]

_PROGRAM = "import sys; sys.path.append(sys.argv[1]); from scripts.benchmarks.workers import main; main(*sys.argv[2:])"
"""The checkout comes last on the path: `payman_sdk` is the one that the environment has, whichever that is."""


class SideFailedError(Exception):
    """A side could not do what it is there for; says why."""


class Worker:
    """A process in which sides run; used in a `with` block.

    Args:
        python: The interpreter of its environment.
        module: The module in `peers/` that has the sides.
        target: What they are measured with.
    """

    def __init__(self, python: str, module: str, target: Target) -> None:
        self._process = subprocess.Popen(
            [python, "-P", "-c", _PROGRAM, str(ROOT), module, str(target)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(python).parent,
            env=environment(),
        )

    def reading(self, side: str, arguments: dict[str, Any]) -> Reading:
        """Has a side do it.

        Raises:
            SideFailedError: It did not.
        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with contextlib.suppress(BrokenPipeError):
            print(json.dumps([side, arguments]), file=self._process.stdin, flush=True)
        answer = self._process.stdout.readline()
        if not answer:
            raise SideFailedError("its process ended; see above")
        told = json.loads(answer)
        if isinstance(told, str):
            raise SideFailedError(told)
        return Reading(**told)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        with contextlib.suppress(BrokenPipeError):
            self._process.communicate()


def environment() -> dict[str, str]:
    """The variables of the processes: those of this one, and no proxy to this machine."""
    own = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "PAYMAN_"))}
    return {**own, "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"}


def many_files() -> None:
    """Lets this process have as many connections as it may."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def peak() -> int:
    """The most memory that this process has ever had, in bytes."""
    try:
        # `ru_maxrss` begins, on Linux, with what the process that started this one had.
        status = Path("/proc/self/status").read_text(encoding="ascii")
        return int(status.partition("VmHWM:")[2].split()[0]) * 1024
    except (OSError, IndexError, ValueError):
        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return most if sys.platform == "darwin" else most * 1024


def _measured(side: Side, arguments: dict[str, Any]) -> Reading:
    gc.collect()
    seconds, busy = time.perf_counter(), time.process_time()
    reading = side(**arguments)
    reading.busy = time.process_time() - busy
    reading.seconds = time.perf_counter() - seconds
    reading.size = peak()
    return reading


def main(module: str, target: str, orders: Iterable[str] = sys.stdin) -> None:
    """Runs the sides of a module as they are ordered, line by line."""
    # Some libraries print; what is printed here is read as an answer.
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    sys.stdout = sys.stderr
    many_files()
    sides: dict[str, Side] = {}
    for order in orders:
        answer: object
        try:
            sides = sides or importlib.import_module(f"scripts.benchmarks.peers.{module}").sides(
                Target.of(target)
            )
            side, arguments = json.loads(order)
            answer = asdict(_measured(sides[side], arguments))
        except Exception as error:  # whatever it is, the table says it and the others go on
            answer = f"{type(error).__name__}: {error}".partition("\n")[0][:120]
        print(json.dumps(answer), file=answers, flush=True)
    os._exit(0)  # what the sides have open needs no farewell, and some libraries would complain of it
