"""The command on a terminal: what a person types, and what they see."""

from __future__ import annotations

import contextlib
import os
import re
import select
import shlex
import shutil
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

import pytest

from payman_sdk.sandbox import HTTPError, Sandbox, ScriptedResponse
from tests import programs
from tests.cli.command import PROGRAM, ROOT, Payman, environment_of

if sys.platform == "win32":
    pytest.skip("no pseudo terminals here", allow_module_level=True)

import pty

pytestmark = pytest.mark.slow


class Screen:
    """The command in a terminal of its own."""

    def __init__(self, master: int, process: subprocess.Popen[bytes]) -> None:
        self._master, self._process, self.shown = master, process, ""

    def type(self, keys: str) -> None:
        """Types keys."""
        os.write(self._master, keys.encode())

    def until(self, words: str, *, times: int = 1, seconds: float = 60.0) -> str:
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

    def insist(self, keys: str, words: str, *, times: int) -> None:
        """Types keys until the words are there: between the prompt and the first key, Python misses a Ctrl-C."""
        for _ in range(60):
            self.type(keys)
            with contextlib.suppress(AssertionError):
                self.until(words, times=times, seconds=0.25)
                return
        self.until(words, times=times, seconds=1)

    def status(self, keys: str = "") -> int:
        """Wait for the end and return the exit status; type keys again and again, for a prompt may not read yet when the first come."""
        for _ in range(1_000):
            if keys and not select.select([self._master], [], [], 0.25)[0]:
                self.type(keys)
                continue
            try:
                if not os.read(self._master, 65536):
                    break
            except OSError:
                break
        return self._process.wait(timeout=60)


