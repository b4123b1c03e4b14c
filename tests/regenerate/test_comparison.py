from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from scripts.comparison.changes import Change, Level, lines, version_step
from scripts.comparison.comparing import compare
from tests.regenerate.notes import GONE, NOTES, Document, edited, with_value
from tests.tables import table
from tests.yaml_text import load_yaml

A, B, C = Level.ADDITIVE, Level.BREAKING, Level.COSMETIC
DOCUMENT: Document = load_yaml((Path(__file__).parents[2] / "spec/payman.openapi.yaml").read_text("utf-8"))
TOPIC, MOOD = {"$ref": "#/components/schemas/Topic"}, {"$ref": "#/components/schemas/Mood"}
TEXT, NUMBER = {"type": "string"}, {"type": "integer"}
SCHEMAS = "components.schemas"
POST, GET = "paths./notes.post", "paths./notes/{id}.get"


def seen(changes: list[Change]) -> list[tuple[Level, str, str]]:
    """What most tests look at."""
    return [(change.level, change.kind, change.text) for change in changes]


VALUES: list[tuple[object, object, Level, Level, str, str]] = [
    # old, new, level in requests, level in answers, kind, what is said
    (TEXT, NUMBER, B, B, "changed", "is of type `integer` now, was of type `string`"),
    (NUMBER, {"type": "number"}, A, B, "changed", "is of type `number` now, was of type `integer`"),
    ({"type": "number"}, NUMBER, B, A, "changed", "is of type `integer` now, was of type `number`"),
    (TEXT, {"type": ["string", "integer"]}, A, B, "changed", "is of type `integer` or `string` now, was of type `string`"),
    ({}, TEXT, B, A, "changed", "is of type `string` now, was of any type"),
    (TEXT, True, A, B, "changed", "is of any type now, was of type `string`"),
    (TEXT, {"type": ["string", "null"]}, A, B, "changed", "may be null now"),
    (TEXT, {"type": "string", "nullable": True}, A, B, "changed", "may be null now"),
    (TOPIC, {"anyOf": [TOPIC, {"type": "null"}]}, A, B, "changed", "may be null now"),
    ({"type": ["string", "null"]}, TEXT, B, A, "changed", "may not be null any more"),
    (TEXT, {**TEXT, "format": "date-time"}, B, B, "changed", "has the format `date-time` now, and another type in Python"),
    (TEXT, {**TEXT, "format": "email"}, B, A, "changed", "has the format `email` now"),
    ({**TEXT, "format": "email"}, TEXT, A, B, "changed", "is not of format `email` any more"),
    ({**TEXT, "format": "email"}, {**TEXT, "format": "uri"}, B, B, "changed", "has the format `uri` now, had `email`"),
    ({**NUMBER, "format": "int32"}, {**NUMBER, "format": "int64"}, A, B, "changed", "has the format `int64` now, had `int32`"),
    (TEXT, {**TEXT, "format": "password"}, C, C, "changed", "has the format `password` now"),
    ({**TEXT, "enum": ["a"]}, {**TEXT, "enum": ["a", "b"]}, A, B, "added", "has the new value `b`"),
    ({**TEXT, "enum": ["a", "b", "c"]}, {**TEXT, "enum": ["a"]}, B, B, "removed", "has lost the values `b`, `c`"),
    (
        {**TEXT, "enum": ["a"], "x-extensible-enum": True},
        {**TEXT, "enum": ["a", "b"], "x-extensible-enum": True},
        A, A, "added", "has the new value `b`",
    ),
    (
        {"anyOf": [{**TEXT, "enum": ["a"]}, TEXT]},
        {"anyOf": [{**TEXT, "enum": ["a", "b"]}, TEXT]},
        A, A, "added", "has the new value `b`",
    ),
    (TEXT, {**TEXT, "enum": ["a"]}, B, A, "changed", "is limited to `a` now"),
    ({**TEXT, "enum": ["a"]}, TEXT, B, B, "changed", "is not limited to `a` any more"),
    ({**TEXT, "const": "a"}, {**TEXT, "const": "b"}, B, B, "changed", "is `b` now, was `a`"),
    ({**TEXT, "const": "a"}, TEXT, A, B, "changed", "is not limited to `a` any more"),
    ({"enum": [1]}, {"enum": [1, True]}, A, B, "added", "has the new value `true`"),
    (TEXT, {**TEXT, "maxLength": 9}, B, A, "changed", "has `maxLength` 9 now, had no `maxLength`"),
    ({**TEXT, "maxLength": 9}, {**TEXT, "maxLength": 10}, A, B, "changed", "has `maxLength` 10 now, had `maxLength` 9"),
    ({**TEXT, "minLength": 1}, TEXT, A, B, "changed", "has `minLength` 0 now, had `minLength` 1"),
    (NUMBER, {**NUMBER, "minimum": -1}, B, A, "changed", "has `minimum` -1 now, had no `minimum`"),
    (
        {**NUMBER, "minimum": 1}, {**NUMBER, "exclusiveMinimum": 1},
        B, A, "changed", "has `minimum` 1, excluded now, had `minimum` 1",
    ),
    (
        {**NUMBER, "maximum": 1, "exclusiveMaximum": True}, {**NUMBER, "maximum": 1},
        A, B, "changed", "has `maximum` 1 now, had `maximum` 1, excluded",
    ),
    (TEXT, {**TEXT, "pattern": "^a"}, B, A, "changed", "has to match `^a` now"),
    ({**TEXT, "pattern": "^a"}, TEXT, A, A, "changed", "need not match a pattern any more"),
    ({**NUMBER, "multipleOf": 3}, {**NUMBER, "multipleOf": 6}, B, A, "changed", "has to be a multiple of `6` now"),
    ({**NUMBER, "multipleOf": 6}, {**NUMBER, "multipleOf": 3}, A, B, "changed", "has to be a multiple of `3` now"),
    ({"type": "array"}, {"type": "array", "uniqueItems": True}, B, A, "changed", "must not have the same item twice"),
    (TEXT, {**TEXT, "default": "a"}, A, A, "changed", "has the default `a` now, had none"),
    (TEXT, {**TEXT, "deprecated": True}, A, A, "changed", "is deprecated"),
    (TOPIC, MOOD, B, B, "changed", "is a `Mood` now, was a `Topic`"),
    (TOPIC, {"anyOf": [TOPIC, MOOD]}, A, B, "added", "can also be a `Mood`"),
    ({**TEXT, "default": "a"}, {"anyOf": [TEXT, MOOD], "default": "a"}, A, B, "added", "can also be a `Mood`"),
    ({"anyOf": [TOPIC, TEXT]}, {"anyOf": [TOPIC, TEXT, MOOD]}, A, A, "added", "can also be a `Mood`"),
    ({"oneOf": [TOPIC, TEXT]}, {"oneOf": [TOPIC, TEXT, MOOD]}, A, B, "added", "can also be a `Mood`"),
    ({"oneOf": [TOPIC, MOOD]}, {"oneOf": [MOOD]}, B, A, "removed", "can no longer be a `Topic`"),
    ({}, {"anyOf": [TOPIC, MOOD]}, B, A, "changed", "is limited to some alternatives now"),
    (TEXT, {**TEXT, "not": {"const": ""}}, B, A, "changed", "has a rule `not` now"),
    ({**TEXT, "not": {"const": ""}}, {**TEXT, "not": {"const": "a"}}, B, B, "changed", "has another rule `not`"),
    ({"type": "object"}, {"type": "object", "additionalProperties": False}, B, B, "changed", "has no further properties any more"),
    ({"type": "object", "additionalProperties": False}, {"type": "object"}, A, A, "changed", "may have further properties"),
]  # fmt: skip


