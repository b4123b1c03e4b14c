"""When this process stood still, because the machine had other things to do: nobody can keep a deadline then."""

from __future__ import annotations

import threading
from types import TracebackType
from typing import Self

from payman_sdk._io.clock import monotonic

_BEAT = 0.02
_STALL = 0.01
"""Seconds that a beat may be late without counting as a stall."""


class Pulse:
    """A thread that wants to run every 20 ms, and notes when it could not.

    Example:
        >>> from tests.faults.stall_detector import Pulse
        >>> with Pulse() as pulse:
        ...     pulse.stalled(5.0, 5.0)
        0.0
    """

    def __init__(self) -> None:
        self._stalls: list[tuple[float, float]] = []
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="payman-faults-pulse", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()

    def stalled(self, since: float, until: float) -> float:
        """How many seconds of the time between two moments of `clock.monotonic` the process stood still."""
        stalls = tuple(self._stalls)
        return sum((max(0.0, min(end, until) - max(begin, since)) for begin, end in stalls), 0.0)

    def _run(self) -> None:
        due = monotonic() + _BEAT
        while not self._over.wait(max(0.0, due - monotonic())):
            now = monotonic()
            if now - due > _STALL:
                self._stalls.append((due, now))
            due = now + _BEAT
