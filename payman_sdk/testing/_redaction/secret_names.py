"""How credentials look in HTTP: their names, their marks, and the forms in which they are written."""

import base64
import binascii
import contextlib
import html
import json
import re
import zlib
from collections.abc import Iterator, Mapping
from typing import Any, Final
from urllib.parse import unquote_plus

from payman_api import ACCESS_TOKEN_HEADER

KIND: Final = re.compile("[a-z]+(?:-[a-z]+)*")
PLACEHOLDER: Final = re.compile(rf"SCRUBBED-({KIND.pattern})-([0-9]+)")
"""A placeholder: its kind and its number. It needs no escaping in a header, an address or JSON."""

SCRUBBED: Final = re.compile(rf"(?:[A-Za-z]+ )?(?:{PLACEHOLDER.pattern})?:?(?:{PLACEHOLDER.pattern})?")


def normalize_name(name: str) -> str:
    """Return a name in one spelling: `refreshtoken` for `refresh_token`, `refreshToken` and `Refresh-Token`."""
    return name.replace("_", "").replace("-", "").lower()


KINDS: Final = {
    normalize_name(ACCESS_TOKEN_HEADER): "access-token",
    "accesstoken": "access-token",
    "refreshtoken": "refresh-token",
    "idtoken": "id-token",
    "clientsecret": "client-secret",
    "clientid": "client-id",  # no secret, but it says who recorded
    "codeverifier": "code-verifier",
    "devicecode": "device-code",
    "authorization": "authorization",
    "proxyauthorization": "authorization",
    "authorizationcode": "code",
    "authcode": "code",
}
PARAMETER_KINDS: Final = {**KINDS, "code": "code", "key": "key"}
# In JSON a code is a secret only beside these: elsewhere it says what went wrong.
BESIDE_A_CODE: Final = frozenset({"granttype", "redirecturi", "codeverifier", "clientid", "state"})

# A name with such a word is a secret's (db_pwd, passwordHash), unless it ends like token_type or secretName.
_SECRET_NAME: Final = re.compile(
    "(?P<api_key>apikeys?$)|(?P<secret_key>secretkeys?$)|(?P<private_key>privatekeys?$)|(?P<key>.keys?(?:data|pair|pem)?$)"
    "|(?P<account_number>(?:account|acct|card|passport)n(?:umber|um|o)s?$|ibans?$)"
    "|(?P<tax_id>(?:tax|vat|socialsecurity)[a-z]*(?:n(?:umber|um|o)|id)s?$|ssn$)"
    "|(?P<connection_string>conn(?:ection)?(?:str(?:ing)?|ur[il])s?$|dsn$)|(?P<credential>(?<!o)auth$|creds?$)"
    "|(?P<password>(?:(?<![mys])pass|phrase|(?<!s)pin|pincode|otp|cv[vc])s?$)|(?P<signature>sig$)"
    "|(?:(?P<other>token(?!iz)|secret(?!ar)|credential|cookie|signature|jwt|assertion|mnemonic)|passw|passcode|pwd)"
    "(?!.*(?:type|kind|format|scheme|scope|id|name|ur[il]|endpoint|count|limit|usage|used|required|enabled|policy"
    "|stat(?:e|us)|method|mode|version|length|size|expir[a-z]*|address|amount|balance|symbol|price)s?$)"
)
_NO_SECRET: Final = re.compile(
    "(?:public|idempotency|primary|foreign|sort|partition|cache|hot|mon|tur|don|hoc)keys?"
)
# What an object under a secret name may say in clear.
ABOUT_A_SECRET: Final = frozenset(
    {"type", "tokentype", "kind", "format", "scheme", "schemes", "scope", "scopes", "title", "description"}
    | {"expiresin", "expiresat", "createdat"}
)


