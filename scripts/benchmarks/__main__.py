"""Measures this SDK side by side with its peers, and prints tables with the aims beside the figures. It asserts nothing.

Everyone asks the same server of canned answers, in turns, in one run on one machine. The server is a separate process that
sends bytes which were encoded beforehand, so it does the same work for everyone. Each peer has a separate environment
under .bench/, which `scripts/bench` makes.
"""

import argparse
import contextlib
import datetime
import os
import platform
import time

import httpx

from payman_sdk import PaymanClient
from scripts.benchmarks.measurement import Measured, build_rows, format_aims, format_row, measure_row
from scripts.benchmarks.peers import PEERS, read_version
from scripts.benchmarks.processes import ROOT, find_environments
from scripts.benchmarks.server import run_server
from scripts.benchmarks.sides import ASKED, Sent, Target
from scripts.documentation.marks import replace_between

BEGIN, END = "<!-- measured: begin, written by scripts/bench --docs -->", "<!-- measured: end -->"
_OF_THE_CONNECTION = {"host", "content-length", "connection", "accept-encoding", "user-agent"}


def main() -> None:
    """Make the environments, start the server, measure and print."""
    options, start = parse_options(), time.monotonic()
    environments = find_environments()
    all_measured: list[Measured] = []
    with run_server() as base_url:
        target = capture_target(base_url)
        for row in build_rows(quick=options.quick):
            if not options.only or row.name in options.only:
                all_measured.append(measure_row(row, environments, target))
                print(format_row(all_measured[-1]), flush=True)
    aims, machine = format_aims(all_measured), describe_machine((time.monotonic() - start) / 60)
    print(aims, machine, sep="\n")
    if options.docs:
        page = ROOT / "docs" / "performance.md"
        run = "\n\n".join([machine, aims, *map(format_row, all_measured)])
        page.write_text(replace_between(page.read_text("utf-8"), BEGIN, END, f"\n{run}"), "utf-8")


def parse_options() -> argparse.Namespace:
    """Read the options of the command line."""
    names = [row.name for row in build_rows(quick=True)]
    style = argparse.RawDescriptionHelpFormatter
    arguments = argparse.ArgumentParser(prog="scripts/bench", description=__doc__, formatter_class=style)
    arguments.add_argument("--quick", action="store_true", help="one round or two, to see that it runs")
    arguments.add_argument("--only", action="append", choices=names, help="this row; may be given again")
    arguments.add_argument("--docs", action="store_true", help="write the tables of docs/performance.md anew")
    options = arguments.parse_args()
    if options.docs and (options.only or options.quick):
        arguments.error("--docs shows a whole run: leave out --only and --quick")
    return options


def capture_target(base_url: str) -> Target:
    """Return what the SDK sends, captured once."""
    sent: list[Sent] = []

    def capture(request: httpx.Request) -> None:
        headers = {name: value for name, value in request.headers.items() if name not in _OF_THE_CONNECTION}
        sent.append(Sent(request.url.raw_path.decode(), headers, request.content.decode()))

    with httpx.Client(event_hooks={"request": [capture]}, trust_env=False) as http:
        client = PaymanClient(client_id="bench", client_secret="bench", base_url=base_url, http_client=http)
        client.ask(ASKED)
        with contextlib.suppress(Exception), client.stream("task 3"):
            pass
        client.close()
    return Target(base_url, *sent[:3])


def describe_machine(minutes: float) -> str:
    """Describe where the run was, and what with."""
    day, system = datetime.datetime.now(datetime.UTC).date(), f"{platform.system()} {platform.machine()}"
    peers = ", ".join(f"{peer.name} {read_version(peer.name, peer.lock)}" for peer in PEERS if peer.pins)
    python = f"{os.cpu_count()} cores, Python {platform.python_version()}"
    return f"Measured on {day}: {python}, {system}, in {minutes:.1f} minutes; {peers}."


if __name__ == "__main__":
    main()
