"""The hunt for what scrubbing missed. It names places and kinds, and never a value."""

from __future__ import annotations

from collections.abc import Iterator
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
    documents,
    input_in,
    kind_of,
    pair_in,
    plain_name,
    without_escapes,
)
from payman_sdk.testing._redaction.secret_registry import KnownSecrets


class Hunt:
    """Looks for secrets by what is known of them, by their names and by their looks.

    Args:
        known: The secrets that were seen, or are known beforehand.
    """

    def __init__(self, known: KnownSecrets) -> None:
        self._known = known

    def in_cassette(self, serialized: str) -> list[str]:
        """What a serialized cassette still holds: the lines and the kinds."""
        found: dict[str, None] = {}
        for start, kind in sorted(self._missed(serialized)):
            found[f"line {serialized.count(chr(10), 0, start) + 1}: {kind}"] = None
        return list(found)

    def in_body(self, body: bytes | str) -> list[str]:
        """What a body still holds for a program that parses it, joins its events and undoes its escapes."""
        text = body.decode("utf-8", "surrogateescape") if isinstance(body, bytes) else body
        found: dict[str, None] = {}
        for document in documents(text):
            try:
                found.update(dict.fromkeys(self._missed_in_document(document)))
            except RecursionError:
                found["it is nested too deeply to be looked through"] = None
        found.update(dict.fromkeys(kind for _, kind in self._missed(without_escapes(text))))
        return list(found)

    def _missed_in_document(self, document: Any, under: str = "") -> Iterator[str]:
        if isinstance(document, dict):
            for name, value in cast("dict[str, Any]", document).items():
                yield from (kind for _, kind in self._missed(name))
                if kind_of(name, "", KINDS) or plain_name(name) == "token":
                    yield from self._missed_in_document(value, name)
                else:
                    is_about = plain_name(name) in ABOUT_A_SECRET
                    yield from self._missed_in_document(value, "" if is_about else under)
        elif isinstance(document, list):
            for value in cast("list[object]", document):
                yield from self._missed_in_document(value, under)
        elif isinstance(document, str):
            if under and document and kind_of(under, document, KINDS) and not SCRUBBED.fullmatch(document):
                yield f"a member named {under} that is no placeholder"
            yield from (kind for _, kind in self._missed(document))
            if document.lstrip()[:1] in {"{", "["}:
                for inner in documents(document):
                    yield from self._missed_in_document(inner)
        elif (
            isinstance(document, (int, float))
            and not isinstance(document, bool)
            and under
            and kind_of(under, str(document), KINDS) not in {None, "client-id"}
        ):
            yield f"a member named {under} that is no placeholder"

    def _missed(self, serialized: str) -> Iterator[tuple[int, str]]:
        yield from self._known.found_in(serialized)
        for pattern, kinds, what in (
            (MEMBER, KINDS, "a member"),
            (PARAMETER, KINDS, "a parameter"),
            (YAML_HEADER, KINDS, "a header"),
        ):
            for match in pattern.finditer(serialized):
                value = unquote_plus(match["value"]).strip("\"'")
                if kind_of(match["name"], value, kinds) and not SCRUBBED.fullmatch(value):
                    yield match.start(), f"{what} named {match['name']} that is no placeholder"
        for match in LABELLED.finditer(serialized):
            names = match["name"], match["name"].split(" ")[-1]
            kind = next(filter(None, (kind_of(name, match["value"], KINDS) for name in names)), None)
            is_amount = kind == "token" and not any(map(str.isalpha, match["value"]))
            if kind not in {None, "client-id"} and not is_amount and not PLACEHOLDER.match(match["value"]):
                yield match.start(), f"what stands behind {match['name']}"
        for match in PASSWORD_IN_ADDRESS.finditer(serialized):
            if not PLACEHOLDER.fullmatch(match["value"]):
                yield match.start(), "a password in an address"
        for match in INPUT.finditer(serialized):
            found = input_in(match[0])
            if found and kind_of(found[0], found[1], KINDS) and not SCRUBBED.fullmatch(found[1]):
                yield match.start(), f"an input named {found[0]} that is no placeholder"
        for match in ELEMENT.finditer(serialized):
            value = match["value"].strip()
            if value and kind_of(match["name"], value, KINDS) and not SCRUBBED.fullmatch(value):
                yield match.start(), f"an element named {match['name']} that is no placeholder"
        for pattern, what in ((BEARER, "a bearer token"), (JWT, "a JSON Web Token")):
            for match in pattern.finditer(serialized):
                if not PLACEHOLDER.fullmatch(match["value"]):
                    yield match.start(), f"what looks like {what}"
        for match in BASIC.finditer(serialized):
            if pair_in(match["value"]) is not None:
                yield match.start(), "what looks like Basic credentials"
