from __future__ import annotations

import http.client
import re
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from payman_sdk import PaymanClient
from payman_sdk._cli.commands.sandbox import SEED, seed
from payman_sdk._cli.request_log import RequestPrinter, format_request
from payman_sdk.sandbox import Sandbox, SandboxRequest
from tests import programs
from tests.cli.command import PROGRAM, Payman, environment_of
from tests.tables import table

pytestmark = pytest.mark.slow


class Served:
    """`payman sandbox`, in a process of its own."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self.introduction = ""
        while "CLIENT_SECRET" not in self.introduction:
            assert process.stdout is not None
            line = process.stdout.readline()
            assert line, self.introduction
            self.introduction += line
        self.variables = dict(re.findall(r"export (\w+)=(.*)", self.introduction))

    def client(self) -> PaymanClient:
        """A client with the variables that it printed."""
        return PaymanClient(
            base_url=self.variables["PAYMAN_BASE_URL"],
            client_id=self.variables["PAYMAN_CLIENT_ID"],
            client_secret=self.variables["PAYMAN_CLIENT_SECRET"],
        )

    def stop(self) -> str:
        """Presses Ctrl-C; returns what it had said since the introduction."""
        self._process.send_signal(signal.SIGINT)
        rest, errors = self._process.communicate(timeout=60)
        assert (self._process.returncode, errors) == (0, "")
        return rest

    def stop_unread(self) -> int | None:
        """Press Ctrl-C without reading what it printed; return the exit status."""
        self._process.send_signal(signal.SIGINT)
        return self._process.wait(timeout=60)


@contextmanager
def served(*arguments: str) -> Iterator[Served]:
    """Runs `payman sandbox` on a free port."""
    process = programs.Popen(
        [*PROGRAM, "sandbox", "--port", "0", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        env=environment_of(),
    )
    try:
        yield Served(process)
    finally:
        process.kill()
        process.communicate(timeout=60)


def test_it_serves_and_reports_what_it_is_asked() -> None:
    """It begins with data, takes its time, and tells each request on a line without secrets."""
    with served("--seed-data", "--latency", "0.1") as sandbox:
        with sandbox.client() as client:
            began = time.monotonic()
            answer = client.ask("show my last 10 transactions")
            assert time.monotonic() - began >= 0.2  # the token and the ask
            with client.stream("list all payees") as stream:
                stream.result()
            secret = str(client.get_access_token())
        log = sandbox.stop().split("\n\n")[-1]
    assert "awaiting approval" in answer.text
    assert log.splitlines() == [
        "POST /api/oauth2/token 200",
        'POST /api/a2a/tasks/send 200 "show my last 10 transactions"',
        'POST /api/a2a/tasks/sendSubscribe 200 "list all payees"',
    ]
    assert secret not in log


def test_a_log_that_nobody_reads_stops_nothing() -> None:
    """The pipe is full after some hundred lines; the sandbox answers all the same, and Ctrl-C ends it."""
    with served() as sandbox:
        address = sandbox.variables["PAYMAN_BASE_URL"].removeprefix("http://")
        connection = http.client.HTTPConnection(address, timeout=60)
        for number in range(600):
            connection.request("GET", f"/{number}/{'x' * 250}")
            response = connection.getresponse()
            assert response.status == 404
            response.read()
        connection.close()
        assert sandbox.stop_unread() == 0


def test_lines_that_cannot_be_printed_are_counted() -> None:
    """Only so many wait; a line says how many were dropped, once the output is read again."""
    printed: list[str] = []
    is_read = threading.Event()
    printer = RequestPrinter(printed.append, lambda seconds: is_read.wait(seconds))
    printer.is_on = True
    for _ in range(1_010):
        printer(SandboxRequest("GET", "/"))
    is_read.set()
    printer.close()
    dropped = int(printed.pop()[1:].split()[0])
    assert dropped in (9, 10)  # one line may have been taken from those that wait
    assert len(printed) + dropped == 1_010


def test_an_exposed_sandbox_says_how_to_open_its_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """It warns, and shows a token that it made; one that was given stays in its variable."""

    def stop_at_once(url: str) -> bool:
        signal.raise_signal(signal.SIGINT)
        return True

    monkeypatch.setattr("webbrowser.open", stop_at_once)
    said = Payman()("sandbox", "--port", "0", "--open", "--allow-host", "sandbox")
    assert said.status == 0
    assert re.search(r"Its pages ask for a password: [\w-]{32,}\n", said.out)
    assert "Other machines can reach this sandbox." in said.err
    monkeypatch.setenv("PAYMAN_SANDBOX_ADMIN_TOKEN", "a-token-that-was-given")
    said = Payman()("sandbox", "--port", "0", "--open")
    assert "the value of PAYMAN_SANDBOX_ADMIN_TOKEN" in said.out
    assert "a-token-that-was-given" not in said.out + said.err


@pytest.mark.parametrize("is_shown", [True, False])
def test_it_opens_its_web_page(monkeypatch: pytest.MonkeyPatch, is_shown: bool) -> None:
    """It prints the page's address, and with `--open` shows it in the browser, or says that it could not."""
    shown: list[str] = []

    def opened(url: str) -> bool:
        shown.append(url)
        signal.raise_signal(signal.SIGINT)
        return is_shown

    monkeypatch.setattr("webbrowser.open", opened)
    said = Payman()("sandbox", "--port", "0", "--open")
    assert said.status == 0
    assert f"Its web page: {shown[0]}\n" in said.out
    assert shown[0].endswith("/web/")
    assert ("No browser could be opened" in said.err) is not is_shown


