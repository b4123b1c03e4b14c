"""`scripts/metrics` counts what it says, on a small package made for this."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from scripts.code_metrics import (
    Metric,
    count_lines,
    find_modules,
    is_gerund,
    is_participle,
    measure_circles,
    measure_lines,
    measure_names,
)

pytestmark = pytest.mark.slow


FILES = {
    "payman_sdk/__init__.py": "",
    "payman_sdk/first.py": """from __future__ import annotations
from typing import TYPE_CHECKING
if TYPE_CHECKING:
    from payman_sdk.second import Second
class First:
    def told(self): ...
    def read_it(self): ...
""",
    "payman_sdk/second.py": """class Second:
    def work(self):
        from payman_sdk import first
        return first
""",
    "payman_sdk/asking.py": "class First: ...\n",
    "payman_sdk/agents/__init__.py": "x = 1\n" * 5,
    "scripts/tool.py": "# a comment\n\nx = 1\n",
}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A small project with one of each fault."""
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def test_each_fault_is_counted(project: Path) -> None:
    modules = find_modules(project)
    trees = {module: ast.parse(file.read_text()) for module, file in modules.items()}
    participles, gerunds, classes = measure_names(trees)
    assert (round(participles.value, 1), participles.examples) == (33.3, ("told",))
    assert (gerunds.value, gerunds.examples) == (20.0, ("payman_sdk.asking",))
    assert classes.value == 1
    assert "First" in classes.examples[0]
    lines, scripts = measure_lines(project, modules)
    assert (lines.value, scripts.value) == (12, 1)


def test_a_circle_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One of the two imports is for type checkers alone, the other inside a function."""
    for name, text in FILES.items():
        path = tmp_path / name.replace("payman_sdk", "circling")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text.replace("payman_sdk", "circling"))
    monkeypatch.syspath_prepend(tmp_path)
    circle = measure_circles("circling")
    assert (circle.value, circle.examples) == (1, ("circling.first ⇄ circling.second",))
    (tmp_path / "circling" / "second.py").write_text("")
    assert measure_circles("circling").value == 0


def test_lines_are_counted_without_what_explains_them() -> None:
    source = '''"""A module

    of three lines."""

# why
x = """text
that counts"""
"""What x is."""


def f() -> int:
    """Return one."""
    return (  # here
        1
    )
'''
    assert count_lines(source) == 6


def test_names_are_judged() -> None:
    participles = {
        name
        for name in ("told", "_resolved", "seed", "send", "is_closed", "read", "fetch_task")
        if is_participle(name)
    }
    assert participles == {"told", "_resolved"}
    gerunds = {
        name
        for name in ("a.asking", "a.logging", "a.string", "a.retry", "a.part_normalizing")
        if is_gerund(name)
    }
    assert gerunds == {"a.asking"}


def test_a_figure_above_its_limit_is_named_with_examples() -> None:
    kept, above = Metric("lines", 10, 12, 8, "lines"), Metric("circles", 1, 0, 0, "circles", ("a ⇄ b",))
    assert (kept.is_kept, above.is_kept) == (True, False)
    assert "(limit 12, goal 8)" in str(kept)
    assert str(above).endswith("ABOVE ITS LIMIT: a ⇄ b")