def find_kind(name: str, value: str, kinds: Mapping[str, str]) -> str | None:
    plain = re.sub(r"[^a-z0-9]", "", name.lower())
    if plain in {"token", "tokens"}:  # a short one is money, such as USDC
        return "token" if re.fullmatch(r"\S{16,}", value) else None
    if plain in kinds:
        return kinds[plain]
    found = _SECRET_NAME.search(_NO_SECRET.sub("", plain.rstrip("0123456789")))
    if found is None:
        return None
    kind = found["other"] or (found.lastgroup or "password").replace("_", "-")
    is_money = kind == "token" and (
        re.fullmatch("[A-Z]{2,6}", value) or (plain.endswith("s") and value.isdigit())
    )
    return None if is_money else kind


LOOPBACK_PORT: Final = re.compile(
    r"(https?(?:://|%3A%2F%2F)(?:127\.0\.0\.1|localhost|\[::1\]|%5B::1%5D|%5B%3A%3A1%5D))(?::|%3A)[0-9]+",
    re.IGNORECASE,
)
USER: Final = re.compile(r"\A([A-Za-z][A-Za-z0-9+.-]*://)([^/@?#]*)@")
# A member of JSON or of a Python dict, also in a string, where its quotes are escaped.
MEMBER: Final = re.compile(
    r"""(?P<quote>(?<!\\)\\*["'])(?P<name>[A-Za-z][\w-]{0,40})(?P=quote)(?P<between>\s*:\s*\[?\s*b?)"""
    r"""(?P=quote)(?P<value>(?:\\.|[^\\])*?)(?P=quote)""",
    re.DOTALL,
)
PARAMETER: Final = re.compile(
    r"""(?P<before>\A|[?&]|(?<![\w.%-]))(?P<name>[A-Za-z][\w-]{0,40})=(?P<value>[^&\s"'<>\\;,)\]}#]+)"""
)
YAML_HEADER: Final = re.compile(
    r"""^[ ]*["']?(?P<name>[A-Za-z][\w-]*)["']?:\n[ ]*- (?P<value>.+)$""", re.MULTILINE
)
BEARER: Final = re.compile(
    r"(?i:\bbearer)(?P<blank>\s+|%20|\+)(?P<value>(?=[\w.~+/-]*[0-9])[\w.~+/-]{16,}+=*+)"
)
# `accessToken: …`, `the access token is …`: no word of prose, for there is a digit in it.
LABELLED: Final = re.compile(
    r"""(?<![\w-])(?P<name>(?:[A-Za-z]{1,20}[ ])?[A-Za-z][\w-]{0,40})(?:[ ]{0,3}(?::|=>?)|[ ](?:is|was)(?=[ :])):?"""
    r"""[ "'`*(\\]{0,8}(?:(?i:token|apikey)[ ])?(?P<value>(?=[\w.~+/-]*[0-9])[\w.~+/-]{6,}+=*+)"""
)
PASSWORD_IN_ADDRESS: Final = re.compile(
    r"""(?<![\w+.-])[A-Za-z][A-Za-z0-9+.-]{0,20}://[^\s/@:?#"'<>\\]{0,100}:(?P<value>[^\s/@?#"'<>\\]+)@"""
)
INPUT: Final = re.compile(r"<input\b[^<>]{0,1000}>", re.IGNORECASE)
INPUT_NAME: Final = re.compile(r"""\bname\s*=\s*\\*["']?(?P<name>[\w-]+)""", re.IGNORECASE)
INPUT_VALUE: Final = re.compile(
    r"""\bvalue\s*=\s*(?:\\*(?P<quote>["'])(?P<quoted>.*?)\\*(?P=quote)|(?P<bare>[^\s"'<>\\]+))""",
    re.IGNORECASE | re.DOTALL,
)
ELEMENT: Final = re.compile(
    r"<(?:[A-Za-z][\w-]{0,20}:)?(?P<name>[A-Za-z][\w-]{0,40})(?:\s[^<>]{0,200})?>"
    r"(?:\s*<!\[CDATA\[)?(?P<value>[^<>]+?)(?:\]\]>\s*)?</"
)
# A field of multipart/form-data, whatever headers come before its value.
FIELD: Final = re.compile(
    r"""form-data;[^\r\n]*?\bname="?(?P<name>[A-Za-z][\w-]{0,40})(?=["\s;])[^\r\n]*(?:\r?\n[^\r\n]+)*\r?\n\r?\n(?P<value>.*?)\r?\n--""",
    re.DOTALL,
)
BASIC: Final = re.compile(r"(?i:\bbasic)(?P<blank>\s+|%20|\+)(?P<value>[A-Za-z0-9+/_-]{4,}+={0,2}+)")
JWT: Final = re.compile(r"\b(?P<value>eyJ[\w-]{10,}\.[\w-]{10,}\.[\w-]*)")

