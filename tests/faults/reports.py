"""What a run found, for people to read: a table, the faults, and every promise that was broken."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence

from tests.faults.ask_modes import Claim
from tests.faults.fault_kinds import Kind
from tests.faults.invariants import BREACHES, OTHER, Count, breaches, counted, held
from tests.faults.plan import Plan
from tests.faults.runner import Case, Outcome, run
from tests.faults.settings import Settings

_ENDS = ("completed", "failed", "not sent", "unproven", "unknown", "other")
_FIRST_REQUESTS = 8
_MOST_SHOWN = 20


def reported(settings: Settings) -> tuple[bool, str]:
    """Makes a run; returns whether the promise held, and the report."""
    # What clients and event loops say about every fault stays out of it.
    logging.getLogger("payman_sdk").addHandler(logging.NullHandler())
    logging.getLogger("asyncio").setLevel(logging.ERROR)
    outcome = run(settings)
    return held(outcome), report(outcome)


def report(outcome: Outcome) -> str:
    """The table of a run, the faults that came up, and the asks whose caller was not kept the promise."""
    settings = outcome.settings
    counts = counted(outcome)
    broken = [name for name in BREACHES if name != OTHER]
    heads = ["", "asks", *_ENDS, "again", *broken, "overrun"]
    rows = [heads, *(_row(name, count, broken) for name, count in counts.items())]
    server = "with tasks/get" if settings.reconciles else "without tasks/get"
    lines = [
        f"seed {settings.seed}: {len(outcome.cases)} asks, a server {server}, faults for {settings.rate:.0%} of the "
        f"requests, {settings.timeout:g} s each; {outcome.seconds:.1f} s",
        "",
        *_columns(rows),
        "",
        "faults: " + (", ".join(f"{kind.value} {count}" for kind, count in _faults(outcome)) or "none"),
    ]
    betrayed = [case for case in outcome.cases if breaches(case, settings)]
    claimed = [line for case in betrayed[:_MOST_SHOWN] for line in _broken(case, settings)]
    if len(betrayed) > _MOST_SHOWN:
        claimed.append(f"and {len(betrayed) - _MOST_SHOWN} more")
    if outcome.strays:
        claimed.append(f"payments that belong to no ask: {outcome.strays}")
    total = counts["all"].breaches
    lines += ["", *claimed, *([""] if claimed else [])]
    if not any(total.values()):
        lines.append("The promise held.")
    else:
        lines += [f"{name}: {meaning}" for name, meaning in BREACHES.items() if total[name]]
        lines.append("The promise was broken.")
    return "\n".join(lines)


def plan_of(settings: Settings) -> str:
    """The plan of a run: the faults of the first requests of each ask; the first request is for a token."""
    plan: Plan = settings.plan
    lines: list[str] = []
    for number in settings.numbers:
        faults = [plan.fault(number, place, for_token=place == 0) for place in range(_FIRST_REQUESTS)]
        met = [f"{place} {fault}" for place, fault in enumerate(faults) if fault is not None]
        lines.append(f"ask {number}: " + ("; ".join(met) or "none"))
    return "\n".join(lines)


def _row(name: str, count: Count, broken: Sequence[str]) -> list[str]:
    numbers = [count.asks, *(count.ends[end] for end in _ENDS), count.again]
    numbers += [count.breaches[breach] for breach in broken]
    return [name, *map(str, numbers), f"{count.overrun:.2f}"]


def _columns(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]))]
    for row in rows:
        first, *others = (
            cell.ljust(width) if place == 0 else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        yield "  ".join([first, *others])


def _faults(outcome: Outcome) -> list[tuple[Kind, int]]:
    return sorted(outcome.faults.items(), key=lambda item: item[0].value)


def _broken(case: Case, settings: Settings) -> list[str]:
    """How the promise to a caller was broken, with all that it takes to see it again."""
    return [
        f"ask {case.ask.number} ({case.ask.way}), seed {case.ask.seed}: {', '.join(breaches(case, settings))}",
        f"  reported: {_describe_claim(case.claimed)}; {len(case.first)} payments by then",
        *(f"  again: {_describe_claim(one)}; {len(case.payments)} payments in the end" for one in case.again),
        *("  requests: " + "; ".join(map(str, line.entries)) for line in case.lines),
    ]


def _describe_claim(claimed: Claim) -> str:
    return f"{claimed.end} after {claimed.seconds:.2f} s, {claimed.detail}"
