"""Server-sent events, read as they come."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from .errors import UnreadableAnswer, read

if TYPE_CHECKING:
    import httpx

LARGEST_EVENT = 16 * 1024 * 1024
"""The most bytes that one event may have."""
_LINE_END = re.compile(rb"\r\n|\r|\n")
T = TypeVar("T")


class _Decoder:
    """Makes the data of events of the bytes of a stream, wherever these are cut."""

    def __init__(self) -> None:
        self._line = bytearray()
        self._data: list[bytes] = []
        self._size = 0
        self._was_return = False

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        """Yield the data of every event that is complete with these bytes."""
        if self._was_return and chunk.startswith(b"\n"):
            chunk = chunk[1:]
        self._was_return = chunk.endswith(b"\r")
        *ended, rest = _LINE_END.split(chunk)
        for end in ended:
            line, self._line = bytes(self._line) + end, bytearray()
            name, _, value = line.removeprefix(b"\xef\xbb\xbf").partition(b":")
            if name == b"data":
                self._data.append(value.removeprefix(b" "))
                self._size += len(value) + 1
            elif not line:
                data, self._data, self._size = b"\n".join(self._data), [], 0
                if data:
                    yield data
        self._line += rest
        if self._size + len(self._line) > LARGEST_EVENT:
            raise UnreadableAnswer(200)


def _read_event(parse: Callable[[Mapping[str, Any]], T], data: bytes) -> T:
    try:
        return parse(json.loads(data))
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise UnreadableAnswer(200, data) from error


def _is_stream(response: httpx.Response) -> bool:
    kind: str = response.headers.get("content-type", "")
    return response.is_success and kind.partition(";")[0].strip().lower() == "text/event-stream"


def iterate(
    response: httpx.Response,
    parse_event: Callable[[Mapping[str, Any]], T],
    parse_answer: Callable[[httpx.Response], Any],
    successes: Sequence[range],
) -> Iterator[T]:
    """Yield each event of a stream; of an answer that is one JSON document, that.

    Args:
        response: The answer, its body not read.
        parse_event: Reads the data of an event.
        parse_answer: Reads an answer that is not a stream.
        successes: The statuses that are a success.

    Raises:
        ErrorStatus, UnexpectedStatus: The answer is not a success.
        UnreadableAnswer: An event is not as the spec has it, or too large.
    """
    if _is_stream(response):
        decoder = _Decoder()
        for chunk in response.iter_bytes():
            for data in decoder.feed(chunk):
                yield _read_event(parse_event, data)
    else:
        response.read()
        read(parse_answer, response, successes)
        yield _read_event(parse_event, response.content)


async def aiterate(
    response: httpx.Response,
    parse_event: Callable[[Mapping[str, Any]], T],
    parse_answer: Callable[[httpx.Response], Any],
    successes: Sequence[range],
) -> AsyncIterator[T]:
    """Do as `iterate`, asynchronously."""
    if _is_stream(response):
        decoder = _Decoder()
        async for chunk in response.aiter_bytes():
            for data in decoder.feed(chunk):
                yield _read_event(parse_event, data)
    else:
        await response.aread()
        read(parse_answer, response, successes)
        yield _read_event(parse_event, response.content)


__all__ = ["LARGEST_EVENT", "aiterate", "iterate"]
