"""From what was measured to what is said of it: medians, ratios and how far they spread, aims met or missed. No I/O."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from scripts.benchmarks.sides import Reading

Value = Callable[[Reading], float]
"""What a row makes of a reading."""


@dataclass(frozen=True)
class Spread:
    """A figure, and the least and the most it was in any round."""

    middle: float
    least: float
    most: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        """The median of values."""
        return cls(statistics.median(values), min(values), max(values))

    def __str__(self) -> str:
        digits = 0 if self.most >= 1000 else 2 if self.most < 20 else 1
        if self.least == self.most and self.most == int(self.most):
            return f"{self.middle:,.0f}"
        return f"{self.middle:,.{digits}f} ({self.least:,.{digits}f}–{self.most:,.{digits}f})"


def ratio(measured: Sequence[float], measure: Sequence[float]) -> Spread | None:
    """The ratio of the medians, and the least and the most of the ratios round by round; None for one to nothing."""
    if not measured or not measure or not all(measure):
        return None
    rounds = [one / other for one, other in zip(measured, measure, strict=False)]
    return Spread(statistics.median(measured) / statistics.median(measure), min(rounds), max(rounds))


@dataclass(frozen=True, kw_only=True)
class Aim:
    """What a side is meant to be.

    Attributes:
        says: The aim in words.
        mine: The side that it is about.
        of: The sides that it is compared with, each of them; none for an aim that is a number.
        times: At most, or at least, so many times as much.
        plus: And so much more.
        at_least: Whether more is better.
        value: What is compared, where it is not the value of the row.
        unit: Of that value.
    """

    says: str
    mine: str
    of: tuple[str, ...] = ()
    times: float = 0.0
    plus: float = 0.0
    at_least: bool = False
    value: Value | None = None
    unit: str = ""


@dataclass(frozen=True)
class Verdict:
    """How an aim stands.

    Attributes:
        says: The aim.
        measured: What came out.
        against: With what it was compared, and the ratio to it; of several, with the one that is hardest to beat.
        is_met: Whether it is met; None where it could not be measured.
    """

    says: str
    measured: str
    against: str
    is_met: bool | None

    @property
    def word(self) -> str:
        """How it is shown."""
        return {True: "met", False: "missed", None: "not measured"}[self.is_met]


def judge(aim: Aim, readings: Mapping[str, Sequence[Reading]], value: Value, unit: str) -> Verdict:
    """Compares the medians."""
    value, unit = aim.value or value, aim.unit or unit
    mine = [value(reading) for reading in readings.get(aim.mine, ())]
    if not mine:
        return Verdict(aim.says, "", "", None)
    said = f"{Spread.of(mine)} {unit}".strip()
    others = {name: [value(reading) for reading in readings.get(name, ())] for name in aim.of}
    if missing := [name for name, values in others.items() if not values]:
        return Verdict(aim.says, said, f"without {', '.join(missing)}", None)
    hardest = max if aim.at_least else min
    name = hardest(others, key=lambda other: statistics.median(others[other]), default=None)
    bound = aim.plus + (aim.times * statistics.median(others[name]) if name else 0.0)
    middle = statistics.median(mine)
    is_met = middle >= bound if aim.at_least else middle <= bound
    return Verdict(aim.says, said, _against(name, mine, others, unit), is_met)


def _against(
    name: str | None, mine: Sequence[float], others: Mapping[str, Sequence[float]], unit: str
) -> str:
    if name is None:
        return ""
    times = ratio(mine, others[name])
    said = f"{name}: {Spread.of(others[name])} {unit}".strip()
    return f"{said}; {times} times" if times else said
