"""`python -m tests.faults`: pay through a network that fails, and see whether the promise holds."""

from __future__ import annotations

import argparse
import math
import multiprocessing
import os
import sys
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor

from tests.faults.fault_kinds import Kind
from tests.faults.reports import plan_of, reported
from tests.faults.settings import MOST_ASKS, Settings
from tests.faults.table import table


def main(arguments: Sequence[str] | None = None) -> int:
    """Makes the runs; returns the exit status: 0 if the promise held, 1 if not, 2 for arguments that make no sense."""
    parser = _parser()
    chosen = parser.parse_args(arguments)
    for number in chosen.only:
        if not 0 <= number < chosen.asks:
            parser.error(
                f"argument --only: {number} is not from 0 to {chosen.asks - 1}, the numbers of the asks"
            )
    several = [
        Settings(
            seed=seed,
            asks=chosen.asks,
            workers=chosen.workers,
            rate=chosen.rate,
            kinds=chosen.kinds,
            timeout=chosen.timeout,
            patience=chosen.patience,
            retries=chosen.retries,
            reconciles=not chosen.no_reconcile,
            only=chosen.only,
            settle_time=chosen.settle_time,
            resend=chosen.resend,
        )
        for seed in chosen.seed or [1]
    ]
    if chosen.plan:
        _say("\n".join(f"seed {settings.seed}\n{plan_of(settings)}" for settings in several))
        return 0
    if chosen.table:
        for line in table():
            _say(line)
        return 0
    kept: list[bool] = []
    try:
        for held, report in _reports(several):
            kept.append(held)
            _say(report)
    except ImportError as missing:  # the sandbox says what it needs
        print(f"payman faults: {missing}", file=sys.stderr)
        return 2
    if len(several) > 1:
        _say(f"\nThe promise held in {sum(kept)} of {len(kept)} runs.")
    return 0 if all(kept) else 1


def _reports(several: Sequence[Settings]) -> Iterator[tuple[bool, str]]:
    """Whether the promise held in each run, and its report; several runs are made at the same time."""
    processes = min(len(several), os.cpu_count() or 1)
    if processes == 1:
        yield from map(reported, several)
        return
    # A fork would take over locks that threads hold. What is spawned cannot find a function of this module.
    may_fork = sys.platform == "linux" and threading.active_count() == 1
    context = multiprocessing.get_context("fork" if may_fork else "spawn")
    with ProcessPoolExecutor(processes, context) as pool:
        yield from pool.map(reported, several)


def _say(text: str) -> None:
    print(text, flush=True)


def _parser() -> argparse.ArgumentParser:
    usual = Settings()
    parser = argparse.ArgumentParser(
        prog="python -m tests.faults",
        description="Pay through a network that fails on purpose, in every way there is to ask, and see whether each "
        "payment was made once at most and its caller was told how it ended.",
    )
    add = parser.add_argument
    add("--asks", type=_count, default=usual.asks, metavar="N", help="how many asks (default: %(default)s)")
    add(
        "--seed",
        type=int,
        action="append",
        metavar="S",
        help="the plan of faults; may be repeated (default: 1)",
    )
    add(
        "--workers",
        type=_count,
        default=usual.workers,
        metavar="W",
        help="how many asks at the same time (default: %(default)s)",
    )
    add(
        "--rate",
        type=_share,
        default=usual.rate,
        metavar="R",
        help="the part of the requests that meet a fault, from 0 to 1 (default: %(default)s)",
    )
    add(
        "--timeout",
        type=_seconds,
        default=usual.timeout,
        metavar="T",
        help="seconds for each ask (default: %(default)s)",
    )
    add(
        "--retries",
        type=_count,
        default=usual.retries,
        metavar="N",
        help="how often a client sends an ask again (default: %(default)s)",
    )
    add(
        "--patience",
        type=_seconds,
        default=usual.patience,
        metavar="P",
        help="seconds that a client waits for more of an answer (default: %(default)s)",
    )
    add(
        "--settle-time",
        type=_seconds,
        default=usual.settle_time,
        metavar="S",
        help="seconds for which a client looks up what may have arrived; what the server shows late, it shows within half of that "
        "(default: %(default)s)",
    )
    add(
        "--resend",
        choices=["after_settling", "never"],
        default=usual.resend,
        help="whether a client sends again what may have arrived. A server that took a task, answers 401, 429 or 503 with Retry-After, "
        "and does not show the task to a look-up at once, can be paid twice in the setting after_settling; this combination comes up "
        "only with never (default: %(default)s)",
    )
    add("--no-reconcile", action="store_true", help="a server that does not tell how a task stands")
    add(
        "--kinds",
        type=_kinds,
        default=usual.kinds,
        metavar="KIND,…",
        help=f"the faults that come up (default: all of {', '.join(kind.value for kind in Kind)})",
    )
    add("--only", type=int, nargs="+", default=(), metavar="ASK", help="make only the asks of these numbers")
    add(
        "--table",
        action="store_true",
        help="make 200 payments with each kind of server and each setting of the client, and show a table (one or two minutes)",
    )
    add("--plan", action="store_true", help="show the plan of faults, and ask nothing")
    return parser


def _number(least: float, most: float, text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not least <= number <= most:
        raise argparse.ArgumentTypeError(f"{text} is not from {least} to {most}")
    return number


def _count(text: str) -> int:
    number = _number(1, MOST_ASKS, text)
    if not number.is_integer():
        raise argparse.ArgumentTypeError(f"{text} is not a whole number")
    return int(number)


def _share(text: str) -> float:
    return _number(0, 1, text)


def _seconds(text: str) -> float:
    return _number(0.01, 3600, text)


def _kinds(text: str) -> Sequence[Kind]:
    names = [name.strip() for name in text.split(",")]
    try:
        return [Kind(name) for name in names]
    except ValueError:
        known = ", ".join(kind.value for kind in Kind)
        raise argparse.ArgumentTypeError(f"{text} is not one or several of {known}") from None


if __name__ == "__main__":
    sys.exit(main())
