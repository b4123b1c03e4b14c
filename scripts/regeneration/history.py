"""Which document the client at hand was made from: what a change is a change of."""

from __future__ import annotations

import io
import subprocess
import tarfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from scripts.regeneration.documents import Document, parse
from scripts.regeneration.folders import files
from scripts.regeneration.generator import generate
from scripts.regeneration.problems import RegenerationError
from scripts.regeneration.reading import read_file
from scripts.regeneration.sources import DOCUMENT


def origin(root: Path, present: Mapping[str, bytes], scratch: Path) -> Document | None:
    """Find the document that a generated package was made from.

    A document is taken for it only if it gives that package, byte for byte: the one in the work tree, the one last
    committed, or the one that was there when the package was last committed.

    Args:
        root: The folder that holds spec/ and generated/.
        present: The files in generated/.
        scratch: A folder for what is made on the way.
    """
    tried: list[Mapping[str, bytes]] = []
    for number, spec in enumerate(_candidates(root, scratch)):
        if (content := files(spec)) in tried:
            continue
        tried.append(content)
        try:
            document: Document = parse(read_file(spec / DOCUMENT), DOCUMENT)
            made = scratch / f"origin-{number}"
            generate(document, spec, made / "payman_api")
        except RegenerationError:
            continue  # whatever it was, this client was not made from it
        if files(made) == present:
            return document
    return None


def _candidates(root: Path, scratch: Path) -> Iterator[Path]:
    yield root / "spec"
    for commit in ("HEAD", _git(root, "log", "-1", "--format=%H", "--", "generated").decode().strip()):
        packed = _git(root, "archive", "--format=tar", commit, "spec") if commit else b""
        if packed:
            place = scratch / f"spec-{commit}"
            with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
                archive.extractall(place, filter="data")
            yield place / "spec"


def _git(root: Path, *arguments: str) -> bytes:
    """Give what git says; nothing where there is no git, no repository or no such thing in it."""
    try:
        done = subprocess.run(["git", "-C", str(root), *arguments], capture_output=True, check=False)
    except OSError:
        return b""
    return done.stdout if done.returncode == 0 else b""
