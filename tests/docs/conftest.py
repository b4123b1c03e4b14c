"""The built site, for all tests of this folder."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import sysconfig
import time
from pathlib import Path

import pytest
from filelock import FileLock

from tests.docs.pages import DOCS, environment
from tests.environments import KEPT

ROOT = DOCS.parent

# What a build makes stays until its end: to look for garbage in it takes a tenth of the time. Nobody reads the signatures of
# this site, for each of which a build starts ruff, if it finds it: that takes a fifth of the time.
PROGRAM = "import gc, sys; gc.disable(); sys.modules['ruff'] = None; from mkdocs.__main__ import cli; cli()"

SOURCES = ("docs", "payman_sdk", "generated", "scripts/documentation")
"""The folders that a build reads, beside `mkdocs.yml`."""

_SECONDS_KEPT = 3600
"""How long a site stays after its last use: another checkout may share the environment, and read it."""


@pytest.fixture(scope="session")
def site() -> Path:
    """Build the site; a page outside the navigation or a broken link fails the build.

    It stays beside the environment until something changes that it is built from. Tests leave it as it is.
    """
    home = KEPT / f"site-{_hash_sources()[:12]}"
    KEPT.mkdir(exist_ok=True)
    with FileLock(KEPT / "site.lock"):
        if not home.exists():
            for other in KEPT.glob("site-*"):
                if time.time() - other.stat().st_mtime > _SECONDS_KEPT:
                    shutil.rmtree(other)
            unfinished = KEPT / "site-unfinished"
            _build(unfinished)
            unfinished.rename(home)
        os.utime(home)
    return home


def _hash_sources() -> str:
    """Return a hash of what a build reads: the sources, the names and versions of packages, and how it is started."""
    packages = sorted(path.name for path in Path(sysconfig.get_path("purelib")).glob("*-info"))
    hashed = hashlib.sha256(repr((sys.version, PROGRAM, packages)).encode())
    found = [path for name in SOURCES for path in (ROOT / name).rglob("*") if "__pycache__" not in path.parts]
    for path in [ROOT / "mkdocs.yml", *sorted(path for path in found if path.is_file())]:
        content = path.read_bytes()
        hashed.update(f"{path.relative_to(ROOT)} {len(content)}\n".encode() + content)
    return hashed.hexdigest()


def _build(folder: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, "build", "--strict", "--site-dir", str(folder)],
        cwd=ROOT,
        env=environment({"NO_MKDOCS_2_WARNING": "1", "PYTHONWARNINGS": ""}),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout
