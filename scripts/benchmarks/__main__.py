"""Measures this SDK side by side with its peers, and prints tables with the aims beside the figures. It asserts nothing.

Everyone asks the same server of canned answers, in turns, in one run on one machine. The server is a process of its own
that sends bytes which were encoded beforehand, so it does the same work for everyone. Each peer has an environment of its
own under .bench/, which is made here.
"""

from __future__ import annotations

import argparse
import contextlib
import datetime
import os
import platform
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
from rich.console import Console

from payman_sdk import PaymanClient
from scripts.benchmarks.bench import Bench, Measured
from scripts.benchmarks.environment import Environment, environments
from scripts.benchmarks.page import markdown, rewritten
from scripts.benchmarks.peers import PEERS
from scripts.benchmarks.plot import svg
from scripts.benchmarks.report import aims, as_json, table
from scripts.benchmarks.rows import rows
from scripts.benchmarks.server import serving
from scripts.benchmarks.sides import ASKED, Sent, Target
from scripts.benchmarks.workers import ROOT, many_files


def main() -> None:
    """Makes the environments, starts the server, measures, prints and writes."""
    options = _options()
    many_files()
    console, start = Console(width=None if sys.stdout.isatty() else 150), time.monotonic()
    made = environments(PEERS, patience=60 if options.quick else 180)
    for name, environment in made.items():
        if environment.python is None:
            console.print(f"{name} is not installed: {environment.why_not}", markup=False)
    chosen = [row for row in rows(quick=options.quick) if not options.only or row.name in options.only]
    all_measured: list[Measured] = []
    with serving() as base_url, Bench(made, target(base_url)) as bench:
        for row in chosen:
            all_measured.append(bench.measure(row))
            console.print(table(all_measured[-1]).rich())
    console.print(aims(all_measured).rich())
    machine = {**_machine((time.monotonic() - start) / 60), "quick": options.quick}
    console.print(f"{machine['minutes']:.1f} minutes; {machine['cores']} cores, Python {machine['python']}")
    _write(options, all_measured, machine, made)


def _options() -> Any:
    names = [row.name for row in rows(quick=True)]
    arguments = argparse.ArgumentParser(
        prog="scripts/bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    arguments.add_argument(
        "--quick", action="store_true", help="few rounds and short streams, to see that it runs"
    )
    arguments.add_argument("--only", action="append", choices=names, help="this row; may be given again")
    arguments.add_argument("--markdown", type=Path, metavar="FILE", help="write the tables as Markdown")
    arguments.add_argument("--json", type=Path, metavar="FILE", help="write every measurement as JSON")
    arguments.add_argument("--plot", type=Path, metavar="FILE", help="draw the main rows as SVG")
    arguments.add_argument(
        "--docs", action="store_true", help="write docs/performance.md and its picture anew"
    )
    options = arguments.parse_args()
    if options.docs and (options.only or options.quick):
        arguments.error("--docs shows a whole run: leave out --only and --quick")
    return options


def target(base_url: str) -> Target:
    """What the SDK sends, captured once."""
    sent: list[httpx.Request] = []
    with (
        httpx.Client(event_hooks={"request": [sent.append]}, trust_env=False) as watched,
        PaymanClient(
            client_id="bench", client_secret="bench", base_url=base_url, http_client=watched
        ) as client,
    ):
        client.ask(ASKED)
        with contextlib.suppress(Exception), client.stream("task 3"):
            pass
    token, ask, stream = (_as_sent(request) for request in sent[:3])
    return Target(base_url, token, ask, stream)


_OF_THE_CONNECTION = {"host", "content-length", "connection", "accept-encoding", "user-agent"}


def _as_sent(request: httpx.Request) -> Sent:
    headers = {name: value for name, value in request.headers.items() if name not in _OF_THE_CONNECTION}
    return Sent(request.url.raw_path.decode(), headers, request.content.decode())


def _machine(minutes: float) -> dict[str, Any]:
    return {
        "day": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "minutes": minutes,
    }


def _write(
    options: Any, all_measured: list[Measured], machine: dict[str, Any], made: dict[str, Environment]
) -> None:
    versions = {
        name: found.distributions[name] for name, found in made.items() if name in found.distributions
    }
    whole = markdown(all_measured, machine, versions)
    page, picture = ROOT / "docs" / "performance.md", ROOT / "docs" / "performance.svg"
    wanted: list[tuple[Path | None, Callable[[], str]]] = [
        (options.markdown, lambda: whole),
        (options.json, lambda: as_json(all_measured, machine, made)),
        (options.plot, lambda: svg(all_measured)),
        (page if options.docs else None, lambda: rewritten(page.read_text(encoding="utf-8"), whole)),
        (picture if options.docs else None, lambda: svg(all_measured)),
    ]
    for place, text in wanted:
        if place is not None:
            place.write_text(text(), encoding="utf-8")


if __name__ == "__main__":
    main()
