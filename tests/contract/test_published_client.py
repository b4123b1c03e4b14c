"""The client that is published, version 1.0.8, works in the sandbox as it is."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from payman_sdk.sandbox import Sandbox
from tests import environments

VERSION = "1.0.8"
LOCK = Path(__file__).parents[2] / "scripts" / "benchmarks" / "locks" / "paymanai-sdk.lock"

# Nothing about the client is changed but where its environments are.
BEGINNING = """
import json, sys
from importlib.metadata import version
import payman_sdk
from payman_sdk import PaymanClient, utils
given = json.load(sys.stdin)
utils.BASE_URLS.update(dict.fromkeys(utils.BASE_URLS, given["base_url"]))
config = {"client_id": given["client_id"], "client_secret": given["client_secret"]}
told = {"version": version("paymanai-sdk"), "file": payman_sdk.__file__}
"""
END = """
print(json.dumps(told))
"""

Run: TypeAlias = Callable[..., dict[str, Any]]


@pytest.fixture(scope="session")
def published() -> Path:
    """The interpreter of an environment with the published client and what it needs, and nothing of ours."""
    return environments.with_locked(LOCK)


@pytest.fixture
def run(published: Path) -> Run:
    """Runs a program of the published client's user, and gives what it told."""

    def made(program: str, sandbox: Sandbox, **more: Any) -> dict[str, Any]:
        given: Mapping[str, Any] = {
            "base_url": sandbox.base_url,
            "client_id": sandbox.client_id,
            "client_secret": sandbox.client_secret,
            **more,
        }
        # -I: neither the environment nor the working directory leads to the packages of the checkout.
        done = subprocess.run(
            [str(published), "-I", "-c", BEGINNING + program + END],
            input=json.dumps(given),
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
            cwd=published.parent,
        )
        assert done.returncode == 0, done.stderr
        reported: dict[str, Any] = json.loads(done.stdout)  # and it printed nothing else: no error of its own
        assert reported["version"] == VERSION
        assert Path(reported["file"]).is_relative_to(published.parents[1])
        return reported

    return made


def outcomes(sandbox: Sandbox) -> list[tuple[str | None, str]]:
    """What the token endpoint was asked for, and what came of it."""
    return [(request.grant_type, request.outcome) for request in sandbox.token_requests]


def test_published_client_pays_and_remembers(run: Run) -> None:
    """It gets a token, pays once, and the session remembers that, also in a second client and not in a new session."""
    program = """
client = PaymanClient.with_credentials(config)
told["paid"] = client.ask("send 10 TSD to Test Payee", {
    "metadata": {"source": "web-app"}, "part_metadata": {"language": "en"}, "message_metadata": {"channel": "chat"},
})
told["earlier"] = client.ask("What did we talk about earlier?")
session = told["session"] = client.get_session_id()
second = PaymanClient.with_credentials({**config, "session_id": session, "environment": "TEST"})
told["resumed"] = second.ask("What did we talk about earlier?")
told["anew"] = client.ask("What did we talk about earlier?", {"new_session": True, "output_format": "json"})
told["other session"] = client.get_session_id()
told["token"] = client.get_access_token()
told["expired"] = client.is_access_token_expired()
"""
    with Sandbox() as sandbox:
        reported = run(program, sandbox)
        assert outcomes(sandbox) == [("client_credentials", "issued")] * 2
        (payment,) = sandbox.payments
        assert sandbox.balance() == Decimal(990)
        sandbox.check_invariants()
        asked = [request for request in sandbox.requests if request.operation == "send_task"]
    assert (payment.amount, payment.payee, payment.status) == (Decimal(10), "Test Payee", "INITIATED")
    assert (payment.task_id, payment.session_id) == (reported["paid"]["task_id"], reported["session"])
    assert reported["paid"]["status"] == "COMPLETED" and reported["paid"]["error"] is None
    for remembering in ("earlier", "resumed"):
        assert "send 10 TSD to Test Payee" in reported[remembering]["artifacts"][0]["content"]
    assert "send 10 TSD" not in json.dumps(reported["anew"])
    assert reported["anew"]["result"]["sessionId"] == reported["other session"] != reported["session"]
    assert (
        reported["token"]["accessToken"] and reported["token"]["expiresIn"] > 3500 and not reported["expired"]
    )
    assert [(request.session_id, request.status) for request in asked] == [
        (reported["session"], 200),
        (reported["session"], 200),
        (reported["session"], 200),
        (reported["other session"], 200),
    ]
    assert asked[0].body is not None and asked[0].body["method"] == "tasks.send"
    assert asked[0].metadata == {"source": "web-app"}


def test_published_client_logs_in_and_refreshes(run: Run) -> None:
    """It turns a code into a token, renews one that ends with the refresh token of the last answer, and starts from each."""
    program = """
client = PaymanClient.with_auth_code(config, given["code"])
first = client.get_refresh_token()
told["short"] = [client.ask("list all wallets")["status"] for _ in range(2)]
refresh_token = client.get_refresh_token()
told["rotated"] = first != refresh_token
told["refreshed"] = PaymanClient.with_token(config, {"refreshToken": refresh_token}).get_session_id()
"""
    with Sandbox(token_lifetime=50) as sandbox:  # it renews a token that ends in less than 60 seconds
        reported = run(program, sandbox, code=sandbox.issue_code())
        assert outcomes(sandbox) == [("authorization_code", "issued")] + [("refresh_token", "issued")] * 3
        assert sandbox.reuse_detected == 0
    assert reported["short"] == ["COMPLETED", "COMPLETED"]
    assert reported["rotated"] and reported["refreshed"].startswith("ses-")


def test_published_client_uses_a_token_that_it_is_given(run: Run) -> None:
    """It pays with an access token from elsewhere, waits for somebody's approval above one limit, and is refused above another."""
    program = """
client = PaymanClient.with_token({"client_id": given["client_id"]}, given["token"])
told["paid"] = client.ask("send 12.5 TSD to Test Payee")["status"]
told["waits"] = client.ask("send 250 TSD to Test Payee")["status"]
told["refused"] = client.ask("send 600 TSD to Test Payee")["artifacts"][0]["content"]
"""
    with Sandbox() as sandbox:
        reported = run(program, sandbox, token=sandbox.issue_token())
        assert outcomes(sandbox) == []
        assert sandbox.balance() == Decimal("987.50")
        assert [payment.status for payment in sandbox.payments] == ["INITIATED", "AWAITING_APPROVAL"]
    assert (reported["paid"], reported["waits"]) == ("COMPLETED", "INPUT_REQUIRED")
    assert "limit" in reported["refused"]


def test_published_client_hears_refusals(run: Run) -> None:
    """A wrong secret is a 401 to it and a code that is used twice a 400, each with the error that the sandbox gave."""
    program = """
import contextlib, io
import requests
def refusal(make):
    printed = io.StringIO()
    try:
        with contextlib.redirect_stdout(printed):
            make()
    except requests.exceptions.HTTPError as error:
        return [error.response.status_code, error.response.json()["error"]]
PaymanClient.with_auth_code(config, given["code"])
wrong = PaymanClient.with_credentials({**config, "client_secret": "wrong"})
told["secret"] = refusal(lambda: wrong.ask("list all wallets"))
told["code"] = refusal(lambda: PaymanClient.with_auth_code(config, given["code"]))
"""
    with Sandbox() as sandbox:
        reported = run(program, sandbox, code=sandbox.issue_code())
        assert not [request for request in sandbox.requests if request.operation == "send_task"]
    assert (reported["secret"], reported["code"]) == ([401, "invalid_client"], [400, "invalid_grant"])
