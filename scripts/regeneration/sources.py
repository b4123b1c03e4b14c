"""The API documents in spec/, the package that each becomes, and where they come from: written here, or from outside and corrected.

What is written here is `spec/payman.openapi.yaml`. A document from outside is put in its place; where `spec/overlays/`
has files it is kept as it came, as `spec/upstream.openapi.yaml` (or .json), and `spec/payman.openapi.yaml` is what the
overlays make of it. Whatever else reads the document reads `spec/payman.openapi.yaml` in any case. Every other document in
spec/ has an upstream and overlays of its name.

A document may be in several files. What it refers to below its own folder is taken in: schemas go to components/schemas by the
name of their file or place; what else is referred to is put where it is needed.
"""

import keyword
import posixpath
from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any, NamedTuple

from scripts.regeneration import RegenerationError, reading
from scripts.regeneration.documents import Document, check, dump, is_json, parse, references
from scripts.regeneration.identifiers import make_unique
from scripts.regeneration.overlays import Overlay, corrected, read_overlays
from scripts.regeneration.pointers import join, look_up, split, walk
from scripts.regeneration.reading import read_file

PRIMARY = "payman"
"""The document of the package itself; every other one becomes a package inside it."""
_SUFFIX = ".openapi.yaml"
_TAKEN = ("api", "client", "errors", "events", "models", "types")
_OF_SCHEMAS = ("schema", "items", "additionalProperties", "not", "contains", "propertyNames", "itemSchema")
_OF_SCHEMA_LISTS = ("properties", "schemas", "allOf", "anyOf", "oneOf", "$defs", "patternProperties")
_MOST_FILES = 200
Within = tuple[tuple[str, str], ...]
"""Places: a file, and the pointer in it."""


class Package:
    """A document and its package.

    Args:
        name: The document's name, such as `payman-rest` for `spec/payman-rest.openapi.yaml`.

    Attributes:
        document: The name of the document's file in spec/.
        folder: The package's folder in generated/.
        overlays: The folder in spec/ with the corrections of a document from outside.
        upstream: Where a document from outside is kept untouched: as YAML, as JSON.

    Raises:
        RegenerationError: No package can be called so.
    """

    def __init__(self, name: str) -> None:
        self.name, self.document = name, name + _SUFFIX
        self.folder, self.overlays, kept = "payman_api", "overlays", "upstream"
        if name != PRIMARY:
            last = name.removeprefix(f"{PRIMARY}-").replace("-", "_")
            if not last.isidentifier() or keyword.iskeyword(last) or last in _TAKEN:
                said = f"spec/{self.document} would become payman_api.{last}, which is not a free name"
                raise RegenerationError(f"{said}. Rename the document.")
            self.folder, self.overlays, kept = f"payman_api/{last}", f"overlays/{name}", f"upstream-{name}"
        self.upstream = f"{kept}{_SUFFIX}", f"{kept}.openapi.json"


def packages(spec: Path) -> Iterator[Package]:
    """Yield a package for each document in spec/, the primary one first; that one is given in any case."""
    yield Package(PRIMARY)
    for path in sorted(spec.glob(f"*{_SUFFIX}")):
        name = path.name.removesuffix(_SUFFIX)
        if name != PRIMARY and not name.startswith("upstream"):
            yield Package(name)


class Source(NamedTuple):
    """A document, and what it makes of spec/.

    Args:
        document: What the client is made from.
        files: What files in spec/ have to hold, by their names; None where there must be none. Others stay as they are.
    """

    document: Document
    files: Mapping[str, bytes | None]


def present(spec: Path, package: Package) -> Source:
    """Return a package's document that is in spec/, corrected anew where it is from outside.

    Raises:
        RegenerationError: It cannot be used, or cannot be corrected.
    """
    overlays = read_overlays(spec / package.overlays)
    kept = [spec / name for name in package.upstream if (spec / name).exists()]
    if len(kept) > 1:
        both = " and ".join(map(str, kept))
        raise RegenerationError(f"{both}: only one of them can be what the client is made from.")
    if kept:
        return _from_upstream(package, read_file(kept[0]), kept[0].name, overlays)
    if overlays:
        said = f"{spec / package.overlays} corrects a document from outside, and there is none"
        raise RegenerationError(f"{said}: bring it with --from, or correct {package.document} itself.")
    path = spec / package.document
    document = _parse(read_file(path), str(path))
    check(document, str(path))
    return Source(document, files={})


def incoming(spec: Path, package: Package, source: str) -> Source:
    """Return the document that has come from outside, corrected.

    Args:
        spec: The folder with the overlays.
        package: What it becomes.
        source: The file or URL.

    Raises:
        RegenerationError: It cannot be used, or cannot be corrected.
    """
    overlays = read_overlays(spec / package.overlays)
    content, name = reading.read(source), reading.shown(source)
    document = _parse(content, name)
    if not all(reference.startswith("#") for reference, _ in references(document)):
        document = _Bundle(document, source, name.rpartition("/")[2]).made
        comment = f"Written by scripts/regenerate from {name} and the files that it refers to."
        content = dump(document, comment)
    if overlays:
        return _from_upstream(package, content, name, overlays)
    check(document, name)
    written = dump(document) if is_json(content) else content
    return Source(document, {package.document: written, **dict.fromkeys(package.upstream)})


def _from_upstream(package: Package, content: bytes, name: str, overlays: Sequence[Overlay]) -> Source:
    document = corrected(_parse(content, name), overlays)
    check(document, f"{name}, corrected by the overlays," if overlays else name)
    kept = package.upstream[is_json(content)]
    said = f"Written by scripts/regenerate from {kept} and {package.overlays}/; edits are lost. The overlays:"
    reasons = [f"{overlay.name}: {' '.join(overlay.reason.split())}" for overlay in overlays]
    written = dump(document, "\n".join([said, *reasons]))
    return Source(document, {package.document: written, **dict.fromkeys(package.upstream), kept: content})


def _parse(content: bytes, name: str) -> Document:
    document = parse(content, name)
    if not isinstance(document, dict):
        raise RegenerationError(f"{name} is not an OpenAPI document: a mapping is expected.")
    return document


class _Bundle:
    """A document with everything that it refers to in other files."""

    def __init__(self, document: Document, source: str, name: str) -> None:
        self.made, self._name, self._source = deepcopy(document), name, source
        self._files: dict[str, Any] = {name: document}
        self._schemas: dict[tuple[str, str], str] = {}
        self._named: dict[str, Any] = self.made.setdefault("components", {}).setdefault("schemas", {})
        for key, schema in list(self._named.items()):
            self._schemas[name, f"/components/schemas/{key}"] = key
            reference = schema.get("$ref") if isinstance(schema, dict) else None
            if isinstance(reference, str) and not reference.startswith("#"):
                self._add_schema(key, *self._target(reference, name))
        self._take_in(self.made, name)

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
            said = "only files below the document's own folder are read"
            raise RegenerationError(f"{file} refers to {reference:.200}; {said}.")
        return found, fragment

    def _at(self, file: str, place: str) -> Any:
        if file not in self._files:
            if len(self._files) >= _MOST_FILES:
                raise RegenerationError(f"{self._name} refers to more than {_MOST_FILES} files.")
            self._files[file] = parse(reading.read(reading.beside(self._source, file)), file)
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
        holder, last = ["", "", *split(at)][-2:]
        if file == self._name:
            node["$ref"] = f"#{place}"
        elif last in _OF_SCHEMAS or holder in _OF_SCHEMA_LISTS:
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
