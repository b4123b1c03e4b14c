"""Where `payman` begins and ends: its requirements, its output, and no traceback."""

from __future__ import annotations

import signal
import sys
from contextlib import suppress
from importlib import import_module
from types import FrameType
from typing import TYPE_CHECKING

from payman_sdk._cli.terminal import flush_streams, prepare_streams

if TYPE_CHECKING:
    from payman_sdk._cli.run import Run

_NEEDED = {"typer", "rich", "click"}
_EXTRAS = {"mcp": "mcp", "sandbox": "cli,sandbox"}
"""What a command needs beside the extra `cli`."""
_INTERRUPTED = 130


def main() -> int:
    """Run the command and return its exit status, see `payman_sdk._cli.exit_codes`."""
    prepare_streams()
    try:
        import_module("rich")  # what needs it imports it late
        from payman_sdk._cli.context import app
        from payman_sdk._cli.run import Run
    except ModuleNotFoundError as missing:
        if (missing.name or "").partition(".")[0] not in _NEEDED:
            raise
        extras = _EXTRAS.get(next(iter(sys.argv[1:]), ""), "cli")
        sys.stderr.write(f"payman: this command needs {missing.name}: pip install 'paymanai-sdk[{extras}]'\n")
        return 2
    except KeyboardInterrupt:
        return _INTERRUPTED
    run = Run()
    _handle_sigterm()
    try:
        app(obj=run, prog_name="payman")
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 0
    except KeyboardInterrupt:  # pressed once more, while the command was ending
        return _INTERRUPTED
    except Exception as error:
        return _report_unexpected(error, run)
    finally:
        flush_streams()
    return 0


def _handle_sigterm() -> None:
    """Make SIGTERM end the command in an orderly way, so that it can say what it had sent."""
    from payman_sdk._cli.run import TerminatedError

    def end(number: int, frame: FrameType | None) -> None:
        raise TerminatedError

    with suppress(ValueError):  # only the main thread may
        signal.signal(signal.SIGTERM, end)


def _report_unexpected(error: Exception, run: Run) -> int:
    """Return the message of a bug in the program. It matters whether it happened before or after the payment."""
    from payman_sdk._cli.exit_codes import FAILED, UNDETERMINED
    from payman_sdk._cli.output import describe_failure, write_error
    from payman_sdk._text.logger import format_traceback

    if run.debug:
        sys.stderr.write(f"{format_traceback(error)}\n")
    advice = "" if run.debug else " Run it with --debug to see where."
    later = "" if run.is_harmless else run.suggest_follow_up()
    said = f"unexpected error: {type(error).__name__}."
    sys.stderr.write(f"payman: {said}{advice}{later}\n")
    status = UNDETERMINED if later else FAILED
    described = describe_failure(
        type(error).__name__,
        said,
        status,
        next_step=f"{advice}{later}".strip(),
        sent=run.has_sent,
        task_id=run.last_task_id,
    )
    with suppress(Exception):  # writing may be what failed
        write_error(run, described)
    return status
