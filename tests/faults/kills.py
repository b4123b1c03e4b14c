"""Processes that are killed in the middle of an ask, and the same ask again: `python -m tests.faults.kills --kills 500`."""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

from tests.faults.agent import PayingAgent
from tests.faults.asker import ask
from tests.faults.visibility import Manner, Showing
from tests.processes import Forked

WORK = 0.3
"""Seconds for which a payment waits in the server's queue."""
SETTLE_TIME = 1.5
_LATEST = 0.6
"""Seconds after which a process is killed at the latest."""
_AT_ONCE = 10


def kill_and_ask_again(number: int) -> str:
    """Kill a process that asks, and ask again with its key; return what is wrong with the end, nothing if nothing is.

    Args:
        number: Which kill: the moment follows from it, and the server's manner, which shows every second task when it is done.
    """
    moment = random.Random(number).random() * _LATEST  # noqa: S311 (chance, not a secret)
    manner = Manner(Showing.WHEN_DONE if number % 2 else Showing.AT_ONCE)
    text = f"send 10 TSD to Test Payee, kill {number}"
    with (
        tempfile.TemporaryDirectory() as folder,
        PayingAgent(manner, work=lambda text: WORK) as agent,
        closing(Forked(ask)) as killed,
        closing(Forked(ask)) as again,
    ):
        order = {
            "base_url": agent.url,
            "client_id": "pm-test-kills",
            "client_secret": "kills",
            "key": f"kill-{number}",
            "text": text,
            "streams": False,
            "state_folder": folder,
            "settle_time": SETTLE_TIME,
        }
        killed.order(order)
        time.sleep(moment)  # the kill comes at any moment
        killed.kill()
        again.order(order)
        answer = again.report(timeout=60)
        again.dismiss()
        agent.finish()
        paid, records = agent.payments[text], list(Path(folder).iterdir())
    if (answer["status"], paid) == ("completed", 1) and records:
        return ""
    return f"kill {number} after {moment:.3f} s: {answer}, {paid} payments, {len(records)} files of records"


def kill_many(kills: int) -> list[str]:
    """Make so many kills, and return what is wrong with the ends."""
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return [wrong for wrong in pool.map(kill_and_ask_again, range(kills)) if wrong]


def main(arguments: Sequence[str] | None = None) -> int:
    """Make the kills and print what is wrong; return 1 if something is."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.kills", description=__doc__)
    parser.add_argument("--kills", type=int, default=500, metavar="N", help="how many (default: %(default)s)")
    chosen = parser.parse_args(arguments)
    wrong = kill_many(chosen.kills)
    print(*wrong, f"{chosen.kills} kills, {len(wrong)} wrong ends", sep="\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
