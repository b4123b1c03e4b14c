"""The mutants that scripts/mutate tries."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from scripts.mutation.__main__ import _EXPLAINED, _MODULES, find_trials
from scripts.mutation.mutants import find_mutants
from scripts.mutation.trial import measure, survives
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


@pytest.mark.slow
def test_every_mutant_that_is_explained_is_one() -> None:
    """An explanation goes with the statement that it is about."""
    lines = [line for line in _EXPLAINED.read_text().splitlines() if line and not line.startswith("#")]
    assert sorted(set(lines)) == sorted(lines)
    assert set(lines) <= {trial.key() for trial in find_trials(_MODULES)}


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


@pytest.mark.slow
def test_a_mutant_is_tried_with_the_tests_that_execute_it(tmp_path: Path) -> None:
    """True says that none of them notices it."""
    (tmp_path / "small").mkdir()
    (tmp_path / "small" / "__init__.py").touch()
    (tmp_path / "small" / "code.py").write_text(CODE)
    (tmp_path / "test_small.py").write_text(TESTS)
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    (tmp_path / "conftest.py").write_text(
        "def pytest_addoption(parser):\n    parser.addoption('--fast', action='store_true')\n"
    )
    path = tmp_path / "small" / "code.py"
    covering = measure(tmp_path, path.parent, ["test_small.py"])[str(path)]
    assert covering[5] == ["test_small.py::test_small"]
    expected = {
        "3 -> 4": True,  # what only an import executes is tried with all tests
        "number < LIMIT -> number <= LIMIT": True,
        "number == 1 -> number != 1": False,
        "return True -> return None": True,
    }
    for mutant in find_mutants(CODE):
        if (name := f"{mutant.before} -> {mutant.after}") in expected:
            tests = [test for line in mutant.lines for test in covering.get(line, ())] or ["test_small.py"]
            survived = survives(tmp_path, "small.code", mutant.build_tree(), tests)
            assert survived == expected.pop(name), name
    assert not expected
    (tmp_path / "test_small.py").write_text("def test_small(): assert False\n")
    with pytest.raises(RuntimeError, match="The tests fail without a mutant"):
        measure(tmp_path, path.parent, ["test_small.py"])
