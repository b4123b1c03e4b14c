"""The answer that a runner is reading: one at most, decompressed piece by piece, closed whatever happens.

httpx's decoders decompress a whole chunk at once, which may grow a thousandfold, and accept nested encodings. So the SDK reads raw
bodies.
"""

from __future__ import annotations

import contextlib
import logging
import socket
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final, TypeAlias, cast

from payman_sdk._core.http import BufferedResponse, HTTPResponse, Transmission
from payman_sdk._core.wire_json import is_excessive
from payman_sdk._text.error_response import KEPT_HEADERS
from payman_sdk._text.redaction import redact
from payman_sdk.errors import APIConnectionError

OpenResponse: TypeAlias = Any
"""An answer whose body is still to be read: an `httpx.Response`, or what own connections return."""

log = logging.getLogger("payman_sdk")

Guard: TypeAlias = Callable[[], contextlib.AbstractContextManager[object]]

ACCEPTED: Final = "gzip, deflate"
"""The value of `Accept-Encoding`: what Python can always decompress piece by piece."""

_PIECE: Final = 64 * 1024
"""Bytes that are decompressed at a time."""
_GZIP, _ZLIB, _RAW = 16 + zlib.MAX_WBITS, zlib.MAX_WBITS, -zlib.MAX_WBITS
"""What `zlib` calls the three formats."""
_FORMATS: Final = {"gzip": _GZIP, "x-gzip": _GZIP, "deflate": _ZLIB}
_GZIP_BEGINS: Final = b"\x1f\x8b"
_HEAD: Final = 2
"""Bytes that identify formats."""
_DIGITS: Final = 18
"""Digits of a length that anybody could mean."""


class Decompressor:
    """Decompresses a body by its `Content-Encoding`. Raises UnreadableAnswerError for an unknown one, or for several."""

    def __init__(self, encoding: str) -> None:
        parts = map(str.strip, encoding.lower().split(","))
        named = [name for name in parts if name not in ("", "identity")]
        if len(named) > 1 or (named and named[0] not in _FORMATS):
            raise UnreadableAnswerError(
                f"The answer is encoded as {encoding!r}, and only gzip or deflate are read."
            )
        self._is_plain = not named
        self._format = _FORMATS[named[0]] if named else _RAW
        self._stream: Any = None
        self._held = b""
        self._is_first, self._has_ended = True, False

    def feed(self, raw: bytes) -> Iterator[bytes]:
        """Take the next bytes, and give their content, at most 64 KiB at a time; refuse what makes no sense."""
        if self._is_plain:
            yield raw
            return
        raw, self._held = self._held + raw, b""
        while raw and not self._has_ended:
            if self._stream is None and not self._begins(raw):
                return
            stream: Any = self._stream
            try:
                piece: bytes | None = stream.decompress(raw, _PIECE)
            except zlib.error:
                piece = None
            if piece is None:
                raise UnreadableAnswerError("The answer is not compressed as it says.")
            raw = stream.unconsumed_tail
            if stream.eof:
                # A gzip file may be followed by another. Anything else after it does not belong to the body.
                raw, self._stream = stream.unused_data, None
                self._has_ended, self._is_first = self._format != _GZIP, False
            if piece:
                yield piece

    def _begins(self, raw: bytes) -> bool:
        """Return whether a compressed stream begins; too few bytes to decide are held back."""
        if len(raw) < _HEAD:
            self._held = raw
            return False
        if not self._is_first and not raw.startswith(_GZIP_BEGINS):
            self._has_ended = True
            return False
        if self._format == _ZLIB and (raw[0] & 15 != zlib.DEFLATED or (raw[0] << 8 | raw[1]) % 31):
            self._format = _RAW  # some servers leave the frame of zlib out
        self._stream = zlib.decompressobj(self._format)
        return True


class BoundedBody:
    """A body that is kept whole, up to a limit of decompressed bytes. Raises UnreadableAnswerError if its headers announce more."""

    def __init__(self, headers: Mapping[str, str], limit: int) -> None:
        self._limit = limit
        self._pieces: list[bytes] = []
        self._size = 0
        said = headers.get("content-length", "")
        if said.isascii() and said.isdecimal() and (len(said) > _DIGITS or int(said) > limit):
            raise too_large(limit)

    def add(self, piece: bytes) -> None:
        """Take the next piece, decompressed; refuse a body that is too large now."""
        self._size += len(piece)
        if self._size > self._limit:
            raise too_large(self._limit)
        self._pieces.append(piece)

    def content(self) -> bytes:
        """Return what has come; refuse what would take many times its size in memory once read."""
        content = b"".join(self._pieces)
        if is_excessive(content):
            raise UnreadableAnswerError("The answer holds millions of values.")
        return content


class UnreadableAnswerError(Exception):
    """An answer came and is not read. Only the SDK raises it, so `failure`, the caller's error, can be believed.

    The ask may have been done, and would be answered so again.
    """

    def __init__(self, message: str, next_step: str = "") -> None:
        super().__init__(message)
        self.failure = APIConnectionError(message, next_step=next_step, sent=True)
        self.failure.is_transient = False


def too_large(limit: int) -> UnreadableAnswerError:
    """Return the error for an answer that is larger than it may be."""
    return UnreadableAnswerError(
        f"The answer is larger than {limit:,} bytes.", "If you expect such answers, raise max_answer_bytes."
    )


