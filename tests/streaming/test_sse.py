from __future__ import annotations

import pickle
from collections.abc import Iterable
from typing import NamedTuple

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from payman_sdk._core.sse import EventTooLargeError, ServerSentEvent, SSEDecoder
from tests.tables import table


class Reading(NamedTuple):
    """What came out of a stream."""

    events: list[ServerSentEvent]
    last_event_id: str
    too_large: bool = False


def read(pieces: Iterable[bytes], limit: int = 1000) -> Reading:
    """Everything a decoder says of these pieces, up to the error if there is one."""
    decoder = SSEDecoder(limit)
    events: list[ServerSentEvent] = []
    try:
        for piece in pieces:
            events += decoder.feed(piece)
    except EventTooLargeError as error:
        return Reading([*events, *error.events], decoder.last_event_id, too_large=True)
    return Reading(events, decoder.last_event_id)


def bytewise(stream: bytes) -> list[bytes]:
    return [stream[at : at + 1] for at in range(len(stream))]


def cut(stream: bytes, places: list[int]) -> list[bytes]:
    """The stream in pieces, some of them empty; a place beyond its end counts from its start again."""
    ends = [*sorted(place % (len(stream) + 1) for place in places), len(stream)]
    return [stream[start:end] for start, end in zip([0, *ends], ends, strict=False)]


def message(data: str, id: str = "", event: str = "message") -> ServerSentEvent:  # noqa: A002 - the field's name
    return ServerSentEvent(event, data, id)


ONE = [message("one")]

