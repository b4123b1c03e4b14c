"""How a secret may be written: what is looked for where a server repeats it, and where a recording holds it."""

from __future__ import annotations

import base64
import json
import re
from urllib.parse import quote, quote_plus


def list_spellings(value: str) -> set[str]:
    """How a value may be written: as it is, in JSON, in JSON in JSON, in YAML, in an address, in a web page, in base64."""
    import html  # names two thousand characters; most processes need none of them

    written = {value, value.replace("'", "''"), html.escape(value), html.escape(value, quote=False)}
    for escaped in (json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1]):
        written |= {escaped, escaped.replace("/", "\\/"), json.dumps(escaped, ensure_ascii=False)[1:-1]}
    raw = value.encode("utf-8", "surrogateescape")
    for quoted in (quote(raw), quote(raw, safe=""), quote_plus(raw)):
        written |= {quoted, re.sub("%..", lambda match: match[0].lower(), quoted)}
    written.add(base64.b64encode(raw).decode().rstrip("="))
    return written


def hexadecimal_of(value: str) -> str:
    """Return a value in hexadecimal digits."""
    return value.encode("utf-8", "surrogateescape").hex()


def base64_of(value: str) -> list[str]:
    """Return what a value is in base64, for each of the three places where it may begin in what was encoded.

    The characters at either end that depend on what is beside the value are left out.
    """
    raw = value.encode("utf-8", "surrogateescape")
    encoded: list[str] = []
    for before in range(3):
        text = base64.b64encode(b"\0" * before + raw).decode().rstrip("=")
        begins = (before * 8 + 5) // 6
        ends = len(text) if (before + len(raw)) % 3 == 0 else len(text) - 1
        encoded.append(text[begins:ends])
    return encoded
