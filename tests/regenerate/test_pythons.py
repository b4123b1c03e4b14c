from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.regenerate import golden
from tests.regenerate.interpreters import (
    NEEDED,
    IndexUnreachableError,
    environment,
    interpreter,
    locked,
    needed,
)

ROOT = Path(__file__).parents[2]


def files(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


@pytest.fixture
def python(version: str, cache: pytest.Cache) -> Path:
    """A Python of that version which has what the generator needs."""
    found = interpreter(version)
    if found is None:
        pytest.skip(f"there is no Python {version} on this machine")
    if found == Path(sys.executable):
        return found
    try:
        return environment(found, cache.mkdir(f"python-{version}"))
    except IndexUnreachableError:
        pytest.skip(f"the package index is out of reach, so Python {version} has no generator")


@pytest.mark.parametrize("version", ["3.11", "3.12", "3.13"])
def test_every_python_generates_the_same(version: str, python: Path, tmp_path: Path) -> None:
    """Whichever supported Python runs the generator, and however it orders sets, both documents give the same bytes.

    Every version has a seed of its own; the one that runs the tests, which may be the only one here, has two.
    """
    seeds = [version.replace(".", "")] + ["1"] * (python == Path(sys.executable))
    for seed in seeds:
        folder = tmp_path / f"seed-{seed}"
        done = generating(python, tmp_path, folder, seed)
        assert done.returncode == 0, done.stdout
        for found, wanted in (
            (files(folder / "repository"), files(ROOT / "generated")),
            (files(folder / "golden" / golden.RECORD.name), golden.recorded()),
        ):
            different = golden.difference(wanted, found)
            assert different is None, f"Python {version}, PYTHONHASHSEED={seed}: {different}"


def generating(python: Path, cwd: Path, folder: Path, seed: str) -> subprocess.CompletedProcess[str]:
    # Settings of the Python that runs the tests would reach the other one, too.
    environ = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    environ |= {"PYTHONPATH": str(ROOT), "PYTHONHASHSEED": seed}
    if python == Path(sys.executable):
        environ["PYTHONDONTWRITEBYTECODE"] = "1"
    else:  # what it compiles is kept in its environment: nothing of it gets into ours
        environ["PYTHONPYCACHEPREFIX"] = str(python.parent.parent / "bytecode")
    return subprocess.run(
        [python, "-P", "-m", "tests.regenerate.generating", folder],
        cwd=cwd,
        env=environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=300,
        check=False,
    )


def test_an_environment_has_locked_versions_only() -> None:
    """What is installed for the generator is from the lock, with hashes, and is less than what development needs."""
    names, lines = needed(), locked(needed()).splitlines()
    assert {*NEEDED, "jinja2", "httpx", "pydantic-core"} <= names
    assert names.isdisjoint({"pytest", "mypy", "schemathesis", "trio"})
    pinned = [line for line in lines if not line.startswith(" ")]
    assert len(pinned) == len(names)
    assert all("==" in line for line in pinned)
    assert sum("--hash=sha256:" in line for line in lines) >= len(names)


def test_a_python_that_is_not_there_is_not_found() -> None:
    """A version that nobody has is None; the one that runs this is itself."""
    assert interpreter("3.99") is None
    assert interpreter(f"3.{sys.version_info[1]}") == Path(sys.executable)
