"""When a server shows a task that it took: at once, later, on and off, or only when it is done."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum


class Showing(Enum):
    """How a server's look-ups behave after it took a task."""

    AT_ONCE = "at once"
    LATER = "later"
    """For some time, look-ups do not know the task."""
    FLAPPING = "flapping"
    """For some time, every second look-up does not know the task."""
    WHEN_DONE = "when done"
    """Look-ups know the task when it is done."""


@dataclass(frozen=True)
class Manner:
    """How a server shows the task of one ask.

    Args:
        showing: How.
        seconds: For how long, after it took the task.
    """

    showing: Showing = Showing.AT_ONCE
    seconds: float = 0.0

    @property
    def is_late(self) -> bool:
        """Whether a look-up right after the server took the task may not know it."""
        return self.showing in (Showing.LATER, Showing.FLAPPING)


class Visibility:
    """Whether the task of one ask is shown now.

    Args:
        manner: How the server shows it.
        clock: Seconds that only go forward.
    """

    def __init__(self, manner: Manner, clock: Callable[[], float]) -> None:
        self._manner, self._clock = manner, clock
        self._taken_at: float | None = None
        self._is_done = False
        self._looks = 0

    def take(self) -> None:
        """Note that the server has the task."""
        if self._taken_at is None:
            self._taken_at = self._clock()

    def finish(self) -> None:
        """Note that the task is done."""
        self._is_done = True

    def is_hidden(self) -> bool:
        """Return whether a look-up that comes now does not know the task."""
        if self._taken_at is None:
            return False
        self._looks += 1
        is_young = self._clock() - self._taken_at < self._manner.seconds
        match self._manner.showing:
            case Showing.AT_ONCE:
                return False
            case Showing.LATER:
                return is_young
            case Showing.FLAPPING:
                return is_young and self._looks % 2 == 1
            case Showing.WHEN_DONE:
                return not self._is_done
