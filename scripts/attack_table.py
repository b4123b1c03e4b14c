"""Run the tests of every kind of attack, and print a table: what was tried, what is promised, and the result."""

import argparse
import contextlib
import importlib
import math
import sys
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import NamedTuple

import pytest

from scripts.documentation.marks import replace_between

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "security.md"
BEGIN, END = "<!-- table: scripts/attacks --docs -->", "<!-- end of the table -->"
MISSING = "tests are missing"


class Kind(NamedTuple):
    """A kind of attack.

    Attributes:
        name: What is attacked, or by what.
        promise: What holds in spite of it.
        tests: Files of tests, or ids of tests in them, each with the names of the tables that are tried row by row there.
    """

    name: str
    promise: str
    tests: Mapping[str, str]


_DECLARED = tomllib.loads((ROOT / "scripts" / "attacks.toml").read_text("utf-8"))
KINDS = tuple(Kind(**kind) for kind in _DECLARED["kind"])


def main(arguments: list[str] | None = None) -> int:
    """Run the tests and print the table; the exit status is 1 where a test failed or is missing."""
    parser = argparse.ArgumentParser(prog="scripts/attacks", description=__doc__)
    parser.add_argument("--docs", action="store_true", help="write the table into docs/security.md")
    options = parser.parse_args(arguments)
    given = [path for kind in KINDS for path in kind.tests if (ROOT / path.partition("::")[0]).exists()]
    table = write_table(KINDS, run(given))
    if options.docs:
        PAGE.write_text(replace_between(PAGE.read_text("utf-8"), BEGIN, END, table), "utf-8")
    else:
        print(table)
    return int("failed" in table or MISSING in table)


def run(paths: Iterable[str]) -> dict[str, str]:
    """Run tests, and return the outcome of each by its id: passed, failed or skipped."""
    outcomes: dict[str, str] = {}

    def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
        """Note the outcome of every test, of what was to be set up for it, and of a file that cannot be read."""
        for kind in ("xpassed", "passed", "xfailed", "skipped", "failed", "error"):  # the worst counts
            outcomes.update({it.nodeid: it.outcome for it in terminalreporter.stats.get(kind, ())})

    options = ["-q", "--no-header", "-p", "no:cacheprovider", "-n", "auto", "--dist", "worksteal"]
    plugin = SimpleNamespace(pytest_terminal_summary=pytest_terminal_summary)
    with contextlib.redirect_stdout(sys.stderr):
        pytest.main([*options, *paths], plugins=[plugin])
    return outcomes


def write_table(kinds: Iterable[Kind], outcomes: Mapping[str, str]) -> str:
    """Return the table of kinds in Markdown."""
    lines = ["| Attack | Tests | Rows | What holds | Result |", "|---|---|---|---|---|"]
    for kind in kinds:
        tests = sum(name.startswith(tuple(kind.tests)) for name in outcomes) or "–"
        rows = sum(count_rows(*one) for one in kind.tests.items()) or "–"
        lines.append(f"| {kind.name} | {tests} | {rows} | {kind.promise} | {describe(kind, outcomes)} |")
    return "\n".join(lines)


def describe(kind: Kind, outcomes: Mapping[str, str]) -> str:
    """Say how the tests of a kind ended; a file without a test that ran counts as missing."""
    if any(not any(name.startswith(path) for name in outcomes) for path in kind.tests):
        return MISSING
    found = [outcome for name, outcome in outcomes.items() if name.startswith(tuple(kind.tests))]
    failed = sum(outcome not in {"passed", "skipped"} for outcome in found)
    if failed:
        return f"{failed} failed"
    skipped = found.count("skipped")
    return f"held, {skipped} not run here" if skipped else "held"


def count_rows(path: str, tables: str) -> int:
    """Count the rows of tables in a file of tests."""
    module = importlib.import_module(path.removesuffix(".py").replace("/", ".")) if tables else None
    return sum(math.prod(len(getattr(module, name)) for name in table.split("*")) for table in tables.split())


if __name__ == "__main__":
    sys.exit(main())