CASES: dict[str, tuple[bytes, list[ServerSentEvent], str]] = {
    # The examples of the standard.
    "lines of data are joined": (b"data: PAY\ndata: +2\ndata: 10\n\n", [message("PAY\n+2\n10")], ""),
    "comments, ids and a block that never ends": (
        b": a comment\n\ndata: first\nid: 1\n\ndata:second\nid\n\ndata:  third\n",
        [message("first", "1"), message("second")],
        "",
    ),
    "data without a colon, and a block that never ends": (
        b"data\n\ndata\ndata\n\ndata:",
        [message(""), message("\n")],
        "",
    ),
    "one space after the colon does not count": (
        b"data:same\n\ndata: same\n\n",
        [message("same")] * 2,
        "",
    ),
    "named events": (
        b"event: add\ndata: 734\n\nevent: remove\ndata: 21\n\ndata: 3\n\n",
        [message("734", event="add"), message("21", event="remove"), message("3")],
        "",
    ),
    # Line ends.
    "CR": (b"data: a\rdata: b\r\rdata: c\r\r", [message("a\nb"), message("c")], ""),
    "CRLF": (b"data: a\r\ndata: b\r\n\r\ndata: c\r\n\r\n", [message("a\nb"), message("c")], ""),
    "all three mixed": (
        b"data: a\ndata: b\rdata: c\r\n\ndata: d\n\rdata: e\r\r\ndata: f\r\n\r",
        [message("a\nb\nc"), message("d"), message("e"), message("f")],
        "",
    ),
    "LF CR is two line ends": (b"data: a\n\rdata: b\n\n", [message("a"), message("b")], ""),
    "CR CR LF is two line ends": (b"data: a\r\r\ndata: b\n\n", [message("a"), message("b")], ""),
    "CR LF LF is two line ends": (b"data: a\r\n\ndata: b\n\n", [message("a"), message("b")], ""),
    "CR CRLF inside a block is its end": (b"id: 1\r\r\ndata: a\r\r", [message("a", "1")], "1"),
    "nothing else ends a line": (
        "data: a\u2028b\u2029c\u0085d\ve\ff\x1cg\x1dh\x1ei\0j\n\n".encode(),
        [message("a\u2028b\u2029c\u0085d\ve\ff\x1cg\x1dh\x1ei\0j")],
        "",
    ),
    "nothing else ends a line, in no field": (
        "event: a\u2028b\vc\nid: d\u2029e\x85\x0c\nx\x0bdata: f\ndata: g\n\n".encode(),
        [message("g", "d\u2029e\x85\x0c", "a\u2028b\vc")],
        "d\u2029e\x85\x0c",
    ),
    # The byte-order mark.
    "a byte-order mark": (b"\xef\xbb\xbfdata: one\n\n", ONE, ""),
    "a byte-order mark before an empty line": (b"\xef\xbb\xbf\ndata: one\n\n", ONE, ""),
    "only one byte-order mark": (b"\xef\xbb\xbf\xef\xbb\xbfdata: x\n\ndata: one\n\n", ONE, ""),
    "a byte-order mark only at the start": (
        b"\n\xef\xbb\xbfdata: x\n\ndata: \xef\xbb\xbf\n\ndata: \xef\xbb\xbf\nid: \xef\xbb\xbf\n\n",
        [message("\ufeff"), message("\ufeff", "\ufeff")],
        "\ufeff",
    ),
    "the start of a byte-order mark": (b"\xef\xbbdata: x\n\ndata: one\n\n", ONE, ""),
    "another start of a byte-order mark": (b"\xefdata: x\n\ndata: one\n\n", ONE, ""),
    "a byte-order mark and nothing else": (b"\xef\xbb\xbf", [], ""),
    # Fields.
    "only a space, and only one, is taken off a value": (
        b"data:  a \n\ndata:\tb\n\ndata: \xc2\xa0c\n\ndata:   \n\n",
        [message(" a "), message("\tb"), message("\u00a0c"), message("  ")],
        "",
    ),
    "the value may have colons": (
        b"data:a:b: c\n\ndata: :d\n\n",
        [message("a:b: c"), message(":d")],
        "",
    ),
    "names are exact": (
        b"Data: a\nDATA: b\n data: c\ndata : d\nda\xc3\xa4ta: e\n\xffdata: e\nx: f\nxdata: g\ndata: one\n\n",
        ONE,
        "",
    ),
    "a name alone is a field": (
        b"event: x\nevent\nid: 1\nid\nretry: 5\nretry\ndata\ndata: a\n\n",
        [message("\na")],
        "",
    ),
    "comments": (b":\n: data: x\n:data: x\ndata: one\n:id: 1\n\n: retry: 5\n\n", ONE, ""),
    "empty lines of data": (
        b"data:\n\ndata: \n\ndata:\ndata: \ndata\n\n",
        [message(""), message(""), message("\n\n")],
        "",
    ),
    "data that ends in an empty line": (b"data: a\ndata\n\n", [message("a\n")], ""),
    "the last of several names and ids holds": (
        b"event: a\nid: 1\ndata: x\nid: 2\nevent: b\n\n",
        [message("x", "2", "b")],
        "2",
    ),
    "an empty name counts as none": (b"event: a\nevent:\ndata: one\n\n", ONE, ""),
    "without data there is no event, and its type is forgotten": (
        b"event: x\n\ndata: one\n\n",
        ONE,
        "",
    ),
    "without data there is no event, and its id is kept": (
        b"id: 1\n\ndata: a\n\n",
        [message("a", "1")],
        "1",
    ),
    "an id holds until the next": (
        b"data: a\n\nid: 1\ndata: b\n\ndata: c\n\nid:\ndata: d\n\n",
        [message("a"), message("b", "1"), message("c", "1"), message("d")],
        "",
    ),
    "the id of an unfinished block is not yet the last": (b"id: 1\n\nid: 2\n", [], "1"),
    "the id of an unfinished block with data is not yet the last": (
        b"id: 1\ndata: one\n\nid: 2\ndata: two\n",
        [message("one", "1")],
        "1",
    ),
    "an id with NUL is ignored": (b"id: 1\nid: 2\0\nid: \0\ndata: a\n\n", [message("a", "1")], "1"),
    "NUL may be elsewhere": (b"event: \0\ndata: \0\n\n", [message("\0", event="\0")], ""),
    "empty lines are nothing": (
        b"\n\n\r\r\n\ndata: a\n\n\n\n\ndata: b\n\n\n",
        [message("a"), message("b")],
        "",
    ),
    "an empty line before data that is alone": (b"\ndata: one\n\n", ONE, ""),
    "a field after the data": (b"data: a\nx\n\ndata: b\n\n", [message("a"), message("b")], ""),
    "a comment between events": (
        b"data: a\n\n: still here\n\ndata: b\n\n",
        [message("a"), message("b")],
        "",
    ),
    "blocks that only look like plain ones": (
        b"data: a\n\ndata:b\n\ndata: c\nid: 1\n\ndata: d\n\n\ndata: e\n\ndata: f\n",
        [message("a"), message("b"), message("c", "1"), message("d", "1"), message("e", "1")],
        "1",
    ),
    "a line beside plain blocks": (b"data: a\n\ndata: b\nx", [message("a")], ""),
    "data that looks like a field": (
        b"data: data: a\n\ndata: id: 1\n\n",
        [message("data: a"), message("id: 1")],
        "",
    ),
    # The time to wait.
    "retry": (b"retry: 2500\nretry: x\ndata: one\n\n", ONE, ""),
    "the last retry holds": (b"retry: 1\n\nretry:00200\ndata: one\n\nretry:\n", ONE, ""),
    "retry has digits only": (
        "retry: 7\nretry: -1\nretry: +1\nretry: 1_0\nretry:  1\nretry: 1 \nretry: 1.5\nretry: \u0661\nretry: x\n".encode(),
        [],
        "",
    ),
    "a retry too long to be read is still very long": (b"retry: " + b"9" * 5000 + b"\n", [], ""),
    "leading zeros do not make a number long": (b"retry: " + b"0" * 5000 + b"12\n", [], ""),
    # Text.
    "UTF-8 of every length": (
        "event: é\nid: …\ndata: é…😀\n\ndata: 😀\n\n".encode(),
        [message("é…😀", "…", "é"), message("😀", "…")],
        "…",
    ),
    "what is no UTF-8 is replaced": (
        b"event: \xff\nid: \xc3\ndata: a\xffb\xc0\xafc\xed\xa0\x80d\xf4\x90\x80\x80e\n\n",
        [message("a\ufffdb\ufffd\ufffdc\ufffd\ufffd\ufffdd\ufffd\ufffd\ufffd\ufffde", "\ufffd", "\ufffd")],
        "\ufffd",
    ),
    "a broken character ends with its line": (
        b"data: \xe2\x82\n\ndata: \xe2\x82\ndata: \xac\n\ndata: \xf0\x9f\x98\r\r",
        [message("\ufffd"), message("\ufffd\n\ufffd"), message("\ufffd")],
        "",
    ),
    # The end.
    "nothing": (b"", [], ""),
    "an unfinished line": (b"data: one\n\ndata: two", ONE, ""),
    "an unfinished block": (b"data: one\n\ndata: two\n", ONE, ""),
}


