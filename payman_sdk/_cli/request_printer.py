"""Printing what a sandbox is asked, in its own thread: a pipe that nobody reads must not stop the sandbox."""

from __future__ import annotations

import os
import select
import sys
import threading
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING

from payman_sdk._cli.request_log_middleware import format_request

if TYPE_CHECKING:
    from payman_sdk.sandbox import SandboxRequest

_MOST_WAITING = 1_000
_LAST_WAIT = 1.0
"""Lines that wait to be printed, and seconds that the last ones get when the sandbox ends."""


class RequestPrinter:
    """Prints requests on the terminal, once it is on; never makes its caller wait.

    Lines that come faster than they can be printed are dropped, and a later line says how many.

    Args:
        write: Prints one line.
        is_writable: Waits for at most so many seconds, and returns whether a line can be printed without waiting.
    """

    def __init__(
        self, write: Callable[[str], None], is_writable: Callable[[float], bool] | None = None
    ) -> None:
        self.is_on = False
        self._write, self._is_writable = write, is_writable or _is_output_writable
        self._lines: deque[str] = deque()
        self._dropped = 0
        self._changed = threading.Condition()
        self._is_closing = self._is_closed = False
        self._thread: threading.Thread | None = None

    def __call__(self, request: SandboxRequest) -> None:
        """Print a request soon, or drop it where too many wait."""
        if not self.is_on:
            return
        with self._changed:
            if self._thread is None:
                self._thread = threading.Thread(target=self._print_lines, name="payman-requests", daemon=True)
                self._thread.start()
            if len(self._lines) < _MOST_WAITING:
                self._lines.append(format_request(request))
                self._changed.notify()
            else:
                self._dropped += 1

    def close(self) -> None:
        """Print what waits, for a second at most."""
        self.is_on = False
        with self._changed:
            self._is_closing = True
            self._changed.notify()
        if self._thread is not None:
            self._thread.join(_LAST_WAIT)
            self._is_closed = True
            self._thread.join()

    def _print_lines(self) -> None:
        while (line := self._take_line()) is not None:
            while not self._is_writable(0.1):
                if self._is_closed:
                    return
            self._write(line)

    def _take_line(self) -> str | None:
        with self._changed:
            while True:
                if self._lines:
                    return self._lines.popleft()
                if self._dropped:
                    dropped, self._dropped = self._dropped, 0
                    return f"({dropped} requests were not printed, because the output was not read in time)"
                if self._is_closing:
                    return None
                self._changed.wait()


def _is_output_writable(seconds: float) -> bool:
    """Whether a short line can be written to standard output: a thread that blocks there would hold up the end of the process."""
    if os.name != "posix":
        return True
    try:
        return bool(select.select([], [sys.stdout], [], seconds)[1])
    except (OSError, ValueError):  # closed, or no file: writing says what is wrong
        return True
