"""Answers of HTTP as flows read them, and the search for secrets in them, which takes a few microseconds."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final, NamedTuple, Protocol

from payman_sdk._secrets import SecretStr, sent_secrets
from payman_sdk._text.error_response import Headers
from payman_sdk._text.redaction import ALIKE, ANY, FIRST, REDACTED, base64_of, list_spellings, redact


class HTTPResponse(Protocol):
    """A response whose body has been read, or an event stream that is still open; an `httpx.Response` is one."""

    @property
    def status_code(self) -> int:
        """The HTTP status."""
        ...

    @property
    def headers(self) -> Mapping[str, str]:
        """The headers; look-ups ignore case."""
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
    """Headers of an answer as its reader sees them: redacted when they are read, without cookies."""

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
    """A response whose body was read.

    Attributes:
        status_code: The HTTP status.
        headers: The headers that are still needed; look-ups ignore case.
        content: The body.
    """

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


def parse_json_object(response: HTTPResponse) -> dict[str, Any] | None:
    """Return the JSON object in the body of a response; None where the body is something else."""
    try:
        body: object = json.loads(response.content)
    except (ValueError, RecursionError):
        return None
    return body if isinstance(body, dict) else None  # pyright: ignore[reportUnknownVariableType]


_MOST_LOOKED_FOR: Final = 16
"""How many of the newest secrets are looked for in an answer, beside that of its request."""
_OVERLAP: Final = 32
"""How many bytes of what came before are looked at again with a piece."""
_ERROR: Final = re.compile(rb'"error"(?!\s{0,9}:\s{0,9}(?:n|nu|nul)?\Z)(?:\s*:\s*(?!\s|null)|\s{10,}\Z)')
"""An error that is not null. Where a piece ends before that shows, the next one shows it, for the overlap is longer than that."""
_ESCAPES: Final = (
    (b"\\u00", re.compile(rb"\\u00(?:3[0-9]|[46][1-9A-Fa-f]|[57][0-9Aa])")),
    (b"&#", re.compile(rb"&#(?:[xX]0*[3-7]|0*(?:[4-9]\d|1[012]\d))")),
    (b"%", re.compile(rb"%[3-7][0-9A-Fa-f]%[3-7]")),
)
"""How letters and digits are written in JSON, HTML and URLs, though they need not be: what follows may be a secret in disguise."""


def redact_answer(body: bytes, own: SecretStr | None = None) -> bytes:
    """Return the body of a successful answer, redacted where it says that it is an error or repeats the most of a secret.

    This costs a few microseconds where it does not, so every answer of the agent goes through it.

    Args:
        body: The body.
        own: A secret of the request that it answers.
    """
    if b"\0" in body:  # UTF-16, which JSON may come in, hides a secret from whoever compares bytes
        body = body.decode(json.detect_encoding(body), "replace").encode()
    return body if AnswerScan(own).is_clean(body) else redact(body)


class AnswerScan:
    """Decides whether an answer that comes in pieces must be redacted.

    Args:
        own: A secret of the request that it answers.
    """

    def __init__(self, own: SecretStr | None = None) -> None:
        self._own = own
        self._needles: tuple[bytes, ...] = ()
        self._changes = -1
        self._seen = b""
        self._is_clean = True

    def is_clean(self, piece: bytes) -> bool:
        """Whether nothing so far repeats a secret or says that it is an error, this piece included."""
        if not self._is_clean:
            return False
        if self._changes != sent_secrets.changes:
            self._changes, self._needles = sent_secrets.changes, _needles_for(self._own)
        seen = self._seen + piece
        self._seen = seen[-_OVERLAP:]
        alike = seen.translate(ALIKE)
        self._is_clean = not (
            (b'"error"' in seen and _ERROR.search(seen))
            or any(sign in seen and pattern.search(seen) for sign, pattern in _ESCAPES)
            or any(needle in alike for needle in self._needles)
        )
        return self._is_clean


@lru_cache(maxsize=256)
def _needles(secret: SecretStr) -> tuple[bytes, ...]:
    """Return what is looked for in an answer to know whether a secret is in it: pieces that no spelling changes, where there are any."""
    plain = secret.reveal()
    if len(plain) < FIRST:
        return ()
    run = max(re.findall(r"[0-9A-Za-z._~-]+", plain), key=len, default="")
    spellings = [run[:FIRST]] if len(run) >= FIRST else list_spellings(plain)
    encoded = (form[:ANY] for form in base64_of(plain) if len(form) >= ANY)
    return tuple(form.encode("utf-8", "surrogatepass").translate(ALIKE) for form in (*spellings, *encoded))


_known: tuple[int, tuple[bytes, ...]] = (-1, ())
"""What is looked for in any answer, and the number of changes as of which it holds."""


def _needles_for(own: SecretStr | None) -> tuple[bytes, ...]:
    global _known
    changes, needles = _known
    if changes != sent_secrets.changes:
        changes, secrets = sent_secrets.changes, sent_secrets.get_latest(_MOST_LOOKED_FOR)
        needles = tuple({needle for secret in secrets for needle in _needles(secret)})
        _known = changes, needles
    return needles if own is None else tuple({*needles, *_needles(own)})