@table(("stream", "events", "last_event_id"), CASES.values(), ids=CASES)
def test_the_rules(stream: bytes, events: list[ServerSentEvent], last_event_id: str) -> None:
    """A stream gives the events that the standard says, fed whole, byte by byte, and cut in two anywhere."""
    expected = Reading(events, last_event_id)
    assert read([stream], limit=10_000) == expected
    assert read(bytewise(stream), limit=10_000) == expected
    for place in range(len(stream) + 1):
        assert read([stream[:place], b"", stream[place:]], limit=10_000) == expected


def by_the_book(stream: bytes) -> Reading:
    """The standard's own steps, one after the other, over the whole stream."""
    characters = list(stream.decode("utf-8", "replace"))
    if characters and characters[0] == "\ufeff":
        del characters[0]
    lines: list[str] = []
    line = ""
    while characters:
        character = characters.pop(0)
        if character not in {"\r", "\n"}:
            line += character
            continue
        if character == "\r" and characters and characters[0] == "\n":
            del characters[0]
        lines.append(line)
        line = ""

    events: list[ServerSentEvent] = []
    data = event_type = id_buffer = last_event_id = ""
    for line in lines:
        if line == "":
            last_event_id = id_buffer
            if data != "":
                events.append(
                    ServerSentEvent(event_type or "message", data.removesuffix("\n"), last_event_id)
                )
            data = event_type = ""
            continue
        if line[0] == ":":
            continue
        field, value = line.split(":", maxsplit=1) if ":" in line else (line, "")
        if value[:1] == " ":
            value = value[1:]
        if field == "event":
            event_type = value
        elif field == "data":
            data += value + "\n"
        elif field == "id":
            id_buffer = id_buffer if "\0" in value else value
    return Reading(events, last_event_id)


