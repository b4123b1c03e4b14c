"""What a fleet pays in a second, beside what the sandbox can take: `scripts/soak --throughput`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from payman_sdk.sandbox import Sandbox
from tests.postgres_server import Server, find_programs
from tests.soak.run import ORDER, soak

_PAYER = """
import json, sys, threading, time
from payman_sdk import PaymanClient
config, payments = json.loads(sys.argv[1]), int(sys.argv[2])
def pay():
    for _ in range(payments):
        client.pay(*config["order"])
with PaymanClient(**config["client"]) as client:
    client.pay(*config["order"])
    threads = [threading.Thread(target=pay) for _ in range(4)]
    began = time.monotonic()
    for thread in threads: thread.start()
    for thread in threads: thread.join()
    print(time.monotonic() - began)
"""


def measure_sandbox(processes: int, payments: int) -> float:
    """Return how many payments a second the sandbox takes from processes that keep nothing, of four threads each."""
    with Sandbox() as sandbox:
        client = {
            "client_id": sandbox.client_id,
            "client_secret": sandbox.client_secret,
            "base_url": sandbox.base_url,
        }
        order = json.dumps({"client": client, "order": ORDER})
        command = [sys.executable, "-c", _PAYER, order, str(payments // (4 * processes))]
        variables = os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
        running = [
            subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=variables)
            for _ in range(processes)
        ]
        seconds = max(float(process.communicate(timeout=600)[0]) for process in running)
    sandbox.close()
    return payments / seconds


def print_throughput(payments: int) -> None:
    """Measure and print a table in Markdown."""
    programs = find_programs()
    print("| workers | paid in a second | the sandbox's own limit |\n| --: | --: | --: |")
    for workers in (1, 2, 4):
        limit, paid = measure_sandbox(workers, payments), "no PostgreSQL here"
        if programs is not None:
            with tempfile.TemporaryDirectory() as folder, Server(programs, fsync="on") as server:
                found = soak(
                    Path(folder), server, payments=payments, workers=workers, kills=0, rate=0, seed=1, seconds=600
                )  # fmt: skip
            assert not found.wrong, found.wrong
            paid = f"{found.pace:.1f}"
        print(f"| {workers} | {paid} | {limit:.1f} |", flush=True)
