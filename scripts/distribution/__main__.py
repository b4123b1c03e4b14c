"""`scripts/release`: builds a release, describes it, and says whether it is ready. It uploads nothing."""

import argparse
import datetime as dt
import re
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from scripts.distribution.build import Checkout, IrreproducibleError, build, describe, digest

ROOT = Path(__file__).parents[2]
_READY, _FAILED, _NOT_READY = 0, 1, 2
_RELEASE = re.compile(r"\d+\.\d+\.\d+(?:(?:a|b|rc)\d+)?")
_HEADING = re.compile(r"^## \[(?P<version>[^\]]+)\](?P<rest>.*)$", re.MULTILINE)


def main(arguments: Sequence[str] | None = None, root: Path = ROOT) -> int:
    """Make the files of a release; returns 0, 1 if that failed, 2 if they were to be written and the checkout is not ready."""
    parser = argparse.ArgumentParser(prog="scripts/release", description=__doc__)
    what = "build in a folder that is removed, and only say what keeps a release back (default)"
    parser.add_argument("--dry-run", action=argparse.BooleanOptionalAction, default=True, help=what)
    parser.add_argument("--out", type=Path, default=root / "dist", help="where to write (default: dist/)")
    parser.add_argument("--cyclonedx", type=Path, required=True, help=argparse.SUPPRESS)
    chosen = parser.parse_args(arguments)
    checkout = Checkout(root)
    unready = list(problems(checkout, dt.datetime.now(dt.UTC).date()))
    for problem in unready:
        print(f"not ready: {problem}")
    if unready and not chosen.dry_run:
        return _NOT_READY
    try:
        with tempfile.TemporaryDirectory() as folder:
            return _make(checkout, Path(folder) if chosen.dry_run else chosen.out, chosen.cyclonedx)
    except IrreproducibleError as error:
        print(f"scripts/release: {error}", file=sys.stderr)
    except subprocess.CalledProcessError as error:
        print(f"scripts/release: {error}\n{(error.stderr or b'').decode(errors='replace')}", file=sys.stderr)
    return _FAILED


def _make(checkout: Checkout, folder: Path, cyclonedx: Path) -> int:
    files = build(checkout, folder)
    files += describe(checkout, read_project(checkout.root), files, cyclonedx)
    sums = "".join(f"{digest(file)}  {file.name}\n" for file in files)
    (folder / "SHA256SUMS").write_text(sums, "utf-8")
    print(sums, end="")
    return _READY


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


if __name__ == "__main__":
    sys.exit(main())