@table(("old", "new", "request_level", "answer_level", "kind", "says"), VALUES)
def test_direction(
    old: object, new: object, request_level: Level, answer_level: Level, kind: str, says: str
) -> None:
    """A change of a value is judged by who writes it."""
    sent = compare(with_value(old, sent=True), with_value(new, sent=True))
    read = compare(with_value(old, read=True), with_value(new, read=True))

    assert seen(sent) == [(request_level, kind, f"`Draft.value` {says} (in requests).")]
    assert seen(read) == [(answer_level, kind, f"`Note.value` {says} (in answers).")]


CONST, LISTED = {**TEXT, "const": "text"}, {**TEXT, "enum": ["text"]}


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        (CONST, LISTED, "is a class of an enum now, was a `Literal`"),
        (LISTED, CONST, "is a `Literal` now, was a class of an enum"),
    ],
)
def test_one_value_by_itself_or_in_a_list(old: object, new: object, says: str) -> None:
    """The wire is the same, but what a program of the generated client may give and gets is of another type."""
    for where in ({"sent": True}, {"read": True}):
        [change] = compare(with_value(old, **where), with_value(new, **where))
        assert (change.level, change.kind) == (B, "changed")
        assert change.text.endswith(f".value` {says} in `payman_api`; nothing changes on the wire.")


def test_more_values_in_a_list_than_the_one_by_itself() -> None:
    """Both are told: the other type in Python, and the new value."""
    more = {**TEXT, "enum": ["text", "data"]}
    assert [(level, kind) for level, kind, _ in seen(compare(with_value(CONST, sent=True), with_value(more, sent=True)))] == [
        (B, "changed"), (A, "added"),
    ]  # fmt: skip


@table(
    "rows",
    [
        (TEXT, {"type": ["string"]}),
        ({"type": ["string", "null"]}, {"type": "string", "nullable": True}),
        ({"type": ["string", "null"]}, {"anyOf": [TEXT, {"type": "null"}]}),
        (TOPIC, {"allOf": [TOPIC]}),
        ({"type": ["string", "integer"]}, {"oneOf": [NUMBER, TEXT]}),
        ({"enum": ["a", "b"]}, {"enum": ["b", "a"]}),
        ({**TEXT, "minLength": 0}, TEXT),
        ({**NUMBER, "minimum": 1, "exclusiveMinimum": True}, {**NUMBER, "exclusiveMinimum": 1}),
        ({"type": "object", "additionalProperties": True}, {"type": "object", "additionalProperties": {}}),
        ({"anyOf": [TOPIC, TEXT]}, {"anyOf": [TEXT, TOPIC]}),
        ({"type": ["string", "null"], "enum": ["a", None]}, {"anyOf": [{**TEXT, "enum": ["a"]}, {"type": "null"}]}),
        ({"allOf": [TOPIC, {"properties": {"x": TEXT}}]},
         {"allOf": [{"type": "object", "properties": {"word": TEXT}}, {"properties": {"x": TEXT}}]}),
    ],
)  # fmt: skip
def test_the_same_in_other_words(rows: tuple[object, object]) -> None:
    """What is only written in another way is no change for a program."""
    for old, new in (rows, rows[::-1]):
        changes = compare(with_value(old, sent=True, read=True), with_value(new, sent=True, read=True))

        assert {change.level for change in changes} == {C}


