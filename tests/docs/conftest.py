"""The built site, for all tests of this folder."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.pages import DOCS, environment
from tests.environments import make_once

# What a build makes stays until its end: to look for garbage in it takes a tenth of the time.
PROGRAM = "import gc; gc.disable(); from mkdocs.__main__ import cli; cli()"


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the site; a page outside the navigation or a broken link fails the build."""

    def build(folder: Path) -> None:
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM, "build", "--strict", "--site-dir", str(folder)],
            cwd=DOCS.parent,
            env=environment({"NO_MKDOCS_2_WARNING": "1", "PYTHONWARNINGS": ""}),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stdout

    return make_once(tmp_path_factory, "site", build)
