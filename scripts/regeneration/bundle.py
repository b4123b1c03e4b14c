"""A document in several files, made one: what it refers to below its own folder is taken in."""

from __future__ import annotations

import posixpath
from collections.abc import Callable
from copy import deepcopy
from typing import Any

from scripts.regeneration.documents import Document, parse, references
from scripts.regeneration.identifiers import make_unique
from scripts.regeneration.pointers import join, look_up, split, walk
from scripts.regeneration.problems import RegenerationError

_OF_SCHEMAS = ("schema", "items", "additionalProperties", "not", "contains", "propertyNames", "itemSchema")
_OF_SCHEMA_LISTS = ("properties", "schemas", "allOf", "anyOf", "oneOf", "$defs", "patternProperties")
_MOST_FILES = 200
Within = tuple[tuple[str, str], ...]
"""Places: a file, and the pointer in it."""


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
    if all(reference.startswith("#") for reference, _ in references(document)):
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
            self._schemas[name, f"/components/schemas/{key}"] = key
            reference = schema.get("$ref") if isinstance(schema, dict) else None
            if isinstance(reference, str) and not reference.startswith("#"):
                self._add_schema(key, *self._target(reference, name))
        self._take_in(document, name)

    def _add_schema(self, key: str, file: str, place: str) -> None:
        """Add a schema of another file to those of the document."""
        self._schemas.setdefault((file, place), key)
        self._named[key] = deepcopy(self._at(file, place))
        self._take_in(self._named[key], file, "/schema")

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

    def _take_in(self, value: Any, file: str, place: str = "", within: Within = ()) -> None:
        """Replace the references in something that comes from a file.

        Args:
            value: What it is.
            file: The file.
            place: A pointer that ends as the place of such a thing does.
            within: What it is inside of, where it was put instead of a reference.
        """
        for node, at in [*walk(value, place)]:
            reference = node.get("$ref")
            if isinstance(reference, str) and not (reference.startswith("#") and file == self._name):
                self._replace(node, *self._target(reference, file), at, within)

    def _replace(self, node: dict[str, Any], file: str, place: str, at: str, within: Within) -> None:
        target = self._at(file, place)
        if file == self._name:
            node["$ref"] = f"#{place}"
        elif _is_schema(at):
            if (file, place) not in self._schemas:
                wanted = split(place)[-1] if place.strip("/") else posixpath.basename(file).partition(".")[0]
                self._add_schema(make_unique(wanted, self._named), file, place)
            node["$ref"] = join("#/components/schemas", self._schemas[file, place])
        else:
            if (file, place) in within:
                raise RegenerationError(f"{self._name}: {file}#{place} refers to itself.")
            del node["$ref"]
            node |= {**deepcopy(target), **node} if isinstance(target, dict) else {}
            self._take_in(node, file, at, (*within, (file, place)))


def _is_schema(place: str) -> bool:
    before, last = ["", "", *split(place)][-2:]
    return last in _OF_SCHEMAS or before in _OF_SCHEMA_LISTS