NOTE, DRAFT, TOPIC_WAY = f"{SCHEMAS}.Note", f"{SCHEMAS}.Draft", f"{SCHEMAS}.Topic"
PARAMETERS, ANSWERS = f"{POST}.parameters", f"{POST}.responses"
BODY = f"{POST}.requestBody.content.application/json"
NO_BODY = [(f"{POST}.requestBody", GONE)]

EDITS: list[tuple[str, list[tuple[str, object]], Level, str, str, str]] = [
    # what, edits, level, kind, where, text
    ("optional property read", [(f"{NOTE}.properties.due", TEXT)], A, "added",
     "schema Note, property due", "`Note.due` was added and is optional (in answers)."),
    ("required property read", [(f"{NOTE}.properties.due", TEXT), (f"{NOTE}.required", ["id", "due"])], A, "added",
     "schema Note, property due", "`Note.due` was added and is required (in answers)."),
    ("required property sent", [(f"{DRAFT}.properties.due", TEXT), (f"{DRAFT}.required", ["text", "due"])], B, "added",
     "schema Draft, property due", "`Draft.due` was added and is required (in requests)."),
    ("required property that is only read",
     [(f"{DRAFT}.properties.due", {**TEXT, "readOnly": True}), (f"{DRAFT}.required", ["text", "due"])], B, "added",
     "schema Draft, property due", "`Draft.due` was added and is required (in requests)."),
    ("optional property no longer read", [(f"{NOTE}.properties.size", GONE)], B, "removed",
     "schema Note, property size", "`Note.size` was removed (in answers)."),
    ("property no longer sent", [(f"{DRAFT}.properties.about", GONE)], B, "removed",
     "schema Draft, property about", "`Draft.about` was removed (in requests)."),
    ("required in requests", [(f"{DRAFT}.required", ["text", "about"])], B, "changed",
     "schema Draft, property about", "`Draft.about` is required now (in requests)."),
    ("optional in requests", [(f"{DRAFT}.required", [])], A, "changed",
     "schema Draft, property text", "`Draft.text` is optional now (in requests)."),
    ("optional in answers", [(f"{NOTE}.required", GONE)], B, "changed",
     "schema Note, property id", "`Note.id` is optional now (in answers)."),
    ("both directions", [(f"{TOPIC_WAY}.properties.word.maxLength", 9)], B, "changed",
     "schema Topic, property word", "`Topic.word` has `maxLength` 9 now, had no `maxLength` (in requests and answers)."),
    ("in a circle", [(f"{NOTE}.properties.replies.items", TOPIC)], B, "changed",
     "schema Note, property replies, items", "`Note.replies[]` is a `Topic` now, was a `Note` (in answers)."),
    ("further properties", [(f"{NOTE}.additionalProperties", TEXT)], A, "changed",
     "schema Note, further properties", "`Note.*` is of type `string` now, was of any type (in answers)."),
    ("renamed property", [(f"{NOTE}.properties.size", GONE), (f"{NOTE}.properties.length", NUMBER)], B, "renamed",
     "schema Note, property size", "`Note.size` is called `length` now (in answers)."),
    ("unused schema", [(f"{SCHEMAS}.Mood.enum.0", "calm")], B, "added",
     "schema Mood", "`Mood` has the new value `calm` (in no operation)."),
    ("removed schema", [(f"{SCHEMAS}.Mood", GONE)], B, "removed", "schema Mood", "The schema `Mood` was removed."),
    ("added schema", [(f"{SCHEMAS}.Word", TEXT)], A, "added", "schema Word", "The schema `Word` was added."),
    ("title", [(f"{NOTE}.title", "Letter")], B, "renamed", "schema Note",
     "`Note` has another title, so its class has another name in `payman_api`; nothing changes on the wire."),
    ("words", [(f"{NOTE}.description", "A."), (f"{NOTE}.properties.id.example", "n-1")], C, "changed",
     "schema Note", "Written differently: description of `Note`, example of `Note.id`."),
    ("evidence", [(f"{NOTE}.x-payman-evidence", "protocol")], C, "changed",
     "schema Note", "`Note` has the evidence `protocol` now, had none (in answers)."),
    ("extension", [(f"{NOTE}.x-other", 1)], C, "changed", "schema Note", "Written differently: x-other of `Note`."),

    ("removed operation", [("paths./notes", GONE)], B, "removed", "POST /notes", "`write_note` (POST /notes) was removed."),
    ("added operation", [("paths./all", {"get": {"operationId": "all", "responses": {}}})], A, "added",
     "GET /all", "`all` (GET /all) was added."),
    ("moved", [("paths./notes", GONE), ("paths./v2/notes", NOTES["paths"]["/notes"])], B, "moved",
     "POST /notes", "`write_note` moved from POST /notes to POST /v2/notes."),
    ("other method", [(POST, GONE), ("paths./notes.put", NOTES["paths"]["/notes"]["post"])], B, "moved",
     "POST /notes", "`write_note` moved from POST /notes to PUT /notes."),
    ("other operationId", [(f"{POST}.operationId", "add_note")], B, "renamed", "POST /notes",
     "`add_note` is the new name of `write_note`, also in `payman_api`; nothing changes on the wire."),
    ("first tag", [(f"{POST}.tags.0", "write")], B, "changed", "POST /notes",
     "`write_note` is tagged `write` now, so it is in another package in `payman_api`; nothing changes on the wire."),
    ("another tag", [(f"{POST}.tags.1", "write")], C, "changed", "POST /notes", "Written differently: tags of `write_note`."),
    ("deprecated", [(f"{POST}.deprecated", True)], A, "changed", "POST /notes", "`write_note` is deprecated."),
    ("callbacks", [(f"{POST}.callbacks", {"done": {}})], B, "changed", "POST /notes", "`write_note` calls back in another way."),
    ("summary", [(f"{POST}.summary", "Write")], C, "changed", "POST /notes", "Written differently: summary of `write_note`."),

    ("credentials needed", [(f"{GET}.security", [{"cookie": []}])], B, "changed", "GET /notes/{id}",
     "`read_note` needs `cookie` now, needed `cookie` or `token`."),
    ("credentials not needed", [(f"{GET}.security", [{"token": []}, {"cookie": []}, {}])], A, "changed", "GET /notes/{id}",
     "`read_note` needs `cookie` or `token` or no credentials now, needed `cookie` or `token`."),
    ("scopes needed", [(f"{GET}.security", [{"token": ["read"]}, {"cookie": []}])], B, "changed", "GET /notes/{id}",
     "`read_note` needs `cookie` or `token` (read) now, needed `cookie` or `token`."),
    ("inherited credentials", [("security", [{"token": [], "cookie": []}])], B, "changed", "document, security",
     "Any operation without its own security needs `token` with `cookie` now, needed `token`."),
    ("own server", [(f"{POST}.servers", [{"url": "https://write.example"}])], B, "changed", "POST /notes",
     "`write_note` is served at `https://write.example` now, was at `https://notes.example`, `https://test.notes.example`."),

    ("parameter removed", [(f"{PARAMETERS}.0", GONE)], B, "removed", "POST /notes, query parameter dry",
     "The query parameter `dry` of `write_note` was removed."),
    ("parameter added", [(f"{PARAMETERS}.2", {"name": "to", "in": "query", "schema": TEXT})], A, "added",
     "POST /notes, query parameter to", "The query parameter `to` of `write_note` was added and is optional."),
    ("required parameter added", [(f"{PARAMETERS}.2", {"name": "to", "in": "cookie", "required": True})], B, "added",
     "POST /notes, cookie parameter to", "The cookie parameter `to` of `write_note` was added and is required."),
    ("parameter required", [(f"{PARAMETERS}.0.required", True)], B, "changed", "POST /notes, query parameter dry",
     "The query parameter `dry` of `write_note` is required now."),
    ("parameter optional", [(f"{PARAMETERS}.1.required", False)], A, "changed", "POST /notes, header parameter Trace",
     "The header parameter `Trace` of `write_note` is optional now."),
    ("parameter renamed", [(f"{PARAMETERS}.0.name", "dryRun")], B, "renamed", "POST /notes, query parameter dry",
     "The query parameter `dry` of `write_note` is called `dryRun` now."),
    ("parameter in the path renamed",
     [("paths./notes/{note}", NOTES["paths"]["/notes/{id}"]), ("paths./notes/{id}", GONE),
      ("paths./notes/{note}.parameters.0.name", "note")], B, "renamed",
     "GET /notes/{note}, path parameter id",
     "The path parameter `id` of `read_note` is called `note` now in `payman_api`; nothing changes on the wire."),
    ("parameter written otherwise", [(f"{PARAMETERS}.0.explode", False)], B, "changed", "POST /notes, query parameter dry",
     "The query parameter `dry` of `write_note` is written in another way."),
    ("parameter's type", [(f"{PARAMETERS}.0.schema.type", "string")], B, "changed", "POST /notes, query parameter dry",
     "The query parameter `dry` of `write_note` is of type `string` now, was of type `boolean`."),
    ("parameter's default", [(f"{PARAMETERS}.0.schema.default", True)], B, "changed", "POST /notes, query parameter dry",
     "The query parameter `dry` of `write_note` has the default `true` now, had none."),
    ("parameter deprecated", [(f"{PARAMETERS}.0.deprecated", True)], A, "changed", "POST /notes, query parameter dry",
     "The query parameter `dry` of `write_note` is deprecated."),

    ("body required", [(f"{POST}.requestBody.required", True)], B, "changed", "POST /notes, request body",
     "The request body of `write_note` is required now."),
    ("body removed", NO_BODY, B, "removed", "POST /notes, request body", "The request body of `write_note` was removed."),
    ("optional body added", [(f"{GET}.requestBody", {"content": {}})], A, "added", "GET /notes/{id}, request body",
     "The request body of `read_note` was added and is optional."),
    ("required body added", [(f"{GET}.requestBody", {"required": True, "content": {}})], B, "added",
     "GET /notes/{id}, request body", "The request body of `read_note` was added and is required."),
    ("media type sent", [(f"{POST}.requestBody.content.text/plain", {})], A, "added", "POST /notes, request body, text/plain",
     "The request body of `write_note` can also be `text/plain`."),
    ("media type no longer sent", [(BODY, GONE)], B, "removed", "POST /notes, request body, application/json",
     "The request body of `write_note` cannot be `application/json` any more."),
    ("schema sent", [(f"{BODY}.schema", GONE)], A, "changed", "POST /notes, request body, application/json",
     "The request body of `write_note` is of any type now, was of type `object`."),
    ("media type read", [(f"{ANSWERS}.200.content.text/plain", {})], A, "added", "POST /notes, answer 200, text/plain",
     "The answer 200 of `write_note` can also be `text/plain`."),
    ("media type no longer read", [(f"{ANSWERS}.200.content.application/json", GONE)], B, "removed",
     "POST /notes, answer 200, application/json", "The answer 200 of `write_note` cannot be `application/json` any more."),
    ("success removed", [(f"{ANSWERS}.200", GONE)], B, "removed", "POST /notes, answer 200",
     "The answer 200 of `write_note` was removed."),
    ("error removed", [(f"{ANSWERS}.400", GONE)], A, "removed", "POST /notes, answer 400",
     "The answer 400 of `write_note` was removed."),
    ("error added", [(f"{ANSWERS}.404", {"description": "Gone."})], A, "added", "POST /notes, answer 404",
     "The answer 404 of `write_note` was added."),
    ("header added", [(f"{ANSWERS}.200.headers.Age", {"schema": NUMBER})], A, "added", "POST /notes, answer 200, header Age",
     "The header `Age` in the answer 200 of `write_note` was added."),
    ("header removed", [(f"{ANSWERS}.200.headers", GONE)], B, "removed", "POST /notes, answer 200, header Etag",
     "The header `Etag` in the answer 200 of `write_note` was removed."),
    ("header promised", [(f"{ANSWERS}.200.headers.Etag.required", True)], A, "changed", "POST /notes, answer 200, header Etag",
     "The header `Etag` in the answer 200 of `write_note` is required now."),
    ("header's type", [(f"{ANSWERS}.200.headers.Etag.schema.type", "integer")], B, "changed",
     "POST /notes, answer 200, header Etag",
     "The header `Etag` in the answer 200 of `write_note` is of type `integer` now, was of type `string`."),
    ("shared answer", [("components.responses.Refused.content.text/html", {})], A, "added", "shared answer Refused, text/html",
     "The shared answer `Refused` can also be `text/html`."),

    ("server added", [("servers.2", {"url": "https://b.example"})], A, "added", "server https://b.example",
     "The server `https://b.example` was added."),
    ("server removed", [("servers.1", GONE)], B, "removed", "server https://test.notes.example",
     "The server `https://test.notes.example` was removed."),
    ("server replaced", [("servers.1.url", "https://b.example")], B, "changed", "server https://b.example",
     "The server `https://b.example` took the place of `https://test.notes.example`."),
    ("environment", [("servers.1.x-payman-environment", "STAGE")], B, "changed", "server https://test.notes.example",
     "The server `https://test.notes.example` is for `STAGE` now, was for `TEST`."),
    ("default server", [("servers", NOTES["servers"][::-1])], B, "changed", "server https://test.notes.example",
     "The server `https://test.notes.example` is the default now, was `https://notes.example`."),
    ("header of the token", [("components.securitySchemes.token.name", "x-key")], B, "changed", "security scheme token",
     "The security scheme `token` has the `name` `x-key` now, had `x-token`."),
    ("unused scheme", [("components.securitySchemes.unused", GONE)], C, "removed", "security scheme unused",
     "The security scheme `unused` was removed."),
    ("new scheme", [("components.securitySchemes.new", {"type": "http", "scheme": "bearer"})], A, "added",
     "security scheme new", "The security scheme `new` was added."),
    ("webhook", [("webhooks", {"said": {}})], A, "added", "webhook said", "The webhook `said` was added."),
    ("version", [("info.version", "1.1.0")], C, "changed", "document, version",
     "The version of the API is `1.1.0` now, was `1.0.0`."),
    ("about the document", [("info.description", "Notes.")], C, "changed", "document",
     "Written differently: description of the document."),
    ("scheme in use", [("components.securitySchemes.cookie", GONE)], B, "removed", "security scheme cookie",
     "The security scheme `cookie` was removed."),
    ("servers of a path", [("paths./notes/{id}.servers", [{"url": "https://read.example"}])], B, "changed",
     "GET /notes/{id}",
     "`read_note` is served at `https://read.example` now, was at `https://notes.example`, `https://test.notes.example`."),
    ("case of headers", [(f"{PARAMETERS}.1.name", "trace"), (f"{ANSWERS}.200.headers", {"ETAG": {"schema": TEXT}})], C,
     "changed", "document", "Written in another way; nothing that programs notice changed."),
    ("path parameter", [("paths./notes/{id}.parameters.0.required", GONE)], C, "changed", "document",
     "Written in another way; nothing that programs notice changed."),
    ("JSON in UTF-8",
     [(f"{ANSWERS}.200.content", {"application/JSON; charset=utf-8": {"schema": {"$ref": "#/components/schemas/Note"}}})], C,
     "changed", "document", "Written in another way; nothing that programs notice changed."),
    ("order of paths", [("paths", dict(reversed(NOTES["paths"].items())))], C, "changed", "document",
     "Written in another way; nothing that programs notice changed."),
]  # fmt: skip


