"""A fleet that runs `examples/payouts`: its workers, its command and its database, which are started again when they end."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Self

EXAMPLE = Path(__file__).parents[2] / "examples" / "payouts"
_PAUSE = 0.2
"""Seconds before a process that ended is started again."""


class Supervisor:
    """Keeps a process running until it is stopped, or has done its work.

    Args:
        command: The process.
        folder: Where it runs.
        environment: Its variables.
        result: The file that it writes when it has done its work; it is not started again then.

    Attributes:
        starts: How often it was started.
        status: The exit status that it ended with.
    """

    def __init__(
        self, command: list[str], folder: Path, environment: dict[str, str], result: Path | None = None
    ) -> None:
        self._command, self._folder, self._environment, self._result = command, folder, environment, result
        self.starts = 0
        self.status: int | None = None
        self.done = threading.Event()
        self._process: subprocess.Popen[bytes] | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.done.set()
        self.kill()
        self._thread.join(30)

    def kill(self) -> None:
        """Kill it at once; it is started again."""
        process = self._process
        if process is not None and process.poll() is None:
            process.kill()

    def _run(self) -> None:
        with (self._folder / "log").open("ab") as log:
            while not self.done.is_set():
                self.starts += 1
                self._process = subprocess.Popen(
                    self._command, cwd=self._folder, env=self._environment, stdout=log, stderr=log
                )
                status = self._process.wait()
                if self._result is not None and self._result.exists():
                    self.status = status
                    self.done.set()
                self.done.wait(_PAUSE)


class Fleet:
    """The workers of a job, and the command that waits for it.

    Args:
        folder: Where they run; the file to pay is in it.
        database: The address of PostgreSQL.
        payman: The variables that name Payman.
        workers: How many there are; the command is one of them.
        settle: Seconds after which what was sent cannot arrive any more.
    """

    def __init__(
        self, folder: Path, database: str, payman: dict[str, str], workers: int, settle: float
    ) -> None:
        own = {name: value for name, value in os.environ.items() if not name.startswith("PAYMAN_")}
        paths = os.pathsep.join(path for path in sys.path if path)
        own |= {"PYTHONPATH": paths, "PAYOUTS_STORE": database, "PAYOUTS_DBOS": database}
        own |= {
            "PAYOUTS_PER_SECOND": "100000",
            "PAYOUTS_AT_ONCE": "16",
            "PAYOUTS_SETTLE": str(settle),
            **payman,
        }
        program = [sys.executable, str(EXAMPLE / "with_dbos.py")]
        self.members: list[Supervisor] = []
        for number in range(workers):
            home = folder / f"machine-{number}"  # no two share a file
            home.mkdir()
            variables = own | {"PAYOUTS_WORKER": f"worker-{number}", "PAYMAN_STATE_DIR": str(home)}
            arguments = ["--work"] if number else [str(folder / "payouts.csv")]
            result = None if number else folder / "payouts.report.csv"
            self.members.append(Supervisor([*program, *arguments], home, variables, result))
        self.command = self.members[0]

    def __enter__(self) -> Self:
        for member in self.members:
            member.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        for member in reversed(self.members):
            member.done.set()
            member.kill()
        for member in self.members:
            member.__exit__()

    def kill_one(self, choose: Callable[[int], int]) -> None:
        """Kill one of them, without a warning."""
        self.members[choose(len(self.members))].kill()
