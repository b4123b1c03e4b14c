"""The environments of the peers: `.bench/<name>/`, made here, each as a user would have it who installs just that."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import venv
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

from scripts.benchmarks.peers import Peer
from scripts.benchmarks.processes import ROOT

HOME = ROOT / ".bench"


def make_environments(peers: Iterable[Peer], patience: float) -> dict[str, str]:
    """Return the interpreters of the peers' environments by name; those that are not there yet are made, two at a time.

    Args:
        peers: Whose.
        patience: How many seconds pip may take for one.
    """
    shutil.rmtree(HOME / "wheel", ignore_errors=True)
    build = ["wheel", "--no-build-isolation", "--no-index", "--wheel-dir", str(HOME / "wheel"), str(ROOT)]

    def make(peer: Peer) -> tuple[str, str] | None:
        try:
            return peer.name, make_environment(peer, patience)
        except (OSError, subprocess.SubprocessError) as error:
            print(f"{peer.name} is not installed: {error}\n{getattr(error, 'stderr', '')}")
            return None

    try:
        run_pip([], build, patience)
    except subprocess.SubprocessError as error:
        print(f"The checkout cannot be built: {error}\n{getattr(error, 'stderr', '')}")
    with ThreadPoolExecutor(2) as pool:
        return dict(filter(None, pool.map(make, peers)))


def make_environment(peer: Peer, patience: float) -> str:
    """Make the environment of a peer, if it is not there, and return its interpreter."""
    place, content = HOME / peer.name, peer.lock.read_bytes() if peer.list_needs() else b""
    wanted, made_from = hashlib.sha256(sys.version.encode() + content).hexdigest(), place / "made-from"
    builder = venv.EnvBuilder(with_pip=False, symlinks=os.name != "nt")
    python = str(builder.ensure_directories(place).env_exe)
    if not made_from.exists() or made_from.read_text("utf-8") != wanted:
        shutil.rmtree(place, ignore_errors=True)
        builder.create(place)
        if content:
            run_pip(["--python", python], ["install", "--require-hashes", "-r", str(peer.lock)], patience)
        made_from.write_text(wanted, "utf-8")
    if peer.extras is not None:  # the checkout, as it is now; needs no index and little time
        wheels = map(str, (HOME / "wheel").glob("*.whl"))
        run_pip(["--python", python], ["install", "--no-index", "--force-reinstall", *wheels], patience)
    return python


def run_pip(options: list[str], arguments: list[str], patience: float) -> None:
    """Run a command of pip, which takes nothing but what it is given."""
    quiet = ["--quiet", "--disable-pip-version-check", "--no-input", "--retries=1", "--timeout=15"]
    command = [sys.executable, "-m", "pip", *quiet, *options, arguments[0], "--no-deps", *arguments[1:]]
    subprocess.run(command, check=True, timeout=patience, capture_output=True, text=True)
