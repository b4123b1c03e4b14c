"""The answer of an error: what is kept of it, and what a message says of it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from payman_sdk._compat_requests import build_json_error
from payman_sdk._text.redaction import decode_body, redact
from payman_sdk._text.sanitizer import sanitize

_SHOWN = 500
"""How many characters of a server's own words a message repeats."""

KEPT_HEADERS = ("content-type", "date", "retry-after", "retry-after-ms")
"""The headers that an error keeps: those that help its reader."""

_MOST_KEPT = 256 * 1024
"""How many bytes of a body an error keeps."""

_BEFORE_PAGE = r"(?s)(?:<\?xml.{,200}?\?>|<!--.{,1000}?-->)\s*"
_PAGE = r"(?i)<(?:!doctype|html|head|body)\b"
"""What may precede a web page, and how the page begins, whatever its type says."""


class Headers(Mapping[str, str]):
    """Headers of an answer, found in any spelling: `retry-after` as well as `Retry-After`."""

    __slots__ = ("_values",)

    _values: Mapping[str, str]

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = {name.lower(): value for name, value in values.items()}

    def __getitem__(self, name: str) -> str:
        return self._values[name.lower()]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return repr(self._values)


class ErrorResponse:
    """The answer of an error, without its connection so that it can be pickled.

    It has the interface of a response of `requests`, as in version 1. If the server repeats a secret that it was sent, it shows
    `...`.

    Args:
        status_code: The HTTP status.
        content: The body, at most 256 KiB.
        content_type: The value of the `Content-Type` header, or empty.
        headers: The headers. Only type, date and `Retry-After` are kept.
    """

    __slots__ = ("content", "headers", "status_code")

    url = None
    """Nothing: the address of a token request holds secrets."""

    def __init__(
        self,
        status_code: int,
        content: bytes,
        content_type: str = "",
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self.status_code = status_code
        self.content: bytes = redact(decode_body(content[:_MOST_KEPT]))
        given = Headers({**(headers or {}), **({"content-type": content_type} if content_type else {})})
        self.headers = Headers({name: redact(given[name]) for name in KEPT_HEADERS if name in given})

    @property
    def content_type(self) -> str:
        """The value of the `Content-Type` header, empty if there was none."""
        return self.headers.get("content-type", "")

    @property
    def ok(self) -> bool:
        """Whether the status is below 400."""
        return self.status_code < 400

    @property
    def reason(self) -> str:
        """The name of the status, such as `Too Many Requests`; empty without one."""
        from http.client import responses

        return responses.get(self.status_code, "")

    @property
    def text(self) -> str:
        """The body as text; bytes that are not UTF-8 are replaced."""
        return self.content.decode("utf-8", "replace")

    def json(self) -> Any:
        """Return the body read as JSON.

        Raises:
            ValueError: The body is not JSON.
        """
        try:
            return json.loads(self.content)
        except json.JSONDecodeError as error:
            failure = build_json_error(error)
        # Raised out here, it has the error that is being handled for its context.
        raise failure

    def __repr__(self) -> str:
        return f"<ErrorResponse [{self.status_code}]>"


def summarize_body(response: ErrorResponse) -> str:
    """Return a body for a message: cut to a sane length, a web page only named."""
    text = response.text.strip("\ufeff \t\r\n")
    if not text:
        return "an empty body"
    if "html" in response.content_type.lower() or _is_page(text):
        return f"a web page of {len(response.content)} bytes, not JSON"
    return shorten(text)


def _is_page(text: str) -> bool:
    """Whether a text begins as a web page; no part is tried twice, however many comments there are."""
    # A repeated group that gives nothing back, `(…)*+`, misses matches in early releases of Python 3.11.
    before, page, position = re.compile(_BEFORE_PAGE), re.compile(_PAGE), 0
    while match := before.match(text, position):
        position = match.end()
    return page.match(text, position) is not None


def format_sentence(text: str) -> str:
    """Return a server's own words as a sentence that others can follow."""
    return text if text.endswith((".", "!", "?", "…")) else f"{text}."


def format_exception(error: BaseException) -> str:
    """Return the text of an exception, or its class if it has none or its text cannot be written."""
    try:
        return str(error) or type(error).__name__
    except Exception:  # an exception may break whoever looks at it
        return type(error).__name__


def shorten(text: str) -> str:
    """Return a server's words on one line, cut to fit a message, and with hidden characters escaped."""
    return sanitize(text, one_line=True, max_length=_SHOWN)