values = st.text(alphabet=" :0a\0é😀\u2028\u0085\v\ufeff", max_size=4).map(str.encode) | st.binary(max_size=4)
names = st.sampled_from([b"data", b"event", b"id", b"retry", b"", b"x", b"data "])
line_ends = st.sampled_from([b"\n", b"\n", b"\r\n", b"\r"])
fields = st.tuples(names, st.sampled_from([b": ", b":", b""]), values).map(b"".join)
blocks = st.just(b"data: one\n\n") | values.map(lambda value: b"data: " + value + b"\n\n")
ended_lines = st.tuples(fields | st.just(b""), line_ends).map(b"".join)
streams = st.tuples(
    st.sampled_from([b"", b"", b"\xef\xbb\xbf", b"\xef\xbb"]),
    st.lists(ended_lines | blocks, max_size=12).map(b"".join),
    st.just(b"") | values,
).map(b"".join)
places = st.lists(st.integers(0, 200), max_size=6)


@given(streams, places)
@example(b"id: 1\ndata: a\n\ndata: b\n\n", [6])
@example(b"event: x\ndata: a\n\ndata: b\n\n", [9])
@example(b"data: x\ndata: a\n\ndata: b\n\n", [8])
@example(b"id: 1\n\ndata: b\n\n", [6, 7])
def test_any_stream_in_any_pieces(stream: bytes, places: list[int]) -> None:
    """Whatever the stream and wherever it is cut, the result is that of the standard's steps, and so byte by byte."""
    expected = by_the_book(stream)
    assert read(cut(stream, places)) == expected
    assert read(bytewise(stream)) == expected


@given(streams, places, st.integers(1, 12))
@example(b"data: a\n\ndata: bcd\n\n", [], 8)
@example(b"\xef\xbb\xbfdata:a\n\ndata: bcd\n\n", [], 7)
def test_a_limit_in_any_pieces(stream: bytes, places: list[int], limit: int) -> None:
    """Wherever the stream is cut, the same events come before the same error, and the ids and times agree."""
    assert read(cut(stream, places), limit) == read(bytewise(stream), limit)


@given(st.binary(max_size=40), places)
def test_any_bytes(stream: bytes, places: list[int]) -> None:
    """Bytes that are no event stream at all are read as the standard says too, and nothing is raised."""
    assert read(cut(stream, places)) == by_the_book(stream)


@table(
    "stream",
    [
        b"data: 3456\n\n",
        b"data:34567\n\n",
        b"data:34567\r\n\r\n",
        b"\xef\xbb\xbfdata: 3456\n\n",
        b"data: \xe2\x82\xac6\n\n",
        b":234567890\ndata: 1\n\n",
        b"event: 890\ndata: 1\n\n",
        b"data: 23\ndata: 56\ndata: 89\ndata\n\n",
        b"data: 23\ndata: 56\ndata: 890\n\n",
        b"data\n" * 11 + b"\n",
        b"data: 3456\n\n" * 9,
        b"event: xyz\ndata: 3456\n\n" * 9,
        b"data: one\n\n:234567890",
    ],
)
def test_up_to_the_limit(stream: bytes) -> None:
    """Lines of ten bytes, and data that is ten bytes with the line feeds that join it, pass a limit of ten."""
    expected = by_the_book(stream)
    assert expected.events
    assert read([stream], limit=10) == read(bytewise(stream), limit=10) == expected


@table(
    ("fine", "too_much"),
    [
        (b"", b"data: 34567"),
        (b"", b"data: 34567\n\n"),
        (b"", b"data: 34567\r\r"),
        (b"", b"data: \xe2\x82\xac67\n\n"),
        (b"", b":2345678901"),
        (b"", b"unknown: 01\n"),
        (b"", b"unknown: 01\ndata: x\n\n"),
        (b"", b"data: 23\ndata: 56\ndata:56789\n"),
        (b"", b"data: 23\ndata: 56\ndata:56789\n\ndata: x\n\n"),
        (b"", b"data: 23\ndata: 56\ndata: 89\ndata\ndata\ndata\n"),
        (b"", b"data\n" * 12),
        (b"data: 3456\n\n", b"data: 34567\n\ndata: x\n\n"),
        (b"id: 1\nretry: 5\n", b"data: 34567\n\nretry: 6\nid: 2\n\n"),
    ],
)
@table("before", [b"", b"data: one\n\n", b"id: 1\ndata: a\n\n", b"\xef\xbb\xbf\n"])
def test_beyond_the_limit(before: bytes, fine: bytes, too_much: bytes) -> None:
    """A line, ended or not, or data of more than ten bytes is refused by a limit of ten, but not what is before it."""
    stream = before + fine + too_much
    expected = by_the_book(before + fine)._replace(too_large=True)
    assert read([stream], limit=10) == read(bytewise(stream), limit=10) == expected
    for place in range(len(stream)):
        assert read([stream[:place], stream[place:]], limit=10) == expected


