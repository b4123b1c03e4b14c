"""What is measured in a process that has just begun: an import, and a whole program with its first ask."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

from scripts.benchmarks.sides import Reading, Target
from scripts.benchmarks.workers import SideFailedError, environment

_IMPORT = """
import time
seconds, busy = time.perf_counter(), time.process_time()
{statement}
busy, seconds = time.process_time() - busy, time.perf_counter() - seconds
"""

_PEAK = """
try:
    with open("/proc/self/status") as status:
        peak = int(status.read().partition("VmHWM:")[2].split()[0]) * 1024
except OSError:
    peak = 0
"""


def imported(python: str, statement: str) -> Reading:
    """Runs a statement in a new process, and tells how long that took, without the interpreter's own start."""
    code = f"{_IMPORT.format(statement=statement)}{_PEAK}\nprint(seconds, busy, peak)"
    seconds, busy, size = _run(python, code).split()
    return Reading(1, seconds=float(seconds), busy=float(busy), size=int(size))


def first_ask(python: str, program: str, target: Target) -> Reading:
    """Runs a program from its start to its end, as whoever starts it sees it."""
    start = time.perf_counter()
    process = _started(python, f"{program}{_PEAK}\nprint(peak)", str(target))
    assert process.stdout is not None
    said = process.stdout.read()
    # Not `wait`, which does not tell how long the process computed.
    _, status, used = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    process.stdout.close()
    if process.returncode:
        raise SideFailedError("its program failed; see above")
    return Reading(1, seconds=seconds, busy=used.ru_utime + used.ru_stime, size=int(said.split()[-1]))


def _started(python: str, code: str, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [python, "-P", "-c", code, *arguments],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(python).parent,
        env=environment(),
    )


def _run(python: str, code: str) -> str:
    process = _started(python, code)
    said, _ = process.communicate()
    if process.returncode:
        raise SideFailedError("its program failed; see above")
    return said
