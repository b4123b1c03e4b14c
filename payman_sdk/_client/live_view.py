"""A stream as a person watches it: in a notebook, or on standard output."""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib import import_module
from typing import Any

from payman_sdk._core.events import StreamEvent
from payman_sdk._io.clock import monotonic
from payman_sdk._text.sanitizer import sanitize


class TextExtractor:
    """The text in events, with an empty line between artifacts, as the `text` of an answer has it."""

    def __init__(self) -> None:
        self._artifact: int | None = None

    def extract(self, event: StreamEvent) -> str:
        if event.type != "artifact_update" or not event.delta:
            return ""
        before, self._artifact = self._artifact, event.index
        return event.delta if before in (None, event.index) else f"\n\n{event.delta}"


_PAUSE = 0.1
"""Seconds between two changes of an output: a notebook keeps up with no more."""


class LiveView:
    """Shows a stream while it arrives. In a notebook, one output changes; elsewhere, text is printed."""

    def __init__(self) -> None:
        self._words = TextExtractor()
        self._handle: Any = None
        self._next = 0.0
        if (ipython := sys.modules.get("IPython")) is not None and ipython.get_ipython() is not None:
            self._handle = import_module("IPython.display").display(
                {"text/markdown": ""}, raw=True, display_id=True
            )

    def update(self, event: StreamEvent, render: Callable[[], str]) -> None:
        """Show an event."""
        if self._handle is not None:
            if (now := monotonic()) >= self._next:
                self._next = now + _PAUSE
                self._handle.update({"text/markdown": render()}, raw=True)
        elif words := self._words.extract(event):
            sys.stdout.write(sanitize(words))
            sys.stdout.flush()

    def close(self, render: Callable[[], str]) -> None:
        """Show the end."""
        if self._handle is None:
            sys.stdout.write("\n")
        else:
            self._handle.update({"text/markdown": render()}, raw=True)
