"""Where the API document comes from: written here, or from outside and corrected by overlays.

What is written here is `spec/payman.openapi.yaml`. A document from outside is put in its place; where `spec/overlays/`
has files it is kept as it came, as `spec/upstream.openapi.yaml` (or .json), and `spec/payman.openapi.yaml` is what the
overlays make of it. Whatever else reads the document reads `spec/payman.openapi.yaml` in any case. Every other document in
spec/ has an upstream and overlays of its name.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from scripts.regeneration import reading
from scripts.regeneration.bundle import bundle
from scripts.regeneration.documents import Document, check, dump, is_json, parse
from scripts.regeneration.overlays import Overlay, corrected, read_overlays
from scripts.regeneration.packages import Package
from scripts.regeneration.problems import RegenerationError
from scripts.regeneration.reading import read_file


@dataclass(frozen=True)
class Source:
    """A document, and what it makes of spec/.

    Args:
        document: What the client is made from.
        files: What files in spec/ have to hold, by their names; None where there must be none. Others stay as they are.
    """

    document: Document
    files: Mapping[str, bytes | None]


def present(spec: Path, package: Package) -> Source:
    """Give a package's document that is in spec/, corrected anew where it is from outside.

    Raises:
        RegenerationError: It cannot be used, or cannot be corrected.
    """
    overlays = read_overlays(spec / package.overlays)
    kept = [spec / name for name in package.upstream if (spec / name).exists()]
    if len(kept) > 1:
        raise RegenerationError(
            f"{kept[0]} and {kept[1]}: only one of them can be what the client is made from."
        )
    if kept:
        return _from_upstream(package, read_file(kept[0]), kept[0].name, overlays)
    if overlays:
        raise RegenerationError(
            f"{spec / package.overlays} corrects a document from outside, and there is none: "
            f"bring it with --from, or correct {package.document} itself."
        )
    path = spec / package.document
    document = _parse(read_file(path), str(path))
    check(document, str(path))
    return Source(document, files={})


def incoming(spec: Path, package: Package, source: str) -> Source:
    """Give the document that has come from outside, corrected.

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
    whole = bundle(document, name.rpartition("/")[2], lambda path: reading.read(reading.beside(source, path)))
    if whole is not document:
        content = dump(whole, f"Written by scripts/regenerate from {name} and the files that it refers to.")
    if overlays:
        return _from_upstream(package, content, name, overlays)
    check(whole, name)
    document, written = whole, dump(whole) if is_json(content) else content
    return Source(document, {package.document: written, **dict.fromkeys(package.upstream)})


def _from_upstream(package: Package, content: bytes, name: str, overlays: Sequence[Overlay]) -> Source:
    document = corrected(_parse(content, name), overlays)
    check(document, f"{name}, corrected by the overlays," if overlays else name)
    kept = package.upstream[is_json(content)]
    comment = (
        f"Written by scripts/regenerate from {kept} and {package.overlays}/; edits are lost. The overlays:\n"
        + "\n".join(f"{overlay.name}: {' '.join(overlay.reason.split())}" for overlay in overlays)
    )
    files = {package.document: dump(document, comment), **dict.fromkeys(package.upstream), kept: content}
    return Source(document, files)


def _parse(content: bytes, name: str) -> Document:
    document = parse(content, name)
    if not isinstance(document, dict):
        raise RegenerationError(f"{name} is not an OpenAPI document: a mapping is expected.")
    return document
