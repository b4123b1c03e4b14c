"""What was measured, as Markdown for the terminal and for docs/performance.md. No I/O."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

from scripts.benchmarks.measurement import Measured, compute_median, compute_ratio, judge

BEGIN, END = "<!-- measured: begin, written by scripts/bench --docs -->", "<!-- measured: end -->"


def format_table(title: str, headings: Sequence[str], lines: Sequence[Sequence[str]], note: str = "") -> str:
    """Format a table: its first column holds names, and the others figures."""
    padded = [[*line, *[""] * (len(headings) - len(line))] for line in [headings, *lines]]
    rows = [[*map(_escape, line)] for line in padded]
    widths = [max(4, *map(len, column)) for column in zip(*rows, strict=True)]
    rows.insert(1, ["-" * (width - 1) + (":" if at else "-") for at, width in enumerate(widths)])
    drawn = ["| " + " | ".join(map(str.ljust, row, widths)) + " |" for row in rows]
    return "\n\n".join(filter(None, [f"**{_escape(title)}**", "\n".join(drawn), _escape(note)])) + "\n"


def _escape(text: str) -> str:
    safe = text.replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;").replace("`", "\\`")
    return " ".join(safe.split())


def format_aims(all_measured: Sequence[Measured]) -> str:
    """Format all aims and how they came out."""
    lines = [(one.row.title, aim.says, *judge(aim, one)) for one in all_measured for aim in one.row.aims]
    return format_table("Aims", ("", "aim", "measured", "compared with", "result"), lines)


def format_row(measured: Measured) -> str:
    """Format one row of the run as a table."""
    row, notes, lines = measured.row, [measured.row.note], list[list[str]]()
    first, *others = row.columns
    for side in row.sides:
        if not (figures := measured.read_column(side.label, first)):
            lines.append([side.label, "not measured"])
            notes.append(f"{side.label}: {measured.failures.get(side.label, 'no round')}.")
            continue
        ratio = compute_ratio(figures, measured.read_column(row.baseline, first))
        also = [statistics.median(measured.read_column(side.label, column)) for column in others]
        short = [f"{figure:,.0f}" if figure >= 100 else f"{figure:.1f}" for figure in also]
        lines.append([side.label, str(compute_median(figures)), str(ratio or ""), *short])
    rounds = "one round" if row.rounds == 1 else f"{row.rounds} rounds, in turns"
    headings = ["", first, f"times {row.baseline}", *others]
    return format_table(f"{row.title}: {rounds}", headings, lines, " ".join(notes))
