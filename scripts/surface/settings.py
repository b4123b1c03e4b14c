"""What a pytest plugin announces to pytest: the settings and the markers that stand in users' files, by their names."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from scripts.surface.record import Fact


def announced(source: str) -> Iterator[Fact]:
    """The facts about settings (`parser.addini`) and markers (`config.addinivalue_line`) in the code of a plugin.

    Args:
        source: The code. Names are text there, or constants of the module.
    """
    module = ast.parse(source)
    constants = {
        target.id: statement.value
        for statement in module.body
        if isinstance(statement, ast.Assign)
        for target in statement.targets
        if isinstance(target, ast.Name)
    }

    def text(node: ast.expr | None) -> str | None:
        if isinstance(node, ast.Name):
            node = constants.get(node.id)
        return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None

    for node in ast.walk(module):
        match node:
            case ast.Call(func=ast.Attribute(attr="addini"), args=[name, *_]) if setting := text(name):
                kind = next((text(word.value) for word in node.keywords if word.arg == "type"), None)
                yield Fact(f"pytest.ini.{setting}", "setting", kind or "string")
            case ast.Call(
                func=ast.Attribute(attr="addinivalue_line"), args=[ast.Constant(value="markers"), line]
            ) if marker := text(line):
                yield Fact(f"pytest.mark.{marker.partition(':')[0].partition('(')[0]}", "marker")
