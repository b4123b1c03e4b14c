"""Lines of `payman_sdk` that hold in quotes what has another name or value now: members, enum values, parameters, paths.

A text such as `sessionId` or `tasks/get` means one thing wherever it is. A bare word such as `state` means many, so it is named only where the
code around it speaks of the same object: it is looked up in something that is called as the object is (`status["state"]`), or is used, in one
place, together with other members of that object or other values of that enum.
"""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from scripts.comparison.changes import Change, Level
from scripts.regeneration.documents import Document
from scripts.regeneration.identifiers import plain
from scripts.regeneration.pointers import walk
from scripts.regeneration.type_check import Fault

_UNMISTAKABLE = re.compile(r"[a-z][A-Z]|[-/]")
_LOOK_UPS = ("get", "pop", "setdefault", "__getitem__")


class Use(NamedTuple):
    """A text in quotes, or an attribute.

    Args:
        text: The text.
        line: Where it is.
        label: What it is used with is called so, as far as it is called anything.
        company: The texts that the same piece of code uses with the same thing.
        is_key: Whether it is a key or a value; None where it may be either.
        is_attribute: Whether it is an attribute.
    """

    text: str
    line: int
    label: str
    company: Sequence[str]
    is_key: bool | None = None
    is_attribute: bool = False


class Wanted(NamedTuple):
    """A text that is out of date.

    Args:
        text: The text.
        change: What made it so.
        is_key: Whether it is a name, such as a member's; otherwise it is a value.
        family: What it is used with: the object's other members, or the enum's other values.
        owners: What things that have it are called, in every spelling.
        others: What things of other schemas are called.
    """

    text: str
    change: Change
    is_key: bool
    family: frozenset[str]
    owners: frozenset[str]
    others: frozenset[str]


def out_of_date(
    root: Path, changes: Sequence[Change], documents: Mapping[str, Document]
) -> list[tuple[Fault, list[Change]]]:
    """Return the lines that hold an old name or value, with what changed it.

    Args:
        root: The folder with `payman_sdk`.
        changes: What has changed in the API.
        documents: The documents as they were.
    """
    breaking = sorted((it for it in changes if it.level is Level.BREAKING), key=lambda it: it.rank)
    spelled: dict[str, list[Wanted]] = defaultdict(list)
    for document in documents.values():
        for it in (it for change in breaking for it in _wanted(change, document)):
            spelled[plain(it.text)].append(it)
    causes: dict[Fault, list[Change]] = defaultdict(list)
    for path in sorted((root / "payman_sdk").rglob("*.py")) if spelled else ():
        for use in list_uses(path.read_bytes()):
            for it in spelled.get(plain(use.text), ()):
                if _is_meant(it, use):
                    word = f"uses {use.label}.{use.text}" if use.is_attribute else f'holds "{use.text}"'
                    fault = Fault(path.relative_to(root).as_posix(), use.line, word, "literal")
                    causes[fault] += [it.change] if it.change not in causes[fault] else []
    return sorted(causes.items())


def _is_meant(wanted: Wanted, use: Use) -> bool:
    label = plain(use.label)
    if use.is_attribute:  # of one that is gone the type checker knows
        return wanted.is_key and wanted.change.kind == "changed" and label in wanted.owners
    if wanted.text != use.text or use.is_key not in (None, wanted.is_key):
        return False
    if _UNMISTAKABLE.search(use.text) or label in wanted.owners:
        return True
    company = {*use.company}
    together = company & (wanted.family | {use.text})
    return label not in wanted.others and len(together) > 1 and 2 * len(together) > len(company)


def _wanted(change: Change, document: Document) -> Iterator[Wanted]:
    """Yield the texts that a change has put out of date in the document that had them."""
    schemas: dict[str, Any] = document.get("components", {}).get("schemas", {})
    keys, values = set(change.literals & change.names), set(change.literals - change.names)
    family, owners, concerned = set[str](), set[str](), change.names & schemas.keys()
    for name in concerned:
        members = schemas[name].get("properties", {})
        owners |= _owners(name, schemas)
        if not values:
            keys |= change.names & members.keys()
            # What may be one of several things is read without knowing which.
            for kind in {name}.union(*(union for union in _unions(schemas) if name in union)):
                family |= schemas.get(kind, {}).get("properties", {}).keys()
        family |= {it for it in schemas[name].get("enum", ()) if isinstance(it, str)}
        for member in change.names & members.keys() if values else ():
            # The constants that members of this name have elsewhere distinguish the kinds.
            same = [it["properties"][member] for it in schemas.values() if member in it.get("properties", {})]
            family |= {str(it["const"]) for it in same if "const" in it}
            owners = {plain(member)}
    for item in document.get("paths", {}).values():
        for operation in item.values():
            if isinstance(operation, dict) and operation.get("operationId") in change.names:
                family |= {it["name"] for it in operation.get("parameters", ()) if "name" in it}
    others = {it for name in schemas.keys() - concerned for it in _owners(name, schemas)} - owners
    for text in keys | values:
        yield Wanted(text, change, text in keys, *map(frozenset, (family, owners, others)))