@table(("edits", "level", "kind", "where", "text"), [pytest.param(*row[1:], id=row[0]) for row in EDITS])
def test_one_edit_is_one_change(
    edits: list[tuple[str, object]], level: Level, kind: str, where: str, text: str
) -> None:
    """One edit of a document is one change, of this level, kind, place and wording."""
    changes = compare(NOTES, edited(NOTES, *edits))

    assert [(it.level, it.kind, it.where, it.text) for it in changes] == [(level, kind, where, text)]


def test_a_new_server_first_is_the_new_default() -> None:
    """A server that is put before the others is what clients use where nothing is said."""
    changes = compare(NOTES, edited(NOTES, ("servers.0", {"url": "https://new.example"})))

    assert seen(changes) == [
        (B, "changed", "The server `https://new.example` is the default now, was `https://notes.example`."),
        (A, "added", "The server `https://new.example` was added."),
    ]


def test_only_read() -> None:
    """What is only read may be asked for by the schema of a request: nobody sends it."""
    due = ("components.schemas.Topic.properties.due", {**TEXT, "readOnly": True})
    changes = compare(NOTES, edited(NOTES, due, ("components.schemas.Topic.required", ["due"])))

    assert seen(changes) == [(A, "added", "`Topic.due` was added and is required (in answers).")]


