"""JSON as servers send it: read fast if sound, and as far as possible otherwise."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from itertools import accumulate
from typing import Any, TypeAlias, cast

Json: TypeAlias = dict[str, Any]
"""An object of JSON."""

DEEPEST = 100
"""Levels of nesting that are read. Deeper JSON would exhaust the stack of its readers."""

_SMALL = 1024 * 1024
_MOST_CONTAINERS, _MOST_COMMAS = 1_000_000, 4_000_000

_STRINGS_AND_BRACKETS = r'(?s)"[^"\\]*(?:\\.[^"\\]*)*"?|[\[\]{}]'
_ESCAPES = r"(\\\\|\\u[dD][89abAB]..\\u[dD][c-fC-F]..)|\\u[dD][89a-fA-F].."
"""An escaped backslash, both halves of a character, or half of one."""
_PERHAPS_HALF = re.compile(r"\\u[dD][89a-fA-F]")
_HALF = "half of a character"
_OPENING = b"{["
_OTHER_BYTES = bytes(byte for byte in range(256) if byte not in b"{}[]")


def read_json(content: bytes | str) -> tuple[Any, Any, list[str]]:
    """Read JSON, with U+FFFD for halves of characters, and return it and what could not be read; raises ValueError."""
    warnings: list[str] = []
    text = content if isinstance(content, str) else _decode(content, warnings)
    came = _parse(text, warnings)
    whole = replace_halves(text)
    if whole == text:
        return came, came, warnings
    warnings.append(_HALF)
    return _parse(whole, []), came, warnings


def replace_halves(text: str) -> str:
    """Return JSON with U+FFFD for each escape that is half of a character."""
    if "\\" in text and _PERHAPS_HALF.search(text):
        text = re.sub(_ESCAPES, lambda found: found[1] or r"\ufffd", text)
    return text


def _decode(content: bytes, warnings: list[str]) -> str:
    encoding = json.detect_encoding(content)
    try:
        return content.decode(encoding)
    except UnicodeDecodeError:
        warnings.append(f"bytes that are not {encoding.upper()}")
        return content.decode(encoding, "replace")


def _parse(text: str, warnings: list[str]) -> Any:
    if not is_deep(text):
        try:
            return _DECODER.decode(text)
        except (ValueError, RecursionError):
            pass
    pruned = _prune(text)
    if pruned != text:
        warnings.append(f"nested deeper than {DEEPEST} levels")

    def read_int(digits: str) -> int | str:
        try:
            return int(digits)
        except ValueError:  # Python reads no more than some thousand digits
            warnings.append("a number with too many digits")
            return digits

    try:
        return json.loads(pruned, parse_int=read_int, strict=False, object_pairs_hook=unite_members)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


def dump_json(value: object, lost: list[str] | None = None, **layout: Any) -> str:
    """Return a value as JSON, with null for NaN and the infinities, as in JavaScript; `lost` gets their names.

    JSON has no such numbers, and strict readers refuse the whole document. A server's 1e999 is read as infinity.
    """
    try:
        return json.dumps(value, allow_nan=False, **layout)
    except ValueError:
        names = [] if lost is None else lost  # its append returns None, which is null
        return json.dumps(json.loads(json.dumps(value), parse_constant=names.append), **layout)


def unite_members(pairs: list[tuple[str, Any]]) -> Json:
    """Return an object; a member with several values gets a list of them, which no reader takes for any of them."""
    members = dict(pairs)
    if len(members) < len(pairs):
        several: dict[str, list[Any]] = {}
        for name, value in pairs:
            several.setdefault(name, []).append(value)
        for name, (first, *others) in several.items():
            # Some serializers write the same value twice.
            if any(isinstance(v, dict | list) or (type(v), v) != (type(first), first) for v in others):
                members[name] = [first, *others]
    return members


_DECODER = json.JSONDecoder(object_pairs_hook=unite_members)


def decode_nested(value: Any) -> Any:
    """Return the object or list in a JSON text, as of servers that encode twice; anything else unchanged."""
    if isinstance(value, str) and value.lstrip()[:1] in ("{", "["):
        try:
            return read_json(value)[0]
        except ValueError:
            pass
    return value


def is_excessive(content: bytes | str) -> bool:
    """Whether JSON holds so many values that they take many times its own memory."""
    if len(content) < _SMALL:
        return False
    signs: Any = ("{", "[", ",") if isinstance(content, str) else (b"{", b"[", b",")
    braces, brackets, commas = (content.count(sign) for sign in signs)
    return braces + brackets > _MOST_CONTAINERS or commas > _MOST_COMMAS


def is_deep(text: str) -> bool:
    """Whether JSON seems to be nested deeper than is read; brackets within texts are counted too."""
    if text.count("{") + text.count("[") <= DEEPEST:
        return False
    brackets = text.encode("utf-8", "surrogatepass").translate(None, _OTHER_BYTES)
    return max(accumulate(1 if bracket in _OPENING else -1 for bracket in brackets)) > DEEPEST


def _prune(text: str) -> str:
    """Return the same JSON with null for what is nested too deeply."""
    kept: list[str] = []
    depth = end = 0
    for token in re.finditer(_STRINGS_AND_BRACKETS, text):
        bracket = token[0]
        if bracket in {"{", "["}:
            depth += 1
            if depth == DEEPEST + 1:
                kept += (text[end : token.start()], "null")
        elif bracket in {"}", "]"}:
            if depth == DEEPEST + 1:
                end = token.end()
            depth -= 1
    return "".join((*kept, text[end:])) if depth <= DEEPEST else text


def unwrap_single(value: object) -> object:
    """Return what a list of one thing holds; anything else as it is."""
    several = as_list(value)
    return several[0] if several is not None and len(several) == 1 else value


def as_list(value: object) -> list[object] | None:
    """Return a list of JSON; None for anything else."""
    return cast("list[object]", value) if isinstance(value, list) else None


def as_object(value: object) -> Json | None:
    """Return an object of JSON; None for anything else."""
    return cast("Json", value) if isinstance(value, dict) else None


def parse_object(text: str | bytes) -> Json | None:
    """Return the object of a JSON text; None for any other text."""
    try:
        return as_object(json.loads(text))
    except (ValueError, RecursionError):
        return None


def get_first(given: Mapping[str, Any], *names: str) -> Any:
    """Return the first of these members that is there and not null; None without any."""
    return next((given[name] for name in names if given.get(name) is not None), None)


def parse_int(value: object) -> int | None:
    """Return a whole number; 1.0 and true are 1, as `==` has it, and some servers write numbers as text."""
    if isinstance(value, str) and len(value) < 10 and value.isascii() and value.isdigit():
        return int(value)
    if isinstance(value, float) and math.isfinite(value) and value.is_integer():
        return int(value)
    return int(value) if isinstance(value, int) else None


def parse_bool(value: object) -> bool | None:
    """Return what is true or false; 0, 1 and the words are understood."""
    if isinstance(value, str):
        return {"true": True, "false": False}.get(value.lower())
    return bool(value) if isinstance(value, bool | int | float) and value in (0, 1) else None
