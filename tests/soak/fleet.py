"""A fleet that runs `examples/payouts`: its workers, its command and its broker, which are started again when they end."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Self

from attrs import field, frozen

from tests.examples.programs import WithDbos

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "payouts"
_PAUSE = 0.2
"""Seconds before a process that ended is started again."""


def find_port() -> int:
    """Return a port of this machine that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


@frozen
class Celery:
    """The engine Celery, with Redis as its broker.

    Args:
        python: An interpreter that has Celery.
        redis: The program redis-server.
        port: The port of Redis.
    """

    python: Path
    redis: str
    port: int = field(factory=find_port)

    @property
    def address(self) -> str:
        """The address of Redis."""
        return f"redis://127.0.0.1:{self.port}/0"

    def build_command(self, number: int) -> list[str]:
        """Return the command of a worker: every other one has processes, the rest threads."""
        options = [
            "--pool",
            ("prefork", "threads")[number % 2],
            "--concurrency",
            "4",
            "-n",
            f"worker-{number}@soak",
        ]
        quiet = ["--without-mingle", "--without-gossip", "-l", "critical"]
        return [str(self.python), "-m", "celery", "-A", "with_celery", "-q", "worker", *options, *quiet]

    def build_broker_command(self, folder: Path) -> list[str]:
        """Return the command of a Redis that keeps nothing."""
        options = ["--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
        return [self.redis, *options, "--dir", str(folder)]


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
            with contextlib.suppress(ProcessLookupError):  # it has just ended
                os.killpg(process.pid, signal.SIGKILL)  # with the processes that it has started

    def _run(self) -> None:
        with (self._folder / "log").open("ab") as log:
            while not self.done.is_set():
                self.starts += 1
                self._process = WithDbos(
                    self._command,
                    cwd=self._folder,
                    env=self._environment,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
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
        celery: The engine; DBOS, if none is given.
    """

    def __init__(
        self,
        folder: Path,
        database: str,
        payman: dict[str, str],
        workers: int,
        settle: float,
        celery: Celery | None = None,
    ) -> None:
        own = {name: value for name, value in os.environ.items() if not name.startswith("PAYMAN_")}
        paths = os.pathsep.join([str(ROOT), *(path for path in sys.path if path)])
        own |= {"PYTHONPATH": paths, "PAYOUTS_STORE": database, "PAYOUTS_DBOS": database}
        own |= {
            "PAYOUTS_PER_SECOND": "100000",
            "PAYOUTS_AT_ONCE": "16",
            "PAYOUTS_SETTLE": str(settle),
            **payman,
        }
        program = [sys.executable, str(EXAMPLE / "with_dbos.py")]
        self.members: list[Supervisor] = []
        self.broker: Supervisor | None = None
        if celery is not None:
            own |= {"PAYOUTS_REDIS": celery.address}
            own["PYTHONPATH"] = os.pathsep.join(map(str, (ROOT, ROOT / "generated", EXAMPLE)))
            program = [str(celery.python), str(EXAMPLE / "with_celery.py")]
            self.broker = Supervisor(celery.build_broker_command(folder), folder, own)
            workers += 1  # the command is none
        for number in range(workers):
            home = folder / f"machine-{number}"  # no two share a file
            home.mkdir()
            variables = own | {"PAYOUTS_WORKER": f"worker-{number}", "PAYMAN_STATE_DIR": str(home)}
            arguments = ["--work"] if number else [str(folder / "payouts.csv")]
            result = None if number else folder / "payouts.report.csv"
            command = celery.build_command(number) if celery and number else [*program, *arguments]
            self.members.append(Supervisor(command, home, variables, result))
        self.command = self.members[0]

    def __enter__(self) -> Self:
        for member in self._list_all():
            member.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        for member in reversed(self._list_all()):
            member.done.set()
            member.kill()
        for member in self._list_all():
            member.__exit__()

    def kill_one(self, choose: Callable[[int], int]) -> None:
        """Kill one of them, without a warning."""
        self.members[choose(len(self.members))].kill()

    def _list_all(self) -> list[Supervisor]:
        return [*([] if self.broker is None else [self.broker]), *self.members]
