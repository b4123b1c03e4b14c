"""The mutants of a module: its syntax tree with one small change each."""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from attrs import frozen

ROOT: Final = Path(__file__).parents[2]
CORE: Final = ROOT / "payman_sdk" / "_core"

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


@frozen
class Mutant:
    """A module with one change."""

    path: Path
    line: int
    lines: range
    statement: str
    before: str
    after: str
    _tree: ast.Module
    _old: ast.AST
    _new: ast.AST

    def __str__(self) -> str:
        return f"{self.path.relative_to(ROOT)}:{self.line}: {self.before}  ->  {self.after}"

    def key(self) -> str:
        """Name the mutant where survivors are explained: without its line, which moves."""
        return f"{self.path.relative_to(CORE)} {self.statement} | {self.before}  ->  {self.after}"

    def build_tree(self) -> ast.Module:
        """Return the syntax tree of the module with the change."""
        # The copy holds the new node where a copy of the old one would be: that is taken for made already.
        return ast.fix_missing_locations(copy.deepcopy(self._tree, {id(self._old): self._new}))


def find_mutants(source: str, path: Path = CORE) -> list[Mutant]:
    """Make all mutants of a module, in the order of its lines."""
    tree = ast.parse(source)
    mutants: list[Mutant] = []
    for nodes in _walk(tree, ()):
        node = nodes[-1]
        for new in _changes(node):
            ast.copy_location(new, node)
            shown = (ast.unparse(node).splitlines()[0], ast.unparse(new).splitlines()[0])
            line = getattr(node, "lineno", 0)
            lines = range(line, (getattr(getattr(node, "test", node), "end_lineno", None) or line) + 1)
            mutants.append(Mutant(path, line, lines, _find_statement(nodes), *shown, tree, node, new))
    return sorted(mutants, key=lambda mutant: mutant.line)


def _find_statement(nodes: Sequence[ast.AST]) -> str:
    """Return the innermost function or class of nodes that are inside each other, and the first line of the innermost statement."""
    names = [
        node.name for node in nodes if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
    ]
    statement = [node for node in nodes if isinstance(node, ast.stmt)][-1]
    return f"{'.'.join(names[-1:])}: {ast.unparse(statement).splitlines()[0]}"


def _walk(node: ast.AST, above: tuple[ast.AST, ...]) -> Iterator[tuple[ast.AST, ...]]:
    """Yield each node that does something, and those that it is in: no docstring, annotation, import or text that is formatted."""
    for name, value in ast.iter_fields(node):
        for child in value if isinstance(value, list) else [value]:
            if name not in _NOT_CODE and isinstance(child, ast.AST) and not _is_silent(child):
                yield (*above, child)
                yield from _walk(child, (*above, child))


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


def _changes(node: ast.AST) -> Iterator[ast.AST]:
    match node:
        case ast.Compare(ops=ops):
            for index, operator in enumerate(ops):
                yield _with(node, ops=[*ops[:index], _OTHERS[type(operator)](), *ops[index + 1 :]])
        case ast.BoolOp(operator):
            yield _with(node, op=ast.Or() if isinstance(operator, ast.And) else ast.And())
        case ast.UnaryOp(ast.Not(), operand):
            yield copy.copy(operand)
        case ast.BinOp(op=operator) | ast.AugAssign(op=operator) if type(operator) in _OTHERS:
            yield _with(node, op=_OTHERS[type(operator)]())
        case ast.Constant() if (other := _other_value(node.value)) is not None:
            yield _with(node, value=other)
        case ast.Return(ast.Constant(None | False)):
            pass  # None says the same as False, which has its own mutant
        case ast.Return(ast.expr()):
            yield _with(node, value=ast.Constant(None))
        case ast.If(test) | ast.While(test) | ast.IfExp(test) if isinstance(
            test, ast.Name | ast.Call | ast.Attribute
        ):
            yield _with(node, test=ast.UnaryOp(ast.Not(), test))
        case ast.Expr() | ast.Raise():
            yield ast.Pass()
        case ast.Break():
            yield ast.Continue()
        case ast.Continue():
            yield ast.Break()


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
    """Copy a node, with other members."""
    new = copy.copy(node)
    for name, value in members.items():
        setattr(new, name, value)
    return new
