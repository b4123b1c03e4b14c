from __future__ import annotations

import os
import pty
import re
import select
import shutil
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from payman_sdk.cli.chat_lines import COMMANDS, Command, Say, Unclear, read_line
from payman_sdk.cli.watching import Progress
from payman_sdk.sandbox import Answer, HTTPFailure, Sandbox
from tests.cli.command import PROGRAM, ROOT, Payman, environment_of


@pytest.mark.parametrize(
    ("line", "meaning"),
    [
        ("list all wallets\n", Say("list all wallets")),
        ("  \n", None),
        ("/NEW\n", Command("/new")),
        ("/exit", Command("/quit")),
        ("/aprove", Unclear("'/aprove' is no command. Did you mean /approve?")),
        ("/xyz", Unclear("'/xyz' is no command. See /help.")),
    ],
)
def test_what_a_line_means(line: str, meaning: object) -> None:
    """A slash begins a command, everything else is for the agent."""
    assert read_line(line) == meaning


def test_a_conversation_from_a_pipe(payman: Payman, sandbox: Sandbox) -> None:
    """Lines are asks of one session; `/new` begins another; the status is that of the last answer."""
    said = payman(
        "chat",
        given="list all wallets\n\n/session\nWhat did we talk about earlier?\n/new\nWhat did we talk about earlier?\n",
    )
    assert said.status == 0
    first, second, third = [r.session_id for r in sandbox.requests if r.operation == "send_task_subscribe"]
    assert first == second != third
    assert f"{first}\n" in said.out
    assert f"A new session: {third}" in said.out
    assert "We have not talked about anything" in said.out


def test_a_session_is_resumed(payman: Payman, sandbox: Sandbox) -> None:
    """`--session` goes on with an earlier one."""
    payman("chat", "--session", "ses-earlier", given="Hello!")
    assert sandbox.requests[-1].session_id == "ses-earlier"


@pytest.mark.parametrize(
    ("words", "balance"), [("/approve", 850), ("/deny", 1000), ("approve", 850), ("/cancel", 1000)]
)
def test_what_waits_is_decided(payman: Payman, sandbox: Sandbox, words: str, balance: int) -> None:
    """A command or plain words answer the task that waits, and what was said before is not repeated."""
    said = payman("chat", given=f"send 150 TSD to Test Payee\n{words}\n")
    assert sandbox.balance() == balance
    assert "It waits for you: /approve, /deny" in said.err
    assert said.out.count("Approval needed") == 1
    assert sandbox.pending == []


def test_a_new_session_leaves_what_waits(payman: Payman, sandbox: Sandbox) -> None:
    """`/new` answers nothing; leaving says how the task can be decided later."""
    said = payman("chat", given="send 150 TSD to Test Payee\n/new\n/approve\n")
    assert "Nothing waits for you" in said.err
    assert len(sandbox.pending) == 1
    said = payman("chat", given="send 150 TSD to Test Payee\n")
    assert said.status == 5
    assert f"payman tasks reply {sandbox.pending[-1].task_id} approve" in said.err


def test_failures_do_not_end_it(payman: Payman, sandbox: Sandbox) -> None:
    """What goes wrong is told, and the next line is asked; the status is that of the last one."""
    sandbox.script([HTTPFailure(403), Answer("It broke.", state="failed"), "Good."])
    said = payman("chat", given="one\ntwo\nthree\n/nonsense\n")
    assert "403" in said.err
    assert "The task is failed" in said.err
    assert "Good." in said.out
    assert said.status == 0


def test_help_shows_every_command(payman: Payman) -> None:
    """`/help` names them all, and fits a screen."""
    said = payman("chat", given="/help\n/quit\nnever said\n")
    assert all(name in said.out for name in COMMANDS)
    assert len(said.out.splitlines()) <= 20


def test_progress_shows_the_newest_lines_and_the_state(sandbox: Sandbox) -> None:
    """What is shown while an answer comes fits the screen, whatever its length."""
    from rich.console import Console

    console = Console(width=40, height=10, force_terminal=True, color_system=None)
    sandbox.script(["\n".join(f"- line {number}" for number in range(100))])
    progress = Progress(clock=lambda: 0.0)
    with sandbox.client() as client, client.stream("list all wallets") as stream:
        for event in stream:
            progress.take(event)
    with console.capture() as captured:
        console.print(progress)
    lines = captured.get().splitlines()
    assert len(lines) == 8
    assert "line 99" in lines[-2]
    assert "Processing completed successfully  0 s" in lines[-1]


class Screen:
    """The command in a terminal of its own."""

    def __init__(self, master: int, process: subprocess.Popen[bytes]) -> None:
        self._master, self._process, self.shown = master, process, ""

    def type(self, keys: str) -> None:
        """Types keys."""
        os.write(self._master, keys.encode())

    def until(self, words: str, *, times: int = 1, seconds: float = 15.0) -> str:
        """Reads until the words are there so many times; returns everything that was shown."""
        end = time.monotonic() + seconds
        while self.shown.count(words) < times:
            left = end - time.monotonic()
            if left <= 0 or not select.select([self._master], [], [], left)[0]:
                raise AssertionError(f"{words!r} was not shown: {self.shown!r}")
            try:
                read = os.read(self._master, 65536)
            except OSError:  # the other side is closed
                read = b""
            if not read:
                raise AssertionError(f"it ended without {words!r}: {self.shown!r}")
            self.shown += read.decode(errors="replace")
        return self.shown

    def status(self) -> int:
        """Waits for the end; returns the exit status."""
        while True:
            try:
                if not os.read(self._master, 65536):
                    break
            except OSError:
                break
        return self._process.wait(timeout=15)


