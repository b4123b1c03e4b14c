"""Where the API document comes from: written here, or from outside and corrected by overlays.

What is written here is `spec/payman.openapi.yaml`. A document from outside is put in its place; where `spec/overlays/`
has files it is kept as it came, as `spec/upstream.openapi.yaml` (or .json), and `spec/payman.openapi.yaml` is what the
overlays make of it. Whatever else reads the document reads `spec/payman.openapi.yaml` in any case.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from scripts.regeneration.documents import (
    Document,
    check,
    dump,
    is_json,
    parse,
    parse_document,
)
from scripts.regeneration.evidence import check_marks
from scripts.regeneration.overlays import Overlay, corrected, read_overlays
from scripts.regeneration.problems import RegenerationError
from scripts.regeneration.reading import read_file

DOCUMENT = "payman.openapi.yaml"
UPSTREAM = ("upstream.openapi.yaml", "upstream.openapi.json")


@dataclass(frozen=True)
class Source:
    """A document, and what it makes of spec/.

    Args:
        document: What the client is made from.
        files: What files in spec/ have to hold, by their names; None where there must be none. Others stay as they are.
    """

    document: Document
    files: Mapping[str, bytes | None]


def present(spec: Path) -> Source:
    """Give the document that is in spec/, corrected anew where it is from outside.

    Raises:
        RegenerationError: It cannot be used, or cannot be corrected.
    """
    overlays = read_overlays(spec / "overlays")
    kept = [spec / name for name in UPSTREAM if (spec / name).exists()]
    if len(kept) > 1:
        raise RegenerationError(
            f"{kept[0]} and {kept[1]}: only one of them can be what the client is made from."
        )
    if kept:
        return _from_upstream(read_file(kept[0]), kept[0].name, overlays)
    if overlays:
        raise RegenerationError(
            f"{spec / 'overlays'} corrects a document from outside, and there is none: "
            f"bring it with --from, or correct {DOCUMENT} itself."
        )
    path = spec / DOCUMENT
    return Source(parse_document(read_file(path), str(path)), files={})


def incoming(spec: Path, content: bytes, name: str) -> Source:
    """Give the document that has come from outside, corrected.

    Args:
        spec: The folder with the overlays.
        content: What has come.
        name: What it is called in messages.

    Raises:
        RegenerationError: It cannot be used, or cannot be corrected.
    """
    overlays = read_overlays(spec / "overlays")
    if overlays:
        return _from_upstream(content, name, overlays)
    document = parse_document(content, name)
    check_marks(document)
    return Source(
        document, {DOCUMENT: dump(document) if is_json(content) else content, **dict.fromkeys(UPSTREAM)}
    )


def _from_upstream(content: bytes, name: str, overlays: Sequence[Overlay]) -> Source:
    upstream = parse(content, name)
    if not isinstance(upstream, dict):
        raise RegenerationError(f"{name} is not an OpenAPI document: a mapping is expected.")
    document = corrected(upstream, overlays)
    check(document, f"{name}, corrected by the overlays," if overlays else name)
    check_marks(document)
    kept = UPSTREAM[is_json(content)]
    comment = (
        f"Written by scripts/regenerate from {kept} and overlays/; edits are lost. The overlays:\n"
        + "\n".join(f"{overlay.name}: {' '.join(overlay.reason.split())}" for overlay in overlays)
    )
    files = {DOCUMENT: dump(document, comment), **dict.fromkeys(UPSTREAM), kept: content}
    return Source(document, files)
