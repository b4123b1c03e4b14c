from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.regenerate import golden
from tests.regenerate.interpreters import (
    NEEDED,
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


OURS = f"3.{sys.version_info[1]}"


@pytest.fixture(scope="session", params=[each for each in ("3.11", "3.12", "3.13") if each != OURS])
def version(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="session")
def python(version: str, pytestconfig: pytest.Config) -> Path:
    """A Python of that version which has what the generator needs.

    It is made before a test hides how this machine reaches an index.
    """
    found = interpreter(version)
    if found is None:
        pytest.skip(f"there is no Python {version} on this machine")
    assert pytestconfig.cache is not None
    return environment(found, pytestconfig.cache.mkdir(f"python-{version}"))


def test_every_python_generates_the_same(version: str, python: Path, tmp_path: Path) -> None:
    """Whichever supported Python runs the generator, and however it orders sets, both documents give the same bytes.

    Every version has its own seed. The one that runs the tests is tried by tests/generated/test_regenerate.py, with a seed too,
    and by test_golden.py.
    """
    seed = version.replace(".", "")
    done = generating(python, tmp_path, tmp_path / "made", seed)
    assert done.returncode == 0, done.stdout
    for found, wanted in (
        (files(tmp_path / "made" / "repository"), files(ROOT / "generated")),
        (files(tmp_path / "made" / "golden" / golden.RECORD.name), golden.recorded()),
    ):
        different = golden.difference(wanted, found)
        assert different is None, f"Python {version}, PYTHONHASHSEED={seed}: {different}"


def generating(python: Path, cwd: Path, folder: Path, seed: str) -> subprocess.CompletedProcess[str]:
    # Settings of the Python that runs the tests would reach the other one, too.
    environ = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    # What it compiles is kept in its environment: nothing of it gets into ours.
    bytecode = str(python.parent.parent / "bytecode")
    environ |= {"PYTHONPATH": str(ROOT), "PYTHONHASHSEED": seed, "PYTHONPYCACHEPREFIX": bytecode}
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
    assert interpreter(OURS) == Path(sys.executable)
