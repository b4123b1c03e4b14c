"""Files of a git revision, written into a folder without checking the revision out."""

from __future__ import annotations

import zipfile
from io import BytesIO
from pathlib import Path

ARCHIVE = ("archive", "--format=zip", "-0")
"""The arguments of git that give what `unpack` reads."""


def unpack(archive: bytes, folder: Path) -> None:
    """Write the files of an archive into a folder, and none outside it.

    `zipfile` keeps every name below the folder in each Python. `tarfile` does so with `filter="data"`, which Python 3.11.2
    and 3.11.3 do not have.
    """
    with zipfile.ZipFile(BytesIO(archive)) as files:
        files.extractall(folder)
