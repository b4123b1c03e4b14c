"""Which request meets which fault: a pure function of a seed, the number of the ask and that of the request within it."""

from __future__ import annotations

import random
from collections.abc import Collection
from dataclasses import dataclass
from typing import Protocol

from tests.faults.fault_kinds import Fault, Kind
from tests.faults.visibility import Manner, Showing

_RARE = {Kind.STUCK: 0.1, Kind.STUCK_HEAD: 0.1, Kind.RESTART: 0.3}
"""How often the kinds that hold up a run come up, against 1 for every other kind."""

_TOKENS_RATE = 0.25
"""How much of the rate goes for token requests; a token that cannot be had ends an ask before it begins."""


class Faults(Protocol):
    """Whatever says which request meets which fault, as a `Plan` does."""

    def fault(self, ask: int, number: int, *, for_token: bool = False) -> Fault | None:
        """The fault of a request, None for one that meets none."""
        ...

    def manner(self, ask: int) -> Manner:
        """How the server shows the task of an ask."""
        ...


@dataclass(frozen=True, kw_only=True)
class Plan:
    """A plan of faults; the same seed is the same plan, on every machine.

    Args:
        seed: Which plan.
        rate: The part of the requests that meet a fault, from 0 to 1; a quarter of that for token requests.
        kinds: The faults that come up.
        patience: Seconds after which the client gives up an answer (`read_timeout`): what is slow is slower than that.
        settle_time: Seconds for which the client looks a lost task up: what arrives or is shown late is sooner than that.
        combines: Whether a server that shows a task late may also answer it with a status that looks like a refusal. In its default
            setting a client looks once after such a status, so this is what it cannot survive; `resend="never"` can.
        showings: How the server may show tasks.

    Example:
        >>> from tests.faults import Kind, Plan
        >>> plan = Plan(seed=1, rate=1.0, kinds=[Kind.HTML])
        >>> print(plan.fault(ask=3, number=1), plan.fault(ask=3, number=2))
        html html
    """

    seed: int
    rate: float = 0.3
    kinds: Collection[Kind] = tuple(Kind)
    patience: float = 0.3
    settle_time: float = 1.0
    combines: bool = False
    showings: Collection[Showing] = tuple(Showing)

    def fault(self, ask: int, number: int, *, for_token: bool = False) -> Fault | None:
        """The fault of a request, None for one that meets none.

        Args:
            ask: The number of the ask.
            number: The number of the request among those of the ask, from 0.
            for_token: Whether it is a token request.
        """
        # Seeded with text, it is the same in every process, and neighbours have nothing in common.
        draw = random.Random(f"{self.seed}/{ask}/{number}")  # noqa: S311 (chance, not a secret)
        if draw.random() >= self.rate * (_TOKENS_RATE if for_token else 1):
            return None
        kinds = [kind for kind in Kind if kind in self.kinds]
        if self.manner(ask).is_late and not self.combines:
            kinds = [kind for kind in kinds if not kind.is_lying_refusal]
        if not kinds:
            return None
        [kind] = draw.choices(kinds, [_RARE.get(kind, 1.0) for kind in kinds])
        return Fault(
            kind,
            share=draw.random(),
            resets=draw.random() < 0.5,
            forwards=draw.random() < 0.5,
            seconds=self._seconds(kind, draw.random()),
        )

    def manner(self, ask: int) -> Manner:
        """Return how the server shows the task of an ask: at once for half of them."""
        draw = random.Random(f"{self.seed}/{ask}/showing")  # noqa: S311 (chance, not a secret)
        late = [showing for showing in Showing if showing in self.showings and showing is not Showing.AT_ONCE]
        if not late or draw.random() < 0.5:
            return Manner()
        return Manner(draw.choice(late), self.settle_time / 2 * (0.2 + 0.8 * draw.random()))

    def _seconds(self, kind: Kind, chance: float) -> float:
        match kind:
            case Kind.REFUSED | Kind.LIMITED_MS | Kind.RESTART:
                return 0.01 + 0.05 * chance
            case Kind.SLOW:
                return self.patience * (1.2 + 0.6 * chance)
            case Kind.LATE:  # also when the client has looked whether it arrived
                return self.patience + self.settle_time / 4 * chance
            case Kind.DRIP:  # in seven pieces: sooner than the client loses its patience, or later
                return self.patience * (0.05 + 0.45 * chance)
            case Kind.STUCK | Kind.STUCK_HEAD:
                return self.patience * (0.3 + 0.2 * chance)
            case _:
                return 0.0
