"""What a request means, and how two of them differ.

The client makes new ids in every run, so a recorded request and a live one are the same if they agree up to a renaming: `IdMap`
maps recorded ids to live ones, one to one, for a whole cassette. What is compared has been scrubbed already, so no difference shows
a secret.
"""

from __future__ import annotations

import json
import re
from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any, Final, Self, cast
from urllib.parse import parse_qsl, urlsplit

from payman_api import ACCESS_TOKEN_HEADER
from payman_sdk.testing._redaction.secret_names import PLACEHOLDER

_ID: Final = r"(?:tsk|req|ses)-[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
_RENAMED: Final = re.compile(f"{_ID}|{PLACEHOLDER.pattern}")
_ID_IN_BYTES: Final = re.compile(_ID.encode())
_COMPARED_HEADERS: Final = frozenset({"authorization", ACCESS_TOKEN_HEADER.lower(), "last-event-id"})
_SHOWN: Final = 120  # characters of a value in a line about a difference
_PLAYED_AS: Final = " (played as "
_MISSING: Final = object()


@dataclass(frozen=True)
class RequestContent:
    """What to compare of a request; neither host nor port matter. A form is a dict, and other text stays text."""

    method: str
    path: str
    query: Mapping[str, Any]
    headers: Mapping[str, Any]
    body: Any

    @classmethod
    def from_request(cls, method: str, uri: str, headers: Mapping[str, Any], body: bytes | None) -> Self:
        """Return the meaning of a request."""
        address = urlsplit(uri)
        kept = {name.lower(): value for name, value in headers.items()}
        return cls(
            method.upper(),
            address.path or "/",
            _group_by_name(address.query),
            {name: kept[name] for name in sorted(_COMPARED_HEADERS) if name in kept},
            _parse_body(body, str(kept.get("content-type", ""))),
        )


class IdMap:
    """Which recorded id means which live one, in one cassette.

    Placeholders of secrets match by kind, because their numbers may differ. A placeholder that the cassette issued must come back
    unchanged; `minted` were made in this run.
    """

    def __init__(self, minted: Container[str] = frozenset()) -> None:
        self._minted = minted
        self._live: dict[str, str] = {}
        self._recorded: dict[str, str] = {}

    def match_requests(self, recorded: RequestContent, live: RequestContent) -> list[str]:
        """How two requests differ; where they do not, the ids in them stand for each other from now on."""
        trial = self._copy()
        found = [*_compare_requests(recorded, live, trial)]
        if not found:
            self._live, self._recorded = trial._live, trial._recorded
        return found

    def find_differences(self, recorded: RequestContent, live: RequestContent) -> list[str]:
        """Return how two requests differ, in lines for people; nothing if they match. Nothing is kept of it."""
        return [*_compare_requests(recorded, live, self._copy())]

    def translate(self, body: bytes) -> bytes:
        """Return a recorded body with the live ids in the place of the recorded ones."""
        return _ID_IN_BYTES.sub(
            lambda match: self._live.get(match[0].decode(), match[0].decode()).encode(), body
        )

    def match_texts(self, recorded: str, live: str) -> bool:
        """Whether two texts agree up to a renaming, which is kept."""
        if _RENAMED.sub("\0", recorded) != _RENAMED.sub("\0", live):
            return False
        pairs = zip(_RENAMED.finditer(recorded), _RENAMED.finditer(live), strict=True)
        return all(self._bind(one[0], other[0]) for one, other in pairs)

    def describe_id(self, recorded: str) -> str:
        return f"{_PLAYED_AS}{self._live[recorded]})" if recorded in self._live else ""

    def _bind(self, recorded: str, live: str) -> bool:
        if live == recorded and PLACEHOLDER.fullmatch(live) and live not in self._minted:
            return True  # the cassette gave it out
        if recorded in self._live or live in self._recorded:
            return self._live.get(recorded) == live
        if _get_kind(recorded) != _get_kind(live):
            return False
        if PLACEHOLDER.fullmatch(live) and live not in self._minted:
            return False
        self._live[recorded], self._recorded[live] = live, recorded
        return True

    def _copy(self) -> IdMap:
        copied = IdMap(self._minted)
        copied._live, copied._recorded = {**self._live}, {**self._recorded}
        return copied


