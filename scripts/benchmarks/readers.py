"""Processes that read streams when they are told to, each in an environment of its own, so that rounds can interleave.

A module of sides, such as `ours.py`, has `sides(base_url)`: by name, functions that read a number of streams at once and
tell what they counted. This module is the process around it and the handle on it. It needs nothing but Python.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

ROOT = Path(__file__).parents[2]


@dataclass
class Reading:
    """What one round of one side came to.

    Attributes:
        events: How many events were read, in all streams together; for a side that only reads bytes, how many there were.
        characters: How many characters of text, or bytes.
        seconds: How long it took from the first request to the last event.
        busy: How many of these seconds the reader computed; for the others it waited for the server.
        opening: How many of these seconds it took until all streams were open.
        firsts: For streams that are left after their first event, the seconds until that was there, stream by stream.
        peak: The most memory that the process has ever had, in bytes.
    """

    events: int
    characters: int
    seconds: float = 0.0
    busy: float = 0.0
    opening: float = 0.0
    firsts: list[float] = field(default_factory=list)
    peak: int = 0

    @property
    def per_event(self) -> float:
        """Microseconds an event."""
        return self.seconds / self.events * 1e6


Side = Callable[[str, int, int], Reading]
"""Reads streams of a kind, with so many events each, so many at once."""


class Reader:
    """A process that reads; used in a `with` block.

    Args:
        python: The interpreter of its environment.
        sides: The module that has the sides.
        base_url: The server.
    """

    def __init__(self, python: str, sides: str, base_url: str) -> None:
        self._process = subprocess.Popen(
            [python, "-m", "scripts.benchmarks.readers", sides, base_url],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env={**os.environ, "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"},
        )

    def read(self, side: str, kind: str, events: int, streams: int = 1) -> Reading:
        """Has a side read."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(json.dumps([side, kind, events, streams]), file=self._process.stdin, flush=True)
        answer = self._process.stdout.readline()
        if not answer:
            raise SystemExit(f"{side} failed; see above.")
        return Reading(**json.loads(answer))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._process.communicate()


def interleaved(sides: Mapping[str, Callable[[], Reading]], rounds: int) -> dict[str, list[Reading]]:
    """The readings by side and round, after a round that warms up.

    The sides take turns, so that a change of the machine's pace hits all.
    """
    readings: dict[str, list[Reading]] = {name: [] for name in sides}
    for number in range(rounds + 1):
        for name, read in sides.items():
            reading = read()
            if number > 0:
                readings[name].append(reading)
    return readings


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


def _measured(side: Side, kind: str, events: int, streams: int) -> Reading:
    gc.collect()
    seconds, busy = time.perf_counter(), time.process_time()
    reading = side(kind, events, streams)
    reading.busy = time.process_time() - busy
    reading.seconds = time.perf_counter() - seconds
    reading.peak = peak()
    return reading


def _main(module: str, base_url: str, orders: Iterable[str]) -> None:
    many_files()
    sides: dict[str, Side] = importlib.import_module(f"scripts.benchmarks.{module}").sides(base_url)
    for order in orders:
        side, kind, events, streams = json.loads(order)
        print(json.dumps(asdict(_measured(sides[side], kind, events, streams))), flush=True)


if __name__ == "__main__":
    _main(sys.argv[1], sys.argv[2], sys.stdin)
