"""The `payman` command as tests run it: in this process, which is fast, or as a program."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

import typer.main
import typer.testing
from typer.testing import CliRunner

from payman_sdk._cli.context import app
from payman_sdk._cli.run import Run
from tests import programs

SECRET = "the-secret-of-the-cli-tests"
PROGRAM = [sys.executable, "-m", "payman_sdk"]
ROOT = Path(__file__).parent.parent.parent

# The commands are the same in every run; typer would read the signatures of all of them anew, for 80 ms each time.
setattr(typer.testing, "_get_command", cache(typer.main.get_command))  # noqa: B010 (no public name)


class Said(NamedTuple):
    """What a run of the command said, and its exit status."""

    status: int
    out: str
    err: str


class Payman:
    """Runs the command in this process."""

    def __call__(self, *arguments: str, given: str | None = None) -> Said:
        """Runs it with these arguments, and with this on its standard input."""
        result = CliRunner().invoke(app, list(arguments), input=given, obj=Run(), prog_name="payman")
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        said = Said(result.exit_code, result.stdout, result.stderr)
        for text in (said.out, said.err):
            assert SECRET not in text
            assert "Traceback" not in text
        return said


def run(arguments: Sequence[str], *, given: str = "", **environment: str) -> Said:
    """Runs the command as a program, its output in pipes."""
    done = programs.run(
        [*PROGRAM, *arguments],
        input=given,
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        env=environment_of(**environment),
    )
    return Said(done.returncode, done.stdout, done.stderr)


def environment_of(**environment: str) -> dict[str, str]:
    """The environment of a program that is started, with more variables."""
    return {**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'generated'}", **environment}
