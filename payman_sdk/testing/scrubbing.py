"""Takes the secrets out of recorded HTTP, and hunts for those that got past.

Everything in a cassette goes through one `Scrubber`: addresses, headers and bodies of requests and answers. A secret is known by
its name (a header, a parameter, a member), by its looks (`Bearer …`, a JWT), or because it was seen before, and its place is taken
by a placeholder such as `SCRUBBED-access-token-1`. Nothing is parsed and written anew: what is no secret stays as it was sent, to
the byte.
"""

from __future__ import annotations

import base64
import html
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final, cast
from urllib.parse import unquote_plus

from payman_sdk.testing.credentials import (
    ABOUT_A_SECRET,
    BASIC,
    BEARER,
    BESIDE_A_CODE,
    ELEMENT,
    INPUT,
    JWT,
    KINDS,
    LABELLED,
    LOOPBACK_PORT,
    MEMBER,
    PARAMETER,
    PARAMETER_KINDS,
    PASSWORD_IN_ADDRESS,
    PLACEHOLDER,
    SCRUBBED,
    USER,
    WORD_BEGINS,
    YAML_HEADER,
    documents,
    forms_of,
    input_in,
    kind_of,
    pair_in,
    plain_name,
    unescaped,
    without_escapes,
)

_LONG_ENOUGH: Final = 8  # what is shorter is replaced in its own place only: it may be part of any word
_HUNTED_AS_WORD: Final = 4  # from here on it is hunted for as a word of its own, which refuses the recording

_HARMLESS_HEADERS: Final = frozenset(
    {
        "accept",
        "allow",
        "cache-control",
        "content-encoding",
        "content-type",
        "last-event-id",
        "location",
        "retry-after",
        "retry-after-ms",
        "www-authenticate",
    }
)


