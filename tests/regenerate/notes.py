"""A small API of notes, to be compared with itself after a change."""

from __future__ import annotations

import copy
import json
from typing import Any

Document = dict[str, Any]

GONE = object()
"""In the place of a value: it is taken away."""

_WITH_JSON = {
    "description": "A note.",
    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Note"}}},
}

_NOTES: Document = {
    "openapi": "3.1.0",
    "info": {"title": "Notes", "version": "1.0.0"},
    "servers": [
        {"url": "https://notes.example", "x-payman-environment": "LIVE"},
        {"url": "https://test.notes.example", "x-payman-environment": "TEST"},
    ],
    "security": [{"token": []}],
    "paths": {
        "/notes": {
            "post": {
                "operationId": "write_note",
                "tags": ["notes"],
                "summary": "Write a note",
                "parameters": [
                    {"name": "dry", "in": "query", "schema": {"type": "boolean"}},
                    {"name": "Trace", "in": "header", "required": True, "schema": {"type": "string"}},
                ],
                "requestBody": {
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Draft"}}}
                },
                "responses": {
                    "200": {**_WITH_JSON, "headers": {"Etag": {"schema": {"type": "string"}}}},
                    "400": {"$ref": "#/components/responses/Refused"},
                },
            },
        },
        "/notes/{id}": {
            "parameters": [{"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}],
            "get": {
                "operationId": "read_note",
                "tags": ["notes"],
                "security": [{"token": []}, {"cookie": []}],
                "responses": {"200": _WITH_JSON, "400": {"$ref": "#/components/responses/Refused"}},
            },
        },
    },
    "components": {
        "securitySchemes": {
            "token": {"type": "apiKey", "in": "header", "name": "x-token"},
            "cookie": {"type": "apiKey", "in": "cookie", "name": "session"},
            "unused": {"type": "http", "scheme": "basic"},
        },
        "responses": {
            "Refused": {
                "description": "Why not.",
                "content": {"application/json": {"schema": {"type": "object", "additionalProperties": True}}},
            }
        },
        "schemas": {
            "Draft": {
                "type": "object",
                "required": ["text"],
                "properties": {"text": {"type": "string"}, "about": {"$ref": "#/components/schemas/Topic"}},
            },
            "Note": {
                "type": "object",
                "required": ["id"],
                "properties": {
                    "id": {"type": "string"},
                    "size": {"type": "integer"},
                    "about": {"$ref": "#/components/schemas/Topic"},
                    "replies": {"type": "array", "items": {"$ref": "#/components/schemas/Note"}},
                },
            },
            "Topic": {"type": "object", "properties": {"word": {"type": "string"}}},
            "Mood": {"type": "string", "enum": ["glad", "sad"]},
        },
    },
}


NOTES: Document = json.loads(json.dumps(_NOTES))  # a copy that shares nothing, so that an edit is one edit


def edited(document: Document, *edits: tuple[str, object]) -> Document:
    """Give a document with some values replaced, taken away or added, each by its way: `components.schemas.Note.type`."""
    new = copy.deepcopy(document)
    for way, value in edits:
        *steps, last = way.split(".")
        place: Any = new
        for step in steps:
            place = place[int(step)] if isinstance(place, list) else place[step]
        if isinstance(place, list):
            place.insert(int(last), copy.deepcopy(value)) if value is not GONE else place.pop(int(last))
        elif value is GONE:
            del place[last]
        else:
            place[last] = copy.deepcopy(value)
    return new


def with_value(schema: object, *, sent: bool = False, read: bool = False) -> Document:
    """Give the API with a property `value` of this schema in what is sent, in what is read, or in both."""
    where = ["Draft"] * sent + ["Note"] * read
    return edited(NOTES, *[(f"components.schemas.{name}.properties.value", schema) for name in where])
