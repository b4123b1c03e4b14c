"""`payman mcp`: its options, and the server that it starts. What clients see of it is tested with the adapter."""

from __future__ import annotations

import re
import signal
import subprocess
import webbrowser
from decimal import Decimal
from pathlib import Path
from typing import Any

import anyio
import httpx2
import pytest
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

from payman_sdk._cli.commands import mcp
from payman_sdk._cli.settings import Settings
from payman_sdk.agents import MemoryOperationStore, SpendingLimit
from payman_sdk.agents.stores.sqlite import SQLiteOperationStore
from payman_sdk.sandbox import Sandbox
from tests import programs
from tests.auth.test_loopback import browser
from tests.cli.command import PROGRAM, Payman, environment_of

pytestmark = pytest.mark.slow


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What a server over the standard streams would be started with."""
    started: dict[str, Any] = {}

    def serve(settings: Settings, options: dict[str, Any]) -> None:
        started.update(options, server=settings.base_url.value)

    monkeypatch.setattr(mcp, "_serve_stdio", serve)
    return started


def test_a_person_is_asked_by_default(
    payman: Payman, started: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without options whoever calls is asked, nothing is limited, and operations are kept in the user's own folder for state."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    assert payman("mcp").status == 0
    assert "confirm" not in started
    assert (started["limit"], started["run_id"]) == (None, None)
    assert isinstance(started["store"], SQLiteOperationStore)
    assert started["store"].path.name == "operations.sqlite3"
    assert started["store"].path.is_relative_to(tmp_path)


def test_options_reach_the_toolkit(payman: Payman, started: dict[str, Any], tmp_path: Path) -> None:
    """The store, the run, its limits and that nobody is asked are what was given."""
    options = [
        "--store",
        str(tmp_path / "o"),
        "--run-id",
        "monday",
        "--max-payments",
        "3",
        "--without-confirmation",
    ]
    assert payman("mcp", *options, "--max-amount", "TSD 100", "--max-amount", "25.50 usd").status == 0
    assert started["limit"] == SpendingLimit(
        max_payments=3, max_amount={"TSD": Decimal(100), "USD": Decimal("25.50")}
    )
    assert (started["run_id"], started["confirm"], started["store"].path) == ("monday", None, tmp_path / "o")


@pytest.mark.parametrize("options", [["mcp", "--store", ":memory:"], ["--sandbox", "mcp"]])
def test_operations_can_be_forgotten(options: list[str], payman: Payman, started: dict[str, Any]) -> None:
    """With :memory:, and for a sandbox that ends with the command, nothing is kept."""
    assert payman(*options).status == 0
    assert isinstance(started["store"], MemoryOperationStore)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--host", "::1"], "--host, --port and --allow-host work only with HTTP. Add --http."),
        (["--port", "0"], "--host, --port and --allow-host work only with HTTP. Add --http."),
        (
            ["--max-amount", "100"],
            "--max-amount is '100', which is not a currency and an amount. Write it as \"TSD 100\".",
        ),
        (
            ["--max-amount", "TSD -1"],
            "--max-amount is 'TSD -1', which is not a currency and an amount. Write it as \"TSD 100\".",
        ),
        (
            ["--max-amount", "TSD 1", "--max-amount", "2 tsd"],
            "--max-amount is given twice for TSD. Give it once.",
        ),
        (["--max-amount", ""], "--max-amount is '', which is not a currency and an amount."),
        (["--run-id", "x", "--allow-payee", ""], "SpendingLimit.allowed_payees holds ''."),
        (["--run-id", "", "--max-payments", "1"], "A limit needs a store and a run"),
        (["--run-id", ""], "run_id is ''."),
        (["--store", ""], "path is not a file."),
        (["--http", "--host", "203.0.113.1"], "203.0.113.1, port 8643, cannot be listened on"),
    ],
)
def test_options_that_cannot_be_used_are_named(payman: Payman, options: list[str], said: str) -> None:
    """A mistake is told in a line that names the option and the way out, and nothing is started."""
    status, out, err = payman("mcp", *options)
    assert (status, out) == (2, "")
    assert said in err


def test_real_money_needs_a_person_or_a_limit(
    payman: Payman, started: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where real money may move, a server that asks nobody has to have a limit."""
    monkeypatch.setenv("PAYMAN_BASE_URL", "https://agent.payman.ai")
    status, _, err = payman("mcp", "--without-confirmation")
    assert status == 2
    assert "could pay out everything. Add --max-payments or --max-amount, with --run-id." in err
    assert not started
    assert payman("mcp", "--without-confirmation", "--max-payments", "1", "--run-id", "x").status == 0
    assert payman("mcp").status == 0


