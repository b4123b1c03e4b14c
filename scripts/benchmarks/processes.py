"""Starts the programs that are measured, each in the environment of its peer.

Environments are made here, in `.bench/<name>/`, each as a user would have it who installs just that.
"""

from __future__ import annotations

import hashlib
import inspect
import json
import os
import shutil
import subprocess
import sys
import time
import venv
from collections.abc import Iterable
from pathlib import Path

from scripts.benchmarks.peers import Peer
from scripts.benchmarks.sides import Reading, measure_peak

ROOT = Path(__file__).parents[2]
HOME = ROOT / ".bench"

SIDE = f"import sys; sys.path.append({str(ROOT)!r}); from scripts.benchmarks.clients import main; main(*sys.argv[1:])"
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
    import resource  # which Windows does not have

    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "PAYMAN_"))}
    start, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    process = subprocess.run(
        [python, "-P", "-c", code, *arguments],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(python).parent,
        env={**kept, "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"},
        check=False,
    )
    seconds, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    if process.returncode:
        raise SideFailedError("its program failed; see above")
    busy = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    measured = {"count": 1, "seconds": seconds, "busy": busy}
    return Reading(**measured | json.loads(process.stdout.splitlines()[-1]))


def make_environments(peers: Iterable[Peer], patience: float) -> dict[str, str]:
    """Return the interpreters of the peers' environments by name; those that are not there yet are made.

    Args:
        peers: Whose.
        patience: How many seconds pip may take for one.
    """
    shutil.rmtree(HOME / "wheel", ignore_errors=True)
    build = ["wheel", "--no-build-isolation", "--no-index", "--wheel-dir", str(HOME / "wheel"), str(ROOT)]

    environments: dict[str, str] = {}
    try:
        run_pip([], build, patience)
    except subprocess.SubprocessError as error:
        print(f"The checkout cannot be built: {error}\n{getattr(error, 'stderr', '')}")
    for peer in peers:
        try:
            environments[peer.name] = make_environment(peer, patience)
        except (OSError, subprocess.SubprocessError) as error:
            print(f"{peer.name} is not installed: {error}\n{getattr(error, 'stderr', '')}")
    return environments


def make_environment(peer: Peer, patience: float) -> str:
    """Make the environment of a peer, if it is not there, and return its interpreter."""
    place, content = HOME / peer.name, peer.lock.read_bytes()
    wanted, made_from = hashlib.sha256(sys.version.encode() + content).hexdigest(), place / "made-from"
    builder = venv.EnvBuilder(with_pip=False, symlinks=os.name != "nt")
    python = str(builder.ensure_directories(place).env_exe)
    if not made_from.exists() or made_from.read_text("utf-8") != wanted:
        shutil.rmtree(place, ignore_errors=True)
        builder.create(place)
        run_pip(["--python", python], ["install", "--require-hashes", "-r", str(peer.lock)], patience)
        made_from.write_text(wanted, "utf-8")
    if peer.extras is not None:  # the checkout, as it is now; needs no index and little time
        wheels = map(str, (HOME / "wheel").glob("*.whl"))
        run_pip(["--python", python], ["install", "--no-index", "--force-reinstall", *wheels], patience)
    return python


def run_pip(options: list[str], arguments: list[str], patience: float) -> None:
    """Run a command of pip, which takes nothing but what it is given; uv installs first, which is faster and knows no settings of pip."""
    quiet = ["--quiet", "--disable-pip-version-check", "--no-input", "--retries=1", "--timeout=15"]
    pip = [sys.executable, "-m", "pip", *quiet, *options, arguments[0], "--no-deps", *arguments[1:]]
    if arguments[0] == "install" and (uv := shutil.which("uv", path=Path(sys.executable).parent)):
        faster = [uv, "pip", "install", "--quiet", *options, "--no-deps", *arguments[1:]]
        if not subprocess.run(faster, capture_output=True, check=False, timeout=patience).returncode:
            return
    subprocess.run(pip, check=True, timeout=patience, capture_output=True, text=True)
