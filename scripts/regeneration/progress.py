"""What is being done, for who watches a terminal; elsewhere nothing is said of it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from rich.console import Console


class Progress:
    """Names the step that is being taken, at the foot of a terminal."""

    def __init__(self) -> None:
        self._console = Console(stderr=True)

    @contextlib.contextmanager
    def step(self, what: str) -> Iterator[None]:
        """Show what is being done while it is done."""
        if not self._console.is_terminal:
            yield
            return
        with self._console.status(f"{what} …"):
            yield
        self._console.print(f"[green]✓[/] {what}", highlight=False)