def _unions(schemas: Mapping[str, Any]) -> Iterator[set[str]]:
    """Yield the schemas that are alternatives of each other."""
    for node, _ in walk(schemas):
        several = [it for word in ("anyOf", "oneOf") for it in node.get(word, ())]
        yield {str(it.get("$ref", "")).rpartition("/")[2] for it in several}


def _owners(schema: str, schemas: Mapping[str, Any], seen: frozenset[str] = frozenset()) -> set[str]:
    """Return what things of a schema are called: as it is, and as the members that refer to it, or to an alias of it, are."""
    found = {plain(schema)}
    for name, other in schemas.items():
        if name in seen or f"#/components/schemas/{schema}'" not in repr(other):
            continue
        members = other.get("properties", {})
        for member, inner in members.items():
            if f"#/components/schemas/{schema}'" in repr(inner):
                found |= {plain(member), plain(member).removesuffix("s")}
        if not members:
            found |= _owners(name, schemas, seen | {schema})
    return found


@cache
def list_uses(source: bytes) -> Sequence[Use]:
    """Return the texts in quotes of a module, and its attributes."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):
        return ()
    uses: list[Use] = []
    companies: dict[tuple[int, str], list[str]] = defaultdict(list)

    def note(scope: int, label: str, is_key: bool | None, *nodes: ast.AST | None) -> None:
        company, found = companies[scope, label], [it for node in nodes for it in _texts(node)]
        company += [text for text, _ in found]
        uses.extend(Use(text, line, label, company, is_key) for text, line in found)

    def visit(node: ast.AST, scope: int) -> None:
        for inner in ast.iter_child_nodes(node):
            own = str(id(inner))
            match inner:
                case ast.Expr(value=ast.Constant()):  # a docstring
                    continue
                case ast.Subscript(value, key):
                    note(scope, _label(value), True, key)
                case ast.Call(ast.Attribute(value, method), [key, *_]) if method in _LOOK_UPS:
                    note(scope, _label(value), True, key)
                case ast.Call(args=[ast.Name(id=name), *keys]):
                    note(scope, name, None, *keys)
                case ast.Compare(ast.Constant() as left, [ast.In() | ast.NotIn()], [right]):
                    note(scope, _label(right), True, left)
                case ast.Compare(left=left, comparators=[right]):
                    note(scope, _label(left), False, right)
                case ast.Dict(keys=keys, values=values) | ast.MatchMapping(keys=keys, patterns=values):
                    note(scope, own, None, *keys)
                    for held, content in zip(keys, values, strict=True):
                        for text, _ in _texts(held):
                            note(scope, text, False, content)
                case ast.Set() | ast.List() | ast.Tuple() | ast.Constant(value=str()):
                    note(scope, own, None, inner)
                case ast.Match(subject=subject, cases=cases):
                    note(scope, _label(subject), None, *(case.pattern for case in cases))
                case ast.Attribute(value=value, attr=name):
                    uses.append(Use(name, inner.lineno, _label(value), (), is_attribute=True))
            is_scope = isinstance(inner, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
            visit(inner, id(inner) if is_scope else scope)

    visit(tree, 0)
    return uses


def _texts(node: ast.AST | None) -> Iterator[tuple[str, int]]:
    """Yield the texts in a constant, a literal, or a pattern, however deep."""
    match node:
        case ast.Constant(value=str(text)) if text:
            yield text, node.lineno
        case ast.Tuple() | ast.List() | ast.Set() | ast.Starred() | ast.MatchOr() | ast.MatchValue():
            for inner in ast.iter_child_nodes(node):
                yield from _texts(inner)
        case ast.MatchMapping(keys=keys):
            for key in keys:
                yield from _texts(key)


def _label(node: ast.AST) -> str:
    """Return what something is called, as far as it is."""
    match node:
        case ast.Name(name) | ast.Attribute(attr=name) | ast.Subscript(slice=ast.Constant(str(name))):
            return name
        case ast.Call(ast.Attribute(attr=method), [ast.Constant(str(name)), *_]) if method in _LOOK_UPS:
            return name
        case ast.Call(ast.Name("cast"), [_, inner]):
            return _label(inner)
    return ""
