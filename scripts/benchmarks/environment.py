"""The environment of the libraries that the SDK is measured against: `.bench/peers`, made here and not locked."""

from __future__ import annotations

import importlib.metadata
import shutil
import subprocess
import sys

from scripts.benchmarks.readers import ROOT

OPENAI, HTTPX_SSE = "3.57.0", "0.4.3"

_PATIENCE = 180


def peers(*, make: bool) -> tuple[str | None, str]:
    """The interpreter of the environment, or None and why there is none.

    Args:
        make: Whether to make it where it is not there yet.
    """
    # httpx-sse gets the very httpx that the SDK has here.
    pins = [
        f"openai=={OPENAI}",
        f"httpx-sse=={HTTPX_SSE}",
        f"httpx=={importlib.metadata.version('httpx')}",
    ]
    wanted = f"{sys.version} {' '.join(pins)}"
    place = ROOT / ".bench" / "peers"
    python, made_from = str(place / "bin" / "python"), place / "made-from"
    if made_from.is_file() and made_from.read_text(encoding="utf-8") == wanted:
        return python, ""
    if not make:
        return None, "scripts/bench without --quick does that"
    shutil.rmtree(place, ignore_errors=True)
    try:
        subprocess.run([sys.executable, "-m", "venv", str(place)], check=True, capture_output=True)
        subprocess.run(
            [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--retries=1", *pins],
            check=True,
            capture_output=True,
            timeout=_PATIENCE,
        )
    except (OSError, subprocess.SubprocessError):
        return None, "pip could not get it from the package index"
    made_from.write_text(wanted, encoding="utf-8")
    return python, ""
