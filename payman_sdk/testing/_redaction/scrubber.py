"""Remove the secrets from recorded HTTP, and search for any that are left.

Everything in a cassette goes through one `Scrubber`. It recognizes a secret by its name (a header, a parameter, a member), by its
form (`Bearer …`, a JWT), or because it was seen before. A placeholder such as `SCRUBBED-access-token-1` replaces it. All else stays
unchanged, to the byte.
"""

import html
import re
from collections.abc import Callable, Generator, Iterable, Mapping
from contextlib import contextmanager
from typing import Any, Final, cast
from urllib.parse import quote_plus, unquote_plus

from payman_sdk._secrets import is_secret_header
from payman_sdk.testing._redaction.secret_names import (
    BASIC,
    BEARER,
    BESIDE_A_CODE,
    ELEMENT,
    FIELD,
    INPUT,
    JWT,
    KINDS,
    LOOPBACK_PORT,
    MEMBER,
    PARAMETER,
    PARAMETER_KINDS,
    SCRUBBED,
    USER,
    find_kind,
    iter_documents,
    normalize_name,
    parse_basic,
    parse_input,
    unescape,
)
from payman_sdk.testing._redaction.secret_registry import LONG_ENOUGH, LeakScanner, SecretRegistry

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
    """Replaces secrets by placeholders, the same one for the same secret wherever it appears.

    It belongs to one cassette, and numbers its placeholders by kind. Scrubbing twice does no harm. `known` are kinds and values of
    known secrets, such as `("client-secret", "…")`.
    """

    def __init__(self, known: Iterable[tuple[str, str]] = ()) -> None:
        self._known = SecretRegistry(known)

    @property
    def new_placeholders(self) -> set[str]:
        """The placeholders that this scrubber made, as against those it found."""
        return self._known.minted

    @contextmanager
    def reading_answer(self) -> Generator[None]:
        """Provide a context in which what is scrubbed was said by a server."""
        self._known.is_answer = True
        try:
            yield
        finally:
            self._known.is_answer = False

    def scrub_uri(self, uri: str) -> str:
        """Return an address without secrets, without a user, and without the port of a server on this machine."""
        user = USER.match(uri)
        if user is not None:
            self._known.get_placeholder("password", unquote_plus(user[2].partition(":")[2]))
            uri = user[1] + uri[user.end() :]
        address, hash_sign, fragment = uri.partition("#")
        address, question_mark, query = address.partition("?")
        return (
            self.scrub_text(address)
            + question_mark
            + self._scrub_parameters(query)
            + hash_sign
            + self._scrub_parameters(fragment)
        )

    def scrub_headers(self, headers: Mapping[str, Any]) -> dict[str, Any]:
        """Return the headers that say something about the exchange; those with credentials have placeholders."""
        kept: dict[str, Any] = {}
        for name, value in headers.items():
            values = cast("list[object]", value) if isinstance(value, list) else [value]
            if find_kind(name, "", KINDS) not in {None, "cookie"} or name.lower() in _HARMLESS_HEADERS:
                scrubbed = [self._scrub_header(name, _decode(each)) for each in values]
                kept[name] = scrubbed if isinstance(value, list) else scrubbed[0]
            elif is_secret_header(name):
                for each in values:
                    self._note_dropped(name.lower(), _decode(each))
        return kept

    def _note_dropped(self, name: str, value: str) -> None:
        """Note the secrets of a header that is dropped, because a server may repeat them."""
        kind, secrets = "header", [value]
        if "cookie" in name:
            # The pairs behind the first are attributes in what a server sets, and cookies in what it gets.
            pairs = value.split(";")[: 1 if name.startswith("set-") else None]
            kind, secrets = "cookie", [pair.partition("=")[2].strip(' "') or pair.strip() for pair in pairs]
        for secret in secrets:
            if len(secret) >= LONG_ENOUGH and not SCRUBBED.fullmatch(secret):
                self._known.add(kind, secret)

    def scrub_body(self, body: bytes, content_type: str = "") -> bytes:
        """Return a body of any type without secrets; bytes that are not text stay as they are."""
        text = body.decode("utf-8", "surrogateescape")
        is_form = content_type.lower().startswith("application/x-www-form-urlencoded")
        return (self._scrub_parameters(text) if is_form else self.scrub_text(text)).encode(
            "utf-8", "surrogateescape"
        )

    def scrub_text(self, text: str) -> str:
        """Return a text without secrets: JSON, an event stream, a web page, or plain."""
        text = LOOPBACK_PORT.sub(r"\1", text)
        if '"code"' in text:
            for document in iter_documents(text):
                self._learn_codes(document)
        text = MEMBER.sub(self._scrub_member, text)
        if "<" in text:
            text = INPUT.sub(self._scrub_input, text)
            text = ELEMENT.sub(self._scrub_element, text)
        text = FIELD.sub(self._scrub_element, text)
        text = PARAMETER.sub(self._scrub_text_parameter, text)
        text = BASIC.sub(self._scrub_basic, text)
        text = BEARER.sub(self._make_replacement("access-token"), text)
        text = JWT.sub(self._make_replacement("jwt"), text)
        return self._known.build_pattern().sub(self._known.hide_match, text)

    def find_leaks(self, serialized: str) -> list[str]:
        """Return what scrubbing missed in a serialized cassette: the lines and the kinds, never a value."""
        return LeakScanner(self._known).scan_cassette(serialized)

    def find_leaks_in_body(self, body: bytes | str) -> list[str]:
        r"""Return what scrubbing missed in a body as a program reads it: parsed, its events joined, its escapes undone."""
        return LeakScanner(self._known).scan_body(body)

    def _scrub_header(self, name: str, value: str) -> str:
        kind = find_kind(name, value, KINDS)
        if kind is None:
            return self.scrub_uri(value) if name.lower() == "location" else self.scrub_text(value)
        return self._hide(kind, value)

    def _hide(self, kind: str, value: str) -> str:
        if kind != "authorization":
            return self._known.get_placeholder(kind, value)
        if SCRUBBED.fullmatch(value):
            return self._known.build_pattern().sub(
                self._known.hide_match, value
            )  # which notes the numbers that are taken
        scheme, blank, rest = value.partition(" ")
        if not blank or not (scheme.isascii() and scheme.isalpha()):
            return self._known.get_placeholder("authorization", value)
        pair = parse_basic(rest) if scheme.lower() == "basic" else None
        if pair is not None:
            return f"{scheme} {self._scrub_pair(*pair)}"
        return f"{scheme} {self._known.get_placeholder('access-token' if scheme.lower() == 'bearer' else 'authorization', rest)}"

    def _scrub_pair(self, client_id: str, client_secret: str) -> str:
        for kind, value in (("client-id", client_id), ("client-secret", client_secret)):
            self._known.get_placeholder(
                kind, unquote_plus(value)
            )  # RFC 6749 encodes the pair; most programs do not
        return f"{self._known.get_placeholder('client-id', client_id)}:{self._known.get_placeholder('client-secret', client_secret)}"

    def _scrub_parameters(self, text: str) -> str:
        return "&".join(self._scrub_parameter(piece) for piece in text.split("&"))

    def _scrub_parameter(self, piece: str) -> str:
        name, _, value = piece.partition("=")
        kind = find_kind(unquote_plus(name), unquote_plus(value), PARAMETER_KINDS)
        return (
            f"{name}={self._known.get_placeholder(kind, unquote_plus(value))}"
            if kind and value
            else self.scrub_text(f"{name}={self._scrub_nested(value)}" if value else piece)
        )

    def _scrub_nested(self, value: str) -> str:
        """Scrub an address or a document that is the value of a parameter; unchanged where it holds no secret."""
        plain = unquote_plus(LOOPBACK_PORT.sub(r"\1", value))
        return value if plain == value or (found := self.scrub_text(plain)) == plain else quote_plus(found)

    def _scrub_text_parameter(self, match: re.Match[str]) -> str:
        kinds = PARAMETER_KINDS if match["before"] in {"?", "&"} else KINDS
        kind = find_kind(match["name"], match["value"], kinds)
        if kind is None:
            return _replace_value(match, self._scrub_nested(match["value"]))
        return _replace_value(match, self._known.get_placeholder(kind, unquote_plus(match["value"])))

    def _scrub_member(self, match: re.Match[str]) -> str:
        name, value = match["name"], match["value"]
        for _ in range(1 + match["quote"].count("\\")):
            value = unescape(value)
        kind = find_kind(name, value, KINDS)
        if kind is None and name.lower() == "code" and self._known.is_a("code", value):
            kind = "code"
        if kind is None or not value:
            # Its value may itself hold a document.
            return _replace_value(match, MEMBER.sub(self._scrub_member, match["value"]))
        return _replace_value(match, self._hide(kind, value))

    def _scrub_input(self, match: re.Match[str]) -> str:
        found = parse_input(match[0])
        if found is None:
            return match[0]
        name, value, start, end = found
        kind = find_kind(name, value, KINDS)
        if not kind:
            return match[0]
        return match[0][:start] + self._known.get_placeholder(kind, value) + match[0][end:]

    def _scrub_element(self, match: re.Match[str]) -> str:
        value = html.unescape(match["value"].strip())
        kind = find_kind(match["name"], value, KINDS)
        if kind is None or not value:
            return match[0]
        return _replace_value(match, self._known.get_placeholder(kind, value))

    def _scrub_basic(self, match: re.Match[str]) -> str:
        pair = parse_basic(match["value"])
        return match[0] if pair is None else _replace_value(match, self._scrub_pair(*pair))

    def _make_replacement(self, kind: str) -> Callable[[re.Match[str]], str]:
        return lambda match: _replace_value(match, self._known.get_placeholder(kind, match["value"]))

    def _learn_codes(self, document: Any) -> None:
        if isinstance(document, dict):
            members = cast("dict[str, Any]", document)
            code = members.get("code")
            if isinstance(code, str) and any(normalize_name(name) in BESIDE_A_CODE for name in members):
                self._known.get_placeholder("code", code)
            for value in members.values():
                self._learn_codes(value)
        elif isinstance(document, list):
            for value in cast("list[object]", document):
                self._learn_codes(value)


def _replace_value(match: re.Match[str], value: str) -> str:
    start, end = (at - match.start() for at in match.span("value"))
    return match[0][:start] + value + match[0][end:]


def _decode(value: Any) -> str:
    return value.decode("utf-8", "surrogateescape") if isinstance(value, bytes) else str(value)
