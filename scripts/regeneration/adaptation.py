"""What a changed client breaks in `payman_sdk`: the lines, and the change of the API that each one comes from.

The type checker sees attributes, arguments and types. What it cannot see are keys of constants such as `PATHS["get_task"]`;
those are looked up here. `quotes` finds texts in quotes that the API does not know any more.
"""

import ast
import re
from collections.abc import Collection, Iterator, Sequence
from functools import cache
from pathlib import Path

from scripts.comparison.changes import Change, Level
from scripts.regeneration.identifiers import plain
from scripts.regeneration.names import NameChange, Names, last
from scripts.regeneration.quotes import list_uses
from scripts.regeneration.type_check import Fault


def missing_keys(root: Path, names: Names) -> Iterator[Fault]:
    """Find keys of the client's constants that it does not have: `PATHS["get_task"]`."""
    keyed: dict[str, set[str]] = {}
    for name in names:
        if name.endswith("]"):
            keyed.setdefault(last(name.partition("[")[0]), set()).add(last(name))
    for path in sorted((root / "payman_sdk").rglob("*.py")):
        source = path.read_bytes()  # to walk through every file would take seconds
        for use in list_uses(source) if any(it.encode() in source for it in keyed) else ():
            if use.is_key and use.label in keyed and use.text not in keyed[use.label]:
                said = f'{use.label} has no "{use.text}"'
                yield Fault(path.relative_to(root).as_posix(), use.line, said, "key")


Cause = Change | NameChange
Causes = Sequence[tuple[Cause, Collection[str]]]


def traced(
    root: Path, found: Sequence[Fault], changes: Sequence[Change], names: Sequence[NameChange]
) -> list[tuple[Fault, Sequence[Cause]]]:
    """Give, with each fault, what it comes from: changes of the API or, if none fits, changed names of the client.

    Args:
        root: The folder with `payman_sdk`.
        found: The faults.
        changes: What has changed in the API.
        names: What has become of the client's names.
    """
    shown = sorted((it for it in changes if it.level is not Level.COSMETIC), key=lambda change: change.rank)
    in_api: Causes = [(change, change.names) for change in shown]
    in_client: Causes = [(name, {last(name.name)}) for name in names if name.kind != "added"]
    read = [(fault, (_words(fault.message), _words(_statement_at(root, fault)))) for fault in found]
    return [(fault, _best(*both, in_api) or _best(*both, in_client)) for fault, both in read]


def _best(in_message: set[str], in_statement: set[str], causes: Causes) -> Sequence[Cause]:
    """Choose what shares most names with a message and the statement it is about; the message counts double.

    Where several share as much, all of them may be meant.
    """
    spellings = [{plain(name) for name in names} for _, names in causes]
    scores = [2 * len(names & in_message) + len(names & in_statement) for names in spellings]
    most = max(scores, default=0)
    return [cause for (cause, _), score in zip(causes, scores, strict=True) if score == most > 0]


def _words(text: str) -> set[str]:
    return {plain(word) for word in re.findall(r"\w[\w-]*", text)}


@cache
def _statements(text: str) -> list[ast.stmt]:
    try:
        return [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.stmt)]
    except (SyntaxError, ValueError):
        return []


def _statement_at(root: Path, fault: Fault) -> str:
    """Return the whole of the innermost statement on a line; of one that holds others, that line."""
    path = root / fault.file
    text = path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""
    on_line = [it for it in _statements(text) if it.lineno <= fault.line <= (it.end_lineno or it.lineno)]
    if not on_line:
        return ""
    innermost = max(on_line, key=lambda node: node.lineno)
    if hasattr(innermost, "body"):
        return text.splitlines()[fault.line - 1]
    return ast.get_source_segment(text, innermost) or ""
