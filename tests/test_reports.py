"""What the suite says of itself, and what `--fast` lets through."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import pytest

from tests import programs
from tests.environments import AS_OTHERS
from tests.guards import is_forbidden, is_slow
from tests.reports import describe_skips, rank_files
from tests.tables import table


def test_skips_are_counted_and_one_command_brings_what_is_missing() -> None:
    said = describe_skips(
        [
            "Skipped: there is no tmux, and so no terminal to draw",
            "Skipped: Chromium is not installed (Debian: chromium)",
            "Skipped: Chromium is not installed (Debian: chromium)",
            "Skipped: only root can give files away",
        ]
    )
    assert said == [
        "2 skipped: Chromium is not installed (Debian: chromium)",
        "1 skipped: there is no tmux, and so no terminal to draw",
        "1 skipped: only root can give files away",
        "To run what Debian brings: sudo apt-get install chromium tmux",
    ]
    assert describe_skips([]) == []


def test_the_slowest_files_come_first() -> None:
    durations = [("tests/a.py::one", 1.0), ("tests/b.py::two[::]", 2.5), ("tests/a.py::three", 2.0)]
    assert rank_files(durations, 2) == ["    3.00s tests/a.py", "    2.50s tests/b.py"]
    assert rank_files(durations, 1) == ["    3.00s tests/a.py"]


@table(
    "event, arguments, forbidden",
    [
        ("subprocess.Popen", ("ls", ["ls"], None, None), True),
        ("os.fork", (), True),
        ("os.posix_spawn", ("/bin/ls", ["ls"], {}), True),
        ("os.system", ("ls",), True),
        ("socket.connect", (None, ("127.0.0.1", 80)), False),
        ("socket.connect", (None, ("127.9.9.9", 80)), False),
        ("socket.connect", (None, ("::1", 80, 0, 0)), False),
        ("socket.connect", (None, ("10.0.0.1", 80)), True),
        ("socket.connect", (None, ("payman.example", 80)), True),
        ("socket.connect", (None, "/run/some.socket"), True),
        ("socket.connect", (None, ()), True),
        ("socket.sendto", (None, ("8.8.8.8", 53)), True),
        ("socket.getaddrinfo", ("localhost", 80, 0, 0, 0), False),
        ("socket.getaddrinfo", (b"127.0.0.1", 80, 0, 0, 0), False),
        ("socket.getaddrinfo", ("payman.example", 443, 0, 0, 0), True),
        ("open", ("/etc/passwd", "r", 0), False),
        ("import", ("os", None), False),
    ],
)
def test_a_fast_test_stays_within_its_process_and_loopback(
    event: str, arguments: tuple[Any, ...], forbidden: bool
) -> None:
    assert is_forbidden(event, arguments) is forbidden


STRANGER = """
import socket, subprocess

import pytest

def test_process():
    subprocess.run(["true"])

def test_caught():
    try:
        subprocess.run(["true"])
    except OSError:
        pass

def test_beyond():
    socket.create_connection(("192.0.2.1", 9), timeout=0.01)

@pytest.mark.slow
def test_marked():
    raise NotImplementedError

def test_loopback():
    with socket.create_server(("127.0.0.1", 0)) as server:
        socket.create_connection(server.getsockname()).close()
"""


@pytest.mark.slow
def test_fast_refuses_what_nobody_marked(tmp_path: Path) -> None:
    """A test that starts a process or leaves loopback fails under `--fast`, also if it catches what it gets for it.

    A file of slow tests is not even imported.
    """
    hooks = "from tests.guards import *\nfrom tests.guards import _is_as_fast_as_it_says\n"
    (tmp_path / "conftest.py").write_text(hooks)
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers = slow\n")
    (tmp_path / "test_stranger.py").write_text(STRANGER)
    (tmp_path / "test_slow.py").write_text(
        "import nothing_of_that_name\nimport pytest\npytestmark = pytest.mark.slow\n"
    )
    command = [sys.executable, "-m", "pytest", "-q", *AS_OTHERS, "-rA", "--fast"]
    ours = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    done = programs.run(
        command, cwd=tmp_path, env=ours, capture_output=True, text=True, timeout=60, check=False
    )
    assert "1 deselected" in done.stdout, done.stdout + done.stderr
    for said in (
        "FAILED test_stranger.py::test_process ",
        "ERROR test_stranger.py::test_caught ",
        "FAILED test_stranger.py::test_beyond ",
        "PASSED test_stranger.py::test_loopback\n",
    ):
        assert said in done.stdout


def test_a_folder_of_slow_tests_is_left_out_by_whatever_name(request: pytest.FixtureRequest) -> None:
    """A folder or a file that is named on the command line is collected, also one that `--fast` leaves out."""
    folder = Path(__file__).parent
    for path, expected in {
        folder / "docs" / "test_site.py": True,
        folder / "regenerate" / "deeper" / "test_x.py": True,
        folder / "tasks" / "test_once.py": False,
        folder / "test_docs.py": False,
        folder.parent / "docs" / "test_x.py": False,
    }.items():
        item = pytest.Module.from_parent(request.session, path=path)
        assert is_slow(item) is expected, path
