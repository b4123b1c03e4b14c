"""How the tests run an example: as its user would, in a folder of its own, with an environment of its own."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from payman_sdk.sandbox import Sandbox

EXAMPLES = Path(__file__).parents[2] / "examples"


def environment(sandbox: Sandbox | None = None) -> dict[str, str]:
    """The variables of a user's shell: with those of the sandbox, or of nobody's account."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("PAYMAN_")}
    own |= {"COLUMNS": "200", "NO_COLOR": "1", "PYTHONUNBUFFERED": "1", "PYTHONIOENCODING": "utf-8"}
    own |= {"PYTHONWARNINGS": "error", "PYTHONDONTWRITEBYTECODE": "1"}
    if sandbox is not None:
        own["PAYMAN_BASE_URL"] = sandbox.base_url
        own["PAYMAN_CLIENT_ID"] = sandbox.client_id
        own["PAYMAN_CLIENT_SECRET"] = sandbox.client_secret
    return own


def command(example: str, *arguments: str) -> list[str]:
    """The command that runs a program of an example, such as `basic/first_ask.py`."""
    return [sys.executable, str(EXAMPLES / example), *arguments]
