"""What a row of the benchmarks is: sides that do the same, and what is made of their readings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any

from scripts.benchmarks.judging import Aim, Value
from scripts.benchmarks.sides import Reading

MIB = 2**20


class How(Enum):
    """In what a side is measured."""

    RUNNING = auto()
    """A process of its peer's environment that goes on through the whole run."""
    FRESH = auto()
    """Such a process that has just begun."""
    IMPORT = auto()
    """The time of the peer's import in a process that has just begun."""
    PROGRAM = auto()
    """A program with a first ask, from its start to its end."""
    INSTALLED = auto()
    """What is in the environment; nothing runs."""


@dataclass(frozen=True)
class Side:
    """One line of a row.

    Attributes:
        label: Its name there.
        peer: In whose environment.
        does: The name of the side in the peer's module.
        arguments: What that is given.
        count: How many calls or events it has to come to.
        measure: The side it is compared with, where it is not that of the row.
    """

    label: str
    peer: str
    does: str = ""
    arguments: Mapping[str, Any] = field(default_factory=dict)
    count: int | None = None
    measure: str = ""


@dataclass(frozen=True, kw_only=True)
class Row:
    """One table, of sides that do the same.

    Attributes:
        name: In the JSON.
        title: Of the table.
        unit: Of the value.
        value: What is made of a reading.
        measure: The side that the others are shown as a multiple of.
        sides: Who is compared.
        aims: What is aimed at.
        rounds: How often each side is measured; what is counted and not timed takes one.
        how: In what.
        warm: Whether a first round is thrown away.
        also: More columns, by heading.
        note: What has to be said about it.
        more_is_better: For the picture.
        drawn: Whether it is in the picture.
    """

    name: str
    title: str
    unit: str
    value: Value
    sides: tuple[Side, ...]
    measure: str = ""
    aims: tuple[Aim, ...] = ()
    rounds: int = 1
    how: How = How.RUNNING
    warm: bool = True
    also: Mapping[str, Value] = field(default_factory=dict)
    note: str = ""
    more_is_better: bool = False
    drawn: bool = False


def micros(reading: Reading) -> float:
    """Microseconds a call or an event."""
    return reading.seconds / reading.count * 1e6


def micros_busy(reading: Reading) -> float:
    """The same, but only while the process computed."""
    return reading.busy / reading.count * 1e6


def a_second(reading: Reading) -> float:
    """Calls or events a second."""
    return reading.count / reading.seconds


def millis(reading: Reading) -> float:
    """Milliseconds."""
    return reading.seconds * 1e3


def millis_busy(reading: Reading) -> float:
    """Milliseconds of computing."""
    return reading.busy * 1e3


def served(reading: Reading) -> float:
    """The share of the time in which the server computed, in percent."""
    return reading.served / reading.seconds * 100


def mib(reading: Reading) -> float:
    """MiB of memory, or on the disk."""
    return reading.size / MIB
