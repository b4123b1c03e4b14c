"""The logger `payman_sdk`: a line for each ask at INFO, every decision at DEBUG, and only warnings by default."""

from __future__ import annotations

import logging
import re

import pytest

from payman_sdk.errors import BadRequestError
from payman_sdk.sandbox import ConnectionLost, HTTPError, Sandbox
from tests.telemetry.conftest import Connected

BUSY = HTTPError(503, headers={"Retry-After": "0"})
PAYMENT = "send 10 TSD to Test Payee"


def _lines(caplog: pytest.LogCaptureFixture) -> list[tuple[str, str]]:
    """What was logged, with the ids and the times left out."""
    return [
        (
            record.levelname,
            re.sub(
                r"\b(tsk|ses|req)-[0-9a-f-]+|\d+\.\d+ s", lambda found: found[1] or "… s", record.getMessage()
            ),
        )
        for record in caplog.records
        if record.name == "payman_sdk"
    ]


def test_an_ask_is_one_line(sandbox: Sandbox, connected: Connected, caplog: pytest.LogCaptureFixture) -> None:
    """At INFO, an ask is one line that says how it ended, and how it came to that."""
    caplog.set_level(logging.INFO, "payman_sdk")
    client = connected()
    sandbox.script([ConnectionLost(), "Done.", "Done.", HTTPError(400)])
    client.ask(PAYMENT)
    with client.stream("list all wallets") as stream:
        stream.result()
    for _ in range(2):
        client.ask("list all payees", idempotency_key="payees-1")
    with pytest.raises(BadRequestError):
        client.ask("Hello!")
    assert _lines(caplog) == [
        ("INFO", "tsk completed after … s, 1 attempt, 1 look-up, reconciled [ses, req]"),
        ("INFO", "tsk completed after … s, 1 attempt, 3 events [ses, req]"),
        ("INFO", "tsk completed after … s, 1 attempt, 1 look-up [ses, req]"),
        ("INFO", "tsk completed after … s, known already, 1 look-up [ses, req]"),
        ("INFO", "tsk ended with an error after … s, BadRequestError (HTTP 400), 1 attempt [ses, req]"),
    ]


def test_every_decision(sandbox: Sandbox, connected: Connected, caplog: pytest.LogCaptureFixture) -> None:
    """At DEBUG, every decision is a line, in order."""
    caplog.set_level(logging.DEBUG, "payman_sdk")
    sandbox.script([BUSY, ConnectionLost()])
    with connected().stream(PAYMENT) as stream:
        stream.result()
    path = "POST /api/a2a/tasks"
    assert [line for line in _lines(caplog) if line[0] == "DEBUG"] == [
        ("DEBUG", line)
        for line in (
            "tsk: a new stream in ses, req",
            "token: fetching one, because the client has none yet",
            "token: POST /api/oauth2/token",
            "token: HTTP 200 in … s",
            "token: valid for 3600 s",
            f"tsk: {path}/sendSubscribe",
            "tsk: HTTP 503 in … s",
            "tsk: attempt 1: ServerError (HTTP 503), so it was turned away; the task is looked up before it is sent again",
            f"tsk: {path}/get",
            "tsk: HTTP 200 in … s",
            "tsk: looked up, the agent does not know it",
            f"tsk: {path}/sendSubscribe, attempt 2",
            "tsk: APIConnectionError in … s",
            "tsk: attempt 2: APIConnectionError, so it may have arrived; the task is looked up",
            "tsk: the stream broke: APIConnectionError; resuming it",
            f"tsk: {path}/resubscribe",
            "tsk: HTTP 200 in … s",
            "tsk: the stream is open again",
            "tsk: event, status_update",
            "tsk: working",
            "tsk: event, artifact_update",
            "tsk: event, artifact_update",
            "tsk: event, artifact_update",
            f"tsk: {path}/get, attempt 2",
            "tsk: HTTP 200 in … s",
            "tsk: looked up, completed",
            "tsk: event, status_update",
            "tsk: completed",
        )
    ]


def test_by_default_only_warnings(
    sandbox: Sandbox, connected: Connected, caplog: pytest.LogCaptureFixture
) -> None:
    """A program that sets up no logging hears of retries, and of nothing else."""
    sandbox.script([BUSY])
    connected().ask(PAYMENT)
    assert [level for level, _ in _lines(caplog)] == ["WARNING"]
