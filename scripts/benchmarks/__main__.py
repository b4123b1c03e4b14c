"""How much the SDK adds to what httpx does, and how it compares with others that read streams.

Everyone asks the same canned-answer server, in turns, in one run. The server is a process of its own that sends bytes
which were encoded beforehand, so it does the same work for everyone. It prints tables and asserts nothing.
"""

from __future__ import annotations

import argparse
import contextlib
import sys

from rich.console import Console

from scripts.benchmarks.asks import one_ask
from scripts.benchmarks.environment import peers
from scripts.benchmarks.first_event import first_event
from scripts.benchmarks.many import many
from scripts.benchmarks.memory import memory
from scripts.benchmarks.rates import rates
from scripts.benchmarks.readers import Reader, many_files
from scripts.benchmarks.server import serving


def main() -> None:
    """Starts the server, measures, prints, stops the server."""
    arguments = argparse.ArgumentParser(
        prog="scripts/bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    arguments.add_argument(
        "--quick", action="store_true", help="few rounds and short streams, to see that it runs"
    )
    arguments.add_argument("--rounds", type=int, help="rounds of the one ask (15)")
    arguments.add_argument("--calls", type=int, help="calls of a side in such a round (200)")
    options = arguments.parse_args()
    quick: bool = options.quick
    many_files()
    console = Console(width=None if sys.stdout.isatty() else 132)
    with contextlib.ExitStack() as running:
        base_url = running.enter_context(serving())
        calls, rounds = options.calls or (20 if quick else 200), options.rounds or (3 if quick else 15)
        console.print(one_ask(base_url, rounds, calls))
        ours = running.enter_context(Reader(sys.executable, "ours", base_url))
        python, why_not = peers(make=not quick)
        others = running.enter_context(Reader(python, "peers", base_url)) if python else None
        rounds, events = (2, 5_000) if quick else (5, 100_000)
        console.print(rates(ours, others, why_not, rounds, events))
        console.print(memory(base_url, 1_000, 20_000 if quick else 1_000_000))
        console.print(first_event(ours, 3 if quick else 20))
        console.print(many(ours, min(rounds, 3), 5 * events))


if __name__ == "__main__":
    main()
