"""The MCP server with version 1 of the official SDK, which frameworks pin: a program says what came of each step."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from payman_sdk.agents import TOOLS
from tests import environments

LOCK = Path(__file__).with_name("mcp_1.lock")
ROOT = Path(__file__).parents[2]


@pytest.mark.slow
def test_version_1_serves_the_same_tools() -> None:
    """In memory, over HTTP and over stdio. `TEST_MCP1_PYTHON` names a Python that has version 1; without it, two wheels are installed."""
    from payman_sdk.agents.mcp.served_tools import spread_types

    named = os.environ.get("TEST_MCP1_PYTHON")
    path = [str(ROOT), str(ROOT / "generated")]
    if not named:
        path.insert(0, str(environments.beside(LOCK)))  # everything else comes from this environment
    done = subprocess.run(
        [named or sys.executable, "-m", "tests.agents.mcp1_program", "tour"],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(path)},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    said: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    assert said["version"].startswith("1.")
    asked = {name: said[name] for name in ("yes", "no", "unticked", "text")}
    assert asked == {
        "yes": ["paid", 1],
        "no": ["refused", 1],
        "unticked": ["refused", 1],
        "text": ["refused", 1],
    }
    assert "\n\nAmount: `10.00 TSD`\n\n" in said["shown"]
    status, reported = said["nobody"]
    assert (status, said["payments"]) == ("refused", 1)
    assert "this client cannot ask the user" in reported
    assert said["http"].pop("refused") == [401, 421, 403]
    for way in ("http", "stdio"):
        tour = said[way]
        tools = [[spec.name, spread_types(spec.parameters), not spec.moves_money] for spec in TOOLS]
        assert sorted(tour.pop("tools")) == sorted(tools), way
        assert tour == {
            "paid": "paid",
            "error": True,
            "wallets": "completed",
            "progress": True,
            "card": ["application/json", True],
            "refusals": [
                [-32602, "Unknown tool payman_steal."],
                [-32602, "Unknown resource payman://secrets. Read payman://agent-card."],
            ],
        }, way
    assert said["all payments"] == 3
