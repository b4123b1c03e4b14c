"""How the sandbox reports its tasks: in which pieces, how fast, and again after a stream broke off."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

Resubscribe = Literal["resume", "replay", "live", "off"]
"""The behavior of `tasks/resubscribe`."""

_MOST_WORDS = 1_000_000
_LONGEST = 24 * 3600.0


@dataclass(frozen=True, kw_only=True)
class StreamSettings:
    """The settings of a sandbox that are about telling tasks; `Sandbox` explains them.

    Raises:
        ValueError: if one of them cannot be one, naming it.
    """

    chunk_words: int = 6
    pace: float = 0.0
    keep_alive: float | None = None
    resubscribe: Resubscribe = "resume"
    tasks_get: bool = True

    def __post_init__(self) -> None:
        words = self.chunk_words
        if not isinstance(words, int) or isinstance(words, bool) or not 1 <= words <= _MOST_WORDS:
            raise ValueError(f"chunk_words must be a whole number from 1 to {_MOST_WORDS}, not {words!r}")
        if not isinstance(self.pace, int | float) or not 0 <= self.pace <= _LONGEST:
            raise ValueError(f"pace must be from 0 to {_LONGEST:.0f} seconds, not {self.pace!r}")
        patience = self.keep_alive
        if patience is not None and (not isinstance(patience, int | float) or not 0 < patience <= _LONGEST):
            raise ValueError(
                f"keep_alive must be above 0 and at most {_LONGEST:.0f} seconds, or None, not {patience!r}"
            )
        if self.resubscribe not in get_args(Resubscribe):
            known = ", ".join(repr(way) for way in get_args(Resubscribe))
            raise ValueError(f"resubscribe must be one of {known}, not {self.resubscribe!r}")

    @property
    def has_event_numbers(self) -> bool:
        """Whether the events of streams carry their numbers."""
        return self.resubscribe not in ("replay", "live")
