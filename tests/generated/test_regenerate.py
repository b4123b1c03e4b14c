import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from scripts.regeneration.command import main

pytestmark = pytest.mark.slow


ROOT = Path(__file__).parents[2]


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(copy: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs the command on the copy, without the time that a process of its own takes: status, output, complaints."""

    def running(*arguments: str) -> tuple[int, str, str]:
        status = main(["--root", str(copy), *arguments])
        return status, *capsys.readouterr()

    return running


@pytest.fixture(autouse=True)
def _without_proof(monkeypatch: pytest.MonkeyPatch) -> None:
    """The proof of a client has tests of its own."""
    monkeypatch.setattr("scripts.regeneration.work.prove", lambda *_: None)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    for name in ("spec", "generated"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def test_the_repository_is_what_its_spec_gives(tmp_path: Path) -> None:
    """The generated package is, byte for byte, what the spec gives, wherever it is run and however sets are ordered.

    tests/regenerate/test_pythons.py has other orders.
    """
    (tmp_path / "ruff.toml").write_text('line-length = 40\nformat.quote-style = "single"\n')
    done = subprocess.run(
        [sys.executable, "-P", "-m", "scripts.regeneration", "--root", str(ROOT), "--check"],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env={**os.environ, "PYTHONHASHSEED": "1", "PYTHONPATH": str(ROOT)},
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_a_check_names_what_differs_and_changes_nothing(copy: Path, run: Run) -> None:
    """An edited, a missing and an extra file are each named; bytecode is not looked at."""
    package = copy / "generated" / "payman_api"
    edited = package / "models" / "task.py"
    edited.write_bytes(edited.read_bytes() + b"\n")
    (package / "api" / "tasks" / "get_task.py").unlink()
    (copy / "generated" / "extra.txt").touch()
    (package / "__pycache__").mkdir()
    (package / "__pycache__" / "client.cpython-311.pyc").touch()
    before = files(copy)

    status, _, complaints = run("--check")

    assert status == 1
    assert complaints.splitlines() == [
        "generated/extra.txt is not from the spec",
        "generated/payman_api/api/tasks/get_task.py is missing",
        "generated/payman_api/models/task.py is not what the spec gives",
        "Run scripts/regenerate.",
    ]
    assert files(copy) == before


def test_regenerating_says_what_changed_and_then_nothing(copy: Path, run: Run) -> None:
    """What was edited, lost or added by hand is put right, a line for each file, and once is enough."""
    package = copy / "generated" / "payman_api"
    original = files(copy)
    (package / "client.py").write_text("")
    (package / "errors.py").unlink()
    (package / "extra.py").touch()

    status, said, complaints = run()

    assert status == 0, complaints
    reported = said.splitlines()
    assert reported[: reported.index("")] == [
        "changed generated/payman_api/client.py",
        "added generated/payman_api/errors.py",
        "removed generated/payman_api/extra.py",
    ]
    assert "cannot be told" in said, "without git, nobody knows which document gave such a client"
    assert files(copy) == original
    assert run() == (0, "", "")


def test_a_changed_spec_is_a_changed_client(copy: Path) -> None:
    """A member added to a schema is a member of its model."""
    spec = copy / "spec" / "payman.openapi.yaml"
    old = "        acceptedOutputModes:\n"
    assert old in spec.read_text()
    spec.write_text(spec.read_text().replace(old, "        colour:\n          type: string\n" + old))
    assert main(["--root", str(copy)]) == 0
    assert "colour: str | Unset" in (copy / "generated/payman_api/models/task_send_params.py").read_text()


def breaks(name: str, old: str, new: str) -> Callable[[Path], None]:
    def act(copy: Path) -> None:
        path = copy / "spec" / name
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new, 1))

    return act


SPEC = "payman.openapi.yaml"


@pytest.mark.parametrize(
    ("act", "said"),
    [
        (breaks(SPEC, "openapi: 3.1.0", "openapi: [3.1.0"), "cannot be read"),
        (breaks(SPEC, "openapi: 3.1.0", "- openapi"), "cannot be read"),
        (breaks(SPEC, "  title: Payman API\n", ""), '"title" is a required property (at #/info)'),
        (
            breaks(SPEC, "schemas/AgentSkill'", "schemas/Nowhere'"),
            "#/components/schemas/Nowhere leads nowhere",
        ),
        (
            breaks(SPEC, "        application/json:\n", "        application/unheard-of:\n"),
            "A body as application/unheard-of cannot be rendered",
        ),
        (breaks("templates/client.py.jinja", "import httpx", "{% if %}"), "does not fit"),
        (breaks("templates/client.py.jinja", "import httpx", "{{ nobody.nothing }}"), "does not fit"),
        (breaks("templates/client.py.jinja", "import httpx", "import ("), "ruff check does not accept"),
        (lambda copy: (copy / "spec" / SPEC).unlink(), "cannot be read"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_failure_is_explained_and_changes_nothing(
    copy: Path,
    act: Callable[[Path], None],
    said: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Whatever is wrong with the spec, the configuration or a template is said, and everything stays as it was."""
    act(copy)
    before = files(copy)
    assert main(["--root", str(copy)]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert said in err
    assert err.endswith("Nothing was changed.\n")
    assert files(copy) == before
