"""The mutants that scripts/mutate tries."""

from __future__ import annotations

import ast

from scripts.mutation.mutants import find_mutants
from tests.tables import table


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
        ("while a():\n break", ["while a(): -> while not a():", "break -> continue"]),
        ("raise x", ["raise x -> pass"]),
    ],
)
def test_the_mutants_of_a_line(source: str, changes: list[str]) -> None:
    mutants = find_mutants(source)
    assert sorted(f"{mutant.before} -> {mutant.after}" for mutant in mutants) == sorted(changes)
    for mutant in mutants:
        assert ast.unparse(mutant.tree) != ast.unparse(ast.parse(source))
        compile(mutant.tree, "mutant", "exec")
