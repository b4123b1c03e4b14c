"""What a run is like."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Literal

from tests.faults.fault_kinds import Kind
from tests.faults.plan import Plan
from tests.faults.visibility import Showing

MOST_ASKS = 90_000
"""How many payments of 0.01 TSD the sandbox's limit of a day allows, and some to spare."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What a run is like.

    Args:
        seed: Which plan of faults.
        asks: How many asks.
        workers: How many asks at the same time.
        rate: The part of the requests that meet a fault.
        kinds: The faults that come up.
        timeout: Seconds for each ask.
        patience: Seconds that a client waits for the next bytes of an answer (`read_timeout`).
        retries: How often a client sends an ask again (`max_retries`); more than usual, as so much is lost here.
        reconciles: Whether the server says how a task stands (`tasks/get`), and takes up streams again.
        only: The numbers of the asks that are made; all, if none are named.
        settle_time: Seconds for which a client looks up what may have arrived.
        resend: Whether a client sends again what may have arrived.
        showings: How the server may show tasks that it took.
    """

    seed: int = 1
    asks: int = 300
    workers: int = 24
    rate: float = 0.3
    kinds: Collection[Kind] = tuple(Kind)
    timeout: float = 10.0
    patience: float = 0.3
    retries: int = 8
    reconciles: bool = True
    only: Collection[int] = ()
    settle_time: float = 1.0
    resend: Literal["after_settling", "never"] = "after_settling"
    showings: Collection[Showing] = tuple(Showing)

    @property
    def plan(self) -> Plan:
        """The plan of faults."""
        return Plan(
            seed=self.seed,
            rate=self.rate,
            kinds=self.kinds,
            patience=self.patience,
            settle_time=self.settle_time,
            combines=self.resend == "never",
            showings=self.showings,
        )

    @property
    def numbers(self) -> Sequence[int]:
        """The numbers of the asks that are made."""
        return [number for number in range(self.asks) if not self.only or number in self.only]
