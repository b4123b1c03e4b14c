"""The secrets of one cassette: their placeholders, how to find each in every spelling, and the search for leaks."""

import base64
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from html import escape, unescape
from typing import Any, Final, cast
from urllib.parse import quote, quote_plus, unquote_plus

from payman_sdk._text.redaction import list_encodings
from payman_sdk.testing._redaction.secret_names import (
    ABOUT_A_SECRET,
    BASIC,
    BEARER,
    ELEMENT,
    FIELD,
    INPUT,
    JWT,
    KINDS,
    LABELLED,
    MEMBER,
    PARAMETER,
    PASSWORD_IN_ADDRESS,
    PLACEHOLDER,
    SCRUBBED,
    WORD_BEGINS,
    YAML_HEADER,
    decode_escapes,
    find_kind,
    iter_documents,
    iter_layers,
    normalize_name,
    parse_basic,
    parse_input,
)

LONG_ENOUGH: Final = 8  # what is shorter is replaced in its own place only: it may be part of any word
_HUNTED_AS_WORD: Final = 4  # from here on it is searched for as a separate word, which refuses the recording


def list_spellings(value: str) -> set[str]:
    """Return a value, and how it is written in JSON, YAML, URLs, HTML and base64."""
    written = {value, value.replace("'", "''"), escape(value), escape(value, quote=False)}
    for escaped in (json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1]):
        written |= {escaped, escaped.replace("/", "\\/"), json.dumps(escaped, ensure_ascii=False)[1:-1]}
    raw = value.encode("utf-8", "surrogateescape")
    for quoted in (quote(raw), quote(raw, safe=""), quote_plus(raw)):
        written |= {quoted, re.sub("%..", lambda match: match[0].lower(), quoted)}
    written.add(base64.b64encode(raw).decode().rstrip("="))
    return written


class SecretRegistry:
    """Secrets, with a placeholder for each, numbered by kind in order of appearance.

    A program's secrets go by their role: an id and a secret that are equal are two. A server's keep one placeholder in every role,
    because they come back.

    `minted` are the placeholders made here, not found. `is_answer` says whether a server's words are read now.
    """

    def __init__(self, known: Iterable[tuple[str, str]] = ()) -> None:
        self.minted: set[str] = set()
        self.is_answer = False
        self._counts: Counter[str] = Counter()
        self._placeholders: dict[str, dict[str, str]] = {}
        self._given_out: set[str] = set()
        self._kinds: dict[str, list[str]] = {}
        for kind, value in known:
            if value:
                self.add(kind, value)
        self._hunted: re.Pattern[str] | None = None
        self._hunted_words: re.Pattern[str] | None = None
        self._forms: dict[str, tuple[tuple[str, str], ...]] = {}
        self._words: dict[str, str] = {}

    def is_a(self, kind: str, value: str) -> bool:
        return kind in self._kinds.get(value, ())

    def find_in(self, text: str) -> Iterator[tuple[int, str]]:
        """Yield the position of a secret in a text, and what it is, never its value."""
        for match in self.build_pattern().finditer(text):
            for _, value in self._forms.get(match[0], ()):
                elsewhere = next(iter(self._placeholders.get(value, {}).values()), None)
                yield (
                    match.start(),
                    f"a {self.describe_kind(value)}, {f'elsewhere {elsewhere}' if elsewhere else 'known beforehand'}",
                )
        for match in self.build_word_pattern().finditer(text):
            if match["word"]:
                yield (
                    match.start(),
                    f"a {self.describe_kind(self._words[match['word']])} that is too short to be scrubbed here",
                )

    def get_placeholder(self, kind: str, value: str) -> str:
        found = PLACEHOLDER.fullmatch(value)
        if found is not None:
            self._note(found)
            return value
        if not value:
            return value
        by_kind = self._placeholders.setdefault(value, {})
        if kind not in by_kind and by_kind and (self.is_answer or value in self._given_out):
            return next(iter(by_kind.values()))
        if kind not in by_kind:
            if self.is_answer:
                self._given_out.add(value)
            self.add(kind, value)
            self._counts[kind] += 1
            by_kind[kind] = f"SCRUBBED-{kind}-{self._counts[kind]}"
            self.minted.add(by_kind[kind])
        return by_kind[kind]

    def add(self, kind: str, value: str) -> None:
        """Note a secret, which gets its placeholder where it appears."""
        kinds = self._kinds.setdefault(value, [])
        if kind not in kinds:
            kinds.append(kind)
            self._hunted = self._hunted_words = None

    def _note(self, placeholder: re.Match[str]) -> None:
        """Mark a number as taken, so that new placeholders get a higher one."""
        kind, number = placeholder[1], int(placeholder[2])
        self._counts[kind] = max(self._counts[kind], number)

    def describe_kind(self, value: str) -> str:
        kinds = self._kinds[value]
        return next((kind for kind in kinds if kind != "client-id"), kinds[0]).replace("-", " ")

    def hide_match(self, match: re.Match[str]) -> str:
        """Return what takes the place of something that `build_pattern` has found."""
        if match[1]:
            self._note(match)
            return match[0]
        return ":".join(self.get_placeholder(kind, value) for kind, value in self._forms[match[0]])

    def build_pattern(self) -> re.Pattern[str]:
        """Find every secret seen so far, in every form; and before all, placeholders, in which nothing is to be found."""
        if self._hunted is None:
            long_enough = [value for value in self._kinds if len(value) >= LONG_ENOUGH]
            self._forms = {
                form: ((self._kinds[value][0], value),)
                for value in long_enough
                for encoded in [list_encodings(value)]
                for form in {*list_spellings(value), *encoded, encoded[0].upper()}
            }
            self._forms.update(self._iter_pairs())
            forms = sorted(self._forms, key=len, reverse=True)  # of two that begin alike, the longer
            self._hunted = re.compile("|".join([PLACEHOLDER.pattern, *map(re.escape, forms)]))
        return self._hunted

    def build_word_pattern(self) -> re.Pattern[str]:
        """Find secrets too short for `build_pattern`, where no letter or digit is beside them, outside placeholders."""
        if self._hunted_words is None:
            short = [
                value
                for value, kinds in self._kinds.items()
                if _HUNTED_AS_WORD <= len(value) < LONG_ENOUGH and kinds != ["client-id"]
            ]
            self._words = {form: value for value in short for form in list_spellings(value)}
            forms = sorted(self._words, key=len, reverse=True)
            word = (
                f"{WORD_BEGINS}(?P<word>{'|'.join(map(re.escape, forms))})(?!\\w)"
                if forms
                else "(?P<word>(?!))"
            )
            self._hunted_words = re.compile(f"{PLACEHOLDER.pattern}|{word}")
        return self._hunted_words

    def _iter_pairs(self) -> Iterator[tuple[str, tuple[tuple[str, str], ...]]]:
        secrets = [value for value, kinds in self._kinds.items() if "client-secret" in kinds]
        for client_id in [value for value, kinds in self._kinds.items() if "client-id" in kinds]:
            for client_secret in secrets:
                pair = f"{client_id}:{client_secret}".encode("utf-8", "surrogateescape")
                for encoded in (base64.b64encode(pair), base64.urlsafe_b64encode(pair)):
                    for form in list_spellings(encoded.decode()):
                        parts = (("client-id", client_id), ("client-secret", client_secret))
                        yield form, parts
                        yield form.rstrip("="), parts


