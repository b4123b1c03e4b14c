"""Other versions of Python on this machine, and environments for them that hold what the generator needs and nothing else."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, distribution, requires
from pathlib import Path

from tests.environments import install_lock

ROOT = Path(__file__).parents[2]
NEEDED = ("openapi-python-client", "openapi-spec-validator", "httpx", "pyyaml", "ruff")
"""What scripts/regeneration imports and runs; what these need themselves is looked up."""


def interpreter(version: str) -> Path | None:
    """A Python of that version: the one that runs this, one of pyenv's, or one on PATH."""
    if version == f"{sys.version_info[0]}.{sys.version_info[1]}":
        return Path(sys.executable)
    on_path = shutil.which(f"python{version}")
    pyenv = sorted(Path("~/.pyenv/versions").expanduser().glob(f"{version}.*/bin/python"))
    # On PATH may be a shim of pyenv's, which takes longer to start, and may be for a version that is not chosen.
    for candidate in [*reversed(pyenv), *([Path(on_path)] if on_path else [])]:
        if _says(candidate) == version:
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

    It is made once, and again when something has changed of what it is made from. Skips the test where no index is within reach.
    """
    made_from = folder / "made-from"
    wanted = f"{python}\n{sys.prefix}\n{locked(needed())}"
    if not made_from.exists() or made_from.read_text() != wanted:
        shutil.rmtree(folder, ignore_errors=True)
        _make(python, folder)
        made_from.write_text(wanted)
    return _find_python(folder)


def _find_python(folder: Path) -> Path:
    return folder / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")


def _make(python: Path, folder: Path) -> None:
    """Make an environment.

    What any Python can run is lent by the environment that runs this, which has the locked versions; the rest is fetched.
    """
    subprocess.run([python, "-m", "venv", "--without-pip", folder], capture_output=True, check=True)
    (site,) = folder.rglob("site-packages")
    programs = folder / ("Scripts" if sys.platform == "win32" else "bin")
    names = needed()
    lent = {name for name in names if _lend(name, site, programs)}
    wanted = folder / "needed.lock"
    wanted.write_text(locked(names - lent))
    install_lock(_find_python(folder), wanted, "--only-binary", ":all:")


def _lend(name: str, site: Path, programs: Path) -> bool:
    """Link a package of ours into another environment, if it is of the locked version and for any Python."""
    try:
        ours = distribution(name)
    except PackageNotFoundError:
        return False
    if "Tag: py3-none-" not in (ours.read_text("WHEEL") or "") or f"\n{name}=={ours.version}" not in _lock():
        return False
    for file in ours.files or ():
        is_program = file.parts[0] == ".."
        here = programs / file.name if is_program else site / file.parts[0]
        if not here.exists():
            here.symlink_to(Path(str(ours.locate_file(file if is_program else file.parts[0]))))
    return True


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
    except PackageNotFoundError:  # for another platform or version of Python
        return []


def locked(names: set[str]) -> str:
    """The lines of the lock, hashes included, that are about these packages."""
    entries = re.split(r"\n(?=\S)", _lock())
    return "\n".join(entry for entry in entries if entry.partition("==")[0] in names) + "\n"


def _lock() -> str:
    return (ROOT / "requirements-dev.lock").read_text()


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
