"""HTTP as flows see it: how far a request has come, answers, and the search for secrets in them.

httpcore and the client's own connections report their steps to the extension `trace` of a request. "Not sent" is certain only if
these steps or a known transport say so.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, Final, Protocol

from payman_sdk._annotations import NamedTuple
from payman_sdk._secrets import SecretStr, sent_secrets
from payman_sdk._text.error_response import Headers
from payman_sdk._text.redaction import (
    ALIKE,
    ANY,
    FIRST,
    REDACTED,
    WORD,
    decode_body,
    list_encodings,
    list_texts,
    redact,
)


class HTTPResponse(Protocol):
    """A response whose body has been read, or an event stream that is still open; an `httpx.Response` is one."""

    @property
    def status_code(self) -> int: ...

    @property
    def headers(self) -> Mapping[str, str]:
        """The headers, found by names in lower case."""
        ...

    @property
    def content(self) -> bytes:
        """The body, decompressed."""
        ...

    @property
    def is_success(self) -> bool:
        """Whether the status is 2xx."""
        ...


class ResponseHeaders(Headers):
    """Headers of an answer, redacted when they are read, without cookies."""

    __slots__ = ()

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = values  # those of an answer are found in any spelling already

    def __getitem__(self, name: str) -> str:
        name = name.lower()
        return REDACTED if name == "set-cookie" else redact(self._values[name])

    def __repr__(self) -> str:
        return repr(dict(self))

    def __reduce__(self) -> tuple[type[Headers], tuple[dict[str, str]]]:
        return Headers, (dict(self),)


class BufferedResponse(NamedTuple):
    """A response whose body was read, with the headers that are still needed, in lower case."""

    status_code: int
    headers: Mapping[str, str]
    content: bytes

    @property
    def is_success(self) -> bool:
        """Whether the status is 2xx."""
        return 200 <= self.status_code < 300

    def json(self) -> Any:
        """Return what the JSON of the body holds, as the generated functions ask for it."""
        return json.loads(self.content)


def is_event_stream(response: HTTPResponse) -> bool:
    """Return whether a response is a stream of server-sent events, and of nothing else."""
    media_type = response.headers.get("content-type", "")
    return response.is_success and media_type.partition(";")[0].strip().lower() == "text/event-stream"


class Transmission:
    """One request on its way.

    Attributes:
        sent: False once it is known that no byte has left.
        sends: How often sending began; transports may repeat a request.
        is_connecting: Whether its last known step is waiting for a connection.
        was_seen: Whether any step was reported.
        is_reused: Whether httpx or httpcore reused an HTTP/1.1 connection for it. Bytes behind an earlier answer may then be
            taken for its answer.
        is_guarded: Whether the connections exclude that themselves.
        failure: The exception of its last failed step.
        peer: The connected host and port, of the server or a proxy.
        is_held: Whether a hook of a given client still holds it.
    """

    __slots__ = (
        *("_is_tunnel", "failure", "is_connecting", "is_guarded", "is_held", "is_reused", "max_bytes"),
        *("peer", "sends", "sent", "was_seen"),
    )

    def __init__(self) -> None:
        self.max_bytes = 64 * 1024 * 1024
        self.sent = True
        self.sends = 0
        self.is_connecting = self.was_seen = self._is_tunnel = False
        self.is_held = self.is_guarded = self.is_reused = False
        self.failure: BaseException | None = None
        self.peer: tuple[str, int] | None = None

    def note(self, event: str, about: Mapping[str, Any]) -> None:
        """Take note of a step, as httpcore names it: `http11.send_request_headers.started`."""
        is_first, self.was_seen = not self.was_seen, True
        step, state = _parse_event(event)
        if step == "send_request_headers":  # which writes the first bytes
            self._note_writing(state, about)
            if is_first and event.startswith("http11.") and not self.is_guarded:
                self.is_reused = True
        elif state == "failed":
            self.is_connecting, self.failure = False, about.get("exception")
        elif not self.sends:
            self.is_connecting = True
            if step == "connect_tcp" and state == "started":
                self.peer = str(about["host"]), int(about["port"])

    async def note_async(self, event: str, about: Mapping[str, Any]) -> None:
        """Take note of a step, for connections that await whoever they report to."""
        self.note(event, about)

    def is_watching(self, extensions: Mapping[str, Any]) -> bool:
        """Return whether a request with these extensions still reports to this object."""
        try:
            return getattr(extensions.get("trace"), "__self__", None) is self
        except Exception:  # whoever changed them may have left anything
            return False

    def _note_writing(self, state: str, about: Mapping[str, Any]) -> None:
        if state == "started":
            # A proxy is asked for a tunnel in the name of the request, which is not sent yet.
            self._is_tunnel = getattr(about.get("request"), "method", None) == b"CONNECT"
            self.is_connecting = self._is_tunnel
            self.sends += not self._is_tunnel
        elif state == "failed" and not self._is_tunnel and _is_unwritable(about.get("exception")):
            self.sends -= 1
            self.failure = about["exception"]


@lru_cache(maxsize=256)
def _parse_event(event: str) -> tuple[str, str]:
    """Return the step that an event is about, and its state: `send_request_headers` and `started`."""
    place, _, state = event.rpartition(".")
    return place.rpartition(".")[2], state


def _is_unwritable(error: object) -> bool:
    """Return whether a header was refused before anything was written."""
    # By name, so that this module imports no HTTP library.
    return any(
        kind.__name__ == "LocalProtocolError" and kind.__module__.startswith("httpcore")
        for kind in type(error).__mro__
    )


_MOST_LOOKED_FOR: Final = 16
"""How many of the newest secrets are looked for in an answer, beside its own."""
_OVERLAP: Final = 64
"""How many bytes of what came before are looked at again with a piece."""
_ERROR: Final = rb'"error"(?!\s{0,9}:\s{0,9}(?:n|nu|nul)?\Z)(?:\s*:\s*(?!\s|null)|\s{10,}\Z)'
"""An error that is not null. If a piece ends before it, the overlap with the next one shows it."""
_CODE: Final = rb"(?:2[35DdEe]|3[\dBb]|[4-7][1-9A-Fa-f]|[57]0)"
"""The codes of characters that need no escape (letters, digits and `-._~`), and of those in other escapes."""
_NAME: Final = rb"(?!(?:amp|lt|gt|quot|apos|nbsp);)[A-Za-z]{2,31}\d{0,2};"
_NUMBER: Final = rb"#[xX]0*%b|#0*(?:3[57]|[4-9]\d|1[012]\d)" % _CODE
_HTML: Final = rb"(?:(?:amp|#0*38|#[xX]0*26);?)*(?:%b|%b)" % (_NUMBER, _NAME)
_AMPERSAND: Final = b"&(?:(?:u00)?%b|(?:26)?%b)" % (_CODE, _HTML)
_BACKSLASH: Final = rb"\\(?:(?:u00|u\{0*|U0{6}|x)(?:%b|26%b|[\dA-Fa-f]?\\)|u0?\\)" % (_CODE, _HTML)
"""How these are escaped all the same."""
_SIGNS: Final = ALIKE.replace(b"%", b"&")
"""`ALIKE`, with one sign for the escapes of HTML and of URLs."""
_HEX_DIGITS: Final = bytes(code in b"0123456789abcdefABCDEF" for code in range(256))
_HEX: Final = bytes([1]) * 2 * FIRST
"""The first characters of a secret in hexadecimal, with `_HEX_DIGITS`. Such rows of digits are rare in answers."""
_compile: Callable[[bytes], re.Pattern[bytes]] = lru_cache(re.compile)


def redact_answer(body: bytes, own: SecretStr | None = None) -> bytes:
    """Return the body of a success, redacted if it says that it is an error or repeats most of a secret, such as `own`."""
    body = decode_body(body) if b"\0" in body else body
    return body if _is_clean(body, own) else redact(body)


class AnswerScan:
    """Decides whether an answer that comes in pieces must be redacted."""

    def __init__(self, own: SecretStr | None = None) -> None:
        self._own = own
        self._seen = b""
        self._is_clean = True

    def is_clean(self, piece: bytes) -> bool:
        """Whether nothing so far repeats a secret or says that it is an error."""
        if self._is_clean:
            seen = self._seen + piece
            self._seen = seen[-_OVERLAP:]
            self._is_clean = _is_clean(seen, self._own)
        return self._is_clean


def _is_clean(text: bytes, own: SecretStr | None) -> bool:
    if text.count(b'"error"') > text.count(b'"error":null') and re.search(_ERROR, text):
        return False
    view = text.translate(_SIGNS, b"\\")
    if (b"\\u" in text or b"\\x" in text or b"\\U" in text) and _compile(_BACKSLASH).search(text):
        return False
    if b"&" in view and _compile(_AMPERSAND).search(view):
        return False
    needles = _collect_needles(own, sent_secrets.changes, _HEX in view.translate(_HEX_DIGITS))
    return not any(map(view.__contains__, needles))


@lru_cache(maxsize=256)
def _needles(secret: SecretStr, has_hex: bool) -> tuple[bytes, ...]:
    """Return what to look for in an answer: of each form of a secret, a piece that no spelling changes."""
    plain = secret.reveal()
    encodings = list_encodings(plain)[not has_hex and len(plain) >= FIRST :]
    pieces = [(form, FIRST) for form in list_texts(plain)] + [(form.encode(), ANY) for form in encodings]
    runs = (max(re.findall(rb"[\w.~-]+", form), key=len, default=b"")[:most] for form, most in pieces)
    return tuple(run.translate(ALIKE) for run in runs) if len(plain) >= WORD else ()


@lru_cache(maxsize=256)
def _collect_needles(own: SecretStr | None, changes: int, has_hex: bool) -> tuple[bytes, ...]:
    """Return the same for the newest secrets and the request's; `changes` keeps the cache fresh."""
    secrets = (*sent_secrets.get_latest(_MOST_LOOKED_FOR), own)
    return tuple({needle for secret in secrets if secret is not None for needle in _needles(secret, has_hex)})
