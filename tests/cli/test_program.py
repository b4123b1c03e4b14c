from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from payman_sdk._cli.context import hoist_flags
from payman_sdk._cli.exit_codes import TABLE
from payman_sdk.sandbox import Sandbox
from tests import programs
from tests.cli.command import PROGRAM, SECRET, Payman, environment_of, run

pytestmark = pytest.mark.slow


SCRIPT = Path(sys.executable).with_name("payman")


COMMANDS = (
    "pay", "payments", "wallets", "payees", "transactions", "ask", "chat", "login", "logout", "token", "tasks", "sandbox",
    "mcp", "doctor", "help", "version",
)  # fmt: skip


def test_the_help_has_commands_examples_statuses_and_a_link() -> None:
    """`payman --help` is 80 wide, names every command and every exit status, and shows examples; `payman help` is the same."""
    said = Payman()("--help")
    lines = said.out.splitlines()
    assert max(map(len, lines)) <= 80
    starts = [*(f"  {command} " for command in COMMANDS), *(f"    {status} " for status, _ in TABLE)]
    starts += ["    payman --sandbox pay 10 TSD", "    https://"]
    assert [start for start in starts if not any(line.startswith(start) for line in lines)] == []
    assert [line.split()[0] for line in lines if line.startswith("  ") and line[2:3].isalpha()][
        -1
    ] == "Documentation:"
    assert Payman()("help") == said
    assert Payman()("help", "payees", "add").out == Payman()("payees", "add", "--help").out
    assert Payman()("help", "nothing").status == 2
    assert Payman()("version") == Payman()("--version")


def test_the_shell_completes_commands_and_flags() -> None:
    """What `--install-completion` installs finds commands, subcommands and flags."""
    for words, expected in (
        ("payman pa", "payees"),
        ("payman payees a", "add"),
        ("payman pay --me", "--memo"),
    ):
        said = run(
            [],
            _PAYMAN_COMPLETE="complete_bash",
            COMP_WORDS=words,
            COMP_CWORD=str(len(words.split()) - 1),
        )
        assert expected in said.out.split(), words


def test_help_is_cheap() -> None:
    """Help imports neither httpx nor the client, the sandbox or Rich's markdown."""
    program = (
        "import sys\nfrom payman_sdk._cli.main import main\n"
        "for arguments in (['--help'], ['ask', '--help'], ['tasks', 'wait', '-h'], ['--version']):\n"
        "    sys.argv[1:] = arguments\n    assert main() == 0\n"
        "    print(*arguments, 'imported', *sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program],
        capture_output=True,
        text=True,
        check=True,
        env=environment_of(COVERAGE_PROCESS_CONFIG=""),  # what measures coverage imports sqlite3
    )
    loaded = {
        asked: set(modules.split())
        for asked, modules in re.findall(r"^(.*) imported (.*)$", done.stdout, re.MULTILINE)
    }
    assert len(loaded) == 4
    assert all("payman_sdk._cli.context" in modules for modules in loaded.values())
    unwanted = {
        "httpx",
        "starlette",
        "uvicorn",
        "sqlite3",
        "payman_sdk._client.sync",
        "payman_sdk.sandbox",
        "rich.markdown",
    }
    unwanted |= {"dotenv", "keyring", "filelock", "payman_sdk._core.effects"}
    assert {asked: modules & unwanted for asked, modules in loaded.items() if modules & unwanted} == {}


@pytest.mark.skipif(not SCRIPT.exists(), reason="the package was installed before it had this script")
def test_the_script_is_the_command() -> None:
    """What the package installs as `payman` says its version."""
    done = subprocess.run([SCRIPT, "--version"], capture_output=True, text=True, check=True)
    assert done.stdout == "payman 2.0.0.dev0\n"


@pytest.mark.parametrize("missing", ["typer", "rich"])
def test_without_the_extra_it_says_which(missing: str) -> None:
    """A missing package is a sentence and status 2, not a traceback."""
    program = (
        f"import sys; sys.modules[{missing!r}] = None; sys.argv[1:] = ['--sandbox', 'ask', 'list all wallets', '--stream']\n"
        "from payman_sdk._cli.main import main\nsys.exit(main())"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False, env=environment_of()
    )
    assert done.returncode == 2
    assert "pip install 'paymanai-sdk[cli]'" in done.stderr
    assert "Traceback" not in done.stderr