def test_renamed_schemas() -> None:
    """Schemas that refer to each other and to themselves are renamed together, whatever words they are described in."""
    text = json.dumps(NOTES).replace('/Note"', '/Letter"').replace('"Note":', '"Letter":')
    text = text.replace('/Topic"', '/Subject"').replace('"Topic":', '"Subject":')
    changes = compare(NOTES, edited(json.loads(text), ("components.schemas.Letter.description", "A letter.")))

    says = "now, and so is its class in `payman_api`; nothing changes on the wire."
    assert seen(changes) == [
        (B, "renamed", f"`Note` is called `Letter` {says}"),
        (B, "renamed", f"`Topic` is called `Subject` {says}"),
        (C, "changed", "Written differently: description of `Note`."),
    ]
    assert changes[0].names >= {"Note", "Letter"}


def test_renamed_schema_without_a_class() -> None:
    """A schema that is only a name for text has no class, so another name is none of a program's business."""
    before = edited(NOTES, (f"{SCHEMAS}.Word", TEXT))
    changes = compare(before, edited(before, (f"{SCHEMAS}.Word", GONE), (f"{SCHEMAS}.Name", TEXT)))

    assert seen(changes) == [(C, "renamed", "`Word` is called `Name` now (in no operation).")]


def test_the_likelier_name() -> None:
    """Of several properties with the same schema, those are paired whose names are most alike."""
    before = edited(NOTES, (f"{NOTE}.properties.startTime", TEXT), (f"{NOTE}.properties.endTime", TEXT))
    after = edited(NOTES, (f"{NOTE}.properties.end_time", TEXT), (f"{NOTE}.properties.start_time", TEXT))

    assert [change.text for change in compare(before, after)] == [
        "`Note.endTime` is called `end_time` now (in answers).",
        "`Note.startTime` is called `start_time` now (in answers).",
    ]


