from __future__ import annotations

import pytest

from scripts.comparison.changes import Change, Level, changelog_entry, lines, markdown, version_step

REMOVED = Change(Level.BREAKING, "removed", "schema", "schema Task, property due", "`Task.due` was removed.")
MOVED = Change(
    Level.BREAKING, "moved", "operation", "POST /ask", "`ask` moved from POST /ask to POST /v2/ask."
)
ADDED = Change(
    Level.ADDITIVE, "added", "schema", "schema Task", "`Task.now` was added.", operations=("ask", "look")
)
DEPRECATED = Change(Level.ADDITIVE, "changed", "operation", "GET /old", "`old` is deprecated.")
WORDED = Change(
    Level.COSMETIC, "changed", "document", "document", "Written differently: title of the document."
)
ALL = [WORDED, ADDED, DEPRECATED, REMOVED, MOVED]


@pytest.mark.parametrize(
    ("changes", "step"),
    [([], None), ([WORDED], "patch"), ([WORDED, ADDED], "minor"), ([WORDED, REMOVED, ADDED], "major")],
)
def test_version_step(changes: list[Change], step: str | None) -> None:
    """The worst change says which part of the version moves."""
    assert version_step(changes) == step


def test_lines() -> None:
    """The terminal has a line for each change, the worst first, with the operations that it reaches."""
    assert lines(ALL) == [
        "breaking  POST /ask: `ask` moved from POST /ask to POST /v2/ask.",
        "breaking  schema Task, property due: `Task.due` was removed.",
        "additive  GET /old: `old` is deprecated.",
        "additive  schema Task: `Task.now` was added. Reaches ask, look.",
        "cosmetic  document: Written differently: title of the document.",
    ]


def test_markdown() -> None:
    """A report has a list for each level that occurs."""
    assert markdown(ALL) == (
        "### Breaking\n\n"
        "- POST /ask: `ask` moved from POST /ask to POST /v2/ask.\n"
        "- schema Task, property due: `Task.due` was removed.\n\n"
        "### Additive\n\n"
        "- GET /old: `old` is deprecated.\n"
        "- schema Task: `Task.now` was added. Reaches ask, look.\n\n"
        "### Cosmetic\n\n"
        "- document: Written differently: title of the document.\n"
    )
    assert markdown([]) == ""


def test_changelog_entry() -> None:
    """What users notice stands under Added, Changed and Removed, and says what breaks their programs."""
    assert changelog_entry(ALL) == (
        "### Added\n\n- `Task.now` was added.\n\n"
        "### Changed\n\n- **Breaking:** `ask` moved from POST /ask to POST /v2/ask.\n- `old` is deprecated.\n\n"
        "### Removed\n\n- **Breaking:** `Task.due` was removed.\n"
    )


def test_changelog_entry_of_words() -> None:
    """Other words are no news."""
    assert changelog_entry([WORDED]) == ""


def test_long_entries_are_wrapped() -> None:
    """An item is wrapped and indented as CHANGELOG.md is, without breaking a name."""
    long = Change(Level.ADDITIVE, "added", "schema", "schema Task", "A name-with-hyphens " * 10)
    first, second = changelog_entry([long]).splitlines()[2:]

    assert len(first) <= 130
    assert second.startswith("  ")
    assert not first.endswith("-")


def test_levels_are_ordered() -> None:
    """The greater of two levels is the worse."""
    assert max(Level) is Level.BREAKING
    assert [str(level) for level in Level] == ["cosmetic", "additive", "breaking"]
