"""The environments of the peers: `.bench/<name>/`, made here, each as a user would have it who installs just that."""

from __future__ import annotations

import contextlib
import hashlib
import importlib.metadata
import json
import os
import shutil
import subprocess
import sys
import venv
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from scripts.benchmarks.locks import lock_of, needs_of
from scripts.benchmarks.peers import Peer
from scripts.benchmarks.workers import ROOT

HOME = ROOT / ".bench"


@dataclass(frozen=True)
class Environment:
    """What a peer runs in.

    Attributes:
        python: Its interpreter, or None.
        why_not: Why there is none.
        distributions: What is installed, and in which version.
        size: How many bytes that is, with the bytecode that pip compiles.
    """

    python: str | None
    why_not: str = ""
    distributions: dict[str, str] = field(default_factory=dict)
    size: int = 0


def environments(peers: Iterable[Peer], patience: float) -> dict[str, Environment]:
    """An environment for each, by its name; those that are not there yet are made, two at a time.

    Args:
        peers: Whose.
        patience: How many seconds pip may take for one.
    """
    try:
        wheel = _wheel()
    except subprocess.CalledProcessError:
        wheel = None

    def of(peer: Peer) -> Environment:
        try:
            return _environment(peer, wheel, patience)
        except (OSError, subprocess.SubprocessError) as error:
            return Environment(None, _why(error))

    with ThreadPoolExecutor(2) as pool:
        return dict(zip((peer.name for peer in peers), pool.map(of, peers), strict=True))


def _environment(peer: Peer, wheel: Path | None, patience: float) -> Environment:
    if peer.extras is not None and wheel is None:
        return Environment(None, "pip could not build the checkout; see above")
    place = HOME / peer.name
    lock = lock_of(peer) if needs_of(peer) else None
    locked = hashlib.sha256(lock.read_bytes()).hexdigest() if lock else ""
    wanted = {"python": sys.version, "lock": locked, "checkout": ""}
    made_from = place / "made-from"
    found: dict[str, Any] = {}
    with contextlib.suppress(OSError, ValueError):
        found = json.loads(made_from.read_text(encoding="utf-8"))
    builder = venv.EnvBuilder(with_pip=False, symlinks=os.name != "nt")
    python = str(builder.ensure_directories(place).env_exe)
    if {**found, "checkout": ""} != wanted:
        shutil.rmtree(place, ignore_errors=True)
        builder.create(place)
        if lock:
            _pip(python, ["--require-hashes", "--no-deps", "-r", str(lock)], patience)
        found = dict(wanted)
    if peer.extras is not None and wheel is not None:
        wanted["checkout"] = hashlib.sha256(wheel.read_bytes()).hexdigest()
        if (
            found != wanted
        ):  # needs no index, and so little time that a change of the code costs next to nothing
            _pip(python, ["--no-deps", "--force-reinstall", str(wheel)], patience)
    made_from.write_text(json.dumps(wanted), encoding="utf-8")
    return _described(python, place)


def _described(python: str, place: Path) -> Environment:
    libraries = next(iter(sorted(place.glob("[Ll]ib*/**/site-packages"))))
    found = importlib.metadata.distributions(path=[str(libraries)])
    distributions = {each.metadata["Name"]: each.version for each in found}
    size = sum(each.stat().st_size for each in libraries.rglob("*") if each.is_file())
    return Environment(python, "", dict(sorted(distributions.items())), size)


def _wheel() -> Path:
    """The checkout as it would be published: the same files give the same bytes."""
    wheels = HOME / "wheel"
    shutil.rmtree(wheels, ignore_errors=True)
    options = ["--quiet", "--disable-pip-version-check", "--no-deps", "--no-build-isolation", "--no-index"]
    subprocess.run(
        [sys.executable, "-m", "pip", "wheel", *options, "--wheel-dir", str(wheels), str(ROOT)], check=True
    )
    return next(wheels.glob("*.whl"))


def _pip(python: str, arguments: Iterable[str], patience: float) -> None:
    options = ["--quiet", "--disable-pip-version-check", "--no-input", "--retries=1", "--timeout=15"]
    subprocess.run(
        [sys.executable, "-m", "pip", "--python", python, "install", *options, *arguments],
        check=True,
        capture_output=True,
        text=True,
        timeout=patience,
    )


def _why(error: Exception) -> str:
    if isinstance(error, subprocess.TimeoutExpired):
        return f"pip had not got it after {error.timeout:.0f} s"
    if isinstance(error, subprocess.CalledProcessError):
        said = [line for line in (error.stderr or "").splitlines() if line.startswith("ERROR")]
        return f"pip could not get it: {said[-1].removeprefix('ERROR: ')[:100] if said else 'it does not say why'}"
    return f"{type(error).__name__}: {error}"
