from __future__ import annotations

import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from payman_sdk.sandbox.__main__ import main
from tests import programs

pytestmark = pytest.mark.slow


_PROGRAM = (sys.executable, "-m", "payman_sdk.sandbox")


@contextmanager
def _running(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], dict[str, str]]]:
    """The program, and the variables that it tells to export."""
    with programs.Popen(
        [*_PROGRAM, "--port", "0", *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            exports: dict[str, str] = {}
            while len(exports) < 4:
                line = process.stdout.readline()
                assert line, process.communicate()
                if line.startswith("Its web page: "):
                    exports["page"] = line.removeprefix("Its web page: ").strip()
                if line.startswith("export "):
                    name, _, value = line.removeprefix("export ").strip().partition("=")
                    exports[name] = value
            yield process, exports
        finally:
            process.kill()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_serves_until_stopped(number: signal.Signals) -> None:
    """It says how to connect, serves, and ends with status 0 and without a word when interrupted or terminated."""
    with _running() as (process, exports):
        answer = httpx.post(
            f"{exports['PAYMAN_BASE_URL']}/api/oauth2/token?grant_type=client_credentials",
            auth=(exports["PAYMAN_CLIENT_ID"], exports["PAYMAN_CLIENT_SECRET"]),
        )
        assert answer.status_code == 200
        assert exports["page"] == f"{exports['PAYMAN_BASE_URL']}/web/"
        assert "Overview" in httpx.get(exports["page"]).text
        process.send_signal(number)
        _, complaints = process.communicate(timeout=60)
        assert (process.returncode, complaints) == (0, "")


def test_client_of_ones_own(tmp_path: Path) -> None:
    """`--client` registers a client, and `--db` keeps it."""
    db = str(tmp_path / "payman.db")
    with _running("--db", db, "--client", "me:my:secret") as (_, exports):
        assert (exports["PAYMAN_CLIENT_ID"], exports["PAYMAN_CLIENT_SECRET"]) == ("me", "my:secret")
    with _running("--db", db) as (_, exports):
        assert (exports["PAYMAN_CLIENT_ID"], exports["PAYMAN_CLIENT_SECRET"]) == ("me", "my:secret")


@contextmanager
def _streaming(exports: dict[str, str]) -> Iterator[httpx.Response]:
    """The answer to a streamed send."""
    message = {"role": "user", "parts": [{"type": "text", "text": "test connection"}]}
    body = {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "tasks/sendSubscribe",
        "params": {"id": "tsk", "message": message},
    }
    credentials = (exports["PAYMAN_CLIENT_ID"], exports["PAYMAN_CLIENT_SECRET"])
    with httpx.Client(base_url=exports["PAYMAN_BASE_URL"]) as http:
        token = http.post("/api/oauth2/token?grant_type=client_credentials", auth=credentials).json()
        headers = {"x-payman-access-token": token["accessToken"]}
        with http.stream("POST", "/api/a2a/tasks/sendSubscribe", json=body, headers=headers) as answer:
            yield answer


def test_pace_and_words_of_streams() -> None:
    """`--pace` and `--chunk-words` say how an answer is streamed: two words at a time, and not at once."""
    with _running("--pace", "0.01", "--chunk-words", "2") as (_, exports):
        start = time.perf_counter()
        with _streaming(exports) as answer:
            lines = list(answer.iter_lines())
        assert time.perf_counter() - start >= 0.03
    first, second = (line for line in lines if '"artifact":' in line)
    assert "The connection " in first
    assert "works." in second


def test_ends_in_the_middle_of_a_stream() -> None:
    """It ends when interrupted, without a word, although a stream is under way."""
    with _running("--pace", "1000") as (process, exports), _streaming(exports) as answer:
        assert answer.status_code == 200
        process.send_signal(signal.SIGINT)
        _, complaints = process.communicate(timeout=60)
        assert (process.returncode, complaints) == (0, "")
        with pytest.raises(httpx.RemoteProtocolError):
            answer.read()


def _failure(*arguments: str) -> str:
    """What it complains of: the one line that it says before it ends with status 2."""
    done = programs.run([*_PROGRAM, *arguments], capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stdout) == (2, "")
    return str(done.stderr.splitlines()[-1])


def test_taken_port_is_one_clear_line() -> None:
    """A taken port ends it with status 2 and says which port, and what to do."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        complaint = _failure("--port", str(port))
    assert f"port {port}" in complaint
    assert "choose another with --port" in complaint


def test_unusable_arguments_are_one_clear_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What cannot be used ends it with status 2 and a line that names the argument or the file."""
    (tmp_path / "text").write_text("no database")
    assert "--client: write it as ID:SECRET" in _failure("--client", "me")
    assert "text" in _failure("--db", str(tmp_path / "text"))
    monkeypatch.setattr(
        signal, "signal", lambda number, _: number
    )  # the rest in this process, which keeps its own

    def fail(*arguments: str) -> str:
        status: object
        try:
            status = main(arguments)
        except SystemExit as end:  # what argparse makes of arguments
            status = end.code
        said = capsys.readouterr()
        assert (status, said.out) == (2, "")
        return said.err.splitlines()[-1]

    assert "missing" in fail("--db", str(tmp_path / "missing" / "file"))
    assert "not 99999" in fail("--port", "99999")
    assert "pace must be" in fail("--pace", "-1")
    assert "--pace" in fail("--pace", "slow")
    assert "chunk_words must be" in fail("--chunk-words", "0")
