"""How the tests run an example: as its user would, in a folder of its own, with an environment of its own."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

from payman_sdk.sandbox import Sandbox
from tests import programs

EXAMPLES = Path(__file__).parents[2] / "examples"
_LAUNCHER = Path(__file__).with_name("short_settle_time.py")


class WithDbos(programs.Popen):
    """A program that finds its engine imported, which takes longer than a small file."""

    imported = (
        *("dbos", "dbos._sys_db_sqlite", "encodings.utf_8_sig", "rich._emoji_codes", "sqlalchemy.dialects.sqlite"),
        *("payman_api.api.tasks.get_task", "payman_sdk._core.idempotency", "payman_sdk.agents.stores.sqlite"),
        "payman_sdk.agents.toolkit",
    )  # fmt: skip


def environment(sandbox: Sandbox | None = None) -> dict[str, str]:
    """The variables of a user's shell: with those of the sandbox, or of nobody's account."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("PAYMAN_")}
    own |= {"COLUMNS": "200", "NO_COLOR": "1", "PYTHONUNBUFFERED": "1", "PYTHONIOENCODING": "utf-8"}
    own["PYTHONWARNINGS"] = "error"
    if sandbox is not None:
        own["PAYMAN_BASE_URL"] = sandbox.base_url
        own["PAYMAN_CLIENT_ID"] = sandbox.client_id
        own["PAYMAN_CLIENT_SECRET"] = sandbox.client_secret
    return own


def command(example: str, *arguments: str) -> list[str]:
    """The command that runs a program of an example, such as `basic/first_ask.py`."""
    return [sys.executable, str(_LAUNCHER), str(EXAMPLES / example), *arguments]


def on_a_terminal(line: list[str], folder: Path, sandbox: Sandbox, **more: str) -> tuple[int, str]:
    """Runs a command with a terminal to write to; returns its exit status and the words that it wrote there."""
    ours, theirs = os.openpty()
    with programs.Popen(
        line, cwd=folder, env=environment(sandbox) | more, stdout=theirs, stderr=theirs
    ) as running:
        os.close(theirs)
        shown = b""
        try:
            while piece := os.read(ours, 65536):
                shown += piece
        except OSError:  # what Linux says when nobody writes any more
            pass
        finally:
            os.close(ours)
    return running.returncode, re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown.decode())
