"""What git says about a repository, and the files of a revision, written into a folder without checking the revision out."""

import os
import subprocess
import zipfile
from io import BytesIO
from pathlib import Path


def run_git(root: Path, *arguments: str) -> bytes:
    """Return what git says about the repository in a folder.

    Raises:
        FileNotFoundError: git is not installed.
        subprocess.CalledProcessError: It failed.
    """
    # A hook of git names its repository in the environment, which need not be this one.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    command = ["git", "-C", str(root), *arguments]
    return subprocess.run(command, capture_output=True, check=True, env=environment).stdout


def export(root: Path, folder: Path, revision: str, *paths: str) -> None:
    """Write the files of a revision into a folder, and none outside it.

    `zipfile` keeps every name below the folder in each Python. `tarfile` does so with `filter="data"`, which Python 3.11.2
    and 3.11.3 do not have.
    """
    archive = run_git(root, "archive", "--format=zip", "-0", revision, *paths)
    with zipfile.ZipFile(BytesIO(archive)) as files:
        files.extractall(folder)