def is_played(found: list[str]) -> bool:
    """Return whether two requests differ only in ids that were mapped before, because the recording was played already."""
    return bool(found) and all(_PLAYED_AS in line for line in found)


def measure_likeness(recorded: RequestContent, live: RequestContent) -> float:
    """How alike two requests look, from 0 to 1, whatever their ids."""
    return SequenceMatcher(None, _make_outline(recorded), _make_outline(live), autojunk=False).quick_ratio()


def _make_outline(meaning: RequestContent) -> str:
    return _RENAMED.sub("", json.dumps([meaning.path, meaning.query, meaning.body], ensure_ascii=False))


def _get_kind(name: str) -> str:
    """`tsk` of a task's id, `access-token` of a placeholder."""
    placeholder = PLACEHOLDER.fullmatch(name)
    return placeholder[1] if placeholder is not None else name.partition("-")[0]


def _parse_body(body: bytes | None, content_type: str) -> Any:
    if not body:
        return None
    text = body.decode("utf-8", "surrogateescape")
    if content_type.lower().startswith("application/x-www-form-urlencoded"):
        return _group_by_name(text)
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def _group_by_name(parameters: str) -> dict[str, Any]:
    """Parameters by name, so that their order says nothing; one that comes several times is a list."""
    by_name: dict[str, list[str]] = {}
    for name, value in parse_qsl(parameters, keep_blank_values=True):
        by_name.setdefault(name, []).append(value)
    return {name: values if len(values) > 1 else values[0] for name, values in by_name.items()}


def _compare_requests(recorded: RequestContent, live: RequestContent, ids: IdMap) -> Iterator[str]:
    if recorded.method != live.method:
        yield f"method: recorded {recorded.method}, now {live.method}"
    yield from _compare_values("path", recorded.path, live.path, ids)
    yield from _compare_values("query", recorded.query, live.query, ids)
    for name in sorted(_COMPARED_HEADERS):
        yield from _compare_values(
            f"header {name}", recorded.headers.get(name, _MISSING), live.headers.get(name, _MISSING), ids
        )
    yield from _compare_values("", recorded.body, live.body, ids)


def _compare_values(place: str, recorded: Any, live: Any, ids: IdMap) -> Iterator[str]:
    if isinstance(recorded, dict) and isinstance(live, dict):
        members, others = cast("dict[str, Any]", recorded), cast("dict[str, Any]", live)
        for name in [*members, *(name for name in others if name not in members)]:
            inner = f"{place}.{name}" if place else name
            yield from _compare_values(inner, members.get(name, _MISSING), others.get(name, _MISSING), ids)
    elif isinstance(recorded, list) and isinstance(live, list):
        one, other = cast("list[object]", recorded), cast("list[object]", live)
        for index in range(max(len(one), len(other))):
            ours, theirs = (each[index] if index < len(each) else _MISSING for each in (one, other))
            yield from _compare_values(f"{place}[{index}]", ours, theirs, ids)
    elif isinstance(recorded, str) and isinstance(live, str):
        if not ids.match_texts(recorded, live):
            note = ids.describe_id(recorded)
            start = _find_divergence(recorded, live)
            yield f"{place or 'body'}: recorded {_format_value(recorded, start)}{note}, now {_format_value(live, start)}"
    elif isinstance(recorded, bool) is not isinstance(live, bool) or recorded != live:
        yield f"{place or 'body'}: recorded {_format_value(recorded)}, now {_format_value(live)}"


def _find_divergence(one: str, other: str) -> int:
    """Where two texts part."""
    length = min(len(one), len(other))
    return next((at for at in range(length) if one[at] != other[at]), length)


def _format_value(value: Any, start: int = 0) -> str:
    if value is _MISSING:
        return "absent"
    if isinstance(value, str) and _RENAMED.fullmatch(value):
        return value
    if isinstance(value, str) and len(value) > _SHOWN:
        # The piece around the place where the texts part.
        begin = max(0, min(start - _SHOWN // 3, len(value) - _SHOWN))
        piece = value[begin : begin + _SHOWN]
        return f"{'…' if begin else ''}{json.dumps(piece, ensure_ascii=False)}{'…' if begin + _SHOWN < len(value) else ''}"
    written = json.dumps(value, ensure_ascii=False)
    return written if len(written) <= _SHOWN or isinstance(value, str) else f"{written[:_SHOWN]}…"
