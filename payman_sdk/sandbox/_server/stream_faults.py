"""Faults of streams that a test switches on: their kinds, and their queue."""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True)
class StreamFault:
    """What goes wrong with one stream: exactly one thing. The task is carried out and kept.

    Attributes:
        after_events: The connection is dropped after that many whole events; 0 is after the head of the answer. A
            shorter stream is whole.
        after_bytes: The connection is dropped after that many bytes of the body; 0 is after the head of the answer. A
            shorter stream is whole.
        as_json: The finished task comes as an ordinary JSON-RPC answer.
        keep_alives: Only SSE comments come, one every 20 ms, without end.
        status: An answer with that HTTP status comes instead, 400 to 599.

    Raises:
        ValueError: None or several are given, or a number is invalid.

    Example:
        >>> from payman_sdk.sandbox import Sandbox, StreamFault
        >>> with Sandbox() as sandbox:
        ...     sandbox.inject_stream_faults(StreamFault(after_events=2), None, StreamFault(keep_alives=True))
    """

    after_events: int | None = None
    after_bytes: int | None = None
    as_json: bool = False
    keep_alives: bool = False
    status: int | None = None

    def __post_init__(self) -> None:
        # By identity, because 0 is a number of events like any other.
        said = {field.name: getattr(self, field.name) for field in fields(self)}
        chosen = [name for name, value in said.items() if value is not None and value is not False]
        if len(chosen) != 1:
            what = " and ".join(chosen) or "nothing"
            raise ValueError(f"a StreamFault is one thing that goes wrong, not {what}")
        [name] = chosen
        value, least, most = said[name], 0, 2**63
        if name in ("as_json", "keep_alives"):
            if value is not True:
                raise ValueError(f"{name} must be True or False, not {value!r}")
            return
        if name == "status":
            least, most = 400, 599
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            raise ValueError(f"{name} must be a whole number from {least} to {most}, not {value!r}")

    def should_drop(self, events: int, size: int) -> bool:
        """Return whether the connection breaks after so many events and bytes of the body."""
        return events == self.after_events or size == self.after_bytes


class EntryQueue(Generic[T]):
    """Entries that are used up in order; any thread may add to them and take one."""

    def __init__(self) -> None:
        self._entries: deque[T] = deque()

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def entries(self) -> tuple[T, ...]:
        """The entries that were not taken yet, the next one first."""
        return tuple(self._entries.copy())

    def clear(self) -> None:
        self._entries.clear()

    def _pop(self) -> T | None:
        """Return the next entry, which is used up then; None where there is none."""
        try:
            return self._entries.popleft()
        except IndexError:
            return None


class StreamFaults(EntryQueue[StreamFault | None]):
    def add(self, faults: Iterable[StreamFault | None]) -> None:
        """Put faults at the end of the queue; None is a whole stream. After TypeError, none is added."""
        several = list(faults)
        for fault in several:
            if fault is not None and not isinstance(fault, StreamFault):
                raise TypeError(f"a fault must be a StreamFault or None, not {fault!r}")
        self._entries.extend(several)

    def take(self) -> StreamFault | None:
        """Return the next stream's fault; None if it is whole."""
        return self._pop()
