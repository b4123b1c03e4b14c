"""The processes of `examples/payouts` on Celery, as forks of one that has imported Celery and the SDK."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

_IMPORTED = (
    *(f"celery.{name}" for name in ("backends.redis", "bin.celery", "bin.worker", "concurrency.thread", "worker.consumer")),
    *("celery.concurrency.prefork", "kombu.transport.redis", "rich.progress", "payman_sdk.agents.stores.sqlite"),
    *(f"payman_sdk.{name}" for name in ("agents.toolkit", "_client.sync", "_core.operations", "_io.pool", "_io.runner")),
)  # fmt: skip
_PROGRAM = """
import gc, importlib, json, os, runpy, sys

for name in sys.argv[1:]:
    importlib.import_module(name)
gc.freeze()
for line in sys.stdin:
    place, *arguments = json.loads(line)
    if not arguments:
        print(os.waitstatus_to_exitcode(os.waitpid(place, 0)[1]), flush=True)
    elif child := os.fork():
        print(child, flush=True)
    else:
        break
else:
    sys.exit()
os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
for number in (1, 2):
    os.dup2(os.open(place + str(number), os.O_WRONLY | os.O_CREAT), number)
sys.argv, status = arguments, 0
try:
    if arguments[0] == "celery":
        runpy.run_module("celery", run_name="__main__", alter_sys=True)
    else:
        runpy.run_path(arguments[0], run_name="__main__")
except SystemExit as end:
    status = end.code or 0
sys.stdout.flush()
os._exit(status)  # to take apart what was imported takes longer than a payment
"""
"""Each process is a fork that finds Celery and the SDK imported; it writes to files, and its number is printed, as is how it ended."""


class CeleryForks:
    """Starts processes on Celery.

    Args:
        python: An interpreter that has Celery.
        folder: Where they run.
        own: Their variables.
    """

    def __init__(self, python: Path, folder: Path, own: dict[str, str]) -> None:
        pipe, command = subprocess.PIPE, [str(python), "-c", _PROGRAM, *_IMPORTED]
        self._folder = folder
        self._process = subprocess.Popen(
            command, cwd=folder, env=own, stdin=pipe, stdout=pipe, encoding="utf-8"
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate(timeout=60)

    def run(self, name: str, *arguments: str) -> tuple[int, str]:
        """Return the status of a process, and what it wrote to standard output."""
        status = self._ask(self.start(name, *arguments))
        assert "Traceback" not in (said := (self._folder / f"{name}2").read_text(encoding="utf-8")), said
        return status, (self._folder / f"{name}1").read_text(encoding="utf-8").strip()

    def start(self, name: str, *arguments: str) -> int:
        """Return the number of a process."""
        return self._ask(str(self._folder / name), *arguments)

    @contextmanager
    def work(self, pool: str) -> Iterator[None]:
        """Keep a worker for as long."""
        quiet = ("--without-mingle", "--without-gossip", "--without-heartbeat", "-l", "critical")
        options = ["--pool", pool, "--concurrency", "2", *quiet]
        worker = self.start(pool, "celery", "-A", "with_celery", "-q", "worker", *options)
        try:
            yield
        finally:
            os.kill(worker, signal.SIGTERM)
            self._ask(worker)

    def _ask(self, *words: object) -> int:
        assert self._process.stdin is not None and self._process.stdout is not None
        print(json.dumps(words), file=self._process.stdin, flush=True)
        return int(self._process.stdout.readline())
