"""The bodies of requests, answers and events: which media type is taken, and what it holds."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from scripts.regeneration.documents import Document
from scripts.regeneration.expressions import ANY, Expression, choices_of
from scripts.regeneration.facts import EVENTS, MEDIA, Body
from scripts.regeneration.identifiers import to_class
from scripts.regeneration.pointers import find, join, refuse, resolve, without_extensions
from scripts.regeneration.schema_parts import SHAPES
from scripts.regeneration.schemas import Schemas

_RANKS = ("json", "form", "multipart", "text", "bytes")
"""Which kind of body is taken where a document offers several: the first of these."""
_USUAL = {"json": "application/json", "text": "text/plain"}
_EMPTY = ("204", "205", "304")
"""Statuses of answers that have no body, whatever a document says."""


class Bodies:
    """The bodies of a document."""

    def __init__(self, document: Document, schemas: Schemas) -> None:
        self.document, self._schemas = document, schemas

    def read(self, given: dict[str, Any], place: str, name: str, is_read: bool = False) -> Body | None:
        """Read the body of a request; `is_read` says that the client does not send it."""
        if "requestBody" not in given:
            return None
        body, at = find(self.document, given["requestBody"], join(place, "requestBody"), "content")
        found = self._choose(body.get("content", {}), join(at, "content"), f"{to_class(name)}Body")
        if found is None:
            refuse("A request body without a media type cannot be rendered", at)
        media, (source, where) = found.media, found.source
        if "*" in media and not is_read:
            media = _USUAL.get(found.kind, "application/octet-stream")
            if found.media not in ("*/*", f"{media.partition('/')[0]}/*"):
                refuse(f"A request as {found.media} cannot be rendered", where)
        if found.kind in ("form", "multipart"):
            self._check_members(found, join(where, "schema"))
        encoding = self._encoding(found, source.get("encoding", {}), join(where, "encoding"))
        is_required = is_read or bool(body.get("required"))
        return replace(found, media=media, is_required=is_required, encoding=encoding)

    def _check_members(self, body: Body, place: str) -> None:
        """Refuse what a form has no place for: anything but an object, and objects or lists inside others."""
        for choice in choices_of(body.expression):
            members = self._schemas.members_of(choice)
            if members is None:
                refuse(f"A body as {body.media} that is not an object cannot be rendered", place)
            for wire, member in members.items():
                for each in choices_of(member):
                    inner = each["items"] if each.get("type") == "array" else each
                    has_list = any(it.get("type") == "array" for it in choices_of(inner))
                    if not self._schemas.is_plain(inner) and (has_list or body.kind != "multipart"):
                        what = f"{wire} in a body as {body.media}, an object or list,"
                        refuse(f"{what} cannot be rendered", place)

    def _encoding(self, body: Body, given: dict[str, Any], place: str) -> dict[str, str]:
        """Give the media types of parts that are not of the usual one."""
        found: dict[str, str] = {}
        members = self._schemas.members_of(body.expression) or {}
        for wire, how in given.items():
            media = str(how.get("contentType", ""))
            kinds = [each.get("items", each) for each in choices_of(members.get(wire, ANY))]
            is_file = all(each.get("format") == "binary" for each in kinds)
            is_plain = all(map(self._schemas.is_plain, kinds))
            is_json = classify_media(media) == "json"
            is_exact = "*" not in media and "," not in media
            is_part = body.kind == "multipart" and wire in members and not {*how} - {"contentType"}
            if not is_part or not (is_file or (is_exact and is_json != is_plain)):
                refuse(f"The encoding of {wire} cannot be rendered", join(place, wire))
            if media and is_exact:
                found[wire] = media
        return found

    def read_answers(
        self, given: dict[str, Any], place: str, name: str
    ) -> tuple[dict[str, Body | None], list[Body]]:
        """Read the bodies of answers by their statuses, and those of events."""
        answers: dict[str, Body | None] = {}
        events: list[Body] = []
        listed = dict(without_extensions(given.get("responses", {})))
        for status, answer in listed.items():
            answer, at = find(self.document, answer, join(place, "responses", status), "description")
            content, inside = dict(answer.get("content", {})), join(at, "content")
            is_success = status[0] == "2" or (status == "default" and not any(it[0] == "2" for it in listed))
            for media in [media for media in content if _essence(media) == EVENTS]:
                inner, where = content.pop(media), join(inside, media)
                if not is_success:
                    refuse("An event stream with a status of failure cannot be rendered", where)
                hint = f"{to_class(name)}Event"
                found = self._schemas.express(inner.get("schema", {}), join(where, "schema"), hint)
                self._check_event(found, where)
                events.append(Body(EVENTS, "event", found, (inner, where)))
            if place.endswith("/head") or status in _EMPTY:
                content = {}
            hint = f"{to_class(name)}Response{to_class(status).removeprefix('Field')}"
            answer = self._choose(content, inside, hint)
            if answer and answer.kind in ("form", "multipart"):
                refuse(f"An answer as {answer.media} cannot be rendered", answer.source[1])
            answers[status if status == "default" else status.upper()] = answer
        return answers, events

    def _check_event(self, event: Expression, place: str) -> None:
        """Refuse events whose data may be something else than one object of JSON."""
        for choice in choices_of(event):
            members = self._schemas.members_of(choice)
            if members is None or ("data" in members and {*members} <= {"", "event", "data", "id", "retry"}):
                refuse(
                    "An event stream of anything but objects, the data of events, cannot be rendered", place
                )

    def _choose(self, content: dict[str, Any], place: str, name: str) -> Body | None:
        """Choose the media type of a body, by `_RANKS` and then by their order."""
        kinds = {
            media: classify_media(media) or self._raw_kind(media, inner, join(place, media)) or ""
            for media, inner in content.items()
        }
        media = min(filter(kinds.get, kinds), key=lambda it: _RANKS.index(kinds[it]), default=None)
        if media is None:
            for unknown in content:
                refuse(f"A body as {unknown} cannot be rendered", join(place, unknown))
            return None
        kind, at = kinds[media], join(place, media)
        found = self._body_type(content[media], kind, at, name)
        return Body(media, kind, found, (content[media], at), has_others=len(content) > 1)

    def _raw_kind(self, media: str, given: dict[str, Any], place: str) -> str | None:
        """Give the kind of a body that its media type does not give: bytes, if its schema says so, or nothing else."""
        schema, _ = resolve(self.document, given.get("schema", {}), join(place, "schema"))
        is_text = isinstance(schema, dict) and schema.get("type") == "string"
        if media in ("*/*", "application/*"):
            if is_text and schema.get("format") != "binary":
                refuse(f"A text as {media}, which may be JSON or not, cannot be rendered", place)
            return "bytes" if is_text else "json"
        return "bytes" if is_text or schema is True or not {*schema} & SHAPES else None

    def _body_type(self, given: dict[str, Any], kind: str, place: str, name: str) -> Expression:
        for key in ("itemSchema", "itemEncoding", "prefixEncoding"):
            if key in given:
                refuse(f"{key} cannot be rendered", place)
        if kind in ("text", "bytes"):
            return {"type": "string", **({} if kind == "text" else {"format": "binary"})}
        if "schema" not in given:
            return ANY
        found = self._schemas.express(given["schema"], join(place, "schema"), name)
        if kind in ("form", "multipart") and found == ANY:
            return self._schemas.map_of(ANY)
        return found


def _essence(media: str) -> str:
    """Give a media type without its parameters."""
    return media.partition(";")[0].strip().lower()


def classify_media(media: str) -> str | None:
    """Give the kind of body that a media type is; None where that is for its schema to say."""
    media = _essence(media)
    for kind, usual in MEDIA.items():
        if media == usual:
            return kind
    if media == "text/json" or media.endswith("+json"):
        return "json"
    return "text" if media.startswith("text/") and media != "text/xml" else None
