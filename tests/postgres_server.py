"""A real PostgreSQL for the tests: the one that PAYMAN_TEST_POSTGRES_URL names, or one on a socket in a temporary folder."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

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


@contextlib.contextmanager
def serving(programs: Path) -> Iterator[str]:
    """Run a server; yield its address, on a socket."""
    with tempfile.TemporaryDirectory(prefix="pg") as name:  # the path of a socket has to be short
        folder, data = Path(name), Path(name) / "data"
        data.mkdir(mode=0o700)
        prefix: list[str] = []
        if os.geteuid() == 0:  # PostgreSQL refuses root
            user = _find_user()
            for path in (folder, data):
                shutil.chown(path, user)
            prefix = ["setpriv", f"--reuid={user}", f"--regid={_get_group(user)}", "--clear-groups"]
        settings = {**_SETTINGS, "unix_socket_directories": name}
        options = " ".join(f"-c {key}={value!r}" for key, value in settings.items())

        def run(program: str, *arguments: str) -> None:
            command = [*prefix, str(programs / program), "-D", str(data), *arguments]
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd=folder, timeout=60)

        run("initdb", "-U", "payman", "-A", "trust", "--no-sync", "-E", "UTF8", "--locale=C")
        run("pg_ctl", "-w", "-l", str(folder / "log"), "-o", options, "start")
        try:
            yield f"host={name} user=payman dbname=postgres"
        finally:
            run("pg_ctl", "-w", "-m", "immediate", "stop")


@contextlib.contextmanager
def make_database(address: str, name: str) -> Iterator[str]:
    """Make a database on a server; yield its address."""
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"'.encode())
        yield make_conninfo(address, dbname=name)
        connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)'.encode())


def _find_user() -> str:
    import pwd

    known = {one.pw_name for one in pwd.getpwall()}
    return next(user for user in _USERS if user in known)


def _get_group(user: str) -> int:
    import pwd

    return pwd.getpwnam(user).pw_gid
