"""How long a call has taken."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from payman_sdk._core.effects import CallHook, Effect, Flow
from payman_sdk._core.event_flow import step_through

T = TypeVar("T")


class Stopwatch:
    """The time that a call has taken, without that of the guard: a person may take theirs to allow it.

    Args:
        now: Seconds that only go forward.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._began = now()

    def seconds(self) -> float:
        """Return how long it has taken so far."""
        return self._now() - self._began

    def without_guard(self, flow: Flow[T], guard: Callable[[Any], Any] | None) -> Flow[T]:
        """Run a flow, and leave out the time in which it consults the guard."""

        def take(step: Effect) -> Flow[Any]:
            if not isinstance(step, CallHook) or step.function is not guard:
                return (yield step)
            asked = self._now()
            outcome = yield step
            self._began += self._now() - asked
            return outcome

        return (yield from step_through(flow, take))
