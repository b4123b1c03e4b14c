"""What was measured, as tables: for the terminal, in Markdown, and as JSON. No I/O."""

from __future__ import annotations

import json
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from rich.console import Group
from rich.table import Table as RichTable
from rich.text import Text

from scripts.benchmarks.bench import NOT_INSTALLED, Measured
from scripts.benchmarks.environment import Environment
from scripts.benchmarks.judging import Spread, Verdict, judge, ratio


@dataclass(frozen=True)
class Table:
    """A table: its first column holds names, and the others figures."""

    title: str
    headings: Sequence[str]
    lines: Sequence[Sequence[str]]
    note: str = ""

    def rich(self) -> Group:
        """For the terminal; neither the title nor the note is broken to the width of the table."""
        made = RichTable()
        for position, heading in enumerate(self.headings):
            made.add_column(Text(heading), justify="right" if position else "left")
        for line in self.lines:
            made.add_row(*map(Text, line))
        return Group(
            Text(self.title, style="bold"), made, *([Text(self.note, style="dim")] if self.note else []), ""
        )

    def markdown(self) -> str:
        """As Markdown."""
        lines = [
            self.headings,
            ["---", *("--:" for _ in self.headings[1:])],
            *([*line, *[""] * (len(self.headings) - len(line))] for line in self.lines),
        ]
        drawn = "\n".join(f"| {' | '.join(map(_cell, line))} |" for line in lines)
        return (
            "\n\n".join([f"**{_cell(self.title)}**", drawn, *([_cell(self.note)] if self.note else [])])
            + "\n"
        )


def _cell(text: str) -> str:
    safe = text.replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;").replace("`", "\\`")
    return " ".join(safe.split())


def verdicts(measured: Measured) -> list[Verdict]:
    """How the aims of a row stand."""
    row = measured.row
    return [judge(aim, measured.readings, row.value, row.unit) for aim in row.aims]


def aims(all_measured: Sequence[Measured]) -> Table:
    """All aims and how they stand, before anything else is said."""
    lines = [
        (measured.row.title, verdict.says, verdict.measured, verdict.against, verdict.word)
        for measured in all_measured
        for verdict in verdicts(measured)
    ]
    return Table("What is aimed at", ("", "aim", "measured", "compared with", "so it is"), lines)


def table(measured: Measured) -> Table:
    """One row of the run as a table."""
    row, versus = measured.row, ""
    if row.measure or any(side.measure for side in row.sides):
        versus = f"times {row.measure}" if row.measure else "times one"
    headings = ["", row.unit, *([versus] if versus else []), *row.also]
    lines, notes = [], [row.note] if row.note else []
    for side in row.sides:
        readings = measured.readings.get(side.label, [])
        if not readings:
            why = measured.failures.get(side.label, "")
            lines.append([side.label, "not installed" if why.startswith(NOT_INSTALLED) else "not measured"])
            notes.append(f"{side.label}: {why}." if why else "")
            continue
        values = [row.value(reading) for reading in readings]
        line = [side.label, str(Spread.of(values))]
        if versus:
            others = measured.readings.get(side.measure or row.measure, [])
            line.append(str(ratio(values, [row.value(reading) for reading in others]) or ""))
        line += [_short(statistics.median(map(also, readings))) for also in row.also.values()]
        lines.append(line)
    rounds = "one round" if row.rounds == 1 else f"{row.rounds} rounds, in turns"
    return Table(f"{row.title}: {rounds}", headings, lines, " ".join(filter(None, notes)))


def _short(figure: float) -> str:
    return f"{figure:,.0f}" if figure >= 100 else f"{figure:.1f}"


def as_json(
    all_measured: Sequence[Measured], machine: Mapping[str, Any], environments: Mapping[str, Environment]
) -> str:
    """Everything, with every raw measurement."""
    told = {
        "machine": machine,
        "environments": {
            name: {"distributions": each.distributions, "bytes": each.size, "why_not": each.why_not}
            for name, each in environments.items()
        },
        "rows": [
            {
                "name": measured.row.name,
                "title": measured.row.title,
                "unit": measured.row.unit,
                "sides": {
                    label: {
                        "values": [measured.row.value(reading) for reading in readings],
                        "readings": [asdict(reading) for reading in readings],
                    }
                    for label, readings in measured.readings.items()
                },
                "failures": measured.failures,
                "aims": [asdict(verdict) for verdict in verdicts(measured)],
            }
            for measured in all_measured
        ],
    }
    return json.dumps(told, indent=1, ensure_ascii=False) + "\n"
