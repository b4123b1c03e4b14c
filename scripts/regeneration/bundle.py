"""A document in several files, made one: what it refers to below its own folder is taken in."""

from __future__ import annotations

import posixpath
from collections.abc import Callable
from copy import deepcopy
from typing import Any

from scripts.regeneration.documents import Document, parse
from scripts.regeneration.identifiers import make_unique
from scripts.regeneration.pointers import join, look_up, split
from scripts.regeneration.problems import RegenerationError

_OF_SCHEMAS = ("schema", "items", "additionalProperties", "not", "contains", "propertyNames", "itemSchema")
_OF_SCHEMA_LISTS = ("properties", "schemas", "allOf", "anyOf", "oneOf", "$defs", "patternProperties")
_MOST_FILES = 200


def bundle(document: Document, name: str, read: Callable[[str], bytes]) -> Document:
    """Give a document with everything that it refers to in other files; the same one where there is none.

    Schemas go to components/schemas by the name of their file or place; what else is referred to is put where it is needed.

    Args:
        document: What the first file holds.
        name: What that file is called, without its folder.
        read: Reads a file by its path below the document's folder.

    Raises:
        RegenerationError: A reference leaves the folder, or leads nowhere.
    """
    if not any(not reference.startswith("#") for reference in _references(document)):
        return document
    return _Bundle(deepcopy(document), name, read).made


class _Bundle:
    def __init__(self, document: Document, name: str, read: Callable[[str], bytes]) -> None:
        self.made, self._name, self._read = document, name, read
        self._files: dict[str, Any] = {name: deepcopy(document)}
        self._schemas: dict[tuple[str, str], str] = {}
        named = document.setdefault("components", {}).setdefault("schemas", {})
        self._named: dict[str, Any] = named
        for key, schema in list(named.items()):
            place = f"/components/schemas/{key}"
            self._schemas[name, place] = key
            if (
                isinstance(schema, dict)
                and isinstance(schema.get("$ref"), str)
                and not schema["$ref"].startswith("#")
            ):
                file, inner = self._target(schema["$ref"], name)
                self._schemas.setdefault((file, inner), key)
                named[key] = deepcopy(self._at(file, inner))
                self._take_in(named[key], file, True, ())
        self._take_in(document, name, False, ())

    def _target(self, reference: str, file: str) -> tuple[str, str]:
        path, _, fragment = reference.partition("#")
        if not path:
            return file, fragment
        found = posixpath.normpath(posixpath.join(posixpath.dirname(file), path))
        if "://" in path or "\\" in path or path.startswith("/") or found.startswith(".."):
            # Who follows it would read whatever file or address somebody else's document names.
            raise RegenerationError(
                f"{file} refers to {reference:.200}; only files below the document's own folder are read."
            )
        return found, fragment

    def _at(self, file: str, place: str) -> Any:
        if file not in self._files:
            if len(self._files) >= _MOST_FILES:
                raise RegenerationError(f"{self._name} refers to more than {_MOST_FILES} files.")
            self._files[file] = parse(self._read(file), file)
        try:
            return look_up(self._files[file], place)
        except KeyError:
            raise RegenerationError(f"{self._name}: $ref {file}#{place} leads nowhere.") from None

    def _take_in(self, value: Any, file: str, is_schema: bool, within: tuple[tuple[str, str], ...]) -> None:
        """Replace the references in something that comes from a file."""
        waiting = [(value, is_schema)]
        while waiting:
            value, is_schema = waiting.pop()
            if isinstance(value, list):
                waiting += [(each, is_schema) for each in value]
            if not isinstance(value, dict):
                continue
            reference = value.get("$ref")
            if isinstance(reference, str) and not (reference.startswith("#") and file == self._name):
                self._replace(value, *self._target(reference, file), is_schema, within)
                continue
            for key, inner in value.items():
                if key not in ("example", "examples"):
                    waiting.append(
                        (
                            inner,
                            key in _OF_SCHEMAS
                            or key in _OF_SCHEMA_LISTS
                            or (is_schema and not isinstance(inner, dict)),
                        )
                    )
                    if key in _OF_SCHEMA_LISTS and isinstance(inner, dict):
                        waiting[-1:] = [(each, True) for each in inner.values()]

    def _replace(
        self,
        value: dict[str, Any],
        file: str,
        place: str,
        is_schema: bool,
        within: tuple[tuple[str, str], ...],
    ) -> None:
        target = self._at(file, place)
        if file == self._name:
            value["$ref"] = f"#{place}"
        elif is_schema:
            if (file, place) not in self._schemas:
                wanted = split(place)[-1] if place.strip("/") else posixpath.basename(file).partition(".")[0]
                key = self._schemas[file, place] = make_unique(wanted, self._named)
                self._named[key] = deepcopy(target)
                self._take_in(self._named[key], file, True, ())
            value["$ref"] = join("#/components/schemas", self._schemas[file, place])
        else:
            if (file, place) in within:
                raise RegenerationError(f"{self._name}: {file}#{place} refers to itself.")
            del value["$ref"]
            value |= {**deepcopy(target), **value} if isinstance(target, dict) else {}
            self._take_in(value, file, False, (*within, (file, place)))


def _references(value: Any) -> list[str]:
    found, waiting = [], [value]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            if isinstance(value.get("$ref"), str):
                found.append(value["$ref"])
            waiting += [inner for key, inner in value.items() if key not in ("example", "examples")]
        elif isinstance(value, list):
            waiting += value
    return found
