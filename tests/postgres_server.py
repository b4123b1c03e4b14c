"""A real PostgreSQL for the tests: the one that PAYMAN_TEST_POSTGRES_URL names, or one on a socket in a temporary folder."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Self

import psycopg
from psycopg.conninfo import make_conninfo

NAMED = os.environ.get("PAYMAN_TEST_POSTGRES_URL")
MISSING = "no initdb and pg_ctl here: install Debian's package postgresql, or name a server in PAYMAN_TEST_POSTGRES_URL"
_USERS = ("postgres", "nobody")
_SETTINGS = {
    "fsync": "off",
    "full_page_writes": "off",
    "listen_addresses": "",
    "max_connections": "200",
    "shared_buffers": "32MB",
    "autovacuum": "off",
    "log_min_messages": "fatal",
}


def find_programs() -> Path | None:
    """Return the folder of PostgreSQL's programs, None where they are missing."""
    folders = [Path(found).parent for found in [shutil.which("initdb")] if found]
    folders += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return next((folder for folder in folders if (folder / "pg_ctl").exists()), None)


class Server:
    """A server in a temporary folder, on a socket.

    Args:
        programs: Where PostgreSQL's programs are.
        settings: Settings that differ from those of the tests.

    Attributes:
        address: Its address.
    """

    def __init__(self, programs: Path, **settings: str) -> None:
        self._programs, self._settings = programs, _SETTINGS | settings
        self.address = ""

    def __enter__(self) -> Self:
        self._folder = tempfile.TemporaryDirectory(prefix="pg")  # the path of a socket has to be short
        folder = Path(self._folder.name)
        self._data = folder / "data"
        self._data.mkdir(mode=0o700)
        self._prefix: list[str] = []
        if os.geteuid() == 0:  # PostgreSQL refuses root
            user = _find_user()
            for path in (folder, self._data):
                shutil.chown(path, user)
            self._prefix = ["setpriv", f"--reuid={user}", f"--regid={_get_group(user)}", "--clear-groups"]
        self._run("initdb", "-U", "payman", "-A", "trust", "--no-sync", "-E", "UTF8", "--locale=C")
        self.start()
        self.address = f"postgresql://payman@/postgres?host={folder}"
        return self

    def __exit__(self, *_: object) -> None:
        self._run("pg_ctl", "-w", "-m", "immediate", "stop")
        self._folder.cleanup()

    def start(self) -> None:
        """Start it."""
        settings = {**self._settings, "unix_socket_directories": self._folder.name}
        options = " ".join(f"-c {key}={value!r}" for key, value in settings.items())
        self._run("pg_ctl", "-w", "-l", f"{self._folder.name}/log", "-o", options, "start")

    def kill(self) -> None:
        """Kill it with everything that it does, and start it again; it recovers from its log."""
        self._run("pg_ctl", "-w", "-m", "immediate", "stop")
        self.start()

    def _run(self, program: str, *arguments: str) -> None:
        command = [*self._prefix, str(self._programs / program), "-D", str(self._data), *arguments]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd=self._folder.name, timeout=60)


@contextlib.contextmanager
def make_database(address: str, name: str, more: str = "") -> Iterator[str]:
    """Make a database on a server, with more clauses of CREATE DATABASE; yield its address."""
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}" {more}'.encode())
        yield make_conninfo(address, dbname=name)
        connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)'.encode())


def _find_user() -> str:
    import pwd

    known = {one.pw_name for one in pwd.getpwall()}
    return next(user for user in _USERS if user in known)


def _get_group(user: str) -> int:
    import pwd

    return pwd.getpwnam(user).pw_gid