@contextmanager
def on_a_terminal(*arguments: str, **environment: str) -> Iterator[Screen]:
    """Runs the command as a program in a pseudo terminal."""
    master, slave = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", _IN_A_TERMINAL, *arguments],
        stdin=slave,
        stdout=slave,
        stderr=slave,
        env=environment_of(COLUMNS="80", LINES="24", **environment),
        start_new_session=True,
    )
    os.close(slave)
    try:
        yield Screen(master, process)
    finally:
        process.kill()
        process.wait(timeout=15)
        os.close(master)


# Takes the terminal as its own first, so that Ctrl-C reaches it.
_IN_A_TERMINAL = """
import fcntl, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
from payman_sdk.cli.entry import main
sys.exit(main())
"""


def test_ctrl_c_cancels_the_task_and_ctrl_d_leaves(payman: Payman, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a terminal: an answer, a task that is canceled by Ctrl-C while it runs, another answer, and the end by Ctrl-D."""
    with Sandbox(clients={"cli-tests": os.environ["PAYMAN_CLIENT_SECRET"]}, pace=0.08) as slow:
        slow.script([Answer("One.")])
        with on_a_terminal("chat", PAYMAN_BASE_URL=slow.base_url) as screen:
            screen.until("payman> ")
            screen.type("first\r")
            screen.until("One.")
            screen.until("payman> ", times=2)
            slow.script([Answer("word " * 300, state="completed")])
            screen.type("a long one\r")
            screen.until("word word")
            screen.type("\x03")
            screen.until("Canceling")
            screen.until("payman> ", times=3)
            assert [request.operation for request in slow.requests].count("cancel_task") == 1
            screen.type("\x03")  # at the prompt, it does not leave either
            screen.until("Ctrl-D leaves.", times=2)
            screen.type("\x1b[A\x1b[A\r")  # the history: two lines up is the first one
            screen.until("payman> ", times=5)
            screen.type("\x04")
            assert screen.status() == 0
        texts = [request.text for request in slow.requests if request.operation == "send_task_subscribe"]
        assert texts == ["first", "a long one", "first"]
        assert "Traceback" not in screen.shown


def test_ask_on_a_terminal_renders_markdown(payman: Payman) -> None:
    """On a terminal the answer is streamed and rendered; with NO_COLOR, and on a narrow one, it is still all there."""
    with on_a_terminal("ask", "list all wallets") as screen:
        screen.until("completed [task")
        assert screen.status() == 0
    assert "\x1b[1mTSD Wallet" in screen.shown
    assert "**" not in screen.shown
    with on_a_terminal("ask", "list all wallets", NO_COLOR="1") as plain:
        plain.until("completed [task")
    assert re.findall(r"\x1b\[[\d;]*m", plain.shown) == []
    assert "TSD Wallet" in plain.shown


@pytest.mark.parametrize("encoding", ["ascii", "utf-8"])
def test_a_terminal_without_the_characters(payman: Payman, encoding: str) -> None:
    """A code page without a character shows another one in its place."""
    with on_a_terminal("--sandbox", "ask", "list all wallets", PYTHONIOENCODING=encoding) as screen:
        assert screen.until("completed [task").count("Traceback") == 0
        assert screen.status() == 0


@pytest.mark.skipif(shutil.which("tmux") is None, reason="no tmux here, which shows what a person would see")
def test_what_a_person_sees(payman: Payman, sandbox: Sandbox) -> None:
    """In a terminal of 40 columns: question, answer, approval and the prompt, and nothing left of the spinner."""
    name = f"payman-{uuid.uuid4().hex[:8]}"
    tmux = ["tmux", "-L", name]
    env = {key: value for key, value in environment_of().items() if not key.startswith("TMUX")}
    command = " ".join([*PROGRAM, "chat"])

    def screen() -> str:
        return subprocess.run(
            [*tmux, "capture-pane", "-p"], capture_output=True, text=True, env=env, check=True
        ).stdout

    def until(words: str, times: int = 1) -> str:
        end = time.monotonic() + 15
        while (shown := screen()).count(words) < times:
            assert time.monotonic() < end, shown
            time.sleep(0.05)
        return shown

    start = [*tmux, "-f", "/dev/null", "new-session", "-d", "-x", "40", "-y", "30", command]
    subprocess.run(start, env=env, cwd=ROOT, check=True)
    try:
        until("payman>")
        subprocess.run([*tmux, "send-keys", "send 150 TSD to Test Payee", "Enter"], env=env, check=True)
        until("answer>")
        subprocess.run([*tmux, "send-keys", "/approve", "Enter"], env=env, check=True)
        shown = until("payman>", 2)
    finally:
        subprocess.run([*tmux, "kill-server"], env=env, check=False)
    assert "Approved. Sent 150.00 TSD" in " ".join(shown.split())
    assert all(len(line) <= 40 for line in shown.splitlines())
    assert "Processing" not in shown
    assert "Waiting for input" not in shown
    assert sandbox.balance() == 850


def test_ctrl_c_in_an_ask_says_how_to_go_on(payman: Payman) -> None:
    """`payman ask` leaves with 130, and says that the task goes on and how to learn its end."""
    with (
        Sandbox(clients={"cli-tests": os.environ["PAYMAN_CLIENT_SECRET"]}, pace=5.0) as slow,
        on_a_terminal("ask", "list all wallets", PAYMAN_BASE_URL=slow.base_url) as screen,
    ):
        screen.until("Processing")
        screen.type("\x03")
        screen.until("The task goes on without you")
        assert screen.status() == 130
        assert f"payman tasks get {slow.requests[-1].task_id}" in " ".join(screen.shown.split())
