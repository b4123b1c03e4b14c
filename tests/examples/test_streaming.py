"""examples/streaming shows an answer as it comes, to a pipe and to a terminal, and cancels on Ctrl-C."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from payman_sdk.sandbox import Sandbox, StreamFault
from tests import programs
from tests.examples.programs import command, environment, on_a_terminal

PAYMENT = "send 10 TSD to Test Payee for coffee"


@pytest.fixture
def slow() -> Iterator[Sandbox]:
    with Sandbox(pace=0.05, chunk_words=2) as sandbox:
        yield sandbox


def start(folder: Path, sandbox: Sandbox | None, text: str = "") -> subprocess.Popen[str]:
    return programs.Popen(
        command("streaming/watch.py", *text.split()),
        cwd=folder,
        env=environment(sandbox),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )


def test_it_runs_without_an_account(tmp_path: Path) -> None:
    """Into a pipe, the answer is on stdout, word for word, and the states on stderr."""
    with start(tmp_path, None) as watching:
        stdout, stderr = watching.communicate(timeout=60)
    assert watching.returncode == 0
    assert "1,000.00 TSD" in stdout
    assert stderr.splitlines()[0] == "[working: Processing]"
    assert stderr.splitlines()[-1].startswith("[completed: ")


def test_a_piece_is_shown_when_it_comes(tmp_path: Path, slow: Sandbox) -> None:
    """The first words are there before the last ones were said, and a stream that breaks shows each word once."""
    slow.inject_stream_faults(StreamFault(after_events=4))
    with start(tmp_path, slow, PAYMENT) as watching:
        assert watching.stdout is not None
        first = watching.stdout.read(4)
        assert watching.poll() is None
        rest = watching.stdout.read()
    assert first == "Sent"
    assert (first + rest).count("10.00 TSD") == 1
    assert (first + rest).rstrip().endswith("990.00 TSD now.")
    assert len(slow.payments) == 1


@pytest.mark.skipif(sys.platform == "win32", reason="Ctrl-C is sent in another way there")
@pytest.mark.parametrize(
    ("amount", "said", "left"),
    [(150, "Canceled: the task is canceled.", 1000), (10, "Too late to cancel: Sent **10.00 TSD**", 990)],
)
def test_ctrl_c_cancels_the_task(tmp_path: Path, slow: Sandbox, amount: int, said: str, left: int) -> None:
    """In the middle of the answer Ctrl-C cancels what can still be canceled, and else tells what was done."""
    with start(tmp_path, slow, f"send {amount} TSD to Test Payee") as watching:
        assert watching.stdout is not None
        assert watching.stderr is not None
        watching.stdout.read(1)
        watching.send_signal(signal.SIGINT)
        stderr = watching.stderr.read()
    assert watching.returncode == 130
    assert said in stderr
    assert "Traceback" not in stderr
    assert slow.balance("TSD") == left
    assert slow.pending_payments == []


@pytest.mark.skipif(sys.platform == "win32", reason="there are no pseudo-terminals")
def test_a_terminal_gets_it_formatted(tmp_path: Path, slow: Sandbox) -> None:
    """With Rich and a terminal, Markdown is formatted: no asterisks are left, and every word is there."""
    status, said = on_a_terminal(command("streaming/watch.py", PAYMENT), tmp_path, slow)
    assert status == 0
    assert "Sent 10.00 TSD to Test Payee for coffee" in said
    assert "Your TSD wallet holds 990.00 TSD now." in said
    assert "**" not in said
    assert "[completed: " in said


@pytest.mark.skipif(sys.platform == "win32", reason="there are no pseudo-terminals")
def test_a_terminal_without_rich_gets_it_plain(tmp_path: Path, slow: Sandbox) -> None:
    """Where Rich is not installed, nothing is missing but the formatting."""
    (tmp_path / "rich.py").write_text("raise ImportError('as if it were not installed')", encoding="utf-8")
    line = command("streaming/watch.py", PAYMENT)
    status, said = on_a_terminal(line, tmp_path, slow, PYTHONPATH=str(tmp_path))
    assert status == 0
    assert "**Test Payee** for coffee" in said
    assert "Your TSD wallet holds 990.00 TSD now." in said


def test_it_says_that_it_waits(tmp_path: Path) -> None:
    """A payment that waits for a person is told as one."""
    with Sandbox() as sandbox, start(tmp_path, sandbox, "send 150 TSD to Test Payee") as watching:
        stdout, stderr = watching.communicate(timeout=60)
    assert watching.returncode == 0
    assert "Approval needed" in stdout
    assert "It waits for a person" in stderr
