"""The hunt for what scrubbing missed. It names places and kinds, and never a value."""

from __future__ import annotations

from collections.abc import Iterator
from html import unescape
from typing import Any, cast
from urllib.parse import unquote_plus

from payman_sdk.testing._redaction.secret_names import (
    ABOUT_A_SECRET,
    BASIC,
    BEARER,
    ELEMENT,
    INPUT,
    JWT,
    KINDS,
    LABELLED,
    MEMBER,
    PARAMETER,
    PASSWORD_IN_ADDRESS,
    PLACEHOLDER,
    SCRUBBED,
    YAML_HEADER,
    decode_escapes,
    find_kind,
    iter_documents,
    normalize_name,
    parse_basic,
    parse_input,
)
from payman_sdk.testing._redaction.secret_registry import SecretRegistry


class LeakScanner:
    """Looks for secrets by what is known of them, by their names and by their looks.

    Args:
        known: The secrets that were seen, or are known beforehand.
    """

    def __init__(self, known: SecretRegistry) -> None:
        self._known = known

    def scan_cassette(self, serialized: str) -> list[str]:
        """Return what a serialized cassette still holds: the lines and the kinds."""
        found: dict[str, None] = {}
        for start, kind in sorted(self._scan_text(serialized)):
            found[f"line {serialized.count(chr(10), 0, start) + 1}: {kind}"] = None
        return list(found)

    def scan_body(self, body: bytes | str) -> list[str]:
        """Return what a body still holds for a program that parses it, joins its events and undoes its escapes."""
        text = body.decode("utf-8", "surrogateescape") if isinstance(body, bytes) else body
        found: dict[str, None] = {}
        for document in iter_documents(text):
            try:
                found.update(dict.fromkeys(self._scan_document(document)))
            except RecursionError:
                found["it is nested too deeply to be looked through"] = None
        plain = decode_escapes(text.replace("\0", ""))  # which UTF-16 is full of
        found.update(dict.fromkeys(kind for _, kind in self._scan_text(plain)))
        found.update(dict.fromkeys(kind for _, kind in self._known.find_in(unescape(unquote_plus(plain)))))
        return list(found)

    def _scan_document(self, document: Any, under: str = "") -> Iterator[str]:
        if isinstance(document, dict):
            for name, value in cast("dict[str, Any]", document).items():
                yield from (kind for _, kind in self._scan_text(name))
                if find_kind(name, "", KINDS) or normalize_name(name) == "token":
                    yield from self._scan_document(value, name)
                else:
                    is_about = normalize_name(name) in ABOUT_A_SECRET
                    yield from self._scan_document(value, "" if is_about else under)
        elif isinstance(document, list):
            for value in cast("list[object]", document):
                yield from self._scan_document(value, under)
        elif isinstance(document, str):
            if under and document and find_kind(under, document, KINDS) and not SCRUBBED.fullmatch(document):
                yield f"a member named {under} that is not a placeholder"
            yield from (kind for _, kind in self._scan_text(document))
            if document.lstrip()[:1] in {"{", "["}:
                for inner in iter_documents(document):
                    yield from self._scan_document(inner)
        elif (
            isinstance(document, (int, float))
            and not isinstance(document, bool)
            and under
            and find_kind(under, str(document), KINDS) not in {None, "client-id"}
        ):
            yield f"a member named {under} that is not a placeholder"

    def _scan_text(self, serialized: str) -> Iterator[tuple[int, str]]:
        yield from self._known.find_in(serialized)
        for pattern, kinds, what in (
            (MEMBER, KINDS, "a member"),
            (PARAMETER, KINDS, "a parameter"),
            (YAML_HEADER, KINDS, "a header"),
        ):
            for match in pattern.finditer(serialized):
                value = unquote_plus(match["value"]).strip("\"'")
                if find_kind(match["name"], value, kinds) and not SCRUBBED.fullmatch(value):
                    yield match.start(), f"{what} named {match['name']} that is not a placeholder"
        for match in LABELLED.finditer(serialized):
            names = match["name"], match["name"].split(" ")[-1]
            kind = next(filter(None, (find_kind(name, match["value"], KINDS) for name in names)), None)
            is_amount = kind == "token" and not any(map(str.isalpha, match["value"]))
            if kind not in {None, "client-id"} and not is_amount and not PLACEHOLDER.match(match["value"]):
                yield match.start(), f"the value of {match['name']}"
        for match in PASSWORD_IN_ADDRESS.finditer(serialized):
            if not PLACEHOLDER.fullmatch(match["value"]):
                yield match.start(), "a password in an address"
        for match in INPUT.finditer(serialized):
            found = parse_input(match[0])
            if found and find_kind(found[0], found[1], KINDS) and not SCRUBBED.fullmatch(found[1]):
                yield match.start(), f"an input named {found[0]} that is not a placeholder"
        for match in ELEMENT.finditer(serialized):
            value = match["value"].strip()
            if value and find_kind(match["name"], value, KINDS) and not SCRUBBED.fullmatch(value):
                yield match.start(), f"an element named {match['name']} that is not a placeholder"
        for pattern, what in ((BEARER, "a bearer token"), (JWT, "a JSON Web Token")):
            for match in pattern.finditer(serialized):
                if not PLACEHOLDER.fullmatch(match["value"]):
                    yield match.start(), f"what looks like {what}"
        for match in BASIC.finditer(serialized):
            if parse_basic(match["value"]) is not None:
                yield match.start(), "what looks like Basic credentials"