def test_other_content_is_no_other_name() -> None:
    """A property that vanishes while one with another schema appears, or one that is required, is not renamed."""
    for come in ([("due", TEXT)], [("due", NUMBER), ("required", ["id", "due"])]):
        edits = [
            (f"{NOTE}.properties.{way}" if way != "required" else f"{NOTE}.required", it) for way, it in come
        ]
        changes = compare(NOTES, edited(NOTES, (f"{NOTE}.properties.size", GONE), *edits))

        assert [(change.level, change.kind) for change in changes] == [(B, "removed"), (A, "added")]


def test_composition() -> None:
    """Of an `allOf` it counts what comes out: what a new member brings, not that there is one."""
    base = {"type": "object", "required": ["by"], "properties": {"by": TEXT}}
    before = with_value({"allOf": [TOPIC, {"properties": {"a": TEXT}}]}, read=True, sent=True)
    after = with_value({"allOf": [TOPIC, base, {"properties": {"a": NUMBER}}]}, read=True, sent=True)

    assert seen(compare(before, after)) == [
        (B, "changed", "`Draft.value.a` is of type `integer` now, was of type `string` (in requests)."),
        (B, "added", "`Draft.value.by` was added and is required (in requests)."),
        (B, "changed", "`Note.value.a` is of type `integer` now, was of type `string` (in answers)."),
        (A, "added", "`Note.value.by` was added and is required (in answers)."),
    ]


def test_what_stands_beside_a_reference_in_a_member_counts() -> None:
    """Since OpenAPI 3.1, a member of an `allOf` may have both a reference and an `allOf`."""
    inner: list[Any] = [{"properties": {"a": kind}} for kind in (TEXT, NUMBER)]
    documents = [
        with_value({"allOf": [{**TOPIC, "allOf": [one]}, {"properties": {"x": TEXT}}]}, read=True, sent=True)
        for one in inner
    ]
    assert not compare(documents[0], documents[0])
    assert seen(compare(*documents)) == [
        (B, "changed", "`Draft.value.a` is of type `integer` now, was of type `string` (in requests)."),
        (B, "changed", "`Note.value.a` is of type `integer` now, was of type `string` (in answers)."),
    ]


def test_enums_that_are_open_and_closed() -> None:
    """Readers take a new value only if wherever they read the enum, any text is read as well."""
    for read, level in (
        ({"anyOf": [MOOD, TEXT]}, A),
        ({"anyOf": [{"type": "array", "items": MOOD}, TEXT]}, B),
    ):
        before = with_value(read, read=True)
        (change,) = compare(before, edited(before, (f"{SCHEMAS}.Mood.enum.0", "calm")))

        assert change.level is level
    before = edited(with_value({"anyOf": [MOOD, TEXT]}, read=True), (f"{NOTE}.properties.mood", MOOD))
    (change,) = compare(before, edited(before, (f"{SCHEMAS}.Mood.enum.0", "calm")))
    assert change.level is B


def test_a_new_use() -> None:
    """A schema is judged by the uses that it already had: nobody sent it before it could be sent."""
    put = {
        "operationId": "put",
        "requestBody": {"content": {"a/b": {"schema": {"$ref": "#/components/schemas/Note"}}}},
    }
    edits = [("paths./notes.put", put), (f"{NOTE}.properties.due", TEXT), (f"{NOTE}.required", ["id", "due"])]

    assert {change.level for change in compare(NOTES, edited(NOTES, *edits))} == {A}