@contextmanager
def on_a_terminal(
    *arguments: str, command: str = "", before: str = "", **environment: str
) -> Iterator[Screen]:
    """Runs the command as a program in a pseudo terminal, after some Python where that is given."""
    master, slave = pty.openpty()
    process = programs.Popen(
        ["sh", "-c", command]
        if command
        else [sys.executable, "-c", f"{before}\n{_IN_A_TERMINAL}", *arguments],
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
        process.wait(timeout=60)
        os.close(master)


# Takes the terminal as its own first, so that Ctrl-C reaches it.
_IN_A_TERMINAL = """
import fcntl, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
from payman_sdk._cli.main import main
sys.exit(main())
"""


def test_ctrl_c_cancels_the_task_and_ctrl_d_leaves(payman: Payman, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a terminal: an answer, a task that is canceled by Ctrl-C while it runs, another answer, and the end by Ctrl-D."""
    skipped = [0.0]
    with Sandbox(
        clients={"cli-tests": os.environ["PAYMAN_CLIENT_SECRET"]},
        pace=0.08,
        clock=lambda: time.time() + skipped[0],
    ) as slow:
        slow.script([ScriptedResponse("One.")])
        with on_a_terminal("chat", PAYMAN_BASE_URL=slow.base_url) as screen:
            screen.until("payman> ")
            screen.type("first\r")
            screen.until("One.")
            screen.until("payman> ", times=2)
            slow.script([ScriptedResponse("word " * 300, state="completed")])
            screen.type("a long one\r")
            screen.until("word word")
            screen.type("\x03")
            screen.until("Canceling")
            skipped[0] += 60  # the rest of the words comes at once
            screen.until("payman> ", times=3)
            assert [request.operation for request in slow.requests].count("cancel_task") == 1
            screen.insist("\x03", "Ctrl-D leaves.", times=2)  # at the prompt, it does not leave either
            screen.type("\x1b[A\x1b[A\r")  # the history: two lines up is the first one
            screen.until("payman> ", times=5)
            screen.type("\x04")
            assert screen.status("\x04") == 0
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


class Tmux:
    """A terminal as a person sees it: what stands on its screen."""

    def __init__(self, *arguments: str, width: int = 80) -> None:
        self._tmux = ["tmux", "-L", f"payman-{uuid.uuid4().hex[:8]}"]
        self._env = {key: value for key, value in environment_of().items() if not key.startswith("TMUX")}
        size = ("-x", str(width), "-y", "30")
        self._run("-f", "/dev/null", "new-session", "-d", *size, shlex.join([*PROGRAM, *arguments]))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        subprocess.run([*self._tmux, "kill-server"], env=self._env, check=False, capture_output=True)

    def type(self, line: str) -> None:
        """Types a line."""
        self._run("send-keys", line, "Enter")

    def until(self, words: str, times: int = 1) -> str:
        """What stands on the screen once the words are there so many times."""
        end = time.monotonic() + 60
        while (shown := self._run("capture-pane", "-p")).count(words) < times:
            assert time.monotonic() < end, shown
            time.sleep(0.05)
        return shown

    def _run(self, *arguments: str) -> str:
        command = [*self._tmux, *arguments]
        done = subprocess.run(command, capture_output=True, text=True, env=self._env, cwd=ROOT, check=True)
        return done.stdout


needs_tmux = pytest.mark.skipif(
    shutil.which("tmux") is None, reason="no tmux here, which shows what a person would see"
)


@needs_tmux
def test_what_a_person_sees(payman: Payman, sandbox: Sandbox) -> None:
    """In a terminal of 40 columns: question, answer, approval and the prompt, and nothing left of the spinner."""
    with Tmux("chat", width=40) as tmux:
        tmux.until("payman>")
        tmux.type("send 150 TSD to Test Payee")
        tmux.until("answer>")
        tmux.type("/approve")
        shown = tmux.until("payman>", 2)
    assert "Approved. Sent 150.00 TSD" in " ".join(shown.split())
    assert all(len(line) <= 40 for line in shown.splitlines())
    assert "Processing" not in shown
    assert "Waiting for input" not in shown
    assert sandbox.balance() == 850


@needs_tmux
def test_chat_holds_a_session_begins_another_and_resumes_the_first(payman: Payman) -> None:
    """What was said is remembered in its session, not in a new one, and again when the chat is taken up by its id."""
    earlier = "What did we talk about earlier?"
    with Tmux("chat") as tmux:
        tmux.until("payman>")
        tmux.type("Hello!")
        tmux.until("payman>", 2)
        tmux.type(earlier)
        assert "Earlier in this session you said" in tmux.until("payman>", 3)
        tmux.type("/session")
        [session] = set(re.findall(r"ses-[0-9a-f-]{36}", tmux.until("payman>", 4)))
        tmux.type("/new")
        tmux.until("A new session: ses-")
        tmux.type(earlier)
        tmux.until("We have not talked about anything in this session yet")
    with Tmux("chat", "--session", session) as tmux:
        tmux.until("payman>")
        tmux.type(earlier)
        shown = tmux.until("payman>", 2)
    assert "Earlier in this session you said" in shown
    assert "Hello!" in shown


def test_ctrl_c_in_an_ask_says_how_to_go_on(payman: Payman) -> None:
    """`payman ask` leaves with 130, and says that the task goes on and how to learn its end."""
    with (
        Sandbox(clients={"cli-tests": os.environ["PAYMAN_CLIENT_SECRET"]}, pace=5.0) as slow,
        on_a_terminal("ask", "list all wallets", PAYMAN_BASE_URL=slow.base_url) as screen,
    ):
        screen.until("Processing")
        screen.type("\x03")
        screen.until("The task continues without this command")
        assert screen.status() == 130
        assert f"payman tasks get {slow.requests[-1].task_id}" in " ".join(screen.shown.split())


@pytest.mark.parametrize(("key", "status"), [("\x03", 130), ("\x04", 1), ("n\r", 1), ("\r", 1)])
def test_no_at_the_question(payman: Payman, sandbox: Sandbox, key: str, status: int) -> None:
    """Ctrl-C at the question whether it may be sent is an interruption, everything but yes a refusal."""
    live = "from payman_sdk._cli.settings import Settings; Settings.is_live = True"
    with on_a_terminal("ask", "send 5 TSD to Test Payee", before=live) as screen:
        screen.until("[y/N]")
        time.sleep(0.2)  # between the question and the first key, Python misses a Ctrl-C
        screen.type(key)
        screen.until("Nothing was sent")
        assert screen.status() == status
    assert sandbox.requests == []


def test_everything_in_an_answer_is_shown(payman: Payman, sandbox: Sandbox) -> None:
    """Rendering hides nothing: neither what looks like HTML, nor where a link leads, nor what looks like an emoji."""
    sandbox.script(
        ["Sent to <John> <b>Doe</b> [Payman](https://evil.example) :smile:\n\n<script>5 TSD</script>"]
    )
    with on_a_terminal("ask", "list all wallets") as screen:
        screen.until("completed [task")
    shown = re.sub(r"\x1b\[[\d;?]*[A-Za-z]", "", screen.shown)
    for words in ("<John>", "<b>Doe</b>", "https://evil.example", ":smile:", "<script>5 TSD</script>"):
        assert words in shown


def test_messages_stay_apart_from_answers(payman: Payman, sandbox: Sandbox) -> None:
    """With standard error in a file, retries that are told while the answer comes go there, not onto the screen."""
    sandbox.script([HTTPError(503, headers={"Retry-After": "0"}), "Done."])
    command = " ".join([*PROGRAM, "ask", "'list all wallets'", "2>errors.txt"])
    with on_a_terminal(command=command) as screen:
        screen.until("Done.")
        assert screen.status() == 0
    assert "Retrying" not in screen.shown
    assert "Retrying" in Path("errors.txt").read_text("utf-8")