def test_the_error_says_the_limit() -> None:
    """The error names the limit, shows nothing of the stream, survives a pickle, and is a ValueError."""
    with pytest.raises(ValueError, match="larger than the limit of 10 bytes") as raised:
        SSEDecoder(limit=10).feed(b"data: one\n\ndata: 34567\n\n")
    assert isinstance(raised.value, EventTooLargeError)
    assert "one" not in f"{raised.value} {raised.value!r}"
    copy = pickle.loads(pickle.dumps(raised.value))  # noqa: S301 - written a line before
    assert (str(copy), copy.limit, copy.events) == (str(raised.value), 10, ONE)


def test_no_events_after_the_error() -> None:
    """A decoder that has met too large an event raises at every further piece, and delivers nothing twice."""
    decoder = SSEDecoder(limit=10)
    for piece in (b"data: one\n\ndata: 34567", b"\n\n", b"", b"data: one\n\n"):
        with pytest.raises(EventTooLargeError) as raised:
            decoder.feed(piece)
        assert raised.value.events == (ONE if piece.startswith(b"data: one\n\ndata") else ())
        assert raised.value.limit == 10


def test_the_usual_limit() -> None:
    """Without a limit of the caller's, it is 16 MiB."""
    decoder = SSEDecoder()
    assert decoder.feed(b":" * (16 * 1024 * 1024)) == []
    with pytest.raises(EventTooLargeError, match="16777216 bytes"):
        decoder.feed(b":")


def test_plain_blocks_are_read_in_the_fast_way() -> None:
    """Nothing but whole blocks of one line of data, up to the limit, costs no step for each line."""

    class Plain(SSEDecoder):
        def _read_line(self, line: bytes, events: list[ServerSentEvent]) -> None:
            raise AssertionError(line)

    assert Plain(limit=10).feed(b"data: one\n\n") == ONE
    assert Plain(limit=10).feed(b"data: one\n\ndata: two") == ONE
    assert Plain().feed(b"data: one\n\n" * 3) == ONE * 3


def test_a_carriage_return_at_the_end_of_a_piece() -> None:
    """A CR ends its line at once: the event does not wait for the next piece, and a line feed there is no other line end."""
    decoder = SSEDecoder()
    assert decoder.feed(b"data: one\r\n\r") == ONE
    assert decoder.feed(b"") == []
    assert decoder.feed(b"\ndata: one\r") == []
    assert decoder.feed(b"\n") == []
    assert decoder.feed(b"\r") == ONE
    assert decoder.feed(b"data: one\r") == []
    assert decoder.feed(b"\r") == ONE


def test_events_come_with_the_byte_that_ends_them() -> None:
    """Each event is returned by the very piece that completes it, a byte-order mark in pieces before it or not."""
    decoder = SSEDecoder()
    came = [len(decoder.feed(piece)) for piece in bytewise(b"\xef\xbb\xbfdata:1\n\ndata:2\r\rdata:3\r\n\r\n")]
    assert came == [0] * 10 + [1] + [0] * 7 + [1] + [0] * 8 + [1, 0]


def test_the_last_event_id_is_known_at_once() -> None:
    """The id is the newest where a block ends, with data or without."""
    decoder = SSEDecoder()
    decoder.feed(b"id: 1\nretry: 5\n")
    assert decoder.last_event_id == ""
    decoder.feed(b"\n")
    assert decoder.last_event_id == "1"
    decoder.feed(b"id: 2\n")
    assert decoder.last_event_id == "1"
    decoder.feed(b"data: a\n\n")
    assert decoder.last_event_id == "2"
