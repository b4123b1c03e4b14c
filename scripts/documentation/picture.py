"""README's picture: the command in a real terminal, against a local Payman, drawn as it stood on the screen.

`python -m scripts.documentation.picture` writes docs/payman.svg anew. It needs tmux.
"""

from __future__ import annotations

import io
import os
import random
import re
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich._export_format import CONSOLE_SVG_FORMAT  # what `export_svg` says to begin from
from rich.ansi import AnsiDecoder
from rich.console import Console

from payman_sdk.sandbox import Sandbox

ROOT = Path(__file__).parents[2]
PICTURE = ROOT / "docs" / "payman.svg"
COMMANDS = (
    "payman wallets",
    'payman pay 10 TSD "Test Payee" --memo "invoice 42" --key invoice-42',
    'payman pay 10 TSD "Test Payee" --memo "invoice 42" --key invoice-42',
    "payman transactions",
)
WIDTH, HEIGHT = 90, 40
_PATIENCE = 30.0  # seconds for one command


def screen() -> str:
    """What stands on the screen, with its colours, after the commands have been typed into a shell."""
    # The same ids and times in every picture, but for the ids that the client makes.
    chance = random.Random(7)  # noqa: S311 (nothing is to be guarded here)
    sandbox = Sandbox(randomness=chance.randbytes, clock=lambda: 1_790_000_000.0)
    with sandbox, _terminal(sandbox) as tmux:
        for command in COMMANDS:
            _tmux(tmux, "send-keys", command, "Enter")
            _until_prompt(tmux)
        shown = _tmux(tmux, "capture-pane", "-e", "-p")
    lines = shown.rstrip().removesuffix("$").rstrip().splitlines()
    return "\n".join(line.rstrip() for line in lines)


@contextmanager
def _terminal(sandbox: Sandbox) -> Iterator[str]:
    name = f"payman-picture-{os.getpid()}"
    environment = {
        "PAYMAN_BASE_URL": sandbox.base_url,
        "PAYMAN_CLIENT_ID": sandbox.client_id,
        "PAYMAN_CLIENT_SECRET": sandbox.client_secret,
        "COLORTERM": "truecolor",
    }
    settings = [piece for pair in environment.items() for piece in ("-e", "=".join(pair))]
    # Shells that start shells have their own ideas of these two.
    path = shlex.quote(f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    shell = f"PATH={path} PS1='$ ' exec bash --norc --noprofile"
    size = ("-x", str(WIDTH), "-y", str(HEIGHT))
    # A server of its own, without anybody's configuration.
    _tmux(name, "-f", os.devnull, "new-session", "-d", *size, *settings, shell)
    try:
        _until_prompt(name)
        yield name
    finally:
        _tmux(name, "kill-server")


def _tmux(name: str, *arguments: str) -> str:
    return subprocess.run(
        ["tmux", "-L", name, *arguments], check=True, capture_output=True, text=True, cwd=Path.home()
    ).stdout


def _until_prompt(tmux: str) -> None:
    """Waits until the shell waits."""
    end = time.monotonic() + _PATIENCE
    before = ""
    while time.monotonic() < end:
        time.sleep(0.2)
        shown = _tmux(tmux, "capture-pane", "-p").rstrip()
        if shown.endswith("$") and shown == before:
            return
        before = shown
    raise TimeoutError(f"the terminal shows no prompt:\n{before}")


def drawn(shown: str) -> str:
    """A screen as SVG that needs nothing from anywhere."""
    console = Console(
        record=True, width=WIDTH, file=io.StringIO(), force_terminal=True, color_system="truecolor"
    )
    for line in AnsiDecoder().decode(shown):
        console.print(line, soft_wrap=True)
    without_fonts = re.sub(r"@font-face \{\{.*?\}\}", "", CONSOLE_SVG_FORMAT, flags=re.DOTALL)
    svg = console.export_svg(title="payman", code_format=without_fonts, unique_id="payman")
    return "\n".join(line.rstrip() for line in svg.splitlines()) + "\n"


def main() -> int:
    """Draws the picture."""
    PICTURE.write_text(drawn(screen()), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
