"""A checkout, and its wheel and source, built twice: the same commit gives the same bytes."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from scripts.git import export, run_git


@dataclass(frozen=True)
class Checkout:
    """A checkout of the repository.

    Attributes:
        root: Its folder.
    """

    root: Path

    @property
    def commit(self) -> str:
        """The commit that is checked out."""
        return run_git(self.root, "rev-parse", "HEAD").decode().strip()

    @property
    def committed_at(self) -> int:
        """When it was committed, in seconds since 1970."""
        return int(run_git(self.root, "show", "-s", "--format=%ct", "HEAD"))

    def changes(self) -> list[str]:
        """What differs from the commit, files that git does not know included."""
        return run_git(self.root, "status", "--porcelain").decode().splitlines()

    def commit_of_tag(self, tag: str) -> str | None:
        """The commit that a tag names, None where there is no such tag."""
        names = "--format=%(objectname) %(*objectname)"  # an annotated tag is an object, too
        found = run_git(self.root, "for-each-ref", names, f"refs/tags/{tag}").decode().split()
        return found[-1] if found else None


_BUILD = """
import os, sys
from poetry.core.masonry import api
os.umask(int(sys.argv[2], 8))
api.build_wheel(sys.argv[1])
api.build_sdist(sys.argv[1])
"""
# What may differ between two machines must not show.
_MACHINES = (
    {"umask": "022", "TZ": "UTC", "LC_ALL": "C.UTF-8", "PYTHONHASHSEED": "1"},
    {"umask": "077", "TZ": "Asia/Kathmandu", "LC_ALL": "C", "PYTHONHASHSEED": "2"},
)


class IrreproducibleError(Exception):
    """Two builds of one commit differ."""


def build(checkout: Checkout, folder: Path) -> list[Path]:
    """Build wheel and source from the commit, and return their files.

    Raises:
        IrreproducibleError: A second build gives other files.
    """
    made: list[dict[str, str]] = []
    with tempfile.TemporaryDirectory() as place:
        for number, machine in enumerate(_MACHINES):
            source, target = Path(place) / f"source-{'x' * number}", Path(place) / f"built-{number}"
            source.mkdir()
            target.mkdir()
            export(checkout.root, source, "HEAD")
            environment = {**os.environ, **machine, "SOURCE_DATE_EPOCH": str(checkout.committed_at)}
            command = [sys.executable, "-c", _BUILD, str(target), machine["umask"]]
            subprocess.run(command, cwd=source, env=environment, check=True, capture_output=True)
            made.append({file.name: digest(file) for file in sorted(target.iterdir())})
        if made[0] != made[1]:
            differing = sorted(name for name, _ in made[0].items() ^ made[1].items())
            raise IrreproducibleError(f"two builds differ: {', '.join(dict.fromkeys(differing))}")
        folder.mkdir(parents=True, exist_ok=True)
        return [Path(shutil.copy(Path(place) / "built-0" / name, folder / name)) for name in made[0]]


def digest(file: Path) -> str:
    """Return the SHA-256 of a file in hexadecimal."""
    return hashlib.sha256(file.read_bytes()).hexdigest()
