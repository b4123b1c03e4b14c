"""examples/agents runs: each agent is asked twice to pay, and pays once."""

from __future__ import annotations

import asyncio
import runpy
from inspect import iscoroutinefunction
from pathlib import Path

import pytest

from tests.examples.programs import EXAMPLES


@pytest.mark.parametrize("program", ["langchain_agent.py", "openai_agents_agent.py", "pydantic_ai_agent.py"])
def test_an_agent_pays_once(
    program: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It shows what its model reads, the second time the first result and why nothing was sent, and that one payment was made.

    The same again in the same folder, more often than its limit has payments: that is of each sandbox.
    """
    monkeypatch.chdir(tmp_path)
    main = runpy.run_path(str(EXAMPLES / "agents" / program))["main"]
    for _ in range(7):
        asyncio.run(main()) if iscoroutinefunction(main) else main()
        shown = capsys.readouterr().out
        first, again = [part for part in shown.split("tool: ") if "10.00 TSD to" in part]
        assert again.startswith(first.strip())
        assert "is the name of another order" in again
        assert shown.endswith("Invoice 42 is paid.\n\n1 payment was made, 990.00 TSD are left.\n")
    assert (tmp_path / "operations.sqlite3").exists()
