"""What the suite says at its end: which files took longest, and what was skipped and how to bring it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from typing import Final

import pytest

_PACKAGES: Final = {
    "chromium": "chromium",
    "curl": "curl",
    "haproxy": "haproxy",
    "nginx": "nginx-light",
    "node": "nodejs npm",
    "openssl": "openssl",
    "postgres": "postgresql",
    "redis": "redis-server",
    "tmux": "tmux",
    "varnish": "varnish",
}
"""The packages of Debian that bring what a test was skipped for, by a word of the reason."""


def describe_skips(reasons: Iterable[str]) -> list[str]:
    """Say how many tests were skipped, for which reasons, and the command that brings what they miss."""
    counted = Counter(re.sub(r"^Skipped: ", "", reason) for reason in reasons)
    if not counted:
        return []
    said = [f"{number} skipped: {reason}" for reason, number in counted.most_common()]
    missing = {
        brings for word, brings in _PACKAGES.items() if any(word in reason.lower() for reason in counted)
    }
    if missing:
        said.append(f"To run what Debian brings: sudo apt-get install {' '.join(sorted(missing))}")
    return said


def rank_files(durations: Iterable[tuple[str, float]], limit: int) -> list[str]:
    """Say which files took longest, from the ids of tests and the seconds they took."""
    seconds: Counter[str] = Counter()
    for node, duration in durations:
        seconds[node.partition("::")[0]] += duration  # type: ignore[assignment]  # a Counter of floats
    return [f"{spent:8.2f}s {name}" for name, spent in seconds.most_common(limit)]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the slowest files beside the slowest tests of `--durations`, and what was skipped."""
    stats = terminalreporter.stats
    limit = terminalreporter.config.getoption("durations")
    if limit:
        kinds = [kind for name, kind in stats.items() if not name.startswith("subtests")]  # parts of tests
        reports = [report for kind in kinds for report in kind if hasattr(report, "duration")]
        terminalreporter.section(f"slowest {limit} files")
        for line in rank_files(((report.nodeid, report.duration) for report in reports), limit):
            terminalreporter.write_line(line)
    skips = describe_skips(str(report.longrepr[2]) for report in stats.get("skipped", []))
    if skips:
        terminalreporter.section("skipped")
        for line in skips:
            terminalreporter.write_line(line)
