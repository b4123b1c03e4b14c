"""README's picture: the command in a terminal, against a local Payman, drawn as it stood on the screen.

`python -m scripts.documentation.picture` writes docs/payman.svg anew. It needs `script` of util-linux.
"""

import io
import os
import random
import re
import subprocess
import sys
from pathlib import Path

from rich.ansi import AnsiDecoder
from rich.console import Console

from payman_sdk.sandbox import Sandbox

PICTURE = Path(__file__).parents[2] / "docs" / "payman.svg"
COMMANDS = (
    "payman wallets",
    'payman pay 10 TSD "Test Payee" --memo "invoice 42" --key invoice-42',
    'payman pay 10 TSD "Test Payee" --memo "invoice 42" --key invoice-42',
    "payman transactions",
)
WIDTH = 90
_TERMINAL = {"TERM": "xterm-256color", "COLORTERM": "truecolor", "COLUMNS": str(WIDTH)}
_PATIENCE = 30.0  # seconds for one command


def screen() -> str:
    """What the screen shows, with its colors, after each command has run in a terminal."""
    # The same ids and times in every picture, but for the ids that the client makes.
    chance = random.Random(7)  # noqa: S311 (nothing is to be guarded here)
    shown = ""
    with Sandbox(randomness=chance.randbytes, clock=lambda: 1_790_000_000.0) as sandbox:
        environment = {
            **os.environ,
            **_TERMINAL,
            "PAYMAN_BASE_URL": sandbox.base_url,
            "PAYMAN_CLIENT_ID": sandbox.client_id,
            "PAYMAN_CLIENT_SECRET": sandbox.client_secret,
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        }
        for command in COMMANDS:
            shown += f"$ {command}\n{_run_in_terminal(command, environment)}"
    return "\n".join(line.rstrip() for line in shown.rstrip().splitlines())


def _run_in_terminal(command: str, environment: dict[str, str]) -> str:
    recorded = ["script", "--quiet", "--return", "--command", command, os.devnull]
    return subprocess.check_output(
        recorded, cwd=Path.home(), env=environment, stdin=subprocess.DEVNULL, text=True, timeout=_PATIENCE
    )


def drawn(shown: str) -> str:
    """A screen as SVG that needs nothing from anywhere."""
    console = Console(
        record=True, width=WIDTH, file=io.StringIO(), force_terminal=True, color_system="truecolor"
    )
    for line in AnsiDecoder().decode(shown):
        console.print(*line.divide(range(WIDTH, len(line), WIDTH)), sep="\n", soft_wrap=True)
    svg = console.export_svg(title="payman", unique_id="payman")
    without_fonts = re.sub(r"@font-face \{.*?\}", "", svg, flags=re.DOTALL)
    return "\n".join(line.rstrip() for line in without_fonts.splitlines()) + "\n"


if __name__ == "__main__":
    PICTURE.write_text(drawn(screen()), encoding="utf-8")
