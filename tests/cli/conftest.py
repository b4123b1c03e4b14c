from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from payman_sdk.sandbox import Sandbox
from tests.cli.command import SECRET, Payman


@pytest.fixture(autouse=True)
def _a_place_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No `.env`, no login and no colours of whoever runs the tests."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    for name in ("NO_COLOR", "FORCE_COLOR", "COLUMNS", "LINES"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")


@pytest.fixture(autouse=True)
def _the_log_as_it_was() -> Iterator[None]:
    """The command sets up logging; the next test finds it as it was."""
    log, http = logging.getLogger("payman_sdk"), logging.getLogger("httpx")
    before = log.propagate, list(log.handlers), log.level
    of_http = http.level
    yield
    http.setLevel(of_http)
    log.propagate, log.handlers[:] = before[0], before[1]
    log.setLevel(before[2])


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """A sandbox, by real HTTP."""
    sandbox = Sandbox(clients={"cli-tests": SECRET})
    with sandbox:
        yield sandbox
    sandbox.close()


@pytest.fixture
def payman(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Payman:
    """The command, with the settings of the sandbox in its environment."""
    monkeypatch.setenv("PAYMAN_BASE_URL", sandbox.base_url)
    monkeypatch.setenv("PAYMAN_CLIENT_ID", sandbox.client_id)
    monkeypatch.setenv("PAYMAN_CLIENT_SECRET", sandbox.client_secret)
    return Payman()