def test_a_removed_schema_without_a_class() -> None:
    """A schema that is only a name for text can go without breaking a program."""
    (change,) = compare(edited(NOTES, (f"{SCHEMAS}.Word", TEXT)), NOTES)

    assert (change.level, change.kind) == (A, "removed")


def test_an_answer_in_another_document() -> None:
    """What is in another document is not read; that it is another one is told."""
    before = edited(NOTES, (f"{ANSWERS}.400", {"$ref": "other.yaml#/a"}))
    changes = compare(before, edited(before, (f"{ANSWERS}.400", {"$ref": "other.yaml#/b"})))

    assert seen(changes) == [(B, "changed", "The answer 400 of `write_note` is described in another place.")]


def test_no_credentials_either_way() -> None:
    """There are two ways to say that no credentials are needed."""
    changes = compare(edited(NOTES, (f"{GET}.security", [])), edited(NOTES, (f"{GET}.security", [{}])))

    assert [change.level for change in changes] == [C]


def test_more_scopes() -> None:
    """A scope that can be asked for as well is an addition; one that is gone breaks who asked for it."""
    flow = "components.securitySchemes.token.flows.clientCredentials.scopes"
    flows = {"clientCredentials": {"tokenUrl": "https://notes.example/token", "scopes": {"read": "Read."}}}
    before = edited(NOTES, ("components.securitySchemes.token", {"type": "oauth2", "flows": flows}))
    after = edited(before, (f"{flow}.write", "Write."))

    assert [change.level for change in compare(before, after)] == [A]
    assert [change.level for change in compare(after, before)] == [B]


def test_another_operation_id_and_another_name_in_the_path() -> None:
    """An operation is the same one if its path is, whatever the parameters in it are called."""
    path = edited(NOTES, (f"{GET}.operationId", "get_note"), ("paths./notes/{id}.parameters.0.name", "note"))
    after = edited(NOTES, ("paths./notes/{id}", GONE), ("paths./notes/{note}", path["paths"]["/notes/{id}"]))

    assert [change.kind for change in compare(NOTES, after)] == ["renamed", "renamed"]


def test_renamed_in_a_ring() -> None:
    """Schemas that only refer to each other are the same under other names, however lists without order are ordered."""

    def ring(first: str, second: str, required: list[str]) -> Document:
        found = {
            one: {
                "type": "object",
                "required": required,
                "properties": {
                    "a": {"$ref": f"#/components/schemas/{two}"},
                    "self": {"$ref": f"#/components/schemas/{one}"},
                    **more,
                },
            }
            for one, two, more in ((first, second, {"b": TEXT}), (second, first, {"b": NUMBER}))
        }
        return edited(NOTES, *[(f"{SCHEMAS}.{name}", schema) for name, schema in found.items()])

    changes = compare(ring("One", "Two", ["a", "b"]), ring("Eins", "Zwei", ["b", "a"]))

    assert [change.kind for change in changes] == ["renamed", "renamed"]
    assert [set(change.names) for change in changes] == [
        {"One", "Eins"},
        {"Two", "Zwei"},
    ]


def test_composed_of_itself() -> None:
    """A schema that is composed of itself comes out as the rest of it."""
    node = {"$ref": "#/components/schemas/Node"}
    before = edited(NOTES, (f"{SCHEMAS}.Node", {"allOf": [node, {"properties": {"a": TEXT}}]}))
    after = edited(before, (f"{SCHEMAS}.Node.allOf.2", TOPIC))

    assert [change.text for change in compare(before, after) if change.level > C] == [
        "`Node.word` was added and is optional (in no operation)."
    ]


def test_circles() -> None:
    """Schemas that are composed of themselves, each time in another way, come to an end."""
    node, other = {"$ref": "#/components/schemas/Node"}, {"type": "object", "properties": {"n": NUMBER}}
    documents = [
        with_value({"$ref": "#/components/schemas/Node"}, read=True)
        | {
            "components": {
                "schemas": {"Node": {"properties": {"next": {"allOf": [node, extra]}}}, "Other": other}
            }
        }
        for extra in ({"$ref": "#/components/schemas/Other"}, {"properties": {"m": NUMBER}}, node)
    ]
    changes = compare(documents[0], documents[1])

    assert "`Node.next.n` is called `m` now (in no operation)." in [change.text for change in changes]
    assert compare(documents[0], edited(documents[2], (f"{SCHEMAS}.Node", {"allOf": [node]})))


def test_written_out() -> None:
    """A schema that is written out where it was referred to has another class; what differs inside is told too."""
    inline = {"type": "object", "properties": {"word": NUMBER}}
    changes = compare(with_value(TOPIC, read=True), with_value(inline, read=True))

    assert seen(changes) == [
        (
            B,
            "changed",
            "`Note.value` has a class of another name in `payman_api`; nothing changes on the wire.",
        ),
        (B, "changed", "`Note.value.word` is of type `integer` now, was of type `string` (in answers)."),
    ]


def test_a_union_by_its_name() -> None:
    """A union that gets a name of its own is the same union."""
    union = {"anyOf": [TOPIC, MOOD, {"type": "null"}]}
    named = edited(with_value({"$ref": "#/components/schemas/Any"}, read=True), (f"{SCHEMAS}.Any", union))

    changes = compare(with_value(union, read=True), named)
    assert seen(changes) == [(A, "added", "The schema `Any` was added.")]


def test_each_change_once() -> None:
    """A change in what operations share is told once, with the operations it reaches, also through other schemas."""
    (change,) = compare(NOTES, edited(NOTES, (f"{TOPIC_WAY}.properties.word", GONE)))

    assert change.operations == ("read_note", "write_note")
    assert change.names == {"Topic", "word"}


