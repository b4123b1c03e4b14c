from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from scripts.regeneration import folders, work
from tests import programs
from tests.peer import Peer
from tests.regenerate.conftest import DOCUMENT, ROOT, Changed, Regenerate, colour, everything


def test_an_interruption_changes_nothing(
    bare: Path, changed: Changed, regenerate: Regenerate, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C at the last moment before the swap leaves everything as it was."""

    def interrupted(*_: Any) -> Any:
        signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(work, "name_changes", interrupted)
    before = everything(bare)
    run = regenerate("--from", changed(colour), "--report", bare / "report.md")
    assert (run.status, run.out) == (130, "")
    assert run.err == "scripts/regenerate: interrupted.\nNothing was changed.\n"
    assert everything(bare) == before


STARTED = """
import gc, os, runpy, sys
gc.disable()
import scripts.regeneration.command

count = int(sys.argv.pop(1))
for _ in range(count):
    if not (pid := os.fork()):
        runpy.run_module("scripts.regeneration", run_name="__main__", alter_sys=True)
    print(pid, flush=True)
sys.stdin.read()
for _ in range(count):
    print(*os.wait(), flush=True)
"""
"""Starts the program several times, and imports what it needs once, which takes most of its time."""


def test_a_running_program_can_be_ended(small: Path, peer: Peer) -> None:
    """It ends at once, leaves everything as it was and nothing behind."""
    ends = [(signal.SIGINT, 130), (signal.SIGTERM, 143)]
    peer.always("/api", peer.never)
    before = everything(small)
    scratch = small.parent / "scratch"
    scratch.mkdir()
    arguments = ["--root", str(small), "--from", f"{peer.base_url}/api"]
    starter = subprocess.Popen(
        [sys.executable, "-P", "-c", STARTED, str(len(ends)), *arguments],
        env={**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(scratch)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with starter:
        assert starter.stdout is not None
        pids = [int(starter.stdout.readline()) for _ in ends]
        until = time.monotonic() + 30
        while len(peer.requests) < len(ends) and time.monotonic() < until:
            time.sleep(0.02)
        assert len(list(scratch.iterdir())) == len(ends)
        for pid, (number, _) in zip(pids, ends, strict=True):
            os.kill(pid, number)
        out, _ = starter.communicate(timeout=60)
    ended = {
        int(pid): os.waitstatus_to_exitcode(int(status)) for pid, status in map(str.split, out.splitlines())
    }
    assert ended == {pid: status for pid, (_, status) in zip(pids, ends, strict=True)}
    assert everything(small) == before
    assert list(scratch.iterdir()) == []


def test_an_interruption_amid_the_swap_comes_too_late(
    bare: Path, changed: Changed, regenerate: Regenerate, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The swap takes milliseconds and is finished; what is printed is what was done."""
    put = folders._put

    def disturbed(*arguments: Any, **keywords: Any) -> None:
        signal.raise_signal(signal.SIGINT)
        put(*arguments, **keywords)

    monkeypatch.setattr(folders, "_put", disturbed)
    run = regenerate("--from", changed(colour))
    assert (run.status, run.err) == (0, "")
    assert "colour: str | Unset" in (bare / "generated/payman_api/models/task_send_params.py").read_text()
    assert regenerate("--check").status == 0


KILLED = """
import os, sys
from pathlib import Path
from scripts.regeneration.folders import restore, swap

root, last, what = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
count = 0

def counted(function):
    def call(*arguments, **keywords):
        global count
        if count == last:
            os._exit(9)
        count += 1
        return function(*arguments, **keywords)
    return call

for name in ("rename", "replace", "unlink"):
    setattr(Path, name, counted(getattr(Path, name)))
if what == "swap":
    coming = {"spec/a": root / "new/a", "spec/b": None, "spec/c": root / "new/c", "generated": root / "new/generated"}
    swap(root, coming)
else:
    restore(root)
"""


def killed(root: Path, last: int, what: str) -> int:
    """Swap or restore, and be killed before the so many-th time that anything is moved."""
    command = [sys.executable, "-c", KILLED, str(root), str(last), what]
    killed: int = programs.run(command, env={**os.environ, "PYTHONPATH": str(ROOT)}, check=False).returncode
    return killed


def mixture(root: Path) -> dict[str, str]:
    found = {
        path.relative_to(root).as_posix(): path.read_text()
        for name in ("spec", "generated")
        for path in (root / name).rglob("*")
        if path.is_file()
    }
    return dict(sorted(found.items()))


def prepared(root: Path) -> Path:
    for name in ("spec/a", "spec/b", "generated/x", "generated/y"):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("old")
    for name in ("new/a", "new/c", "new/generated/x", "new/generated/z"):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("new")
    return root


OLD = {"generated/x": "old", "generated/y": "old", "spec/a": "old", "spec/b": "old"}
NEW = {"generated/x": "new", "generated/z": "new", "spec/a": "new", "spec/c": "new"}


def test_a_kill_amid_the_swap_is_put_right(tmp_path: Path) -> None:
    """Wherever the swap is cut short, and wherever the next run's repair is, in the end everything is old or everything new."""
    ends = []
    last, status = 0, 9
    while status == 9:
        root = prepared(tmp_path / str(last))
        status = killed(root, last, "swap")
        mixed = mixture(root) not in (OLD, NEW)
        assert not mixed or folders.is_cut_short(root)
        if mixed:
            killed(root, last % 5, "restore")
        folders.restore(root)
        assert not (root / folders.WORKSHOP).exists()
        assert mixture(root) in (OLD, NEW)
        ends.append("old" if mixture(root) == OLD else "new")
        last += 1
    assert ends == sorted(ends, reverse=True), "old up to a moment, new from it on"
    assert len(ends) > 8


def test_what_somebody_has_put_back_by_hand_is_left(tmp_path: Path) -> None:
    """Who finds a file gone and brings it back from git keeps what they brought."""
    root = prepared(tmp_path)
    assert killed(root, 2, "swap") == 9
    assert not (root / "spec/a").exists()
    (root / "spec/a").write_text("by hand")
    assert folders.restore(root)
    assert mixture(root) == {**OLD, "spec/a": "by hand"}


def test_a_swap_that_was_cut_short_is_undone_first(bare: Path, regenerate: Regenerate) -> None:
    """A check says so and changes nothing; a run puts everything back and then does its work."""
    before = everything(bare)
    new = bare.parent / "new"
    new.write_text("broken")
    killed_at = """
import os, sys
from pathlib import Path
from scripts.regeneration import folders
put = folders._put
def once(root, name, comes):
    put(root, name, comes=comes)
    os._exit(9)
folders._put = once
folders.swap(Path(sys.argv[1]), {"spec/payman.openapi.yaml": Path(sys.argv[2]), "generated": None})
"""
    command = [sys.executable, "-c", killed_at, str(bare), str(new)]
    assert programs.run(command, env={**os.environ, "PYTHONPATH": str(ROOT)}, check=False).returncode == 9
    assert (bare / DOCUMENT).read_text() == "broken"

    check = regenerate("--check")
    assert check.status == 2
    assert "an earlier run was cut short" in check.err
    assert (bare / DOCUMENT).read_text() == "broken"

    run = regenerate()
    assert (run.status, run.out) == (0, "")
    assert run.err == "scripts/regenerate: an earlier run was cut short; everything is back as it was.\n"
    assert everything(bare) == before
