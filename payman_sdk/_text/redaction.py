"""Remove secrets from a server's words before they are kept or shown.

A server, or a proxy before it, may repeat what it received, in any encoding. So the SDK decodes the escapes of URLs, JSON and HTML,
also nested ones. Then it searches for the secrets, in any case, and for their base64 and hexadecimal forms. Pieces count too: a
secret's first eight characters, or any twelve.
"""

from __future__ import annotations

import base64
import json
import re
from array import array
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any, Final, TypeVar, cast

from payman_sdk._secrets import SecretStr, sent_secrets


def list_encodings(value: str) -> list[str]:
    """Return a value in hexadecimal, and in base64 for each of the three places where it may begin.

    Characters at either end that depend on what is beside the value are left out.
    """
    raw = value.encode("utf-8", "surrogateescape")
    encoded = [raw.hex()]
    for before in range(3):
        text = base64.b64encode(b"\0" * before + raw).decode().rstrip("=")
        begins = (before * 8 + 5) // 6
        ends = len(text) if (before + len(raw)) % 3 == 0 else len(text) - 1
        encoded.append(text[begins:ends])
    return encoded


def list_texts(value: str) -> set[bytes]:
    """Return what a value reads as: unchanged, in a form, and with the escapes in it undone."""
    undone, texts = value.encode("utf-8", "surrogatepass"), set[bytes]()
    while undone not in texts:
        texts.add(undone)
        undone = _undo_escapes(undone)[0]
    return texts | {value.replace(" ", "+").encode("utf-8", "surrogatepass")}


T = TypeVar("T", str, bytes)

REDACTED: Final = "..."
"""What takes the place of a secret."""

FIRST, ANY = 8, 12
"""How many characters reveal a secret: its first ones, and those from anywhere in it."""
_STRIDE: Final = ANY - FIRST + 1
"""The distance between the beginnings of pieces: any `ANY` characters hold a whole one."""
WORD: Final = 6
"""Secrets from here to `FIRST` characters are looked for as words; shorter ones are not."""
_DEEPEST: Final = 4
"""How often escapes in escapes are undone."""

