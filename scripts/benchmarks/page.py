"""The page of the documentation that shows a run: only what is between its markers is written anew. No I/O."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from scripts.benchmarks.bench import Measured
from scripts.benchmarks.report import aims, table

BEGIN, END = "<!-- measured: begin, written by scripts/bench --docs -->", "<!-- measured: end -->"


def markdown(
    all_measured: Sequence[Measured], machine: Mapping[str, Any], versions: Mapping[str, str]
) -> str:
    """The whole run."""
    told = ", ".join(f"{name} {version}" for name, version in versions.items())
    where = f"Measured on {machine['day']}: {machine['cores']} cores, Python {machine['python']}, {machine['system']}"
    parts = [f"{where}, in {machine['minutes']:.1f} minutes; {told}.", aims(all_measured).markdown()]
    return "\n\n".join((*parts, *(table(measured).markdown() for measured in all_measured)))


def rewritten(page: str, generated: str) -> str:
    """The page with another run in it.

    Raises:
        ValueError: The page has no place for it.
    """
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"the page has no lines {BEGIN} and {END}")
    return f"{before}{BEGIN}\n\n{generated.strip()}\n\n{END}{after}"
