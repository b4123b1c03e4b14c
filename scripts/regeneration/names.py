"""The public names of a generated package, read without importing it, and what has become of them."""

import ast
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from functools import cache
from typing import NamedTuple

from scripts.regeneration.folders import differences
from scripts.regeneration.identifiers import plain
from scripts.surface.comparing import broken_calls, wider

_DEFAULT = " = …"
Names = dict[str, str]
"""What each public name is, in the words of the code: a signature, a type, a value."""


class NameChange(NamedTuple):
    """What has become of a name.

    Args:
        kind: added, removed, renamed or changed.
        name: The name; of one that was renamed, the old one.
        before: What it was, in the words of the code.
        after: What it is; of one that was renamed, the new name.
    """

    kind: str
    name: str
    before: str = ""
    after: str = ""

    def __str__(self) -> str:
        """One line of a report."""
        changed, renamed = f"{self.name}: {self.before} → {self.after}", f"{self.name} → {self.after}"
        return {"changed": changed, "renamed": renamed}.get(self.kind, self.name)

    @property
    def is_wider(self) -> bool:
        """Whether all that could be given before can be given still: to a function, or to what has a type."""
        if self.kind != "changed":
            return self.kind == "added"
        (before, _, _), (after, _, _) = (it.rpartition(" -> ") for it in (self.before, self.after))
        try:
            if not before or not after:
                has_default = self.after.endswith(_DEFAULT) or not self.before.endswith(_DEFAULT)
                return has_default and wider(*(it.removesuffix(_DEFAULT) for it in (self.after, self.before)))
            if before.startswith("async") != after.startswith("async"):
                return False
            return not broken_calls(*(it.removeprefix("async ") for it in (before, after)))
        except SyntaxError:
            return False


def names(package: Mapping[str, bytes]) -> Names:
    """Return the public names in a package's files, by the files' paths."""
    found: Names = {}
    for path, content in package.items():
        last_part = path.rpartition("/")[2]
        if path.endswith(".py") and (last_part == "__init__.py" or not last_part.startswith("_")):
            with suppress(SyntaxError):  # somebody has edited it; it has no names then
                found |= _read(path.removesuffix(".py").removesuffix("/__init__").replace("/", "."), content)
    return found


@cache  # most modules of two packages that are compared are the same
def _read(name: str, content: bytes) -> Names:
    package, _, last = name.rpartition(".")
    is_model = package.endswith(".models")  # which is where models are imported from
    found = {} if is_model or last.startswith("_") else {name: "module"}
    for statement in ast.parse(content).body:
        found |= _statement(f"{package if is_model else name}.", statement)
    return found


def _statement(prefix: str, statement: ast.stmt) -> Iterator[tuple[str, str]]:
    match statement:
        case ast.ClassDef(name=name) if not name.startswith("_"):
            yield prefix + name, f"class({', '.join(map(ast.unparse, statement.bases))})"
            for inner in statement.body:
                yield from _statement(f"{prefix}{name}.", inner)
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) if not name.startswith("_"):
            returned = ast.unparse(statement.returns) if statement.returns else ""
            word = "async " if isinstance(statement, ast.AsyncFunctionDef) else ""
            yield prefix + name, f"{word}({ast.unparse(statement.args)}) -> {returned}"
        case ast.AnnAssign(target=ast.Name(id=name)) if not name.startswith("_"):
            default = _DEFAULT if statement.value is not None and prefix.count(".") > 1 else ""
            yield prefix + name, ast.unparse(statement.annotation) + default
            yield from _members(prefix + name, statement.value)
        case ast.Assign(targets=[ast.Name(id=name)]) if not name.startswith("_"):
            yield prefix + name, ast.unparse(statement.value)
            yield from _members(prefix + name, statement.value)


def _members(name: str, value: ast.expr | None) -> Iterator[tuple[str, str]]:
    """Yield what a constant holds by constant keys; a mapping may be wrapped once."""
    if isinstance(value, ast.Call) and len(value.args) == 1:
        value = value.args[0]
    if isinstance(value, ast.Dict):
        for key, inner in zip(value.keys, value.values, strict=True):
            if isinstance(key, ast.Constant):
                yield f"{name}[{key.value!r}]", ast.unparse(inner)


def name_changes(old: Names, new: Names, renames: Collection[frozenset[str]] = ()) -> list[NameChange]:
    """Say what has become of each name.

    What is in a class or a module that is new or gone is not listed as well.

    Args:
        old: The names that there were.
        new: The names that there are.
        renames: Names of which some are known to be other names for others.
    """
    moved = dict(_renamed(old, new, [{plain(name) for name in names} for names in renames]))
    kept: Names = {}
    for name, shape in old.items():
        # A class's members move with it.
        holder = next((it for it in (name, *_parents(name)) if it in moved), None)
        kept[moved[holder] + name[len(holder) :] if holder else name] = shape
    found = [NameChange("renamed", was, after=now) for was, now in moved.items()]
    for name, kind in differences(kept, new).items():
        own, other = (kept, new) if kind == "removed" else (new, kept)
        if kind == "changed" or not any(parent in own and parent not in other for parent in _parents(name)):
            found.append(NameChange(kind, name, kept.get(name, ""), new.get(name, "")))
    return found


def last(name: str) -> str:
    """Return the last part of a dotted name, or the key of a member."""
    return name.partition("[")[2].strip("]'\"") or name.rpartition(".")[2]


def _parents(name: str) -> Iterator[str]:
    if name.endswith("]"):
        name = name.partition("[")[0]
        yield name
    while "." in name:
        name = name.rpartition(".")[0]
        yield name


def _renamed(old: Names, new: Names, renames: Collection[set[str]]) -> Iterator[tuple[str, str]]:
    come = sorted(new.keys() - old.keys())
    for was in (name for name in old if name not in new):
        for now in come:
            both = {plain(last(was)), plain(last(now))}
            if next(_parents(was), "") == next(_parents(now), "") and any(both <= it for it in renames):
                come.remove(now)
                yield was, now
                break