class LeakScanner:
    """Looks for secrets by what is known of them, by their names and by their looks."""

    def __init__(self, known: SecretRegistry) -> None:
        self._known = known

    def scan_cassette(self, serialized: str) -> list[str]:
        """Return what a serialized cassette still holds: the lines and the kinds."""
        found: dict[str, None] = {}
        for start, kind in sorted(self._scan_text(serialized)):
            found[f"line {serialized.count(chr(10), 0, start) + 1}: {kind}"] = None
        return list(found)

    def scan_body(self, body: bytes | str) -> list[str]:
        """Return what a body still holds for a program that unpacks it, joins its events and undoes its escapes."""
        found: dict[str, None] = {}
        for layer in iter_layers(body):
            said = ["it is too much to be looked through"] if layer is None else self._scan_layer(layer)
            found.update(dict.fromkeys(said))
        return list(found)

    def _scan_layer(self, text: str) -> dict[str, None]:
        found: dict[str, None] = {}
        for document in iter_documents(text):
            try:
                found.update(dict.fromkeys(self._scan_document(document)))
            except RecursionError:
                found["it is nested too deeply to be looked through"] = None
        plain = decode_escapes(text.replace("\0", ""))  # which UTF-16 is full of
        found.update(dict.fromkeys(kind for _, kind in self._scan_text(plain)))
        found.update(dict.fromkeys(kind for _, kind in self._known.find_in(unescape(unquote_plus(plain)))))
        return found

    def _scan_document(self, document: Any, under: str = "") -> Iterator[str]:
        if isinstance(document, dict):
            members = cast("dict[str, Any]", document)
            named = members.get("name", members.get("key"))  # as in a list of headers or fields
            pairs = [(named, members.get("value"))] if isinstance(named, str) else []
            for name, value in [*members.items(), *pairs]:
                yield from (kind for _, kind in self._scan_text(name))
                if find_kind(name, "", KINDS) or normalize_name(name) in {"token", "tokens"}:
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
        for pattern, what in (
            (MEMBER, "a member"),
            (PARAMETER, "a parameter"),
            (YAML_HEADER, "a header"),
            (ELEMENT, "an element"),
            (FIELD, "a field"),
        ):
            for match in pattern.finditer(serialized):
                value = unquote_plus(match["value"]).strip().strip("\"'")
                if value and find_kind(match["name"], value, KINDS) and not SCRUBBED.fullmatch(value):
                    yield match.start(), f"{what} named {match['name']} that is not a placeholder"
        for match in LABELLED.finditer(serialized):
            names = match["name"], match["name"].split(" ")[-1]
            kind = next(filter(None, (find_kind(name, match["value"], KINDS) for name in names)), None)
            is_amount = kind == "token" and not any(map(str.isalpha, match["value"]))
            if kind not in {None, "client-id"} and not is_amount and not PLACEHOLDER.match(match["value"]):
                yield match.start(), f"the value of {match['name']}"
        for match in INPUT.finditer(serialized):
            found = parse_input(match[0])
            if found and find_kind(found[0], found[1], KINDS) and not SCRUBBED.fullmatch(found[1]):
                yield match.start(), f"an input named {found[0]} that is not a placeholder"
        for pattern, what in (
            (PASSWORD_IN_ADDRESS, "a password in an address"),
            (BEARER, "what looks like a bearer token"),
            (JWT, "what looks like a JSON Web Token"),
        ):
            for match in pattern.finditer(serialized):
                if not PLACEHOLDER.fullmatch(match["value"]):
                    yield match.start(), what
        for match in BASIC.finditer(serialized):
            if parse_basic(match["value"]) is not None:
                yield match.start(), "what looks like Basic credentials"
