"""What scripts/mutate makes of the mutants of mutmut."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from scripts.mutation import __main__ as mutation
from scripts.mutation.__main__ import ROOT, SURVIVORS, main


def test_every_survivor_that_is_explained_is_in_the_code() -> None:
    """An explanation goes with the function and the lines that it is about."""
    lines = [line for line in SURVIVORS.read_text().splitlines() if line and not line.startswith("#")]
    assert sorted(set(lines)) == sorted(lines)
    for line in lines:
        place, _, change = line.partition(": ")
        path = place.split(".")
        [module] = [
            file for end in (-1, -2) if (file := ROOT.joinpath(*path[:end]).with_suffix(".py")).exists()
        ]
        source = " ".join(module.read_text().split())
        assert f"def {path[-1]}(" in source, line
        assert " ".join(change.partition("  ->  ")[0].split()) in source, line


FILES = {
    "payman_sdk/__init__.py": "",
    "payman_sdk/_core/__init__.py": "",
    "payman_sdk/_core/other.py": "def f():\n    return 1\n",
    "payman_sdk/_core/small.py": """
LIMIT = 3

def is_small(number):
    return number < LIMIT

def describe(number):
    if number != LIMIT:
        raise ValueError("It is another one.")
    return None

class Counter:
    def count(self):
        return 1 + 1

    def is_unused(self):
        return True
""",
    "tests/test_small.py": """
import pytest
from payman_sdk._core import other
from payman_sdk._core.small import Counter, describe, is_small

def test_small():
    assert is_small(1)
    assert not is_small(5)

def test_count():
    assert Counter().count() == 2

def test_others():
    assert other.f() == 1
    with pytest.raises(ValueError):
        describe(1)
""",
}


@pytest.mark.slow
@pytest.mark.skipif(not mutation.MUTMUT.exists(), reason="mutmut is not installed; it needs a fork")
def test_survivors_are_shown_unless_they_are_explained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """The settings are those of the project; constants and texts stay, and so does the code itself."""
    settings = (ROOT / "pyproject.toml").read_text().partition("[tool.mutmut]")[2].partition("pytest_add")[0]
    project = f'[tool.mutmut]{settings}pytest_add_cli_args_test_selection = ["tests"]\n[tool.pytest]\n'
    explained = "payman_sdk._core.small.Counter.is_unused: return True  ->  return False"
    for name, text in {**FILES, "pyproject.toml": project, "survivors.txt": explained}.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    monkeypatch.setattr(mutation, "SURVIVORS", tmp_path / "survivors.txt")
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    assert main(["small"], tmp_path) == 1
    shown = capfd.readouterr().out.split("Mutant results")[1].splitlines()
    assert [line for line in shown if "  ->  " in line] == [
        "survived  payman_sdk._core.small.is_small: return number < LIMIT  ->  return number <= LIMIT",
    ]
    assert shown[-2:] == [
        f"{'payman_sdk._core.small':48}     5 of     6 mutants noticed or explained",
        "83.3 % of 6 mutants noticed or explained; at least 90 % are wanted",
    ]
    shutil.rmtree(tmp_path / "mutants")
    assert {name: (tmp_path / name).read_text() for name in FILES} == FILES
