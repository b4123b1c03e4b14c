"""The standard streams of the command: any character can be written, and a reader that has left ends nothing in a traceback."""

from __future__ import annotations

import os
import sys
from io import TextIOWrapper
from pathlib import Path


def prepare_streams() -> None:
    """Make the streams such that writing to them neither fails for want of a character nor of a stream."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:  # closed by the caller: `payman … 2>&-`
            setattr(sys, name, Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115 (it stays open)
        elif isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")  # a Windows code page has no `✓`


def flush_streams() -> None:
    """Write what is left now; at the end of the interpreter a failure could not be kept quiet any more."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            hush(stream)


def hush(stream: object) -> None:
    """Lets everything written to a stream from now on go nowhere: its reader has left."""
    try:
        number = stream.fileno() if isinstance(stream, TextIOWrapper) else None
        if number is not None:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, number)
            os.close(nowhere)
    except (OSError, ValueError):
        pass
