"""Measuring: rows of sides that do the same, as `rows.toml` declares them, medians and ratios of their rounds, and aims met or missed.

Tables of them are Markdown, for the terminal and for docs/performance.md.
"""

import json
import statistics
import tomllib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

from scripts.benchmarks import sides
from scripts.benchmarks.peers import PEERS
from scripts.benchmarks.processes import SIDE, SideFailedError, build_import, build_program, run_program
from scripts.benchmarks.sides import Reading, Target

NOT_INSTALLED = "not installed"

Value = Callable[[Reading], float]
"""What a row makes of a reading."""


class Side(NamedTuple):
    """One line of a row.

    Attributes:
        label: Its name there.
        peer: In whose environment it runs.
        does: The name of the side among those of the peer; in a row of programs, of the program in `sides`.
        arguments: What that is given.
        total: How many calls or events it has to come to.
    """

    label: str
    peer: str
    does: str = ""
    arguments: Mapping[str, Any] = {}
    total: int = 1


class Aim(NamedTuple):
    """A figure that a side should reach.

    Attributes:
        says: The aim in words.
        mine: The side that it is about.
        of: The side that it is compared with.
        times: At most, or at least, so many times as much.
        plus: And so much more.
        at_least: Whether more is better.
        column: The column that is compared, where it is not the first.
    """

    says: str
    mine: str
    of: str
    times: float = 1.0
    plus: float = 0.0
    at_least: bool = False
    column: str = ""


class Row(NamedTuple):
    """One table, of sides that do the same.

    Attributes:
        name: Its name for `--only`.
        title: The title of the table.
        columns: What is made of a reading, by heading; the first is the figure of the row.
        sides: Who is compared.
        baseline: The side that the others are shown as a multiple of.
        aims: What they should reach.
        rounds: How often each side is measured.
        how: After one round in the same process, or as an import or a program in a new process.
        note: What a reader has to know.
    """

    name: str
    title: str
    columns: Mapping[str, Value]
    sides: Sequence[Side]
    baseline: str = ""
    aims: Sequence[Aim] = ()
    rounds: int = 1
    how: Literal["warm", "import", "program"] = "warm"
    note: str = ""


_COLUMNS: Mapping[str, Value] = {
    "µs": lambda reading: reading.seconds / reading.count * 1e6,
    "a second": lambda reading: reading.count / reading.seconds,
    "CPU µs": lambda reading: reading.busy / reading.count * 1e6,
    "ms": lambda reading: reading.seconds * 1e3,
    "CPU ms": lambda reading: reading.busy * 1e3,
    "MiB of memory": lambda reading: reading.size / 2**20,
}


def build_rows(*, quick: bool) -> tuple[Row, ...]:
    """Return all rows, in the order in which they are measured."""
    declared = tomllib.loads(Path(__file__).with_name("rows.toml").read_text("utf-8"))
    amounts = {name: amount["quick" if quick else "full"] for name, amount in declared["amounts"].items()}
    return tuple(_build_row(row, amounts, quick=quick) for row in declared["row"])


def _build_row(row: dict[str, Any], amounts: Mapping[str, int], *, quick: bool) -> Row:
    rounds, quick_rounds, name = row.pop("rounds"), row.pop("quick_rounds"), row.pop("amount", None)
    amount = amounts.get(name, 1)
    arguments = {"task": f"task {amount}"} if name == "events" else {"calls": amount} if name else {}
    sides = [Side(label, peer, does, arguments, amount) for label, peer, does in row["sides"]]
    row |= {
        "title": row["title"].format(amount=amount),
        "columns": {column: _COLUMNS[column] for column in row["columns"]},
        # Without any, whoever can be imported is compared.
        "sides": sides or [Side(peer.name, peer.name) for peer in PEERS if peer.imports],
        "aims": [Aim(**aim) for aim in row["aims"]],
        "rounds": quick_rounds if quick else rounds,
    }
    return Row(**row)


class Measured(NamedTuple):
    """A row with its readings by side, round by round, and why there are none."""

    row: Row
    readings: dict[str, list[Reading]]
    failures: dict[str, str]

    def read_column(self, side: str, column: str) -> list[float]:
        """Return the figures of a side, round by round."""
        return [self.row.columns[column](reading) for reading in self.readings.get(side, ())]


def measure_row(row: Row, environments: Mapping[str, str], target: Target) -> Measured:
    """Have the sides take turns, so that a change of the machine's pace affects all.

    Args:
        row: What is measured.
        environments: The interpreters by the names of the peers.
        target: What all are measured with.
    """
    measured = Measured(row, {}, {})
    for number in range(-1 if row.rounds > 1 else 0, row.rounds):  # the first of several does not count
        for side in row.sides:
            if side.label in measured.failures:
                continue
            try:
                reading = _measure_side(row, side, environments, target)
            except SideFailedError as error:
                measured.failures[side.label] = str(error)
                measured.readings.pop(side.label, None)
                continue
            if number >= 0:
                measured.readings.setdefault(side.label, []).append(reading)
    return measured


def _measure_side(row: Row, side: Side, environments: Mapping[str, str], target: Target) -> Reading:
    if side.peer not in environments:
        raise SideFailedError(NOT_INSTALLED)
    [peer] = [one for one in PEERS if one.name == side.peer]
    code, arguments = SIDE, [peer.client, side.does, json.dumps(side.arguments)]
    if row.how == "import":
        code, arguments = build_import(peer.imports), []
    elif row.how == "program":
        code, arguments = build_program(getattr(sides, side.does)), []
    reading = run_program(environments[side.peer], code, json.dumps(target), *arguments)
    if reading.count != side.total:
        raise SideFailedError(f"of {side.total} it gave {reading.count}")
    return reading


class Spread(NamedTuple):
    """A figure, and the least and the most it was in any round."""

    middle: float
    least: float
    most: float

    def __str__(self) -> str:
        digits = 0 if self.most >= 1000 else 2 if self.most < 20 else 1
        middle, least, most = (f"{figure:,.{digits}f}" for figure in self)
        return middle if least == most else f"{middle} ({least}–{most})"


def compute_median(values: Sequence[float]) -> Spread:
    """Return the median of values."""
    return Spread(statistics.median(values), min(values), max(values))


def compute_ratio(values: Sequence[float], baseline: Sequence[float]) -> Spread | None:
    """Return the ratio of the medians, with the least and the most of the rounds' ratios; None for one to nothing."""
    if not values or not baseline or not all(baseline):
        return None
    rounds = [one / other for one, other in zip(values, baseline, strict=False)]
    return Spread(statistics.median(values) / statistics.median(baseline), min(rounds), max(rounds))


def judge(aim: Aim, measured: Measured) -> tuple[str, str, str]:
    """Compare the medians; return what came out, with what it was compared, and whether the aim is met."""
    column = aim.column or next(iter(measured.row.columns))
    mine, other = (measured.read_column(name, column) for name in (aim.mine, aim.of))
    if not mine or not other:
        return "", aim.of, "not measured"
    bound = aim.times * statistics.median(other) + aim.plus
    is_met = statistics.median(mine) >= bound if aim.at_least else statistics.median(mine) <= bound
    against = f"{aim.of}: {compute_median(other)} {column}; {compute_ratio(mine, other)} times"
    return f"{compute_median(mine)} {column}", against, "met" if is_met else "missed"


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
