"""Parts and single values as the protocol writes them, from what a server wrote; see `task_normalization`."""

from __future__ import annotations

import datetime as dt
import json
import math
from collections.abc import Mapping
from typing import Any, TypeAlias, cast

Json: TypeAlias = dict[str, Any]

_MOST_WARNINGS = 50
_KINDS = {"text", "file", "data"}
_FILE_MEMBERS = ("name", "mimeType", "bytes", "uri")


class Warnings(list[str]):
    """What could not be read, member by member, and no more than anybody reads."""

    def note(self, path: str, value: object) -> None:
        """Note that a member holds something that cannot be read there; neither its value is noted nor its name."""
        if len(self) < _MOST_WARNINGS:
            self.append(f"{path}: {_describe_type(value)}")
        elif len(self) == _MOST_WARNINGS:
            self.append("and more")


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


def get_first(given: Mapping[str, Any], *names: str) -> Any:
    """Return the first of these members that is there and not null; None without any."""
    return next((given[name] for name in names if given.get(name) is not None), None)


def normalize_parts(given: Json, path: str, warnings: Warnings) -> list[Json]:
    """Return the parts of an artifact or a message."""
    parts = given.get("parts")
    if parts is None and isinstance(text := get_first(given, "text", "content"), str):
        return [build_text_part(text)]
    if parts is None:
        warnings.note(f"{path}.parts", parts)
        return []
    several = as_list(parts)
    several = [parts] if several is None else several
    read = [_normalize_part(one, f"{path}.parts[{index}]", warnings) for index, one in enumerate(several)]
    return [part for part in read if part is not None]


def build_text_part(text: str) -> Json:
    """Return a text as a part."""
    return {"type": "text", "text": text}


def drop_odd_metadata(given: Json, path: str, warnings: Warnings) -> None:
    """Drop the metadata of something where that is no object."""
    if not isinstance(given.get("metadata"), dict | None):
        warnings.note(f"{path}metadata", given.pop("metadata"))


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


def parse_timestamp(value: object) -> str | None:
    """Return a number of seconds since 1970, or of thousandths and smaller parts of one, as ISO 8601 writes it.

    Example:
        >>> from payman_sdk._core.part_normalization import parse_timestamp
        >>> parse_timestamp(1751041891.5), parse_timestamp(1751041891500), parse_timestamp(True)
        ('2025-06-27T16:31:31.500000Z', '2025-06-27T16:31:31.500000Z', None)
    """
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < 1e20:
        return None
    seconds = float(value)
    while abs(seconds) >= 1e11:  # the year 5138 in seconds, 1973 in milliseconds
        seconds /= 1000
    try:
        at = dt.datetime.fromtimestamp(seconds, dt.UTC)
    except (ValueError, OverflowError, OSError):
        return None
    return at.isoformat().replace("+00:00", "Z")


def _normalize_part(given: object, path: str, warnings: Warnings) -> Json | None:
    given = unwrap_single(given)
    if isinstance(given, str):
        return build_text_part(given)
    if not isinstance(given, dict):
        warnings.note(path, given)
        return None
    part: Json = {**cast("Json", given)}
    kind = _find_kind(part)
    if kind is None:
        warnings.note(f"{path}.type", get_first(part, "type", "kind"))
    part["type"] = "unknown" if kind is None else kind
    if kind not in _KINDS:
        return part
    drop_odd_metadata(part, f"{path}.", warnings)
    if kind == "text":
        part["text"] = _read_text(part.get("text"), f"{path}.text", warnings)
    elif kind == "file":
        part["file"] = _normalize_file(part, f"{path}.file", warnings)
    elif part.get("data") is None:
        warnings.note(f"{path}.data", None)
        part["data"] = {}
    return part


def _find_kind(part: Json) -> str | None:
    """Return the kind, as the part or one of its members names it."""
    kind = get_first(part, "type", "kind")
    if isinstance(kind, str):
        return kind.lower() if kind.lower() in _KINDS else kind
    kinds = [kind for kind in ("text", "file", "data") if part.get(kind) is not None]
    if not kinds and isinstance(get_first(part, "uri", "url", "bytes"), str):
        return "file"
    return kinds[0] if kinds else None


def _read_text(given: object, path: str, warnings: Warnings) -> str:
    if isinstance(given, str):
        return given
    if isinstance(given, int | float) and not isinstance(given, bool):
        return json.dumps(given)
    warnings.note(path, given)
    return ""


def _normalize_file(part: Json, path: str, warnings: Warnings) -> Json:
    given = part.get("file")
    if isinstance(given, str):
        return {"uri" if ":" in given else "name": given}
    if given is None:
        given = {name: part[name] for name in (*_FILE_MEMBERS, "url") if name in part} or None
    if not isinstance(given, dict):
        warnings.note(path, given)
        return {}
    file: Json = {**cast("Json", given)}
    if file.get("uri") is None and isinstance(file.get("url"), str):
        file["uri"] = file["url"]
    for name in _FILE_MEMBERS:
        if not isinstance(file.get(name), str | None):
            warnings.note(f"{path}.{name}", file.pop(name))
    return file


def _describe_type(value: object) -> str:
    match value:
        case None:
            return "missing"
        case bool():
            return "true or false"
        case int() | float():
            return "a number"
        case str():
            return "a text"
        case list():
            return "a list"
        case _:
            return "an object"
