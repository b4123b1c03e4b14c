"""Other versions of Python on this machine, and environments for them that hold what the generator needs and nothing else."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from importlib.metadata import requires
from pathlib import Path

ROOT = Path(__file__).parents[2]
NEEDED = ("openapi-python-client", "openapi-spec-validator", "pyyaml", "ruff")
"""What scripts/regeneration imports and runs; what these need themselves is looked up."""


class IndexUnreachableError(Exception):
    """The package index did not answer."""


def interpreter(version: str) -> Path | None:
    """A Python of that version: the one that runs this, one on PATH, or one of pyenv's."""
    if version == f"{sys.version_info[0]}.{sys.version_info[1]}":
        return Path(sys.executable)
    on_path = shutil.which(f"python{version}")
    pyenv = sorted(Path("~/.pyenv/versions").expanduser().glob(f"{version}.*/bin/python"))
    for candidate in [*([Path(on_path)] if on_path else []), *reversed(pyenv)]:
        if _says(candidate) == version:  # a shim of pyenv's may stand for a version that is not chosen
            return candidate
    return None


def _says(candidate: Path) -> str | None:
    program = "import sys, venv; print('%d.%d' % sys.version_info[:2])"
    try:
        done = subprocess.run(
            [candidate, "-c", program], capture_output=True, text=True, timeout=30, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()


def environment(python: Path, folder: Path) -> Path:
    """An environment in a folder, with the locked versions of what the generator needs; gives its Python.

    Raises:
        IndexUnreachableError: Nothing could be fetched.
    """
    subprocess.run([python, "-m", "venv", "--without-pip", folder], capture_output=True, check=True)
    wanted = folder / "requirements.txt"
    wanted.write_text(locked(needed()))
    made = folder / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    pip: list[str | Path] = [
        sys.executable,
        "-m",
        "pip",
        "--python",
        made,
        "--disable-pip-version-check",
        "--quiet",
    ]
    install = ["install", "--no-deps", "--require-hashes", "--only-binary", ":all:", "--no-compile"]
    patience = ["--retries", "1", "--timeout", "15"]
    done = subprocess.run(
        [*pip, *install, *patience, "-r", wanted], capture_output=True, text=True, check=False
    )
    if done.returncode and re.search(r"connection broken|ConnectionError|timed out", done.stderr):
        raise IndexUnreachableError
    assert done.returncode == 0, done.stderr
    return made


def needed() -> set[str]:
    """What the generator needs, and what that needs, as it is installed here."""
    found: set[str] = set()
    waiting = [*NEEDED]
    while waiting:
        name = waiting.pop()
        if name in found or f"\n{name}==" not in _lock():
            continue  # an extra, or for another platform: not locked, so not needed
        found.add(name)
        waiting += [
            _normal(re.split(r"[^\w.-]", requirement, maxsplit=1)[0])
            for requirement in _requires(name)
            if "extra ==" not in requirement
        ]
    return found


def _requires(name: str) -> list[str]:
    try:
        return requires(name) or []
    except ModuleNotFoundError:  # for another platform or version of Python
        return []


def locked(names: set[str]) -> str:
    """The lines of the lock, hashes included, that are about these packages."""
    entries = re.split(r"\n(?=\S)", _lock())
    return "\n".join(entry for entry in entries if entry.partition("==")[0] in names) + "\n"


def _lock() -> str:
    return (ROOT / "requirements-dev.lock").read_text()


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
