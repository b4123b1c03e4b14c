"""What git knows of the checkout that is released."""

from __future__ import annotations

import subprocess
import zipfile
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path


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
        return self._git("rev-parse", "HEAD").strip()

    @property
    def committed_at(self) -> int:
        """When it was committed, in seconds since 1970."""
        return int(self._git("show", "-s", "--format=%ct", "HEAD"))

    def changes(self) -> list[str]:
        """What differs from the commit, files that git does not know included."""
        return self._git("status", "--porcelain").splitlines()

    def commit_of_tag(self, tag: str) -> str | None:
        """The commit that a tag names, None where there is no such tag."""
        found = self._git("for-each-ref", "--format=%(objectname) %(*objectname)", f"refs/tags/{tag}").split()
        return found[-1] if found else None  # an annotated tag is an object, too

    def export(self, folder: Path) -> None:
        """Write the files of the commit into a folder, and nothing that lies beside them."""
        archive = subprocess.run(
            ["git", "archive", "--format=zip", "HEAD"], cwd=self.root, capture_output=True, check=True
        ).stdout
        with zipfile.ZipFile(BytesIO(archive)) as files:
            files.extractall(folder)

    def _git(self, *arguments: str) -> str:
        done = subprocess.run(["git", *arguments], cwd=self.root, capture_output=True, text=True, check=True)
        return done.stdout
