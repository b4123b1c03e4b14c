"""Whether a checkout is ready to be released: its version, its changelog, its tag."""

from __future__ import annotations

import datetime as dt
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from scripts.distribution.build import Checkout

_RELEASE = re.compile(r"\d+\.\d+\.\d+(?:(?:a|b|rc)\d+)?")
_HEADING = re.compile(r"^## \[(?P<version>[^\]]+)\](?P<rest>.*)$", re.MULTILINE)


def read_project(root: Path) -> dict[str, Any]:
    """Return the table `project` of pyproject.toml."""
    project: dict[str, Any] = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["project"]
    return project


def problems(checkout: Checkout, today: dt.date) -> Iterator[str]:
    """Find what keeps a checkout from being released.

    Args:
        checkout: The checkout.
        today: The date; the changelog must not be ahead of it.
    """
    version = str(read_project(checkout.root)["version"])
    if not _RELEASE.fullmatch(version):
        yield f"{version} is a version that is never released; use one such as 2.0.0 or 2.0.0rc1"
    yield from _of_package(checkout.root, version)
    yield from _of_changelog(checkout.root, version, today)
    tagged = checkout.commit_of_tag(f"v{version}")
    if tagged is None:
        yield f"the tag v{version} is missing"
    elif tagged != checkout.commit:
        yield f"the tag v{version} names {tagged[:10]}, and {checkout.commit[:10]} is checked out"
    for change in checkout.changes():
        yield f"not committed: {change}"


def _of_package(root: Path, version: str) -> Iterator[str]:
    text = (root / "payman_sdk" / "_version.py").read_text("utf-8")
    found = re.search(r'^__version__ = "([^"]*)"', text, re.MULTILINE)
    if found is None or found[1] != version:
        yield f"payman_sdk.__version__ is {found[1] if found else 'missing'}, and pyproject.toml says {version}"


def _of_changelog(root: Path, version: str, today: dt.date) -> Iterator[str]:
    newest = _HEADING.search((root / "CHANGELOG.md").read_text("utf-8"))
    if newest is None or newest["version"] != version:
        yield f"CHANGELOG.md begins with {newest['version'] if newest else 'no version'}, not with {version}"
        return
    written = newest["rest"].strip().removeprefix("-").strip()
    try:
        date = dt.date.fromisoformat(written)
    except ValueError:
        yield f"CHANGELOG.md has no date for {version}; write `## [{version}] - {today}`"
        return
    if date > today:
        yield f"CHANGELOG.md says that {version} is released on {date}, which is still to come"