ALIKE: Final = bytes.maketrans(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ-_", b"abcdefghijklmnopqrstuvwxyz+/")
"""One spelling for any case, and for both alphabets of base64."""

_ESCAPE: Final = (
    rb"%(?:u00)?[\dA-Fa-f]{2}|\\[^uxU\\]|(?<!\\)\\+(?:u[\dA-Fa-f]{4}|u\{0{0,99}[\dA-Fa-f]{1,5}\}|U000[\dA-Fa-f]{5}|x[\dA-Fa-f]{2})"
    rb"|(?:\\\\){1,99}|&#(?:0{0,99}\d{1,7}|[xX]0{0,99}[\dA-Fa-f]{1,6});?|&[A-Za-z]{2,31}\d{0,2};"
)
"""Escapes in URLs, in JSON and programs, and in HTML; compiled on first use."""
_NAMED_ESCAPES: Final = {b"\\b": b"\b", b"\\f": b"\f", b"\\n": b"\n", b"\\r": b"\r", b"\\t": b"\t"}


def redact(text: T) -> T:
    """Return the text without the secrets that servers know of; the very same text if it holds none."""
    index = _index.refresh()
    body = text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass")
    spans = sorted(_iter_spans(body, index))
    if not spans:
        return text
    kept, at = bytearray(), 0
    for start, end in spans:
        if start >= at:
            kept += body[at:start] + REDACTED.encode()
        at = max(at, end)
    kept += body[at:]
    redacted: Any = bytes(kept)
    if isinstance(text, str):
        try:
            redacted = kept.decode("utf-8", "surrogatepass")
        except UnicodeDecodeError:  # a secret's character and that of the text begin with the same byte
            redacted = kept.decode("utf-8", "replace")
    return cast("T", redacted)


def decode_body(body: bytes) -> bytes:
    """Return a body in UTF-8. UTF-16, which JSON may come in, hides a secret from whoever compares bytes."""
    return body.decode(json.detect_encoding(body), "replace").encode() if b"\0" in body else body


def redact_shape(value: Any) -> Any:
    """Return the same for the texts in JSON; the very same object if nothing is redacted."""
    try:
        return _redact_copy(value)
    except RecursionError:
        return REDACTED  # nested too deeply to be looked through


def _redact_copy(value: Any) -> Any:
    kind = cast("Any", type(value))
    if kind in (str, bytes):
        return redact(value)
    if kind not in (dict, list, tuple):
        return value
    given: list[Any] = [*value, *value.values()] if kind is dict else [*value]
    parts = [_redact_copy(part) for part in given]
    if all(one is other for one, other in zip(given, parts, strict=True)):
        return value
    return dict(zip(parts, parts[len(value) :], strict=False)) if kind is dict else cast("Any", kind)(parts)


class _NeedleIndex:
    """What is beside each piece in the secrets. It is only added to, so threads need no lock."""

    def __init__(self) -> None:
        self._changes = -1
        self._times_cleared = sent_secrets.times_cleared
        self._secrets: set[SecretStr] = set()
        self._words: set[bytes] = set()
        self._signs: set[int] = set()
        self.pieces: dict[bytes, list[tuple[bytes, bytes]]] = {}
        self.run = self.word = re.compile(b"(?!)")

    def refresh(self) -> _NeedleIndex:
        global _index
        changes = sent_secrets.changes
        if changes == self._changes:
            return self
        secrets = sent_secrets.values()
        if self._times_cleared != sent_secrets.times_cleared or len(self._secrets) > 2 * len(secrets) + 64:
            _index = _NeedleIndex()  # most of what it holds is forgotten
            return _index.refresh()
        for secret in secrets:
            if secret not in self._secrets:
                self._secrets.add(secret)
                self._add(secret.reveal())
        if self._signs:
            signs = b"".join(re.escape(bytes([sign])) for sign in sorted(self._signs))
            self.run = re.compile(b"[%b]{%d,}" % (signs, FIRST))
        self._changes = changes
        return self

    def _add(self, plain: str) -> None:
        if WORD <= len(plain) < FIRST:
            self._words.add(re.escape(plain.encode("utf-8", "surrogatepass")))
            alternatives = b"|".join(sorted(self._words))
            self.word = re.compile(rb"(?<![0-9A-Za-z])(?:%b)(?![0-9A-Za-z])" % alternatives)
        elif len(plain) < WORD:
            return
        forms = {*list_texts(plain), *map(str.encode, list_encodings(plain))}
        for form in {form.translate(ALIKE) for form in forms}:
            for at in range(0, len(form) - FIRST + 1, _STRIDE):
                behind = at + FIRST
                beside = form[max(0, behind - ANY) : at][::-1], form[behind : at + ANY]
                known = self.pieces.setdefault(form[at:behind], [])
                if beside not in known:
                    known.append(beside)
                self._signs.update(form[at : at + ANY])


_index = _NeedleIndex()


def _iter_spans(body: bytes, index: _NeedleIndex) -> Iterator[tuple[int, int]]:
    """Where secrets begin and end in a body."""
    views = [body]
    for _ in range(_DEEPEST):
        matches = list(_iter_matches(views[-1], index))
        if matches:  # in few texts
            places: Sequence[int] = range(len(body) + 1)
            for view in views[:-1]:
                places = _trace_escapes(view, places)
            yield from ((places[start], places[end]) for start, end in matches)
        undone, count = _undo_escapes(views[-1])
        if not count:
            return
        views.append(undone)


def _iter_matches(view: bytes, index: _NeedleIndex) -> Iterator[tuple[int, int]]:
    yield from (match.span() for match in index.word.finditer(view))
    view, pieces = view.translate(ALIKE), index.pieces
    # Few characters are in any secret, so few stand together.
    runs = (range(match.start(), match.end() - FIRST + 1) for match in index.run.finditer(view))
    for at in [at for run in runs for at in run if view[at : at + FIRST] in pieces]:
        start, end, behind = at, at, at + FIRST
        before, after = view[max(0, behind - ANY) : at][::-1], view[behind : at + ANY]
        for left, right in pieces[view[at:behind]]:
            earlier, later = at - _count_alike(left, before), behind + _count_alike(right, after)
            if not left or later - earlier >= ANY:
                start, end = min(start, earlier), max(end, later)
            if end - start == 2 * ANY - FIRST:
                break
        if end > at:
            yield start, end


def _count_alike(one: bytes, other: bytes) -> int:
    differences = (at for at, pair in enumerate(zip(one, other, strict=False)) if pair[0] != pair[1])
    return next(differences, min(len(one), len(other)))


def _undo_escapes(view: bytes) -> tuple[bytes, int]:
    """Return the text with its escapes undone, and how many they were."""
    return re.subn(_ESCAPE, _decode_match, view) if re.search(rb"[%\\&]", view) else (view, 0)


def _trace_escapes(view: bytes, places: Sequence[int]) -> Sequence[int]:
    """Return where each byte of the text was before its escapes are undone."""
    there, at = array("Q"), 0
    for match in re.finditer(_ESCAPE, view):
        start, end = match.span()
        there.extend(places[at:start])
        there.extend([places[start]] * len(_decode_match(match)))
        at = end
    there.extend(places[at:])
    return there


def _decode_match(match: re.Match[bytes]) -> bytes:
    escape = match[0]
    return _decode_escape(escape if len(escape) < 200 else escape[-200:])  # it is kept


@lru_cache(maxsize=4096)
def _decode_escape(escape: bytes) -> bytes:
    if escape.startswith(b"%"):
        return bytes.fromhex(escape[-2:].decode())
    if escape.startswith(b"&"):
        # It names two thousand characters, and is needed where there is an escape of HTML.
        from html import unescape

        return unescape(escape.decode()).encode("utf-8", "surrogatepass")
    plain = escape.lstrip(b"\\")
    if plain[:1] in {b"u", b"x", b"U"} and len(plain) > 1:
        return chr(int(plain[1:].strip(b"{}"), 16)).encode("utf-8", "surrogatepass")
    return _NAMED_ESCAPES.get(escape, escape[1:]) if plain else escape[: len(escape) // 2]