class Scrubber:
    """Puts placeholders in the place of secrets, the same one for the same secret wherever it appears.

    It belongs to one cassette, whose placeholders it numbers by kind in order of appearance. A placeholder that it finds
    stays what it is, so scrubbing twice does no harm.

    Args:
        known: Kinds and values of secrets that are known beforehand, such as `("client-secret", "…")`. They are replaced
            wherever they appear, and hunted for.

    Attributes:
        minted: The placeholders that this scrubber made, as against those it found.

    Example:
        >>> scrubber = Scrubber()
        >>> scrubber.uri("http://127.0.0.1:8642/api/oauth2/token?grant_type=refresh_token&refresh_token=r3fresh-me")
        'http://127.0.0.1/api/oauth2/token?grant_type=refresh_token&refresh_token=SCRUBBED-refresh-token-1'
        >>> scrubber.text('{"error_description": "r3fresh-me has expired", "code": -32603}')
        '{"error_description": "SCRUBBED-refresh-token-1 has expired", "code": -32603}'
    """

    def __init__(self, known: Iterable[tuple[str, str]] = ()) -> None:
        self.minted: set[str] = set()
        self._counts: Counter[str] = Counter()
        self._placeholders: dict[str, str] = {}
        self._kinds = {value: kind for kind, value in known if value}
        self._hunted: re.Pattern[str] | None = None
        self._hunted_words: re.Pattern[str] | None = None
        self._forms: dict[str, tuple[str, ...]] = {}
        self._words: dict[str, str] = {}

    def uri(self, uri: str) -> str:
        """An address without secrets, without a user, and without the port of a server on this machine."""
        user = USER.match(uri)
        if user is not None:
            self._placeholder("password", unquote_plus(user[2].partition(":")[2]))
            uri = user[1] + uri[user.end() :]
        address, hash_sign, fragment = uri.partition("#")
        address, question_mark, query = address.partition("?")
        return (
            self.text(address)
            + question_mark
            + self._parameters(query)
            + hash_sign
            + self._parameters(fragment)
        )

    def headers(self, headers: Mapping[str, Any]) -> dict[str, Any]:
        """The headers that say something about the exchange; those with credentials have placeholders.

        Args:
            headers: Each value is a text, or a list of them.
        """
        kept: dict[str, Any] = {}
        for name, value in headers.items():
            if kind_of(name, "", KINDS) or name.lower() in _HARMLESS_HEADERS:
                values = cast("list[object]", value) if isinstance(value, list) else [value]
                scrubbed = [self._header(name, _decoded(each)) for each in values]
                kept[name] = scrubbed if isinstance(value, list) else scrubbed[0]
        return kept

    def body(self, body: bytes, content_type: str = "") -> bytes:
        """A body of any type without secrets; bytes that are no text come through as they are."""
        text = body.decode("utf-8", "surrogateescape")
        is_form = content_type.lower().startswith("application/x-www-form-urlencoded")
        return (self._parameters(text) if is_form else self.text(text)).encode("utf-8", "surrogateescape")

    def text(self, text: str) -> str:
        """A text without secrets: JSON, an event stream, a web page, or plain."""
        text = LOOPBACK_PORT.sub(r"\1", text)
        if '"code"' in text:
            for document in documents(text):
                self._learn_codes(document)
        text = MEMBER.sub(self._member, text)
        if "<" in text:
            text = INPUT.sub(self._input, text)
            text = ELEMENT.sub(self._element, text)
        text = PARAMETER.sub(self._parameter_in_text, text)
        text = BASIC.sub(self._basic, text)
        text = BEARER.sub(self._looks_like("access-token"), text)
        text = JWT.sub(self._looks_like("jwt"), text)
        return self._hunt().sub(self._seen, text)

    def leaks(self, serialized: str) -> list[str]:
        """What scrubbing missed in a serialized cassette: the lines and the kinds, never a value.

        Args:
            serialized: The cassette as it would be written.

        Example:
            >>> scrubber = Scrubber()
            >>> later = scrubber.text("it is hunter2-or-not")
            >>> _ = scrubber.uri("https://agent.payman.ai/x?password=hunter2-or-not")
            >>> scrubber.leaks(later)
            ['line 1: a password, elsewhere SCRUBBED-password-1']
        """
        found: dict[str, None] = {}
        for start, kind in sorted(self._missed(serialized)):
            found[f"line {serialized.count(chr(10), 0, start) + 1}: {kind}"] = None
        return list(found)

    def leaks_in_body(self, body: bytes | str) -> list[str]:
        r"""What scrubbing missed in a body as a program reads it: parsed, its events joined, its escapes undone.

        Args:
            body: A body of any type that was scrubbed.

        Example:
            >>> Scrubber().leaks_in_body(r'{"access\u005ftoken": "hunted", "password": 4711}')
            ['a member named access_token that is no placeholder', 'a member named password that is no placeholder']
        """
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
        for match in self._hunt().finditer(serialized):
            for value in self._forms.get(match[0], ()):
                elsewhere = self._placeholders.get(value)
                yield (
                    match.start(),
                    f"a {self._kind(value)}, {f'elsewhere {elsewhere}' if elsewhere else 'known beforehand'}",
                )
        for match in self._hunt_words().finditer(serialized):
            if match["word"]:
                yield (
                    match.start(),
                    f"a {self._kind(self._words[match['word']])} that is too short to be scrubbed here",
                )
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

    def _header(self, name: str, value: str) -> str:
        kind = kind_of(name, value, KINDS)
        if kind is None:
            return self.uri(value) if name.lower() == "location" else self.text(value)
        return self._credentials(value) if kind == "authorization" else self._placeholder(kind, value)

    def _credentials(self, value: str) -> str:
        if SCRUBBED.fullmatch(value):
            return self._hunt().sub(self._seen, value)  # which notes the numbers that are taken
        scheme, blank, rest = value.partition(" ")
        if not blank or not (scheme.isascii() and scheme.isalpha()):
            return self._placeholder("authorization", value)
        pair = pair_in(rest) if scheme.lower() == "basic" else None
        if pair is not None:
            return f"{scheme} {self._pair(*pair)}"
        return f"{scheme} {self._placeholder('access-token' if scheme.lower() == 'bearer' else 'authorization', rest)}"

    def _pair(self, client_id: str, client_secret: str) -> str:
        for kind, value in (("client-id", client_id), ("client-secret", client_secret)):
            self._placeholder(kind, unquote_plus(value))  # RFC 6749 encodes the pair; most programs do not
        return (
            f"{self._placeholder('client-id', client_id)}:{self._placeholder('client-secret', client_secret)}"
        )

    def _parameters(self, text: str) -> str:
        return "&".join(self._parameter(piece) for piece in text.split("&"))

    def _parameter(self, piece: str) -> str:
        name, _, value = piece.partition("=")
        kind = kind_of(unquote_plus(name), unquote_plus(value), PARAMETER_KINDS)
        return (
            f"{name}={self._placeholder(kind, unquote_plus(value))}" if kind and value else self.text(piece)
        )

    def _parameter_in_text(self, match: re.Match[str]) -> str:
        kinds = PARAMETER_KINDS if match["before"] in {"?", "&"} else KINDS
        kind = kind_of(match["name"], match["value"], kinds)
        if kind is None:
            return match[0]
        return f"{match['before']}{match['name']}={self._placeholder(kind, unquote_plus(match['value']))}"

    def _member(self, match: re.Match[str]) -> str:
        quotes, name, value = match["quote"], match["name"], match["value"]
        for _ in range(1 + quotes.count("\\")):
            value = unescaped(value)
        kind = kind_of(name, value, KINDS)
        if kind is None and name.lower() == "code" and self._kinds.get(value) == "code":
            kind = "code"
        if kind is None or not value:
            # Its value may hold a document of its own.
            at = match.start("value")
            inner = match["value"]
            return (
                match[0][: at - match.start()] + MEMBER.sub(self._member, inner) + quotes
                if inner
                else match[0]
            )
        scrubbed = self._credentials(value) if kind == "authorization" else self._placeholder(kind, value)
        return f"{quotes}{name}{quotes}{match['between']}{quotes}{scrubbed}{quotes}"

    def _input(self, match: re.Match[str]) -> str:
        found = input_in(match[0])
        if found is None:
            return match[0]
        name, value, start, end = found
        kind = kind_of(name, value, KINDS)
        return f"{match[0][:start]}{self._placeholder(kind, value)}{match[0][end:]}" if kind else match[0]

    def _element(self, match: re.Match[str]) -> str:
        value = html.unescape(match["value"].strip())
        kind = kind_of(match["name"], value, KINDS)
        if kind is None or not value:
            return match[0]
        start, end = (at - match.start() for at in match.span("value"))
        return f"{match[0][:start]}{self._placeholder(kind, value)}{match[0][end:]}"

    def _basic(self, match: re.Match[str]) -> str:
        pair = pair_in(match["value"])
        return (
            match[0] if pair is None else match[0][: match.start("value") - match.start()] + self._pair(*pair)
        )

    def _looks_like(self, kind: str) -> Callable[[re.Match[str]], str]:
        def replaced(match: re.Match[str]) -> str:
            return match[0][: match.start("value") - match.start()] + self._placeholder(kind, match["value"])

        return replaced

    def _learn_codes(self, document: Any) -> None:
        if isinstance(document, dict):
            members = cast("dict[str, Any]", document)
            code = members.get("code")
            if isinstance(code, str) and any(plain_name(name) in BESIDE_A_CODE for name in members):
                self._placeholder("code", code)
            for value in members.values():
                self._learn_codes(value)
        elif isinstance(document, list):
            for value in cast("list[object]", document):
                self._learn_codes(value)

    def _placeholder(self, kind: str, value: str) -> str:
        found = PLACEHOLDER.fullmatch(value)
        if found is not None:
            self._note(found)
            return value
        if not value:
            return value
        if value not in self._placeholders:
            self._kinds.setdefault(value, kind)
            self._counts[self._kinds[value]] += 1
            self._placeholders[value] = f"SCRUBBED-{self._kinds[value]}-{self._counts[self._kinds[value]]}"
            self.minted.add(self._placeholders[value])
            self._hunted = self._hunted_words = None
        return self._placeholders[value]

    def _note(self, placeholder: re.Match[str]) -> None:
        """A number that was found is taken: what is new gets a higher one."""
        kind, number = placeholder[1], int(placeholder[2])
        self._counts[kind] = max(self._counts[kind], number)

    def _kind(self, value: str) -> str:
        return self._kinds[value].replace("-", " ")

    def _seen(self, match: re.Match[str]) -> str:
        if match[1]:
            self._note(match)
            return match[0]
        return ":".join(self._placeholder(self._kinds[value], value) for value in self._forms[match[0]])

    def _hunt(self) -> re.Pattern[str]:
        """Finds every secret seen so far, in every form; and before all, placeholders, in which nothing is to be found."""
        if self._hunted is None:
            long_enough = [value for value in self._kinds if len(value) >= _LONG_ENOUGH]
            self._forms = {form: (value,) for value in long_enough for form in forms_of(value)}
            self._forms.update(self._pairs())
            forms = sorted(self._forms, key=len, reverse=True)  # of two that begin alike, the longer
            self._hunted = re.compile("|".join([PLACEHOLDER.pattern, *map(re.escape, forms)]))
        return self._hunted

    def _hunt_words(self) -> re.Pattern[str]:
        """Finds the secrets that are too short for `_hunt`, where no letter or digit is beside them, and not in placeholders."""
        if self._hunted_words is None:
            short = [
                value
                for value, kind in self._kinds.items()
                if _HUNTED_AS_WORD <= len(value) < _LONG_ENOUGH and kind != "client-id"
            ]
            self._words = {form: value for value in short for form in forms_of(value)}
            forms = sorted(self._words, key=len, reverse=True)
            word = (
                f"{WORD_BEGINS}(?P<word>{'|'.join(map(re.escape, forms))})(?!\\w)"
                if forms
                else "(?P<word>(?!))"
            )
            self._hunted_words = re.compile(f"{PLACEHOLDER.pattern}|{word}")
        return self._hunted_words

    def _pairs(self) -> Iterator[tuple[str, tuple[str, ...]]]:
        secrets = [value for value, kind in self._kinds.items() if kind == "client-secret"]
        for client_id in [value for value, kind in self._kinds.items() if kind == "client-id"]:
            for client_secret in secrets:
                pair = f"{client_id}:{client_secret}".encode("utf-8", "surrogateescape")
                for encoded in (base64.b64encode(pair), base64.urlsafe_b64encode(pair)):
                    for form in forms_of(encoded.decode()):
                        yield form, (client_id, client_secret)
                        yield form.rstrip("="), (client_id, client_secret)


def _decoded(value: Any) -> str:
    return value.decode("utf-8", "surrogateescape") if isinstance(value, bytes) else str(value)
