"""What the comparison of two API documents finds, and how it is reported: in a terminal, in a report, in CHANGELOG.md."""

import textwrap
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Literal, get_args

Kind = Literal["removed", "renamed", "moved", "changed", "added", "reworded"]
"""What happened, in the order of reports; what is only reworded is joined into one change before anybody is shown it."""
Subject = Literal["operation", "schema", "document"]
VersionStep = Literal["major", "minor", "patch"]

_SECTIONS: dict[str, tuple[Kind, ...]] = {
    "Added": ("added",),
    "Changed": ("changed", "renamed", "moved"),
    "Removed": ("removed",),
}
_WIDTH = 130  # of CHANGELOG.md


class Level(IntEnum):
    """What a change means for programs; the greater, the worse.

    Attributes:
        COSMETIC: Nothing that a program sends, reads or names is different.
        ADDITIVE: Programs go on working as they are; there is more, or less is asked of them.
        BREAKING: A program that kept to the old document can stop working, or stop passing its type checker.
    """

    COSMETIC = 1
    ADDITIVE = 2
    BREAKING = 3

    def __str__(self) -> str:
        """Return the word for it."""
        return self.name.lower()


BREAKING, ADDITIVE, COSMETIC = Level.BREAKING, Level.ADDITIVE, Level.COSMETIC
_STEPS: dict[Level, VersionStep] = {BREAKING: "major", ADDITIVE: "minor", COSMETIC: "patch"}


@dataclass(frozen=True)
class Change:
    """One thing that differs between two API documents.

    Args:
        level: What it means for programs.
        kind: What happened.
        subject: What it happened to.
        where: The place in the document, for reading: `POST /api/a2a/tasks/send`, `schema Task, property status`.
        text: One sentence.
        names: The operationIds, schemas, properties and parameters it concerns, as the document spells them.
        operations: Of a change in something that operations share, the operationIds of those it reaches.
        literals: Texts that a program may hold in quotes and that are out of date: the name of a parameter, a constant, a path.
    """

    level: Level
    kind: Kind
    subject: Subject
    where: str
    text: str
    names: frozenset[str] = frozenset()
    operations: tuple[str, ...] = ()
    literals: frozenset[str] = field(default=frozenset(), compare=False)

    @property
    def rank(self) -> tuple[int, int, str, int, str]:
        """Its place among others: the worst first."""
        subject, kind = get_args(Subject).index(self.subject), get_args(Kind).index(self.kind)
        return (-self.level, subject, self.where, kind, self.text)


def version_step(changes: Iterable[Change]) -> VersionStep | None:
    """Say which part of the version the changes move, by Semantic Versioning; None if nothing changed."""
    worst = max((change.level for change in changes), default=None)
    return None if worst is None else _STEPS[worst]


def changelog_entry(changes: Iterable[Change]) -> str:
    """Suggest what CHANGELOG.md could say; what is cosmetic is no news for users, and alone gives an empty text."""
    reported = sorted((change for change in changes if change.level > Level.COSMETIC), key=lambda it: it.rank)
    items = {title: [_item(it) for it in reported if it.kind in kinds] for title, kinds in _SECTIONS.items()}
    return _sections(items.items())


def _sections(sections: Iterable[tuple[str, list[str]]]) -> str:
    return "\n".join(f"### {title}\n\n" + "\n".join(items) + "\n" for title, items in sections if items)


def _item(change: Change) -> str:
    text = f"- {'**Breaking:** ' if change.level is Level.BREAKING else ''}{change.text}"
    return textwrap.fill(text, _WIDTH, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False)


def lines(changes: Iterable[Change]) -> list[str]:
    """Return each change in a line, for a terminal; the worst first."""
    return [f"{it.level!s:<8}  {_format_change(it)}" for it in sorted(changes, key=lambda it: it.rank)]


def markdown(changes: Iterable[Change]) -> str:
    """Return the changes as markdown, for a report: a list for each level, the worst first."""
    reported = sorted(changes, key=lambda change: change.rank)
    items = [(change.level, f"- {_format_change(change)}") for change in reported]
    levels = sorted(Level, reverse=True)
    return _sections((str(level).capitalize(), [it for its, it in items if its is level]) for level in levels)


def _format_change(change: Change) -> str:
    reach = f" Reaches {', '.join(change.operations)}." if change.operations else ""
    return f"{change.where}: {change.text}{reach}"
