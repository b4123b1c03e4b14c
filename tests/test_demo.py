"""The demo is the main job; it runs as a person would run it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests import programs

pytestmark = pytest.mark.slow


ROOT = Path(__file__).parent.parent
DEMO = [sys.executable, str(ROOT / "scripts" / "demo.py")]
PLAIN = {
    **os.environ,
    "COLUMNS": "200",
    "NO_COLOR": "1",
    "PYTHONUNBUFFERED": "1",
    "PYTHONIOENCODING": "utf-8",
}


def test_demo_shows_every_step_and_the_ledger() -> None:
    """The demo lists wallets, creates a payee, pays it, shows the transaction, and prints a ledger that is balanced."""
    done = programs.run(
        DEMO, capture_output=True, text=True, encoding="utf-8", timeout=60, env=PLAIN, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    for said in (
        "1,000.00 TSD",
        "Created the payee",
        "Sent 100.00 TSD to John Doe",
        "The ledger",
        "900.00 TSD are left",
    ):
        assert said in done.stdout


def test_demo_ends_cleanly_on_ctrl_c() -> None:
    """Ctrl-C in the middle ends the demo with status 130, no traceback, and nothing left that listens."""
    with programs.Popen(
        DEMO, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, encoding="utf-8", env=PLAIN
    ) as demo:
        assert demo.stdout is not None
        assert demo.stderr is not None
        first = demo.stdout.readline()
        address = first.split()[-1]
        demo.send_signal(signal.SIGINT)
        _, stderr = demo.communicate(timeout=30)
    assert address.startswith("http://127.0.0.1:")
    assert demo.returncode == 130
    assert "Traceback" not in stderr
