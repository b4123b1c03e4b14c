"""Starts the programs that are measured, each in the environment of its peer."""

from __future__ import annotations

import inspect
import json
import os
import subprocess
import time
from pathlib import Path

from scripts.benchmarks.sides import Reading, measure_peak

ROOT = Path(__file__).parents[2]

SIDE = f"import sys; sys.path.append({str(ROOT)!r}); from scripts.benchmarks.sides import main; main(*sys.argv[1:])"
"""Runs a side. The checkout comes last on the path: `payman_sdk` is the one that the environment has, whichever that is."""

_END = f"""
import sys
if sys.platform != "win32":
    import resource
{inspect.getsource(measure_peak)}
size = measure_peak()
import json
print(json.dumps({{name: globals()[name] for name in ("seconds", "busy", "size") if name in globals()}}))
"""


def build_import(statement: str) -> str:
    """Return a program that times an import, without the interpreter's start."""
    begin = "import time\nseconds, busy = time.perf_counter(), time.process_time()"
    end = "busy, seconds = time.process_time() - busy, time.perf_counter() - seconds"
    return build_program(f"{begin}\n{statement}\n{end}")


def build_program(code: str) -> str:
    """Return a program that prints a reading of itself; if it has `seconds` and `busy`, those count, and not its whole time."""
    return code + _END


class SideFailedError(Exception):
    """A side failed; the message says why."""


def run_program(python: str, code: str, *arguments: str) -> Reading:
    """Run a program from its start to its end, and return the reading that it prints last.

    Raises:
        SideFailedError: It failed.
    """
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "PAYMAN_"))}
    start = time.perf_counter()
    process = subprocess.Popen(
        [python, "-P", "-c", code, *arguments],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(python).parent,
        env={**kept, "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"},
    )
    assert process.stdout is not None
    with process.stdout as pipe:
        output = pipe.read()
    # Not `wait`, which does not return how long the process computed.
    _, status, used = os.wait4(process.pid, 0)
    whole = {"count": 1, "seconds": time.perf_counter() - start, "busy": used.ru_utime + used.ru_stime}
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SideFailedError("its program failed; see above")
    return Reading(**{**whole, **json.loads(output.splitlines()[-1])})
