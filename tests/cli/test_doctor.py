from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from payman_sdk._cli.commands import doctor
from payman_sdk._cli.commands.doctor import Finding, Level
from payman_sdk._cli.login_store import Login
from payman_sdk._cli.settings import resolve
from payman_sdk.errors import ConfigurationError
from payman_sdk.sandbox import Sandbox
from tests.cli.command import Payman
from tests.tables import table


def levels(payman: Payman, *arguments: str) -> dict[str, str]:
    """What the doctor found, and how bad it is."""
    said = payman(*arguments, "doctor", "--json")
    found = {finding["what"]: finding["level"] for finding in json.loads(said.out)}
    assert said.status == ("problem" in found.values())
    return found


def test_all_is_well(payman: Payman, sandbox: Sandbox) -> None:
    """With a server that answers and credentials that it takes, the status is 0, and it is told where each setting is from."""
    said = payman("doctor")
    assert (said.status, said.err) == (0, "")
    assert f"{sandbox.base_url} (PAYMAN_BASE_URL in the environment)" in said.out
    assert "set, not shown (PAYMAN_CLIENT_SECRET in the environment)" in said.out
    assert "problem" not in said.out
    assert sandbox.payments == []


def test_nothing_is_set() -> None:
    """Without settings the doctor says which, and does not stop there."""
    found = levels(Payman(), "--base-url", "http://127.0.0.1:9")
    assert found["client id"] == found["secret"] == found["network"] == "problem"
    assert "token" not in found


def test_advice_is_indented_below_its_finding() -> None:
    """The blanks before it are the command's own; words of others still hide nothing in theirs."""
    said = Payman()("--base-url", "http://127.0.0.1:9", "doctor")
    assert f"\n{' ' * 20}-> Set PAYMAN_CLIENT_ID in the environment or in .env.\n" in said.out
    assert "spaces" not in said.out
    gap, line = " " * 300, f"a{' ' * 300}b\u202e\n-> c"
    words = doctor.format_finding(Finding(Level.PROBLEM, "token", line, line))
    assert [gap in one or "\u202e" in one or "\n" in one for one in words] == [False, False]
    assert words[1] == f"{' ' * 20}-> a … (300 spaces) … b\\u202e\\n-> c"


def test_an_address_that_only_looks_like_another_shows_its_letters() -> None:
    """Wherever a server is shown, letters of other scripts are escapes, so that a person does not agree to a look-alike."""
    shown = "http://127.0.0.1:9/p\\u0430yman"
    said = Payman()("--base-url", "http://127.0.0.1:9/p\u0430yman", "doctor")
    assert f"server     {shown} (--base-url)" in said.out
    assert f"{shown} cannot be reached" in said.out
    lookalike = "https://agent.p\u0430yman.ai"
    settings = resolve(
        environ={"PAYMAN_BASE_URL": lookalike}, login=Login(client_id="a", base_url=f"{lookalike}:1")
    )
    texts = [settings.server_name, settings.notice, *settings.notes]
    with pytest.raises(ConfigurationError) as caught:
        settings.to_config()
    assert len(settings.notes) == 1
    assert not any("\u0430" in text for text in (*texts, str(caught.value), said.out))


def test_a_wrong_secret(payman: Payman, monkeypatch: pytest.MonkeyPatch) -> None:
    """Credentials that the server refuses are a problem of the token alone."""
    monkeypatch.setenv("PAYMAN_CLIENT_SECRET", "wrong")
    found = levels(payman)
    assert [what for what, level in found.items() if level == "problem"] == ["token"]


@pytest.mark.parametrize(
    ("name", "value"),
    [("PAYMAN_ENVIRONMENT", "moon"), ("PAYMAN_BASE_URL", "http://payman.example")],
)
def test_a_wrong_setting(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A setting that cannot be one is a problem, and the status is 1 as for any other."""
    monkeypatch.setenv(name, value)
    assert levels(Payman())["settings"] == "problem"


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    """A `.env` that is no text is named."""
    (tmp_path / ".env").write_bytes(b"\xff\xfe\x00")
    assert levels(Payman())["settings"] == "problem"


class _Late(BaseHTTPRequestHandler):
    """A server whose clock is ten minutes behind."""

    def do_GET(self) -> None:
        self.send_response(404)
        self.end_headers()

    def date_time_string(self, timestamp: float | None = None) -> str:
        return super().date_time_string(time.time() - 600)

    def log_message(self, *args: object) -> None:
        """Says nothing."""


@pytest.fixture
def late() -> Iterator[str]:
    """The address of a server whose clock is ten minutes behind."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Late) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_a_clock_that_is_wrong(late: str) -> None:
    """A difference of minutes is a problem, and it is said in which direction."""
    said = Payman()("--base-url", late, "doctor")
    assert said.status == 1
    [seconds] = re.findall(r"problem  clock      (\d+) s ahead of the server's", said.out)
    assert 590 < int(seconds) < 660  # half of what the request took counts as the way


@table(
    ("ahead", "level"),
    [
        (None, Level.OK),
        (0.4, Level.OK),
        (-4, Level.OK),
        (-20, Level.WARNING),
        (61, Level.PROBLEM),
        (-1e6, Level.PROBLEM),
    ],
)
def test_how_much_a_clock_may_differ(ahead: float | None, level: Level) -> None:
    """Up to 5 seconds are nothing, up to a minute is a warning."""
    assert doctor.check_clock(ahead).level is level


def test_a_server_in_trouble_is_a_warning() -> None:
    """Any answer is a sign of life; a 5xx is worth a word."""
    assert doctor.check_reach(404, 0.1).level is Level.OK
    assert doctor.check_reach(503, 0.1).level is Level.WARNING


def test_a_sandbox_that_is_not_served(monkeypatch: pytest.MonkeyPatch) -> None:
    """With `--env SANDBOX` and nothing there, it is said how to start it."""
    url = "http://127.0.0.1:9"
    for module in ("settings", "clients", "commands.doctor"):
        monkeypatch.setattr(f"payman_sdk._cli.{module}.SANDBOX_URL", url)
    doctor = Payman()("--env", "SANDBOX", "doctor")
    assert (doctor.status, doctor.out.count("-> Start payman sandbox in another terminal.")) == (1, 2)
    ask = Payman()("--env", "SANDBOX", "ask", "list all wallets", "--timeout", "1")
    assert ask.status == 1
    assert "Start payman sandbox in another terminal." in ask.err
