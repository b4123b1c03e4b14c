"""Which documents the client at hand was made from: what a change is a change of."""

from __future__ import annotations

import io
import subprocess
import tarfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from scripts.regeneration.documents import Document, parse
from scripts.regeneration.folders import files
from scripts.regeneration.generator import generate
from scripts.regeneration.packages import packages
from scripts.regeneration.problems import RegenerationError
from scripts.regeneration.reading import read_file


def origin(root: Path, present: Mapping[str, bytes], scratch: Path) -> dict[str, Document] | None:
    """Find the documents that the generated packages were made from, by their names.

    They are taken for it only if they give the packages, byte for byte: those in the work tree, those last
    committed, or those that were there when the packages were last committed.

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
            made, documents = scratch / f"origin-{number}", dict[str, Document]()
            for package in packages(spec):
                documents[package.name] = parse(read_file(spec / package.document), package.document)
                generate(documents[package.name], spec, made / package.folder, package.name)
        except RegenerationError:
            continue  # whatever it was, this client was not made from it
        if files(made) == present:
            return documents
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
