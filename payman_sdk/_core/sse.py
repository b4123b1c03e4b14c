"""Server-sent events by the rules of the HTML standard, section "Interpreting an event stream".

The decoder works on bytes: in UTF-8, those of line ends, colons and spaces are never part of another character. So text is decoded
only when a value is complete.
"""

import json
from collections.abc import Callable, Sequence
from itertools import repeat
from typing import Any, Final, NamedTuple

from payman_sdk._core.http import AnswerScan
from payman_sdk._core.wire_json import is_excessive
from payman_sdk._secrets import SecretStr
from payman_sdk._text.redaction import redact

_decode = json.JSONDecoder().raw_decode


def parse_json_slow(text: str) -> Any:
    """Return what `json.loads` gives, without its slow first checks; raise ValueError or RecursionError."""
    said, end = _decode(text) if text[:1] == "{" else (None, None)
    return said if end == len(text) else json.loads(text)


def _build_fast_parser() -> Callable[[str], Any] | None:
    try:
        from msgspec import MsgspecError
        from msgspec.json import Decoder
    except ImportError:
        return None
    decode = Decoder().decode

    def parse_json_fast(text: str) -> Any:
        try:
            return decode(text)
        except (MsgspecError, ValueError, RecursionError):
            # Python takes more for JSON: NaN, numbers beyond all bounds, halves of a character.
            return parse_json_slow(text)

    return parse_json_fast


parse_json: Callable[[str], Any] = _build_fast_parser() or parse_json_slow
"""The JSON in a text; raises what `parse_json_slow` raises."""


_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"
_UNNAMED: Final = "message"


class ServerSentEvent(NamedTuple):
    """One event of a stream: its type, its data, and the last event id (empty if there was none)."""

    event: str
    data: str
    id: str


class EventTooLargeError(ValueError):
    """A line, or the data of an event, exceeds the decoder's `limit` in bytes; the decoder is finished.

    `events` are those that were complete before it, in the same piece.
    """

    def __init__(self, limit: int, events: Sequence[ServerSentEvent] = ()) -> None:
        super().__init__(limit)  # and not with the events, which `repr` would show
        self.limit = limit
        self.events = events

    def __str__(self) -> str:
        return f"An event of the stream is larger than the limit of {self.limit} bytes."


class SSEDecoder:
    r"""Turns the bytes of an event stream, in any pieces, into its events. An event that is unfinished at the end is dropped.

    `limit` is the most bytes that one line, or the data of one event, may have.
    """

    last_event_id: str
    """The id to resume the stream from; it changes at the end of a block, even without data."""

    def __init__(self, limit: int = 16 * 1024 * 1024) -> None:
        self.last_event_id = ""
        self._limit = limit
        self._failed = False
        self._start: bytes | None = b""  # what may yet become a byte-order mark; None once that is settled
        self._after_cr = False
        self._unfinished = bytearray()  # the line that has not ended yet
        self._data = bytearray()  # the standard's three buffers
        self._type = ""
        self._id = ""

    def feed(self, piece: bytes) -> list[ServerSentEvent]:
        """Take the next bytes of the stream, and return the events they complete; raises EventTooLargeError."""
        if self._failed:
            raise EventTooLargeError(self._limit)
        if self._start is not None:
            piece = self._start + piece
            if len(piece) < len(_BYTE_ORDER_MARK):  # too short for an event, and perhaps the start of a mark
                self._start = piece
                return []
            piece = piece.removeprefix(_BYTE_ORDER_MARK)
            self._start = None
        if not piece:
            return []
        if self._after_cr:  # it ended its line at once; a line feed now is the rest of the same line end
            piece = piece.removeprefix(b"\n")
        self._after_cr = piece.endswith(b"\r")
        if b"\r" in piece:
            piece = piece.replace(b"\r\n", b"\n").replace(b"\r", b"\n")

        ended, line_end, unfinished = piece.rpartition(b"\n")
        events: list[ServerSentEvent] = []
        if line_end:
            ended = bytes(self._unfinished) + ended
            self._unfinished.clear()
            if not self._read_plain_blocks(ended, events):
                for line in ended.split(b"\n"):
                    self._read_line(line, events)
        if len(self._unfinished) + len(unfinished) > self._limit:
            raise self._build_too_large_error(events)
        self._unfinished += unfinished
        return events

    def _read_plain_blocks(self, ended: bytes, events: list[ServerSentEvent]) -> bool:
        """Read a piece of whole blocks of one `data: ` line each, fast; return whether it was that.

        It gives what `_read_line` gives, which takes all else: every line feed must be one of the two that end a block.
        """
        if self._data or self._type or len(ended) > self._limit:
            return False
        if not (ended.startswith(b"data: ") and ended.endswith(b"\n")):
            return False
        data = _decode_text(ended[6:-1]).split("\n\ndata: ")
        if ended.count(b"\n") != 2 * len(data) - 1:
            return False
        self.last_event_id = self._id
        events.extend(map(ServerSentEvent, repeat(_UNNAMED), data, repeat(self._id)))
        return True

    def _read_line(self, line: bytes, events: list[ServerSentEvent]) -> None:
        if not line:
            self.last_event_id = self._id
            if self._data:
                data = _decode_text(self._data[:-1])
                events.append(ServerSentEvent(self._type or _UNNAMED, data, self._id))
                self._data.clear()
            self._type = ""
            return
        if len(line) > self._limit:
            raise self._build_too_large_error(events)
        name, _, value = line.partition(b":")  # a comment is a field without a name, and as unknown as others
        value = value.removeprefix(b" ")
        if name == b"data":
            if len(self._data) + len(value) > self._limit:
                raise self._build_too_large_error(events)
            self._data += value
            self._data += b"\n"
        elif name == b"event":
            self._type = _decode_text(value)
        elif name == b"id" and b"\0" not in value:
            self._id = _decode_text(value)

    def _build_too_large_error(self, events: Sequence[ServerSentEvent]) -> EventTooLargeError:
        self._failed = True
        return EventTooLargeError(self._limit, events)


def _decode_text(value: bytes | bytearray) -> str:
    return value.decode("utf-8", "replace")


_LARGE = 1024 * 1024
"""Characters of an event that is not searched. Only the first one with a piece may be larger."""


class RedactingDecoder(SSEDecoder):
    """Decodes an event stream, and redacts all events from the first that repeats a secret or says that it is an error.

    It does not find a secret that an agent spreads over several chunks. `own` is a secret of the request; `limit` is as for
    `SSEDecoder`.
    """

    def __init__(self, own: SecretStr | None = None, limit: int = 16 * 1024 * 1024) -> None:
        super().__init__(limit)
        self._scan = AnswerScan(own)

    def feed(self, piece: bytes) -> list[ServerSentEvent]:
        is_clean = self._scan.is_clean(piece)
        too_large = False
        try:
            events = super().feed(piece)
        except EventTooLargeError as error:
            too_large, events = True, list(error.events)
        if not is_clean:
            events = [ServerSentEvent(*map(redact, event)) for event in events]
        if events and (len(piece) > _LARGE or len(events[0].data) > _LARGE):
            for position, event in enumerate(events):
                if is_excessive(event.data):
                    raise EventTooLargeError(self._limit, events[:position])
        if too_large:
            raise EventTooLargeError(self._limit, events)
        return events