class OpenStream:
    """An open answer of the runner for threads, or none."""

    def __init__(self) -> None:
        self._answer: OpenResponse | None = None
        self._pieces: Iterator[bytes] = iter(())
        self._guard: Guard = contextlib.nullcontext

    def open(
        self, answer: OpenResponse, guard: Guard, check: Callable[[], None], *, keeps_deadline: bool
    ) -> None:
        """Begin to read the body of an answer, which `close` closes under the guard; refuse an unknown encoding.

        `check` is called before more is decompressed, and before more is read unless all has come or the connection keeps the
        deadline.
        """
        self._answer, self._guard = answer, guard
        self._pieces = _iter_pieces(answer, check, keeps_deadline)

    def read(self) -> bytes | None:
        """Return the next piece as it comes, None at the end."""
        return next(self._pieces, None)

    def interrupt(self) -> None:
        """Have whoever reads in another thread stop, and close it then."""
        if (answer := self._answer) is not None and not shut_down(answer):
            close_quietly(answer)

    def close(self) -> None:
        if self._answer is None:
            return
        with self._guard():
            if self._answer is not None:
                close_quietly(self._answer)
            # Generators that are left half-way do what is left of their work when they go.
            self._answer, self._pieces = None, iter(())


def _iter_pieces(answer: OpenResponse, check: Callable[[], None], keeps_deadline: bool) -> Iterator[bytes]:
    if answer.is_stream_consumed:  # a hook has read it, or it was never sent
        return iter((answer.content,))
    encoding = answer.headers.get("content-encoding", "")
    if not encoding and keeps_deadline:  # nothing is to be done with a piece
        raw: Iterator[bytes] = answer.iter_raw()
        return raw
    decompressor = Decompressor(encoding)
    length = answer.headers.get("content-length")

    def iter_decompressed() -> Iterator[bytes]:
        for raw in answer.iter_raw():
            for number, piece in enumerate(decompressor.feed(raw)):
                if number:
                    check()
                yield piece
            if not keeps_deadline and str(answer.num_bytes_downloaded) != length:
                check()

    return iter_decompressed()


class OwnResponse:
    """What own connections return: of an `httpx.Response`, what runners use."""

    is_stream_consumed = False

    def __init__(
        self, status_code: int, raw_headers: Iterable[tuple[bytes, bytes]], extensions: dict[str, Any]
    ) -> None:
        self.status_code, self.raw_headers, self.extensions = status_code, list(raw_headers), extensions
        self.headers = _read_headers(self.raw_headers)

    @property
    def is_success(self) -> bool:
        return 200 <= self.status_code < 300


def _read_headers(raw: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """Return the headers of an answer by their names in lower case; those of one name are united with commas."""
    found: dict[str, str] = {}
    for name, value in raw:
        key = name.decode("latin-1").lower()
        try:
            text = value.decode()
        except UnicodeDecodeError:
            text = value.decode("latin-1")
        found[key] = f"{found[key]}, {text}" if key in found else text
    return found


def close_quietly(answer: OpenResponse) -> None:
    """Release the connection of an answer. A failure changes nothing of the answer."""
    if answer.is_closed:
        return
    try:
        answer.close()
    except Exception as error:
        log.debug("Could not release a connection: %s", type(error).__name__)


def shut_down(answer: OpenResponse) -> bool:
    """End what another thread or task reads of an answer, whose descriptor stays open until that notices; False if that is impossible.

    The connection of an answer that has ended is another request's by now. HTTP/2 shares one with all requests.
    """
    stream: Any = answer.extensions.get("network_stream")
    if answer.is_closed or stream is None or answer.extensions.get("http_version") == b"HTTP/2":
        return bool(answer.is_closed)
    sock: Any = stream.get_extra_info("socket")
    # The method of an SSLSocket takes the encryption off; asyncio has another class.
    kind = cast("Any", socket.socket if isinstance(sock, socket.socket) else type(sock))
    try:
        kind.shutdown(sock, socket.SHUT_RDWR)
    except (OSError, AttributeError, TypeError) as error:
        return isinstance(error, OSError)
    return True


Outcome: TypeAlias = HTTPResponse | APIConnectionError
"""What came of a request: its answer, or why there is none."""


def unwrap_outcome(outcome: Outcome, transmission: Transmission) -> HTTPResponse:
    """Return the answer; raises APIConnectionError without one, or if it refuses a request that was sent twice.

    Call it outside the handler of a transport's exception, which holds the request with its secrets.
    """
    if not isinstance(outcome, APIConnectionError):
        if transmission.sends <= 1 or outcome.is_success:
            return outcome
        outcome = APIConnectionError(
            f"The transport sent the request {transmission.sends} times. HTTP {outcome.status_code} answers the last of them.",
            sent=True,
        )
    transmission.sent = outcome.sent is not False
    raise outcome


def buffer_answer(status: int, headers: Mapping[str, str], body: bytes) -> BufferedResponse:
    """Return an answer with the given body, without headers that no longer fit it, and redacted unless it is a success.

    A success may hold new secrets.
    """
    if not 200 <= status < 300:
        headers = {name: redact(headers[name]) for name in KEPT_HEADERS if name in headers}
        body = redact(body)
    elif "content-encoding" in headers:
        headers = {name: value for name, value in headers.items() if name.lower() not in _OF_THE_BODY}
    return BufferedResponse(status, headers, body)


_OF_THE_BODY = frozenset({"content-encoding", "content-length", "transfer-encoding"})
