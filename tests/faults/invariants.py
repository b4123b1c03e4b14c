"""Whether the promise held: what the callers were told against what the ledger says."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest

from tests.faults.ask_modes import WAYS, Claim
from tests.faults.fault_kinds import Kind
from tests.faults.proxy import Line
from tests.faults.runner import Case, Outcome
from tests.faults.settings import Settings

GRACE = 0.25
"""Seconds that an ask may take beyond its deadline."""

_AT_THE_END = 0.1
"""Seconds before the deadline in which nothing more can be learned."""

TWICE = "twice"
UNPAID = "unpaid"
PAID = "paid"
EARLY = "early"
BLIND = "blind"
LATE = "late"
OTHERWISE = "otherwise"
OTHER = "other"
BREACHES = {
    TWICE: "more than one payment for one ask, or one that belongs to no ask, or taken twice by the server",
    UNPAID: 'told "completed" without a payment, or with that of another task',
    PAID: 'told "failed" or that nothing was done (`sent` is False) with a payment',
    EARLY: 'told "unknown" with time left, though the server knows the task',
    OTHER: "ended with the exception of another library, or with what is none of the ends",
    BLIND: "sent again without a look-up that had found nothing",
    LATE: f"told more than {GRACE} s after the deadline, not counting while this process stood still",
    OTHERWISE: "told another end when it was asked again with the same key",
}
"""The ways to break the promise, and what they mean."""


@dataclass
class Count:
    """What became of some asks.

    Attributes:
        asks: how many there are.
        again: how many of them were asked again with their key.
        ends: how often each end was told.
        breaches: how often the promise was broken, by the ways to break it.
        overrun: the most seconds that an ask took beyond its deadline.
    """

    asks: int = 0
    again: int = 0
    ends: Counter[str] = field(default_factory=Counter[str])
    breaches: Counter[str] = field(default_factory=Counter[str])
    overrun: float = 0.0

    def add(self, other: Count) -> None:
        """Counts what another one has counted."""
        self.asks += other.asks
        self.again += other.again
        self.ends += other.ends
        self.breaches += other.breaches
        self.overrun = max(self.overrun, other.overrun)


def breaches(case: Case, settings: Settings) -> list[str]:
    """The ways in which the promise to one caller was broken; none, where it was kept."""
    claimed = [case.claimed, *case.again]
    found = {
        TWICE: len(case.payments) > 1 or case.times_taken > 1,
        UNPAID: _is_unpaid(case),
        PAID: len(case.first) > 0 and any(one.end in ("failed", "not sent") for one in claimed),
        EARLY: settings.reconciles
        and any(_is_early(one, line, settings) for one, line in zip_longest(claimed, case.lines)),
        OTHER: any(one.end == "other" for one in claimed),
        BLIND: any(entry.blind for line in case.lines for entry in line.entries),
        LATE: any(_overrun(one, settings) > GRACE for one in claimed),
        OTHERWISE: _is_told_otherwise(case, settings),
    }
    return [name for name, broken in found.items() if broken]


def _is_unpaid(case: Case) -> bool:
    in_the_end = [one for one in case.again if one.end == "completed"]
    return (case.claimed.end == "completed" and _differs(case.claimed, case.first)) or any(
        _differs(one, case.payments) for one in in_the_end
    )


def _differs(claimed: Claim, payments: Sequence[object]) -> bool:
    return claimed.task_id not in {getattr(payment, "task_id", None) for payment in payments}


def _is_early(claimed: Claim, line: Line | None, settings: Settings) -> bool:
    if claimed.end != "unknown" or claimed.seconds >= settings.timeout - _AT_THE_END:
        return False
    entries = [] if line is None else line.entries
    looks = [entry for entry in entries if entry.name == "get"]
    # A task that the agent has not known for `settle_time` is given up where the next pause would outlast the deadline.
    if looks and looks[-1].not_found and claimed.seconds >= settings.settle_time:
        return False
    last = entries[-1] if entries else None
    # Who is refused once more with a token that has just been issued need not go on asking.
    fault = None if last is None else last.fault
    return fault is None or fault.kind not in (Kind.UNAUTHORIZED, Kind.UNAUTHORIZED_TAKEN)


def _is_told_otherwise(case: Case, settings: Settings) -> bool:
    """Whether who asked again was not told, in the end, that the one payment has been made."""
    if not case.again:
        return False
    last = case.again[-1]
    if any(one.task_id != case.claimed.task_id for one in case.again if one.end != "other"):
        return True
    if settings.reconciles:
        return last.end != "completed"
    # Where the server does not say how a task stands, it may not be known; but nothing untrue is reported.
    return last.end not in ("completed", "unknown") and len(case.payments) > 0


def _overrun(claimed: Claim, settings: Settings) -> float:
    return claimed.seconds - claimed.stalled - settings.timeout


def counted(outcome: Outcome) -> dict[str, Count]:
    """What a run found, for each way to ask and then, by the name `all`, for all of them."""
    settings = outcome.settings
    counts = {str(way): Count() for way in WAYS}
    for case in outcome.cases:
        counts[str(case.ask.way)].add(
            Count(
                1,
                1 if case.again else 0,
                Counter([case.claimed.end]),
                Counter(breaches(case, settings)),
                max(0.0, *(_overrun(one, settings) for one in (case.claimed, *case.again))),
            )
        )
    counts["all"] = total(counts.values())
    counts["all"].breaches[TWICE] += outcome.strays
    return counts


def total(counts: Iterable[Count]) -> Count:
    """The sum of several counts."""
    everything = Count()
    for count in counts:
        everything.add(count)
    return everything


def held(outcome: Outcome) -> bool:
    """Whether the promise was kept to every caller of a run."""
    return not any(counted(outcome)["all"].breaches.values())
