"""How measurements are shown: medians, ratios, and how far they spread."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

from rich.console import Group
from rich.table import Table
from rich.text import Text


def table(*headings: str) -> Table:
    """An empty table whose first column holds names, and the others numbers."""
    made = Table()
    for position, heading in enumerate(headings):
        made.add_column(heading, justify="right" if position else "left")
    return made


def titled(title: str, shown: Table, note: str = "") -> Group:
    """A table between its title and what has to be said about it; neither is broken to the width of the table."""
    return Group(Text(title, style="bold"), shown, *([Text(note, style="dim")] if note else []), "")


def spread(values: Sequence[float], digits: int = 2) -> str:
    """The median, and the least and the most."""
    middle, least, most = statistics.median(values), min(values), max(values)
    return f"{middle:,.{digits}f} ({least:,.{digits}f}–{most:,.{digits}f})"


def ratios(measured: Sequence[float], measure: Sequence[float]) -> list[float]:
    """Round by round, how many times as much as the measure."""
    return [one / other for one, other in zip(measured, measure, strict=True)]