def test_without_the_extra_of_the_sandbox(monkeypatch: pytest.MonkeyPatch) -> None:
    """`payman sandbox` without its server says which extra it needs."""
    for name in [name for name in sys.modules if name.startswith("payman_sdk.sandbox.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "starlette", None)
    monkeypatch.setitem(sys.modules, "starlette.applications", None)
    for arguments in (["sandbox"], ["--sandbox", "ask", "list all wallets"]):
        said = Payman()(*arguments)
        assert said.status == 2
        assert "pip install 'paymanai-sdk[sandbox]'" in said.err


def test_without_the_extra_of_the_store(monkeypatch: pytest.MonkeyPatch) -> None:
    """`payman login` without a place for the token says which extra it needs; an ask does not need it."""
    monkeypatch.delitem(sys.modules, "payman_sdk.token_stores.file", raising=False)
    monkeypatch.setitem(sys.modules, "filelock", None)
    assert "Nobody was logged in" in Payman()("logout").err
    said = Payman()("login", "--client-id", "a")
    assert said.status == 2
    assert "pip install 'paymanai-sdk[file]'" in said.err
    assert Payman()("--sandbox", "ask", "list all wallets").status == 0


def test_json_goes_through_a_pipe(payman: Payman) -> None:
    """`payman ask --json | python -m json.tool` is one document, whatever the encoding of the output."""
    said = run(["ask", "Create a payee called José 😀", "--json"], PYTHONIOENCODING="ascii")
    assert said.status == 0
    document = programs.run(
        [sys.executable, "-m", "json.tool"], input=said.out, capture_output=True, text=True, check=True
    )
    assert "José 😀" in json.loads(document.stdout)["artifacts"][0]["content"]


@pytest.mark.parametrize("encoding", ["ascii", "cp437"])
def test_a_code_page_without_the_characters(payman: Payman, encoding: str) -> None:
    """What an encoding cannot show is replaced; the rest is shown."""
    said = run(["ask", "Create a payee called Jos\u00e9 \u2192", "--no-stream"], PYTHONIOENCODING=encoding)
    assert said.status == 0
    assert "Created the payee" in said.out
    assert "completed does not mean paid" in said.err


@pytest.mark.parametrize("form", ["--stream", "--json"])
def test_a_reader_that_leaves_changes_nothing(payman: Payman, form: str) -> None:
    """`payman ask … | head -c1` ends quietly, and the status is still that of the task: a payment was made."""
    read, write = os.pipe()
    os.close(read)
    process = programs.Popen(
        [*PROGRAM, "ask", "send 10 TSD to Test Payee", form],
        stdout=write,
        stderr=subprocess.PIPE,
        env=environment_of(),
        text=True,
    )
    os.close(write)
    _, errors = process.communicate(timeout=30)
    assert (process.returncode, "Error" in errors, errors.count("\n")) == (0, False, form == "--stream")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here, on which every disk is full")
def test_a_full_disk_is_reported(payman: Payman) -> None:
    """An answer that cannot be written is told; the status is still that of the task."""
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        done = programs.run(
            [*PROGRAM, "ask", "send 10 TSD to Test Payee"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            env=environment_of(),
            check=False,
        )
    assert done.returncode == 0
    assert "the answer could not be written" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here, on which every disk is full")
@pytest.mark.parametrize("arguments", [["--help"], ["ask", "--help"], ["--version"]])
def test_help_that_cannot_be_written(arguments: list[str]) -> None:
    """`payman --help | true` ends quietly; on a full disk it says so."""
    read, write = os.pipe()
    os.close(read)
    with Path("/dev/full").open("w", encoding="utf-8") as full, os.fdopen(write, "w") as left:
        ends = [
            programs.run(
                [*PROGRAM, *arguments],
                stdout=out,
                stderr=subprocess.PIPE,
                text=True,
                env=environment_of(),
                check=False,
            )
            for out in (left, full)
        ]
    assert [end.returncode for end in ends] == [0, 1]
    assert ends[0].stderr == ""
    assert "the answer could not be written: No space left on device" in ends[1].stderr


@pytest.mark.parametrize("arguments", ["ask -", "chat"])
def test_closed_standard_input_is_reported(payman: Payman, arguments: str) -> None:
    """What needs standard input says that there is none."""
    done = subprocess.run(
        ["sh", "-c", f"{' '.join(PROGRAM)} {arguments} <&-"],
        env=environment_of(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert "Standard input is closed" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["ask", "list all wallets", "--metadata", "a=\udcff"], "not UTF-8 text"),
        (["login", "--port", "99999"], "0<=x<=65535"),
        (["--env", "NOPE", "doctor"], "'NOPE' is not a server. Use one of LIVE, TEST, INTERNAL, SANDBOX."),
    ],
)
def test_wrong_arguments(payman: Payman, arguments: list[str], words: str) -> None:
    """What cannot be meant is a usage error that says what is wrong."""
    said = payman(*arguments)
    assert (said.status, said.out) == (2, "")
    assert words in said.err


def test_closed_streams_are_no_matter(payman: Payman) -> None:
    """`payman … >&- 2>&- <&-` does what it is asked, and the status tells."""
    command = " ".join([*PROGRAM, "ask", "'send 10 TSD to Test Payee'"])
    done = subprocess.run(["sh", "-c", f"{command} >&- 2>&- <&-"], env=environment_of(), check=False)
    assert done.returncode == 0


@pytest.mark.skipif(sys.platform == "win32", reason="no such signals here")
@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_who_ends_it_gets_the_task(payman: Payman, number: signal.Signals, status: int) -> None:
    """`timeout 1 payman ask …` says which task goes on, and how to learn its end."""
    with Sandbox(clients={"cli-tests": SECRET}, pace=5.0) as slow:
        process = programs.Popen(
            [*PROGRAM, "ask", "send 10 TSD to Test Payee"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment_of(PAYMAN_BASE_URL=slow.base_url),
        )
        while not any(request.task_id for request in slow.requests):  # its body has come
            time.sleep(0.02)
            assert process.poll() is None
        process.send_signal(number)
        said, errors = process.communicate(timeout=60)
        assert (process.returncode, said) == (status, "")
        assert f"payman tasks get {slow.requests[-1].task_id}" in errors


def test_a_mistake_of_its_own_is_not_a_traceback(payman: Payman, monkeypatch: pytest.MonkeyPatch) -> None:
    """An exception that nobody expected is a sentence; after something was sent, the outcome is unknown."""
    program = (
        "import sys; from payman_sdk._cli import main, terminal\n"
        "def broken(self, text): raise RuntimeError('a secret of a library')\n"
        "terminal.Terminal.write_answer = broken\n"
        "sys.argv[1:] = ['ask', 'send 10 TSD to Test Payee']\n"
        "sys.exit(main.main())"
    )
    done = programs.run(
        [sys.executable, "-c", program], capture_output=True, text=True, env=environment_of(), check=False
    )
    assert done.returncode == 5
    assert "payman tasks get tsk-" in done.stderr
    assert "Traceback" not in done.stderr
    assert "a secret of a library" not in done.stderr


def test_secrets_are_in_no_output(payman: Payman, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the secret nor a token is in what any command says, `--debug` included, but for `token --show`."""
    token = payman("token", "--show").out.strip()
    monkeypatch.setenv("PAYMAN_CLIENT_SECRET", SECRET)
    for arguments in (
        ["ask", "list all wallets", "--raw"],
        ["doctor"],
        ["ask", "list all wallets", "--base-url", "http://127.0.0.1:9", "--timeout", "1"],
        ["ask", "x", "--base-url", "https://user:hunter2@payman.example"],
    ):
        said = run(["--debug", *arguments])
        for text in (said.out, said.err):
            assert SECRET not in text
            assert token not in text
            assert "hunter2" not in text


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        (["ask", "x", "--sandbox"], ["--sandbox", "ask", "x"]),
        (["ask", "--env=TEST", "x", "--debug"], ["--env=TEST", "--debug", "ask", "x"]),
        (["ask", "x", "--base-url", "u"], ["--base-url", "u", "ask", "x"]),
        (["ask", "--", "--sandbox"], ["ask", "--", "--sandbox"]),
        (["ask", "x", "--env"], ["ask", "x", "--env"]),
    ],
)
def test_global_flags_may_stand_anywhere(given: list[str], meant: list[str]) -> None:
    """They are taken to the front, but not from behind `--`."""
    assert hoist_flags(given) == meant