WORD_BEGINS: Final = r"(?:(?<!\w)|(?<=\\[bfnrt])|(?<=%[0-9A-Fa-f]{2})|(?<=\\u[0-9A-Fa-f]{4}))"
"""Where a word may begin: also behind an escape, whose last character is a letter or a digit."""


def unescape(value: str) -> str:
    """Return the content of a JSON string; unchanged if it is not one."""
    try:
        decoded = json.loads(f'"{value}"')
    except ValueError:
        return value
    return decoded if isinstance(decoded, str) else value


def decode_escapes(text: str) -> str:
    r"""Return a text with the characters that stand as `\uXXXX` or `\xXX` in it."""
    pattern = r"\\+(?:u([0-9A-Fa-f]{4})|x([0-9A-Fa-f]{2}))"
    return re.sub(pattern, lambda match: chr(int(match[1] or match[2], 16)), text)


_PACKED: Final = (b"\x1f\x8b", b"x\x01", b"x\x9c", b"x\xda")  # how gzip and zlib begin
_MOST: Final = 32 * 1024 * 1024  # characters of all layers of a body


def iter_layers(body: bytes | str) -> Iterator[str | None]:
    """Yield a body, what it holds compressed, percent-encoded or in base64, and so on; None if it is too much."""
    waiting, seen, size = [body], set[str](), 0
    while waiting:
        layer = waiting.pop()
        if isinstance(layer, bytes):
            if layer.startswith(_PACKED):
                with contextlib.suppress(zlib.error):
                    waiting.append(zlib.decompressobj(47).decompress(layer, _MOST))
            layer = layer.decode("utf-8", "surrogateescape")
        if layer in seen:
            continue
        seen.add(layer)
        size += len(layer)
        if size >= _MOST:
            yield None
            return
        yield layer
        waiting += [unquote_plus(layer), *map(_decode_base64, re.findall(r"[\w+/-]{16,}", layer, re.ASCII))]


def _decode_base64(word: str) -> bytes:
    """Return what a word holds; nothing of one that holds neither a text nor something compressed."""
    with contextlib.suppress(ValueError):
        content = base64.b64decode(word.replace("-", "+").replace("_", "/") + "==")
        if content.startswith(_PACKED) or content.decode():
            return content
    return b""


def parse_basic(encoded: str) -> tuple[str, str] | None:
    try:
        decoded = base64.b64decode(
            encoded + "=" * (-len(encoded) % 4), b"-_" if {*encoded} & {*"-_"} else None, validate=True
        )
        client_id, colon, secret = decoded.decode().partition(":")
    except (binascii.Error, ValueError):
        return None
    return (client_id, secret) if colon and (client_id + secret).isprintable() else None


def parse_input(element: str) -> tuple[str, str, int, int] | None:
    """Return the name and value of an `<input>` and the position of the value; None if it has none."""
    name, value = INPUT_NAME.search(element), INPUT_VALUE.search(element)
    if name is None or value is None:
        return None
    group = "bare" if value["quoted"] is None else "quoted"
    return (name["name"], html.unescape(value[group]), *value.span(group)) if value[group] else None


def iter_documents(text: str) -> Iterator[Any]:
    """Yield the JSON documents in a text that is one, or that is an event stream of them."""
    lines = [line[5:] for line in text.splitlines() if line.startswith("data:")]
    events = [
        "\n".join(data)
        for event in (re.sub("\r\n?", "\n", text).split("\n\n") if lines else ())
        if len(data := [line[5:] for line in event.splitlines() if line.startswith("data:")]) > 1
    ]
    for piece in (text, *lines, *events):
        try:
            yield json.loads(piece)
        except (ValueError, RecursionError):
            continue
