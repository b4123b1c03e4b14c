"""Starts the programs that are measured, each in the environment of its peer.

Environments are made by `scripts/bench`, in `.bench/<name>/`, each as a user would have it who installs just that.
"""

import inspect
import json
import os
import subprocess
import time
from pathlib import Path

from scripts.benchmarks.sides import Reading, measure_peak

ROOT = Path(__file__).parents[2]
HOME = ROOT / ".bench"

SIDE = f"import sys; sys.path.append({str(ROOT)!r}); from scripts.benchmarks.sides import main; main(*sys.argv[1:])"
"""Runs a side. The checkout comes last on the path: `payman_sdk` is the one that the environment has, whichever that is."""

_END = f"""
import sys
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
    import resource  # which Windows does not have

    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "PAYMAN_"))}
    kept |= {"NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"}
    command, folder = [python, "-P", "-c", code, *arguments], Path(python).parent
    start, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    process = subprocess.run(command, stdout=subprocess.PIPE, text=True, cwd=folder, env=kept, check=False)
    seconds, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    if process.returncode:
        raise SideFailedError("its program failed; see above")
    busy = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    measured = {"count": 1, "seconds": seconds, "busy": busy}
    return Reading(**measured | json.loads(process.stdout.splitlines()[-1]))


def find_environments() -> dict[str, str]:
    """Return the interpreters of the environments that `scripts/bench` has made, by the names of the peers."""
    made = (file.parent for file in HOME.glob("*/made-from"))
    return {place.name: str(place / "bin" / "python") for place in made}
