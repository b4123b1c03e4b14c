"""Tasks and artifacts as the protocol writes them, from what a server wrote: pure functions from JSON to JSON.

Other names and types are understood if their meaning is certain. The rest is left out, and a warning names the member, with neither
values nor names of the server's own.
"""

import datetime as dt
import json
import re
from collections.abc import Callable
from typing import Any

from payman_sdk._core.wire_json import (
    Json,
    as_list,
    as_object,
    get_first,
    parse_bool,
    parse_int,
    unwrap_single,
)

_MOST_WARNINGS = 50
_KINDS = {"text", "file", "data"}
_FILE_MEMBERS = ("name", "mimeType", "bytes", "uri")
_TYPE_NAMES: dict[object, str] = {
    type(None): "missing",
    bool: "true or false",
    int: "a number",
    float: "a number",
    str: "a text",
    list: "a list",
}


class Warnings(list[str]):
    """What could not be read, member by member, and no more than anybody reads."""

    def note(self, path: str, value: object) -> None:
        """Note that a member holds something unreadable, without its value or name."""
        if len(self) < _MOST_WARNINGS:
            self.append(f"{path}: {_TYPE_NAMES.get(type(value), 'an object')}")
        elif len(self) == _MOST_WARNINGS:
            self.append("and more")


def normalize_parts(given: Json, path: str, warnings: Warnings) -> list[Json]:
    parts = given.get("parts")
    if parts is None and isinstance(text := get_first(given, "text", "content"), str):
        return [{"type": "text", "text": text}]
    if parts is None:
        warnings.note(f"{path}.parts", parts)
    return _normalize_all(parts, f"{path}.parts", _normalize_part, warnings)


def _normalize_all(
    given: object, path: str, normalize: Callable[[object, str, Warnings], Json | None], warnings: Warnings
) -> list[Json]:
    """Return what can be read of a list, or of a single thing in the place of a list."""
    several = as_list(given)
    if several is None:
        several = [] if given is None else [given]
    read = [normalize(one, f"{path}[{index}]", warnings) for index, one in enumerate(several)]
    return [one for one in read if one is not None]


def _read_members(given: object, path: str, warnings: Warnings, short: str, kind: Any = str) -> Json | None:
    """Return the members of an object; a plain value in its place is its member `short`."""
    given = unwrap_single(given)
    members = {short: given} if isinstance(given, kind) else as_object(given)
    if members is None:
        warnings.note(path, given)
    return None if members is None else {**members}


def _convert(
    given: Json, path: str, warnings: Warnings, read: Callable[[object], object], *names: str
) -> None:
    """Replace the members of these names by the result of `read`; drop those that give None."""
    for name in names:
        if (value := given.get(name)) is not None:
            given[name] = read(value)
            if given[name] is None:
                del given[name]
                warnings.note(f"{path}{name}", value)


def _as_text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def parse_timestamp(value: object) -> str | None:
    """Return a text as it is, and a number of seconds since 1970, or of thousandths or smaller parts, as ISO 8601."""
    if isinstance(value, str):
        return value
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
    part = _read_members(given, path, warnings, "text")
    if part is None:
        return None
    kind = _find_kind(part)
    if kind is None:
        warnings.note(f"{path}.type", get_first(part, "type", "kind"))
    part["type"] = "unknown" if kind is None else kind
    if kind not in _KINDS:
        return part
    _convert(part, f"{path}.", warnings, as_object, "metadata")
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
    if (members := as_object(given)) is None:
        warnings.note(path, given)
        return {}
    file: Json = {**members}
    if file.get("uri") is None and isinstance(file.get("url"), str):
        file["uri"] = file["url"]
    _convert(file, f"{path}.", warnings, _as_text, *_FILE_MEMBERS)
    return file


def normalize_task(given: Json, task_id: str, warnings: Warnings) -> Json:
    """Return the task, with its state as it came."""
    status: Json = {**(as_object(unwrap_single(given.get("status"))) or {}), "state": find_state(given)}
    message = _normalize_message(status.pop("message", None), "status.message", warnings)
    if message is not None:
        status["message"] = message
    _convert(status, "status.", warnings, parse_timestamp, "timestamp")
    task: Json = {
        "id": task_id,
        "status": status,
        "artifacts": _normalize_all(given.get("artifacts"), "artifacts", normalize_artifact, warnings),
    }
    task["sessionId"] = get_first(given, "sessionId", "contextId", "session_id", "context_id")
    _convert(task, "", warnings, _read_sendable, "sessionId")
    task["history"] = _normalize_history(given.get("history"), warnings)
    task["metadata"] = given.get("metadata")
    _convert(task, "", warnings, as_object, "metadata")
    return task


def find_state(given: Json) -> str | None:
    """Return the state that a task or an update of its status is in; None where none can be recognized."""
    status = unwrap_single(given.get("status"))
    members = as_object(status)
    state = status if members is None else members.get("state")
    state = given.get("state") if state is None else state
    return state if isinstance(state, str) else None


def _read_sendable(value: object) -> str | None:
    """Return a text without half of a character, or U+FFFD in its place; None for others."""
    if isinstance(value, str) and not re.search("[\ud800-\udfff\ufffd]", value):
        return value
    return None


def normalize_artifact(given: object, path: str, warnings: Warnings) -> Json | None:
    """Return the artifact; None where there is none to be read."""
    artifact = _read_members(given, path, warnings, "parts")
    if artifact is None:
        return None
    artifact["parts"] = normalize_parts(artifact, path, warnings)
    _convert(artifact, f"{path}.", warnings, _as_text, "name", "description")
    if artifact.get("lastChunk") is None and "last_chunk" in artifact:
        artifact["lastChunk"] = artifact.pop("last_chunk")
    _convert(artifact, f"{path}.", warnings, parse_int, "index")
    _convert(artifact, f"{path}.", warnings, parse_bool, "append", "lastChunk")
    _convert(artifact, f"{path}.", warnings, as_object, "metadata")
    return artifact


def _normalize_history(given: object, warnings: Warnings) -> list[Json] | None:
    """Return all the messages, or none: the first one is compared, so it must be the first."""
    if given is None:
        return None
    found, several = Warnings(), as_list(given)
    messages = _normalize_all(several, "history", _normalize_message, found)
    if found or several is None or len(messages) < len(several):
        warnings.note("history", given)
        return None
    return messages


def _normalize_message(given: object, path: str, warnings: Warnings) -> Json | None:
    if given is None:
        return None
    message = _read_members(given, path, warnings, "parts", str | list)
    if message is None:
        return None
    message["parts"] = normalize_parts(message, path, warnings)
    _convert(message, f"{path}.", warnings, _as_text, "role")
    if message.get("role") is None:
        message["role"] = "agent"
    _convert(message, f"{path}.", warnings, as_object, "metadata")
    return message