def test_a_limit_needs_a_store_and_a_run(payman: Payman, started: dict[str, Any], tmp_path: Path) -> None:
    """A limit that every start of the server would begin anew is none: without a run or a store that is kept, nothing is started."""
    limits = [["--max-payments", "1"], ["--max-amount", "TSD 5"], ["--allow-payee", "Test Payee"]]
    for limit in limits:
        for options in ([], ["--run-id", "x", "--store", ":memory:"], ["--store", str(tmp_path / "o")]):
            status, _, err = payman("mcp", *limit, *options)
            assert (status, started) == (2, {}), (limit, options)
            assert "A limit needs a store and a run" in err
    assert payman("--sandbox", "mcp", "--max-payments", "1", "--run-id", "x").status == 2
    assert (
        payman("mcp", "--allow-payee", "Test Payee", "--run-id", "x", "--store", str(tmp_path / "o")).status
        == 0
    )
    assert started["limit"] == SpendingLimit(allowed_payees=["TEST payee"])


def test_a_login_is_used(payman: Payman, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who is logged in pays from their own account, as with the other commands."""
    allow = browser("allow")
    monkeypatch.setattr(webbrowser, "open", lambda url: allow(url) is None)

    def serve(settings: Settings, options: dict[str, Any]) -> None:
        async def main() -> str:
            async with mcp._make_client(settings) as client:
                return (await client.ask("list all wallets")).status

        assert anyio.run(main) == "completed"

    monkeypatch.setattr(mcp, "_serve_stdio", serve)
    assert payman("login").status == 0
    assert payman("mcp", "--store", ":memory:").status == 0
    assert [request.grant_type for request in sandbox.token_requests] == ["authorization_code"]


@pytest.mark.parametrize("options", [[], ["--http", "--port", "0"]])
def test_missing_settings_are_reported(options: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Without credentials there is no server, but a line on standard error that says what is missing."""
    for name in ("PAYMAN_CLIENT_ID", "PAYMAN_CLIENT_SECRET", "PAYMAN_BASE_URL", "PAYMAN_ENVIRONMENT"):
        monkeypatch.delenv(name, raising=False)
    status, out, err = Payman()("mcp", "--store", ":memory:", *options)
    assert (status, out) == (2, "")
    assert "PAYMAN_CLIENT_ID and PAYMAN_CLIENT_SECRET are not set" in err


def test_a_short_token_is_refused(payman: Payman, monkeypatch: pytest.MonkeyPatch) -> None:
    """A token from the environment that anybody could guess is refused, and not repeated."""
    monkeypatch.setenv("PAYMAN_MCP_TOKEN", "letmein")
    status, _, err = payman("mcp", "--http", "--port", "0")
    assert status == 2
    assert "The token of the MCP server has 7 characters." in err
    assert "letmein" not in err


def test_the_server_over_http_until_it_is_stopped(tmp_path: Path) -> None:
    """It says where it serves and which token it wants, lets in who has it, writes nothing to standard output, and ends well."""
    command = [*PROGRAM, "--sandbox", "mcp", "--http", "--port", "0"]
    pipe = subprocess.PIPE
    with programs.Popen(
        command, stdout=pipe, stderr=pipe, text=True, env=environment_of(HOME=str(tmp_path))
    ) as server:
        assert server.stderr is not None
        try:
            address = re.search(r"http://127\.0\.0\.1:\d+/mcp", server.stderr.readline())
            token = re.search(r"Authorization: (Bearer \S+)", server.stderr.readline())
            assert address is not None
            assert token is not None
            assert httpx2.post(address[0], json={}).status_code == 401
            assert anyio.run(_tools, address[0], token[1]) == 8
        finally:
            server.send_signal(signal.SIGTERM)
            out, err = server.communicate(timeout=60)
    assert (server.returncode, out, err) == (0, "", "")


async def _tools(address: str, authorization: str) -> int:
    async with (
        httpx2.AsyncClient(headers={"Authorization": authorization}) as http,
        Client(streamable_http_client(address, http_client=http)) as client,
    ):
        return len((await client.list_tools()).tools)
