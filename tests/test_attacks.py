"""The table of the attacks that are tried."""

from __future__ import annotations

import pytest

from scripts.attack_table import (
    BEGIN,
    END,
    KINDS,
    MISSING,
    PAGE,
    ROOT,
    Kind,
    count_rows,
    describe,
    write_table,
)

pytestmark = pytest.mark.slow


def test_every_table_of_rows_exists() -> None:
    for kind in KINDS:
        for path, tables in kind.tests.items():
            for table in tables.split():
                assert count_rows(path, table) >= 1, table


def test_a_kind_holds_only_if_all_of_its_tests_passed() -> None:
    kind = Kind("It", "Holds", {"tests/test_a.py": "", "tests/test_b.py::test_one": ""})
    both = {"tests/test_a.py::test_x": "passed", "tests/test_b.py::test_one": "passed"}
    for outcomes, said in (
        (both, "held"),
        ({**both, "tests/test_a.py::test_y": "skipped"}, "held, 1 not run here"),
        ({**both, "tests/test_a.py::test_y": "failed"}, "1 failed"),
        ({**both, "tests/test_a.py::test_y": "whatever comes"}, "1 failed"),
        ({"tests/test_a.py::test_x": "passed"}, MISSING),
        ({}, MISSING),
    ):
        assert describe(kind, outcomes) == said, outcomes
        assert write_table([kind], outcomes).endswith(f"| Holds | {said} |")


def test_the_page_shows_every_kind() -> None:
    """The page has the kinds and what they promise; a kind without tests says so."""
    table = PAGE.read_text("utf-8").partition(BEGIN)[2].partition(END)[0]
    rows = [line.strip("| ").split(" | ") for line in table.strip().splitlines()[2:]]
    assert [(row[0], row[3]) for row in rows] == [(kind.name, kind.promise) for kind in KINDS]
    for row, kind in zip(rows, KINDS, strict=True):
        there = all((ROOT / path.partition("::")[0]).exists() for path in kind.tests)
        assert there or row[4] == MISSING, kind.name
