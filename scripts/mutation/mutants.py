"""The mutants of a module: its syntax tree with one small change each."""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, Final

from attrs import frozen

_PAIRS: Final[tuple[tuple[Any, Any], ...]] = (
    *((ast.Eq, ast.NotEq), (ast.Lt, ast.LtE), (ast.Gt, ast.GtE), (ast.Is, ast.IsNot), (ast.In, ast.NotIn)),
    *((ast.Add, ast.Sub), (ast.Mult, ast.Div)),
)
_OTHERS: Final[dict[Any, Any]] = (
    dict(_PAIRS) | {other: one for one, other in _PAIRS} | {ast.FloorDiv: ast.Mult}
)
"""The operator that each one becomes."""
_NOT_CODE: Final = {"annotation", "returns", "decorator_list", "type_params", "bases"}
"""Parts of a node that say what it is, not what it does."""


Path = tuple[tuple[str, int | None], ...]


@frozen
class Mutant:
    """A module with one change."""

    line: int
    lines: range
    statement: str
    before: str
    after: str
    _source: str
    _path: Path
    _new: ast.AST

    def __str__(self) -> str:
        return f"{self.line}: {self.before}  ->  {self.after}"

    def build_tree(self) -> ast.Module:
        """Return the syntax tree of the module with the change."""
        tree = ast.parse(self._source)
        place, (name, index) = _follow(tree, self._path[:-1]), self._path[-1]
        if index is None:
            setattr(place, name, self._new)
        else:
            getattr(place, name)[index] = self._new
        return ast.fix_missing_locations(tree)


def find_mutants(source: str) -> list[Mutant]:
    """Make all mutants of a module, in the order of its lines."""
    tree = ast.parse(source)
    mutants: list[Mutant] = []
    for path in _walk(tree, ()):
        node = _follow(tree, path)
        for change in _changes(node):
            new = ast.copy_location(change(copy.deepcopy(node)), node)
            shown = (ast.unparse(node).splitlines()[0], ast.unparse(new).splitlines()[0])
            line = getattr(node, "lineno", 0)
            lines = range(line, (getattr(getattr(node, "test", node), "end_lineno", None) or line) + 1)
            mutants.append(Mutant(line, lines, _find_statement(tree, path), *shown, source, path, new))
    return sorted(mutants, key=lambda mutant: mutant.line)


def _follow(tree: ast.AST, path: Path) -> Any:
    node: Any = tree
    for name, index in path:
        node = getattr(node, name) if index is None else getattr(node, name)[index]
    return node


def _find_statement(tree: ast.AST, path: Path) -> str:
    """Give the function or class that a way ends in, and the first line of the innermost statement."""
    nodes = [_follow(tree, path[:length]) for length in range(1, len(path) + 1)]
    names = [
        node.name for node in nodes if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
    ]
    statement = [node for node in nodes if isinstance(node, ast.stmt)][-1]
    return f"{'.'.join(names[-1:])}: {ast.unparse(statement).splitlines()[0]}"


def _walk(node: ast.AST, path: Path) -> Iterator[Path]:
    """Give the way to each node that does something: no docstring, annotation, import or text that is formatted."""
    for name, value in ast.iter_fields(node):
        if name in _NOT_CODE:
            continue
        for index, child in enumerate(value) if isinstance(value, list) else [(None, value)]:
            if isinstance(child, ast.AST) and not _is_silent(child):
                way = (*path, (name, index))
                yield way
                yield from _walk(child, way)


def _is_silent(node: ast.AST) -> bool:
    match node:
        case ast.JoinedStr() | ast.Import() | ast.ImportFrom() | ast.Expr(ast.Constant()):
            return True
        case (
            ast.If(ast.Name("TYPE_CHECKING")) | ast.Assign([ast.Name("__all__")]) | ast.AnnAssign(value=None)
        ):
            return True
        case ast.Call(ast.Name("TypeVar" | "cast" | "assert_never")):
            return True
    return False


Change = Callable[[Any], ast.AST]


def _changes(node: ast.AST) -> Iterator[Change]:
    match node:
        case ast.Compare(ops=ops):
            for index in range(len(ops)):
                yield partial(_set_operator, index=index)
        case ast.BoolOp(operator):
            yield partial(_with, op=ast.Or() if isinstance(operator, ast.And) else ast.And())
        case ast.UnaryOp(ast.Not()):
            yield lambda new: new.operand
        case ast.BinOp(op=operator) | ast.AugAssign(op=operator) if type(operator) in _OTHERS:
            yield partial(_with, op=_OTHERS[type(operator)]())
        case ast.Constant() if (other := _other_value(node.value)) is not None:
            yield partial(_with, value=other)
        case ast.Return(ast.Constant(None | False)):
            pass  # None says the same as False, which has its own mutant
        case ast.Return(ast.expr()):
            yield partial(_with, value=ast.Constant(None))
        case ast.If(test) | ast.While(test) | ast.IfExp(test) if isinstance(
            test, ast.Name | ast.Call | ast.Attribute
        ):
            yield lambda new: _with(new, test=ast.UnaryOp(ast.Not(), new.test))
        case ast.Expr() | ast.Raise():
            yield lambda _: ast.Pass()
        case ast.Break():
            yield lambda _: ast.Continue()
        case ast.Continue():
            yield lambda _: ast.Break()


def _other_value(value: Any) -> Any:
    """Another value of the same kind; None for a text that somebody reads, and for what has no other."""
    match value:
        case bool():
            return not value
        case int() | float():
            return value + 1
        case str() if value and " " not in value:
            return f"{value}XX"
        case bytes() if value:
            return value + b"XX"
    return None


def _with(node: Any, **members: object) -> Any:
    for name, value in members.items():
        setattr(node, name, value)
    return node


def _set_operator(node: ast.Compare, index: int) -> ast.Compare:
    node.ops[index] = _OTHERS[type(node.ops[index])]()
    return node
