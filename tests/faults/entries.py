"""The log of a line: what became of each request."""

from __future__ import annotations

from dataclasses import dataclass

from tests.faults.fault_kinds import Fault

HIDDEN = "not shown yet"
"""The note on a look-up of a task that the server has and does not show."""


@dataclass
class Entry:
    """What became of one request: an entry in the log of a line.

    Attributes:
        number: its number among the requests of the line.
        name: what it wanted, as `wire.Request.name`; `connection` where it was not read.
        fault: what went wrong.
        forwarded: whether the server got all of it.
        taken: whether the server has answered all of it.
        blind: whether it made a task, or went on with one, though nothing had said that an earlier one was not taken.
        not_found: whether it answered that there is no such task.
        note: what else happened, in words.
    """

    number: int
    name: str
    fault: Fault | None
    forwarded: bool = False
    taken: bool = False
    blind: bool = False
    not_found: bool = False
    note: str = ""

    def __str__(self) -> str:
        more = [str(self.fault) if self.fault else "", self.note, "sent blindly" if self.blind else ""]
        said = "; ".join(word for word in more if word)
        return f"{self.number} {self.name}" + (f" [{said}]" if said else "")