def test_a_secret_that_was_given_is_not_shown() -> None:
    """Credentials that the sandbox made are shown, for they open nothing else; those of `--client` are not."""
    with served("--client", "mine:a-secret-of-mine") as sandbox:
        assert "PAYMAN_CLIENT_ID=mine\n" in sandbox.introduction
        assert "a-secret-of-mine" not in sandbox.introduction + sandbox.stop()


def test_what_is_kept_in_a_file_is_seeded_once(tmp_path: Path) -> None:
    """The seed has keys: a second run with the same file pays nothing again."""
    for _ in range(2):
        sandbox = Sandbox(db=tmp_path / "payman.db", clients={"a": "b"})
        seed(sandbox)
        assert len(sandbox.payments) == sum(text.startswith("send") for text in SEED)
        assert len(sandbox.pending_payments) == 1
        sandbox.check_invariants()
        sandbox.close()


@table(
    "arguments",
    [
        ["--client", "nothing"],
        ["--latency", "-1"],
        ["--latency", "1e9"],
        ["--port", "99999"],
        ["--pace", "-1"],
        ["--chunk-words", "0"],
        ["--db", "/no/such/folder/payman.db"],
        ["--env", "TEST"],
        ["--host", "0.0.0.0"],  # noqa: S104 # it is refused
        ["--allow-host", "http://sandbox"],
    ],
)
def test_what_it_cannot_do_is_a_usage_error(arguments: list[str]) -> None:
    """A wrong option, a folder that is not there: status 2 and a sentence."""
    said = Payman()("sandbox", *arguments)
    assert (said.status, said.out) == (2, "")
    assert said.err


def test_a_port_that_is_taken(sandbox: Sandbox) -> None:
    """It says which port, and how to choose another."""
    said = Payman()("sandbox", "--port", sandbox.base_url.rpartition(":")[2])
    assert said.status == 2
    assert "--port" in said.err


@pytest.mark.parametrize(
    ("request_", "line"),
    [
        (SandboxRequest("GET", "/", status=404), "GET / 404"),
        (SandboxRequest("POST", "/a", task_id="tsk-1"), "POST /a no answer tsk-1"),
        (
            SandboxRequest("POST", "/a", text="x\n" * 90, status=200),
            f'POST /a 200 "{"x " * 30}… (119 more characters)"',
        ),
        (
            SandboxRequest("POST", "/\x1b[2J", text="\x1b]0;a\x07", status=200),
            r'POST /\x1b[2J 200 "\x1b]0;a\x07"',
        ),
    ],
)
def test_a_request_is_one_line(request_: SandboxRequest, line: str) -> None:
    """Long words are cut, and nothing commands the terminal."""
    assert format_request(request_) == line
