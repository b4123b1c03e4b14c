"""Run the tests of every kind of attack, and print a table: what was tried, what is promised, and the result."""

from __future__ import annotations

import argparse
import contextlib
import importlib
import math
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "security.md"
BEGIN, END = "<!-- table: scripts/attacks --docs -->", "<!-- end of the table -->"
MISSING = "tests are missing"


@dataclass(frozen=True)
class Kind:
    """A kind of attack.

    Attributes:
        name: What is attacked, or by what.
        promise: What holds in spite of it.
        tests: Files of tests, or ids of tests in them, each with the names of the tables that are tried row by row there;
            `ONE*OTHER` for each of one with each of the other.
    """

    name: str
    promise: str
    tests: Mapping[str, str]


KINDS = (
    Kind(
        "A hostile `.env` or redirect",
        "Credentials go only to the server that the same source names, or to Payman",
        {"tests/cli/test_sources.py": "MIXTURES LOOKALIKES EXPANSIONS REDIRECTS"},
    ),
    Kind(
        "Spans and breadcrumbs",
        "No instrumentation of httpx, aiohttp or requests records a secret",
        {"tests/telemetry/test_instrumentations.py": "KINDS"},
    ),
    Kind(
        "Slices and copies of secrets",
        "Every operation on a secret gives a masked value",
        {
            "tests/test_secrecy.py": "OPERATIONS",
            "tests/auth/test_secrets.py": "FAULTS*WAYS",
            "tests/auth/test_tracebacks.py": "",
        },
    ),
    Kind(
        "Echoes of secrets",
        "What a server repeats of a secret is redacted in errors, logs and answers",
        {"tests/auth/test_echoes.py": "SPELLINGS*PLACES", "tests/test_redaction.py": "TEXTS"},
    ),
    Kind(
        "Answers that exhaust memory or time",
        "The size of an answer and of an event is limited, also when decompressed",
        {
            "tests/test_decompression.py": "READABLE UNREADABLE",
            "tests/tasks/test_large_answers.py": "ANSWERS STREAMS",
        },
    ),
    Kind(
        "Operation names that look alike",
        "Names that look alike are one operation, or are refused",
        {"tests/agents/test_operation_names.py": "_SAME _REFUSED"},
    ),
    Kind(
        "Text that hides from a person",
        "A person sees all of what is sent, or is not asked",
        {
            "tests/agents/test_confirmation.py": "_SHOWN _REFUSED",
            "tests/cli/test_consent.py": "",
            "tests/test_sanitizer.py": "_HOSTILE",
        },
    ),
    Kind(
        "Terminals and logs",
        "A server's text commands no terminal and begins no line of a log",
        {"tests/cli/test_hostile_server.py": "_WORDS _MODES", "tests/test_logs.py": "_WORDS"},
    ),
    Kind(
        "Instructions in tool results",
        "A model gets text of others in a frame that the text cannot leave",
        {"tests/agents/test_framing.py": "_WORDS"},
    ),
    Kind(
        "The supply chain",
        "Tools come from exact versions and hashes; a release can be built again to the byte",
        {"tests/test_locks.py": "", "tests/test_distribution.py": ""},
    ),
    Kind(
        "Files, stores and addresses",
        "Files are their owner's alone, names in Redis stay apart, no address hides a host",
        {
            "tests/test_private_files.py": "PLANTED*STORES",
            "tests/auth/test_redis.py": "",
            "tests/auth/test_loopback.py": "",
            "tests/cli/test_login.py": "",
            "tests/cli/test_identity.py": "",
            "tests/test_config.py": "",
        },
    ),
    Kind(
        "The sandbox's pages",
        "Only the sandbox's own pages decide, and a public client needs PKCE",
        {"tests/sandbox/test_consent_guards.py": "", "tests/sandbox/web/test_guards.py": ""},
    ),
)


def main(arguments: list[str] | None = None) -> int:
    """Run the tests and print the table; the exit status is 1 where a test failed or is missing."""
    parser = argparse.ArgumentParser(prog="scripts/attacks", description=__doc__)
    parser.add_argument("--docs", action="store_true", help="write the table into docs/security.md")
    options = parser.parse_args(arguments)
    given = [path for kind in KINDS for path in kind.tests if (ROOT / path.partition("::")[0]).exists()]
    outcomes = run(given)
    table = write_table(KINDS, outcomes)
    if options.docs:
        before, _, rest = PAGE.read_text("utf-8").partition(BEGIN)
        after = rest.partition(END)[2]
        PAGE.write_text(f"{before}{BEGIN}\n{table}\n{END}{after}", "utf-8")
    else:
        print(table)
    return int("failed" in table or MISSING in table)


def run(paths: Iterable[str]) -> dict[str, str]:
    """Run tests, and return the outcome of each by its id: passed, failed or skipped."""
    results = _Results()
    with contextlib.redirect_stdout(sys.stderr):
        pytest.main(
            ["-q", "--no-header", "-p", "no:cacheprovider", "-n", "auto", "--dist", "worksteal", *paths],
            plugins=[results],
        )
    return results.outcomes


def write_table(kinds: Iterable[Kind], outcomes: Mapping[str, str]) -> str:
    """Return the table of kinds in Markdown."""
    lines = ["| Attack | Tests | Rows | What holds | Result |", "|---|---|---|---|---|"]
    for kind in kinds:
        found = [outcome for name, outcome in outcomes.items() if name.startswith(tuple(kind.tests))]
        rows = sum(count_rows(*one) for one in kind.tests.items()) or "–"
        lines.append(
            f"| {kind.name} | {len(found) or '–'} | {rows} | {kind.promise} | {describe(kind, outcomes)} |"
        )
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


class _Results:
    """Notes how every test ended."""

    def __init__(self) -> None:
        self.outcomes: dict[str, str] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note the outcome of a test, or of what was to be set up for it."""
        counts = report.when == "call" or report.outcome != "passed"
        if counts and self.outcomes.get(report.nodeid) != "failed":
            self.outcomes[report.nodeid] = report.outcome

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Note a file that cannot be read as failed."""
        if report.failed:
            self.outcomes[report.nodeid] = "failed"


if __name__ == "__main__":
    sys.exit(main())