def test_two_operations_change_places() -> None:
    """Operations are known by their operationIds, not by their paths."""
    edits = [(f"{POST}.operationId", "read_note"), (f"{GET}.operationId", "write_note")]
    changes = compare(NOTES, edited(NOTES, *edits))

    assert [change.text for change in changes if change.kind == "moved"] == [
        "`read_note` moved from GET /notes/{id} to POST /notes.",
        "`write_note` moved from POST /notes to GET /notes/{id}.",
    ]


def test_names() -> None:
    """A change names what it is about as the document spells it, so that an error in a program can be traced to it."""
    edits = [
        (f"{NOTE}.properties.sentAt", TEXT),
        (f"{PARAMETERS}.0.name", "dryRun"),
        (f"{ANSWERS}.200", GONE),
    ]

    assert [set(change.names) for change in compare(NOTES, edited(NOTES, *edits))] == [
        {"write_note"},
        {"write_note", "dry", "dryRun"},
        {"Note", "sentAt"},
    ]


def test_text_from_outside() -> None:
    """A document's names cannot steer a terminal, break out of a line or out of their code quotes."""
    (line,) = lines(compare(NOTES, edited(NOTES, (f"{NOTE}.properties.a\n\x1b[2J`b", TEXT))))

    assert line.isprintable()
    assert "`Note.a ?[2J'b`" in line


def test_openapi_3_0() -> None:
    """The version of OpenAPI is a matter of form: null in either way is the same."""
    before = edited(with_value({"type": "string", "nullable": True}, read=True), ("openapi", "3.0.3"))
    changes = compare(before, with_value({"type": ["string", "null"]}, read=True))

    assert [(change.level, change.where) for change in changes] == [(C, "document, openapi")]


def schemas(document: Document) -> dict[str, Any]:
    """What the document shares of schemas."""
    found: dict[str, Any] = document["components"]["schemas"]
    return found


def add_event(document: Document) -> None:
    """Add a kind of event to the streams."""
    schemas(document)["TaskProgressEvent"] = {
        "type": "object",
        "properties": {"percent": {"type": "integer"}},
    }
    result = schemas(document)["TaskStreamResponse"]["properties"]["result"]["anyOf"]
    result.insert(2, {"$ref": "#/components/schemas/TaskProgressEvent"})


def require(document: Document, schema: str, name: str) -> None:
    """Add a required property."""
    schemas(document)[schema]["properties"][name] = {"type": "string"}
    schemas(document)[schema]["required"].append(name)


def rename(mapping: dict[str, Any], old: str, new: str) -> None:
    """Give another name to what a mapping holds."""
    mapping[new] = mapping.pop(old)


PROMISED: list[tuple[str, Callable[[Document], object], Level, list[str]]] = [
    ("optional field", lambda it: schemas(it)["Task"]["properties"].update(due={"type": "string"}), A,
     ["`Task.due` was added and is optional (in answers)."]),
    ("required field in answers", lambda it: require(it, "Task", "due"), A,
     ["`Task.due` was added and is required (in answers)."]),
    ("required field in requests", lambda it: require(it, "TaskSendParams", "due"), B,
     ["`TaskSendParams.due` was added and is required (in requests)."]),
    ("renamed field", lambda it: rename(schemas(it)["Task"]["properties"], "sessionId", "conversationId"), B,
     ["`Task.sessionId` is called `conversationId` now (in answers)."]),
    ("removed operation", lambda it: it["paths"].pop("/api/a2a/tasks/cancel"), B,
     ["`cancel_task` (POST /api/a2a/tasks/cancel) was removed."]),
    ("new operation",
     lambda it: it["paths"].update({"/api/a2a/tasks": {"get": {"operationId": "list_tasks", "responses": {}}}}), A,
     ["`list_tasks` (GET /api/a2a/tasks) was added."]),
    ("new value of an enum", lambda it: schemas(it)["TaskState"]["enum"].append("paused"), A,
     ["`TaskState` has the new value `paused` (in answers)."]),
    ("changed type",
     lambda it: schemas(it)["TaskStatusUpdateEvent"]["properties"]["final"].update(type="string"), B,
     ["`TaskStatusUpdateEvent.final` is of type `string` now, was of type `boolean` (in answers)."]),
    ("new media type",
     lambda it: it["paths"]["/.well-known/agent.json"]["get"]["responses"]["200"]["content"].update({"text/html": {}}), A,
     ["The answer 200 of `get_agent_card` can also be `text/html`."]),
    ("new kind of event", add_event, A,
     ["The schema `TaskProgressEvent` was added.",
      "`TaskStreamResponse.result` can also be a `TaskProgressEvent` (in answers)."]),
    ("moved path", lambda it: rename(it["paths"], "/api/a2a/tasks/get", "/api/a2a/v2/tasks/get"), B,
     ["`get_task` moved from POST /api/a2a/tasks/get to POST /api/a2a/v2/tasks/get."]),
]  # fmt: skip


@table(("edit", "level", "texts"), [pytest.param(*row[1:], id=row[0]) for row in PROMISED])
def test_what_is_promised(edit: Callable[[Document], object], level: Level, texts: list[str]) -> None:
    """The changes an API goes through are told of Payman's own document, each for what it is."""
    new = copy.deepcopy(DOCUMENT)
    edit(new)
    changes = compare(DOCUMENT, new)

    assert [change.text for change in changes] == texts
    assert {change.level for change in changes} == {level}
    assert version_step(changes) == {A: "minor", B: "major"}[level]
