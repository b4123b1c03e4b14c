"""The mutants that scripts/mutate tries."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

from scripts.mutation.__main__ import _EXPLAINED, _MODULES, find_trials
from scripts.mutation.mutants import find_mutants
from tests.tables import table

ROOT = Path(__file__).parents[1]


@table(
    "source, changes",
    [
        ("x = a < b", ["a < b -> a <= b"]),
        ("x = a is not b", ["a is not b -> a is b"]),
        ("x = a in b == c", ["a in b == c -> a not in b == c", "a in b == c -> a in b != c"]),
        ("x = a and b", ["a and b -> a or b"]),
        ("x = not a", ["not a -> a"]),
        ("x = a + 1", ["a + 1 -> a - 1", "1 -> 2"]),
        ("x -= y", ["x -= y -> x += y"]),
        ("x = True", ["True -> False"]),
        ("x = 'key'", ["'key' -> 'keyXX'"]),
        ("x = b'key'", ["b'key' -> b'keyXX'"]),
        ("x = 'What somebody reads.'", []),
        ("x = f'{1}'", []),
        ("x = None", []),
        ("x: Final[int | None] = y", []),
        ("import x", []),
        ("'A docstring.'", []),
        ("if a: b()", ["if a: -> if not a:", "b() -> pass"]),
        ("def f():\n return x", ["return x -> return None"]),
        ("def f():\n return None", []),
        ("def f():\n return False", ["False -> True"]),
        ("def f():\n return 0", ["return 0 -> return None", "0 -> 1"]),
        ("while a():\n break", ["while a(): -> while not a():", "break -> continue"]),
        ("raise x", ["raise x -> pass"]),
    ],
)
def test_the_mutants_of_a_line(source: str, changes: list[str]) -> None:
    mutants = find_mutants(source)
    assert sorted(f"{mutant.before} -> {mutant.after}" for mutant in mutants) == sorted(changes)
    for mutant in mutants:
        assert ast.unparse(mutant.build_tree()) != ast.unparse(ast.parse(source))
        compile(mutant.build_tree(), "mutant", "exec")


def test_every_mutant_that_is_explained_is_one() -> None:
    """An explanation goes with the statement that it is about."""
    lines = [line for line in _EXPLAINED.read_text().splitlines() if line and not line.startswith("#")]
    assert sorted(set(lines)) == sorted(lines)
    assert set(lines) <= {trial.key() for name in _MODULES for trial in find_trials(name)}


CODE = """
LIMIT = 3

def is_small(number):
    return number < LIMIT

class Counter:
    @property
    def odd(self):
        return [number for number in (1, 2) if number == 1]

    def unused(self):
        return True
"""
TESTS = """
from small.code import Counter, is_small

def test_small():
    assert is_small(1)
    assert not is_small(5)

def test_odd():
    assert Counter().odd == [1]
"""
PROGRAM = """
import os
from pathlib import Path

import pytest

from scripts.mutation.mutants import find_mutants
from scripts.mutation.session import Session

path = Path.cwd() / "small" / "code.py"

def work(session):
    for mutant in find_mutants(path.read_text()):
        process = session.begin(path, mutant.build_tree(), mutant.lines)
        status = None if process is None else os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
        print(f"{mutant.before} -> {mutant.after}: {status}")

pytest.main(["-q", "-s", "-p", "no:cacheprovider", "test_small.py"], plugins=[Session(path.parent, work)])
"""


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_session_exchanges_the_code_of_functions(tmp_path: Path) -> None:
    """1 says that a test noticed, 0 that none did, and None that the mutant has to be imported."""
    (tmp_path / "small").mkdir()
    (tmp_path / "small" / "__init__.py").touch()
    (tmp_path / "small" / "code.py").write_text(CODE)
    (tmp_path / "test_small.py").write_text(TESTS)
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    done = subprocess.run(
        [sys.executable, *("-W", "ignore"), "-c", PROGRAM],
        cwd=tmp_path,
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join([str(ROOT), str(tmp_path)]),
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        },
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    said = dict(line.rsplit(": ", 1) for line in done.stdout.splitlines() if " -> " in line)
    assert said == {
        "3 -> 4": "None",
        "return number < LIMIT -> return None": "1",
        "number < LIMIT -> number <= LIMIT": "0",
        "return [number for number in (1, 2) if number == 1] -> return None": "1",
        "1 -> 2": "1",
        "2 -> 3": "0",
        "number == 1 -> number != 1": "1",
        "return True -> return None": "0",
        "True -> False": "0",
    }, done.stdout + done.stderr
